//! What a province lives through with its backups: one is made because it is due while calls go on, the machine loses
//! power, the data as it was is looked at beside production, and a drill says whether it would all come back.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use scenarios::{Caller, Options, Platform, platform};
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_backup_outlives_a_kill_and_is_looked_at_beside_production() {
    let scratch = tempfile::tempdir().unwrap();
    let (data, shelf) = (scratch.path().join("data"), scratch.path().join("shelf"));
    let config = scratch.path().join("lienthong.toml");
    let text = format!(
        "[platform]\ndata = {data:?}\n[log]\nfilter = \"warn\"\n[backup]\ndirectory = {shelf:?}\nleave_free_mb = 0\ndrill_days = 0\n"
    );
    std::fs::write(&config, text).unwrap();
    let set = |key: &str, value: String| (format!("LIENTHONG_BACKUP__{key}"), value);
    let environment = vec![
        set("DIRECTORY", shelf.display().to_string()),
        set("LEAVE_FREE_MB", "0".into()),
        set("DRILL_DAYS", "0".into()),
    ];
    let options = Options { environment, ..Options::new(&data).unwrap() };
    let running = Platform::start(options.clone()).await.unwrap();
    let caller = Caller::new(running.contract()).await.unwrap();
    let call = caller.call("before-the-backup").await.unwrap().request_id.expect("a number");
    caller.bundle(&call).await.unwrap().expect("evidence, and with it the call in the tables");
    let first = newest(&config, 1).await;
    // The first one may have begun before the call; this one knows it.
    run(&["backup", "now"], &config).await.expect("a backup out of turn while it runs");
    let second = newest(&config, 2).await;
    assert!(first < second, "{first} {second}");
    run(&["drill", "--record", &scratch.path().join("record.txt").display().to_string()], &config)
        .await
        .expect("a drill while it runs");
    let record = std::fs::read_to_string(scratch.path().join("record.txt")).unwrap();
    assert!(record.contains(&second) && record.contains("Kết luận: Đạt"), "{record}");
    assert!(caller.call("after-the-backup").await.unwrap().status.is_success());
    running.kill().await.unwrap();

    let beside = scratch.path().join("beside");
    let place = beside.display().to_string();
    let past = run(&["restore", "--at", "2020-01-01T00:00", "--beside", &place, "--only"], &config).await;
    assert!(past.unwrap_err().contains("no usable backup"), "nothing is as old as that");
    let said = run(&["restore", "--beside", &place, "--only"], &config).await.expect("a restore beside");
    assert!(said.contains(&second) && said.contains("All counts are equal"), "{said}");
    assert!(run(&["restore", "--beside", &place, "--only"], &config).await.is_err(), "never over data");
    let serve = run(&["serve", "--data", &place], &config).await.unwrap_err();
    assert!(serve.contains("restored copy"), "a copy is never production: {serve}");
    look_at(&beside, &config).await;

    let again = Platform::start(options).await.expect("production goes on after the kill");
    let caller = Caller::new(again.contract()).await.unwrap();
    assert!(caller.bundle(&call).await.unwrap().is_some());
    again.stop().await.unwrap();
}

/// The copy shows its banner and refuses whatever would change or send something.
async fn look_at(beside: &Path, config: &Path) {
    let listen = platform::free_port().unwrap();
    let mut view = Command::new(scenarios::tools::lienthong().unwrap())
        .arg("view")
        .arg(beside)
        .args(["--listen", &listen.to_string(), "--config"])
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let http =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let at = |path: &str| format!("http://{listen}{path}");
    let mut page = None;
    for _ in 0..600 {
        if let Ok(answer) = http.get(at("/login")).send().await {
            page = Some(answer.text().await.unwrap());
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let page = page.expect("the copy is served");
    assert!(page.contains("Bản khôi phục để xem"), "{page}");
    let token = http.post(at("/oauth2/token")).body("grant_type=client_credentials").send().await.unwrap();
    assert!(!token.status().is_success(), "no tokens are issued: {}", token.status());
    let call = http.get(at("/r1/VN/GOV/x/y/z")).send().await.unwrap();
    assert_eq!(call.status(), reqwest::StatusCode::NOT_FOUND, "there is no gateway");
    let act = http.post(at("/backups/run")).header("Origin", at("")).send().await.unwrap();
    assert!(act.status().is_client_error(), "{}", act.status());
    view.kill().await.unwrap();
}

/// The newest name on the shelf, once it holds so many.
async fn newest(config: &Path, count: usize) -> String {
    for _ in 0..1_200 {
        let said = run(&["backup", "list", "--json"], config).await.unwrap();
        let all: serde_json::Value = serde_json::from_str(&said).unwrap();
        let all = all.as_array().unwrap();
        assert!(all.iter().all(|one| one["whole"] == true), "nothing half is ever seen: {said}");
        if all.len() >= count {
            return all[0]["name"].as_str().unwrap().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the shelf does not hold {count} backups after two minutes");
}

/// Runs the program under the configuration; what it printed, as an error when it failed.
async fn run(arguments: &[&str], config: &Path) -> Result<String, String> {
    let binary = scenarios::tools::lienthong().unwrap();
    let output = Command::new(binary).args(arguments).arg("--config").arg(config).output().await.unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    if output.status.success() { Ok(out) } else { Err(out + &err) }
}
