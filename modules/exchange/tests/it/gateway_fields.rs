//! Only the agreed fields leave, whatever the provider sends and however it comes; what cannot be held against them does
//! not leave at all. The record says which list applied and what was sent.

#![allow(clippy::unwrap_used, reason = "a step of a test that fails fails the test")]

use std::net::SocketAddr;

use aws_lc_rs::digest::{SHA256, digest};
use evidence::{Field, Outcome};
use exchange::environment::Environment;
use exchange::gateway::Policy;
use exchange::snapshot::Contents;
use tokio::io::AsyncWriteExt;

use crate::gateway_rig::*;

const PERSON: &str =
    r#"{"so_dinh_danh":"079000000001","ho_ten":"Nguyễn Văn Giả","ngay_sinh":"01/01/1990","que_quan":"x"}"#;

fn under(provider: SocketAddr, fields: &[&str]) -> Contents {
    let mut contents = contents(provider);
    contents.agreements[0].fields = fields.iter().map(|f| (*f).to_owned()).collect();
    contents
}

/// A rig whose agreement names `fields` and whose provider answers these bytes to each request.
async fn rig(fields: &[&str], answer: String) -> Rig {
    let provider = provider(move |mut stream| {
        let answer = answer.clone();
        async move {
            while read_request(&mut stream).await.is_some() {
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    Rig::with(under(provider, fields), Policy::default()).await
}

fn saying(kind: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

#[tokio::test]
async fn two_of_four_fields_leave_and_the_record_says_so() {
    let rig = rig(&["ho_ten", "so_dinh_danh"], saying("application/json; charset=utf-8", PERSON)).await;
    let answer = rig.get("/nguoi/1").await;
    let expected = r#"{"so_dinh_danh":"079000000001","ho_ten":"Nguyễn Văn Giả"}"#;
    assert_eq!((answer.status, answer.text().as_str(), answer.whole), (200, expected, true));
    let closed = rig.ledger.only().await;
    assert_eq!(closed.outcome, Outcome::Answered);
    assert_eq!(closed.response.unwrap().size, expected.len() as u64);
    let filter = closed.filter.unwrap();
    assert_eq!((filter.removed, filter.fields.to_string()), (2, sha256(b"ho_ten\nso_dinh_danh\n")));
    let sent = sha256(expected.as_bytes());
    assert_eq!(private(&closed.private, Field::ResponseBody), Some(sent.as_str()));
    assert_eq!(rig.meter.0.lock().unwrap()[0].removed_field_count, Some(2));
}

#[tokio::test]
async fn xml_is_filtered_alike() {
    let body = "<?xml version=\"1.0\"?><d:nguoi xmlns:d=\"urn:d\" ma=\"1\"><d:ten>A</d:ten><d:so>079</d:so></d:nguoi>";
    let rig = rig(&["{urn:d}nguoi.{urn:d}ten"], saying("application/xml", body)).await;
    let answer = rig.get("").await;
    assert!(
        answer.text().ends_with("<d:nguoi xmlns:d=\"urn:d\"><d:ten>A</d:ten></d:nguoi>"),
        "{}",
        answer.text()
    );
    assert_eq!(rig.ledger.only().await.filter.unwrap().removed, 2);
}

#[tokio::test]
async fn an_agreement_without_fields_touches_nothing() {
    let rig = rig(&[], saying("text/plain", PERSON)).await;
    let answer = rig.get("").await;
    assert_eq!((answer.text().as_str(), answer.header("content-length")), (PERSON, Some("102")));
    let closed = rig.ledger.only().await;
    assert_eq!((closed.filter, closed.outcome), (None, Outcome::Answered));
}

#[tokio::test]
async fn what_cannot_be_filtered_does_not_leave() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(70), "]".repeat(70));
    let gzip = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\n{\"a\":1}";
    let bare = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}";
    for (answer, kind, rule) in [
        (saying("text/html", "<p>079000000001</p>"), "invalid_content_type", "answer-type"),
        (saying("application/json; charset=utf-16", "{\"a\":1}"), "invalid_content_type", "answer-charset"),
        (gzip.to_owned(), "invalid_content_type", "answer-encoding"),
        (bare.to_owned(), "invalid_content_type", "answer-type"),
        (saying("application/json", "{\"a\":1"), "invalid_body", "answer-malformed"),
        (saying("application/json", "<a>1</a>"), "invalid_body", "answer-malformed"),
        (saying("application/json", "[{\"a\":1}]"), "invalid_body", "answer-shape"),
        (saying("application/json", &deep), "invalid_body", "answer-too-deep"),
        (saying("text/xml", "<!DOCTYPE a><a/>"), "invalid_body", "answer-doctype"),
    ] {
        let rig = rig(&["a"], answer.clone()).await;
        let got = rig.get("").await;
        assert_eq!((got.status, got.whole), (500, true), "{answer}");
        assert_eq!(got.error(), format!("server.serverproxy.service_failed.{kind}"), "{answer}");
        assert!(!got.text().contains("079"), "{}", got.text());
        let closed = rig.ledger.only().await;
        let fault = format!("server.serverproxy.service_failed.{kind}/{rule}");
        assert_eq!(ending(&closed), (Outcome::Stopped, fault.as_str()), "{answer}");
        assert!(closed.filter.is_some() && closed.response_in.is_some());
    }
}

#[tokio::test]
async fn errors_of_the_provider_are_filtered_too_and_empty_answers_pass() {
    let refused = PERSON.replace('}', ",\"a\":1}");
    let body = format!(
        "HTTP/1.1 404 Khong tim thay 079\r\nContent-Type: application/problem+json\r\nContent-Length: {}\r\n\r\n{refused}",
        refused.len()
    );
    let one = rig(&["a"], body).await;
    let answer = one.get("").await;
    assert_eq!((answer.status, answer.text().as_str()), (404, "{\"a\":1}"));
    for empty in ["HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 204 X\r\n\r\n"] {
        let rig = rig(&["a"], empty.to_owned()).await;
        let answer = rig.get("").await;
        assert!(matches!(answer.status, 404 | 204) && answer.body.is_empty());
        assert_eq!(rig.ledger.only().await.outcome, Outcome::Answered);
    }
}

#[tokio::test]
async fn only_harmless_headers_leave_and_the_provider_is_asked_plainly() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: \"1\"\r\nContent-MD5: x\r\nX-Ho-Ten: Nguyen\r\n\
                Set-Cookie: so=079\r\nLocation: /nguoi/079\r\nDigest: sha-256=x\r\nCache-Control: no-store\r\n\
                Content-Length: 13\r\n\r\n{\"a\":1,\"b\":2}";
    let (provider, got) = answering(head).await;
    let rig = Rig::with(under(provider, &["a"]), Policy::default()).await;
    let request = format!(
        "GET {SERVICE} HTTP/1.1\r\n{}Accept-Encoding: gzip, br\r\nRange: bytes=0-3\r\nIf-None-Match: \"1\"\r\n\r\n",
        usual_headers()
    );
    let answer = rig.raw(request).await;
    assert_eq!((answer.text().as_str(), answer.header("content-length")), ("{\"a\":1}", Some("7")));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    for name in ["etag", "content-md5", "x-ho-ten", "set-cookie", "location", "digest"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
    assert!(answer.header("x-road-request-hash").is_some());
    let got = got.lock().unwrap();
    assert_eq!(got[0].header("accept-encoding"), ["identity"]);
    assert!(got[0].header("range").is_empty() && got[0].header("if-none-match").is_empty());
}

/// A long list, in chunks cut anywhere.
async fn long(last: &'static str) -> Rig {
    let provider = provider(move |mut stream| async move {
        read_request(&mut stream).await;
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        let item = format!("{PERSON},").repeat(20_000);
        let whole = format!("{{\"ds\":[{item}{PERSON}{last}");
        let _ = stream.write_all(head.as_bytes()).await;
        for piece in whole.as_bytes().chunks(99_991) {
            let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
            if stream.write_all(&chunk).await.is_err() {
                return;
            }
        }
        let _ = stream.write_all(b"0\r\n\r\n").await;
    })
    .await;
    Rig::with(under(provider, &["ds[].ho_ten"]), Policy::default()).await
}

#[tokio::test]
async fn a_long_answer_is_filtered_while_it_passes() {
    let rig = long("]}").await;
    let answer = rig.get("").await;
    assert!(answer.whole);
    let json = answer.json();
    let items = json["ds"].as_array().unwrap();
    assert!(items.len() == 20_001 && items.iter().all(|i| i.as_object().unwrap().len() == 1));
    let closed = rig.ledger.only().await;
    assert_eq!(closed.filter.unwrap().removed, 3 * 20_001);
    assert_eq!(closed.response.unwrap().size, answer.body.len() as u64);
    let sent = sha256(&answer.body);
    assert_eq!(private(&closed.private, Field::ResponseBody), Some(sent.as_str()));
}

#[tokio::test]
async fn a_long_answer_that_turns_out_malformed_is_cut_off() {
    for last in ["]", "]}}", "],\"x\":\"\u{1}\"}"] {
        let rig = long(last).await;
        let answer = rig.get("").await;
        assert!(!answer.whole && !answer.text().contains("079"), "{last:?}");
        let closed = rig.ledger.only().await;
        let fault = "server.serverproxy.service_failed.invalid_body/answer-malformed";
        assert_eq!(ending(&closed), (Outcome::Stopped, fault), "{last:?}");
    }
}

#[tokio::test]
async fn names_that_cannot_be_read_open_nothing() {
    let rig = rig(&["a..b", "[0]"], saying("application/json", "{\"a\":1}")).await;
    assert_eq!(rig.get("").await.status, 500);
    assert!(rig.ledger.only().await.fault.unwrap().ends_with("/answer-shape"));
}

const DOCUMENT: &str = r##"{"openapi":"3.1.0","info":{"title":"T","version":"1"},"paths":{"/nguoi/{so}":{"get":{"responses":
    {"200":{"content":{"application/json":{"schema":{"type":"object","properties":{"so_dinh_danh":{"type":"string"},
    "ho_ten":{"type":"string"},"noi":{"type":"object","properties":{"tinh":{"type":"string"}}}}}}}}}}}}}"##;

/// The first agreement stands in this environment; its service has this sandbox.
fn standing(provider: SocketAddr, place: Environment, sandbox: Option<SocketAddr>) -> Contents {
    let mut contents = under(provider, &["ho_ten", "so_dinh_danh"]);
    contents.agreements[0].environment = place;
    contents.services[0].sandbox_url = sandbox.map(|at| format!("http://{at}").parse().unwrap());
    contents
}

#[tokio::test]
async fn a_call_outside_production_never_reaches_production() {
    const SAMPLE: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 30\r\n\r\n{\"ho_ten\":\"Gia\",\"que\":\"khong\"}";
    let (production, real) = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let (sandbox, tried) = answering(SAMPLE).await;
    for (place, recorded) in [
        (Environment::Sandbox, evidence::Environment::Sandbox),
        (Environment::Test, evidence::Environment::Test),
    ] {
        let rig = Rig::with(standing(production, place, Some(sandbox)), Policy::default()).await;
        let answer = rig.get("/nguoi/1").await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "{\"ho_ten\":\"Gia\"}"));
        let closed = rig.ledger.only().await;
        assert_eq!(closed.call.environment, Some(recorded));
        assert_eq!(rig.post("/nguoi", b"{}").await.status, 200);
        assert_eq!(rig.ledger.opened()[0].call.environment, Some(recorded));
    }
    assert_eq!((real.lock().unwrap().len(), tried.lock().unwrap().len()), (0, 4));
    let rig =
        Rig::with(standing(production, Environment::Production, Some(sandbox)), Policy::default()).await;
    rig.get("/nguoi/1").await;
    assert_eq!(rig.ledger.only().await.call.environment, None);
    assert_eq!((real.lock().unwrap().len(), tried.lock().unwrap().len()), (1, 4));
}

#[tokio::test]
async fn without_a_sandbox_people_are_invented_and_only_the_agreed_fields_leave() {
    let (production, real) = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let rig =
        Rig::with_documents(standing(production, Environment::Sandbox, None), &[("doc-1", DOCUMENT)]).await;
    let answer = rig.get("/nguoi/079000000001").await;
    let expected = r#"{"so_dinh_danh":"999190000001","ho_ten":"Nguyễn Văn Giả Định"}"#;
    assert_eq!((answer.status, answer.text().as_str()), (200, expected));
    let closed = rig.ledger.only().await;
    assert_eq!((closed.filter.unwrap().removed, closed.request_out), (1, None));
    assert_eq!(closed.call.environment, Some(evidence::Environment::Sandbox));
    let other = rig.get("/khac").await;
    assert_eq!(other.error(), "server.serverproxy.service_missing_url");
    assert!(real.lock().unwrap().is_empty());
}
