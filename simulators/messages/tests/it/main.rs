//! The mail server by hand, as a hostile or careless client would speak to it.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::sync::Arc;

use base::clock::SystemClock;
use messages::{Reports, Running};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn servers() -> Running {
    let any = ([127, 0, 0, 1], 0).into();
    messages::start(any, any, Arc::new(SystemClock), String::new(), Reports::default()).await.unwrap()
}

/// Sends everything, then reads until the server ends the connection.
async fn talk(s: &Running, said: &[u8]) -> String {
    let mut stream = TcpStream::connect(s.smtp).await.unwrap();
    stream.write_all(said).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_message_is_taken_with_its_dots() {
    let s = servers().await;
    let said = b"EHLO x\r\nMAIL FROM:<a@b.vn>\r\nRCPT TO:<c@d.vn>\r\nRCPT TO:<e@d.vn>\r\nDATA\r\nSubject: s\r\n\r\n..one\r\n.\r\nQUIT\r\n";
    let answer = talk(&s, said).await;
    assert!(
        answer.starts_with("220 ") && answer.contains("354 ") && answer.ends_with("221 bye\r\n"),
        "{answer}"
    );
    let all = s.mailbox.all();
    assert_eq!(all.iter().map(|m| m.to.as_str()).collect::<Vec<_>>(), ["c@d.vn", "e@d.vn"]);
    assert_eq!((all[0].subject.as_str(), all[0].text.as_str()), ("s", ".one"));
}

#[tokio::test]
async fn commands_out_of_order_and_nonsense_are_refused() {
    let s = servers().await;
    for (said, code) in [
        (&b"MAIL FROM:<a@b.vn>\r\n"[..], "503"),
        (b"EHLO x\r\nRCPT TO:<c@d.vn>\r\n", "503"),
        (b"EHLO x\r\nDATA\r\n", "503"),
        (b"EHLO x\r\nMAIL FROM: a@b.vn\r\n", "501"),
        (b"EHLO x\r\nMAIL FROM:<a@b.vn>\r\nRCPT TO:<nobody>\r\n", "501"),
        (b"\xff\xfe nonsense\r\n", "500"),
    ] {
        let answer = talk(&s, said).await;
        let last = answer.lines().last().unwrap_or_default();
        assert!(last.starts_with(code), "{said:?}: {answer}");
    }
    let long = [b"EHLO x\r\nNOOP ".to_vec(), vec![b'a'; 10_000], b"\r\n".to_vec()].concat();
    assert!(!talk(&s, &long).await.contains("221"), "a line without end closes the connection");
    let cut = b"EHLO x\r\nMAIL FROM:<a@b.vn>\r\nRCPT TO:<c@d.vn>\r\nDATA\r\nSubject: s\r\n\r\nhalf";
    talk(&s, cut).await;
    assert!(s.mailbox.all().is_empty(), "half a message is none");
}
