//! What the province reports at the end of a month: calls through the real gateway, the hour closes, and a program that
//! shares no code with the platform finds the same figures in the exported list and in the evidence of each call.

use std::path::Path;
use std::time::Duration;

use scenarios::visitor::Visitor;
use scenarios::{Caller, Options, Platform};

/// Calls that are answered, and calls that a rule refuses.
const ANSWERED: usize = 6;
const REFUSED: usize = 3;

#[tokio::test]
async fn the_report_says_what_the_evidence_says() {
    let scratch = tempfile::tempdir().unwrap();
    let mut options = Options::new(&scratch.path().join("data")).unwrap();
    options.arguments = vec!["--rate".into(), "0".into()];
    let platform = Platform::start(options).await.unwrap();
    let contract = platform.contract().clone();
    let caller = Caller::new(&contract).await.unwrap();
    let bundles = scratch.path().join("bundles");
    std::fs::create_dir(&bundles).unwrap();
    let mut made = Vec::new();
    for n in 0..ANSWERED {
        let answer = caller.call(&format!("report-{n}")).await.unwrap();
        assert!(answer.status.is_success(), "{answer:?}");
        made.push(answer.request_id.expect("every relayed answer names its request"));
    }
    let elsewhere = format!("{}/khong-co", contract.example_call.url.split('?').next().unwrap());
    for n in 0..REFUSED {
        let answer = caller.call_at(&elsewhere, None, &format!("refused-{n}")).await.unwrap();
        assert!(!answer.status.is_success(), "{answer:?}");
        made.extend(answer.request_id);
    }
    for id in &made {
        let bundle = caller.bundle(id).await.unwrap().expect("evidence of every call");
        std::fs::write(bundles.join(format!("{id}.json")), bundle).unwrap();
    }

    let operator = Visitor::sign_in(&contract, "operator").await.unwrap();
    let calls = all_calls(&operator, made.len()).await;
    let month = month(&caller).await;
    let report = page(&operator, &format!("/exchange/reports/{month}/export?as=csv")).await;
    let sheet = page(&operator, &format!("/exchange/reports/{month}")).await;
    assert!(sheet.contains(&format!("{} lượt giao dịch", made.len())), "the first line says how many");
    // The hour closes: the figures of the day stay, and the chart of the week shows them.
    let advance = serde_json::json!({"advance_seconds": 7200});
    caller.call_at(&contract.clock_path, Some(&advance), "clock").await.unwrap();
    let operator = Visitor::sign_in(&contract, "operator").await.unwrap();
    let week = page(&operator, "/exchange/traffic?period=week").await;
    assert!(week.contains(&format!("{} lượt gọi", made.len())), "the chart of the week");
    platform.stop().await.unwrap();

    let file = |name: &str, text: &str| {
        let path = scratch.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let report = file("report.csv", &report);
    let whole = file("calls.csv", &calls);
    let Some(agrees) = recompute(&whole, &report, &bundles) else { return };
    assert!(agrees, "the independent figures are the report's");
    let short = file("short.csv", calls.trim_end().rsplit_once("\r\n").unwrap().0);
    assert_eq!(recompute(&short, &report, &bundles), Some(false), "a missing call is noticed");
}

/// The text of a page.
async fn page(visitor: &Visitor, path: &str) -> String {
    let shown = visitor.open(path).await.unwrap();
    assert!(shown.status.is_success(), "{path}: {}", shown.status);
    shown.text
}

/// The exported list of calls, once it has so many.
async fn all_calls(operator: &Visitor, count: usize) -> String {
    let mut text = String::new();
    for _ in 0..120 {
        text = page(operator, "/exchange/calls/export?as=csv&ended=1").await;
        if text.matches("\r\n").count() > count {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("the list never had {count} calls:\n{text}");
}

/// The month in which the demonstration is.
async fn month(caller: &Caller) -> String {
    let contract = caller.contract();
    let now: serde_json::Value =
        serde_json::from_str(&caller.get(&contract.absolute(&contract.clock_path)).await.unwrap()).unwrap();
    let at: base::clock::Timestamp = now["now"].as_str().expect("the clock tells the time").parse().unwrap();
    at.date().to_string()[..7].to_owned()
}

/// Whether the independent program agrees; `None` without Python.
fn recompute(calls: &Path, report: &Path, bundles: &Path) -> Option<bool> {
    let script = scenarios::tools::repository().join("scenarios/independent/recompute_figures.py");
    let output =
        std::process::Command::new("python3").arg(script).arg(calls).arg(report).arg(bundles).output();
    let output = match output {
        Ok(output) if output.status.code() != Some(2) => output,
        _ => {
            println!("SKIP the_report_says_what_the_evidence_says: python3 with cryptography is not there");
            return None;
        }
    };
    println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Some(output.status.success())
}
