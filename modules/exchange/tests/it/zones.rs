//! Two listeners before one gateway: what each lets in, what is refused with which reason, and what the integrator and the
//! provider see of it.

use std::collections::BTreeSet;

use evidence::Outcome;
use exchange::gateway::{Door, Policy, serve};
use exchange::permissions::INTEGRATE;
use http::StatusCode;
use kernel::entrance::{Arrival, Entrance, FrontDoor, Zone};
use kernel::{Reach, params};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::gateway_rig::{Rig, contents, ending, get, post, provider, read_answer, read_request};
use crate::site::{CONSUMER, SERVICE, Site, on_both};
use crate::world::{NUMBER, agreement};

fn outside(open: &[FrontDoor]) -> Entrance {
    Entrance {
        name: "outside".into(),
        zone: Zone::Internet,
        open: open.iter().copied().collect(),
        ..Entrance::default()
    }
}

async fn ask(at: std::net::SocketAddr, request: impl AsRef<[u8]>) -> crate::gateway_rig::Answer {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(request.as_ref()).await.unwrap();
    read_answer(&mut stream, "GET").await
}

async fn answering() -> std::net::SocketAddr {
    provider(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    })
    .await
}

#[tokio::test]
async fn what_is_kept_to_the_dedicated_network_is_refused_from_outside_and_recorded() {
    let provider = answering().await;
    let mut kept = contents(provider);
    kept.services[0].dedicated_only = true;
    let mut kept_agreement = contents(provider);
    kept_agreement.agreements[0].dedicated_only = true;
    for (contents, entrance, rule) in [
        (kept, outside(&FrontDoor::ALL), "zone-service"),
        (kept_agreement, outside(&FrontDoor::ALL), "zone-agreement"),
        (
            contents(provider),
            Entrance { agreements: ["CT-99".to_owned()].into(), ..outside(&FrontDoor::ALL) },
            "zone-listener",
        ),
    ] {
        let rig = Rig::with(contents, Policy::default()).await;
        let at = rig.also(entrance, None, None).await;
        let refused = ask(at, get("")).await;
        assert_eq!(refused.status, 403, "{rule}");
        let text = String::from_utf8(refused.body.clone()).unwrap();
        assert!(text.contains("Internet") && text.contains("access_denied"), "{rule}: {text}");
        let closed = rig.ledger.wait_closed(1).await.remove(0);
        let (outcome, fault) = ending(&closed);
        assert_eq!((outcome, fault.rsplit('/').next()), (Outcome::Refused, Some(rule)));
        assert_eq!(closed.call.consumer_auth, "oauth2@internet");
        // The same call from inside goes through.
        assert_eq!(rig.get("").await.status, 200, "{rule}");
        let inside = rig.ledger.wait_closed(2).await.remove(1);
        assert_eq!(inside.call.consumer_auth, "oauth2");
    }
}

#[tokio::test]
async fn an_agreement_that_names_no_zone_serves_both() {
    let rig = Rig::with(contents(answering().await), Policy::default()).await;
    let at = rig.also(outside(&[FrontDoor::Calls]), None, None).await;
    assert_eq!(ask(at, get("")).await.status, 200);
    assert_eq!(rig.ledger.only().await.call.consumer_auth, "oauth2@internet");
}

#[tokio::test]
async fn a_listener_without_the_door_for_calls_takes_none_and_writes_nothing() {
    let rig = Rig::with(contents(answering().await), Policy::default()).await;
    let pages = axum::Router::new().route("/units", axum::routing::get(|| async { "units" }));
    let at = rig.also(outside(&[FrontDoor::Public]), Some(pages), None).await;
    for request in [get(""), "GET /listClients HTTP/1.1\r\nHost: gw\r\n\r\n".to_owned()] {
        let refused = ask(at, request).await;
        assert_eq!(refused.status, 403);
        assert!(
            String::from_utf8_lossy(&refused.body).contains("client.access_denied")
                || refused.header("x-road-error").is_some_and(|e| e.contains("access_denied"))
        );
    }
    assert!(rig.ledger.entries().is_empty());
    assert_eq!(ask(at, "GET /units HTTP/1.1\r\nHost: gw\r\n\r\n").await.body, b"units");
}

#[tokio::test]
async fn a_listener_has_stricter_limits_of_its_own() {
    let rig = Rig::with(contents(answering().await), Policy::default()).await;
    let at =
        rig.also(Entrance { max_request_body: Some(10), ..outside(&[FrontDoor::Calls]) }, None, None).await;
    assert_eq!(ask(at, post("", &[b'x'; 11])).await.status, 413);
    assert_eq!(ask(at, post("", &[b'x'; 10])).await.status, 200);
    assert_eq!(rig.raw(post("", &[b'x'; 11])).await.status, 200);
    // A call that waits for its provider holds the only place; the next one is told to come again.
    let silent = provider(|mut stream| async move {
        read_request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let rig = Rig::with(contents(silent), Policy::default()).await;
    let at = rig.also(Entrance { max_calls: Some(1), ..outside(&[FrontDoor::Calls]) }, None, None).await;
    let mut first = TcpStream::connect(at).await.unwrap();
    first.write_all(get("").as_bytes()).await.unwrap();
    while rig.gateway.calls() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(ask(at, get("")).await.status, 503);
}

/// A call with a real token at a real listener, its answer's status.
async fn call(s: &Site, entrance: Entrance) -> u16 {
    let k = s.k();
    let scopes = BTreeSet::from(["exchange".to_owned()]);
    let token = s.issuer.issue(k, "mot-cua-1", CONSUMER, &scopes, None).unwrap().token;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let gateway = s.exchange.plane().unwrap().gateway.clone();
    let (_stop, stopping) = tokio::sync::watch::channel(false);
    let door = Door { gateway, pages: None, tls: None, entrance: std::sync::Arc::new(entrance) };
    tokio::spawn(serve(listener, door, stopping));
    let request = format!(
        "GET /r1/{SERVICE}/cong-dan/038 HTTP/1.1\r\nHost: gw\r\nX-Road-Client: {CONSUMER}\r\nAuthorization: Bearer \
         {token}\r\n\r\n"
    );
    ask(at, request).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_keeps_a_service_inside_and_the_integrator_reads_why() {
    on_both(async |s: &Site| {
        let k = s.k();
        s.issuer.start(k).await.unwrap();
        let id = agreement(k, NUMBER).await;
        let officer = s.officer(s.w.provider);
        let approve = format!("/api/exchange/v1/agreements/{id}/approve");
        let approved = officer.post_json(&approve, &serde_json::json!({})).await;
        assert_eq!(approved.status, StatusCode::OK, "{}", approved.text());
        let sql = "SELECT id FROM exchange_service WHERE code = 'tra-cuu'";
        let service = k.db.query_one(sql, params![]).await.unwrap().text("id").unwrap();
        let page = format!("/exchange/services/{service}/zones");
        assert!(call(s, outside(&[FrontDoor::Calls])).await != 403, "open to both zones at first");
        assert!(officer.get(&page).await.text().contains("Chỉ cho gọi từ mạng chuyên dùng"));
        let kept = officer.post_form(&page, &[("dedicated_only", "true")]).await;
        assert_eq!(kept.status, StatusCode::SEE_OTHER, "{}", kept.text());
        assert!(
            officer
                .get(&format!("/exchange/services/{service}"))
                .await
                .text()
                .contains("Bên cung cấp chỉ cho gọi")
        );
        assert_eq!(call(s, outside(&[FrontDoor::Calls])).await, 403);
        assert_ne!(call(s, Entrance::default()).await, 403, "the dedicated network is not concerned");

        let vendor = s.app.log_in_as(&[INTEGRATE], &Reach::Agencies([s.w.consumer].into()));
        s.calls(3).await;
        let sql = "SELECT id FROM exchange_subsystem WHERE code = 'motcua'";
        let own = k.db.query_one(sql, params![]).await.unwrap().text("id").unwrap();
        let list = vendor.get(&format!("/exchange/corner/systems/{own}/calls?ending=refused")).await.text();
        assert!(list.contains("chỉ được gọi từ mạng truyền số liệu chuyên dùng"), "{list}");
        let sql = "SELECT request_id FROM exchange_call WHERE fault LIKE '%/zone-service'";
        let number = k.db.query_one(sql, params![]).await.unwrap().text("request_id").unwrap();
        let one = vendor.get(&format!("/exchange/corner/systems/{own}/calls/{number}")).await.text();
        assert!(
            one.contains("Vùng mạng") && one.contains("Internet") && one.contains("Gọi qua địa chỉ"),
            "{one}"
        );

        // A try-out from the Internet opens no way that a call from there does not have.
        let arrival = Arrival { entrance: std::sync::Arc::new(outside(&FrontDoor::ALL)), certificate: None };
        let form = [("method", "GET"), ("path", "/cong-dan/038"), ("body", "")];
        let tried = format!("/exchange/corner/systems/{own}/try/{service}");
        let answer = vendor.coming(arrival).post_form(&tried, &form).await.text();
        assert!(answer.contains("chỉ cho gọi từ mạng truyền số liệu chuyên dùng"), "{answer}");

        let opened = officer.post_form(&page, &[("dedicated_only", "false")]).await;
        assert_eq!(opened.status, StatusCode::SEE_OTHER);
        assert_ne!(call(s, outside(&[FrontDoor::Calls])).await, 403);
    })
    .await;
}
