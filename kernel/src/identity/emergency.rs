//! Rights for a few hours in an emergency: asked for by one person, granted by a second, ended by themselves, reviewed by
//! a third. Here are the rules, pure, and what a running one permits; rows are in `emergencies`, acts and pages in the
//! module `accounts`. Every action under one is marked in the audit by the kernel, not by those who act.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base::clock::Timestamp;
use base::error::Result;
use base::i18n::Text;

use super::appointment::{Appointment, Holding};
use super::roles::{Role, RoleReach, Roles};
use crate::cx::{AppointmentId, EmergencyId, Grant, PersonId, Reach};
use crate::orgs::UnitId;

/// Longest emergency, in minutes.
pub const MOST_MINUTES: u32 = 240;
/// Shortest one.
pub const LEAST_MINUTES: u32 = 15;
/// A request nobody has answered by then is void.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(24 * 3_600);
/// A review is due within this time after the end.
pub const REVIEWED_WITHIN: Duration = Duration::from_secs(3 * 86_400);

/// What no emergency carries: granting and reviewing emergencies, and what outlasts the hours (accounts, credentials).
const NEVER: &[&str] = &["accounts.official.manage", "accounts.client.manage"];
const NEVER_PREFIX: &str = "accounts.emergency.";

/// Where one stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Waits for a second person.
    Asked,
    /// Nobody answered in time.
    Lapsed,
    /// Refused by the second person.
    Refused,
    /// Taken back by who asked.
    Withdrawn,
    /// In force.
    Running,
    /// Over; nobody has reviewed it yet.
    Over,
    /// Over and reviewed.
    Reviewed,
}

impl Standing {
    /// As told to programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Lapsed => "lapsed",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Running => "running",
            Self::Over => "over",
            Self::Reviewed => "reviewed",
        }
    }
}

/// What the second person said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Whether it was granted.
    pub granted: bool,
    /// What they said.
    pub words: String,
}

/// What the reviewer found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// Whether everything done under it was justified.
    pub justified: bool,
    /// What they found.
    pub words: String,
}

/// One emergency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emergency {
    /// Its identifier.
    pub id: EmergencyId,
    /// Who asked.
    pub person: PersonId,
    /// The appointment through which they asked, and act.
    pub appointment: AppointmentId,
    /// Code of what was asked for.
    pub right: String,
    /// Over which agency; `None` for the province.
    pub agency: Option<UnitId>,
    /// Why.
    pub reason: String,
    /// For how long, in minutes.
    pub minutes: u32,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Taken back at.
    pub withdrawn_at: Option<Timestamp>,
    /// The second person's answer.
    pub decided: Option<Decided>,
    /// When it ends by itself; once granted.
    pub ends_at: Option<Timestamp>,
    /// When it was ended early.
    pub ended_at: Option<Timestamp>,
    /// The review.
    pub reviewed: Option<Reviewed>,
}

impl Emergency {
    /// The moment from which it no longer counts.
    pub fn over_at(&self) -> Option<Timestamp> {
        match (self.ends_at, self.ended_at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Where it stands.
    pub fn standing(&self, at: Timestamp) -> Standing {
        if self.withdrawn_at.is_some() {
            return Standing::Withdrawn;
        }
        match &self.decided {
            None if at.since(self.asked_at) >= ANSWERED_WITHIN => Standing::Lapsed,
            None => Standing::Asked,
            Some(d) if !d.granted => Standing::Refused,
            Some(_) if self.over_at().is_none_or(|end| at < end) => Standing::Running,
            Some(_) if self.reviewed.is_some() => Standing::Reviewed,
            Some(_) => Standing::Over,
        }
    }

    /// Until when it must be reviewed.
    pub fn review_due(&self) -> Option<Timestamp> {
        self.over_at().map(|end| end.plus(REVIEWED_WITHIN))
    }

    /// Whether the review is late at a moment.
    pub fn is_overdue(&self, at: Timestamp) -> bool {
        self.standing(at) == Standing::Over && self.review_due().is_some_and(|due| due <= at)
    }
}

/// Why somebody may not be the second person, or the reviewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// They asked themselves, through whatever appointment.
    SamePerson,
    /// They stand in for the one who asked: the power is that person's own.
    StandsIn,
    /// Who asked has appointed them.
    Appointed,
    /// They act under an emergency right themselves.
    UnderEmergency,
    /// They granted it.
    Granted,
}

/// Who would answer, as far as the rules ask.
#[derive(Debug, Clone, Copy)]
pub struct Second<'a> {
    /// The person.
    pub person: PersonId,
    /// The appointment they act through.
    pub appointment: &'a Appointment,
    /// Whether who asked made that appointment.
    pub appointed_by_asker: bool,
    /// Whether they act under an emergency right now.
    pub under_emergency: bool,
}

/// Whether somebody may answer a request; `theirs` are all appointments of who asked.
///
/// # Errors
/// What stands in the way.
pub fn may_decide(e: &Emergency, by: Second<'_>, theirs: &[Appointment]) -> Result<(), Bar> {
    if by.person == e.person {
        return Err(Bar::SamePerson);
    }
    let a = by.appointment;
    let same_post = |b: &Appointment| b.agency == a.agency && b.post == a.post;
    if a.holding == Holding::Deputy && theirs.iter().any(same_post) {
        return Err(Bar::StandsIn);
    }
    if by.appointed_by_asker {
        return Err(Bar::Appointed);
    }
    if by.under_emergency { Err(Bar::UnderEmergency) } else { Ok(()) }
}

/// Whether somebody may review one that is over.
///
/// # Errors
/// What stands in the way.
pub fn may_review(e: &Emergency, by: Second<'_>, theirs: &[Appointment]) -> Result<(), Bar> {
    if e.decided.as_ref().is_some_and(|d| d.by == by.person) {
        return Err(Bar::Granted);
    }
    may_decide(e, by, theirs)
}

/// What may be asked for, by code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights(BTreeMap<String, Right>);

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// Its name.
    pub title: Text,
    /// Whether over the province; otherwise over one agency.
    pub over_province: bool,
    /// What it permits.
    pub permissions: BTreeSet<String>,
}

impl Rights {
    /// The shipped ones with those of the configuration added or in place of them; `role:x` is what `roles` has for it.
    ///
    /// # Errors
    /// When the shipped file is not well-formed, which its test rules out.
    pub fn new(roles: &Roles, more: &BTreeMap<String, Role>) -> Result<Self> {
        let all = Roles::parse(include_str!("emergency.toml"))?.with(more.clone());
        Ok(Self(all.iter().map(|(code, role)| (code.to_owned(), Right::of(role, roles))).collect()))
    }

    /// The right of a code.
    pub fn get(&self, code: &str) -> Option<&Right> {
        self.0.get(code)
    }

    /// Code and right, in order of code.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Right)> {
        self.0.iter().map(|(code, right)| (code.as_str(), right))
    }

    /// What a running emergency permits, given the agencies it reaches.
    pub fn grants(&self, e: &Emergency, reached: &BTreeSet<UnitId>) -> Vec<Grant> {
        let (Some(right), Some(decided)) = (self.get(&e.right), &e.decided) else { return Vec::new() };
        let reach = match e.agency {
            None if right.over_province => Reach::Province,
            Some(_) if !reached.is_empty() => Reach::Agencies(reached.clone()),
            _ => return Vec::new(),
        };
        let grant = |permission: &String| Grant {
            permission: permission.clone(),
            reach: reach.clone(),
            field: None,
            valid_from: decided.at,
            valid_to: e.over_at(),
            emergency: Some(e.id),
        };
        right.permissions.iter().filter(|_| decided.granted).map(grant).collect()
    }
}

impl Right {
    fn of(role: &Role, roles: &Roles) -> Self {
        let named = |p: &String| match p.strip_prefix("role:") {
            Some(code) => roles.get(code).map(|r| r.permissions.clone()).unwrap_or_default(),
            None => vec![p.clone()],
        };
        let lasting = |p: &String| NEVER.contains(&p.as_str()) || p.starts_with(NEVER_PREFIX);
        let permissions = role.permissions.iter().flat_map(named).filter(|p| !lasting(p)).collect();
        Self { title: role.title(), over_province: role.reach == RoleReach::Province, permissions }
    }
}

#[cfg(test)]
mod tests {
    use base::ids::Uuid;

    use super::super::appointment::tests::sample;
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_micros(1_780_000_000_000_000 + minutes * 60_000_000)
    }

    fn person(n: u128) -> PersonId {
        PersonId(Uuid::from_u128(n))
    }

    fn asked() -> Emergency {
        Emergency {
            id: EmergencyId(Uuid::from_u128(9)),
            person: person(1),
            appointment: AppointmentId(Uuid::from_u128(1)),
            right: "operator".into(),
            agency: None,
            reason: "x".into(),
            minutes: 60,
            asked_at: at(0),
            withdrawn_at: None,
            decided: None,
            ends_at: None,
            ended_at: None,
            reviewed: None,
        }
    }

    fn granted() -> Emergency {
        let decided = Decided { by: person(2), at: at(5), granted: true, words: String::new() };
        Emergency { decided: Some(decided), ends_at: Some(at(65)), ..asked() }
    }

    fn rights() -> Rights {
        Rights::new(&Roles::standard().unwrap(), &BTreeMap::new()).unwrap()
    }

    #[test]
    fn it_runs_from_the_grant_until_its_end_and_waits_for_its_review() {
        assert_eq!(asked().standing(at(1_439)), Standing::Asked);
        assert_eq!(asked().standing(at(1_440)), Standing::Lapsed);
        let mut e = granted();
        assert_eq!(e.standing(at(64)), Standing::Running);
        assert_eq!(e.standing(at(65)), Standing::Over, "the end is exclusive");
        assert!(!e.is_overdue(at(65 + 3 * 1_440 - 1)) && e.is_overdue(at(65 + 3 * 1_440)));
        e.ended_at = Some(at(20));
        assert_eq!(e.standing(at(20)), Standing::Over);
        e.ended_at = Some(at(500));
        assert_eq!(e.over_at(), Some(at(65)), "a late end does not prolong");
        let words = String::new();
        e.reviewed = Some(Reviewed { by: person(3), at: at(70), justified: true, words });
        assert_eq!(e.standing(at(71)), Standing::Reviewed);
        assert!(!e.is_overdue(at(100_000)));
    }

    #[test]
    fn what_it_permits_ends_with_it_and_never_outlasts_it() {
        let grants = rights().grants(&granted(), &BTreeSet::new());
        assert!(grants.iter().any(|g| g.permission == "exchange.operate"));
        for grant in &grants {
            assert_eq!((grant.valid_from, grant.valid_to), (at(5), Some(at(65))));
            assert_eq!(grant.emergency, Some(granted().id));
            assert!(!grant.permission.starts_with("accounts.emergency."), "{grant:?}");
            assert!(!NEVER.contains(&grant.permission.as_str()), "{grant:?}");
        }
        assert!(rights().grants(&asked(), &BTreeSet::new()).is_empty(), "not before it is granted");
        let member = Emergency { right: "member".into(), ..granted() };
        assert!(rights().grants(&member, &BTreeSet::new()).is_empty(), "over an agency only");
        let unknown = Emergency { right: "no-such".into(), ..granted() };
        assert!(rights().grants(&unknown, &BTreeSet::new()).is_empty());
    }

    #[test]
    fn one_person_never_does_both_parts() {
        let agency = Some(UnitId(Uuid::from_u128(7)));
        let theirs = [sample(agency, &["operator"])];
        let mut own = sample(agency, &["emergency-grantor"]);
        own.post = "Phó Giám đốc".into();
        let by = |n: u128, appointment| Second {
            person: person(n),
            appointment,
            appointed_by_asker: false,
            under_emergency: false,
        };
        assert_eq!(may_decide(&asked(), by(2, &own), &theirs), Ok(()));
        assert_eq!(may_decide(&asked(), by(1, &own), &theirs), Err(Bar::SamePerson), "whatever the post");
        let mut deputy = sample(agency, &["emergency-grantor"]);
        deputy.holding = Holding::Deputy;
        assert_eq!(may_decide(&asked(), by(2, &deputy), &theirs), Err(Bar::StandsIn));
        let mut other = deputy.clone();
        other.post = "Phó Giám đốc".into();
        assert_eq!(may_decide(&asked(), by(2, &other), &theirs), Ok(()), "standing in for somebody else");
        let puppet = Second { appointed_by_asker: true, ..by(2, &own) };
        assert_eq!(may_decide(&asked(), puppet, &theirs), Err(Bar::Appointed));
        let chained = Second { under_emergency: true, ..by(2, &own) };
        assert_eq!(may_decide(&asked(), chained, &theirs), Err(Bar::UnderEmergency));
        assert_eq!(may_review(&granted(), by(2, &own), &theirs), Err(Bar::Granted));
        assert_eq!(may_review(&granted(), by(1, &own), &theirs), Err(Bar::SamePerson));
        assert_eq!(may_review(&granted(), by(3, &own), &theirs), Ok(()));
    }
}
