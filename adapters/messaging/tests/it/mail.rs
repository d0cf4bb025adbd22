//! Mail: what arrives is what was sent, what is hostile changes nothing, what is refused or put off is told apart.

use std::time::Duration;

use kernel::notices::Gateway;
use messages::Fault;
use messaging::{Email, Mail, Security};

use crate::{later, message, refused, servers};

fn settings(port: u16) -> Email {
    Email {
        host: "127.0.0.1".into(),
        port: Some(port),
        security: Security::None,
        from: "Liên Thông <khong-tra-loi@tinh.example>".into(),
        username: None,
        password_file: None,
        ca_file: None,
        seconds: 5,
    }
}

#[tokio::test]
async fn a_message_arrives_as_it_was_written() {
    let s = servers("").await;
    let mail = Mail::new(&settings(s.smtp.port())).unwrap();
    mail.reach().await.unwrap();
    let text = "Hệ thống dân cư không trả lời.\n.\n..hai chấm\n<b>không phải HTML</b> & \"thế\"\n";
    mail.send(message(
        "truc@tinh.example",
        "[KHẨN] Hệ thống Dữ liệu dân cư không trả lời, từ 08:14 ngày 22/11/2026",
        text,
    ))
    .await
    .unwrap();
    let [got] = &s.mailbox.at("truc@tinh.example")[..] else { panic!("{:?}", s.mailbox.all()) };
    assert_eq!(got.subject, "[KHẨN] Hệ thống Dữ liệu dân cư không trả lời, từ 08:14 ngày 22/11/2026");
    assert_eq!(got.text, text.trim_end());
    mail.send(message("truc@tinh.example", "s", "again")).await.unwrap();
    assert_eq!(s.mailbox.all().len(), 1, "the same message is known by its Message-ID");
}

#[tokio::test]
async fn a_line_break_is_no_header_and_no_second_recipient() {
    let s = servers("").await;
    let mail = Mail::new(&settings(s.smtp.port())).unwrap();
    let subject = "Tin\r\nBcc: nguoi-khac@tinh.example\r\n\r\nnội dung giả";
    mail.send(message("truc@tinh.example", subject, "thật\r\nDATA\r\n.\r\nMAIL FROM:<x@y.example>"))
        .await
        .unwrap();
    let all = s.mailbox.all();
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].subject, "Tin Bcc: nguoi-khac@tinh.example nội dung giả");
    assert_eq!(all[0].text, "thật\nDATA\n.\nMAIL FROM:<x@y.example>");
    for to in ["truc@tinh.example\r\nRCPT TO:<x@y.example>", "a@b.example>, <c@d.example", "", "không@có"] {
        refused(mail.send(message(to, "s", "t")).await);
    }
    assert_eq!(s.mailbox.all().len(), 1);
    let huge = "đ".repeat(2 << 20);
    refused(mail.send(message("truc@tinh.example", "s", &huge)).await);
}

#[tokio::test]
async fn what_is_refused_is_told_from_what_may_come_later() {
    let s = servers("").await;
    let mail = Mail::new(&settings(s.smtp.port())).unwrap();
    let send = || mail.send(message("truc@tinh.example", "s", "t"));
    s.faults.next(Fault::Refuse);
    assert!(refused(send().await).contains("550"));
    s.faults.next(Fault::Greylist);
    assert!(later(send().await).0.contains("451"));
    s.faults.next(Fault::TooMany(1));
    later(send().await);
    s.faults.next(Fault::Close);
    later(send().await);
    assert!(s.mailbox.all().is_empty());
    let hasty = Mail::new(&Email { seconds: 1, ..settings(s.smtp.port()) }).unwrap();
    s.faults.next(Fault::Slow(Duration::from_secs(600)));
    later(hasty.send(message("truc@tinh.example", "s", "t")).await);
    send().await.unwrap();
    assert_eq!(s.mailbox.all().len(), 1);
    let port = s.smtp.port();
    drop(s);
    let nowhere = Mail::new(&settings(port)).unwrap();
    // The listener may take a moment to be gone.
    for _ in 0..100 {
        if nowhere.reach().await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    later(nowhere.send(message("truc@tinh.example", "s", "t")).await);
    assert!(nowhere.reach().await.is_err());
}

#[tokio::test]
async fn without_tls_no_password_is_sent_and_a_server_without_it_gets_nothing() {
    let s = servers("").await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "mat-khau\n").unwrap();
    let password = Some(file.path().to_owned());
    let named = Email { username: Some("a".into()), password_file: password, ..settings(s.smtp.port()) };
    assert!(Mail::new(&named).is_err());
    let strict = Mail::new(&Email { security: Security::Starttls, ..settings(s.smtp.port()) }).unwrap();
    let sent = strict.send(message("truc@tinh.example", "s", "t")).await;
    assert!(sent.is_err() && s.mailbox.all().is_empty(), "{sent:?}");
    assert!(Mail::new(&Email { from: "không phải địa chỉ".into(), ..settings(1) }).is_err());
    assert!(Mail::new(&Email { seconds: 0, ..settings(1) }).is_err());
}
