//! The integrator's corner: own systems only, credentials by oneself, one's own calls with their reasons and a report
//! without personal data, try-out calls through the gateway.

use evidence::Outcome;
use exchange::permissions::INTEGRATE;
use http::StatusCode;
use kernel::identity::Secret;
use kernel::identity::clients::{self, Proof, Which};
use kernel::orgs::UnitId;
use kernel::{Kernel, Reach, params};
use testkit::{Answer, Client, always};

use crate::site::{Site, on_both};

const CALL: &str = "00000000-0000-4000-8000-000000000001";
const REFUSED: &str = "00000000-0000-4000-8000-000000000002";

fn integrator(s: &Site, unit: UnitId) -> Client {
    s.app.log_in_as(&[INTEGRATE], &Reach::Agencies([unit].into()))
}

async fn subsystem(k: &Kernel, code: &str) -> String {
    let sql = "SELECT id FROM exchange_subsystem WHERE code = $1";
    k.db.query_one(sql, params![code]).await.unwrap().text("id").unwrap()
}

async fn service(k: &Kernel) -> String {
    let sql = "SELECT id FROM exchange_service WHERE code = 'tra-cuu'";
    k.db.query_one(sql, params![]).await.unwrap().text("id").unwrap()
}

/// What stands in the code blocks of a page, in order.
fn blocks(page: &Answer) -> Vec<String> {
    let text = page.text();
    let block = |part: &str| {
        let inner = part.split_once('>')?.1.split("</pre>").next()?;
        let plain = inner.split_once('>')?.1.replace("</code>", "");
        Some(plain.replace("&#39;", "'").replace("&#34;", "\"").replace("&#38;", "&").trim().to_owned())
    };
    text.split("<pre").skip(1).filter_map(block).collect()
}

/// `client_id` and secret of a page that shows them once.
fn shown(page: &Answer) -> (String, String) {
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let blocks = blocks(page);
    (blocks[0].clone(), blocks[1].clone())
}

async fn proves(k: &Kernel, (id, secret): &(String, String)) -> Option<Which> {
    match clients::prove(k, id, &Secret::new(secret.as_str())).await.unwrap() {
        Proof::Proven(_, which) => Some(which),
        Proof::Failed { .. } => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_vendors_at_one_agency_see_nothing_of_each_other() {
    on_both(async |s: &Site| {
        let k = s.k();
        let mut file = crate::world::sample();
        let other = file.subsystems[&"GOV/H38/motcua".parse().unwrap()].clone();
        file.subsystems.insert("GOV/H38/vanban".parse().unwrap(), other);
        exchange::actions::import_registry(k, &crate::world::operator(k), &file).await.unwrap();
        let only = |code: &str| {
            let mut grant = always(INTEGRATE, Reach::Agencies([s.w.consumer].into()));
            grant.field = Some(code.to_owned());
            s.app.log_in_with(vec![grant])
        };
        let (first, second) = (only("motcua"), only("vanban"));
        let home = first.get("/exchange/corner").await.text();
        assert!(home.contains("VN/GOV/H38/motcua") && !home.contains("VN/GOV/H38/vanban"), "{home}");
        s.record(CALL, Outcome::Answered, None).await;
        s.calls(1).await;
        let here = format!("/exchange/corner/systems/{}", subsystem(k, "motcua").await);
        for path in ["", "/calls", &format!("/calls/{CALL}"), "/credentials", "/credentials/new"] {
            assert_eq!(first.get(&format!("{here}{path}")).await.status, StatusCode::OK, "{path}");
            assert_eq!(second.get(&format!("{here}{path}")).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        let foreign = second.post_form(&format!("{here}/credentials"), &[("name", "x")]).await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND);
        let own = format!("/exchange/corner/systems/{}", subsystem(k, "vanban").await);
        assert_eq!(second.get(&format!("{own}/calls/{CALL}")).await.status, StatusCode::NOT_FOUND);
        let both = integrator(s, s.w.consumer).get("/exchange/corner").await.text();
        assert!(both.contains("motcua") && both.contains("vanban"), "without a field, all of the agency");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_changed_without_an_outage() {
    on_both(async |s: &Site| {
        let k = s.k();
        let vendor = integrator(s, s.w.consumer);
        let here = format!("/exchange/corner/systems/{}/credentials", subsystem(k, "motcua").await);
        let unnamed = vendor.post_form(&here, &[("name", " "), ("until", "31/02/2027")]).await;
        assert_eq!(unnamed.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(unnamed.text().contains("31/02/2027"), "nothing typed is lost");
        let past = vendor.post_form(&here, &[("name", "Máy chủ"), ("until", "01/01/2020")]).await;
        assert_eq!(past.status, StatusCode::UNPROCESSABLE_ENTITY);
        let first = shown(&vendor.post_form(&here, &[("name", "Máy chủ chính")]).await);
        assert_eq!(proves(k, &first).await, Some(Which::Present));
        let list = vendor.get(&here).await.text();
        assert!(list.contains("Máy chủ chính") && !list.contains(&first.1), "a secret is shown once");

        let sql = "SELECT id FROM identity_client WHERE client_id = $1";
        let id = k.db.query_one(sql, params![first.0.as_str()]).await.unwrap().text("id").unwrap();
        let rotate = format!("{here}/{id}/rotate");
        assert_eq!(vendor.get(&rotate).await.status, StatusCode::OK);
        let long = vendor.post_form(&rotate, &[("overlap_hours", "999"), ("version", "1")]).await;
        assert_eq!(long.status, StatusCode::UNPROCESSABLE_ENTITY);
        let second = shown(&vendor.post_form(&rotate, &[("overlap_hours", "24"), ("version", "1")]).await);
        assert_eq!(proves(k, &first).await, Some(Which::Previous), "the old one serves beside the new one");
        assert_eq!(proves(k, &second).await, Some(Which::Present));
        let stale = vendor.post_form(&rotate, &[("overlap_hours", "24"), ("version", "1")]).await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
        let third = shown(&vendor.post_form(&rotate, &[("overlap_hours", "0"), ("version", "2")]).await);
        assert_eq!((proves(k, &second).await, proves(k, &third).await), (None, Some(Which::Present)));

        let end = vendor.post_form(&format!("{here}/{id}/end"), &[("until", ""), ("version", "3")]).await;
        assert_eq!(end.status, StatusCode::SEE_OTHER);
        let gone = vendor.post_form(&format!("{here}/{id}/revoke"), &[("version", "4")]).await;
        assert_eq!(gone.status, StatusCode::SEE_OTHER, "{}", gone.text());
        assert_eq!(proves(k, &third).await, None);
        let over = vendor.post_form(&rotate, &[("overlap_hours", "24"), ("version", "5")]).await;
        assert_eq!(over.status, StatusCode::CONFLICT);
        let sql = "SELECT COUNT(*) AS n FROM kernel_audit WHERE action LIKE 'exchange.credential.%'";
        assert_eq!(k.db.query_one(sql, params![]).await.unwrap().int("n").unwrap(), 5);
        let sql = "SELECT COUNT(*) AS n FROM kernel_journal WHERE body LIKE '%lts_%'";
        assert_eq!(k.db.query_one(sql, params![]).await.unwrap().int("n").unwrap(), 0, "no secret in facts");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_why_what_to_do_and_gives_a_report_without_personal_data() {
    on_both(async |s: &Site| {
        s.record(CALL, Outcome::Answered, None).await;
        let fault = "server.serverproxy.access_denied/out-of-scope";
        s.record(REFUSED, Outcome::Refused, Some(fault)).await;
        s.calls(2).await;
        let vendor = integrator(s, s.w.consumer);
        let here = format!("/exchange/corner/systems/{}", subsystem(s.k(), "motcua").await);
        let rows = async |query: &str| {
            let page = vendor.get(&format!("{here}/calls?{query}")).await.text();
            page.matches(&format!("<a href=\"{here}/calls/0000")).count()
        };
        assert_eq!(rows("").await, 2);
        assert_eq!(rows("ending=refused").await, 1);
        assert_eq!(rows("service=VN%2FGOV%2FC06%2Fdancu%2Fkhac").await, 0);
        assert_eq!(rows(&format!("number={REFUSED}")).await, 1);
        let page = vendor.get(&format!("{here}/calls/{REFUSED}")).await;
        let text = page.text();
        assert!(text.contains("Chấp thuận khai thác không bao gồm phương thức và đường dẫn"), "the reason");
        assert!(text.contains("So phương thức và đường dẫn với những gì chấp thuận mở"), "what to do");
        let report = &blocks(&page)[0];
        for needed in
            [REFUSED, "VN/GOV/C06/dancu/tra-cuu", "out-of-scope", "server.serverproxy.access_denied"]
        {
            assert!(report.contains(needed), "{needed}: {report}");
        }
        for personal in ["038099", "can-bo-7", &format!("m-{REFUSED}")] {
            assert!(!text.contains(personal), "{personal}");
        }
        let home = vendor.get(&here).await.text();
        assert!(home.contains(REFUSED) && !home.contains(CALL), "the overview shows what went wrong");
        let bundle = vendor.get(&format!("{here}/calls/{CALL}/evidence")).await;
        assert_eq!(bundle.status, StatusCode::OK, "{}", bundle.text());
        assert!(!bundle.text().contains("038099"));
        evidence::verify(&bundle.body, None).expect("a stranger accepts it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_try_out_goes_through_the_gateway_and_is_marked() {
    on_both(async |s: &Site| {
        let k = s.k();
        s.issuer.start(k).await.unwrap();
        let vendor = integrator(s, s.w.consumer);
        let here = format!("/exchange/corner/systems/{}", subsystem(k, "motcua").await);
        let at = format!("{here}/try/{}", service(k).await);
        assert_eq!(vendor.get(&at).await.status, StatusCode::OK);
        for (method, path, body) in [("TRACE", "/a", ""), ("GET", "a", ""), ("POST", "/a", "{")] {
            let bad = vendor.post_form(&at, &[("method", method), ("path", path), ("body", body)]).await;
            assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY, "{method} {path}");
        }
        let tried = vendor.post_form(&at, &[("method", "GET"), ("path", "/cong-dan/038099000001")]).await;
        assert_eq!(tried.status, StatusCode::OK, "{}", tried.text());
        assert!(tried.text().contains("Cổng từ chối"), "the agreement still waits");
        s.calls(1).await;
        let sql = "SELECT request_id, client, consumer_auth, fault FROM exchange_call";
        let row = k.db.query_one(sql, params![]).await.unwrap();
        assert_eq!(row.text("consumer_auth").unwrap(), "@try-out");
        assert_eq!(row.text("client").unwrap(), "VN/GOV/H38/motcua");
        assert!(row.text("fault").unwrap().ends_with("/no-agreement"), "{:?}", row.text("fault"));
        let number = row.text("request_id").unwrap();
        assert!(tried.text().contains(&format!("{here}/calls/{number}")), "the way to reason and evidence");
        let sql = "SELECT COUNT(*) AS n FROM kernel_audit WHERE action = 'exchange.call.tried'";
        assert_eq!(
            k.db.query_one(sql, params![]).await.unwrap().int("n").unwrap(),
            1,
            "who pressed is recorded"
        );
        let mut last = tried.status;
        for _ in 0..25 {
            last = vendor.post_form(&at, &[("method", "GET"), ("path", "/cong-dan/1")]).await.status;
        }
        assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_describes_every_service_and_is_found_without_tone_marks() {
    on_both(async |s: &Site| {
        let vendor = integrator(s, s.w.neighbour);
        let found = vendor.get("/exchange/corner/catalogue?q=tra+cuu+thong+tin").await.text();
        assert!(found.contains("Tra cứu thông tin công dân"), "{found}");
        let none = vendor.get("/exchange/corner/catalogue?q=khong+co+gi").await.text();
        assert!(!none.contains("Tra cứu thông tin công dân"));
        let page = vendor.get(&format!("/exchange/corner/catalogue/{}", service(s.k()).await)).await;
        assert_eq!(page.status, StatusCode::OK);
        let text = page.text();
        assert!(
            text.contains("/r1/VN/GOV/C06/dancu/tra-cuu") && !text.contains("127.0.0.1"),
            "no inner address"
        );
        assert!(text.contains("chưa có chấp thuận khai thác dịch vụ này"), "nothing to try");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conformance_reads_what_a_system_did_and_says_what_to_do() {
    on_both(async |s: &Site| {
        let k = s.k();
        let vendor = integrator(s, s.w.consumer);
        let system = subsystem(k, "motcua").await;
        let (page, api) = (
            format!("/exchange/corner/systems/{system}/conformance"),
            format!("/api/exchange/v1/corner/systems/{system}/conformance"),
        );
        let none = vendor.post_json(&api, &serde_json::json!({})).await;
        assert_eq!(none.json()["passed"], false, "without a call nothing passes: {}", none.text());
        s.record(CALL, Outcome::Answered, None).await;
        s.calls(1).await;
        let ran = vendor.post_form(&page, &[]).await;
        assert_eq!(ran.status, StatusCode::SEE_OTHER, "{}", ran.text());
        let one = vendor.get(ran.header("location").unwrap()).await;
        assert!(one.text().contains("Không có mục nào không đạt"), "{}", one.text());
        let runs = vendor.get(&api).await.json();
        let passed: Vec<_> =
            runs.as_array().unwrap().iter().map(|r| r["passed"].as_bool().unwrap()).collect();
        assert_eq!(passed, [true, false], "kept, newest first");
        let sql = "SELECT COUNT(*) AS n FROM kernel_journal WHERE kind = 'exchange.conformance.passed'";
        assert_eq!(k.db.query_one(sql, params![]).await.unwrap().int("n").unwrap(), 1);
        let own = exchange::ids::SubsystemId(system.parse().unwrap());
        let latest = exchange::conformance::latest(&k.db, own, None).await.unwrap().unwrap();
        assert!(latest.passed, "what a path to production reads");
        let foreign = vendor.post_json(&api, &serde_json::json!({ "service": service(k).await })).await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND, "a service of another system");
        let neighbour = integrator(s, s.w.neighbour);
        assert_eq!(neighbour.get(&api).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

/// A provider that answers as told, on a port of its own, until the test ends.
async fn provider(answer: fn(&str) -> (u16, &'static str, &'static str)) -> std::net::SocketAddr {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut head, mut piece) = (Vec::new(), [0u8; 4096]);
                while !head.windows(4).any(|w| w == b"\r\n\r\n") {
                    match socket.read(&mut piece).await {
                        Ok(n) if n > 0 => head.extend_from_slice(&piece[..n]),
                        _ => return,
                    }
                }
                let text = String::from_utf8_lossy(&head).into_owned();
                let path = text.split(' ').nth(1).unwrap_or("/");
                let (status, kind, body) = answer(path);
                let sent = format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = socket.write_all(sent.as_bytes()).await;
            });
        }
    });
    address
}

const DESCRIBED: &str = r##"{"openapi":"3.1.0","info":{"title":"Dân cư","version":"1"},"paths":{"/cong-dan/{so}":{"get":{
    "parameters":[{"name":"so","in":"path","required":true,"example":"038099000001"}],
    "responses":{"200":{"description":"Có","content":{"application/json":{"schema":{"$ref":"#/components/schemas/CongDan"}}}}}}}},
    "components":{"schemas":{"CongDan":{"type":"object","required":["hoTen"],"properties":{"hoTen":{"type":"string"}}}}}}"##;

/// Outcomes by code of a run against a provider that answers so.
async fn tested(s: &Site, answer: fn(&str) -> (u16, &'static str, &'static str)) -> serde_json::Value {
    let k = s.k();
    let address = provider(answer).await;
    let text = crate::registry_file::GOOD
        .replace("agency = \"H38\"", "agency = \"H38.01\"")
        .replace("http://127.0.0.1:9101/api", &format!("http://{address}"))
        .replace("state = \"approved\"", "state = \"waiting\"");
    let attachments = |_: &str| Ok(DESCRIBED.as_bytes().to_vec());
    let file = exchange::registry_file::read(text.as_bytes(), &attachments).unwrap();
    exchange::actions::import_registry(k, &crate::world::operator(k), &file).await.unwrap();
    s.exchange.keeper().refresh(k).await.unwrap();
    let vendor = s.app.log_in_as(&[INTEGRATE], &Reach::Province);
    let api = format!("/api/exchange/v1/corner/systems/{}/conformance", subsystem(k, "dancu").await);
    let run = vendor.post_json(&api, &serde_json::json!({ "service": service(k).await })).await;
    assert_eq!(run.status, StatusCode::OK, "{}", run.text());
    run.json()
}

fn outcome(run: &serde_json::Value, code: &str) -> String {
    let checks = run["checks"].as_array().unwrap();
    let check = checks.iter().find(|c| c["code"] == code).unwrap_or_else(|| panic!("{code}: {run}"));
    check["outcome"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_compared_with_its_description() {
    let s = Site::new("sqlite").await;
    let good = tested(&s, |path| match path {
        "/cong-dan/038099000001" => (200, "application/json", r#"{"hoTen":"Nguyễn Văn Mẫu"}"#),
        _ => (404, "application/problem+json", r#"{"title":"Không có"}"#),
    })
    .await;
    for code in [
        "document",
        "references",
        "examples",
        "statuses",
        "media-types",
        "schemas",
        "repeatable",
        "unknown-path",
    ] {
        assert_eq!(outcome(&good, code), "passed", "{code}: {good}");
    }
    let bad = tested(&s, |path| match path {
        "/cong-dan/038099000001" => (200, "application/json", r#"{"ten":"Nguyễn Văn Mẫu"}"#),
        _ => (200, "text/html", "<h1>Xin chào</h1>"),
    })
    .await;
    assert_eq!(bad["passed"], false);
    assert_eq!(outcome(&bad, "schemas"), "failed");
    assert_eq!(outcome(&bad, "unknown-path"), "failed");
    assert!(!bad.to_string().contains("Văn Mẫu"), "places and rules, never values: {bad}");
    s.close().await;
}
