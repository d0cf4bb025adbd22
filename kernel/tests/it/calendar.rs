//! Calendars of agencies: set from a day on, inherited from above, kept file by file; on both engines.

use kernel::calendar::COMMON;
use kernel::clock::Date;
use kernel::orgs::{AgencyChange, AgencyKind, NewAgency, UnitId};
use kernel::{Cx, Error, Kernel, Tx};
use testkit::on_both;
use workcalendar::{Policy, Question};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

async fn begin(k: &Kernel) -> Tx {
    k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap()
}

async fn agency(tx: &mut Tx, name: &str, parent: Option<UnitId>) -> UnitId {
    let new =
        NewAgency { kind: AgencyKind::Department, full_name: name.into(), code: None, parent, act: None };
    tx.create_agency(&new, day("2024-01-01")).await.unwrap()
}

/// A file upon another: other hours, and closed on some days of 2026.
fn file(code: &str, extends: &str, hours: &str, closed: &[&str]) -> String {
    let days: String = closed
        .iter()
        .map(|day| format!("{{ date = {day}, closed = {{ vi = 'x', en = 'x' }} }},\n"))
        .collect();
    format!(
        "code = '{code}'\nname = {{ vi = '{code}', en = '{code}' }}\nextends = '{extends}'\n\
         [[source]]\nid = 'here'\nact = 'Quyết định 1'\ncertainty = 'published'\n\
         [[hours]]\nfrom = 2024-01-01\ndays = 'mon-fri'\nwork = '{hours}'\nsource = 'here'\n\
         [[year]]\nyear = 2026\nsource = 'here'\ndays = [\n{days}]\n"
    )
}

async fn due(k: &Kernel, agency: UnitId, on: &str, received: &str, term: &str) -> String {
    let calendar = k.calendar_of(agency, day(on)).await.unwrap().calendar;
    let question = Question {
        received: received.parse().unwrap(),
        term: term.parse().unwrap(),
        pauses: &[],
        policy: Policy::default(),
    };
    calendar.due(&question).unwrap().at.to_string()[..16].to_owned()
}

fn code_of(e: &Error) -> &'static str {
    match e {
        Error::Refused(refusal) => refusal.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_is_set_from_a_day_on_and_inherited() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let mut tx = begin(k).await;
        let province = agency(&mut tx, "UBND tỉnh", None).await;
        let department = agency(&mut tx, "Sở Tư pháp", Some(province)).await;
        let office = agency(&mut tx, "Văn phòng Sở", Some(department)).await;
        tx.record_calendar(&file("tinh", "vn", "08:00-12:00,13:00-17:00", &[])).await.unwrap();
        tx.record_calendar(&file("so", "tinh", "07:30-11:30,13:30-17:30", &["2026-11-25"])).await.unwrap();
        tx.use_calendar(province, Some("tinh"), day("2026-01-01")).await.unwrap();
        tx.use_calendar(department, Some("so"), day("2026-06-01")).await.unwrap();
        tx.use_calendar(department, None, day("2027-01-01")).await.unwrap();
        tx.commit().await.unwrap();

        let set_for = async |unit, on| k.calendar_of(unit, day(on)).await.unwrap().set_for;
        assert_eq!(set_for(office, "2025-12-31").await, None, "the common one");
        assert_eq!(set_for(office, "2026-01-01").await, Some(province));
        assert_eq!(set_for(office, "2026-06-01").await, Some(department));
        assert_eq!(set_for(province, "2026-06-01").await, Some(province));
        assert_eq!(set_for(office, "2027-01-01").await, Some(province), "again that of the agency above");
        let in_force = k.calendar_of(office, day("2026-11-20")).await.unwrap();
        let files: Vec<_> = in_force.files.iter().map(|(code, number)| (code.as_str(), *number)).collect();
        assert_eq!(files, [(COMMON, 0), ("tinh", 1), ("so", 1)]);
        // Wednesday 25 November is closed for the department, Tuesday 24 is a holiday for all.
        assert_eq!(due(k, office, "2026-11-20", "2026-11-20T17:30", "2wd").await, "2026-11-26T17:30");
        assert_eq!(due(k, province, "2026-11-20", "2026-11-20T17:00", "2wd").await, "2026-11-25T17:00");
        assert_eq!(due(k, office, "2025-11-20", "2025-11-20T16:00", "2h").await, "2025-11-21T08:00");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn under_another_agency_the_calendar_changes_with_the_day() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let mut tx = begin(k).await;
        let (one, two) = (agency(&mut tx, "Sở A", None).await, agency(&mut tx, "Sở B", None).await);
        let centre = agency(&mut tx, "Trung tâm", Some(one)).await;
        tx.record_calendar(&file("a", "vn", "08:00-12:00", &[])).await.unwrap();
        tx.record_calendar(&file("b", "vn", "13:00-17:00", &[])).await.unwrap();
        tx.use_calendar(one, Some("a"), day("2024-01-01")).await.unwrap();
        tx.use_calendar(two, Some("b"), day("2024-01-01")).await.unwrap();
        let change = AgencyChange { parent: Some(Some(two)), ..AgencyChange::default() };
        tx.change_agency(centre, &change, day("2025-07-01")).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(k.calendar_of(centre, day("2025-06-30")).await.unwrap().set_for, Some(one));
        assert_eq!(k.calendar_of(centre, day("2025-07-01")).await.unwrap().set_for, Some(two));
        let before = k.calendar_of(centre, day("2023-12-31")).await.unwrap_err();
        assert!(matches!(before, Error::NotFound { kind: "agency" }), "{before:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_file_counts_at_once_also_for_those_upon_it() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let mut tx = begin(k).await;
        let department = agency(&mut tx, "Sở", None).await;
        tx.record_calendar(&file("so", "vn", "07:00-11:30,13:30-17:00", &[])).await.unwrap();
        tx.use_calendar(department, Some("so"), day("2026-01-01")).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(due(k, department, "2026-11-20", "2026-11-20T16:00", "1wd").await, "2026-11-23T16:00");

        // The common calendar gets a notice that swaps Monday 23 November.
        let swap = "    { date = 2026-11-23, swapped-with = 2026-11-28 },\n    { date = 2026-11-24, holiday";
        let common = workcalendar::shipped::VN.replacen("    { date = 2026-11-24, holiday", swap, 1);
        let mut tx = begin(k).await;
        assert_eq!(tx.record_calendar(&common).await.unwrap(), (COMMON.to_owned(), 1));
        tx.commit().await.unwrap();
        assert_eq!(due(k, department, "2026-11-20", "2026-11-20T16:00", "1wd").await, "2026-11-25T16:00");
        let files = k.calendar_of(department, day("2026-11-20")).await.unwrap().files;
        assert_eq!(files, [(COMMON.to_owned(), 1), ("so".to_owned(), 1)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_not_hold_is_refused_and_changes_nothing() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let mut tx = begin(k).await;
        let department = agency(&mut tx, "Sở", None).await;
        tx.record_calendar(&file("a", "vn", "07:00-11:30", &[])).await.unwrap();
        let upon = file("b", "a", "07:00-11:30", &[]).replace("2026-11", "2026-12");
        let upon = upon
            .replace("[[year]]\nyear = 2026\nsource = 'here'", "[[year]]\nyear = 2026\nsource = 'only-a'");
        let missing = tx.record_calendar(&upon).await.unwrap_err();
        assert!(matches!(missing, Error::Invalid(_)), "a source that no file has: {missing:?}");
        drop(tx);

        let mut tx = begin(k).await;
        let department_again = agency(&mut tx, "Sở", None).await;
        assert_ne!(department, department_again);
        let named = file("a", "vn", "07:00-11:30", &[]).replace("'here'", "'only-a'");
        tx.record_calendar(&named).await.unwrap();
        tx.record_calendar(&upon).await.unwrap();
        tx.use_calendar(department_again, Some("b"), day("2026-01-01")).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = begin(k).await;
        let needed = tx.record_calendar(&file("a", "vn", "07:00-11:30", &[])).await.unwrap_err();
        assert_eq!(code_of(&needed), "calendar-needed", "b refers to a source of a");
        let circle = tx.record_calendar(&file("a", "b", "07:00-11:30", &[])).await.unwrap_err();
        assert_eq!(code_of(&circle), "calendar-circle");
        let none = tx.record_calendar(&file("c", "z", "07:00-11:30", &[])).await.unwrap_err();
        assert_eq!(code_of(&none), "no-such-calendar");
        let bad = tx.record_calendar(&file("c", "vn", "11:30-07:00", &[])).await.unwrap_err();
        let Error::Invalid(fields) = bad else { panic!("{bad:?}") };
        assert!(fields[0].text.vi.starts_with("Dòng 11: "), "{fields:?}");
        let unknown = tx.use_calendar(department_again, Some("z"), day("2026-01-01")).await.unwrap_err();
        assert_eq!(code_of(&unknown), "no-such-calendar");
        drop(tx);
        let files = k.calendar_of(department_again, day("2026-11-20")).await.unwrap().files;
        assert_eq!(files, [(COMMON.to_owned(), 0), ("a".to_owned(), 1), ("b".to_owned(), 1)]);
    })
    .await;
}
