//! Calendar files with faults: each is refused with the line it is in, and nothing is guessed.

use proptest::prelude::*;
use workcalendar::{Calendar, Document, Fault, Hours, LoadError, shipped};

const HEAD: &str = "code = 'x'\nname = { vi = 'x', en = 'x' }\n\
    [[source]]\nid = 's'\nact = 'a'\ncertainty = 'published'\n\
    [[hours]]\nfrom = 2020-01-01\ndays = 'mon-fri'\nwork = '08:00-12:00'\nsource = 's'\n";

fn read(rest: &str) -> Result<Calendar, LoadError> {
    Calendar::of_documents(&[&Document::read(&format!("{HEAD}{rest}"))?])
}

/// The line counted from the first one after the head, and the fault.
fn fault(rest: &str) -> (usize, String) {
    let error = read(rest).unwrap_err();
    (error.line.saturating_sub(HEAD.lines().count()), error.fault.to_string())
}

#[track_caller]
fn refused(rest: &str, line: usize, words: &str) {
    let (at, found) = fault(rest);
    assert!(found.contains(words), "{found}");
    assert_eq!(at, line, "{found}");
}

const YEAR: &str = "[[year]]\nyear = 2026\nstate = 'published'\nsource = 's'\ndays = [\n";

#[test]
fn a_plain_file_is_read() {
    let calendar = read(&format!("{YEAR}]\n")).unwrap();
    assert_eq!(calendar.years().len(), 1);
    assert!(read(&format!("{YEAR}{{ date = 2026-03-02, closed = {{ vi = 'x', en = 'x' }} }}]\n")).is_ok());
}

#[test]
fn faults_name_their_line() {
    refused("x = 1\n", 1, "unknown field");
    refused("[[year]]\nyear = 'x'\n", 2, "invalid type");
    refused(&format!("{YEAR}{{ date = 2026-02-30, usual = true }}]\n"), 6, "");
    refused(&format!("{YEAR}{{ date = 2025-02-03, usual = true }}]\n"), 6, "2025-02-03 is not in 2026");
    refused(&format!("{YEAR}\n{{ date = 2026-02-03 }}]\n"), 7, "2026-02-03 needs one of");
    let two = "{ date = 2026-02-03, usual = true, holiday = 'tet' }]\n";
    refused(&format!("{YEAR}{two}"), 6, "needs one of");
    refused(&format!("{YEAR}{{ date = 2026-02-03, holiday = 'tet' }}]\n"), 6, "no holiday \"tet\"");
    let twice = "{ date = 2026-02-03, usual = true },\n{ date = 2026-02-03, usual = true }]\n";
    refused(&format!("{YEAR}{twice}"), 7, "2026-02-03 stands there twice");
    let no_source = "{ date = 2026-02-03, compensates = 2026-02-01, source = 'z' }]\n";
    refused(&format!("{YEAR}{no_source}"), 6, "no source \"z\"");
    let swap = |worked: &str| format!("{YEAR}{{ date = 2026-02-03, swapped-with = {worked} }}]\n");
    refused(&swap("2026-02-04"), 6, "cannot be swapped");
    assert!(read(&swap("2026-02-07")).is_ok());
    let other_half =
        "{ date = 2026-02-03, swapped-with = 2026-02-07 },\n{ date = 2026-02-07, usual = true }]\n";
    assert!(read(&format!("{YEAR}{other_half}")).is_ok());
    let clash = "{ date = 2026-02-03, swapped-with = 2026-02-07 },\n\
        { date = 2026-02-04, swapped-with = 2026-02-07 }]\n";
    refused(&format!("{YEAR}{clash}"), 7, "2026-02-07 stands there twice");
    refused("[[year]]\nyear = 2026\n", 1, "2026 has no state");
    refused(&format!("{YEAR}]\n{YEAR}]\n"), 7, "2026 stands there twice");
    let hours = |days: &str, more: &str| {
        format!("[[hours]]\nfrom = 2020-01-01\ndays = '{days}'\n{more}\nsource = 's'\n")
    };
    refused(&hours("fri-mon", ""), 1, "does not name weekdays");
    refused(&hours("thứ hai", ""), 1, "does not name weekdays");
    refused(&hours("mon", "season = '4-15'"), 1, "is not a season");
    refused(&hours("mon", "season = '02-30..03-01'"), 1, "is not a season");
    refused(&hours("mon", "work = '12:00-08:00'"), 4, "does not come after");
}

#[test]
fn years_must_be_whole() {
    let year = |y: u16| format!("[[year]]\nyear = {y}\nstate = 'published'\n");
    assert_eq!(read("").unwrap_err().fault, Fault::NoYear);
    assert_eq!(read(&format!("{}{}", year(2024), year(2026))).unwrap_err().fault, Fault::Gap(2025));
    let many: String = (1800..2100).map(year).collect();
    assert_eq!(read(&many).unwrap_err().fault, Fault::TooManyYears);
    let large = "#".repeat(2 << 20);
    assert_eq!(Document::read(&large).unwrap_err().fault, Fault::TooLarge);
}

#[test]
fn the_law_and_the_list_must_agree() {
    let holiday = "[[holiday]]\nid = 'nd'\nvi = 'x'\nen = 'x'\ndays = 2\non = '09-02'\nfrom = 2021-01-01\nsource = 's'\n";
    let year = |days: &str| format!("{holiday}{YEAR}{days}]\n");
    let second = "{ date = 2026-09-02, holiday = 'nd' },\n";
    assert!(read(&year(&format!("{{ date = 2026-09-01, holiday = 'nd' }},\n{second}"))).is_ok());
    refused(&year(second), 9, "nd has 2 days by the law, 1 are listed");
    let wrong = "{ date = 2026-09-01, holiday = 'nd' },\n{ date = 2026-09-03, holiday = 'nd' },\n";
    refused(&year(wrong), 9, "2026-09-02 is nd and is not listed");
    let lunar =
        "[[year]]\nyear = 2026\nstate = 'published'\nsource = 's'\nlunar = { nd = 2026-09-04 }\ndays = [\n";
    let days = format!("{{ date = 2026-09-01, holiday = 'nd' }},\n{second}]\n");
    refused(&format!("{holiday}{lunar}{days}"), 9, "2026-09-04 is nd");
}

#[test]
fn a_file_stands_on_a_known_calendar_or_alone() {
    let file = |extends: &str| format!("extends = '{extends}'\n{HEAD}{YEAR}]\n");
    assert_eq!(shipped::read(Some(&file("la")), None).unwrap_err().fault, Fault::Base("la".to_owned()));
    assert_eq!(shipped::read(Some(&file("vn")), None).unwrap().years().len(), 7);
    let alone = format!("{HEAD}{YEAR}]\n");
    assert_eq!(shipped::read(Some(&alone), None).unwrap().years().len(), 1);
}

#[test]
fn hours_given_by_hand_replace_those_of_the_week() {
    let hours: Hours = "08:00-12:00,13:00-17:00".parse().unwrap();
    let calendar = shipped::read(None, Some(Document::working_hours(hours))).unwrap();
    let due = crate::ask(&calendar, "2026-11-16T17:00", "1h", &[], &[]).unwrap();
    assert_eq!(due.at, crate::at("2026-11-17T09:00"));
    assert_eq!(calendar.code(), "vn");
    let saturday = calendar.hours(workcalendar::Date::constant(2026, 1, 10)).unwrap();
    assert_eq!(saturday.to_string(), "08:00-12:00,13:00-17:00", "a swapped Saturday too");
}

proptest! {
    /// Damaged files are read or refused, never a panic.
    #[test]
    fn damaged_files_do_not_panic(at in 0_usize..6_000, with in any::<[u8; 3]>(), cut in any::<bool>()) {
        let mut bytes = shipped::VN.as_bytes().to_vec();
        let at = at.min(bytes.len() - 3);
        bytes[at..at + 3].copy_from_slice(&with);
        if cut {
            bytes.truncate(at + 3);
        }
        if let Ok(text) = String::from_utf8(bytes) {
            let _ = shipped::read(Some(&text), None);
        }
    }
}
