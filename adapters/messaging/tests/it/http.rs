//! Text messages and chats: the request has the shape of its template, the answer is believed only where it says yes.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::notices::{Channel, Gateway};
use messages::Fault;
use messaging::{Hook, Http, Success};
use serde_json::json;

use crate::{later, message, refused, servers};

fn settings(url: String, secret: &tempfile::NamedTempFile) -> Http {
    std::fs::write(secret.path(), "Bearer bi-mat\n").unwrap();
    Http {
        url,
        body: json!({"phone": "{to}", "message": "{text}", "request_id": "{key}"}),
        format: Default::default(),
        headers: BTreeMap::new(),
        secret_header: None,
        secret_file: Some(secret.path().to_owned()),
        key_header: None,
        success: Some(Success {
            pointer: "/code".into(),
            equals: "0".into(),
            never: vec!["bad_number".into()],
        }),
        reference: Some("/message_id".into()),
        report_secret_file: Some(secret.path().to_owned()),
        seconds: 5,
    }
}

#[tokio::test]
async fn a_text_message_arrives_with_its_reference_and_once() {
    let s = servers("Bearer bi-mat").await;
    let secret = tempfile::NamedTempFile::new().unwrap();
    let hook = Hook::new(Channel::Sms, &settings(format!("http://{}/sms", s.http), &secret)).unwrap();
    hook.reach().await.unwrap();
    let text = "Sự cố\", \"phone\": \"+84111\" {to} </script>";
    let receipt = hook.send(message("+84000000001", "s", text)).await.unwrap();
    assert_eq!(receipt.reference.as_deref(), Some("sms-0198-key"));
    hook.send(message("+84000000001", "s", text)).await.unwrap();
    let all = s.mailbox.all();
    assert_eq!((all.len(), all[0].to.as_str(), all[0].text.as_str()), (1, "+84000000001", text));
    assert!(hook.proves(b"Bearer bi-mat") && !hook.proves(b"") && !hook.proves(b"Bearer bi-mat2"));
}

#[tokio::test]
async fn a_yes_is_believed_only_where_it_is_said() {
    let s = servers("Bearer bi-mat").await;
    let secret = tempfile::NamedTempFile::new().unwrap();
    let mut set = settings(format!("http://{}/sms", s.http), &secret);
    let hook = Hook::new(Channel::Sms, &set).unwrap();
    let send = || hook.send(message("+84000000001", "s", "t"));
    s.faults.next(Fault::FalseYes);
    assert!(later(send().await).0.contains("quota"), "200 with an error is an error");
    s.faults.next(Fault::TooMany(90));
    assert_eq!(later(send().await), ("HTTP 429".into(), Some(90)));
    s.faults.next(Fault::Greylist);
    assert_eq!(later(send().await), ("HTTP 503".into(), None));
    s.faults.next(Fault::Refuse);
    assert_eq!(refused(send().await), "HTTP 422");
    s.faults.next(Fault::Close);
    later(send().await);
    assert!(s.mailbox.all().is_empty());
    if let Some(success) = &mut set.success {
        success.never.push("quota".into());
    }
    let strict = Hook::new(Channel::Sms, &set).unwrap();
    s.faults.next(Fault::FalseYes);
    refused(strict.send(message("+84000000001", "s", "t")).await);
    let hasty = Hook::new(Channel::Sms, &Http { seconds: 1, ..set.clone() }).unwrap();
    s.faults.next(Fault::Slow(Duration::from_secs(600)));
    assert!(later(hasty.send(message("+84000000001", "s", "t")).await).0.contains("no answer in time"));
    std::fs::write(secret.path(), "Bearer khac").unwrap();
    let unknown = Hook::new(Channel::Sms, &set).unwrap();
    assert_eq!(
        later(unknown.send(message("+84000000001", "s", "t")).await).0,
        "HTTP 401",
        "our secret, not the message"
    );
}

#[tokio::test]
async fn a_chat_gets_its_own_shape() {
    let s = servers("Bearer bi-mat").await;
    let secret = tempfile::NamedTempFile::new().unwrap();
    let set = Http {
        body: json!({"chat_id": "{to}", "text": "{subject}: {text}"}),
        key_header: Some("x-request-id".into()),
        success: None,
        reference: None,
        ..settings(format!("http://{}/chat", s.http), &secret)
    };
    let hook = Hook::new(Channel::Chat, &set).unwrap();
    hook.send(message("-100", "Đã hết", "xong")).await.unwrap();
    hook.send(message("-100", "Đã hết", "xong")).await.unwrap();
    let all = s.mailbox.at("-100");
    assert_eq!((all.len(), all[0].text.as_str(), all[0].channel), (1, "Đã hết: xong", "chat"));
}
