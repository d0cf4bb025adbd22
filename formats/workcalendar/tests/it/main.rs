//! Tests of the working calendar: the examples, the known defects of others, properties on random calendars beside a
//! minute-by-minute reference, the shipped data, and hostile files.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

mod defects;
mod examples;
mod files;
mod plain;
mod properties;
mod shipped;

use workcalendar::{Calendar, Due, Moment, NoAnswer, Pause, Policy, Question};

/// A moment.
pub fn at(text: &str) -> Moment {
    text.parse().unwrap()
}

/// A policy of the choices given.
pub fn policy(choices: &[&str]) -> Policy {
    let mut policy = Policy::default();
    for choice in choices {
        policy.choose(choice).unwrap();
    }
    policy
}

/// Asks with pauses written `FROM/TO`.
pub fn ask(
    calendar: &Calendar,
    received: &str,
    term: &str,
    pauses: &[&str],
    choices: &[&str],
) -> Result<Due, NoAnswer> {
    let pauses: Vec<Pause> = pauses.iter().map(|p| p.parse().unwrap()).collect();
    calendar.due(&Question {
        received: at(received),
        term: term.parse().unwrap(),
        pauses: &pauses,
        policy: policy(choices),
    })
}

/// The end on the shipped calendar, as `yyyy-mm-ddThh:mm`.
#[track_caller]
pub fn due(received: &str, term: &str, choices: &[&str]) -> String {
    let due = ask(&workcalendar::shipped::vn().unwrap(), received, term, &[], choices).unwrap();
    due.at.to_string()[..16].to_owned()
}
