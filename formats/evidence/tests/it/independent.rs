//! The verifier in another language must give the same verdict on every bundle, good or bad.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use evidence::verify;

use crate::log::{LOG, Log};
use crate::tampers::{damaged, edited, full, good, signed_by_a_bad_node};

fn script() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/independent/verify_evidence.py")
}

fn python() -> Command {
    Command::new(std::env::var("LIENTHONG_TEST_PYTHON").unwrap_or_else(|_| "python3".into()))
}

/// Whether Python can run the verifier here; says so when it cannot.
fn can_run() -> bool {
    let probe = python().args(["-c", "import cryptography"]).stderr(Stdio::null()).status();
    let can = probe.is_ok_and(|status| status.success());
    if !can {
        println!("SKIPPED: python3 with the package cryptography is missing");
    }
    can
}

/// The verdicts of the other program, with its reasons.
fn verdicts(bundles: &[(String, Vec<u8>)], arguments: &[&str]) -> Vec<String> {
    let mut child = python()
        .arg(script())
        .arg("--batch")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: Vec<String> = bundles.iter().map(|(_, bytes)| STANDARD.encode(bytes)).collect();
    let writer = std::thread::spawn(move || lines.iter().try_for_each(|line| writeln!(input, "{line}")));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn both_verifiers_agree_on_everything() {
    if !can_run() {
        return;
    }
    let (_, bytes) = full();
    let mut all = good();
    let first_day = include_bytes!("first-day.lienthong-evidence.json").to_vec();
    all.push(("first day".into(), first_day));
    let good_ones = all.len();
    all.extend(signed_by_a_bad_node());
    all.extend(edited());
    // One bit of every byte, another one each time; all bits are tried on the reference alone.
    all.extend((0..bytes.len()).map(|i| {
        let mut flipped = bytes.clone();
        flipped[i] ^= 1 << (i * 5 % 8);
        (format!("bit {} of byte {i}", i * 5 % 8), flipped)
    }));
    all.extend((0..600).map(|seed| (format!("seed {seed}"), damaged(&bytes, seed))));
    let theirs = verdicts(&all, &[]);
    assert_eq!(theirs.len(), all.len());
    let mut accepted = 0;
    for ((name, bytes), theirs) in all.iter().zip(&theirs) {
        let ours = verify(bytes, None);
        accepted += usize::from(ours.is_ok());
        assert_eq!(ours.is_ok(), theirs.starts_with("VALID"), "{name}: {ours:?}, but {theirs}");
    }
    assert!(all[..good_ones].iter().all(|(_, bytes)| verify(bytes, None).is_ok()));
    println!("{} bundles, {accepted} of them valid, both verifiers agree", all.len());
}

#[test]
fn both_verifiers_agree_on_the_trusted_key() {
    if !can_run() {
        return;
    }
    let (log, bytes) = full();
    let other = Log::empty(LOG, 77);
    for (key, holds) in [(log.verifying_key(), true), (other.verifying_key(), false)] {
        assert_eq!(verify(&bytes, Some(key)).is_ok(), holds);
        let theirs = verdicts(&[(String::new(), bytes.clone())], &["--key", &key.to_string()]);
        assert_eq!(theirs[0].starts_with("VALID"), holds, "{theirs:?}");
        assert!(!theirs[0].contains("only stated by the bundle itself"));
    }
}

#[test]
fn the_other_verifier_reports_by_its_exit_code() {
    if !can_run() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (folder.path().join("good.json"), folder.path().join("bad.json"));
    let (_, mut bytes) = full();
    std::fs::write(&good, &bytes).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&bad, &bytes).unwrap();
    let code = |files: &[&PathBuf]| python().arg(script()).args(files).output().unwrap().status.code();
    assert_eq!(code(&[&good]), Some(0));
    assert_eq!(code(&[&bad]), Some(1));
    assert_eq!(code(&[&good, &bad]), Some(1));
    assert_eq!(code(&[&folder.path().join("missing")]), Some(2));
    assert_eq!(code(&[]), Some(2));
}
