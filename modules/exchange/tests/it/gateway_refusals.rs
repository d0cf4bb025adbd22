//! Calls that do not pass: the error on the wire, the order of the checks, and what is recorded of a refusal.

use base::clock::Timestamp;
use evidence::{Body, Outcome};
use exchange::gateway::Policy;
use exchange::quota::Quota;
use exchange::snapshot::{Contents, Standing};
use tokio::net::TcpStream;

use crate::gateway_rig::*;

/// A GET with exactly these headers besides `Host`.
fn request(target: &str, headers: &[(&str, &str)]) -> String {
    let lines: String = headers.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
    format!("GET {target} HTTP/1.1\r\nHost: gw\r\n{lines}\r\n")
}

const BEARER: (&str, &str) = ("Authorization", "Bearer token-mot-cua");
const ME: (&str, &str) = ("X-Road-Client", CLIENT);

/// A rig whose provider must never be reached.
async fn unreached() -> Rig {
    let provider = provider(|_| async { panic!("a refused call reached the provider") }).await;
    Rig::new(provider).await
}

#[tokio::test]
async fn each_check_has_its_error() {
    let rig = unreached().await;
    let service = |code: &str| format!("/r1/VN/GOV/H38/dan-cu/{code}");
    type Headers = Vec<(&'static str, &'static str)>;
    let cases: Vec<(String, Headers, u16, &str)> = vec![
        ("/r2/VN/GOV/H38/dan-cu/tra-cuu".into(), vec![ME, BEARER], 400, "client.invalid_protocol_version"),
        ("/r1/VN/GOV/H38/dan-cu".into(), vec![ME, BEARER], 400, "client.bad_request"),
        ("/r1/VN/GOV/H38//tra-cuu".into(), vec![ME, BEARER], 400, "client.bad_request"),
        ("/r1/VN/GOV/../dan-cu/tra-cuu".into(), vec![ME, BEARER], 400, "client.bad_request"),
        (service("tra-cuu"), vec![BEARER], 400, "client.invalid_client_identifier"),
        (
            service("tra-cuu"),
            vec![("X-Road-Client", "VN/GOV"), BEARER],
            400,
            "client.invalid_client_identifier",
        ),
        (
            service("tra-cuu"),
            vec![("X-Road-Client", "VN/GOV/H38"), BEARER],
            400,
            "client.invalid_client_identifier",
        ),
        (
            service("tra-cuu"),
            vec![ME, BEARER, ("X-Road-Security-Server", "a/b")],
            400,
            "client.invalid_security_server",
        ),
        (
            service("tra-cuu"),
            vec![ME, BEARER, ("X-Road-Represented-Party", "a/b/c")],
            400,
            "client.bad_request",
        ),
        (
            service("tra-cuu"),
            vec![ME, BEARER, ("X_Road_Client", "VN/GOV/H38/khac")],
            400,
            "client.bad_request",
        ),
        (service("tra-cuu"), vec![ME, BEARER, ("Connection", "x-road-userid")], 400, "client.bad_request"),
        (service("tra-cuu"), vec![ME], 401, "client.ssl_authentication_failed"),
        (
            service("tra-cuu"),
            vec![ME, ("Authorization", "Basic eDp5")],
            401,
            "client.ssl_authentication_failed",
        ),
        (
            service("tra-cuu"),
            vec![ME, ("Authorization", "Bearer nonsense")],
            401,
            "client.ssl_authentication_failed",
        ),
        (service("tra-cuu"), vec![ME, BEARER, BEARER], 401, "client.ssl_authentication_failed"),
        (
            service("tra-cuu"),
            vec![ME, ("Authorization", "Bearer token-khac")],
            400,
            "client.ssl_authentication_failed",
        ),
        (
            service("tra-cuu"),
            vec![("X-Road-Client", "VN/GOV/H38/la"), ("Authorization", "Bearer token-la")],
            500,
            "server.clientproxy.unknown_member",
        ),
        (
            service("tra-cuu"),
            vec![ME, BEARER, ("X-Road-Security-Server", "EE/GOV/1/ss")],
            500,
            "server.clientproxy.invalid_security_server",
        ),
        ("/r1/VN/GOV/H38/khong-co/x".into(), vec![ME, BEARER], 500, "server.clientproxy.unknown_member"),
        (service("khong-co"), vec![ME, BEARER], 500, "server.serverproxy.unknown_service"),
        (service("chua-cap"), vec![ME, BEARER], 500, "server.serverproxy.access_denied"),
        (service("han-che"), vec![ME, BEARER], 500, "server.serverproxy.access_denied"),
        (service("han-che/nguoi/1/x"), vec![ME, BEARER], 500, "server.serverproxy.access_denied"),
        (
            service("tra-cuu"),
            vec![("X-Road-Client", "VN/GOV/H38/khac"), ("Authorization", "Bearer token-khac")],
            500,
            "server.serverproxy.access_denied",
        ),
    ];
    for (target, headers, status, kind) in cases {
        let answer = rig.raw(request(&target, &headers)).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (status, kind),
            "{target} {headers:?} {}",
            answer.text()
        );
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
        assert!(!answer.json()["message"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn earlier_checks_speak_first() {
    let rig = unreached().await;
    // Everything is wrong at once; putting right one thing after the other brings the next check to light.
    type Headers = Vec<(&'static str, &'static str)>;
    let steps: [(&str, Headers, &str); 6] = [
        ("/r2/VN/GOV/H38/dan-cu/khong-co/..", vec![], "client.invalid_protocol_version"),
        ("/r1/VN/GOV//dan-cu/khong-co/..", vec![], "client.bad_request"),
        ("/r1/VN/GOV/H38/dan-cu/khong-co/..", vec![], "client.invalid_client_identifier"),
        ("/r1/VN/GOV/H38/dan-cu/khong-co/..", vec![ME], "client.ssl_authentication_failed"),
        ("/r1/VN/GOV/H38/dan-cu/khong-co/..", vec![ME, BEARER], "server.serverproxy.unknown_service"),
        ("/r1/VN/GOV/H38/dan-cu/chua-cap/..", vec![ME, BEARER], "client.bad_request"),
    ];
    for (target, headers, kind) in steps {
        assert_eq!(rig.raw(request(target, &headers)).await.error(), kind, "{target} {headers:?}");
    }
}

#[tokio::test]
async fn what_is_recorded_of_a_refusal() {
    let rig = unreached().await;
    let answer = rig.raw(request("/r1/VN/GOV/H38/dan-cu/han-che/nguoi/1/x?q", &[ME, BEARER])).await;
    let closed = rig.ledger.only().await;
    assert_eq!(ending(&closed), (Outcome::Refused, "server.serverproxy.access_denied/out-of-scope"));
    assert_eq!(closed.call.request_id, answer.header("x-road-request-id").unwrap());
    assert_eq!((closed.request_out, closed.response_in), (None, None));
    assert_eq!((closed.request.body, closed.request.size), (Body::None, 0));
    let response = closed.response.unwrap();
    assert_eq!((response.status, response.size), (500, answer.body.len() as u64));
    assert_eq!(closed.call.agreement, None);
    assert_eq!(closed.call.consumer_auth, "oauth2");

    // Of somebody who has not proven who it is, the record says so.
    rig.raw(request("/r1/VN/GOV/H38/dan-cu/tra-cuu", &[ME])).await;
    let closed = rig.ledger.wait_closed(2).await;
    assert_eq!(closed[1].call.consumer_auth, "none");
    assert_eq!(ending(&closed[1]).1, "client.ssl_authentication_failed/token-missing");
    // Of something that names nobody, there is nothing to record.
    rig.raw(request("/r1/VN", &[ME])).await;
    assert_eq!(rig.ledger.closed().len(), 2);
    let monitored = serde_json::to_string(&*rig.meter.0.lock().unwrap()).unwrap();
    assert!(monitored.contains("\"faultCode\":\"server.serverproxy.access_denied\""), "{monitored}");
}

#[tokio::test]
async fn strangers_cannot_fill_the_log() {
    let policy = Policy { stranger_records_per_second: 1, ..Policy::default() };
    let rig = Rig::with(contents(nobody().await), policy).await;
    for _ in 0..40 {
        let answer = rig.raw(request("/r1/VN/GOV/H38/dan-cu/tra-cuu", &[ME])).await;
        assert_eq!(answer.status, 401);
    }
    let recorded = rig.ledger.closed().len();
    assert!((10..=20).contains(&recorded), "{recorded}");
    // Callers who have proven who they are are always recorded.
    for _ in 0..40 {
        rig.raw(request("/r1/VN/GOV/H38/dan-cu/chua-cap", &[ME, BEARER])).await;
    }
    assert_eq!(rig.ledger.closed().len(), recorded + 40);
}

async fn with(change: impl FnOnce(&mut Contents)) -> (Rig, std::sync::Arc<std::sync::Mutex<Vec<Got>>>) {
    let (provider, got) = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let mut contents = contents(provider);
    change(&mut contents);
    (Rig::with(contents, Policy::default()).await, got)
}

#[tokio::test]
async fn agreements_outside_their_validity_or_standing_refuse() {
    let past = Timestamp::from_micros(1_000_000);
    let future = Timestamp::from_micros(i64::MAX - 1);
    type Change = Box<dyn FnOnce(&mut Contents)>;
    let cases: Vec<(Change, &str)> = vec![
        (
            Box::new(move |c| c.agreements[0].valid_until = past),
            "server.serverproxy.access_denied/agreement-expired",
        ),
        (
            Box::new(move |c| c.agreements[0].valid_from = future),
            "server.serverproxy.access_denied/agreement-not-yet-valid",
        ),
        (
            Box::new(|c| c.agreements[0].standing = Standing::Suspended),
            "server.serverproxy.access_denied/agreement-suspended",
        ),
        (
            Box::new(|c| c.agreements[0].standing = Standing::Revoked),
            "server.serverproxy.access_denied/agreement-revoked",
        ),
        (
            Box::new(|c| c.services[0].disabled = Some("Bảo trì đến 17:00".into())),
            "server.serverproxy.service_disabled/service-disabled",
        ),
        (Box::new(move |c| c.not_after = past), "server.clientproxy.global_conf_outdated/snapshot-stale"),
    ];
    for (change, fault) in cases {
        let (rig, got) = with(change).await;
        let answer = rig.post("", b"x").await;
        assert_eq!(answer.status, 500);
        let closed = rig.ledger.only().await;
        assert_eq!(ending(&closed), (Outcome::Refused, fault));
        assert!(
            rig.ledger.opened().is_empty() && got.lock().unwrap().is_empty(),
            "nothing went to the provider"
        );
        if fault.contains("disabled") {
            assert!(answer.text().contains("Bảo trì đến 17:00"), "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_revocation_holds_at_the_next_call() {
    let (rig, got) = with(|_| {}).await;
    assert_eq!(rig.get("").await.status, 200);
    rig.tokens.revoked.lock().unwrap().insert(TOKEN.into());
    assert_eq!(rig.get("").await.status, 401);
    assert_eq!(
        ending(&rig.ledger.wait_closed(2).await[1]).1,
        "client.ssl_authentication_failed/token-revoked"
    );
    rig.tokens.revoked.lock().unwrap().clear();
    let mut contents = rig.snapshot.load().contents().clone();
    contents.agreements[0].standing = Standing::Revoked;
    rig.configure(contents);
    assert_eq!(rig.get("").await.error(), "server.serverproxy.access_denied");
    assert_eq!(got.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_used_up_quota_says_when_to_come_back() {
    let (rig, got) = with(|c| c.agreements[0].quota = Quota { per_minute: None, per_day: Some(2) }).await;
    assert_eq!((rig.get("").await.status, rig.get("").await.status), (200, 200));
    let answer = rig.get("").await;
    assert_eq!((answer.status, answer.error().as_str()), (429, "client.access_denied"));
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    assert_eq!(got.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn errors_speak_the_callers_form_language_and_style() {
    let policy = Policy { error_style: xroad::error::Style::Legacy, ..Policy::default() };
    let rig = Rig::with(contents(nobody().await), policy).await;
    let denied = "/r1/VN/GOV/H38/dan-cu/chua-cap";
    let answer =
        rig.raw(request(denied, &[ME, BEARER, ("Accept", "text/xml"), ("Accept-Language", "en")])).await;
    assert_eq!(answer.header("content-type"), Some("text/xml; charset=utf-8"));
    assert_eq!(answer.header("x-road-error"), Some("Server.ServerProxy.AccessDenied"));
    assert!(
        answer
            .text()
            .contains("<error><type>Server.ServerProxy.AccessDenied</type><message>The calling system")
    );
    let answer = rig.raw(request(denied, &[ME, BEARER])).await;
    assert!(answer.text().contains("Hệ thống gọi chưa được chấp thuận"), "{}", answer.text());
    assert_eq!(answer.header("content-language"), Some("vi"));
    assert_eq!(answer.header("x-road-id").map(|id| id.starts_with("VN-")), Some(true));
}

#[tokio::test]
async fn too_many_calls_at_once_are_told_to_come_back() {
    let provider = provider(|mut stream| async move {
        read_request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let policy = Policy { max_calls: 1, ..Policy::default() };
    let rig = Rig::with(contents(provider), policy).await;
    let mut first = TcpStream::connect(rig.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut first, get("").as_bytes()).await.unwrap();
    while rig.gateway.calls() == 0 {
        tokio::task::yield_now().await;
    }
    let answer = rig.get("").await;
    assert_eq!((answer.status, answer.error().as_str()), (503, "server.clientproxy.internal_error"));
    assert!(answer.header("retry-after").is_some());
    drop(first);
    assert_eq!(rig.ledger.only().await.outcome, Outcome::ConsumerGone);
    assert_eq!(rig.gateway.calls(), 0);
}

#[tokio::test]
async fn a_token_issued_for_something_else_opens_nothing() {
    let rig = unreached().await;
    rig.tokens.other.lock().unwrap().insert(TOKEN.into());
    let target = format!("{SERVICE}/nguoi/1");
    for path in [target.as_str(), "/r1/VN/GOV/H38/dan-cu/listMethods", "/listClients"] {
        let answer = rig.raw(request(path, &[ME, BEARER])).await;
        assert_eq!(answer.status, 403, "{path}");
        assert_eq!(answer.header("x-road-error"), Some("client.access_denied"), "{path}");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(
            challenge.contains("insufficient_scope") && challenge.contains("scope=\"exchange\""),
            "{challenge}"
        );
    }
    let closed = rig.ledger.wait_closed(2).await;
    assert!(closed.iter().all(|c| c.fault.as_deref() == Some("client.access_denied/token-scope")));
    assert!(closed.iter().all(|c| c.call.consumer_auth == "oauth2"), "it is known who called");
}

#[tokio::test]
async fn refusals_that_leave_no_record_are_counted() {
    let rig = unreached().await;
    let _ = rig.raw(request(&format!("{SERVICE}/x"), &[BEARER])).await;
    let _ = rig.raw(request(&format!("{SERVICE}/x"), &[ME])).await;
    rig.ledger.wait_closed(1).await;
    assert_eq!(*rig.meter.1.lock().unwrap(), 1, "the first did not say who calls; the second is recorded");
}
