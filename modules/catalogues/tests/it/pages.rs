//! The pages in both languages, for strangers and editors: a day before and after 1 July 2025, a file compared and
//! written, a version published with its consequence told, files that can be imported again.

use http::{Method, StatusCode};
use testkit::Client;

use crate::world::{catalogue, on_both, published};

async fn in_english(client: &Client, path: &str) -> String {
    client.send_with(Method::GET, path, None, "", &[("accept-language", "en")]).await.text()
}

async fn upload(client: &Client, path: &str, csv: &str) -> testkit::Answer {
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\n{csv}\r\n--b--\r\n"
    );
    client.send(Method::POST, path, Some("multipart/form-data; boundary=b"), &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_reads_what_is_public_on_any_day() {
    on_both(async |s| {
        let c = s.app.stranger();
        let list = c.get("/catalogues").await.text();
        assert!(list.contains("Danh mục khu") && !list.contains("nội bộ") && !list.contains("đang lập"));
        assert!(!list.contains("/catalogues/new"), "no offer to who may not");
        assert!(c.get("/catalogues?only=mappings").await.text().contains("Ánh xạ khu"));
        let old = c.get("/catalogues/KHU?on=2025-06-30").await.text();
        assert!(old.contains("Khu Bờ Đê") && !old.contains("Khu Nổi"));
        let new = c.get("/catalogues/KHU?on=01/07/2025").await.text();
        assert!(new.contains("Khu Nổi") && !new.contains("Khu Bờ Đê") && new.contains("từ 01/07/2025"));
        assert!(c.get("/catalogues/KHU?on=2025-02-28").await.text().contains("Không có phiên bản nào"));
        assert!(in_english(&c, "/catalogues/KHU?on=2025-02-28").await.contains("No version on 28/02/2025"));
        let versions = c.get("/catalogues/KHU?tab=versions").await.text();
        assert!(versions.contains("từ 01/03/2025 đến hết 30/06/2025"));
        let changes = c.get("/catalogues/KHU/versions/2").await.text();
        assert!(changes.contains("thêm 3") && changes.contains("bỏ 4"), "what the version changed");
        assert!(c.get("/catalogues/KHU?tab=mappings").await.text().contains("KHU-2025"));
        let pairs = c.get("/catalogues/KHU-2025?on=2025-07-01").await.text();
        assert!(pairs.contains("Chồng một phần") && pairs.contains("bỏ khu B"));
        let whole = c.get("/catalogues/KHU-2025?on=2025-07-01&tab=mappings").await.text();
        assert!(whole.contains("Mã nguồn chưa được ánh xạ") && whole.contains("A2"));
        for hidden in ["/catalogues/NOI-BO", "/catalogues/NHAP/versions/1", "/catalogues/KHU/versions/9"] {
            assert_eq!(c.get(hidden).await.status, StatusCode::NOT_FOUND, "{hidden}");
        }
        assert_eq!(c.get("/catalogues/KHU?on=mai").await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let refused = c.get("/catalogues/KHU/draft").await;
        assert!(refused.header("location").is_some_and(|l| l.starts_with("/login")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_takes_a_catalogue_from_nothing_to_published() {
    on_both(async |s| {
        let c = s.officer(s.owner);
        let owner = s.owner.to_string();
        let fields = [
            ("kind", "shared"),
            ("code", "MOI"),
            ("owner", owner.as_str()),
            ("name_vi", "Danh mục mới"),
            ("public", "1"),
        ];
        assert_eq!(c.get("/catalogues/new").await.status, StatusCode::OK);
        let wrong =
            c.post_form("/catalogues", &[("kind", "shared"), ("code", "mã"), ("owner", &owner)]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text().contains("Nhập tên tiếng Việt"));
        let foreign = s.officer(s.neighbour).post_form("/catalogues", &fields).await;
        assert_eq!(foreign.status, StatusCode::FORBIDDEN, "not for another agency");
        assert_eq!(c.post_form("/catalogues", &fields).await.header("location"), Some("/catalogues/MOI"));
        assert_eq!(c.post_form("/catalogues", &fields).await.status, StatusCode::CONFLICT);
        let late = c.post_form("/catalogues/MOI/draft", &[("valid_from", "")]).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
        let drafted = c.post_form("/catalogues/MOI/draft", &[("valid_from", "30/04/2026")]).await;
        assert_eq!(drafted.header("location"), Some("/catalogues/MOI/versions/1"));

        let import = "/catalogues/MOI/versions/1/import";
        let bad = upload(&c, import, "Mã;Tên\n1;Một\n1;Lại\n;Trống\n").await.text();
        assert!(bad.contains("2 dòng không nhận được") && bad.contains("đã có ở dòng 2"), "{bad}");
        assert!(!bad.contains("Ghi vào dự thảo"), "nothing to press while a row is wrong");
        let none = upload(&c, import, "").await;
        assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
        let csv = "Mã;Tên\n1;Một\n2;\"=Hai\"\n";
        let seen = upload(&c, import, csv).await.text();
        assert!(seen.contains("thêm 2") && seen.contains("Ghi vào dự thảo"));
        let rows = "/catalogues/MOI/versions/1/rows";
        let stale = c.post_form(rows, &[("csv", csv), ("revision", "9")]).await;
        assert!(stale.status.is_client_error());
        let done = c.post_form(rows, &[("csv", csv), ("revision", "1")]).await;
        assert_eq!(done.header("location"), Some("/catalogues/MOI/versions/1"));

        let ask = c.get("/catalogues/MOI/versions/1/publish").await.text();
        assert!(ask.contains("Phiên bản 1 với 2 dòng") && ask.contains("Ai cũng đọc được"), "{ask}");
        assert!(in_english(&c, "/catalogues/MOI/versions/1/publish").await.contains("cannot be taken back"));
        let done = c.post_form("/catalogues/MOI/versions/1/publish", &[("revision", "2")]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER);
        assert!(s.app.stranger().get("/catalogues/MOI?on=2026-04-30").await.text().contains("Một"));

        // What leaves as a file comes in again, formulas and all.
        let file = s.app.stranger().get("/catalogues/MOI/export?as=csv&on=2026-04-30").await.text();
        c.post_form("/catalogues/MOI/draft", &[("valid_from", "01/07/2026"), ("copy", "1")]).await;
        let same = upload(&c, "/catalogues/MOI/versions/2/import", &file).await.text();
        assert!(same.contains("giống hệt dự thảo"), "{same}");
        let ask = c.get("/catalogues/MOI/versions/2/publish").await.text();
        assert!(ask.contains("Phiên bản 1 chỉ còn áp dụng đến hết 30/06/2026"), "{ask}");
        let gone = c.post_form("/catalogues/MOI/versions/2/discard", &[("revision", "1")]).await;
        assert_eq!(gone.header("location"), Some("/catalogues/MOI"));
        let edited = [("name_vi", "Danh mục khác"), ("revision", "1")];
        assert_eq!(
            c.post_form("/catalogues/MOI/edit", &edited).await.header("location"),
            Some("/catalogues/MOI")
        );
        assert_eq!(
            s.app.stranger().get("/catalogues/MOI").await.status,
            StatusCode::NOT_FOUND,
            "no longer public"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_leave_as_files() {
    on_both(async |s| {
        let c = s.app.stranger();
        let list = c.get("/catalogues/export?as=csv&on=2026-04-30").await.text();
        assert!(list.contains("KHU,Danh mục khu") && !list.contains("NOI-BO"), "{list}");
        let pairs = c.get("/catalogues/KHU-2025/export?as=csv&on=2026-04-30").await.text();
        assert_eq!(pairs.lines().nth(1), Some("A,narrower,M,"));
        let book = c.get("/catalogues/KHU/export?as=xlsx&on=2025-06-30").await;
        assert!(book.body.starts_with(b"PK"));
        assert_eq!(
            c.get("/catalogues/NOI-BO/export?as=csv&on=2025-06-30").await.status,
            StatusCode::NOT_FOUND
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_are_shown_in_words() {
    on_both(async |s| {
        let k = &s.app.t.kernel;
        let c = s.officer(s.owner);
        let with = |labels: &str| {
            [("name_vi", "Danh mục khu"), ("public", "1"), ("labels", labels)].map(|(a, b)| (a, b.to_owned()))
        };
        let send = async |code: &str, fields: [(&str, String); 3]| {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (*a, b.as_str())).collect();
            c.post_form(&format!("/catalogues/{code}/edit"), &fields).await
        };
        catalogue(k, s.owner, "LOAI", "Loại khu", true).await;
        let types = "code;name;name_en\nin;Khu trong đê;Inside the dike\n";
        published(k, "LOAI", "2025-01-01", None, types).await;
        catalogue(k, s.owner, "CO-LOAI", "Danh mục khu", true).await;
        let rows = "code;name;type;area;note\nA;Khu A;in;12;x\nB;Khu B;lạ;;\n";
        published(k, "CO-LOAI", "2025-01-01", None, rows).await;

        let refused = send("CO-LOAI", with("type")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text().contains("Dòng 1 chưa đúng mẫu"));
        let saved = send("CO-LOAI", with("type | Loại khu | Kind of area | LOAI\narea | Diện tích")).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());

        let stranger = s.app.stranger();
        let page = stranger.get("/catalogues/CO-LOAI?on=2025-07-01").await.text();
        assert!(page.contains("Loại khu") && page.contains("Khu trong đê") && page.contains("Diện tích"));
        assert!(page.contains("note: x"), "what has no label keeps its name");
        assert!(!page.contains("type: ") && page.contains("lạ"), "an unknown value stays as it is");
        let page = in_english(&stranger, "/catalogues/CO-LOAI?on=2025-07-01").await;
        assert!(page.contains("Kind of area") && page.contains("Inside the dike"));

        published(k, "CO-LOAI", "2025-07-01", None, "code;name;type\nA;Khu A;lạ\nB;Khu B;lạ\n").await;
        let changes = stranger.get("/catalogues/CO-LOAI/versions/2").await.text();
        assert!(changes.contains("Loại khu") && changes.contains("Khu trong đê"));
        let sent = stranger.get("/api/catalogues/v1/catalogues/CO-LOAI").await.json();
        assert_eq!(sent["labels"][0]["values"], "LOAI");
        let path = "/api/catalogues/v1/catalogues/CO-LOAI/changes?from=2025-06-30&to=2025-07-01";
        let changed = stranger.get(path).await.json()["changed"][0]["fields"].clone();
        assert!(changed.as_array().unwrap().iter().any(|f| f[0] == "attributes.type" && f[1] == "in"));
    })
    .await;
}
