//! Versions and what publishing one does to the others. A version is dated and never edited after publication: a
//! correction is a new version. On every day at most one version answers.

use base::clock::{Date, Timestamp};
use base::error::{FieldError, Refusal};
use base::i18n::{Lang, Text};
use serde::Serialize;

use crate::catalogue::{MAX_NAME, MAX_TEXT, field};
use crate::ids::{CatalogueId, VersionId};
use crate::t;

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Being prepared; may still change.
    Draft,
    /// Published, not replaced.
    Published,
    /// Replaced by a later one, wholly or from some day on; answers for the days before.
    Superseded,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Draft, Self::Published, Self::Superseded];

    /// As stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Superseded => "superseded",
        }
    }

    /// In words.
    pub fn label(self, lang: Lang) -> &'static str {
        match self {
            Self::Draft => t::state_draft(lang),
            Self::Published => t::state_published(lang),
            Self::Superseded => t::state_superseded(lang),
        }
    }
}

impl std::str::FromStr for State {
    type Err = base::ids::BadId;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|k| k.as_str() == s).ok_or(base::ids::BadId("version state"))
    }
}

/// From which day to which, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// First day.
    pub from: Date,
    /// Last day; none while without end.
    pub to: Option<Date>,
}

impl Period {
    /// A period that does not end before it begins.
    ///
    /// # Errors
    /// What is wrong with `valid_to`.
    pub fn new(from: Date, to: Option<Date>) -> Result<Self, FieldError> {
        match to {
            Some(end) if end < from => Err(field("valid_to", Text::both(t::period_backwards))),
            _ => Ok(Self { from, to }),
        }
    }

    /// Whether a day is in it.
    pub fn covers(&self, day: Date) -> bool {
        self.from <= day && self.to.is_none_or(|end| day <= end)
    }

    /// Whether it has a day in common with another.
    pub fn meets(&self, other: &Self) -> bool {
        other.to.is_none_or(|end| self.from <= end) && self.to.is_none_or(|end| other.from <= end)
    }
}

/// What a draft is begun with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// When it is to be valid.
    pub period: Period,
    /// The act behind this version.
    pub act: String,
    /// What changed and why.
    pub note: String,
}

impl Outline {
    /// Trimmed and bounded.
    ///
    /// # Errors
    /// Every wrong field.
    pub fn checked(self) -> Result<Self, Vec<FieldError>> {
        let clean = |s: &str| base::text::nfc(s.trim());
        let this = Self { act: clean(&self.act), note: clean(&self.note), ..self };
        let mut wrong = Vec::new();
        for (name, value, most) in [("act", &this.act, MAX_NAME), ("note", &this.note, MAX_TEXT)] {
            if value.chars().count() > most {
                wrong.push(field(name, Text::both(|l| t::too_long(l, most))));
            }
        }
        if wrong.is_empty() { Ok(this) } else { Err(wrong) }
    }
}

/// A version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Which.
    pub id: VersionId,
    /// Of what.
    pub catalogue: CatalogueId,
    /// 1, 2, 3 … within the catalogue.
    pub number: i64,
    /// Where it stands.
    pub state: State,
    /// As published.
    pub outline: Outline,
    /// What later versions left of its period; before the first day when nothing.
    pub last_day: Option<Date>,
    /// Rows in it.
    pub rows: i64,
    /// Grows with every change of the draft.
    pub revision: i64,
    /// When it was drafted.
    pub created_at: Timestamp,
    /// When it was published.
    pub published_at: Option<Timestamp>,
    /// Number of the version that replaced it last.
    pub superseded_by: Option<i64>,
}

impl Version {
    /// First day.
    pub fn from(&self) -> Date {
        self.outline.period.from
    }

    /// The days on which it answers, if any.
    pub fn answers(&self) -> Option<Period> {
        let period = Period { from: self.from(), to: self.last_day };
        let some = self.state != State::Draft && self.last_day.is_none_or(|end| self.from() <= end);
        some.then_some(period)
    }

    /// Whether it answers on a day.
    pub fn answers_on(&self, day: Date) -> bool {
        self.answers().is_some_and(|p| p.covers(day))
    }
}

/// What a publication leaves of an older version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Which version.
    pub version: VersionId,
    /// Its number.
    pub number: i64,
    /// Its last day from now on; `None` when no day is left.
    pub last_day: Option<Date>,
}

/// What publishing `draft` does to the others.
///
/// # Errors
/// When it is not a draft, has no rows, or would leave an older version in two pieces or swallow a later one.
pub fn publication(draft: &Version, all: &[Version]) -> Result<Vec<Cut>, Refusal> {
    if draft.state != State::Draft {
        return Err(Refusal::new("version-not-draft", Text::both(t::version_not_draft)));
    }
    if draft.rows == 0 {
        return Err(Refusal::new("version-empty", Text::both(t::version_empty)));
    }
    let period = draft.outline.period;
    let mut cuts = Vec::new();
    for other in all.iter().filter(|v| v.id != draft.id) {
        let Some(answers) = other.answers().filter(|a| a.meets(&period)) else { continue };
        if answers.from > period.from {
            let end = answers.from.plus_days(-1).unwrap_or(answers.from).vn();
            let say = |l| {
                let from = answers.from.vn();
                t::version_covers_later(l, t::VersionCoversLater { end: &end, from, number: other.number })
            };
            return Err(Refusal::new("version-covers-later", Text::both(say)));
        }
        let longer = match (answers.to, period.to) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(theirs), Some(ours)) => theirs > ours,
        };
        if longer {
            let say = |l| {
                let to = period.to.map(Date::vn).unwrap_or_default();
                t::version_would_split(l, t::VersionWouldSplit { number: other.number, to })
            };
            return Err(Refusal::new("version-would-split", Text::both(say)));
        }
        let last_day = period.from.plus_days(-1).filter(|end| answers.from <= *end);
        cuts.push(Cut { version: other.id, number: other.number, last_day });
    }
    Ok(cuts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::ids::Uuid;

    fn day(s: &str) -> Date {
        s.parse().unwrap()
    }

    fn version(number: i64, state: State, from: &str, to: Option<&str>) -> Version {
        let period = Period::new(day(from), to.map(day)).unwrap();
        Version {
            id: VersionId(Uuid::from_u128(number.unsigned_abs().into())),
            catalogue: CatalogueId(Uuid::from_u128(1)),
            number,
            state,
            outline: Outline { period, act: String::new(), note: String::new() },
            last_day: period.to,
            rows: 1,
            revision: 1,
            created_at: Timestamp::from_micros(0),
            published_at: None,
            superseded_by: None,
        }
    }

    /// Publishes as the action does.
    fn publish(all: &mut [Version], number: i64) -> Result<(), &'static str> {
        let draft = all.iter().find(|v| v.number == number).unwrap().clone();
        for cut in publication(&draft, all).map_err(|r| r.code)? {
            let old = all.iter_mut().find(|v| v.id == cut.version).unwrap();
            (old.state, old.superseded_by) = (State::Superseded, Some(number));
            old.last_day = cut.last_day.or_else(|| old.from().plus_days(-1));
        }
        all.iter_mut().find(|v| v.number == number).unwrap().state = State::Published;
        Ok(())
    }

    fn at(all: &[Version], on: &str) -> Vec<i64> {
        all.iter().filter(|v| v.answers_on(day(on))).map(|v| v.number).collect()
    }

    #[test]
    fn a_successor_ends_what_was_open_the_day_before() {
        let mut all = [
            version(1, State::Published, "2025-03-01", None),
            version(2, State::Draft, "2025-07-01", None),
            version(3, State::Draft, "2026-04-30", None),
        ];
        publish(&mut all, 2).unwrap();
        publish(&mut all, 3).unwrap();
        for (on, number) in [
            ("2025-06-30", vec![1]),
            ("2025-07-01", vec![2]),
            ("2026-04-29", vec![2]),
            ("2026-04-30", vec![3]),
            ("2025-02-28", vec![]),
        ] {
            assert_eq!(at(&all, on), number, "{on}");
        }
        assert_eq!(all[1].state, State::Superseded);
    }

    #[test]
    fn a_correction_replaces_the_whole_of_what_it_corrects() {
        let mut all = [
            version(1, State::Published, "2025-07-01", Some("2026-04-29")),
            version(2, State::Published, "2026-04-30", None),
            version(3, State::Draft, "2025-07-01", Some("2026-04-29")),
        ];
        publish(&mut all, 3).unwrap();
        assert_eq!((at(&all, "2025-07-01"), at(&all, "2026-04-30")), (vec![3], vec![2]));
        assert_eq!(all[0].answers(), None);
    }

    #[test]
    fn nothing_is_swallowed_or_left_in_two_pieces() {
        let mut all = [
            version(1, State::Published, "2025-03-01", None),
            version(2, State::Draft, "2025-01-01", None),
            version(3, State::Draft, "2025-07-01", Some("2025-12-31")),
            version(4, State::Draft, "2025-01-01", Some("2025-02-28")),
        ];
        assert_eq!(publish(&mut all, 2), Err("version-covers-later"));
        assert_eq!(publish(&mut all, 3), Err("version-would-split"));
        assert_eq!(publish(&mut all, 4), Ok(()));
        assert_eq!(publish(&mut all, 4), Err("version-not-draft"));
        all[1].rows = 0;
        assert_eq!(publish(&mut all, 2), Err("version-empty"));
    }

    #[test]
    fn whatever_is_published_at_most_one_version_answers() {
        // Every sequence of three periods out of a small calendar, open or not.
        let days = ["2025-01-01", "2025-01-02", "2025-01-03", "2025-01-04"];
        let mut periods = Vec::new();
        for (n, from) in days.iter().enumerate() {
            periods.push((*from, None));
            periods.extend(days[n..].iter().map(|to| (*from, Some(*to))));
        }
        for a in &periods {
            for b in &periods {
                for c in &periods {
                    let mut all: Vec<Version> =
                        [a, b, c].iter().zip(1..).map(|(p, n)| version(n, State::Draft, p.0, p.1)).collect();
                    for number in 1..=3 {
                        let before: Vec<Vec<i64>> = days.iter().map(|d| at(&all, d)).collect();
                        if publish(&mut all, number).is_err() {
                            let after: Vec<Vec<i64>> = days.iter().map(|d| at(&all, d)).collect();
                            assert_eq!(before, after);
                            continue;
                        }
                        for (d, before) in days.iter().zip(before) {
                            let now = at(&all, d);
                            let own = all.iter().find(|v| v.number == number).unwrap();
                            let expected =
                                if own.outline.period.covers(day(d)) { vec![number] } else { before };
                            assert_eq!(now, expected, "{a:?} {b:?} {c:?} on {d}");
                        }
                    }
                }
            }
        }
    }
}
