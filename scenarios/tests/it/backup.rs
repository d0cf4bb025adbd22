//! What an operator does before trusting a backup: makes one while the platform works, checks it, restores it into
//! another place and compares.

use std::path::Path;

use scenarios::{Caller, Options, Platform};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_the_running_platform_comes_back_whole() {
    let scratch = tempfile::tempdir().unwrap();
    let place = |name: &str| scratch.path().join(name).display().to_string();
    let platform = Platform::start(Options::new(&scratch.path().join("data")).unwrap()).await.unwrap();
    let caller = Caller::new(platform.contract()).await.unwrap();
    assert!(caller.call("before-the-backup").await.unwrap().status.is_success());

    let (backup, data, key) = (place("backup"), place("data"), place("data/keys/master.key"));
    run(&["backup", &backup, "--data", &data]).await.expect("a backup while it runs");
    assert!(caller.call("after-the-backup").await.unwrap().status.is_success());
    let found = run(&["check", "--content", "--deep", "--data", &data]).await.expect("a check while it runs");
    let kept = objects(&found);
    assert!(kept > 2, "the documents of two services and the files of connection requests:\n{found}");
    platform.stop().await.unwrap();

    let verified = run(&["verify", &backup, "--master-key", &key]).await.expect("a whole backup");
    let restored = place("restored");
    let said = run(&["restore", &backup, "--key", &key, "--data", &restored]).await.expect("a restore");
    let (before, after) = said.split_once("Restored:").unwrap();
    assert!(!counts(before).is_empty() && counts(before) == counts(after), "{said}");
    assert_eq!(counts(&verified), counts(after));
    assert!(said.contains("NO LIST OF ERASURES"), "{said}");
    let found = run(&["check", "--content", "--deep", "--data", &restored]).await.expect("a sound place");
    assert_eq!(objects(&found), kept, "{found}");
    assert!(run(&["restore", &backup, "--key", &key, "--data", &restored]).await.is_err(), "never over data");

    let pack = std::fs::read_dir(Path::new(&restored).join("content/packs")).unwrap();
    let pack =
        pack.map(|e| e.unwrap().path()).find(|p| p.extension().is_some_and(|e| e == "segment")).unwrap();
    let mut bytes = std::fs::read(&pack).unwrap();
    bytes[200] ^= 1;
    std::fs::write(&pack, bytes).unwrap();
    let said = run(&["check", "--content", "--deep", "--data", &restored]).await;
    assert!(said.is_err(), "one altered bit is found: {said:?}");
}

/// Lines with numbers of rows, files and bytes.
fn counts(said: &str) -> Vec<&str> {
    said.lines().filter(|l| l.ends_with(" rows") || l.ends_with(" bytes")).collect()
}

/// How many objects a check of the content has seen.
fn objects(said: &str) -> u64 {
    let line =
        said.lines().find_map(|l| l.strip_prefix("ok   content: ")).unwrap_or_else(|| panic!("{said}"));
    line.split(' ').next().unwrap().parse().unwrap()
}

/// Runs the program; what it printed, as an error when it failed.
async fn run(arguments: &[&str]) -> Result<String, String> {
    let binary = scenarios::tools::lienthong().unwrap();
    let output = tokio::process::Command::new(binary).args(arguments).output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    if output.status.success() { Ok(said) } else { Err(said) }
}
