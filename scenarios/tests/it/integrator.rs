//! What a vendor's engineer does in the first week: makes a credential, calls, is refused for a wrong path, finds the
//! reason, copies the report, tries the right call from the page, changes the secret while calls go on.

use scenarios::visitor::Visitor;
use scenarios::{Caller, Contract, Options, Platform};

/// The demonstration's contract with another credential.
fn with(contract: &Contract, id: &str, secret: &str) -> Contract {
    let mut own = contract.clone();
    own.example_call.client_id = id.to_owned();
    own.example_call.client_secret = secret.to_owned();
    own
}

#[tokio::test]
async fn an_integrator_connects_a_system_alone() {
    let scratch = tempfile::tempdir().unwrap();
    let mut options = Options::new(&scratch.path().join("data")).unwrap();
    options.arguments = vec!["--rate".into(), "0".into()];
    let platform = Platform::start(options).await.unwrap();
    let contract = platform.contract().clone();
    let vendor = Visitor::sign_in(&contract, "integrator").await.unwrap();

    let home = vendor.open("/exchange/corner").await.unwrap();
    let system = home.link("/exchange/corner/systems/").expect("the system the engineer was appointed to");
    let made = vendor.send(&format!("{system}/credentials"), &[("name", "Máy chủ một cửa")]).await.unwrap();
    let (id, secret) = (made.blocks()[0].clone(), made.blocks()[1].clone());
    let caller = Caller::new(&with(&contract, &id, &secret)).await.unwrap();
    let good = caller.call("tich-hop-1").await.unwrap();
    assert!(good.status.is_success(), "{good:?}");

    // A slip in the name of the service.
    let wrong = contract.example_call.url.replace("/persons/", "-sai/persons/");
    let refused = caller.call_at(&wrong, None, "tich-hop-2").await.unwrap();
    let number = refused.request_id.clone().expect("a refusal has a number, too");
    assert!(refused.error.is_some(), "{refused:?}");
    let mut page = vendor.open(&format!("{system}/calls/{number}")).await.unwrap();
    for _ in 0..100 {
        if page.status.is_success() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        page = vendor.open(&format!("{system}/calls/{number}")).await.unwrap();
    }
    assert!(page.text.contains("Cách xử lý"), "{}", page.status);
    let report = &page.blocks()[0];
    assert!(report.contains(&number) && report.contains("unknown-service"), "{report}");
    assert!(
        !report.contains("tich-hop-2") && !report.contains("khong-co"),
        "nothing the caller wrote: {report}"
    );

    // The same from the page, with the example the description gives.
    let overview = vendor.open(&system).await.unwrap();
    let trial = overview.link(&format!("{system}/try/")).expect("a service to try");
    let path = contract.example_call.url.rsplit_once("/persons/").unwrap().1;
    let mut tried = false;
    for link in overview.text.split("href=\"").skip(1).filter_map(|p| p.split('"').next()) {
        if link.starts_with(&format!("{system}/try/")) {
            let sent = [("method", "GET"), ("path", &*format!("/persons/{path}"))];
            let answer = vendor.send(link, &sent).await.unwrap();
            tried |= answer.text.contains("soDinhDanh") || answer.text.contains("so_dinh_danh");
        }
    }
    assert!(tried, "{trial} gives the person's data");

    // A new secret beside the old one: both get tokens, calls go on.
    let list = vendor.open(&format!("{system}/credentials")).await.unwrap();
    let rotate = list.link(&format!("{system}/credentials/0")).expect("what can be done to a credential");
    assert!(rotate.ends_with("/rotate"), "{rotate}");
    let ask = vendor.open(&rotate).await.unwrap();
    assert!(ask.status.is_success());
    let version =
        ask.text.split("name=\"version\" value=\"").nth(1).and_then(|v| v.split('"').next()).unwrap();
    let rotated = vendor.send(&rotate, &[("overlap_hours", "24"), ("version", version)]).await.unwrap();
    let fresh = rotated.blocks()[1].clone();
    assert_ne!(fresh, secret);
    for secret in [&secret, &fresh] {
        let caller = Caller::new(&with(&contract, &id, secret)).await.unwrap();
        assert!(caller.call("tich-hop-3").await.unwrap().status.is_success());
    }
    assert!(caller.call("tich-hop-4").await.unwrap().status.is_success(), "tokens given before still hold");
    let list = vendor.open(&format!("{system}/credentials")).await.unwrap();
    assert!(list.text.contains("vẫn được dùng"), "the page says that the old secret is still used");
    platform.stop().await.unwrap();
}
