//! Metadata services: who is there, what they offer, what the caller may call, and descriptions without addresses.

use evidence::Outcome;
use exchange::gateway::Policy;

use crate::gateway_rig::*;

fn meta(code: &str, query: &str) -> String {
    get("").replace(&format!("{SERVICE} "), &format!("/r1/VN/GOV/H38/dan-cu/{code}{query} "))
}

#[tokio::test]
async fn methods_are_listed_whole_or_as_far_as_allowed() {
    let rig = Rig::new(nobody().await).await;
    let answer = rig.raw(meta("listMethods", "")).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json; charset=utf-8"))
    );
    let codes = |answer: &Answer| -> Vec<String> {
        let list = answer.json();
        list["service"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["service_code"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(codes(&answer), ["chua-cap", "han-che", "tra-cuu"]);
    let first = answer.json()["service"][0].clone();
    assert_eq!(first["endpoint_list"][0], serde_json::json!({"method": "GET", "path": "/nguoi/*"}));
    assert_eq!(
        (first["object_type"].as_str(), first["service_type"].as_str()),
        (Some("SERVICE"), Some("OPENAPI3"))
    );
    for header in ["x-road-id", "x-road-client", "x-road-service", "x-road-request-id", "x-road-request-hash"]
    {
        assert!(answer.header(header).is_some(), "{header}");
    }
    assert_eq!(answer.header("x-road-service"), Some("VN/GOV/H38/dan-cu/listMethods"));

    let answer = rig.raw(meta("allowedMethods", "")).await;
    assert_eq!(codes(&answer), ["han-che", "tra-cuu"]);
    let list = answer.json();
    let limited =
        list["service"].as_array().unwrap().iter().find(|s| s["service_code"] == "han-che").unwrap();
    assert_eq!(limited["endpoint_list"].as_array().unwrap().len(), 2, "the endpoints of the agreement");

    let closed = rig.ledger.wait_closed(2).await;
    assert!(
        closed
            .iter()
            .all(|c| c.outcome == Outcome::Answered && c.request_out.is_none() && c.call.agreement.is_none())
    );

    assert_eq!(
        rig.raw(meta("listMethods", "").replace("dan-cu", "khong-co")).await.error(),
        "server.clientproxy.unknown_member"
    );
    let stranger = meta("listMethods", "").replace(TOKEN, "nonsense");
    assert_eq!(rig.raw(stranger).await.status, 401);
}

#[tokio::test]
async fn descriptions_come_without_addresses() {
    let rig = Rig::new(nobody().await).await;
    let answer = rig.raw(meta("getOpenAPI", "?serviceCode=tra%2Dcuu")).await;
    assert_eq!(answer.json()["servers"][0]["url"], "http://example.org/xroad-endpoint");
    assert!(!answer.text().contains("10.9.8.7"));
    assert_eq!(rig.raw(meta("getOpenAPI", "")).await.error(), "server.serverproxy.invalid_request");
    let unknown = rig.raw(meta("getOpenAPI", "?serviceCode=khong-co")).await;
    assert_eq!(unknown.error(), "server.serverproxy.unknown_service");
    let mut contents = contents(nobody().await);
    contents.services[0].openapi = None;
    contents.services[1].openapi = Some("lost".into());
    let rig = Rig::with(contents, Policy::default()).await;
    for code in ["tra-cuu", "han-che"] {
        let answer = rig.raw(meta("getOpenAPI", &format!("?serviceCode={code}"))).await;
        assert_eq!(answer.error(), "server.serverproxy.service_type");
    }
}

#[tokio::test]
async fn clients_are_listed_as_json_or_xml() {
    let rig = Rig::new(nobody().await).await;
    let list = |query: &str, accept: &str| {
        format!(
            "GET /listClients{query} HTTP/1.1\r\nHost: gw\r\nAuthorization: Bearer {TOKEN}\r\nAccept: {accept}\r\n\r\n"
        )
    };
    let answer = rig.raw(list("", "application/json")).await;
    let members = answer.json()["member"].as_array().unwrap().clone();
    assert_eq!(members.len(), 4);
    assert_eq!(members[0]["id"]["object_type"], "MEMBER");
    assert_eq!(
        (members[1]["id"]["subsystem_code"].as_str(), members[1]["subsystem_name"].as_str()),
        (Some("mot-cua"), Some("Một cửa"))
    );
    let answer = rig.raw(list("?xRoadInstance=VN", "*/*")).await;
    assert_eq!(answer.header("content-type"), Some("text/xml; charset=utf-8"));
    assert!(answer.text().contains("<id:subsystemCode>dan-cu</id:subsystemCode>"));
    let elsewhere = rig.raw(list("?xRoadInstance=EE", "application/json")).await;
    assert_eq!(elsewhere.json()["member"].as_array().unwrap().len(), 0);

    let stranger = "GET /listClients HTTP/1.1\r\nHost: gw\r\n\r\n";
    assert_eq!(rig.raw(stranger).await.status, 401);
    assert_eq!(rig.raw(stranger.replace("GET", "POST")).await.status, 400);
    let policy = Policy { open_list_clients: true, ..Policy::default() };
    let open = Rig::with(contents(nobody().await), policy).await;
    assert_eq!(open.raw(stranger).await.status, 200);
    assert!(open.ledger.entries().is_empty(), "reading the list is no call");
}
