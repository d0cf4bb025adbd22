//! Evidence before effect, and before the end of an answer; what happens when it cannot be written, and when the
//! consumer goes away.

use std::sync::Arc;
use std::time::Duration;

use evidence::{Body, Field, Outcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::gateway_rig::*;

const SHORT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn nothing_goes_out_before_the_opened_record_is_durable() {
    let (provider, got) = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let rig = Rig::new(provider).await;
    let open = rig.ledger.hold();
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(&post("", b"x")).await.unwrap();
    tokio::time::sleep(SHORT).await;
    assert!(got.lock().unwrap().is_empty(), "the provider has not heard of the call");
    open.send(true).unwrap();
    assert_eq!(read_answer(&mut stream, "POST").await.status, 200);
    assert_eq!(got.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_small_answer_waits_for_its_record_whole() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
    ] {
        let (provider, got) = answering(answer).await;
        let rig = Rig::new(provider).await;
        let open = rig.ledger.hold();
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        stream.write_all(get("").as_bytes()).await.unwrap();
        let early = tokio::time::timeout(SHORT, stream.read(&mut [0; 1])).await;
        assert!(early.is_err(), "not a byte before the record is durable: {answer}");
        assert_eq!(got.lock().unwrap().len(), 1);
        open.send(true).unwrap();
        assert!(read_answer(&mut stream, "GET").await.whole);
    }
}

/// Reads what comes until nothing comes for a while.
async fn read_what_comes(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    while let Ok(Ok(n)) = tokio::time::timeout(SHORT, stream.read_buf(&mut all)).await {
        assert!(n > 0, "the connection must stay open");
    }
    all
}

#[tokio::test]
async fn the_last_bytes_of_a_large_answer_wait_for_the_record() {
    let size = 300_000;
    let body: String = (0..size).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
    let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n{body}");
    let (provider, _) = answering(Box::leak(text.into_boxed_str())).await;
    let rig = Rig::new(provider).await;
    let open = rig.ledger.hold();
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(get("").as_bytes()).await.unwrap();
    let mut all = read_what_comes(&mut stream).await;
    let head = all.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(all.len() - head, size - 16 * 1024, "all but the last 16 KiB");
    open.send(true).unwrap();
    while all.len() < head + size {
        assert!(stream.read_buf(&mut all).await.unwrap() > 0);
    }
    assert_eq!(&all[head..], body.as_bytes());
    let closed = rig.ledger.only().await;
    assert_eq!((closed.outcome, closed.response.unwrap().size), (Outcome::Answered, size as u64));
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes());
    assert_eq!(private(&closed.private, Field::ResponseBody), Some(hex::encode(digest).as_str()));
}

#[tokio::test]
async fn the_terminating_chunk_waits_for_the_record_and_events_do_not() {
    // A provider that sends something now and then: each piece arrives at once, only the end waits.
    let (say, mut heard) = tokio::sync::mpsc::unbounded_channel::<&'static str>();
    let heard = Arc::new(tokio::sync::Mutex::new({
        let (tx, rx) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(piece) = heard.recv().await {
                let _ = tx.send(piece);
            }
        });
        rx
    }));
    let provider = provider(move |mut stream| {
        let heard = Arc::clone(&heard);
        async move {
            read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
            while let Some(piece) = heard.lock().await.recv().await {
                stream.write_all(piece.as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    let rig = Rig::new(provider).await;
    let open = rig.ledger.hold();
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(get("").as_bytes()).await.unwrap();
    let (answer, mut body) = read_head(&mut stream).await.unwrap();
    assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
    for (piece, expected) in [("3\r\nabc\r\n", "abc"), ("2\r\nde\r\n", "de")] {
        say.send(piece).unwrap();
        body.extend(read_what_comes(&mut stream).await);
        assert!(body.ends_with(format!("{expected}\r\n").as_bytes()), "{}", String::from_utf8_lossy(&body));
    }
    say.send("0\r\n\r\n").unwrap();
    assert!(read_what_comes(&mut stream).await.is_empty(), "the end waits for the record");
    open.send(true).unwrap();
    let mut end = [0; 5];
    stream.read_exact(&mut end).await.unwrap();
    assert_eq!(&end, b"0\r\n\r\n");
    assert_eq!(rig.ledger.only().await.response.unwrap().size, 5);
}

#[tokio::test]
async fn without_evidence_nothing_is_done_and_nothing_is_given() {
    let large: &'static str = Box::leak(
        format!("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n{}", "x".repeat(200_000)).into_boxed_str(),
    );
    let (provider, got) = answering(large).await;
    let rig = Rig::new(provider).await;
    *rig.ledger.fail_opened.lock().unwrap() = true;
    let answer = rig.post("", b"x").await;
    assert_eq!((answer.status, answer.error().as_str()), (500, "server.clientproxy.logging_failed"));
    assert!(got.lock().unwrap().is_empty(), "nothing went to the provider");
    let closed = rig.ledger.only().await;
    assert_eq!(
        ending(&closed),
        (Outcome::GatewayFailed, "server.clientproxy.logging_failed/evidence-failed")
    );

    // A large answer is cut off before its end.
    *rig.ledger.fail_closed.lock().unwrap() = true;
    let answer = rig.get("").await;
    assert_eq!((answer.status, answer.whole), (200, false));
    assert!(answer.body.len() <= 200_000 - 16 * 1024);
    // A refusal whose record fails is told as such.
    let denied = get("").replace("tra-cuu", "chua-cap");
    assert_eq!(rig.raw(denied).await.error(), "server.clientproxy.logging_failed");
    // A small answer is not given at all.
    let (provider, _) = answering("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret").await;
    let rig = Rig::new(provider).await;
    *rig.ledger.fail_closed.lock().unwrap() = true;
    let answer = rig.get("").await;
    assert_eq!(answer.error(), "server.clientproxy.logging_failed");
    assert!(!answer.text().contains("secret"));
}

#[tokio::test]
async fn a_consumer_that_leaves_is_recorded_wherever_it_leaves() {
    // While the provider thinks.
    let provider_hangs = provider(|mut stream| async move {
        read_request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let rig = Rig::new(provider_hangs).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(&post("", b"x")).await.unwrap();
    while rig.ledger.opened().is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    drop(stream);
    let closed = rig.ledger.only().await;
    assert_eq!(ending(&closed), (Outcome::ConsumerGone, ""));
    assert!(closed.opened.is_some() && closed.request_out.is_some() && closed.response.is_none());
    assert_eq!((closed.request.body, closed.request.size), (Body::Complete, 1));

    // While the opened record is being written: the closed one follows it and names it.
    let rig = Rig::new(nobody().await).await;
    let open = rig.ledger.hold();
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(&post("", b"x")).await.unwrap();
    while rig.gateway.calls() == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    drop(stream);
    tokio::time::sleep(Duration::from_millis(50)).await;
    open.send(true).unwrap();
    let closed = rig.ledger.only().await;
    assert_eq!(
        (closed.outcome, closed.opened.is_some(), closed.request_out),
        (Outcome::ConsumerGone, true, None)
    );
    assert_eq!(rig.ledger.opened().len(), 1);

    // In the middle of its own body.
    let (sink, _) = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let rig = Rig::new(sink).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    let head = format!("POST {SERVICE} HTTP/1.1\r\n{}Content-Length: 500000\r\n\r\n", usual_headers());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; 300_000]).await.unwrap();
    drop(stream);
    let closed = rig.ledger.only().await;
    assert_eq!((closed.outcome, closed.request.body), (Outcome::RequestIncomplete, Body::Partial));

    // In the middle of the answer.
    let endless = provider(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n").await.unwrap();
        while stream.write_all(&[b'x'; 65_536]).await.is_ok() {}
    })
    .await;
    let rig = Rig::new(endless).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(get("").as_bytes()).await.unwrap();
    let mut some = vec![0; 1_000_000];
    stream.read_exact(&mut some).await.unwrap();
    drop(stream);
    let closed = rig.ledger.only().await;
    assert_eq!(closed.outcome, Outcome::ConsumerGone);
    let response = closed.response.unwrap();
    assert!(response.status == 200 && response.size >= 900_000, "{response:?}");

    // While the closed record is being written: it is written all the same, once, as the answer it was.
    let (provider, _) = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let rig = Rig::new(provider).await;
    let open = rig.ledger.hold();
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(get("").as_bytes()).await.unwrap();
    tokio::time::sleep(SHORT).await;
    drop(stream);
    tokio::time::sleep(SHORT).await;
    open.send(true).unwrap();
    assert_eq!(rig.ledger.only().await.outcome, Outcome::Answered);
    rig.stop().await;
}

#[tokio::test]
async fn announcements_of_records_never_leak() {
    let (provider, _) = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let rig = Rig::new(provider).await;
    for _ in 0..10 {
        rig.get("").await;
        rig.post("", b"x").await;
        rig.raw(get("").replace("tra-cuu", "chua-cap")).await;
    }
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(get("").as_bytes()).await.unwrap();
    drop(stream);
    rig.ledger.wait_closed(30).await;
    let expected = Arc::clone(&rig.ledger.expected);
    rig.stop().await;
    assert_eq!(*expected.lock().unwrap(), 0);
}

#[tokio::test]
async fn an_orderly_stop_lets_calls_end() {
    let provider = provider(|mut stream| async move {
        read_request(&mut stream).await;
        tokio::time::sleep(SHORT).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    })
    .await;
    let rig = Rig::new(provider).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(get("").as_bytes()).await.unwrap();
    let idle = TcpStream::connect(rig.address).await.unwrap();
    while rig.gateway.calls() == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let ledger = Arc::clone(&rig.ledger);
    let (answer, ()) = tokio::join!(read_answer(&mut stream, "GET"), rig.stop());
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert_eq!(ledger.closed().len(), 1);
    drop(idle);
}
