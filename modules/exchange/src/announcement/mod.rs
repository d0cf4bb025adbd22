//! What a provider announces of a service: a change, that it is deprecated, or that it ends. Consumers are told and
//! acknowledge; answers carry the dates from then on (`gateway::beside`); calls after the end are refused once the
//! provider has confirmed that. SQL is in `store`, telling and reminding in `tell`.

pub mod actions;
mod store;
mod tell;

use base::clock::{Date, Timestamp};
use base::error::FieldError;
use base::i18n::{Lang, Text};
use serde::{Deserialize, Serialize};

use crate::ids::{AnnouncementId, ServiceId, SubsystemId};
use crate::t;

pub use store::{MIGRATION, concerning, consumers, in_force, mine, of_service, one};
pub use tell::remind_due;

/// Section `[exchange.announcement]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How many days before the day of an announcement its consumers are reminded.
    pub reminder_days: Vec<u16>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { reminder_days: vec![90, 30, 7] }
    }
}

impl Settings {
    /// Checks the values.
    ///
    /// # Errors
    /// The sentence with what is permitted.
    pub fn check(&self) -> Result<(), Text> {
        let good =
            self.reminder_days.len() <= 10 && self.reminder_days.iter().all(|d| (1..=3_650).contains(d));
        if good { Ok(()) } else { Err(Text::both(t::config_reminder_days)) }
    }
}

/// Longest text, in characters.
pub const MAX_TEXT: usize = 2_000;
/// The furthest day that can be announced, in days.
const FURTHEST: i64 = 3_660;

/// What kind of announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Something changes; the service stays.
    Change,
    /// The service should no longer be built upon; its end may follow.
    Deprecation,
    /// The service ends on a day.
    End,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Change, Self::Deprecation, Self::End];

    /// As stored and written in interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Deprecation => "deprecation",
            Self::End => "end",
        }
    }

    /// The kind of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == word)
    }

    /// The word people read.
    pub fn label(self, l: Lang) -> &'static str {
        match self {
            Self::Change => t::announced_change(l),
            Self::Deprecation => t::announced_deprecation(l),
            Self::End => t::announced_end(l),
        }
    }
}

/// What a provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What kind.
    pub kind: Kind,
    /// The day of the change, or from which on the service is deprecated.
    pub effective: Date,
    /// The first day without the service.
    pub ends: Option<Date>,
    /// What happens and why.
    pub what: String,
    /// What replaces the service.
    pub successor: Option<ServiceId>,
}

impl Said {
    /// Checks it on the day on which it is said.
    ///
    /// # Errors
    /// Every wrong value.
    pub fn check(&self, today: Date) -> Result<(), Vec<FieldError>> {
        let mut wrong = Vec::new();
        let mut say = |field: &str, text: Text| wrong.push(FieldError { field: field.to_owned(), text });
        let far = |day: Date| day.days_since_epoch() - today.days_since_epoch() > FURTHEST;
        if self.what.trim().is_empty() {
            say("what", Text::both(t::announce_what_missing));
        }
        if self.what.chars().count() > MAX_TEXT {
            say("what", Text::both(|l| t::text_too_long(l, MAX_TEXT)));
        }
        if far(self.effective) || self.kind == Kind::Change && self.effective < today {
            say("effective", Text::both(t::announce_effective_wrong));
        }
        match (self.kind, self.ends) {
            (Kind::Change, Some(_)) => say("ends", Text::both(t::announce_change_ends)),
            (Kind::End, None) => say("ends", Text::both(t::announce_ends_missing)),
            // An end is announced before it comes, or nobody can prepare.
            (_, Some(day)) if day <= today || day < self.effective || far(day) => {
                say("ends", Text::both(t::announce_ends_wrong));
            }
            _ => {}
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

/// An announcement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Which one.
    pub id: AnnouncementId,
    /// Of which service.
    pub service: ServiceId,
    /// The service's name.
    pub service_name: String,
    /// The provider's member.
    pub provider_member: String,
    /// The system that provides it.
    pub provider_subsystem: SubsystemId,
    /// The agency behind the provider.
    pub provider_agency: Option<kernel::orgs::UnitId>,
    /// What was said.
    pub said: Said,
    /// Name of what replaces the service.
    pub successor_name: Option<String>,
    /// When it was said.
    pub told_at: Timestamp,
    /// By whom, as shown.
    pub told_name: Option<String>,
    /// When the provider confirmed that calls are refused after the end, and who did.
    pub refuses: Option<(Timestamp, Option<String>)>,
    /// When it was taken back, and by whom.
    pub withdrawn: Option<(Timestamp, Option<String>)>,
}

impl Announcement {
    /// The day for which people prepare.
    pub fn due(&self) -> Date {
        self.said.ends.unwrap_or(self.said.effective)
    }
}

/// A consumer that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The system.
    pub subsystem: SubsystemId,
    /// `instance/class/member/subsystem`.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Its code.
    pub code: String,
    /// Its member.
    pub member: String,
    /// The agency behind it.
    pub agency: Option<kernel::orgs::UnitId>,
    /// When it was told.
    pub told_at: Timestamp,
    /// The last reminder, in days before.
    pub reminded: Option<i64>,
    /// When it acknowledged, and who did.
    pub acknowledged: Option<(Timestamp, Option<String>)>,
}

/// The reminder that is due now, in days before: of those at or behind which the time has come, the nearest to the day,
/// unless it or a nearer one was sent. One that was missed is not made up for by a second message on the same day.
pub fn reminder(days: &[u16], today: Date, due: Date, told: Date, reminded: Option<i64>) -> Option<i64> {
    let left = due.days_since_epoch() - today.days_since_epoch();
    let at_first = due.days_since_epoch() - told.days_since_epoch();
    let due_now = days.iter().map(|d| i64::from(*d)).filter(|d| left <= *d && left > 0).min()?;
    // Who was told on that very day or after it has just read the date.
    let fresh = at_first <= due_now;
    (!fresh && reminded.is_none_or(|sent| sent > due_now)).then_some(due_now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn said(kind: Kind, effective: &str, ends: Option<&str>) -> Said {
        Said {
            kind,
            effective: day(effective),
            ends: ends.map(day),
            what: "Đổi cấu trúc".into(),
            successor: None,
        }
    }

    fn wrong(said: &Said) -> Vec<String> {
        let errors = said.check(day("2026-11-22")).err().unwrap_or_default();
        errors.into_iter().map(|e| e.field).collect()
    }

    #[test]
    fn an_announcement_names_days_that_can_be_prepared_for() {
        use Kind::{Change, Deprecation, End};
        assert!(wrong(&said(Change, "2026-11-22", None)).is_empty());
        assert!(wrong(&said(Deprecation, "2026-01-01", None)).is_empty(), "deprecated already");
        assert!(wrong(&said(End, "2026-11-22", Some("2027-06-01"))).is_empty());
        assert_eq!(wrong(&said(Change, "2026-11-21", None)), ["effective"]);
        assert_eq!(wrong(&said(Change, "2026-12-21", Some("2027-01-01"))), ["ends"]);
        assert_eq!(wrong(&said(End, "2026-11-22", None)), ["ends"]);
        assert_eq!(wrong(&said(End, "2026-11-22", Some("2026-11-22"))), ["ends"], "not today");
        assert_eq!(wrong(&said(Deprecation, "2027-06-02", Some("2027-06-01"))), ["ends"]);
        assert_eq!(wrong(&said(End, "2026-11-22", Some("2126-06-01"))), ["ends"]);
        let silent = Said { what: " ".into(), ..said(Change, "2026-12-01", None) };
        assert_eq!(wrong(&silent), ["what"]);
        let long = Said { what: "đ".repeat(MAX_TEXT + 1), ..said(Change, "2026-12-01", None) };
        assert_eq!(wrong(&long), ["what"]);
    }

    #[test]
    fn each_reminder_is_sent_once_and_a_missed_one_is_not_doubled() {
        let days = [90, 30, 7];
        let (due, told) = (day("2027-06-01"), day("2026-11-22"));
        let at = |today: &str, reminded| reminder(&days, day(today), due, told, reminded);
        assert_eq!(at("2027-03-02", None), None, "91 days before");
        assert_eq!(at("2027-03-03", None), Some(90));
        assert_eq!(at("2027-03-20", Some(90)), None);
        assert_eq!(at("2027-05-02", Some(90)), Some(30));
        assert_eq!(at("2027-05-28", Some(90)), Some(7), "the one of 30 days was missed");
        assert_eq!(at("2027-05-28", Some(7)), None);
        assert_eq!((at("2027-06-01", None), at("2027-07-01", None)), (None, None), "it is over");
        let late = |told: &str| reminder(&days, day("2027-05-10"), due, day(told), None);
        assert_eq!(
            (late("2027-05-09"), late("2027-05-01")),
            (None, Some(30)),
            "told after the reminder was due"
        );
        assert_eq!(reminder(&[], day("2027-05-30"), due, told, None), None);
    }
}
