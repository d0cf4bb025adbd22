//! Worked examples: receipt, term, end, on the shipped calendar with its hours 07:00–11:30 and 13:30–17:00.

use workcalendar::{Because, Hour, Left, Standing, Step, Unit, shipped};

use crate::{ask, at, due};

#[test]
fn three_working_days_pass_over_a_weekend_and_the_new_holiday() {
    assert_eq!(due("2026-11-20T16:00", "3wd", &[]), "2026-11-26T16:00");
    assert_eq!(due("2026-11-23T10:00", "1wd", &[]), "2026-11-25T10:00");
}

#[test]
fn two_working_days_pass_over_tet() {
    assert_eq!(due("2026-02-13T16:30", "2wd", &[]), "2026-02-24T16:30");
}

#[test]
fn after_closing_two_answers_are_allowed_and_the_choice_is_named() {
    assert_eq!(due("2026-11-16T17:30", "1wd", &["after-hours=next-opening"]), "2026-11-18T07:00");
    assert_eq!(due("2026-11-16T17:30", "1wd", &["after-hours=day-one"]), "2026-11-17T17:00");
    assert_eq!(due("2026-11-16T17:30", "1wd", &[]), "2026-11-18T07:00", "the default");
}

#[test]
fn hours_run_through_noon_and_night() {
    assert_eq!(due("2026-11-16T10:30", "4h", &[]), "2026-11-16T16:30");
    assert_eq!(due("2026-11-16T15:30", "4h", &[]), "2026-11-17T09:30");
}

#[test]
fn receipt_outside_working_time_counts_from_the_next_opening() {
    assert_eq!(due("2026-11-16T06:00", "1h", &[]), "2026-11-16T08:00");
    assert_eq!(due("2026-11-16T12:00", "1h", &[]), "2026-11-16T14:30");
    assert_eq!(due("2026-11-16T18:00", "1h", &[]), "2026-11-17T08:00");
    assert_eq!(due("2026-11-21T09:00", "1h", &[]), "2026-11-23T08:00", "Saturday");
    assert_eq!(due("2026-11-23T17:00:01", "1h", &[]), "2026-11-25T08:00", "the eve of a holiday");
}

#[test]
fn the_stroke_of_closing_is_still_in_time() {
    assert_eq!(due("2026-11-16T17:00", "1wd", &[]), "2026-11-17T17:00");
    assert_eq!(due("2026-11-16T11:30", "1wd", &[]), "2026-11-17T11:30");
    assert_eq!(due("2026-11-16T07:00", "8h", &[]), "2026-11-16T17:00", "not the next morning");
}

#[test]
fn calendar_days_end_on_a_working_day() {
    assert_eq!(due("2026-11-16T10:00", "3d", &[]), "2026-11-19T10:00");
    assert_eq!(due("2026-11-16T10:00", "5d", &[]), "2026-11-23T10:00", "Saturday moves to Monday");
    assert_eq!(due("2026-11-16T10:00", "5d", &["moved-end=opening"]), "2026-11-23T07:00");
    assert_eq!(due("2026-11-16T10:00", "5d", &["day-end=closing"]), "2026-11-23T17:00");
    assert_eq!(due("2026-11-14T10:00", "10d", &[]), "2026-11-26T07:00", "Saturday counts from Monday 16");
    assert_eq!(due("2026-11-14T10:00", "8d", &[]), "2026-11-25T07:00", "the holiday moves the end on");
}

#[test]
fn the_same_day_and_the_cut_off_hour() {
    assert_eq!(due("2026-11-16T09:00", "0wd", &[]), "2026-11-16T17:00");
    let cut_off = &["cut-off=15:00"];
    assert_eq!(due("2026-11-16T15:00", "0wd", cut_off), "2026-11-16T17:00");
    assert_eq!(due("2026-11-16T15:00:01", "0wd", cut_off), "2026-11-17T17:00");
    assert_eq!(due("2026-11-20T16:00", "0d", cut_off), "2026-11-23T17:00", "a Friday");
    assert_eq!(due("2026-11-16T16:00", "2h", cut_off), "2026-11-17T09:00");
}

#[test]
fn a_supplement_extends_or_begins_anew() {
    let calendar = shipped::vn().unwrap();
    let pause = &["2026-11-17T09:00/2026-11-19T14:30"];
    let end = |choices: &[&str]| ask(&calendar, "2026-11-16T10:00", "3wd", pause, choices).unwrap().at;
    // Left at the pause: from Tuesday 09:00 to Thursday 10:00, two days and one hour.
    assert_eq!(end(&[]), at("2026-11-23T15:30"));
    assert_eq!(end(&["supplement=restart"]), at("2026-11-25T14:30"));
}

#[test]
fn the_reasoning_is_typed_and_whole() {
    let calendar = shipped::vn().unwrap();
    let due = ask(&calendar, "2026-11-21T09:00", "5d", &[], &[]).unwrap();
    assert_eq!(due.counts_from, at("2026-11-23T07:00"));
    let expected = vec![
        Step::Received { at: at("2026-11-21T09:00") },
        Step::CountsFrom { at: at("2026-11-23T07:00"), because: Because::DayOff },
        Step::Counted {
            term: "5d".parse().unwrap(),
            from: at("2026-11-23T07:00"),
            last: "2026-11-28".parse().unwrap(),
            day_one: false,
        },
        Step::Moved { from: "2026-11-28".parse().unwrap(), to: "2026-11-30".parse().unwrap() },
        Step::Ends { at: at("2026-11-30T07:00"), hour: Hour::Same },
    ];
    assert_eq!(due.steps, expected);
    let json = serde_json::to_value(&due.steps).unwrap();
    assert_eq!(json[1]["step"], "counts-from");
    assert_eq!(json[1]["because"], "day-off");
    assert_eq!(json[3]["to"], "2026-11-30");
    assert_eq!(json[4]["at"], "2026-11-30T07:00:00+07:00");
}

#[test]
fn what_is_left_is_told_in_days_and_a_rest() {
    let calendar = shipped::vn().unwrap();
    let left = |now: &str, due: &str, unit| {
        let Left { late, days, seconds } = calendar.left(at(now), at(due), unit).unwrap();
        (late, days, seconds / 3_600, seconds % 3_600 / 60)
    };
    use Unit::{Days, WorkingDays, WorkingHours};
    assert_eq!(left("2026-11-25T10:00", "2026-11-26T15:00", WorkingDays), (false, 1, 3, 0));
    assert_eq!(left("2026-11-20T16:00", "2026-11-26T16:00", WorkingDays), (false, 3, 0, 0));
    assert_eq!(left("2026-11-21T10:00", "2026-11-26T16:00", WorkingDays), (false, 2, 7, 0));
    assert_eq!(left("2026-11-26T18:00", "2026-11-26T16:00", WorkingHours), (true, 0, 1, 0));
    assert_eq!(left("2026-11-30T17:00", "2026-11-26T16:00", WorkingDays), (true, 2, 1, 0));
    assert_eq!(left("2026-11-20T16:00", "2026-11-23T15:00", Days), (false, 2, 23, 0));
    assert_eq!(left("2026-11-20T16:00", "2026-11-20T16:00", WorkingDays), (false, 0, 0, 0));
}

#[test]
fn opening_hours_are_apart_from_the_working_clock() {
    let file = "code = 'hcc'\nname = { vi = 'Trung tâm', en = 'Centre' }\nextends = 'vn'\n\
        [[source]]\nid = 'qc'\nact = 'Quy chế'\ncertainty = 'published'\n\
        [[hours]]\nfrom = 2026-01-01\ndays = 'mon-fri'\nopen = '07:30-11:00,13:30-16:30'\nsource = 'qc'\n\
        [[hours]]\nfrom = 2026-01-01\ndays = 'sat'\nopen = '07:30-11:00'\nsource = 'qc'\n";
    let calendar = shipped::read(Some(file), None).unwrap();
    let due = ask(&calendar, "2026-11-21T09:00", "1h", &[], &[]).unwrap();
    assert!(calendar.is_open(at("2026-11-21T09:00")).unwrap(), "the counter takes it in on Saturday");
    assert_eq!(due.at, at("2026-11-23T08:00"), "the clock of the term runs from Monday");
    assert_eq!(calendar.next_open(at("2026-11-23T17:00")).unwrap(), at("2026-11-25T07:30"));
    assert_eq!(calendar.next_open(at("2026-11-23T12:00")).unwrap(), at("2026-11-23T13:30"));
}

#[test]
fn a_term_into_a_year_not_yet_published_is_marked_or_refused() {
    let calendar = shipped::vn().unwrap();
    let due = ask(&calendar, "2026-12-28T08:00", "30wd", &[], &[]).unwrap();
    assert_eq!(due.provisional, Some(2027));
    assert_eq!(due.steps.last(), Some(&Step::NotPublished { year: 2027 }));
    let refused = ask(&calendar, "2026-12-28T08:00", "30wd", &[], &["provisional=refuse"]);
    assert_eq!(refused.unwrap_err().to_string().split(' ').nth(4), Some("2027"));
    let sure = ask(&calendar, "2026-12-28T08:00", "2wd", &[], &[]).unwrap();
    assert_eq!(sure.provisional, None);
}

#[test]
fn reports_compare_days_and_every_day_has_one_column() {
    let day = |text: &str| text.parse().unwrap();
    let on =
        |finished: Option<&str>| Standing::on(day("2026-11-30"), Some(day("2026-11-26")), finished.map(day));
    assert_eq!(on(Some("2026-11-25")), Standing::DoneEarly);
    assert_eq!(on(Some("2026-11-26")), Standing::DoneOnTime);
    assert_eq!(on(Some("2026-11-27")), Standing::DoneLate);
    assert_eq!(on(Some("2026-12-01")), Standing::OpenLate, "finished after the report's end is open in it");
    assert_eq!(on(None), Standing::OpenLate);
    let open = |end: &str| Standing::on(day(end), Some(day("2026-11-26")), None);
    assert_eq!(open("2026-11-26"), Standing::OpenInTime, "due that very day");
    assert_eq!(Standing::on(day("2026-11-30"), None, None), Standing::OpenInTime);
    assert_eq!(Standing::on(day("2026-11-30"), None, Some(day("2026-11-30"))), Standing::DoneOnTime);
}
