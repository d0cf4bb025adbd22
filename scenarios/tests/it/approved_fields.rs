//! A one-stop system asks for three fields of the population registry; the provider narrows them to two. Calls in the
//! sandbox answer invented people with exactly two fields, calls in production real ones with exactly two although the
//! provider sends more; the bundle proves it without the platform; once suspended, calls are refused.

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

/// The gateway decides by a decision within a second of it.
async fn until(caller: &Caller, fits: impl Fn(&Answer) -> bool) -> Answer {
    for n in 0..50 {
        let answer = caller.call(&format!("fields-{n}")).await.unwrap();
        if fits(&answer) {
            return answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    panic!("the decision did not reach the gateway");
}

#[tokio::test]
async fn only_the_approved_fields_leave_from_the_sandbox_to_production() {
    let scratch = tempfile::tempdir().unwrap();
    let platform = Platform::start(Options::new(&scratch.path().join("data")).unwrap()).await.unwrap();
    let contract = platform.contract().clone();
    let caller = Caller::new(&contract).await.unwrap();
    let consumer = Officer::sign_in(&contract, "consumer").await.unwrap();
    let provider = Officer::sign_in(&contract, "provider").await.unwrap();
    let pause = json!({ "reason": "Rà soát lại phạm vi khai thác." });
    let before = consumer.id("agreements", "01/CN-KTDL").await.unwrap();
    provider.post(&format!("agreements/{before}/suspend"), &pause).await.unwrap();

    // The commune's one-stop system asks for three fields.
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
    let sent = consumer.post(&format!("connections/{id}/submit"), &json!({})).await.unwrap();
    assert_eq!((&sent["state"], &sent["turn"]), (&json!("waiting"), &json!("provider")));

    // The provider narrows it to two.
    let two = json!({ "fields": ["so_dinh_danh", "ho_ten"] });
    provider.post(&format!("agreements/{id}/approve"), &two).await.unwrap();
    let answer = until(&caller, |a| a.status == StatusCode::OK).await;
    assert_eq!(names(&answer), ["so_dinh_danh", "ho_ten"]);
    assert!(String::from_utf8_lossy(&answer.body).contains("Giả Định"), "nobody real: {answer:?}");
    let sandbox = filtered(&caller, scratch.path(), &answer).await;
    assert_eq!(sandbox["environment"], "sandbox");

    consumer.post(&format!("agreements/{id}/test"), &json!({})).await.unwrap();
    let record = json!({ "reason": "Biên bản kiểm thử 01/BB-KT" });
    provider.post(&format!("agreements/{id}/produce"), &record).await.unwrap();
    let invented = |a: &Answer| String::from_utf8_lossy(&a.body).contains("Giả Định");
    let answer = until(&caller, |a| a.status == StatusCode::OK && !invented(a)).await;
    assert_eq!(names(&answer), ["so_dinh_danh", "ho_ten"], "the provider sends more");
    let proof = filtered(&caller, scratch.path(), &answer).await;
    assert_eq!((proof.get("environment"), &proof["filter"]["removed"]), (None, &json!(6)));

    provider.post(&format!("agreements/{id}/publish"), &json!({})).await.unwrap();
    provider.post(&format!("agreements/{id}/suspend"), &pause).await.unwrap();
    let refused = until(&caller, |a| a.status != StatusCode::OK).await;
    assert_eq!(refused.error.as_deref(), Some("server.serverproxy.access_denied"));
    platform.stop().await.unwrap();
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
