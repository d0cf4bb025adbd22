//! From the report to its end: own unit, province, vendor; duplicates; strangers; searching; what leaves and what does
//! not.

use http::StatusCode;
use kernel::notices::{self, Notice, NoticeId, Recipient};
use kernel::{Kernel, Module};
use support::Support;
use testkit::Client;

use crate::Site;

const FAULT: &str = "urn:lienthong:problem:internal";
const WORDS: &str = "Không mở được hồ sơ của bà <b>Trần Thị Riêng</b>";

fn fields(page: &'static str, fault: &'static str, words: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![
        ("page", page),
        ("screen", "/exchange/calls exchange.read"),
        ("request", "0199-req"),
        ("fault", fault),
        ("at", "1"),
        ("words", words),
    ]
}

async fn send(who: &Client, page: &'static str, fault: &'static str, words: &'static str) -> String {
    let answer = who.post_form("/support/report", &fields(page, fault, words)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    answer.header("location").unwrap().to_owned()
}

async fn asked(k: &Kernel) -> Vec<Notice> {
    let rows = k.db.query("SELECT id FROM kernel_notice ORDER BY at, id", vec![]).await.unwrap();
    let mut out = Vec::new();
    for row in rows {
        out.push(notices::one(k, &k.db, row.id::<NoticeId>("id").unwrap()).await.unwrap());
    }
    out
}

/// The only case the reader sees in this state, as the interface tells it.
async fn only(who: &Client, query: &str) -> serde_json::Value {
    let found = who.get(&format!("/api/support/v1/cases?{query}")).await.json();
    let items = found["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 1, "{found}");
    items[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_own_unit_is_first_then_the_province_then_a_vendor_and_the_reporter_sees_it() {
    for backend in testkit::backends() {
        let s = Site::new(backend).await;
        let k = &s.app.t.kernel;
        let admin = s.somebody("unit-admin", s.own).await;
        let neighbour = s.somebody("unit-admin", s.other).await;
        let operator = s.somebody("operator", s.other).await;
        let reporter = s.somebody("consumer-officer", s.own).await;

        let form = reporter
            .get("/support/report?page=%2Fexchange%2Fcalls%3Fq%3DRieng&fault=x&request=r-1&at=1")
            .await
            .text();
        assert!(
            form.contains("/exchange/calls") && !form.contains("q=Rieng"),
            "the query is left out: {form}"
        );
        let refused = reporter.post_form("/support/report", &fields("/exchange/calls", FAULT, "  ")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text().contains("0199-req"), "nothing is lost");
        let own = send(&reporter, "/exchange/calls?q=Riêng", FAULT, WORDS).await;
        let page = reporter.get(&own).await.text();
        assert!(page.contains("Quản trị viên đơn vị") && page.contains("Chờ xử lý"), "{page}");
        assert!(!page.contains("<b>Trần"), "shown as text");
        assert_eq!(neighbour.get(&own).await.status, StatusCode::NOT_FOUND, "one's own only");

        let case = only(&admin, "state=waiting").await;
        assert_eq!((case["level"].as_str(), case["page"].as_str()), (Some("unit"), Some("/exchange/calls")));
        let path = format!("/support/cases/{}", case["id"].as_str().unwrap());
        assert_eq!(neighbour.get(&path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(neighbour.get("/api/support/v1/cases").await.json()["items"], serde_json::json!([]));
        assert!(!neighbour.get("/support?state=all").await.text().contains(case["code"].as_str().unwrap()));
        let to = [("words", "x"), ("vendor", "Công ty Mẫu"), ("email", "ho-tro@mau.example")];
        assert_eq!(admin.post_form(&format!("{path}/vendor"), &to).await.status, StatusCode::CONFLICT);
        let up = admin.post_form(&format!("{path}/pass-up"), &[]).await;
        assert_eq!(up.status, StatusCode::SEE_OTHER, "{}", up.text());
        let again = admin.post_form(&format!("{path}/pass-up"), &[]).await;
        assert_eq!(again.status, StatusCode::FORBIDDEN, "it is the province's now");
        assert!(admin.get(&path).await.text().contains("Vận hành cấp tỉnh"), "but still to be seen");

        let bad = [("words", "Kính gửi"), ("vendor", "Công ty Mẫu"), ("email", "x\r\nBcc: y@z.vn")];
        let refused = operator.post_form(&format!("{path}/vendor"), &bad).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text().contains("Kính gửi"), "nothing typed is lost");
        let to = [("words", "Đề nghị kiểm tra"), ("vendor", "Công ty Mẫu"), ("email", "Ho-Tro@mau.example")];
        assert_eq!(operator.post_form(&format!("{path}/vendor"), &to).await.status, StatusCode::SEE_OTHER);
        let letter = asked(k).await.into_iter().find(|n| n.template == "support-vendor").unwrap();
        assert!(
            matches!(&letter.to[..], [Recipient::Address { address, .. }] if address == "Ho-Tro@mau.example")
        );
        let sent = serde_json::to_string(&letter.arguments).unwrap();
        assert!(
            sent.contains("Đề nghị kiểm tra") && !sent.contains("Riêng"),
            "what people report stays: {sent}"
        );
        let page = reporter.get(&own).await.text();
        assert!(page.contains("Viết cho nhà cung cấp") && !page.contains("mau.example"), "{page}");

        let answer = [("words", "Đã khắc phục lúc 9 giờ")];
        assert_eq!(
            operator.post_form(&format!("{path}/answer"), &answer).await.status,
            StatusCode::SEE_OTHER
        );
        assert!(reporter.get(&own).await.text().contains("Đã khắc phục lúc 9 giờ"));
        assert_eq!(operator.post_form(&format!("{path}/close"), &answer).await.status, StatusCode::SEE_OTHER);
        assert_eq!(operator.post_form(&format!("{path}/answer"), &answer).await.status, StatusCode::CONFLICT);
        assert!(reporter.get("/support/mine").await.text().contains("Đã đóng"));
        let told = asked(k).await.iter().filter(|n| n.template == "support-case").count();
        assert_eq!(told, 6, "to who answers twice, to who reported four times");
        let audited = "SELECT COUNT(*) AS n FROM kernel_audit WHERE action LIKE 'support.case.%'";
        assert_eq!(k.db.query_one(audited, vec![]).await.unwrap().int("n").unwrap(), 4);
        s.app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_error_of_the_same_page_is_one_case_and_others_are_not() {
    for backend in testkit::backends() {
        let s = Site::new(backend).await;
        s.somebody("unit-admin", s.own).await;
        let admin = s.somebody("unit-admin", s.own).await;
        let (one, two) =
            (s.somebody("consumer-officer", s.own).await, s.somebody("provider-officer", s.own).await);
        let elsewhere = s.somebody("consumer-officer", s.other).await;
        send(&one, "/exchange/calls", FAULT, "lần một").await;
        send(&two, "/exchange/calls", FAULT, "lần hai").await;
        let case = only(&admin, "state=waiting").await;
        assert_eq!(case["reports"], 2);
        let whole =
            admin.get(&format!("/api/support/v1/cases/{}", case["id"].as_str().unwrap())).await.json();
        let words: Vec<_> =
            whole["items"].as_array().unwrap().iter().map(|r| r["words"].as_str().unwrap()).collect();
        assert_eq!(words, ["lần một", "lần hai"]);
        // Another page, no error, another agency: cases of their own.
        send(&one, "/exchange/members", FAULT, "trang khác").await;
        send(&one, "/exchange/calls", "", "không có mã").await;
        send(&one, "/exchange/calls", "", "cũng không có mã").await;
        send(&elsewhere, "/exchange/calls", FAULT, "đơn vị khác").await;
        let seen = |v: serde_json::Value| v["items"].as_array().unwrap().len();
        assert_eq!(seen(admin.get("/api/support/v1/cases").await.json()), 4);
        // Nobody administers the other agency: the province is first.
        let operator = s.somebody("operator", s.own).await;
        assert_eq!(only(&operator, "level=province").await["level"], "province");
        // Once answered, the same error is a case again.
        let path = format!("/api/support/v1/cases/{}/answer", case["id"].as_str().unwrap());
        let said = serde_json::json!({"words": "Đã sửa"});
        assert_eq!(admin.post_json(&path, &said).await.status, StatusCode::OK);
        send(&two, "/exchange/calls", FAULT, "lại lỗi").await;
        assert_eq!(seen(admin.get("/api/support/v1/cases").await.json()), 5);
        // Without tone marks, and only what is there.
        assert_eq!(only(&admin, "q=trang%20khac").await["page"], "/exchange/members");
        assert_eq!(seen(admin.get("/api/support/v1/cases?q=100%25").await.json()), 0);
        let first = admin.get("/api/support/v1/cases?limit=3").await.json();
        let next = format!("/api/support/v1/cases?limit=3&after={}", first["next"].as_str().unwrap());
        let rest = admin.get(&next).await.json();
        assert_eq!((seen(first), seen(rest)), (3, 2));
        s.app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_report_unverified_and_not_without_end() {
    for backend in testkit::backends() {
        let s = Site::new(backend).await;
        let stranger = s.app.stranger();
        let thanked = stranger.post_form("/support/report", &fields("/verify", FAULT, "Trang báo lỗi")).await;
        assert_eq!(thanked.status, StatusCode::OK);
        assert!(thanked.text().contains("BL-"), "{}", thanked.text());
        let operator = s.somebody("operator", s.own).await;
        let admin = s.somebody("unit-admin", s.own).await;
        let case = only(&operator, "").await;
        assert_eq!((case["verified"].as_bool(), case["level"].as_str()), (Some(false), Some("province")));
        assert!(operator.get("/support").await.text().contains("Chưa xác thực"));
        assert_eq!(admin.get("/api/support/v1/cases").await.json()["items"], serde_json::json!([]));
        // Somebody signed in with the same error is not put together with the stranger.
        let reporter = s.somebody("consumer-officer", s.other).await;
        send(&reporter, "/verify", FAULT, "Cùng lỗi").await;
        assert_eq!(operator.get("/api/support/v1/cases").await.json()["items"].as_array().unwrap().len(), 2);
        for _ in 0..4 {
            stranger.post_form("/support/report", &fields("/verify", FAULT, "Lại nữa")).await;
        }
        let more = stranger.post_form("/support/report", &fields("/verify", FAULT, "Thêm")).await;
        assert_eq!(more.status, StatusCode::TOO_MANY_REQUESTS);
        s.app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_too_long_is_said_in_the_morning() {
    for backend in testkit::backends() {
        let s = Site::new(backend).await;
        let check = async || Support::new().diagnose(&s.app.t.kernel).await.remove(0);
        assert!(check().await.ok);
        let reporter = s.somebody("consumer-officer", s.own).await;
        send(&reporter, "/exchange/calls", FAULT, "lỗi").await;
        let found = check().await;
        assert!(found.ok && found.text.vi.starts_with("1 báo lỗi chờ vận hành cấp tỉnh"), "{found:?}");
        s.app.t.clock.advance(std::time::Duration::from_secs(24 * 3_600 + 1));
        let found = check().await;
        assert!(!found.ok && found.text.vi.contains("lâu nhất từ"), "{found:?}");
        s.app.t.close().await;
    }
}

/// A file as a browser sends it.
async fn upload(who: &Client, path: &str, name: &str, content: &str) -> testkit::Answer {
    let body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: image/png\r\n\r\n{content}\r\n--x--\r\n"
    );
    let kind = Some("multipart/form-data; boundary=x");
    who.send(http::Method::POST, path, kind, &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_to_one_s_own_report_once_and_to_who_answers() {
    for backend in testkit::backends() {
        let s = Site::new(backend).await;
        let admin = s.somebody("unit-admin", s.own).await;
        let neighbour = s.somebody("unit-admin", s.other).await;
        let reporter = s.somebody("consumer-officer", s.own).await;
        let own = send(&reporter, "/exchange/calls", FAULT, "kèm ảnh").await;
        let path = format!("{own}/file");
        let program = upload(&reporter, &path, "a.png", "MZ").await;
        assert_eq!(program.status, StatusCode::UNPROCESSABLE_ENTITY, "judged by its bytes");
        assert_eq!(upload(&neighbour, &path, "a.pdf", "%PDF-1.7 x").await.status, StatusCode::NOT_FOUND);
        let sent = upload(&reporter, &path, "../Ảnh lỗi.pdf", "%PDF-1.7 x").await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
        let again = upload(&reporter, &path, "b.pdf", "%PDF-1.7 y").await;
        assert_eq!(again.status, StatusCode::CONFLICT, "one each");
        let file = format!("/support/files/{}", own.rsplit('/').next().unwrap());
        for reader in [&reporter, &admin] {
            let got = reader.get(&file).await;
            assert_eq!((got.status, got.text().as_str()), (StatusCode::OK, "%PDF-1.7 x"));
            assert!(got.header("content-disposition").unwrap().starts_with("attachment;"));
        }
        assert_eq!(neighbour.get(&file).await.status, StatusCode::NOT_FOUND);
        s.app.t.close().await;
    }
}
