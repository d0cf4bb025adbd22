//! Faults found in systems in use, each as a test that this one does not have it.

use workcalendar::{NoAnswer, NoData, Standing, shipped};

use crate::{ask, at, due};

#[test]
fn resuming_counts_weekends_holidays_and_parts_of_days_in_a_pause_exactly() {
    let calendar = shipped::vn().unwrap();
    // Friday 15:00 to Wednesday 09:00 holds a weekend, a holiday, and 2 + 8 + 2 hours of working time.
    let pause = "2026-11-20T15:00/2026-11-25T09:00";
    let worked = calendar.working_seconds(at("2026-11-20T15:00"), at("2026-11-25T09:00")).unwrap();
    assert_eq!(worked, 12 * 3_600);
    let plain = ask(&calendar, "2026-11-18T10:00", "5wd", &[], &[]).unwrap();
    assert_eq!(plain.at, at("2026-11-26T10:00"));
    let paused = ask(&calendar, "2026-11-18T10:00", "5wd", &[pause], &[]).unwrap();
    assert_eq!(paused.at, at("2026-11-27T16:00"));
    assert_eq!(calendar.working_seconds(plain.at, paused.at).unwrap(), worked);
}

#[test]
fn a_swapped_saturday_is_worked_and_the_day_it_replaces_is_not() {
    // Friday 2 May 2025 was worked on Saturday 26 April.
    assert_eq!(due("2025-04-25T16:00", "1wd", &[]), "2025-04-26T16:00");
    assert_eq!(due("2025-04-25T16:00", "2h", &[]), "2025-04-26T08:00");
    assert_eq!(due("2025-04-29T10:00", "1wd", &[]), "2025-05-05T10:00", "30/4, 1/5, 2/5 and the weekend");
    assert_eq!(due("2025-04-26T09:00", "1wd", &[]), "2025-04-28T09:00", "received on the working Saturday");
}

#[test]
fn what_overflows_the_closing_lands_at_a_time_of_day_with_the_noon_break_kept() {
    assert_eq!(due("2026-11-16T15:30", "7h", &[]), "2026-11-17T14:30", "1.5 h, 4.5 h, and 1 h after noon");
    assert_eq!(due("2026-11-16T15:30", "6h", &[]), "2026-11-17T11:30", "to the minute of the break");
    assert_eq!(due("2026-11-16T16:59:59", "5h", &[]), "2026-11-17T13:59");
}

#[test]
fn without_data_there_is_an_error_and_no_date() {
    let calendar = shipped::vn().unwrap();
    let no_data = |received, term| ask(&calendar, received, term, &[], &[]).unwrap_err();
    assert_eq!(no_data("2019-03-01T08:00", "1wd"), NoAnswer::NoData(NoData { year: 2019 }));
    assert_eq!(no_data("2035-03-01T08:00", "1wd"), NoAnswer::NoData(NoData { year: 2035 }));
    assert_eq!(no_data("2027-12-30T08:00", "5wd"), NoAnswer::NoData(NoData { year: 2028 }));
    assert_eq!(no_data("2027-12-30T08:00", "50h"), NoAnswer::NoData(NoData { year: 2028 }));
    assert_eq!(no_data("2027-06-01T08:00", "300d"), NoAnswer::NoData(NoData { year: 2028 }));
    assert_eq!(no_data("2027-12-31T18:00", "1h"), NoAnswer::NoData(NoData { year: 2028 }));
    assert_eq!(no_data("2026-11-20T08:00", "100000wd"), NoAnswer::NoData(NoData { year: 2028 }));
    let pause = &["2026-11-20T09:00/2031-11-20T09:00"];
    let paused = ask(&calendar, "2026-11-20T08:00", "3wd", pause, &[]);
    assert_eq!(paused.unwrap_err(), NoAnswer::NoData(NoData { year: 2031 }));
}

#[test]
fn the_server_s_zone_has_no_say() {
    // The same moment written from UTC, from Tokyo and from Viet Nam: 00:30 on Saturday the 21st here.
    for received in ["2026-11-20T17:30:00Z", "2026-11-21T02:30:00+09:00", "2026-11-21T00:30"] {
        assert_eq!(due(received, "30d", &[]), "2026-12-23T07:00", "{received}");
        assert_eq!(due(received, "1h", &[]), "2026-11-23T08:00", "{received}");
    }
}

#[test]
fn holidays_already_gone_count_like_those_to_come() {
    assert_eq!(due("2024-04-26T10:00", "2wd", &[]), "2024-05-03T10:00", "29/4 swapped, 30/4, 1/5");
    assert_eq!(due("2023-01-19T10:00", "1wd", &[]), "2023-01-27T10:00", "Tết with its compensation");
    assert_eq!(due("2025-11-21T10:00", "2wd", &[]), "2025-11-25T10:00", "no Culture Day before 2026");
    assert_eq!(due("2022-04-28T10:00", "2wd", &[]), "2022-05-04T10:00", "both compensated");
}

#[test]
fn no_value_falls_between_two_classes() {
    // Elsewhere a survey total of exactly 15 belonged to no grade. Here every pair of days has exactly one column,
    // and the boundary belongs to "on time".
    let due = "2026-11-26".parse().unwrap();
    let column = |offset: i64| {
        let finished = at("2026-11-26T12:00").plus(offset * 86_400).date();
        Standing::on("2026-12-31".parse().unwrap(), Some(due), Some(finished))
    };
    let columns: Vec<Standing> = (-2..=2).map(column).collect();
    use Standing::{DoneEarly, DoneLate, DoneOnTime};
    assert_eq!(columns, [DoneEarly, DoneEarly, DoneOnTime, DoneLate, DoneLate]);
}
