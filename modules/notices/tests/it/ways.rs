//! How somebody is reached: an address counts once its code came back, and only its owner sees and changes it.

use http::StatusCode;
use kernel::Reach;
use testkit::Client;

use crate::Desk;

fn code(text: &str) -> String {
    let digits: String =
        text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    assert_eq!(digits.len(), 6, "{text}");
    digits
}

/// The identifier in the address of the confirmation form.
fn way(page: &str) -> String {
    let at = page.find("/notices/mine/0").expect("a way waits for its code");
    page[at + "/notices/mine/".len()..].chars().take(36).collect()
}

async fn add(client: &Client, channel: &str, address: &str) -> testkit::Answer {
    client.post_form("/notices/mine", &[("channel", channel), ("address", address)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_counts_once_its_code_came_back() {
    for backend in testkit::backends() {
        let d = Desk::bare(backend).await;
        let me = d.app.log_in_as(&[], &Reach::Province);
        assert_eq!(add(&me, "email", "toi@tinh.example").await.status, StatusCode::SEE_OTHER);
        let sent = d.mails("toi@tinh.example", 1).await;
        let page = me.get("/notices/mine").await.text();
        assert!(page.contains("t•••@tinh.example") && page.contains("Chờ xác nhận"));
        let id = way(&page);
        let confirm = format!("/notices/mine/{id}/confirm");
        let right = code(&sent[0].text);
        let wrong = if right == "000000" { "000001" } else { "000000" };
        let refused = me.post_form(&confirm, &[("code", wrong)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text().contains("Mã không đúng"));
        let other = d.app.log_in_as(&[], &Reach::Province);
        assert_eq!(other.post_form(&confirm, &[("code", &right)]).await.status, StatusCode::NOT_FOUND);
        let remove = format!("/notices/mine/{id}/remove");
        assert_eq!(other.post_form(&remove, &[]).await.status, StatusCode::NOT_FOUND);
        assert_eq!(me.post_form(&confirm, &[("code", &right)]).await.status, StatusCode::SEE_OTHER);
        assert!(me.get("/notices/mine").await.text().contains("Đã xác nhận"));
        assert_eq!(me.post_form(&confirm, &[("code", &right)]).await.status, StatusCode::CONFLICT);
        let again = add(&me, "email", " toi@TINH.example ").await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "one spelling, one way");
        let operator = d.app.log_in_as(notices::permissions::ALL, &Reach::Province);
        let list = operator.get("/api/notices/v1/messages").await.json();
        let message = list["items"][0]["message"].as_str().unwrap().to_owned();
        for path in [format!("/api/notices/v1/messages/{message}"), format!("/notices/messages/{message}")] {
            assert!(!operator.get(&path).await.text().contains(&right), "a code is its owner's only");
        }
        assert_eq!(me.post_form(&remove, &[]).await.status, StatusCode::SEE_OTHER);
        d.app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_end_and_are_not_sent_without_end() {
    let d = Desk::bare(testkit::backends()[0]).await;
    let me = d.app.log_in_as(&[], &Reach::Province);
    add(&me, "email", "toi@tinh.example").await;
    let first = code(&d.mails("toi@tinh.example", 1).await[0].text);
    let id = way(&me.get("/notices/mine").await.text());
    let confirm = format!("/notices/mine/{id}/confirm");
    d.advance(16);
    assert!(me.post_form(&confirm, &[("code", &first)]).await.text().contains("hết hạn"));
    let again = format!("/notices/mine/{id}/code");
    assert_eq!(me.post_form(&again, &[]).await.status, StatusCode::SEE_OTHER);
    let second = code(&d.mails("toi@tinh.example", 2).await[1].text);
    for _ in 0..5 {
        me.post_form(&confirm, &[("code", "x")]).await;
    }
    let late = me.post_form(&confirm, &[("code", &second)]).await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY, "guessing ends");
    for _ in 0..4 {
        assert_eq!(me.post_form(&again, &[]).await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(me.post_form(&again, &[]).await.status, StatusCode::TOO_MANY_REQUESTS);
    for (channel, bad) in [("email", "a@b.vn\r\nBcc: c@d.vn"), ("sms", "113"), ("chat", "toi"), ("email", "")]
    {
        let status = add(&me, channel, bad).await.status;
        assert!(matches!(status.as_u16(), 422 | 429), "{bad}: {status}");
    }
    for (from, until, fine) in
        [("22:00", "06:30", true), ("25:00", "06:30", false), ("22:00", "", false), ("", "", true)]
    {
        let status = me.post_form("/notices/mine/quiet", &[("from", from), ("until", until)]).await.status;
        assert_eq!(status == StatusCode::SEE_OTHER, fine, "{from}–{until}: {status}");
    }
    d.app.t.close().await;
}
