//! Operational monitoring through the interface: records come once and whole, to whom they concern; how services do.

use std::collections::BTreeSet;
use std::time::Duration;

use evidence::Outcome;
use exchange::plane::ByToken;
use http::StatusCode;
use kernel::params;
use kernel::tokens::{Settings, TokenIssuer};
use serde_json::Value;
use testkit::{Client, TestKernel};
use xroad::opmon::{Record, ServerType};

use crate::site::{CONSUMER, PROVIDER, SERVICE, Site, on_both};

const RECORDS: &str = "/api/exchange/v1/operational-data";
const HEALTH: &str = "/api/exchange/v1/health-data";

fn number(n: usize) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

async fn get(client: &Client, path: &str) -> Value {
    let answer = client.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    answer.json()
}

/// Records calls `from..to`, each in the tables before the next.
async fn calls(s: &Site, from: usize, to: usize) {
    for n in from..to {
        s.record(&number(n), Outcome::Answered, None).await;
        s.calls(n as i64 + 1).await;
    }
}

/// Waits until so many records are given. A row is in the tables a moment before its batch counts as written.
async fn settled(operator: &Client, count: usize) {
    for _ in 0..1_000 {
        if get(operator, RECORDS).await["recordsCount"] == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("there were never {count} records");
}

/// Follows the answers until there is nothing more: the numbers of all records, and how many each answer had.
async fn fetch(client: &Client, limit: usize, mut next: String) -> (Vec<String>, Vec<usize>, String) {
    let (mut numbers, mut sizes) = (Vec::new(), Vec::new());
    for _ in 0..100 {
        let answer = get(client, &format!("{RECORDS}?limit={limit}{next}")).await;
        let records = answer["records"].as_array().unwrap();
        assert_eq!(answer["recordsCount"], records.len());
        next = format!("&recordsFrom={}", answer["nextRecordsFrom"]);
        if let Some(after) = answer["nextRecordsAfter"].as_str() {
            next.push_str(&format!("&recordsAfter={after}"));
        }
        if records.is_empty() {
            return (numbers, sizes, next);
        }
        sizes.push(records.len());
        numbers.extend(records.iter().map(|r| r["xRequestId"].as_str().unwrap().to_owned()));
    }
    panic!("the answers do not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_is_given_once_in_answers_that_are_not_too_large() {
    on_both(async |s| {
        let operator = s.operator();
        let wait = |seconds| s.app.t.clock.advance(Duration::from_secs(seconds));
        calls(s, 0, 2).await;
        wait(3);
        calls(s, 2, 7).await;
        let (none, _, start) = fetch(&operator, 10, String::new()).await;
        assert!(none.len() < 7, "what is younger than five seconds is not given yet");
        wait(10);
        settled(&operator, 7).await;
        let all: BTreeSet<String> = (0..7).map(number).collect();
        for limit in [1, 2, 3, 10] {
            let (numbers, sizes, _) = fetch(&operator, limit, String::new()).await;
            assert_eq!(numbers.len(), 7, "limit {limit}: {numbers:?}");
            assert_eq!(numbers.iter().cloned().collect::<BTreeSet<_>>(), all, "limit {limit}");
            assert!(sizes.iter().all(|size| *size <= limit), "{sizes:?}");
        }
        let (rest, _, next) = fetch(&operator, 10, start).await;
        assert_eq!(none.into_iter().chain(rest).collect::<Vec<_>>().len(), 7, "nothing between the answers");

        calls(s, 7, 9).await;
        assert!(fetch(&operator, 10, next.clone()).await.0.is_empty(), "not settled");
        wait(10);
        settled(&operator, 9).await;
        let (late, _, _) = fetch(&operator, 10, next).await;
        assert_eq!(late.into_iter().collect::<BTreeSet<_>>(), [number(7), number(8)].into());

        let whole = get(&operator, RECORDS).await;
        let times: Vec<i64> = whole["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["monitoringDataTs"].as_i64().unwrap())
            .collect();
        assert!(times.is_sorted());
        let (first, last) = (times[0], times[8]);
        let within = get(&operator, &format!("{RECORDS}?recordsFrom={first}&recordsTo={last}")).await;
        assert_eq!((&within["recordsCount"], &within["nextRecordsFrom"]), (&9.into(), &Value::Null));
        let before = get(&operator, &format!("{RECORDS}?recordsTo={}", first - 1)).await;
        assert_eq!(before["recordsCount"], 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_enters_once_even_when_the_tables_are_written_again() {
    on_both(async |s| {
        calls(s, 0, 3).await;
        let entered = async || {
            let sql = "SELECT request_id, monitored_at FROM exchange_call ORDER BY request_id LIMIT 3";
            let rows = s.k().db.query(sql, params![]).await.unwrap();
            rows.iter().map(|r| r.int("monitored_at").unwrap()).collect::<Vec<_>>()
        };
        let before = entered().await;
        let mut tx = s.k().begin(&kernel::Cx::kernel("test", s.k().clock.now())).await.unwrap();
        tx.execute("UPDATE exchange_origin SET indexed = 0", params![]).await.unwrap();
        tx.commit().await.unwrap();
        s.app.t.clock.advance(Duration::from_secs(60));
        calls(s, 3, 4).await;
        assert_eq!(entered().await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_go_to_whom_they_concern_and_hold_nothing_personal() {
    on_both(async |s| {
        calls(s, 0, 1).await;
        let fault = "server.serverproxy.access_denied/no-agreement";
        s.record(&number(1), Outcome::Refused, Some(fault)).await;
        s.calls(2).await;
        s.app.t.clock.advance(Duration::from_secs(10));
        settled(&s.operator(), 2).await;
        for (client, count) in [
            (s.operator(), 2),
            (s.officer(s.w.consumer), 2),
            (s.officer(s.w.provider), 2),
            (s.officer(s.w.neighbour), 0),
            (s.app.log_in_as_system(CONSUMER), 2),
            (s.app.log_in_as_system(PROVIDER), 2),
        ] {
            let answer = get(&client, RECORDS).await;
            assert_eq!(answer["recordsCount"], count);
            let text = answer.to_string();
            for personal in ["038099", "can-bo-7", "/cong-dan"] {
                assert!(!text.contains(personal), "{personal} in {text}");
            }
            for (partner, of) in [
                (CONSUMER, count),
                ("VN/GOV/H38", count),
                ("VN/GOV/C06", count),
                ("VN/GOV/C0", 0),
                ("VN/GOV/H38/khac", 0),
            ] {
                let answer = get(&client, &format!("{RECORDS}?client={partner}")).await;
                assert_eq!(answer["recordsCount"], of, "{partner}");
            }
        }
        assert_eq!(s.app.stranger().get(RECORDS).await.status, StatusCode::UNAUTHORIZED);
        let unknown = s.app.log_in_as_system("VN/GOV/H38/khac");
        assert_eq!(unknown.get(RECORDS).await.status, StatusCode::FORBIDDEN);

        let records = get(&s.operator(), RECORDS).await["records"].clone();
        let refused = &records.as_array().unwrap().iter().find(|r| r["succeeded"] == false).unwrap();
        for (name, value) in [
            ("faultCode", "server.serverproxy.access_denied"),
            ("clientMemberCode", "H38"),
            ("serviceCode", "tra-cuu"),
            ("serviceType", "OPENAPI3"),
            ("securityServerType", "Client"),
            ("messageProtocolVersion", "1"),
        ] {
            assert_eq!(refused[name], value, "{name}");
        }
        assert!(refused["faultString"].as_str().unwrap().contains("chưa được chấp thuận"), "{refused}");
        assert_eq!(refused["statusCode"], 400);
        let some = "outputField=requestInTs&outputField=succeeded&outputField=restPath";
        let records = get(&s.operator(), &format!("{RECORDS}?{some}")).await["records"].clone();
        assert_eq!(records[0].as_object().unwrap().len(), 2, "{records}");

        for bad in [
            "outputField=khong-co",
            "recordsFrom=x",
            "recordsFrom=-1",
            "recordsTo=99999999999999999",
            "recordsFrom=9&recordsTo=8",
            "recordsAfter=x",
            "client=VN",
            "limit=x",
        ] {
            let answer = s.operator().get(&format!("{RECORDS}?{bad}")).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_health_of_services_is_their_providers() {
    let s = Site::new("sqlite").await;
    let now = s.k().clock.now().millis();
    let mut call = Record::new(ServerType::Client, now - 42, now);
    call.parties(CONSUMER, SERVICE);
    call.service_type = Some("OPENAPI3".into());
    (call.request_size, call.response_size, call.succeeded) = (Some(0), Some(512), true);
    let health = &s.exchange.plane().unwrap().health;
    health.take(&call);
    (call.succeeded, call.response_out_ts) = (false, now + 1);
    health.take(&call);
    health.unrecorded();
    for (client, services) in [
        (s.operator(), 2),
        (s.officer(s.w.provider), 2),
        (s.app.log_in_as_system(PROVIDER), 2),
        (s.officer(s.w.consumer), 0),
        (s.app.log_in_as_system(CONSUMER), 0),
        (s.officer(s.w.neighbour), 0),
    ] {
        let answer = get(&client, HEALTH).await;
        let events = answer["servicesEvents"].as_array().unwrap();
        assert_eq!(events.len(), services, "{answer}");
        for event in events.iter().filter(|e| e["service"]["serviceCode"] == "tra-cuu") {
            assert_eq!(event["lastSuccessfulRequestTimestamp"], now);
            assert_eq!(event["lastUnsuccessfulRequestTimestamp"], now + 1);
            let period = &event["lastPeriodStatistics"];
            assert_eq!(period["requestAverageDuration"], 42.0);
            assert_eq!(period["responseMaxSize"], 512);
            assert_eq!(
                (&period["successfulRequestCount"], &period["unsuccessfulRequestCount"]),
                (&1.into(), &1.into())
            );
        }
        let of = get(&client, &format!("{HEALTH}?client=VN/GOV/C06")).await;
        assert_eq!(of["servicesEvents"].as_array().unwrap().len(), services);
        let of = get(&client, &format!("{HEALTH}?client={CONSUMER}")).await;
        assert_eq!(of["servicesEvents"], serde_json::json!([]));
    }
    assert_eq!(get(&s.operator(), HEALTH).await["unrecordedRequestCount"], 1);
    assert!(get(&s.officer(s.w.provider), HEALTH).await["unrecordedRequestCount"].is_null());
    assert_eq!(s.app.stranger().get(HEALTH).await.status, StatusCode::UNAUTHORIZED);
    s.close().await;
}

#[tokio::test]
async fn a_token_opens_calls_only_with_the_scope_for_them() {
    use exchange::gateway::ports::Authenticator;
    let t = TestKernel::new("sqlite", &[]).await;
    let issuer = TokenIssuer::new(Settings { issuer: "https://lgsp.example".into(), ..Settings::default() });
    issuer.start(&t.kernel).await.unwrap();
    let door = ByToken(issuer.clone());
    for (scopes, may_call) in [(&["exchange"][..], true), (&[], false), (&["exchanges", "documents"], false)]
    {
        let scopes = scopes.iter().map(|s| (*s).to_owned()).collect();
        let issued = issuer.issue(&t.kernel, "mot-cua", CONSUMER, &scopes, None).unwrap();
        let principal = door.authenticate(&issued.token, None, t.kernel.clock.now()).unwrap();
        assert_eq!((principal.subsystem.as_str(), principal.may_call), (CONSUMER, may_call), "{scopes:?}");
    }
    t.close().await;
}
