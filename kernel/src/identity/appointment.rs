//! A person acts through an appointment: a post at an agency, perhaps for one field of work, for a period.
//! Here are its rules; what it permits is in `rights`, where it is stored in `store`.

use base::clock::{Date, Timestamp};

use crate::cx::{AppointmentId, PersonId};
use crate::orgs::UnitId;

/// How a post is held. The order is that in which a person's posts are offered: the own one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Holding {
    /// Appointed to the post (*bổ nhiệm, bầu, tuyển dụng*).
    Substantive,
    /// In charge while nobody is appointed (*quyền, phụ trách*).
    Acting,
    /// Standing in for the holder during an absence (*được ủy quyền*): always with an end.
    Deputy,
}

impl Holding {
    /// Every way, as forms list them.
    pub const ALL: [Self; 3] = [Self::Substantive, Self::Acting, Self::Deputy];

    /// As stored and written in interfaces.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Substantive => "substantive",
            Self::Acting => "acting",
            Self::Deputy => "deputy",
        }
    }

    /// From the stored form.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|h| h.code() == code)
    }
}

/// Civil days in Vietnam, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Period {
    /// The first day.
    pub from: Date,
    /// The last day; open if absent.
    pub until: Option<Date>,
}

impl Period {
    /// `None` when the period ends before it begins.
    pub fn new(from: Date, until: Option<Date>) -> Option<Self> {
        until.is_none_or(|u| from <= u).then_some(Self { from, until })
    }

    /// Whether `day` lies in it.
    pub fn contains(&self, day: Date) -> bool {
        self.from <= day && self.until.is_none_or(|u| day <= u)
    }

    /// The moment it begins.
    pub fn begins(&self) -> Timestamp {
        Timestamp::start_of(self.from)
    }

    /// The moment after its last; `None` while open.
    pub fn ends(&self) -> Option<Timestamp> {
        // A last day beyond the calendar is as good as open.
        self.until.and_then(|u| u.plus_days(1)).map(Timestamp::start_of)
    }
}

/// One appointment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appointment {
    /// Its identifier.
    pub id: AppointmentId,
    /// Who is appointed.
    pub person: PersonId,
    /// The post as the decision names it (*chức vụ, chức danh*).
    pub post: String,
    /// The agency. `None` only for those who operate the platform itself.
    pub agency: Option<UnitId>,
    /// The field of work (*lĩnh vực*) it is limited to.
    pub field: Option<String>,
    /// How it is held.
    pub holding: Holding,
    /// When.
    pub period: Period,
    /// Codes of the roles it carries.
    pub roles: Vec<String>,
    /// Ended early, at this moment.
    pub ended_at: Option<Timestamp>,
}

/// Where an appointment is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Has not begun.
    Future,
    /// May be acted through.
    Current,
    /// Is over.
    Ended,
}

/// Why an appointment cannot be made as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A deputy needs a last day.
    DeputyWithoutEnd,
    /// Only a role that concerns the whole province can be held at no agency.
    AgencyMissing,
    /// Nothing could be done with it.
    NoRole,
}

impl Appointment {
    /// The moment from which it no longer counts: the end of its period or the early end, whichever is first.
    pub fn over_at(&self) -> Option<Timestamp> {
        match (self.period.ends(), self.ended_at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Where it stands at a moment.
    pub fn standing(&self, at: Timestamp) -> Standing {
        if self.over_at().is_some_and(|end| end <= at) {
            Standing::Ended
        } else if at < self.period.begins() {
            Standing::Future
        } else {
            Standing::Current
        }
    }

    /// Whether the person may act through it at a moment.
    pub fn valid_at(&self, at: Timestamp) -> bool {
        self.standing(at) == Standing::Current
    }
}

#[cfg(test)]
pub(super) mod tests {
    use base::ids::Uuid;

    use super::*;

    pub(in crate::identity) fn day(s: &str) -> Date {
        s.parse().unwrap()
    }

    pub(in crate::identity) fn sample(agency: Option<UnitId>, roles: &[&str]) -> Appointment {
        Appointment {
            id: AppointmentId(Uuid::from_u128(1)),
            person: PersonId(Uuid::from_u128(2)),
            post: "Công chức".into(),
            agency,
            field: None,
            holding: Holding::Substantive,
            period: Period::new(day("2025-07-01"), Some(day("2026-04-29"))).unwrap(),
            roles: roles.iter().map(ToString::to_string).collect(),
            ended_at: None,
        }
    }

    fn at(s: &str) -> Timestamp {
        s.parse().unwrap()
    }

    #[test]
    fn it_holds_from_the_first_midnight_to_the_last_in_vietnam() {
        let a = sample(None, &[]);
        assert_eq!(a.standing(at("2025-06-30T16:59:59Z")), Standing::Future);
        assert_eq!(a.standing(at("2025-06-30T17:00:00Z")), Standing::Current);
        assert_eq!(a.standing(at("2026-04-29T16:59:59Z")), Standing::Current);
        assert_eq!(a.standing(at("2026-04-29T17:00:00Z")), Standing::Ended);
    }

    #[test]
    fn an_early_end_counts_at_once_and_a_late_one_does_not_prolong() {
        let mut a = sample(None, &[]);
        a.ended_at = Some(at("2025-10-10T03:00:00Z"));
        assert!(a.valid_at(at("2025-10-10T02:59:59Z")));
        assert!(!a.valid_at(at("2025-10-10T03:00:00Z")));
        a.ended_at = Some(at("2027-01-01T00:00:00Z"));
        assert!(!a.valid_at(at("2026-06-01T00:00:00Z")));
        a.ended_at = Some(at("2025-01-01T00:00:00Z"));
        assert_eq!(a.standing(at("2025-06-01T00:00:00Z")), Standing::Ended, "cancelled before it began");
    }

    #[test]
    fn periods_run_forward() {
        assert!(Period::new(day("2026-01-02"), Some(day("2026-01-01"))).is_none());
        let one_day = Period::new(day("2026-01-01"), Some(day("2026-01-01"))).unwrap();
        assert!(one_day.contains(day("2026-01-01")) && !one_day.contains(day("2026-01-02")));
        let last = Period::new(day("2026-01-01"), Some(day("9999-12-31"))).unwrap();
        assert_eq!(last.ends(), None);
    }
}
