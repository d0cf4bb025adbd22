//! What calls and answers say beside their content: the environment a call names, and the end of a service.

#![allow(clippy::unwrap_used, reason = "a step of a test that fails fails the test")]

use base::clock::Timestamp;
use base::ids::Uuid;
use exchange::environment::Environment;
use exchange::gateway::Policy;
use exchange::ids::{AgreementId, AnnouncementId};
use exchange::snapshot::{Announced, Contents, Standing};

use crate::gateway_rig::*;

const DOCUMENT: &str = r#"{"openapi":"3.0.3","info":{"title":"T","version":"1"},"paths":{"/nguoi/{so}":{"get":{"responses":{"200":{"content":{
    "application/json":{"example":{"gia_lap":true}}}}}}}}}"#;

async fn provides() -> std::net::SocketAddr {
    answering("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}").await.0
}

fn both(provider: std::net::SocketAddr) -> Contents {
    let mut contents = contents(provider);
    let mut sandbox = contents.agreements[0].clone();
    // Older than the one in production.
    sandbox.id = AgreementId(Uuid::from_u128(1));
    sandbox.environment = Environment::Sandbox;
    contents.agreements.push(sandbox);
    contents
}

#[tokio::test]
async fn a_call_goes_where_it_says_and_unasked_to_production() {
    let rig = Rig::with_documents(both(provides().await), &[("doc-1", DOCUMENT)]).await;
    let real = rig.get("/nguoi/1").await;
    assert_eq!((real.status, real.header("lienthong-environment")), (200, None));
    assert!(!real.text().contains("gia_lap"));
    let sandbox = rig.get_with("/nguoi/1", &[("Lienthong-Environment", "sandbox")]).await;
    assert_eq!((sandbox.status, sandbox.header("lienthong-environment")), (200, Some("sandbox")));
    assert!(sandbox.text().contains("gia_lap"), "{}", sandbox.text());
    let closed = rig.ledger.wait_closed(2).await;
    assert_eq!(closed[0].call.environment, None);
    assert_eq!(closed[1].call.environment, Some(evidence::Environment::Sandbox));

    let test = rig.get_with("/nguoi/1", &[("Lienthong-Environment", "test")]).await;
    assert!(
        test.text().contains("kiểm thử") && test.text().contains("Lienthong-Environment: production"),
        "{}",
        test.text()
    );
    for wrong in [
        vec![("Lienthong-Environment", "PRODUCTION")],
        vec![("lienthong-environment", "")],
        vec![("Lienthong-Environment", "sandbox"), ("Lienthong-Environment", "sandbox")],
    ] {
        let answer = rig.get_with("/nguoi/1", &wrong).await;
        assert_eq!(answer.error(), "client.bad_request", "{wrong:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_suspended_production_never_falls_back_to_a_sandbox_unasked() {
    let mut contents = both(provides().await);
    contents.agreements[0].standing = Standing::Suspended;
    let rig = Rig::with_documents(contents, &[("doc-1", DOCUMENT)]).await;
    let refused = rig.get("/nguoi/1").await;
    assert_ne!(refused.status, 200);
    assert!(refused.text().contains("Lienthong-Environment: sandbox"), "says how to try: {}", refused.text());
    let closed = rig.ledger.only().await;
    assert!(
        closed.fault.unwrap().ends_with("/agreement-suspended"),
        "the rule is the one of its environment"
    );
    assert_eq!(rig.get_with("/nguoi/1", &[("Lienthong-Environment", "sandbox")]).await.status, 200);
}

#[tokio::test]
async fn answers_and_refusals_of_an_ending_service_carry_its_dates() {
    let mut ending = contents(provides().await);
    ending.services[0].announced = Some(Announced {
        id: AnnouncementId(Uuid::from_u128(5)),
        deprecated_at: Timestamp::from_micros(1_000_000),
        ends_at: Some(Timestamp::from_micros(2_000_000)),
        refuses: false,
        successor: Some("VN/GOV/H38/dan-cu/chua-cap".into()),
    });
    let policy = Policy { site: "https://lgsp.example".into(), ..Policy::default() };
    let rig = Rig::with(ending.clone(), policy.clone()).await;
    let answer = rig.get("/nguoi/1").await;
    assert_eq!(answer.status, 200, "over, but nobody confirmed that it is refused: {}", answer.text());
    assert_eq!(answer.header("deprecation"), Some("@1"));
    assert_eq!(answer.header("sunset"), Some("Thu, 01 Jan 1970 00:00:02 GMT"));
    let links = answer.all("link").join(", ");
    assert!(links.contains("</r1/VN/GOV/H38/dan-cu/chua-cap>; rel=\"successor-version\""), "{links}");
    assert!(
        links.contains("<https://lgsp.example/exchange/announcements/") && links.contains("rel=\"sunset\""),
        "{links}"
    );

    ending.services[0].announced.as_mut().unwrap().refuses = true;
    let rig = Rig::with(ending, policy).await;
    let refused = rig.get("/nguoi/1").await;
    assert_eq!(refused.error(), "server.serverproxy.access_denied");
    assert!(
        refused.text().contains("VN/GOV/H38/dan-cu/chua-cap"),
        "names what replaces it: {}",
        refused.text()
    );
    assert_eq!(refused.header("deprecation"), Some("@1"), "refusals say it too");
    assert!(rig.ledger.only().await.fault.unwrap().ends_with("/service-ended"));
}
