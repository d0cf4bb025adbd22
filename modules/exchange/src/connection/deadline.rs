//! Until when whoever's turn it is should have taken the next step of a connection: so many working days after the last
//! one, by the calendar of the agency whose turn it is. No law gives these terms; a province sets its own.

use std::collections::HashMap;
use std::sync::Arc;

use base::clock::{Date, Timestamp};
use base::i18n::Text;
use kernel::orgs::UnitId;
use kernel::{Error, Kernel, Result};
use serde::Deserialize;
use workcalendar::{Calendar, Left, Moment, Policy, Question, Term, Unit};

use super::Turn;
use super::store::Request;
use crate::agreement::State;
use crate::environment::Environment;
use crate::t;

/// Section `[exchange.connection]`: terms in working days.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The provider decides a request.
    pub decision_days: u32,
    /// The consumer completes a request that was returned.
    pub completion_days: u32,
    /// The consumer tries out in the sandbox.
    pub sandbox_days: u32,
    /// The provider ends the test and opens production.
    pub test_days: u32,
    /// The provider publishes a connection that runs.
    pub publish_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { decision_days: 5, completion_days: 10, sandbox_days: 30, test_days: 10, publish_days: 5 }
    }
}

impl Settings {
    /// Checks the values.
    ///
    /// # Errors
    /// The sentence with the permitted range.
    pub fn check(&self) -> std::result::Result<(), Text> {
        let all =
            [self.decision_days, self.completion_days, self.sandbox_days, self.test_days, self.publish_days];
        match all.iter().all(|days| (1..=250).contains(days)) {
            true => Ok(()),
            false => Err(Text::both(t::config_connection_days)),
        }
    }

    /// The term of the step that comes next; `None` where no time is set: for a draft, while suspended, when nobody has a
    /// turn.
    pub const fn term(&self, stands: Option<(State, Environment, bool)>) -> Option<u32> {
        match stands {
            Some((State::Waiting, ..)) => Some(self.decision_days),
            Some((State::Returned, ..)) => Some(self.completion_days),
            Some((State::Approved, Environment::Sandbox, _)) => Some(self.sandbox_days),
            Some((State::Approved, Environment::Test, _)) => Some(self.test_days),
            Some((State::Approved, Environment::Production, false)) => Some(self.publish_days),
            _ => None,
        }
    }
}

/// The outer section, as far as it concerns terms.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Outer {
    connection: Settings,
}

/// The province's terms.
///
/// # Errors
/// When the section cannot be read, which the start of the platform excludes.
pub fn settings(k: &Kernel) -> Result<Settings> {
    let outer: Outer = k.config.section("exchange").map_err(Error::internal)?;
    Ok(outer.connection)
}

/// When a step is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The last moment in time.
    pub at: Timestamp,
    /// What is left, or by how much it is late, in working days.
    pub left: Left,
}

/// When the next step of each request is due; `None` where no term runs, the agency is unknown, or its calendar does not
/// reach so far.
///
/// # Errors
/// When the database is away.
pub async fn of(k: &Kernel, requests: &[Request]) -> Result<Vec<Option<Due>>> {
    let settings = settings(k)?;
    let now = k.clock.now();
    let mut calendars: HashMap<(UnitId, Date), Option<Arc<Calendar>>> = HashMap::new();
    let mut out = Vec::with_capacity(requests.len());
    for r in requests {
        let agency = match r.turn() {
            Turn::Consumer => r.consumer_agency,
            Turn::Provider => r.provider_agency,
            Turn::Nobody => None,
        };
        let Some((agency, days)) = agency.zip(settings.term(r.stands)) else {
            out.push(None);
            continue;
        };
        let key = (agency, r.changed_at.date());
        let calendar = match calendars.get(&key) {
            Some(known) => known.clone(),
            None => {
                let found = match k.calendar_of(key.0, key.1).await {
                    Ok(in_force) => Some(in_force.calendar),
                    // An agency that has ended since: its successor's calendar is not known to be the same.
                    Err(Error::NotFound { .. }) => None,
                    Err(e) => return Err(e),
                };
                calendars.insert(key, found.clone());
                found
            }
        };
        out.push(calendar.and_then(|c| due(&c, r.changed_at, days, now)));
    }
    Ok(out)
}

/// The end of a term of working days that began with a step.
fn due(calendar: &Calendar, began: Timestamp, days: u32, now: Timestamp) -> Option<Due> {
    let moment = |at: Timestamp| Moment::from_unix(at.seconds());
    let question = Question {
        received: moment(began),
        term: Term { count: days, unit: Unit::WorkingDays },
        pauses: &[],
        policy: Policy::default(),
    };
    let end = calendar.due(&question).ok()?.at;
    let left = calendar.left(moment(now), end, Unit::WorkingDays).ok()?;
    Some(Due { at: Timestamp::from_micros(end.unix() * 1_000_000), left })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn working_days_count_and_what_is_late_is_told() {
        let vn = workcalendar::shipped::vn().unwrap();
        // Friday 20 November 2026, 16:00; Tuesday 24 November is a day off.
        let began = at("2026-11-20T09:00:00Z");
        let open = due(&vn, began, 3, at("2026-11-23T03:00:00Z")).unwrap();
        assert_eq!(open.at.rfc3339_vn(), "2026-11-26T16:00:00+07:00");
        assert!(!open.left.late && open.left.days == 2, "{:?}", open.left);
        let late = due(&vn, began, 3, at("2026-11-30T09:00:00Z")).unwrap();
        assert!(late.left.late && late.left.days == 2, "{:?}", late.left);
        assert!(due(&vn, at("1890-01-01T00:00:00Z"), 3, began).is_none(), "no calendar reaches there");
    }

    #[test]
    fn whoever_has_a_turn_with_a_term_has_it_from_the_settings() {
        use Environment::{Production, Sandbox, Test};
        let s = Settings::default();
        assert_eq!(s.term(None), None, "a draft has time");
        for (state, place, published, days) in [
            (State::Waiting, Sandbox, false, Some(5)),
            (State::Returned, Sandbox, false, Some(10)),
            (State::Approved, Sandbox, false, Some(30)),
            (State::Approved, Test, false, Some(10)),
            (State::Approved, Production, false, Some(5)),
            (State::Approved, Production, true, None),
            (State::Suspended, Production, false, None),
            (State::Refused, Sandbox, false, None),
        ] {
            assert_eq!(s.term(Some((state, place, published))), days, "{state} {place}");
        }
        assert!(Settings { test_days: 0, ..s.clone() }.check().is_err() && s.check().is_ok());
    }
}
