//! A case: one or more reports of the same error, where it lies, and how far it is. Rules only.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base::clock::Timestamp;
use base::text;
use kernel::orgs::UnitId;
use kernel::{PersonId, Scope};

base::id_type!(
    /// A case.
    CaseId,
    "support.case"
);
base::id_type!(
    /// One report.
    ReportId,
    "support.report"
);
base::id_type!(
    /// Something that was done about a case.
    StepId,
    "support.step"
);
kernel::id_value!(CaseId, ReportId, StepId);

/// Longest words of a reporter or an answer, in characters.
pub(crate) const MAX_WORDS: usize = 2_000;
/// Longest of what the frame sends along, in characters.
pub(crate) const MAX_PART: usize = 300;
/// Reports of one stranger's address within [`WITHIN`].
const MOST_FROM_ONE: usize = 5;
/// Reports of all strangers within [`WITHIN`].
const MOST_FROM_ALL: usize = 100;
/// The time within which strangers' reports are counted.
const WITHIN: Duration = Duration::from_secs(3_600);

/// With whom a case lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// The reporter's own unit's administrator.
    Unit,
    /// The province's operator.
    Province,
    /// A vendor, followed by the operator.
    Vendor,
}

impl Level {
    pub const ALL: [Self; 3] = [Self::Unit, Self::Province, Self::Vendor];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Province => "province",
            Self::Vendor => "vendor",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.name() == name)
    }
}

/// How far a case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Somebody must answer.
    Waiting,
    /// Answered; the reporter may look.
    Answered,
    /// Done with.
    Closed,
}

impl State {
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Answered, Self::Closed];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Answered => "answered",
            Self::Closed => "closed",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// A case as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub id: CaseId,
    /// What people quote: `BL-7K2M9QXA`.
    pub code: String,
    pub agency: Option<UnitId>,
    pub level: Level,
    pub state: State,
    /// Whether who reported was signed in.
    pub verified: bool,
    pub page: String,
    pub screen: String,
    pub fault: String,
    pub reports: i64,
    pub opened_at: Timestamp,
    pub changed_at: Timestamp,
}

impl Case {
    /// What one must be able to handle to take the next step.
    pub fn scope(&self) -> Scope {
        match (self.level, self.agency) {
            (Level::Unit, Some(unit)) => Scope::agency(unit),
            _ => Scope::province(),
        }
    }

    /// What one must be able to read to see it.
    pub fn seen(&self) -> Scope {
        self.agency.map_or_else(Scope::province, Scope::agency)
    }
}

/// What one reporter said.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub id: ReportId,
    pub case: CaseId,
    pub person: Option<PersonId>,
    pub request: String,
    pub browser: String,
    pub seen_at: Timestamp,
    pub sent_at: Timestamp,
    pub words: String,
    pub file: Option<(String, String)>,
}

/// Something that was done.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub at: Timestamp,
    pub person: Option<PersonId>,
    pub kind: String,
    pub words: String,
}

/// What the page's frame knows of where somebody was. None of it names a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub page: String,
    pub screen: String,
    pub request: String,
    pub fault: String,
    pub at: Option<Timestamp>,
}

impl Seen {
    /// Only what such things may consist of: a page's path without its query, where a search for somebody's name may
    /// stand; codes of letters, digits and a few marks.
    pub fn cleaned(self) -> Self {
        let path = self.page.split(['?', '#']).next().unwrap_or_default();
        let path: String = path.chars().filter(|c| !c.is_control()).take(MAX_PART).collect();
        let code = |text: &str| -> String {
            let fits = |c: &char| c.is_ascii_alphanumeric() || "-_./{}*: ".contains(*c);
            text.chars().filter(fits).take(MAX_PART).collect()
        };
        Self {
            page: if path.starts_with('/') { path } else { String::new() },
            screen: code(&self.screen),
            request: code(&self.request),
            fault: code(&self.fault),
            at: self.at,
        }
    }
}

/// The name of a browser without what does not belong in a line.
pub(crate) fn browser(agent: &str) -> String {
    agent.chars().filter(|c| !c.is_control()).take(MAX_PART).collect()
}

/// What a search looks through: without tone marks.
pub(crate) fn searchable(parts: &[&str]) -> String {
    text::fold(&parts.join(" ")).chars().take(4_000).collect()
}

/// How often strangers report, by their address. Forgets within the hour; at most as many entries as reports are let in.
#[derive(Debug, Default)]
pub(crate) struct Strangers(Mutex<BTreeMap<String, VecDeque<Timestamp>>>);

impl Strangers {
    /// Lets one in, or says after how many seconds to come again.
    pub fn admit(&self, address: &str, now: Timestamp) -> Result<(), u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.minus(WITHIN);
        for times in all.values_mut() {
            while times.front().is_some_and(|at| *at <= since || *at > now) {
                times.pop_front();
            }
        }
        all.retain(|_, times| !times.is_empty());
        let own = all.get(address).map_or(0, VecDeque::len);
        if own >= MOST_FROM_ONE || all.values().map(VecDeque::len).sum::<usize>() >= MOST_FROM_ALL {
            return Err(WITHIN.as_secs());
        }
        all.entry(address.to_owned()).or_default().push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_micros(1_780_000_000_000_000 + minutes * 60_000_000)
    }

    #[test]
    fn a_query_where_a_name_may_stand_is_not_taken_along() {
        let seen = Seen {
            page: "/exchange/calls?q=Nguyễn+Văn+A#x".into(),
            screen: "/exchange/calls <b>".into(),
            request: "0199-ab\r\n".into(),
            fault: "urn:lienthong:problem:internal".into(),
            at: None,
        };
        let clean = seen.cleaned();
        assert_eq!(clean.page, "/exchange/calls");
        assert_eq!((clean.screen.as_str(), clean.request.as_str()), ("/exchange/calls b", "0199-ab"));
        let foreign = Seen { page: "https://elsewhere.example/".into(), ..Seen::default() };
        assert_eq!(foreign.cleaned().page, "");
        let long = Seen { page: format!("/{}", "x".repeat(999)), ..Seen::default() };
        assert_eq!(long.cleaned().page.len(), MAX_PART);
    }

    #[test]
    fn strangers_are_limited_each_and_together_and_forgotten() {
        let gate = Strangers::default();
        for _ in 0..MOST_FROM_ONE {
            assert_eq!(gate.admit("a", at(0)), Ok(()));
        }
        assert!(gate.admit("a", at(59)).is_err());
        assert_eq!(gate.admit("b", at(59)), Ok(()));
        assert_eq!(gate.admit("a", at(60)), Ok(()), "an hour later");
        let crowd = Strangers::default();
        for n in 0..MOST_FROM_ALL {
            assert_eq!(crowd.admit(&n.to_string(), at(0)), Ok(()));
        }
        assert!(crowd.admit("another", at(1)).is_err());
        assert_eq!(crowd.admit("another", at(-60)), Ok(()), "a clock that was set back locks nobody out");
    }

    #[test]
    fn a_case_of_a_unit_is_handled_there_and_later_ones_by_the_province() {
        let unit = UnitId(base::ids::Uuid::from_u128(1));
        let mut case = Case {
            id: CaseId(base::ids::Uuid::from_u128(2)),
            code: String::new(),
            agency: Some(unit),
            level: Level::Unit,
            state: State::Waiting,
            verified: true,
            page: String::new(),
            screen: String::new(),
            fault: String::new(),
            reports: 1,
            opened_at: at(0),
            changed_at: at(0),
        };
        assert_eq!((case.scope(), case.seen()), (Scope::agency(unit), Scope::agency(unit)));
        case.level = Level::Province;
        assert_eq!((case.scope(), case.seen()), (Scope::province(), Scope::agency(unit)));
        case.agency = None;
        assert_eq!(case.seen(), Scope::province());
    }

    #[test]
    fn searching_needs_no_tone_marks() {
        assert!(searchable(&["Không mở được hồ sơ", "BL-1"]).contains("khong mo duoc ho so"));
    }
}
