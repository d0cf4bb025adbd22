//! What must hold on any calendar, and the comparison with the minute-by-minute reference.

use proptest::prelude::*;
use workcalendar::{
    AfterHours, DayEnd, Moment, MovedEnd, Policy, Question, Supplement, Term, Unit, time_of_day,
};

use crate::plain::{Choices, choices, minutes, moment};

/// Somewhere in the first year and a half, often at the stroke of an hour.
fn receipt() -> impl Strategy<Value = i64> {
    prop_oneof![
        0_i64..780_000,
        (0_i64..780_000).prop_map(|m| m / 60 * 60),
        (0_i64..780_000).prop_map(|m| m / 15 * 15)
    ]
}

fn term() -> impl Strategy<Value = Term> {
    prop_oneof![
        (1_u32..60).prop_map(|count| Term { count, unit: Unit::WorkingHours }),
        (0_u32..15).prop_map(|count| Term { count, unit: Unit::WorkingDays }),
        (0_u32..20).prop_map(|count| Term { count, unit: Unit::Days }),
    ]
}

/// A term that only working time uses up.
fn working_term() -> impl Strategy<Value = Term> {
    prop_oneof![
        (1_u32..60).prop_map(|count| Term { count, unit: Unit::WorkingHours }),
        (1_u32..15).prop_map(|count| Term { count, unit: Unit::WorkingDays }),
    ]
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let cut_off = prop_oneof![3 => Just(None), 1 => Just(Some(time_of_day("15:00").unwrap()))];
    (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), cut_off).prop_map(
        |(day_one, closing, opening, restart, cut_off)| Policy {
            after_hours: if day_one { AfterHours::DayOne } else { AfterHours::NextOpening },
            day_end: if closing { DayEnd::Closing } else { DayEnd::SameHour },
            moved_end: if opening { MovedEnd::Opening } else { MovedEnd::SameHour },
            supplement: if restart { Supplement::Restart } else { Supplement::Extend },
            cut_off,
            ..Policy::default()
        },
    )
}

/// Pauses around a receipt: before, across, within, after.
fn pauses() -> impl Strategy<Value = Vec<(i64, i64)>> {
    proptest::collection::vec(
        (-2_000_i64..9_000, 0_i64..4_000).prop_map(|(from, length)| (from, from + length)),
        0..4,
    )
}

fn shifted(pauses: &[(i64, i64)], received: i64) -> Vec<(i64, i64)> {
    let shift = |m: i64| (received + m).max(0);
    pauses.iter().map(|(from, to)| (shift(*from), shift(*to))).collect()
}

/// Whether the order of receipts is kept to the minute, not only to the day (see [`MovedEnd::SameHour`]).
fn keeps_hours(term: Term, policy: &Policy) -> bool {
    term.unit != Unit::Days || policy.day_end == DayEnd::Closing || policy.moved_end == MovedEnd::Opening
}

/// Receipt, term, pauses around the receipt, policy.
type Asked = (i64, Term, Vec<(i64, i64)>, Policy);

fn check_against_reference(choices: &Choices, questions: &[Asked]) {
    let (calendar, plain) = (choices.calendar(), choices.plain());
    for (received, term, pauses, policy) in questions {
        let pauses = shifted(pauses, *received);
        let ours = minutes(&calendar, *received, *term, &pauses, *policy);
        let theirs = plain.due(*received, *term, &pauses, policy).ok();
        let shown = |m: Option<i64>| m.map(moment);
        assert_eq!(
            shown(ours),
            shown(theirs),
            "{term} from {} pauses {:?} {policy:?}\n{}",
            moment(*received),
            pauses.iter().map(|(a, b)| (moment(*a), moment(*b))).collect::<Vec<_>>(),
            choices.file()
        );
        if let Some(end) = ours {
            assert!(plain.inside(end).unwrap_or(false), "{} is outside working time", moment(end));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Every answer is the reference's, and never on a day off or outside working time.
    #[test]
    fn every_minute_agrees(
        choices in choices(false),
        questions in proptest::collection::vec((receipt(), term(), pauses(), any_policy()), 12),
    ) {
        check_against_reference(&choices, &questions);
    }

    #[test]
    fn working_time_between_moments_agrees(choices in choices(false), from in receipt(), length in 0_i64..30_000) {
        let (calendar, to) = (choices.calendar(), from + length);
        let ours = calendar.working_seconds(moment(from), moment(to)).unwrap();
        prop_assert_eq!(ours, choices.plain().between(from, to).ok().unwrap() * 60);
        prop_assert_eq!(calendar.working_seconds(moment(to), moment(from)).unwrap(), -ours);
    }

    /// Nothing received earlier is due later: to the minute, or to the day where two days off meet on one working day.
    #[test]
    fn monotone_in_the_receipt(
        choices in choices(false), a in receipt(), gap in 0_i64..6_000, term in term(), policy in any_policy(),
    ) {
        let calendar = choices.calendar();
        let end = |received| minutes(&calendar, received, term, &[], policy);
        let (Some(first), Some(second)) = (end(a), end(a + gap)) else { return Ok(()) };
        let kept = if keeps_hours(term, &policy) { first <= second } else { first / 1_440 <= second / 1_440 };
        prop_assert!(kept, "{} then {}: {} then {}", moment(a), moment(a + gap), moment(first), moment(second));
    }

    #[test]
    fn monotone_in_the_term(
        choices in choices(false), received in receipt(), term in term(), more in 0_u32..9, policy in any_policy(),
    ) {
        let calendar = choices.calendar();
        let end = |count| minutes(&calendar, received, Term { count, ..term }, &[], policy);
        let (Some(shorter), Some(longer)) = (end(term.count), end(term.count + more)) else { return Ok(()) };
        prop_assert!(shorter <= longer);
    }

    /// Two terms one after another are one: hours always, days where all working days have the same hours.
    #[test]
    fn additive(uniform in choices(true), any in choices(false), received in receipt(), a in 1_u32..20, b in 1_u32..20) {
        for (choices, unit) in [(uniform, Unit::WorkingDays), (any, Unit::WorkingHours)] {
            let calendar = choices.calendar();
            let end = |from, count| minutes(&calendar, from, Term { count, unit }, &[], Policy::default());
            let Some(whole) = end(received, a + b) else { continue };
            let in_parts = end(received, a).and_then(|half| end(half, b));
            prop_assert_eq!(in_parts, Some(whole));
        }
    }

    /// The order of pauses, cuts in them, and parts of them outside working time change nothing.
    #[test]
    fn pauses_count_by_what_they_cover(
        choices in choices(false), received in receipt(), term in term(), pauses in pauses(), policy in any_policy(),
        cut in 0_i64..4_000,
    ) {
        let calendar = choices.calendar();
        let pauses = shifted(&pauses, received);
        let end = |pauses: &[(i64, i64)]| minutes(&calendar, received, term, pauses, policy);
        let whole = end(&pauses);
        let reversed: Vec<_> = pauses.iter().rev().copied().collect();
        prop_assert_eq!(end(&reversed), whole);
        let cut_in_two: Vec<_> = pauses.iter().flat_map(|(from, to)| {
            let middle = (from + cut).min(*to);
            [(*from, middle), (middle, *to)]
        }).collect();
        prop_assert_eq!(end(&cut_in_two), whole);
    }

    #[test]
    fn a_pause_outside_working_time_changes_no_working_term(
        choices in choices(false), received in receipt(), term in working_term(), from in 0_i64..9_000, closing in any::<bool>(),
    ) {
        let (calendar, plain) = (choices.calendar(), choices.plain());
        let outside = |m: i64| plain.between(m, m + 1).is_ok_and(|worked| worked == 0);
        let from = (received + from..).find(|m| outside(*m)).unwrap();
        let to = (from..from + 9_000).find(|m| !outside(*m)).unwrap_or(from);
        let day_end = if closing { DayEnd::Closing } else { DayEnd::SameHour };
        let policy = Policy { day_end, ..Policy::default() };
        let end = |pauses: &[(i64, i64)]| minutes(&calendar, received, term, pauses, policy);
        prop_assert_eq!(end(&[(from, to)]), end(&[]));
    }

    /// A pause pushes the end by exactly the working time it holds.
    #[test]
    fn a_pause_adds_its_working_time(
        choices in choices(false), received in receipt(), term in working_term(), from in 0_i64..9_000, length in 0_i64..9_000,
    ) {
        let calendar = choices.calendar();
        let (from, to) = (received + from, received + from + length);
        let end = |pauses: &[(i64, i64)]| minutes(&calendar, received, term, pauses, Policy::default());
        let (Some(plain), Some(paused)) = (end(&[]), end(&[(from, to)])) else { return Ok(()) };
        if from >= plain {
            return Ok(());
        }
        let added = calendar.working_seconds(moment(plain), moment(paused)).unwrap();
        prop_assert_eq!(added, calendar.working_seconds(moment(from), moment(to)).unwrap());
    }

    /// What is left leads from now to the end by the rules of terms.
    #[test]
    fn what_is_left_leads_to_the_end(choices in choices(false), now in receipt(), length in 0_i64..30_000) {
        let (calendar, due) = (choices.calendar(), moment(now + length));
        let left = calendar.left(moment(now), due, Unit::WorkingDays).unwrap();
        prop_assert!(!left.late && left.seconds >= 0);
        let mut reached = moment(now);
        if left.days > 0 {
            let term = Term { count: left.days, unit: Unit::WorkingDays };
            let question = Question { received: reached, term, pauses: &[], policy: Policy::default() };
            reached = calendar.due(&question).unwrap().at;
        }
        prop_assert!(reached <= due);
        prop_assert_eq!(calendar.working_seconds(reached, due).unwrap(), left.seconds);
        let mirrored = calendar.left(due, moment(now), Unit::WorkingDays).unwrap();
        prop_assert_eq!((mirrored.days, mirrored.seconds), (left.days, left.seconds));
        prop_assert_eq!(mirrored.late, length > 0);
    }

    /// Nothing that is asked makes it panic.
    #[test]
    fn any_moment_has_an_answer_or_a_reason(seconds in any::<i64>(), count in 0_u32..=100_000, unit in 0..3) {
        let unit = [Unit::WorkingHours, Unit::WorkingDays, Unit::Days][usize::try_from(unit).unwrap()];
        let calendar = workcalendar::shipped::vn().unwrap();
        let received = Moment::from_unix(seconds);
        let _ = calendar.due(&Question {
            received,
            term: Term { count, unit },
            pauses: &[workcalendar::Pause { from: received, to: received.plus(i64::MAX) }],
            policy: Policy::default(),
        });
        let _ = calendar.left(received, Moment::from_unix(0), unit);
        let _ = calendar.next_open(received);
    }
}

/// Friday after closing counts from Monday as day one, Monday before opening from Monday: both end on the next Monday.
#[test]
fn ends_that_move_to_one_day_keep_their_order() {
    use crate::due;
    let choices = &["after-hours=day-one", "moved-end=opening"];
    assert_eq!(due("2025-07-18T17:01", "6d", choices), "2025-07-28T07:00");
    assert_eq!(due("2025-07-21T00:00", "6d", choices), "2025-07-28T07:00");
}

/// Why the order within a day is not kept by default: the end of Saturday and of Sunday meet on Monday, each at its
/// own hour. Both other choices keep it.
#[test]
fn two_days_off_meet_on_one_working_day() {
    use crate::due;
    let (thursday, friday) = ("2026-11-05T16:00", "2026-11-06T10:00");
    assert_eq!(due(thursday, "2d", &[]), "2026-11-09T16:00");
    assert_eq!(due(friday, "2d", &[]), "2026-11-09T10:00");
    for choice in ["moved-end=opening", "day-end=closing"] {
        assert!(due(thursday, "2d", &[choice]) <= due(friday, "2d", &[choice]));
    }
}
