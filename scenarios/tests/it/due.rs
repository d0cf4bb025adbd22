//! Terms counted by the built program: `lienthong due` answers as the worked examples do, in words and as JSON, and says
//! clearly why it does not answer.

use std::process::{Command, Output};

use serde_json::Value;

fn due(arguments: &[&str]) -> Output {
    let program = scenarios::tools::lienthong().unwrap();
    Command::new(program).arg("due").args(arguments).output().unwrap()
}

fn json(from: &str, term: &str, more: &[&str]) -> Value {
    let output = due(&[&["--from", from, "--term", term, "--json"], more].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

#[track_caller]
fn ends(from: &str, term: &str, more: &[&str], at: &str) {
    assert_eq!(json(from, term, more)["due"], format!("{at}:00+07:00"), "{from} {term} {more:?}");
}

#[test]
fn worked_examples_end_where_they_should() {
    let hours = &["--hours", "07:00-11:30,13:30-17:00"];
    ends("2026-11-20T16:00", "3wd", hours, "2026-11-26T16:00");
    ends("2026-11-23T10:00", "1wd", hours, "2026-11-25T10:00");
    ends("2026-02-13T16:30", "2wd", &[], "2026-02-24T16:30");
    ends("2026-11-16T17:30", "1wd", &[], "2026-11-18T07:00");
    ends("2026-11-16T17:30", "1wd", &["--policy", "after-hours=day-one"], "2026-11-17T17:00");
    ends("2026-11-16T10:30", "4h", &[], "2026-11-16T16:30");
    ends("2026-11-16T15:30", "4h", &[], "2026-11-17T09:30");
    ends("2026-11-16T10:00", "5d", &[], "2026-11-23T10:00");
    let pause =
        &["--pause", "2026-11-17T09:00/2026-11-18T09:00", "--pause", "2026-11-18T09:00/2026-11-19T14:30"];
    ends("2026-11-16T10:00", "3wd", pause, "2026-11-23T15:30");
}

#[test]
fn the_answer_carries_its_reasons() {
    let answer = json("2026-11-20T16:00", "3wd", &["--at", "2026-11-25T13:30"]);
    let steps = answer["reasoning"].as_array().unwrap();
    let kinds: Vec<_> = steps.iter().map(|s| s["step"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["received", "counted", "ends"]);
    assert!(steps.iter().all(|s| !s["text"].as_str().unwrap().is_empty()));
    assert_eq!(answer["days"][0]["date"], "2026-11-24");
    assert_eq!(answer["days"][0]["act"], "Nghị quyết 28/2026/QH16, Điều 2");
    assert_eq!(answer["left"]["days"], 1);
    assert_eq!(answer["left"]["seconds"], 9_000);
    let words = due(&["--from", "20/11/2026 16:00", "--term", "3wd", "--lang", "en"]);
    assert!(String::from_utf8(words.stdout).unwrap().starts_with("Due: Thursday, 26/11/2026 16:00\n"));
}

#[test]
fn a_unit_brings_its_own_calendar() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("phuong.toml");
    let text = "code = 'phuong'\nname = { vi = 'UBND phường', en = 'Ward' }\nextends = 'vn'\n\
        [[source]]\nid = 'tb'\nact = 'Thông báo 01/TB-UBND'\ncertainty = 'published'\n\
        [[year]]\nyear = 2026\ndays = [\n\
        { date = 2026-11-25, closed = { vi = 'mất điện', en = 'power cut' }, source = 'tb' },\n]\n";
    std::fs::write(&file, text).unwrap();
    let calendar = &["--calendar", file.to_str().unwrap()];
    ends("2026-11-20T16:00", "3wd", calendar, "2026-11-27T16:00");
    std::fs::write(&file, text.replace("2026-11-25", "2025-11-25")).unwrap();
    let refused = json("2026-11-20T16:00", "3wd", calendar);
    assert_eq!(refused["error"]["code"], "file-fault");
    assert!(
        refused["error"]["text"].as_str().unwrap().contains("dòng 11: ngày 25/11/2025 không thuộc năm 2026")
    );
}

#[test]
fn without_an_answer_it_fails_and_says_why() {
    for (from, term, code) in [
        ("2026-02-29T10:00", "3wd", "bad-moment"),
        ("2026-11-20T16:00", "3 days", "bad-term"),
        ("2040-11-20T16:00", "3wd", "no-data"),
        ("2027-12-30T16:00", "3wd", "no-data"),
    ] {
        assert_eq!(json(from, term, &[])["error"]["code"], code, "{from} {term}");
        let output = due(&["--from", from, "--term", term]);
        assert!(!output.status.success() && output.stdout.is_empty());
        assert!(String::from_utf8(output.stderr).unwrap().starts_with("lienthong: "));
    }
}
