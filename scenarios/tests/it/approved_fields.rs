//! A one-stop system asks for three fields of the population registry; the provider narrows them to two. Calls in the
//! sandbox answer invented people with exactly two fields, the test is passed by a conformance run, calls in production
//! give real people with exactly two fields although the provider sends more; the bundle proves it without the platform;
//! once suspended, calls are refused.

use anyhow::{Context, Result, ensure};
use reqwest::{Method, StatusCode};
use scenarios::call::Answer;
use scenarios::{Caller, Contract, Options, Platform};
use serde_json::{Value, json};

/// An officer at the interface.
struct Officer {
    http: reqwest::Client,
    contract: Contract,
    cookie: String,
}

impl Officer {
    async fn sign_in(contract: &Contract, role: &str) -> Result<Self> {
        let policy = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().no_proxy().redirect(policy).build()?;
        let login = &contract.logins[role];
        let form = [
            ("username", login["username"].as_str().context("a user name")?),
            ("password", login["password"].as_str().context("a password")?),
        ];
        let request = http.post(contract.absolute("/login")).header("Origin", &contract.base_url);
        let answer = request.form(&form).send().await?;
        let cookies = answer.headers().get_all("set-cookie").iter().filter_map(|v| v.to_str().ok());
        let pairs: Vec<_> = cookies.filter_map(|c| c.split(';').next()).map(str::to_owned).collect();
        ensure!(!pairs.is_empty(), "{role} was not let in: {}", answer.status());
        Ok(Self { http, contract: contract.clone(), cookie: pairs.join("; ") })
    }

    async fn ask(&self, method: Method, path: &str, body: Option<reqwest::Body>) -> Result<Value> {
        let url = self.contract.absolute(&format!("/api/exchange/v1/{path}"));
        let mut request = self.http.request(method, url).header("Cookie", &self.cookie);
        request = request.header("Origin", &self.contract.base_url).header("Accept", "application/json");
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body);
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{path} was answered with {status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }

    async fn get(&self, path: &str) -> Result<Value> {
        self.ask(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.ask(Method::POST, path, Some(body.to_string().into())).await
    }

    /// The identifier of the thing of a list whose key ends so.
    async fn id(&self, list: &str, ends: &str) -> Result<String> {
        let found = self.get(&format!("{list}?limit=200")).await?;
        let items = found["items"].as_array().context("a list")?;
        let fits = |item: &&Value| {
            item.as_object()
                .is_some_and(|o| o.values().any(|v| v.as_str().is_some_and(|v| v.ends_with(ends))))
        };
        let item = items.iter().find(fits).with_context(|| format!("nothing of {list} ends with {ends}"))?;
        Ok(item["id"].as_str().context("an identifier")?.to_owned())
    }
}

/// The names of an answer's fields, in their order.
fn names(answer: &Answer) -> Vec<String> {
    let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    value.as_object().map(|o| o.keys().cloned().collect()).unwrap_or_default()
}

/// The number of the configuration the gateway decides by.
async fn serial(operator: &Officer) -> Result<u64> {
    operator.get("snapshot").await?["serial"].as_u64().context("a number")
}

/// Takes a step, and waits until the gateway decides by it, so that no call is refused for being early.
async fn step(operator: &Officer, by: &Officer, path: &str, body: &Value) -> Value {
    let before = serial(operator).await.unwrap();
    let taken = by.post(path, body).await.unwrap();
    for _ in 0..200 {
        if serial(operator).await.unwrap() > before {
            return taken;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{path} did not reach the gateway");
}

/// A conformance run of the consumer's system that has seen its calls: records reach the tables a moment later.
async fn conformed(integrator: &Officer) -> Value {
    let systems = integrator.get("corner/systems").await.unwrap();
    let found =
        systems.as_array().unwrap().iter().find(|s| s["path"].as_str().unwrap().ends_with("/mot-cua"));
    let at = format!("corner/systems/{}/conformance", found.unwrap()["id"].as_str().unwrap());
    let mut run = Value::Null;
    for _ in 0..100 {
        run = integrator.post(&at, &json!({})).await.unwrap();
        if run["passed"] == true {
            return run;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    panic!("no run passed: {run}");
}

#[tokio::test]
async fn only_the_approved_fields_leave_from_the_sandbox_to_production() {
    let scratch = tempfile::tempdir().unwrap();
    let mut options = Options::new(&scratch.path().join("data")).unwrap();
    options.arguments = vec!["--rate".into(), "0".into()];
    let platform = Platform::start(options).await.unwrap();
    let contract = platform.contract().clone();
    let caller = Caller::new(&contract).await.unwrap();
    let [consumer, provider, operator, integrator] = [
        Officer::sign_in(&contract, "consumer").await.unwrap(),
        Officer::sign_in(&contract, "provider").await.unwrap(),
        Officer::sign_in(&contract, "operator").await.unwrap(),
        Officer::sign_in(&contract, "integrator").await.unwrap(),
    ];
    let pause = json!({ "reason": "Rà soát lại phạm vi khai thác." });
    let before = consumer.id("agreements", "01/CN-KTDL").await.unwrap();

    // The commune's one-stop system asks for three fields, while its older agreement goes on.
    let today = today(&consumer, &before).await.unwrap();
    let new = json!({
        "consumer": consumer.id("subsystems", "/mot-cua").await.unwrap(),
        "service": provider.id("services", "/tra-cuu-cong-dan").await.unwrap(),
        "draft": {
            "fields": ["so_dinh_danh", "ho_ten", "ngay_sinh"],
            "purpose": "Xác minh người nộp hồ sơ tại bộ phận một cửa cấp xã.",
            "legal_basis": ["Nghị định 278/2025/NĐ-CP"],
            "valid_from": today, "valid_to": "2031-12-31",
            "letter_number": "21/UBND", "letter_date": today,
            "security_level": 2, "security_decision": "3/QĐ-UBND",
            "contact_name": "Người Giả Định", "contact_phone": "0000",
        },
    });
    let asked = consumer.post("connections", &new).await.unwrap();
    let id = asked["id"].as_str().unwrap().to_owned();
    let missing = json!(["letter-file", "security-file", "personal-file"]);
    assert_eq!((&asked["missing"], &asked["turn"]), (&missing, &json!("consumer")));
    assert!(consumer.post(&format!("connections/{id}/submit"), &json!({})).await.is_err(), "not yet");
    for kind in ["letter", "security", "personal"] {
        let at = format!("connections/{id}/files?kind={kind}&name=tep.pdf");
        consumer.ask(Method::POST, &at, Some("%PDF-1.4 minh hoa".into())).await.unwrap();
    }
    let sent = step(&operator, &consumer, &format!("connections/{id}/submit"), &json!({})).await;
    assert_eq!((&sent["state"], &sent["turn"]), (&json!("waiting"), &json!("provider")));
    assert!(sent["due"].as_str().is_some_and(|due| due > today.as_str()), "the provider has a term: {sent}");

    // The provider narrows it to two. Calls that name no environment stay in production, under the older agreement.
    let two = json!({ "fields": ["so_dinh_danh", "ho_ten"] });
    step(&operator, &provider, &format!("agreements/{id}/approve"), &two).await;
    let real = caller.call("fields-1").await.unwrap();
    assert!(real.status.is_success() && !invented(&real) && names(&real).len() > 2, "{real:?}");
    let answer = caller.clone().in_environment("sandbox").call("fields-2").await.unwrap();
    assert_eq!((answer.status, names(&answer)), (StatusCode::OK, two_names()), "{answer:?}");
    assert!(invented(&answer), "nobody real: {answer:?}");
    let sandbox = filtered(&caller, scratch.path(), &answer).await;
    assert_eq!(sandbox["environment"], "sandbox");

    // The test is passed by a conformance run that has seen a call in it, and by nothing else.
    step(&operator, &consumer, &format!("agreements/{id}/test"), &json!({})).await;
    let record = json!({ "reason": "Biên bản kiểm thử 01/BB-KT" });
    let early = provider.post(&format!("agreements/{id}/produce"), &record).await.unwrap_err();
    assert!(early.to_string().contains("conformance-missing"), "{early}");
    let tried = caller.clone().in_environment("test").call("fields-3").await.unwrap();
    assert_eq!((tried.status, names(&tried)), (StatusCode::OK, two_names()));
    let run = conformed(&integrator).await;
    let stopped = json!({ "reason": "Thay bằng chấp thuận mới, hẹp hơn." });
    step(&operator, &provider, &format!("agreements/{id}/produce"), &record).await;
    step(&operator, &provider, &format!("agreements/{before}/revoke"), &stopped).await;
    let history = provider.get(&format!("agreements/{id}/history")).await.unwrap();
    let history = history.as_array().unwrap();
    let produced = history.iter().find(|h| h["step"] == "produce").unwrap();
    assert_eq!((&produced["tested"]["run"], &produced["tested"]["at"]), (&run["id"], &run["at"]));
    assert!(produced["tested"]["by"].as_str().is_some_and(|who| !who.is_empty()), "{produced}");
    let answer = caller.call("fields-4").await.unwrap();
    assert_eq!(names(&answer), two_names(), "the provider sends more");
    assert!(!invented(&answer), "{answer:?}");
    let proof = filtered(&caller, scratch.path(), &answer).await;
    assert_eq!((proof.get("environment"), &proof["filter"]["removed"]), (None, &json!(6)));

    step(&operator, &provider, &format!("agreements/{id}/publish"), &json!({})).await;
    step(&operator, &provider, &format!("agreements/{id}/suspend"), &pause).await;
    let refused = caller.call("fields-5").await.unwrap();
    assert_eq!(refused.error.as_deref(), Some("server.serverproxy.access_denied"));
    platform.stop().await.unwrap();
}

fn two_names() -> Vec<String> {
    ["so_dinh_danh", "ho_ten"].map(str::to_owned).into()
}

fn invented(answer: &Answer) -> bool {
    String::from_utf8_lossy(&answer.body).contains("Giả Định")
}

/// The day the platform's clock shows.
async fn today(officer: &Officer, agreement: &str) -> Result<String> {
    let found = officer.get(&format!("agreements/{agreement}")).await?;
    let at = found["changed_at"].as_str().context("a moment")?;
    Ok(at.get(..10).context("a day")?.to_owned())
}

/// The closed record of a call, after its bundle was verified without the platform.
async fn filtered(caller: &Caller, folder: &std::path::Path, answer: &Answer) -> Value {
    let request_id = answer.request_id.as_deref().expect("an answered call has a number");
    let bundle = caller.bundle(request_id).await.unwrap().expect("its evidence");
    let file = folder.join(format!("{request_id}.lienthong-evidence.json"));
    std::fs::write(&file, &bundle).unwrap();
    let binary = scenarios::tools::lienthong().unwrap();
    let verified = tokio::process::Command::new(binary).arg("verify").arg(&file).output().await.unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    let bundle: Value = serde_json::from_slice(&bundle).unwrap();
    let record = bundle["entries"][0]["leaf"].clone();
    // printf 'ho_ten\nso_dinh_danh\n' | sha256sum
    assert_eq!(
        record["filter"]["fields"],
        "47a876786a225f8f18624e643dd335987b875cfc2e046b16bb8e979e911fad84"
    );
    assert_eq!(record["v"], 2);
    record
}
