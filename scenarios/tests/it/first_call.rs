//! What an integrator does on the first morning: starts the demonstration, gets a token, calls, asks for the
//! evidence, checks it without the platform; then somebody alters one bit.

use scenarios::{Caller, Options, Platform};

#[tokio::test]
async fn a_call_leaves_evidence_that_a_stranger_can_check() {
    let scratch = tempfile::tempdir().unwrap();
    let platform = Platform::start(Options::new(&scratch.path().join("data")).unwrap()).await.unwrap();
    let caller = Caller::new(platform.contract()).await.unwrap();
    let answer = caller.call("a-first-call").await.unwrap();
    assert!(answer.status.is_success(), "{answer:?}");
    assert_eq!(answer.error, None);
    let request_id = answer.request_id.expect("every relayed answer names its request");
    let bundle = caller.bundle(&request_id).await.unwrap().expect("evidence of an answered call");
    assert!(monitored(&caller, &request_id).await, "the call is among the records for monitoring");
    platform.stop().await.unwrap();

    let file = scratch.path().join("chung-cu-1.lienthong-evidence.json");
    std::fs::write(&file, &bundle).unwrap();
    assert!(verify(&file).await, "the bundle as downloaded");

    let mut altered = bundle.clone();
    let at = String::from_utf8_lossy(&bundle).find(&request_id).expect("the bundle names the request");
    altered[at] ^= 1;
    std::fs::write(&file, &altered).unwrap();
    assert!(!verify(&file).await, "one bit of the request number altered");
}

/// Asks for records as a collector does, each time where the last answer ended, until the call is among them.
async fn monitored(caller: &Caller, request_id: &str) -> bool {
    let mut from = 0;
    for _ in 0..60 {
        let path = format!("/api/exchange/v1/operational-data?recordsFrom={from}");
        let answer = caller.get(&caller.contract().absolute(&path)).await.unwrap();
        if answer.contains(request_id) {
            return true;
        }
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        from = answer["nextRecordsFrom"].as_i64().expect("there will be more");
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    false
}

async fn verify(bundle: &std::path::Path) -> bool {
    let binary = scenarios::tools::lienthong().unwrap();
    let output = tokio::process::Command::new(binary).arg("verify").arg(bundle).output().await.unwrap();
    output.status.success()
}
