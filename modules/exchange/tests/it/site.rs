//! The console and the interface through the front door: what each kind of reader gets, journeys, and that no
//! endpoint stands open.

use std::collections::BTreeMap;
use std::sync::Arc;

use evidence::{Body, Bundle, Call, Closed, Field, Outcome, Request, Response};
use exchange::{Exchange, permissions};
use http::{Method, StatusCode};
use kernel::tokens::TokenIssuer;
use kernel::{Kernel, Reach, params};
use serde_json::json;
use testkit::{App, Client, TestKernel, backends};
use web::Pages;

use crate::world::{NUMBER, World, agreement};

pub(crate) const CONSUMER: &str = "VN/GOV/H38/motcua";
pub(crate) const PROVIDER: &str = "VN/GOV/C06/dancu";
pub(crate) const SERVICE: &str = "VN/GOV/C06/dancu/tra-cuu";

pub(crate) struct Site {
    pub(crate) app: App,
    pub(crate) w: World,
    pub(crate) exchange: Exchange,
    pub(crate) issuer: TokenIssuer,
}

impl Site {
    pub(crate) async fn new(backend: &'static str) -> Self {
        let issuer = TokenIssuer::new(Default::default());
        let mut settings = exchange::config::Settings::default();
        // The sample's addresses do not answer; alerts about them would come at a moment of their own.
        settings.watch.seconds = 0;
        let exchange = Exchange::connected(settings, issuer.clone(), "thu-nghiem");
        let modules: Vec<Arc<dyn Pages>> = vec![Arc::new(exchange.clone())];
        let t = Arc::new(TestKernel::new(backend, &[Arc::new(exchange.clone())]).await);
        let w = World::new(&t).await;
        Self { app: App::on(t, modules).await, w, exchange, issuer }
    }

    pub(crate) fn k(&self) -> &Kernel {
        &self.app.t.kernel
    }

    pub(crate) fn operator(&self) -> Client {
        self.app.log_in_as(&[permissions::READ, permissions::OPERATE], &Reach::Province)
    }

    pub(crate) fn officer(&self, unit: kernel::orgs::UnitId) -> Client {
        let all = [permissions::READ, permissions::DECIDE, permissions::DISCLOSE];
        self.app.log_in_as(&all, &Reach::Agencies([unit].into()))
    }

    pub(crate) async fn close(self) {
        kernel::Module::stop(&self.exchange, self.k()).await.unwrap();
        self.app.t.close().await;
    }

    /// Records a call that ended as given, as the gateway would.
    pub(crate) async fn record(&self, number: &str, outcome: Outcome, fault: Option<&str>) {
        self.record_in(None, number, outcome, fault).await;
    }

    /// The same for a call that went to a sandbox or a test.
    pub(crate) async fn record_in(
        &self,
        environment: Option<evidence::Environment>,
        number: &str,
        outcome: Outcome,
        fault: Option<&str>,
    ) {
        let now = self.k().clock.now().micros();
        let call = Call {
            request_id: number.into(),
            message_id: format!("m-{number}"),
            client: CONSUMER.into(),
            service: SERVICE.into(),
            agreement: None,
            snapshot: 1,
            consumer_auth: "oauth2".into(),
            method: "GET".into(),
            endpoint: Some("/cong-dan/*".into()),
            request_in: now,
            environment,
        };
        let private =
            vec![(Field::Path, "/cong-dan/038099".to_owned()), (Field::UserId, "VN-can-bo-7".to_owned())];
        let refused = outcome == Outcome::Refused;
        let closed = Closed {
            call,
            recorded: 0,
            request_out: (!refused).then_some(now + 1_000),
            response_in: (!refused).then_some(now + 30_000),
            request: Request { body: Body::None, size: 0 },
            response: Some(Response { status: if refused { 400 } else { 200 }, size: 512 }),
            outcome,
            fault: fault.map(ToOwned::to_owned),
            filter: None,
            opened: None,
            commitments: Default::default(),
        };
        let recorder = self.exchange.plane().unwrap().evidence.recorder().clone();
        recorder.closed(closed, private, None).await.unwrap();
    }

    /// Waits until the tables know so many calls.
    pub(crate) async fn calls(&self, count: i64) {
        for _ in 0..1_000 {
            let row =
                self.k().db.query_one("SELECT COUNT(*) AS n FROM exchange_call", params![]).await.unwrap();
            if row.int("n").unwrap() >= count {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the calls did not reach the tables");
    }
}

/// How often personal values of a call were looked at.
async fn looks(k: &Kernel, number: &str) -> i64 {
    let sql =
        "SELECT COUNT(*) AS n FROM kernel_audit WHERE action = 'exchange.call.disclose' AND subject_id = $1";
    k.db.query_one(sql, params![number]).await.unwrap().int("n").unwrap()
}

pub(crate) async fn on_both(test: impl AsyncFn(&Site)) {
    for backend in backends() {
        let site = Site::new(backend).await;
        eprintln!("— on {backend}");
        test(&site).await;
        site.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_endpoint_stands_open() {
    on_both(async |s| {
        let wrong = s.app.wrongly_open().await;
        assert!(wrong.is_empty(), "{wrong:#?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_sees_the_logs_and_nothing_else() {
    on_both(async |s| {
        s.record("00000000-0000-4000-8000-000000000001", Outcome::Answered, None).await;
        s.calls(1).await;
        let stranger = s.app.stranger();
        let page = stranger.get("/evidence").await;
        assert_eq!(page.status, StatusCode::OK);
        let dir = s.exchange.plane().unwrap().evidence.progress().origin;
        let mut checkpoint = stranger.get(&format!("/evidence/{dir}/checkpoint")).await;
        for _ in 0..300 {
            if checkpoint.text().lines().nth(1).is_some_and(|size| size != "1") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            checkpoint = stranger.get(&format!("/evidence/{dir}/checkpoint")).await;
        }
        assert_eq!(checkpoint.status, StatusCode::OK, "{}", checkpoint.text());
        assert!(checkpoint.text().starts_with("thu-nghiem/evidence"), "{}", checkpoint.text());
        assert_eq!(stranger.get(&format!("/evidence/{dir}/vkey")).await.status, StatusCode::OK);
        for secret in ["key", "../current", "current", "tile/../key", "%2e%2e/current"] {
            let answer = stranger.get(&format!("/evidence/{dir}/{secret}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{secret}");
        }
        assert_eq!(stranger.get("/evidence/x/checkpoint").await.status, StatusCode::NOT_FOUND);
        assert!(stranger.get("/exchange").await.header("location").unwrap().starts_with("/login"));
        assert_eq!(stranger.get("/api/exchange/v1/members").await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

/// Every page a reader may open by following links from the overview, with its status.
async fn walk(client: &Client) -> BTreeMap<String, StatusCode> {
    let mut seen = BTreeMap::new();
    let mut todo = vec!["/exchange".to_owned()];
    while let Some(path) = todo.pop() {
        if seen.contains_key(&path) || seen.len() > 200 {
            continue;
        }
        let answer = client.get(&path).await;
        seen.insert(path, answer.status);
        for part in answer.text().split("href=\"").skip(1) {
            let href = part.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
            let own = href.starts_with("/exchange")
                || href.starts_with("/evidence")
                || href.starts_with("/api/exchange");
            if own && !href.contains('#') {
                todo.push(href);
            }
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_on_every_page_leads_somewhere() {
    on_both(async |s| {
        s.record("00000000-0000-4000-8000-000000000001", Outcome::Answered, None).await;
        s.record(
            "00000000-0000-4000-8000-000000000002",
            Outcome::Refused,
            Some("server.serverproxy.access_denied/no-agreement"),
        )
        .await;
        s.record("00000000-0000-4000-8000-000000000003", Outcome::UpstreamFailed, Some("x/provider-timeout"))
            .await;
        s.calls(3).await;
        for (client, least) in
            [(s.operator(), 25), (s.officer(s.w.provider), 20), (s.officer(s.w.consumer), 15)]
        {
            let seen = walk(&client).await;
            let broken: Vec<_> = seen.iter().filter(|(_, status)| !status.is_success()).collect();
            assert!(broken.is_empty(), "{broken:#?}");
            assert!(seen.len() >= least, "{} pages: {:#?}", seen.len(), seen.keys());
        }
        let neighbour = s.officer(s.w.neighbour);
        assert!(walk(&neighbour).await.values().all(StatusCode::is_success), "empty pages are pages too");
        let id = agreement(s.k(), NUMBER).await;
        for path in [
            format!("/exchange/agreements/{id}"),
            "/exchange/calls/00000000-0000-4000-8000-000000000001".into(),
        ] {
            assert_eq!(neighbour.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_speak_both_languages_and_escape_what_they_show() {
    let s = Site::new("sqlite").await;
    let mut file = crate::world::sample();
    file.members.values_mut().for_each(|m| m.name = "<script>alert(1)</script> & \"Sở\"".into());
    exchange::actions::import_registry(s.k(), &crate::world::operator(s.k()), &file).await.unwrap();
    let client = s.operator();
    for path in ["/exchange/members", "/exchange/services", "/exchange/agreements", "/exchange/subsystems"] {
        let page = client.get(path).await.text();
        assert!(!page.contains("<script>alert"), "{path}");
        assert!(page.contains("alert(1)"), "{path} shows the name as text");
    }
    let english = client.send_with(Method::GET, "/exchange", None, "", &[("accept-language", "en")]).await;
    assert!(english.text().contains("Data exchange overview"), "{}", english.text().len());
    s.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_decides_in_the_console() {
    on_both(async |s| {
        let id = agreement(s.k(), NUMBER).await;
        let at = format!("/exchange/agreements/{id}");
        let provider = s.officer(s.w.provider);
        let page = provider.get(&at).await.text();
        assert!(page.contains(&format!("{at}/approve")), "the next step is offered");
        assert!(
            !s.operator().get(&at).await.text().contains(&format!("href=\"{at}/approve")),
            "and only to who may"
        );

        let form = provider.get(&format!("{at}/approve")).await;
        assert_eq!(form.status, StatusCode::OK);
        let endpoint = form
            .text()
            .split("name=\"endpoints\"")
            .nth(1)
            .unwrap()
            .split("value=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned();
        let sent = |last: &'static str| {
            vec![("version", "1"), ("endpoints", endpoint.as_str()), ("fields", "hoTen"), ("valid_to", last)]
        };
        let wrong = provider.post_form(&format!("{at}/approve"), &sent("31/02/2027")).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text().contains("31/02/2027"), "nothing typed is lost");
        let done = provider.post_form(&format!("{at}/approve"), &sent("30/06/2027")).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
        let current = s.exchange.keeper().current();
        let snapshot = current.load();
        let (c, v) = (snapshot.consumer(CONSUMER).unwrap(), snapshot.service(SERVICE).unwrap());
        assert!(snapshot.allowed(c, v, s.k().clock.now()).is_some(), "in force before the page says so");

        let stale =
            provider.post_form(&format!("{at}/suspend"), &[("version", "1"), ("reason", "Kiểm tra")]).await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
        let silent = provider.post_form(&format!("{at}/suspend"), &[("version", "2"), ("reason", " ")]).await;
        assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY);
        let done =
            provider.post_form(&format!("{at}/suspend"), &[("version", "2"), ("reason", "Kiểm tra")]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER);
        assert!(
            s.officer(s.w.consumer).get(&at).await.text().contains("Kiểm tra"),
            "the other side reads the reason"
        );
        let asked = s.officer(s.w.consumer).post_form(&format!("{at}/resume"), &[("version", "3")]).await;
        assert_eq!(asked.status, StatusCode::FORBIDDEN);
        assert_eq!(provider.get(&format!("{at}/destroy")).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interface_decides_with_etag_and_idempotency_key() {
    on_both(async |s| {
        let id = agreement(s.k(), NUMBER).await;
        let at = format!("/api/exchange/v1/agreements/{id}");
        let provider = s.officer(s.w.provider);
        let first = provider.get(&at).await;
        assert_eq!((first.header("etag"), first.json()["state"].as_str()), (Some("\"1\""), Some("waiting")));
        assert_eq!(first.json()["terms"]["endpoints"], json!(["GET /cong-dan/*"]));
        let unchanged = provider.send_with(Method::GET, &at, None, "", &[("if-none-match", "\"1\"")]).await;
        assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);

        let post = async |step: &str, body: serde_json::Value, headers: &[(&str, &str)]| {
            let path = format!("{at}/{step}");
            provider
                .send_with(Method::POST, &path, Some("application/json"), &body.to_string(), headers)
                .await
        };
        let stale = post("approve", json!({}), &[("if-match", "\"9\"")]).await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
        assert_eq!(stale.json()["type"], "urn:lienthong:problem:changed-meanwhile");
        let wider = post("approve", json!({"endpoints": ["DELETE /**"]}), &[]).await;
        assert_eq!(wider.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(wider.json()["errors"][0]["field"], "endpoints");
        for bad in [json!({"endpoint": []}), json!({"valid_to": "x"}), json!([])] {
            assert_eq!(
                post("approve", bad.clone(), &[]).await.status,
                StatusCode::UNPROCESSABLE_ENTITY,
                "{bad}"
            );
        }
        let key = [("if-match", "\"1\""), ("idempotency-key", "a-1")];
        let done = post("approve", json!({"fields": ["hoTen"]}), &key).await;
        assert_eq!((done.status, done.header("etag")), (StatusCode::OK, Some("\"2\"")), "{}", done.text());
        let again = post("approve", json!({"fields": ["hoTen"]}), &key).await;
        assert_eq!((again.status, again.json()), (StatusCode::OK, done.json()), "the same answer again");
        let reused = post("revoke", json!({"reason": "x"}), &[("idempotency-key", "a-1")]).await;
        assert_eq!(
            (reused.status, reused.json()["type"].as_str()),
            (StatusCode::CONFLICT, Some("urn:lienthong:problem:idempotency-key-reused"))
        );
        assert_eq!(post("resume", json!({}), &[]).await.status, StatusCode::CONFLICT);
        let revoked = post("revoke", json!({"reason": "Hết nhu cầu"}), &[("if-match", "\"2\"")]).await;
        assert_eq!(revoked.json()["state"], "revoked");
        let steps = provider.get(&format!("{at}/history")).await.json();
        let words: Vec<_> =
            steps.as_array().unwrap().iter().map(|s| s["step"].as_str().unwrap().to_owned()).collect();
        assert_eq!(words, ["ask", "approve", "revoke"]);
        assert_eq!(steps[2]["reason"], "Hết nhu cầu");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interface_lists_what_each_caller_may_see() {
    on_both(async |s| {
        let count = async |client: &Client, what: &str| {
            let answer = client.get(&format!("/api/exchange/v1/{what}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{what}: {}", answer.text());
            answer.json()["items"].as_array().unwrap().len()
        };
        let consumer = s.app.log_in_as_system(CONSUMER);
        for (client, expected) in [
            (s.operator(), [2, 2, 2, 1]),
            (s.officer(s.w.consumer), [1, 1, 1, 1]),
            (s.officer(s.w.neighbour), [0, 0, 0, 0]),
            (consumer.clone(), [1, 1, 1, 1]),
        ] {
            let mut got = [0; 4];
            for (n, what) in ["members", "subsystems", "services", "agreements"].into_iter().enumerate() {
                got[n] = count(&client, what).await;
            }
            assert_eq!(got, expected);
        }
        let unknown = s.app.log_in_as_system("VN/GOV/H38/khac");
        assert_eq!(unknown.get("/api/exchange/v1/members").await.status, StatusCode::FORBIDDEN);
        let first = s.operator().get("/api/exchange/v1/services?limit=1").await.json();
        let next = first["next"].as_str().unwrap();
        let second =
            s.operator().get(&format!("/api/exchange/v1/services?limit=1&after={next}")).await.json();
        assert!(second["next"].is_null() && second["items"][0]["id"] != first["items"][0]["id"]);
        for bad in [
            "services?member=x",
            "agreements?state=x",
            "agreements?after=x",
            "calls?from=x",
            "calls?ending=x",
            "calls?after=x",
        ] {
            let answer = s.operator().get(&format!("/api/exchange/v1/{bad}")).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        }
        let service = first["items"]
            .as_array()
            .unwrap()
            .iter()
            .chain(second["items"].as_array().unwrap())
            .find(|s| s["kind"] == "OPENAPI3")
            .unwrap();
        let document = consumer
            .get(&format!("/api/exchange/v1/services/{}/openapi", service["id"].as_str().unwrap()))
            .await;
        assert_eq!(document.json()["info"]["title"], "Dân cư");
        assert!(!document.text().contains("127.0.0.1"));
        assert!(
            !consumer.get("/api/exchange/v1/services").await.text().contains("127.0.0.1"),
            "inner addresses stay inside"
        );
        assert_eq!(s.operator().get("/api/exchange/v1/snapshot").await.json()["services"], 2);
        assert_eq!(
            s.officer(s.w.consumer).get("/api/exchange/v1/snapshot").await.status,
            StatusCode::FORBIDDEN
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_evidence_goes_to_the_parties_with_what_their_part_gives() {
    on_both(async |s| {
        let number = "00000000-0000-4000-8000-000000000001";
        s.record(number, Outcome::Answered, None).await;
        let path = format!("/api/exchange/v1/calls/{number}/evidence");
        let disclosed = async |client: &Client, query: &str| {
            let answer = client.get(&format!("{path}{query}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
            let name = answer.header("content-disposition").unwrap().to_owned();
            assert!(name.contains("chung-cu-") && name.ends_with(".lienthong-evidence.json\""), "{name}");
            evidence::verify(&answer.body, None).expect("a stranger accepts it");
            Bundle::parse(&answer.body).unwrap().disclosures.len()
        };
        // At once after the call: issuing waits for the log and the tables.
        assert_eq!(disclosed(&s.app.log_in_as_system(CONSUMER), "").await, 2, "its own path and user");
        assert_eq!(disclosed(&s.app.log_in_as_system(PROVIDER), "").await, 2);
        assert_eq!(disclosed(&s.operator(), "").await, 0, "operators see metadata only");
        assert_eq!(disclosed(&s.officer(s.w.consumer), "").await, 0, "nothing personal unless asked for");
        let looks = async || looks(s.k(), number).await;
        assert_eq!(looks().await, 0);
        assert_eq!(disclosed(&s.officer(s.w.consumer), "?disclose=personal").await, 2);
        assert_eq!(looks().await, 1, "the look is recorded");
        let refused = s.operator().get(&format!("{path}?disclose=personal")).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        for client in [s.officer(s.w.neighbour), s.app.log_in_as_system("VN/GOV/C06/dancu2")] {
            assert!(matches!(client.get(&path).await.status, StatusCode::NOT_FOUND | StatusCode::FORBIDDEN));
        }
        assert_eq!(s.app.stranger().get(&path).await.status, StatusCode::UNAUTHORIZED);
        let none =
            s.operator().get("/api/exchange/v1/calls/00000000-0000-4000-8000-0000000000ff/evidence").await;
        assert_eq!(none.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_tells_its_story_and_hides_who_asked() {
    on_both(async |s| {
        let number = "00000000-0000-4000-8000-000000000001";
        s.record(number, Outcome::Answered, None).await;
        s.record(
            "00000000-0000-4000-8000-000000000002",
            Outcome::Refused,
            Some("server.serverproxy.access_denied/no-agreement"),
        )
        .await;
        s.calls(2).await;
        let officer = s.officer(s.w.consumer);
        let page = officer.get(&format!("/exchange/calls/{number}")).await;
        assert_eq!(page.status, StatusCode::OK);
        let text = page.text();
        assert!(
            text.contains("Tra cứu thông tin công dân") && text.contains("Chứng cứ"),
            "names, not codes alone"
        );
        assert!(!text.contains("038099") && !text.contains("can-bo-7"), "nothing personal unless asked for");
        let shown = officer.post_form(&format!("/exchange/calls/{number}/personal"), &[]).await;
        assert!(
            shown.text().contains("/cong-dan/038099") && shown.text().contains("VN-can-bo-7"),
            "{}",
            shown.status
        );
        assert_eq!(shown.header("cache-control"), Some("no-store"));
        assert_eq!(looks(s.k(), number).await, 1);
        let denied = s.operator().post_form(&format!("/exchange/calls/{number}/personal"), &[]).await;
        assert_eq!(denied.status, StatusCode::FORBIDDEN);
        assert_eq!(looks(s.k(), number).await, 1);

        let refused = officer.get("/exchange/calls/00000000-0000-4000-8000-000000000002").await.text();
        assert!(refused.contains("chưa được chấp thuận khai thác"), "the reason in words");
        let list = async |query: &str| {
            let page = s.operator().get(&format!("/exchange/calls?{query}")).await.text();
            page.matches("<a href=\"/exchange/calls/0000").count()
        };
        assert_eq!(list("").await, 2);
        assert_eq!(list("ending=refused").await, 1);
        assert_eq!(list("ending=unknown").await, 0);
        assert_eq!(list(&format!("number=m-{number}")).await, 1);
        assert_eq!(list("period=hour&client=VN%2FGOV%2FC06%2Fdancu").await, 0);
        let json = officer.get(&format!("/api/exchange/v1/calls/{number}")).await;
        assert_eq!(json.json()["ending"], "answered");
        assert!(!json.text().contains("038099"));
    })
    .await;
}

/// The number a figure shows as its link.
fn figure(page: &str, href: &str) -> i64 {
    let link = format!("href=\"{}\">", href.replace('&', "&#38;"));
    let shown = page
        .split("lt-figure-value")
        .skip(1)
        .find_map(|part| part.split_once(&link))
        .filter(|(before, _)| before.len() < 60);
    let (_, value) = shown.unwrap_or_else(|| panic!("no figure opens {href}"));
    let digits: String = value.chars().take_while(|c| *c != '<').filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("{href}: {}", value.chars().take(60).collect::<String>()))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_opens_to_as_many_rows() {
    let s = Site::new("sqlite").await;
    for n in 1..=5 {
        let outcome = [Outcome::Answered, Outcome::Refused, Outcome::UpstreamFailed][n % 3];
        s.record(&format!("00000000-0000-4000-8000-00000000000{n}"), outcome, None).await;
    }
    s.calls(5).await;
    let client = s.operator();
    let page = client.get("/exchange").await.text();
    for (href, row) in [
        ("/exchange/calls?period=hour", "<a href=\"/exchange/calls/0"),
        ("/exchange/calls?period=today", "<a href=\"/exchange/calls/0"),
        ("/exchange/calls?period=today&ending=failed", "<a href=\"/exchange/calls/0"),
        ("/exchange/calls?ending=unknown", "<a href=\"/exchange/calls/0"),
        ("/exchange/agreements?state=waiting", "<a href=\"/exchange/agreements/0"),
        ("/exchange/agreements?state=approved", "<a href=\"/exchange/agreements/0"),
        ("/exchange/services", "<a href=\"/exchange/services/0"),
        ("/exchange/members", "<a href=\"/exchange/members/0"),
    ] {
        let rows = client.get(href).await.text().matches(row).count() as i64;
        assert_eq!(figure(&page, href), rows, "{href}");
    }
    s.close().await;
}
