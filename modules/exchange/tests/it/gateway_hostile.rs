//! Hostile bytes from consumers: smuggling, oversized heads, paths that mean two things, bodies that never come.

use std::time::Duration;

use evidence::{Body, Outcome};
use exchange::gateway::Policy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::gateway_rig::*;

async fn rig() -> (Rig, std::sync::Arc<std::sync::Mutex<Vec<Got>>>) {
    let (provider, got) = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    (Rig::new(provider).await, got)
}

/// Whether the connection has ended in order after what was read.
async fn ended(stream: &mut TcpStream) -> bool {
    stream.read(&mut [0; 16]).await.is_ok_and(|n| n == 0)
}

#[tokio::test]
async fn ambiguous_framing_is_answered_with_a_problem_and_the_connection_closed() {
    let (rig, got) = rig().await;
    let head = |lines: &str| format!("POST {SERVICE} HTTP/1.1\r\n{}{lines}\r\n", usual_headers());
    let smuggled = get("/smuggled");
    for (lines, status, code) in [
        ("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", 400, "transfer-encoding-and-content-length"),
        ("Content-Length: 4\r\nContent-Length: 5\r\n", 400, "duplicate-content-length"),
        ("Content-Length: 4\r\nContent-Length: 4\r\n", 400, "duplicate-content-length"),
        ("Content-Length: 4, 4\r\n", 400, "content-length"),
        ("Content-Length: +4\r\n", 400, "content-length"),
        ("Content-Length: 99999999999999999999\r\n", 400, "content-length"),
        ("Transfer-Encoding: chunked, identity\r\n", 501, "transfer-encoding"),
        ("Transfer-Encoding: \tchunked\r\nTransfer-Encoding: x\r\n", 501, "transfer-encoding"),
        ("X-Folded: a\r\n b\r\n", 400, "obs-fold"),
        ("Content-Length : 4\r\n", 400, "space-before-colon"),
        ("X-Nul: a\0b\r\n", 400, "header-value"),
        ("Host: other\r\n", 400, "duplicate-host"),
        ("X: a\nContent-Length: 4\r\n", 400, "bare-lf"),
    ] {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        stream.write_all(format!("{}0\r\n\r\n{smuggled}", head(lines)).as_bytes()).await.unwrap();
        let answer = read_answer(&mut stream, "POST").await;
        assert_eq!((answer.status, answer.whole), (status, true), "{lines:?}");
        assert_eq!(answer.json()["type"], format!("urn:lienthong:problem:http-{code}"), "{lines:?}");
        assert!(!answer.json()["detail"].as_str().unwrap().is_empty());
        assert_eq!(answer.header("connection"), Some("close"));
        assert!(ended(&mut stream).await, "{lines:?}");
    }
    assert!(got.lock().unwrap().is_empty(), "nothing reached the provider");
    assert!(rig.ledger.entries().is_empty());
}

#[tokio::test]
async fn a_bad_request_after_a_good_one_does_not_spoil_the_good_answer() {
    let (rig, got) = rig().await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream
        .write_all(format!("{}GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", get("/1")).as_bytes())
        .await
        .unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    let all = String::from_utf8(all).unwrap();
    let (first, second) = all.split_once("\r\n\r\nok").unwrap(); // "ok" alone may stand in a hash
    assert!(first.starts_with("HTTP/1.1 200 OK"), "{all}");
    assert!(
        second.starts_with("HTTP/1.1 400 Bad Request") && second.contains("http-duplicate-host"),
        "{all}"
    );
    assert_eq!(got.lock().unwrap().len(), 1);
    assert_eq!(rig.ledger.only().await.outcome, Outcome::Answered);
}

#[tokio::test]
async fn oversized_heads_are_refused_and_the_sender_learns_why() {
    let (rig, got) = rig().await;
    let long = "a".repeat(60_000);
    for (request, status) in [
        (format!("GET {SERVICE}/{long} HTTP/1.1\r\n{}\r\n", usual_headers()), 414),
        (format!("GET {SERVICE} HTTP/1.1\r\n{}X: {long}\r\n\r\n", usual_headers()), 431),
        (format!("GET {SERVICE} HTTP/1.1\r\n{}{}\r\n", usual_headers(), "X: 1\r\n".repeat(200)), 431),
    ] {
        assert_eq!(rig.raw(request).await.status, status);
    }
    assert!(got.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_not_http_gets_an_answer_and_no_service() {
    let (rig, _) = rig().await;
    // A TLS greeting to a plain port; the preface of a protocol that is not spoken.
    for bytes in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"SSH-2.0-OpenSSH_9.2\r\n", b"\r\n\r\n"]
    {
        assert_eq!(rig.raw(bytes).await.status, 400);
    }
    assert_eq!(rig.raw("GET / HTTP/1.3\r\nHost: h\r\n\r\n").await.status, 505);
    assert_eq!(rig.raw("CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n").await.status, 400);
}

#[tokio::test]
async fn paths_that_mean_two_things_never_reach_the_provider() {
    let (rig, got) = rig().await;
    for path in [
        "/../admin",
        "/a/../../admin",
        "/a/..",
        "/./a",
        "/%2e%2e/admin",
        "/%2E%2E/admin",
        "/.%2e/admin",
        "/..%2fadmin",
        "/a%2fb",
        "/a%5cb",
        "/..%5cadmin",
        "//admin",
        "/a//b",
        "/%252e%252e/admin",
        "/..;/admin",
        "/%c0%ae%c0%ae/admin",
        "/a%00b",
        "/a\\b",
        "/%zz",
        "/%EF%BC%8E%EF%BC%8E/admin",
    ] {
        let answer = rig.get(path).await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "client.bad_request"), "{path}");
    }
    assert!(got.lock().unwrap().is_empty());
    let closed = rig.ledger.wait_closed(20).await;
    assert!(closed.iter().all(|c| ending(c) == (Outcome::Refused, "client.bad_request/ambiguous-path")));

    // Under a wildcard none of them widens what is open.
    let restricted = |path: &str| get("").replace("tra-cuu", &format!("han-che{path}"));
    for path in ["/cong-khai/../nguoi-khac", "/cong-khai/%2e%2e/nguoi-khac", "/cong-khai/..%2fnguoi-khac"] {
        assert_eq!(rig.raw(restricted(path)).await.status, 400, "{path}");
    }
    assert_eq!(rig.raw(restricted("/cong-khai/a/b")).await.status, 200);
    assert_eq!(rig.raw(restricted("/nguoi/%31")).await.status, 200, "an encoded letter is that letter");
    assert_eq!(
        got.lock().unwrap()[1].line(),
        "GET /api/nguoi/%31 HTTP/1.1",
        "what is forwarded is what was sent"
    );
}

#[tokio::test]
async fn a_target_with_another_host_goes_nowhere_else() {
    let (rig, got) = rig().await;
    let evil = nobody().await;
    let absolute = format!(
        "GET http://{evil}{SERVICE} HTTP/1.1\r\nHost: {evil}\r\nX-Road-Client: {CLIENT}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    );
    assert_eq!(rig.raw(absolute).await.status, 200);
    assert_eq!(got.lock().unwrap()[0].line(), "GET /api HTTP/1.1");
    assert_eq!(rig.get("/@evil.example:80/").await.status, 200);
    assert_eq!(got.lock().unwrap()[1].line(), "GET /api/@evil.example:80/ HTTP/1.1");
}

#[tokio::test]
async fn a_body_that_breaks_its_framing_ends_the_call() {
    for large in [false, true] {
        let provider = provider(|mut stream| async move {
            let mut sink = Vec::new();
            let _ = stream.read_to_end(&mut sink).await;
            assert!(
                !sink.windows(5).any(|w| w == b"\r\n0\r\n"),
                "the provider must not see an end of the body"
            );
        })
        .await;
        let rig = Rig::new(provider).await;
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        let head =
            format!("POST {SERVICE} HTTP/1.1\r\n{}Transfer-Encoding: chunked\r\n\r\n", usual_headers());
        stream.write_all(head.as_bytes()).await.unwrap();
        if large {
            stream
                .write_all(format!("{:x}\r\n{}\r\n", 200_000, "x".repeat(200_000)).as_bytes())
                .await
                .unwrap();
        }
        stream.write_all(b"zz\r\n").await.unwrap();
        let answer = read_answer(&mut stream, "POST").await;
        assert_eq!((answer.status, answer.error().as_str()), (400, "client.invalid_body"), "large: {large}");
        assert!(ended(&mut stream).await);
        let closed = rig.ledger.only().await;
        assert_eq!(ending(&closed), (Outcome::RequestIncomplete, "client.invalid_body/chunk-size"));
        let size = if large { 200_000 } else { 0 };
        assert_eq!((closed.request.body, closed.request.size), (Body::Partial, size));
        assert_eq!(
            rig.ledger.opened().len(),
            usize::from(large),
            "a small body is read before anything is opened"
        );
    }
}

#[tokio::test]
async fn a_consumer_that_stops_sending_is_not_waited_for() {
    let (provider, _) = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let policy =
        Policy { stall_timeout_ms: 150, head_timeout_ms: 200, idle_timeout_ms: 100, ..Policy::default() };
    let mut contents = contents(provider);
    contents.services[0].timeout_ms = 150;
    let rig = Rig::with(contents, policy).await;
    for already in [3, 100_000] {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        let head = format!("POST {SERVICE} HTTP/1.1\r\n{}Content-Length: 200000\r\n\r\n", usual_headers());
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b'x'; already]).await.unwrap();
        let answer = read_answer(&mut stream, "POST").await;
        assert_eq!((answer.status, answer.error().as_str()), (408, "client.invalid_body"));
    }
    let closed = rig.ledger.wait_closed(2).await;
    assert!(
        closed.iter().all(|c| ending(c) == (Outcome::RequestIncomplete, "client.invalid_body/body-stalled"))
    );

    // A head that does not come, and a connection that is not used.
    let mut slow = TcpStream::connect(rig.address).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    assert_eq!(read_answer(&mut slow, "GET").await.status, 408);
    let mut idle = TcpStream::connect(rig.address).await.unwrap();
    assert!(ended(&mut idle).await, "closed without a word");
    let mut used = TcpStream::connect(rig.address).await.unwrap();
    used.write_all(get("").as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut used, "GET").await.status, 200);
    assert!(tokio::time::timeout(Duration::from_secs(2), ended(&mut used)).await.unwrap());
}

#[tokio::test]
async fn a_body_larger_than_permitted_is_refused() {
    let (provider, got) = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let policy = Policy { max_request_body: Some(100_000), ..Policy::default() };
    let rig = Rig::with(contents(provider), policy).await;
    let declared = format!("POST {SERVICE} HTTP/1.1\r\n{}Content-Length: 100001\r\n\r\n", usual_headers());
    let answer = rig.raw(declared).await;
    assert_eq!((answer.status, answer.error().as_str()), (413, "client.invalid_body"));
    assert_eq!(rig.post("", &vec![b'x'; 100_000]).await.status, 200);
    // Not declared: it shows on the way.
    let chunk = format!("{:x}\r\n{}\r\n", 70_000, "x".repeat(70_000));
    let request = format!(
        "POST {SERVICE} HTTP/1.1\r\n{}Transfer-Encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n",
        usual_headers()
    );
    let answer = rig.raw(request).await;
    assert_eq!((answer.status, answer.error().as_str()), (413, "client.invalid_body"));
    let closed = rig.ledger.wait_closed(3).await;
    assert_eq!(ending(&closed[0]).0, Outcome::Refused);
    assert_eq!(ending(&closed[2]), (Outcome::Stopped, "client.invalid_body/body-too-large"));
    assert_eq!(got.lock().unwrap().len(), 1, "only the permitted one arrived whole");
}
