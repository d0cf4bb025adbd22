//! Delivery: tried again, given up, refused, sent again; reports of gateways; nothing before the commit; no addresses
//! where they do not belong.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{Method, StatusCode};
use kernel::alerts::Severity;
use kernel::i18n::{Lang, Text};
use kernel::notices::{Channel, Failure, Notice, Recipient};
use kernel::{Cx, Reach};
use notices::permissions;
use serde_json::json;

use crate::Desk;

fn notice(address: &str) -> Notice {
    let text = |s: &str| Text { vi: s.into(), en: s.into() };
    let arguments: BTreeMap<String, Text> = [
        ("subject".to_owned(), text("Bảo trì\r\nBcc: x@y.example")),
        ("text".to_owned(), text("<b>đêm nay</b> {platform}")),
        ("sender".to_owned(), text("Sở Mẫu")),
    ]
    .into();
    let name = "Hệ thống mẫu".to_owned();
    let channel = if address.contains('@') { Channel::Email } else { Channel::Sms };
    let to = vec![Recipient::Address { channel, address: address.into(), name, lang: Lang::Vi }];
    Notice { template: "plain".into(), arguments, severity: Severity::Warning, about: None, to }
}

async fn ask(d: &Desk, address: &str) {
    let mut tx = d.k().begin(&Cx::kernel("test", d.k().clock.now())).await.unwrap();
    tx.notify(&notice(address)).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_before_the_commit_and_hostile_words_stay_words() {
    for backend in testkit::backends() {
        let d = Desk::bare(backend).await;
        let mut tx = d.k().begin(&Cx::kernel("test", d.k().clock.now())).await.unwrap();
        tx.notify(&notice("quen@tinh.example")).await.unwrap();
        drop(tx);
        ask(&d, "dau-moi@tinh.example").await;
        let sent = d.mails("dau-moi@tinh.example", 1).await;
        assert_eq!(sent[0].subject, "Bảo trì Bcc: x@y.example");
        assert!(sent[0].text.starts_with("<b>đêm nay</b> {platform}"), "{}", sent[0].text);
        assert!(d.mail.to("quen@tinh.example").is_empty());
        let operator = d.app.log_in_as(permissions::ALL, &Reach::Province);
        let list = operator.get("/api/notices/v1/messages").await.json();
        let id = list["items"][0]["message"].as_str().unwrap().to_owned();
        let page = operator.get(&format!("/notices/messages/{id}")).await.text();
        assert!(page.contains("d•••@tinh.example") && !page.contains("dau-moi@tinh.example"));
        assert!(!page.contains("<b>đêm nay"), "shown as text");
        d.app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_tried_again_under_the_same_key_and_each_attempt_is_seen() {
    for backend in testkit::backends() {
        let d = Desk::bare(backend).await;
        let reason = "451 <dau-moi@tinh.example> greylisted".to_owned();
        d.mail.fail(Failure::Later { reason, after: None });
        d.mail.fail(Failure::Later { reason: "HTTP 429".into(), after: Some(Duration::from_secs(600)) });
        ask(&d, "dau-moi@tinh.example").await;
        d.count("SELECT COUNT(*) AS n FROM notices_attempt", 1).await;
        d.advance(1);
        d.count("SELECT COUNT(*) AS n FROM notices_attempt", 2).await;
        let asked = "SELECT COUNT(*) AS n FROM kernel_job
                     WHERE kind = 'notices.send' AND state = 'waiting' AND run_at >= created_at + 600000000";
        d.count(asked, 1).await;
        d.advance(11);
        d.mails("dau-moi@tinh.example", 1).await;
        d.count("SELECT COUNT(*) AS n FROM notices_message WHERE state = 'sent' AND attempts = 3", 1).await;
        let operator = d.app.log_in_as(permissions::ALL, &Reach::Province);
        let list = operator.get("/api/notices/v1/messages?state=sent").await.json();
        let id = list["items"][0]["message"].as_str().unwrap();
        let one = operator.get(&format!("/api/notices/v1/messages/{id}")).await.json();
        let outcomes: Vec<_> =
            one["history"].as_array().unwrap().iter().map(|h| h["outcome"].as_str().unwrap()).collect();
        assert_eq!(outcomes, ["sent", "later", "later"]);
        assert_eq!(one["history"][2]["reason"], "451 <•••> greylisted");
        d.app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_or_given_up_can_be_sent_again_by_hand() {
    for backend in testkit::backends() {
        let d = Desk::bare(backend).await;
        d.mail.fail(Failure::Refused("550 no such mailbox".into()));
        ask(&d, "dau-moi@tinh.example").await;
        d.count("SELECT COUNT(*) AS n FROM notices_message WHERE state = 'refused'", 1).await;
        let operator = d.app.log_in_as(permissions::ALL, &Reach::Province);
        let list = operator.get("/api/notices/v1/messages?state=refused").await.json();
        let path =
            format!("/api/notices/v1/messages/{}/retry", list["items"][0]["message"].as_str().unwrap());
        assert_eq!(operator.post_json(&path, &json!({})).await.status, StatusCode::NO_CONTENT);
        d.mails("dau-moi@tinh.example", 1).await;
        d.count("SELECT COUNT(*) AS n FROM notices_message WHERE state = 'sent'", 1).await;
        assert_eq!(operator.post_json(&path, &json!({})).await.status, StatusCode::CONFLICT);
        for _ in 0..kernel::jobs::ATTEMPTS {
            d.mail.fail(Failure::Later { reason: "away".into(), after: None });
        }
        ask(&d, "khac@tinh.example").await;
        for n in 1..=kernel::jobs::ATTEMPTS {
            d.count("SELECT COUNT(*) AS n FROM notices_attempt WHERE outcome IN ('later', 'dead')", n).await;
            d.advance(61);
        }
        d.count("SELECT COUNT(*) AS n FROM notices_message WHERE state = 'dead'", 1).await;
        d.count("SELECT COUNT(*) AS n FROM kernel_job WHERE state = 'dead'", 0).await;
        let page = operator.get("/notices").await.text();
        assert!(page.contains("Gửi lại 1 tin không gửi được"), "{page}");
        let done = operator.post_form("/notices/retry-dead", &[]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER);
        d.mails("khac@tinh.example", 1).await;
        d.app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_report_counts_once_and_only_from_the_gateway() {
    for backend in testkit::backends() {
        let d = Desk::bare(backend).await;
        ask(&d, "0912 345 678").await;
        ask(&d, "+84912345678").await;
        d.count("SELECT COUNT(*) AS n FROM notices_message WHERE state = 'sent'", 2).await;
        let sent = d.sms.handed();
        assert_eq!(sent[0].to, sent[1].to, "one spelling");
        let stranger = d.app.stranger();
        let report = async |reference: String, delivered: bool, secret: &str| {
            let body = json!({"reference": reference, "delivered": delivered}).to_string();
            let headers = [("x-report-secret", secret)];
            let kind = Some("application/json");
            stranger
                .send_with(Method::POST, "/api/notices/v1/reports/sms", kind, &body, &headers)
                .await
                .status
        };
        let reference = |n: usize| format!("ref-{}", sent[n].key);
        assert_eq!(report(reference(0), true, "khac").await, StatusCode::FORBIDDEN);
        assert_eq!(report(reference(0), true, "bi-mat").await, StatusCode::NO_CONTENT);
        assert_eq!(report(reference(0), true, "bi-mat").await, StatusCode::NO_CONTENT);
        assert_eq!(report(reference(1), false, "bi-mat").await, StatusCode::NO_CONTENT);
        assert_eq!(report("unknown".into(), true, "bi-mat").await, StatusCode::NO_CONTENT);
        d.count("SELECT COUNT(*) AS n FROM notices_message WHERE state = 'delivered'", 1).await;
        d.count("SELECT COUNT(*) AS n FROM notices_message WHERE state = 'refused'", 1).await;
        d.count("SELECT COUNT(*) AS n FROM notices_attempt WHERE outcome = 'delivered'", 1).await;
        d.app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_stands_in_no_fact_no_job_no_audit_row_and_no_plain_column() {
    for backend in testkit::backends() {
        let d = Desk::new(backend).await;
        d.mail.fail(Failure::Refused(format!("550 <{}>", crate::FIRST)));
        d.raise("a", Severity::Critical).await;
        // The refusal is for the first that comes: the alert, not what is asked for after it.
        d.count("SELECT COUNT(*) AS n FROM notices_message WHERE state = 'refused'", 1).await;
        ask(&d, "dau-moi@tinh.example").await;
        d.mails("dau-moi@tinh.example", 1).await;
        for (table, columns) in [
            ("kernel_journal", "body, actor, subject_id"),
            ("kernel_job", "body, last_error"),
            ("kernel_audit", "detail, subject_id"),
            ("kernel_notice", "arguments"),
            ("notices_message", "recipient, masked, subject, body, reason"),
            ("notices_attempt", "reason"),
            ("notices_way", "masked"),
        ] {
            let rows = d.k().db.query(&format!("SELECT {columns} FROM {table}"), vec![]).await.unwrap();
            assert!(!rows.is_empty(), "{table}");
            for row in rows {
                let text = format!("{:?}", row.values());
                assert!(!text.contains("truc-chinh") && !text.contains("dau-moi"), "{table}: {text}");
            }
        }
        d.app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_with_the_right_has_a_message_sent_once() {
    let d = Desk::new(testkit::backends()[0]).await;
    let sender = d.app.log_in_as(&[permissions::SEND], &Reach::Province);
    let body = json!({"role": "operator", "subject": "Bảo trì", "text": "đêm nay"}).to_string();
    let send = async |key: &str, body: &str| {
        let headers = [("idempotency-key", key)];
        let kind = Some("application/json");
        sender.send_with(Method::POST, "/api/notices/v1/messages", kind, body, &headers).await
    };
    let first = send("k", &body).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
    let again = send("k", &body).await;
    assert_eq!(
        (again.status, again.json()["notice"].clone()),
        (StatusCode::OK, first.json()["notice"].clone())
    );
    let other = body.replace("đêm", "sáng");
    assert_eq!(send("k", &other).await.status, StatusCode::CONFLICT);
    for bad in [
        json!({"role": "operator", "subject": "", "text": "x"}),
        json!({"role": "operator", "subject": "x", "text": "đ".repeat(5_001)}),
        json!({"role": "operator", "subject": "x", "text": "x", "agency": "y"}),
    ] {
        assert_eq!(send("other", &bad.to_string()).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    d.count("SELECT COUNT(*) AS n FROM kernel_notice", 1).await;
    d.app.t.close().await;
}
