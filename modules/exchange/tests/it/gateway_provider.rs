//! Providers that hang, lie, talk nonsense or break off: the consumer must see it, and the record must say it.

#![allow(clippy::unwrap_used, reason = "a step of a test that fails fails the test")]

use std::time::Duration;

use evidence::{Body, Field, Outcome};
use exchange::gateway::Policy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::gateway_rig::*;

/// A rig whose provider reads a request, writes these bytes and closes.
async fn saying(bytes: impl Into<Vec<u8>>) -> Rig {
    let bytes: Vec<u8> = bytes.into();
    let provider = provider(move |mut stream| {
        let bytes = bytes.clone();
        async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(&bytes).await;
        }
    })
    .await;
    Rig::new(provider).await
}

#[tokio::test]
async fn an_answer_that_is_none_becomes_an_error() {
    for (bytes, kind, rule, outcome) in [
        ("", "network_error", "provider-closed", Outcome::UpstreamFailed),
        ("HTTP/1.1 200 OK\r\nContent-", "network_error", "provider-closed", Outcome::UpstreamFailed),
        ("\x00\x01 garbage \r\n\r\n", "http_error", "provider-garbage", Outcome::UpstreamFailed),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
            "http_error",
            "provider-garbage",
            Outcome::UpstreamFailed,
        ),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
            "http_error",
            "provider-garbage",
            Outcome::UpstreamFailed,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
            "io_error",
            "provider-incomplete",
            Outcome::UpstreamIncomplete,
        ),
    ] {
        let rig = saying(bytes).await;
        for method in ["GET", "POST"] {
            let answer = if method == "GET" { rig.get("").await } else { rig.post("", b"x").await };
            assert_eq!((answer.status, answer.whole), (500, true), "{bytes:?}");
            assert_eq!(answer.error(), format!("server.serverproxy.service_failed.{kind}"), "{bytes:?}");
        }
        for closed in rig.ledger.wait_closed(2).await {
            assert_eq!(
                ending(&closed),
                (outcome, format!("server.serverproxy.service_failed.{kind}/{rule}").as_str())
            );
            assert!(closed.request_out.is_some());
            assert_eq!(closed.response.unwrap().status, 500);
        }
    }
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached() {
    let rig = Rig::new(nobody().await).await;
    let answer = rig.post("", b"x").await;
    assert_eq!(answer.error(), "server.serverproxy.service_failed.network_error");
    let closed = rig.ledger.only().await;
    assert_eq!(ending(&closed).1, "server.serverproxy.service_failed.network_error/provider-unreachable");
    assert_eq!(closed.request_out, None, "nothing went out");
    assert!(closed.opened.is_some());

    let mut contents = contents(nobody().await);
    contents.services[0].base_url = "http://khong-co.invalid/".parse().unwrap();
    let rig = Rig::with(contents, Policy::default()).await;
    assert_eq!(rig.get("").await.error(), "server.serverproxy.service_failed.unknown_host");
}

#[tokio::test]
async fn a_provider_that_hangs_is_not_waited_for_beyond_its_time() {
    let provider = provider(|mut stream| async move {
        read_request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let mut contents = contents(provider);
    contents.services[0].timeout_ms = 150;
    let rig = Rig::with(contents, Policy::default()).await;
    let answer = rig.post("", b"x").await;
    assert_eq!(answer.error(), "server.serverproxy.service_failed.network_error");
    assert_eq!(
        ending(&rig.ledger.only().await).1,
        "server.serverproxy.service_failed.network_error/provider-timeout"
    );
}

/// Reads an answer that must be seen to be incomplete.
async fn broken(rig: &Rig, request: &str) -> Answer {
    let answer = rig.raw(request).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.whole, "the consumer must see that the body is incomplete");
    answer
}

#[tokio::test]
async fn a_large_answer_that_breaks_off_is_seen_to_be_broken() {
    let body = "x".repeat(150_000);
    for answer in [
        format!("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n{body}"),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n", body.len()),
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\nnonsense",
            body.len()
        ),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}", body.len() + 1),
    ] {
        let rig = saying(answer).await;
        let got = broken(&rig, &get("")).await;
        assert!(got.body.len() <= 151_000);
        let closed = rig.ledger.only().await;
        assert_eq!(
            ending(&closed),
            (Outcome::UpstreamIncomplete, "server.serverproxy.service_failed.io_error/provider-incomplete")
        );
        assert_eq!(closed.response.unwrap().size, 150_000);
        assert_eq!(private(&closed.private, Field::ResponseBody), None, "half a body has no digest");
    }
}

#[tokio::test]
async fn a_consumer_of_http_1_0_sees_a_reset_instead_of_an_end() {
    // Such a consumer takes the end of the connection for the end of the body.
    let body = "x".repeat(150_000);
    let rig = saying(format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n",
        body.len()
    ))
    .await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(get("").replace("HTTP/1.1", "HTTP/1.0").as_bytes()).await.unwrap();
    let mut all = Vec::new();
    let error = stream.read_to_end(&mut all).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(rig.ledger.only().await.outcome, Outcome::UpstreamIncomplete);
}

#[tokio::test]
async fn an_http2_consumer_sees_a_reset_stream() {
    use http_body_util::{BodyExt, Empty};
    let rig =
        saying(format!("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n{}", "x".repeat(150_000))).await;
    let stream = TcpStream::connect(rig.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(
        hyper_util::rt::TokioExecutor::new(),
        hyper_util::rt::TokioIo::new(stream),
    )
    .await
    .unwrap();
    tokio::spawn(connection);
    let request = http::Request::get(format!("http://gw{SERVICE}"))
        .header("x-road-client", CLIENT)
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(Empty::<bytes::Bytes>::new())
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert!(response.into_body().collect().await.is_err());
    assert_eq!(rig.ledger.only().await.outcome, Outcome::UpstreamIncomplete);
}

#[tokio::test]
async fn an_answer_that_pauses_for_too_long_is_cut_off() {
    for (head, small) in [
        ("Content-Length: 10\r\n\r\nabc".to_owned(), true),
        (format!("Content-Length: 200000\r\n\r\n{}", "x".repeat(100_000)), false),
        ("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n".to_owned(), false),
    ] {
        let provider = provider(move |mut stream| {
            let answer = format!("HTTP/1.1 200 OK\r\n{head}");
            async move {
                read_request(&mut stream).await;
                stream.write_all(answer.as_bytes()).await.unwrap();
                std::future::pending::<()>().await;
            }
        })
        .await;
        let policy = Policy { answer_idle_timeout_ms: 150, ..Policy::default() };
        let rig = Rig::with(contents(provider), policy).await;
        if small {
            assert_eq!(rig.get("").await.error(), "server.serverproxy.service_failed.io_error");
        } else {
            broken(&rig, &get("")).await;
        }
        let fault = "server.serverproxy.service_failed.io_error/provider-stalled";
        assert_eq!(ending(&rig.ledger.only().await), (Outcome::UpstreamIncomplete, fault));
    }
}

#[tokio::test]
async fn a_longer_answer_than_announced_is_cut_where_it_was_announced() {
    let rig = saying("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdefHTTP/1.1 200 OK\r\n\r\n").await;
    for _ in 0..3 {
        assert_eq!(rig.get("").await.text(), "abc");
    }
}

#[tokio::test]
async fn a_call_that_changes_nothing_survives_a_connection_closed_under_it() {
    // The provider closes each kept connection just when the next request arrives.
    let provider = provider(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        read_request(&mut stream).await;
    })
    .await;
    let rig = Rig::new(provider).await;
    assert_eq!(rig.get("/1").await.status, 200);
    assert_eq!(rig.get("/2").await.status, 200, "sent once more on a new connection");
    let answer = rig.post("/3", b"x").await;
    assert_eq!(
        answer.error(),
        "server.serverproxy.service_failed.network_error",
        "a change is never sent twice"
    );
    let outcomes: Vec<_> = rig.ledger.wait_closed(3).await.iter().map(|c| c.outcome).collect();
    assert_eq!(outcomes, [Outcome::Answered, Outcome::Answered, Outcome::UpstreamFailed]);
}

/// A provider that answers after `take` bytes of the body without reading on, and ends its side if asked to.
async fn early(take: usize, end: bool, policy: Policy) -> Rig {
    let provider = provider(move |mut stream| async move {
        let mut buf = vec![0; 4096];
        let mut left = take;
        while left > 0 {
            let n = stream.read(&mut buf).await.unwrap();
            left = left.saturating_sub(n);
        }
        stream
            .write_all(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
            .await
            .unwrap();
        if end {
            stream.shutdown().await.unwrap();
        }
        std::future::pending::<()>().await;
    })
    .await;
    Rig::with(contents(provider), policy).await
}

#[tokio::test]
async fn an_early_answer_waits_for_the_hash_of_the_whole_body() {
    for end in [true, false] {
        let rig = early(1000, end, Policy::default()).await;
        let body = vec![b'x'; 3_000_000];
        let answer = rig.post("", &body).await;
        assert_eq!((answer.status, answer.text().as_str()), (413, "no"), "end: {end}");
        let closed = rig.ledger.only().await;
        assert_eq!(
            (closed.outcome, closed.request.body, closed.request.size),
            (Outcome::Answered, Body::Complete, 3_000_000)
        );
        assert!(private(&closed.private, Field::RequestBody).is_some());
    }
}

#[tokio::test]
async fn an_early_answer_with_too_much_left_is_given_up() {
    let policy = Policy { max_drain: 500_000, ..Policy::default() };
    let rig = early(1000, true, policy).await;
    let (mut reading, mut writing) = TcpStream::connect(rig.address).await.unwrap().into_split();
    // The connection is closed under the sender, who may still be writing.
    let sending =
        tokio::spawn(async move { writing.write_all(&post("", &vec![b'x'; 30_000_000])).await.is_err() });
    let answer = read_answer(&mut reading, "POST").await;
    assert_eq!(answer.error(), "server.serverproxy.service_failed.io_error");
    assert!(sending.await.unwrap());
    let closed = rig.ledger.only().await;
    assert_eq!(ending(&closed).1, "server.serverproxy.service_failed.io_error/drain-limit");
    assert_eq!((closed.outcome, closed.request.body), (Outcome::Stopped, Body::Partial));
}

#[tokio::test]
async fn a_provider_that_stops_reading_is_not_waited_for() {
    let provider = provider(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let mut contents = contents(provider);
    contents.services[0].timeout_ms = 200;
    let rig = Rig::with(contents, Policy::default()).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    let head = format!("POST {SERVICE} HTTP/1.1\r\n{}Content-Length: 100000000\r\n\r\n", usual_headers());
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let sending = tokio::spawn(async move {
        let piece = vec![b'x'; 65_536];
        while writing.write_all(&piece).await.is_ok() {}
    });
    let answer =
        tokio::time::timeout(Duration::from_secs(10), read_answer(&mut reading, "POST")).await.unwrap();
    assert_eq!(answer.error(), "server.serverproxy.service_failed.network_error");
    sending.abort();
    let closed = rig.ledger.only().await;
    assert_eq!(ending(&closed).1, "server.serverproxy.service_failed.network_error/provider-timeout");
    assert_eq!(closed.request.body, Body::Partial);
}
