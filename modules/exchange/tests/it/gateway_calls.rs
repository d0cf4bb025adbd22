//! Calls that pass: what the provider receives, what the consumer receives, and what is recorded.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine;
use evidence::{Body, Field, Outcome};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::gateway_rig::*;

fn sha512(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA512, bytes).as_ref().to_vec()
}

/// The request hash by the words of the protocol, not by our own crate.
fn request_hash(head: &str, body: Option<&[u8]>) -> String {
    let head = sha512(head.as_bytes());
    let hash = body.map_or(head.clone(), |b| sha512(&[head, sha512(b)].concat()));
    base64::engine::general_purpose::STANDARD.encode(hash)
}

#[tokio::test]
async fn a_get_arrives_and_comes_back() {
    let (provider, got) = answering(
        "HTTP/1.1 200 Rat tot\r\nContent-Type: application/json\r\nX-Own: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\
         Server: secret\r\nKeep-Alive: timeout=5\r\nX-Road-Request-Hash: forged\r\nX-Road-Id: forged\r\n\
         Content-Length: 7\r\n\r\n{\"a\":1}",
    )
    .await;
    let rig = Rig::new(provider).await;
    let answer = rig
        .raw(format!(
            "GET {SERVICE}/nguoi/%C3%A1?x=1&y HTTP/1.1\r\nHost: gw\r\nx-rOad-Client: {CLIENT}\r\nX-B: 2\r\n\
             User-Agent: t\r\nAuthorization: Bearer {TOKEN}\r\nX-Road-Id: m-1\r\nX-A:  1 \r\nX-Road-UserId: VN/CB-1\r\n\
             Connection: keep-alive, X-Hop\r\nX-Hop: h\r\nX-Road-Request-Hash: forged\r\n\r\n"
        ))
        .await;
    assert_eq!((answer.status, answer.text().as_str(), answer.whole), (200, "{\"a\":1}", true));

    // What the provider received.
    let got = got.lock().unwrap()[0].clone();
    assert_eq!(got.line(), "GET /api/nguoi/%C3%A1?x=1&y HTTP/1.1");
    let request_id = answer.header("x-road-request-id").unwrap().to_owned();
    assert_eq!(got.header("x-road-request-id"), [request_id.as_str()]);
    assert_eq!(got.header("x-road-client"), [CLIENT]);
    assert_eq!((got.header("x-a"), got.header("x-b")), (vec!["1"], vec!["2"]));
    assert_eq!(got.header("x-road-userid"), ["VN/CB-1"]);
    for absent in ["authorization", "user-agent", "x-hop", "x-road-request-hash", "x-road-service"] {
        assert!(got.header(absent).is_empty(), "{absent} must not travel");
    }
    assert_eq!(got.header("host"), [provider.to_string().as_str()]);

    // What the consumer received.
    assert_eq!(answer.header("x-road-id"), Some("m-1"));
    assert_eq!(answer.header("x-road-client"), Some(CLIENT));
    assert_eq!(answer.header("x-road-service"), Some("VN/GOV/H38/dan-cu/tra-cuu"));
    assert_eq!(answer.header("x-own"), Some("1"));
    assert_eq!(answer.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("set-cookie")).count(), 2);
    assert_eq!(answer.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("x-road-id")).count(), 1);
    assert!(answer.header("server").is_none() && answer.header("keep-alive").is_none());
    let head = format!(
        "GET\r\n{SERVICE}/nguoi/%C3%A1?x=1&y\r\nx-rOad-Client:{CLIENT}\r\nX-B:2\r\nX-Road-Id:m-1\r\nX-A:1\r\n\
         X-Road-UserId:VN/CB-1\r\nx-road-request-id:{request_id}\r\n"
    );
    assert_eq!(answer.header("x-road-request-hash").unwrap(), request_hash(&head, None));

    // What was recorded.
    let closed = rig.ledger.only().await;
    assert!(rig.ledger.opened().is_empty(), "a GET changes nothing");
    assert_eq!(ending(&closed), (Outcome::Answered, ""));
    assert_eq!((closed.call.request_id, closed.call.message_id.as_str()), (request_id, "m-1"));
    assert_eq!(
        (closed.call.client.as_str(), closed.call.service.as_str()),
        (CLIENT, "VN/GOV/H38/dan-cu/tra-cuu")
    );
    assert_eq!((closed.call.consumer_auth.as_str(), closed.call.snapshot), ("oauth2", 7));
    assert_eq!(closed.call.agreement.unwrap().version, 3);
    assert_eq!(closed.call.endpoint.as_deref(), Some("/nguoi/*"));
    assert_eq!((closed.request.body, closed.request.size), (Body::None, 0));
    let response = closed.response.unwrap();
    assert_eq!((response.status, response.size), (200, 7));
    assert!(
        closed.request_out.unwrap() >= closed.call.request_in && closed.response_in >= closed.request_out
    );
    assert_eq!(private(&closed.private, Field::Path), Some("/nguoi/%C3%A1"));
    assert_eq!(private(&closed.private, Field::Query), Some("x=1&y"));
    assert_eq!(private(&closed.private, Field::UserId), Some("VN/CB-1"));
    assert_eq!(private(&closed.private, Field::RequestHead).unwrap(), hex::encode(sha512(head.as_bytes())));
    assert_eq!(private(&closed.private, Field::RequestBody), None);
    let body = hex::encode(digest(&SHA256, b"{\"a\":1}"));
    assert_eq!(private(&closed.private, Field::ResponseBody), Some(body.as_str()));
    let mut stored = String::from("200\r\nRat tot\r\n");
    for (name, value) in &answer.headers {
        if !matches!(name.as_str(), "content-length" | "date") {
            stored += &format!("{name}:{value}\r\n");
        }
    }
    let stored = hex::encode(digest(&SHA256, stored.as_bytes()));
    assert_eq!(private(&closed.private, Field::ResponseHead), Some(stored.as_str()));

    // What was monitored.
    let monitored = serde_json::to_string(&*rig.meter.0.lock().unwrap()).unwrap();
    assert!(
        monitored.contains("\"clientSubsystemCode\":\"mot-cua\"") && monitored.contains("\"succeeded\":true")
    );
    assert!(!monitored.contains("nguoi") && !monitored.contains("CB-1"), "{monitored}");
    rig.stop().await;
}

#[tokio::test]
async fn a_post_is_opened_before_and_closed_after() {
    let (provider, got) =
        answering("HTTP/1.1 201 Created\r\nLocation: /x\r\nContent-Length: 2\r\n\r\nok").await;
    let rig = Rig::new(provider).await;
    let answer = rig.post("/nguoi", b"{\"a\":1}").await;
    assert_eq!((answer.status, answer.header("location")), (201, Some("/x")));
    let got = got.lock().unwrap()[0].clone();
    assert_eq!((got.line(), got.body.as_slice()), ("POST /api/nguoi HTTP/1.1", &b"{\"a\":1}"[..]));

    let id = answer.header("x-road-request-id").unwrap();
    let made = answer.header("x-road-id").unwrap();
    assert!(made.starts_with("VN-") && got.header("x-road-id") == [made], "an id is made and sent along");
    let head = format!(
        "POST\r\n{SERVICE}/nguoi\r\nX-Road-Client:{CLIENT}\r\nx-road-request-id:{id}\r\nx-road-id:{made}\r\n"
    );
    assert_eq!(answer.header("x-road-request-hash").unwrap(), request_hash(&head, Some(b"{\"a\":1}")));

    let entries = rig.ledger.entries();
    assert!(matches!(&entries[..], [Entry::Opened(_), Entry::Closed(_)]), "{entries:?}");
    let (opened, closed) = (rig.ledger.opened().remove(0), rig.ledger.only().await);
    assert_eq!(opened.call, closed.call);
    assert_eq!(closed.opened, Some(tlog::Hash([1; 32])));
    assert!(opened.private.iter().all(|(field, _)| field.belongs_to(evidence::Kind::Opened)));
    assert_eq!((closed.request.body, closed.request.size), (Body::Complete, 7));
    assert_eq!(private(&closed.private, Field::RequestBody).unwrap(), hex::encode(sha512(b"{\"a\":1}")));
}

#[tokio::test]
async fn chunked_bodies_and_empty_ones_are_hashed_by_their_content() {
    let (provider, got) = answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let rig = Rig::new(provider).await;
    let chunked = format!(
        "PUT {SERVICE} HTTP/1.1\r\n{}X-Road-Id: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-T: 1\r\n\r\n",
        usual_headers()
    );
    let answer = rig.raw(chunked).await;
    assert_eq!(answer.status, 204);
    let id = answer.header("x-road-request-id").unwrap();
    let head = |verb: &str, id: &str| {
        format!("{verb}\r\n{SERVICE}\r\nX-Road-Client:{CLIENT}\r\nX-Road-Id:1\r\nx-road-request-id:{id}\r\n")
    };
    assert_eq!(answer.header("x-road-request-hash").unwrap(), request_hash(&head("PUT", id), Some(b"abcde")));
    assert_eq!(got.lock().unwrap()[0].body, b"abcde");

    let empty =
        format!("POST {SERVICE} HTTP/1.1\r\n{}X-Road-Id: 1\r\nContent-Length: 0\r\n\r\n", usual_headers());
    let answer = rig.raw(empty).await;
    let id = answer.header("x-road-request-id").unwrap();
    assert_eq!(answer.header("x-road-request-hash").unwrap(), request_hash(&head("POST", id), None));

    // A body of a DELETE counts but is not forwarded.
    let delete = format!(
        "DELETE {SERVICE} HTTP/1.1\r\n{}X-Road-Id: 1\r\nContent-Length: 3\r\n\r\nabc",
        usual_headers()
    );
    let answer = rig.raw(delete).await;
    let id = answer.header("x-road-request-id").unwrap();
    assert_eq!(
        answer.header("x-road-request-hash").unwrap(),
        request_hash(&head("DELETE", id), Some(b"abc"))
    );
    assert_eq!(got.lock().unwrap()[2].body, b"");
    let closed = rig.ledger.wait_closed(3).await;
    let bodies: Vec<_> = closed.iter().map(|c| (c.request.body, c.request.size)).collect();
    assert_eq!(bodies, [(Body::Complete, 5), (Body::None, 0), (Body::Complete, 3)]);
    assert_eq!(rig.ledger.opened().len(), 3, "PUT, POST and DELETE may change something");
}

#[tokio::test]
async fn provider_answers_pass_unmodified_whatever_their_status() {
    for (answer, status) in [
        ("HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\n\r\n", 302),
        ("HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno", 404),
        ("HTTP/1.1 503 Later\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n", 503),
        ("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n", 304),
        ("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200),
        ("HTTP/1.1 418 \r\nContent-Length: 0\r\n\r\n", 418),
        ("HTTP/1.0 200 OK\r\n\r\nuntil the end", 200),
    ] {
        let provider = provider(move |mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let rig = Rig::new(provider).await;
        let got = rig.get("/").await;
        assert_eq!((got.status, got.whole), (status, true), "{answer}");
        assert!(got.header("x-road-error").is_none() && got.header("x-road-request-hash").is_some());
        let closed = rig.ledger.only().await;
        assert_eq!((closed.outcome, closed.response.unwrap().status), (Outcome::Answered, status));
    }
}

#[tokio::test]
async fn a_head_has_no_body_and_a_trace_is_only_a_call() {
    let (provider, got) = answering("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nX-A: 1\r\n\r\n").await;
    let rig = Rig::new(provider).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    for _ in 0..2 {
        let request = format!("HEAD {SERVICE} HTTP/1.1\r\n{}\r\n", usual_headers());
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_answer(&mut stream, "HEAD").await;
        assert_eq!((answer.status, answer.header("x-a")), (200, Some("1")));
    }
    assert_eq!(got.lock().unwrap().len(), 2);
    assert!(rig.ledger.opened().is_empty());
}

#[tokio::test]
async fn a_connection_carries_many_calls_also_hasty_ones() {
    let (provider, got) = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let rig = Rig::new(provider).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    // Five requests at once, the bodies of some larger than a read.
    let big = vec![b'x'; 50_000];
    let all: Vec<u8> = (0..5)
        .flat_map(
            |n| if n % 2 == 0 { get(&format!("/{n}")).into_bytes() } else { post(&format!("/{n}"), &big) },
        )
        .collect();
    stream.write_all(&all).await.unwrap();
    let mut buf: Vec<u8> = Vec::new();
    while buf.windows(4).filter(|w| w == b"\r\n\r\n").count() < 5 || !buf.ends_with(b"ok") {
        assert!(tokio::io::AsyncReadExt::read_buf(&mut stream, &mut buf).await.unwrap() > 0);
    }
    assert_eq!(buf.windows(15).filter(|w| w == b"HTTP/1.1 200 OK").count(), 5);
    let lines: Vec<String> = got.lock().unwrap().iter().map(|g| g.line().to_owned()).collect();
    assert_eq!(lines.len(), 5);
    assert!(lines.iter().enumerate().all(|(n, l)| l.contains(&format!("/api/{n} "))), "{lines:?}");
    let closed = rig.ledger.wait_closed(5).await;
    let ids: std::collections::HashSet<_> = closed.iter().map(|c| c.call.request_id.clone()).collect();
    assert_eq!(ids.len(), 5);
}

#[tokio::test]
async fn a_body_arriving_byte_by_byte_and_an_expectation_are_served() {
    let (provider, got) = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let rig = Rig::new(provider).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    let head = format!(
        "POST {SERVICE} HTTP/1.1\r\n{}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
        usual_headers()
    );
    for byte in head.bytes() {
        stream.write_all(&[byte]).await.unwrap();
    }
    let (interim, _) = read_head(&mut stream).await.unwrap();
    assert_eq!(interim.status, 100);
    for byte in b"abc" {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(read_answer(&mut stream, "POST").await.status, 200);
    assert_eq!(got.lock().unwrap()[0].body, b"abc");
    assert!(got.lock().unwrap()[0].header("expect").is_empty());
}

#[tokio::test]
async fn http2_is_served_with_lower_case_headers_in_the_hash() {
    use http_body_util::{BodyExt, Full};
    let (provider, got) = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let rig = Rig::new(provider).await;
    let stream = TcpStream::connect(rig.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(
        hyper_util::rt::TokioExecutor::new(),
        hyper_util::rt::TokioIo::new(stream),
    )
    .await
    .unwrap();
    tokio::spawn(connection);
    let request = http::Request::post(format!("http://gw{SERVICE}/nguoi?q"))
        .header("X-Road-Client", CLIENT)
        .header("X-Road-Id", "m-2")
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(Full::new(bytes::Bytes::from_static(b"body")))
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let (id, hash) = (header("x-road-request-id"), header("x-road-request-hash"));
    let head = format!(
        "POST\r\n{SERVICE}/nguoi?q\r\nx-road-client:{CLIENT}\r\nx-road-id:m-2\r\nx-road-request-id:{id}\r\n"
    );
    assert_eq!(hash, request_hash(&head, Some(b"body")));
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");
    assert_eq!(got.lock().unwrap()[0].line(), "POST /api/nguoi?q HTTP/1.1");
    assert_eq!(rig.ledger.only().await.outcome, Outcome::Answered);
}

#[tokio::test]
async fn pages_are_served_beside_the_calls() {
    let (provider, _) = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let pages = axum::Router::new().route("/xin-chao", axum::routing::get(|| async { "chào" }));
    let rig = Rig::with_pages(contents(provider), exchange::gateway::Policy::default(), Some(pages)).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"GET /xin-chao HTTP/1.1\r\nHost: gw\r\n\r\n").await.unwrap();
        assert_eq!(read_answer(&mut stream, "GET").await.text(), "chào");
        stream.write_all(get("").as_bytes()).await.unwrap();
        assert_eq!(read_answer(&mut stream, "GET").await.text(), "ok");
    }
    assert_eq!(rig.raw("GET /khac HTTP/1.1\r\nHost: gw\r\n\r\n").await.status, 404);
    rig.stop().await;
}
