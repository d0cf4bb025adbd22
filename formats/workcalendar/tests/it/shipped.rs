//! The shipped calendar: what the law and the yearly notices say, checked against the rules they follow.

use std::collections::BTreeSet;

use workcalendar::{Certainty, Date, Noted, Reason, YearState, shipped};

fn weekend(date: Date) -> bool {
    date.weekday().to_monday_zero_offset() > 4
}

fn days(year: i16, wanted: impl Fn(&Noted) -> bool) -> Vec<String> {
    let calendar = shipped::vn().unwrap();
    let year = calendar.noted(Date::constant(year, 1, 1), Date::constant(year, 12, 31)).to_vec();
    year.into_iter().filter(wanted).map(|n| n.date().to_string()[5..].to_owned()).collect()
}

#[test]
fn the_year_2026_is_as_published() {
    let off = days(2026, Noted::is_off);
    let expected = [
        "01-01", "01-02", "02-16", "02-17", "02-18", "02-19", "02-20", "04-26", "04-27", "04-30", "05-01",
        "08-31", "09-01", "09-02", "11-24",
    ];
    assert_eq!(off, expected);
    assert_eq!(days(2026, |n| !n.is_off()), ["01-10", "08-22"]);
    let calendar = shipped::vn().unwrap();
    let culture_day = calendar.noted(Date::constant(2026, 11, 24), Date::constant(2026, 11, 24))[0].clone();
    assert!(matches!(&culture_day.reason, Reason::Holiday(words) if words.vi == "Ngày Văn hóa Việt Nam"));
    assert_eq!(calendar.source_of(&culture_day).unwrap().act, "Nghị quyết 28/2026/QH16, Điều 2");
}

#[test]
fn years_not_decided_say_so_and_others_have_an_act() {
    let calendar = shipped::vn().unwrap();
    let states: Vec<_> = calendar.years().iter().map(|y| (y.year, y.state)).collect();
    let expected: Vec<_> = (2021..=2026).map(|y| (y, YearState::Published)).collect();
    assert_eq!(states[..6], expected);
    assert_eq!(states[6..], [(2027, YearState::Provisional)]);
    for year in calendar.years() {
        assert!(calendar.source_of_year(year.year).is_some());
    }
    let tet = calendar.noted(Date::constant(2027, 2, 4), Date::constant(2027, 2, 10));
    assert_eq!(tet.len(), 7);
    assert!(tet.iter().all(|n| n.certainty == Certainty::Proposed));
}

/// Labour Code, article 111(3): a holiday on a weekly day off is made up on the next working day.
#[test]
fn every_holiday_on_a_weekend_is_made_up_right_after() {
    let calendar = shipped::vn().unwrap();
    let all = calendar.noted(Date::constant(2021, 1, 1), Date::constant(2027, 12, 31));
    let holidays: BTreeSet<Date> =
        all.iter().filter(|n| matches!(n.reason, Reason::Holiday(_))).map(Noted::date).collect();
    let mut made_up = BTreeSet::new();
    for noted in all {
        let Reason::Compensation { of } = noted.reason else { continue };
        assert!(holidays.contains(&of) && weekend(of), "{of}");
        assert!(made_up.insert(of), "{of} is made up twice");
        assert!(!weekend(noted.date()), "{}", noted.date());
        assert_eq!(calendar.working_days(of, noted.date()).unwrap(), 0, "{of} is made up at once");
    }
    let on_weekends: BTreeSet<Date> = holidays.into_iter().filter(|d| weekend(*d)).collect();
    assert_eq!(made_up, on_weekends);
}

#[test]
fn every_swap_keeps_the_number_of_working_days() {
    let calendar = shipped::vn().unwrap();
    let all = calendar.noted(Date::constant(2021, 1, 1), Date::constant(2027, 12, 31));
    let mut swaps = 0;
    for noted in all {
        let Reason::SwappedOff { worked } = noted.reason else { continue };
        swaps += 1;
        assert!(calendar.hours(noted.date()).unwrap().is_empty());
        assert_eq!(calendar.hours(worked).unwrap().seconds(), 8 * 3_600, "{worked}");
    }
    assert_eq!(swaps, 4);
    for year in calendar.years() {
        let (first, last) = (Date::constant(year.year, 1, 1), Date::constant(year.year, 12, 31));
        let weekdays = first.series(jiff_span()).take_while(|d| *d <= last).filter(|d| !weekend(*d)).count();
        let holidays = if year.year >= 2026 { 12 } else { 11 };
        let worked = calendar.working_days(first, last).unwrap() as usize;
        assert_eq!(worked, weekdays - holidays, "{}: each holiday takes exactly one working day", year.year);
    }
}

fn jiff_span() -> jiff::Span {
    jiff::Span::new().days(1)
}

#[test]
fn a_unit_s_file_overrides_what_is_unsure() {
    let file = "code = 'so'\nname = { vi = 'Sở', en = 'Department' }\nextends = 'vn'\n\
        [[source]]\nid = 'tb'\nact = 'Thông báo của Sở'\ncertainty = 'published'\n\
        [[year]]\nyear = 2026\ndays = [\n{ date = 2026-01-02, usual = true },\n\
        { date = 2026-11-23, swapped-with = 2026-11-28, source = 'tb' },\n]\n";
    let calendar = shipped::read(Some(file), None).unwrap();
    let working = |month, day| !calendar.hours(Date::constant(2026, month, day)).unwrap().is_empty();
    assert!(working(1, 2) && !working(1, 10), "the swap is undone on both days");
    assert!(!working(11, 23) && working(11, 28), "another swap stands");
    assert_eq!(calendar.code(), "so");
    let swapped = calendar.noted(Date::constant(2026, 11, 28), Date::constant(2026, 11, 28));
    assert_eq!(calendar.source_of(&swapped[0]).unwrap().act, "Thông báo của Sở");
}
