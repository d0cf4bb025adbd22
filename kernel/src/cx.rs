//! Who acts, in which post, in which language, under which request number. Carried through every call; the
//! natural home of the permission check. Filling in the grants is the work of `identity`.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use base::clock::Timestamp;
use base::error::{Error, Result};
use base::i18n::Lang;
use serde::{Deserialize, Serialize};

use crate::entrance::Entrance;
use crate::orgs::UnitId;

base::id_type!(
    /// A person with an account.
    PersonId, "person");
base::id_type!(
    /// A person's post at an agency for a period.
    AppointmentId, "appointment");
base::id_type!(
    /// A right for a few hours that a second person granted.
    EmergencyId, "emergency");
crate::id_value!(PersonId, AppointmentId, EmergencyId);

/// A right that can be granted. Each module declares its own in `permissions.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Permission {
    /// Stable, `module.thing.verb`.
    pub name: &'static str,
    /// What it allows, Vietnamese.
    pub vi: &'static str,
    /// What it allows, English.
    pub en: &'static str,
}

/// The one who acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "as")]
pub enum Actor {
    /// An official in a post.
    Official {
        /// The person.
        person: PersonId,
        /// The post through which they act.
        appointment: Option<AppointmentId>,
    },
    /// An information system, by the path of its subsystem.
    System {
        /// `instance/class/member/subsystem`.
        subsystem: String,
    },
    /// A citizen or business, by an opaque number.
    Citizen {
        /// The number.
        id: String,
    },
    /// Nobody known.
    Stranger,
    /// The platform itself: a job, a listener, an upkeep command.
    Kernel {
        /// Which part.
        part: String,
    },
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Official { person, appointment: Some(a) } => write!(f, "official:{person}/{a}"),
            Self::Official { person, appointment: None } => write!(f, "official:{person}"),
            Self::System { subsystem } => write!(f, "system:{subsystem}"),
            Self::Citizen { id } => write!(f, "citizen:{id}"),
            Self::Stranger => f.write_str("stranger"),
            Self::Kernel { part } => write!(f, "kernel:{part}"),
        }
    }
}

/// What a thing belongs to, for the permission check next to the data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The agency that answers for the thing; `None` for things of the whole province.
    pub agency: Option<UnitId>,
    /// The field of work (lĩnh vực), where the thing has one.
    pub field: Option<String>,
}

impl Scope {
    /// A thing of the whole province.
    pub fn province() -> Self {
        Self::default()
    }

    /// A thing of one agency.
    pub fn agency(unit: UnitId) -> Self {
        Self { agency: Some(unit), field: None }
    }
}

/// Over which agencies a permission reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// The whole province, including things of no single agency.
    Province,
    /// These agencies: the subtree, with predecessors whose function was transferred.
    Agencies(BTreeSet<UnitId>),
}

/// One permission as granted through an appointment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The permission's name.
    pub permission: String,
    /// Over which agencies.
    pub reach: Reach,
    /// Only this field of work, if given.
    pub field: Option<String>,
    /// From this moment.
    pub valid_from: Timestamp,
    /// Until before this moment; `None` while open.
    pub valid_to: Option<Timestamp>,
    /// The emergency it comes from; `None` for what the appointment itself carries.
    pub emergency: Option<EmergencyId>,
}

/// All that an actor was granted. Empty means nothing: deny by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants(pub Vec<Grant>);

/// Over which agencies a list, search, export or count may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgencyFilter {
    /// No restriction.
    All,
    /// Only these; an empty list means nothing may be seen.
    Only(Vec<UnitId>),
}

impl AgencyFilter {
    /// Whether things of `agency` are included.
    pub fn includes(&self, agency: UnitId) -> bool {
        match self {
            Self::All => true,
            Self::Only(units) => units.contains(&agency),
        }
    }

    /// An SQL condition on `column` and its parameters, numbered from `first`: `("agency IN ($3, $4)", …)`.
    pub fn sql(&self, column: &str, first: usize) -> (String, Vec<crate::db::Value>) {
        match self {
            Self::All => ("1 = 1".into(), vec![]),
            Self::Only(units) if units.is_empty() => ("1 = 0".into(), vec![]),
            Self::Only(units) => {
                let marks: Vec<String> = (first..first + units.len()).map(|i| format!("${i}")).collect();
                (format!("{column} IN ({})", marks.join(", ")), units.iter().map(Into::into).collect())
            }
        }
    }
}

/// The context of a call.
#[derive(Debug, Clone)]
pub struct Cx {
    /// Who acts.
    pub actor: Actor,
    /// The language for texts.
    pub lang: Lang,
    /// The number to quote for this request.
    pub request_id: String,
    /// What the actor may do.
    pub grants: Arc<Grants>,
    /// When the call began.
    pub at: Timestamp,
    /// Name to show for the actor, if signed in.
    pub name: Option<String>,
    /// Where the request came in.
    pub entrance: Arc<Entrance>,
}

impl Cx {
    /// A call by the platform itself. It may do everything: only jobs, listeners and upkeep commands use it.
    pub fn kernel(part: &str, at: Timestamp) -> Self {
        Self {
            actor: Actor::Kernel { part: part.to_owned() },
            lang: Lang::Vi,
            request_id: format!("kernel:{part}"),
            grants: Arc::default(),
            at,
            name: None,
            entrance: Entrance::usual(),
        }
    }

    /// A call by somebody unknown.
    pub fn stranger(request_id: impl Into<String>, lang: Lang, at: Timestamp) -> Self {
        let grants = Arc::default();
        let entrance = Entrance::usual();
        Self { actor: Actor::Stranger, lang, request_id: request_id.into(), grants, at, name: None, entrance }
    }

    /// Whether somebody is signed in.
    pub fn signed_in(&self) -> bool {
        !matches!(self.actor, Actor::Stranger)
    }

    /// Checks a permission over a thing.
    ///
    /// # Errors
    /// [`Error::SignIn`] for a stranger, [`Error::Denied`] without the right.
    pub fn may(&self, permission: Permission, over: &Scope) -> Result<()> {
        if self.holds(permission, over) {
            return Ok(());
        }
        Err(self.refusal(permission))
    }

    /// Checks that the permission is held over anything at all: the door, not the data.
    ///
    /// # Errors
    /// As [`Cx::may`].
    pub fn may_somewhere(&self, permission: Permission) -> Result<()> {
        let held = matches!(self.actor, Actor::Kernel { .. }) || self.valid(permission).next().is_some();
        if held { Ok(()) } else { Err(self.refusal(permission)) }
    }

    /// As [`Cx::may`], as a plain answer.
    pub fn holds(&self, permission: Permission, over: &Scope) -> bool {
        matches!(self.actor, Actor::Kernel { .. }) || self.valid(permission).any(|g| g.covers(over))
    }

    /// Over which agencies a list under this permission may reach. Grants limited to a field of work do not
    /// count here; lists of things with fields filter by [`Cx::holds`] as well.
    pub fn agencies(&self, permission: Permission) -> AgencyFilter {
        if matches!(self.actor, Actor::Kernel { .. }) {
            return AgencyFilter::All;
        }
        let mut units = BTreeSet::new();
        for grant in self.valid(permission) {
            match &grant.reach {
                Reach::Province => return AgencyFilter::All,
                Reach::Agencies(some) => units.extend(some.iter().copied()),
            }
        }
        AgencyFilter::Only(units.into_iter().collect())
    }

    /// The emergency right under which the actor acts now, if any: whatever they do meanwhile is marked with it.
    pub fn emergency(&self) -> Option<EmergencyId> {
        let running = |g: &&Grant| g.valid_from <= self.at && g.valid_to.is_none_or(|end| self.at < end);
        self.grants.0.iter().filter(running).find_map(|g| g.emergency)
    }

    fn valid(&self, permission: Permission) -> impl Iterator<Item = &Grant> {
        let at = self.at;
        self.grants.0.iter().filter(move |g| {
            g.permission == permission.name && g.valid_from <= at && g.valid_to.is_none_or(|end| at < end)
        })
    }

    fn refusal(&self, permission: Permission) -> Error {
        if self.signed_in() { Error::Denied { permission: permission.name } } else { Error::SignIn }
    }
}

impl Grant {
    fn covers(&self, over: &Scope) -> bool {
        let place = match (&self.reach, over.agency) {
            (Reach::Province, _) => true,
            (Reach::Agencies(units), Some(unit)) => units.contains(&unit),
            (Reach::Agencies(_), None) => false,
        };
        place && self.field.as_ref().is_none_or(|f| over.field.as_ref() == Some(f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::ids::Uuid;

    const READ: Permission = Permission { name: "test.read", vi: "đọc", en: "read" };

    fn cx(grants: Vec<Grant>) -> Cx {
        let mut cx = Cx::stranger("r", Lang::Vi, Timestamp::from_micros(1_000));
        cx.actor = Actor::Official { person: PersonId(Uuid::from_u128(1)), appointment: None };
        cx.grants = Arc::new(Grants(grants));
        cx
    }

    fn grant(reach: Reach) -> Grant {
        let (valid_from, valid_to) = (Timestamp::from_micros(0), Some(Timestamp::from_micros(2_000)));
        Grant { permission: "test.read".into(), reach, field: None, valid_from, valid_to, emergency: None }
    }

    #[test]
    fn nothing_is_granted_by_default() {
        assert!(matches!(cx(vec![]).may(READ, &Scope::province()), Err(Error::Denied { .. })));
        let stranger = Cx::stranger("r", Lang::Vi, Timestamp::from_micros(0));
        assert!(matches!(stranger.may(READ, &Scope::province()), Err(Error::SignIn)));
        assert_eq!(cx(vec![]).agencies(READ), AgencyFilter::Only(vec![]));
    }

    #[test]
    fn a_grant_reaches_its_agencies_and_no_neighbour() {
        let (own, other) = (UnitId(Uuid::from_u128(10)), UnitId(Uuid::from_u128(11)));
        let cx = cx(vec![grant(Reach::Agencies([own].into()))]);
        assert!(cx.holds(READ, &Scope::agency(own)));
        assert!(!cx.holds(READ, &Scope::agency(other)));
        assert!(!cx.holds(READ, &Scope::province()), "things of the whole province need the whole province");
    }

    #[test]
    fn grants_end_and_are_limited_to_their_field() {
        let mut ended = cx(vec![grant(Reach::Province)]);
        ended.at = Timestamp::from_micros(2_000);
        assert!(!ended.holds(READ, &Scope::province()), "the end is exclusive");
        let mut land = grant(Reach::Province);
        land.field = Some("đất đai".into());
        let cx = cx(vec![land]);
        assert!(!cx.holds(READ, &Scope::province()));
        assert!(cx.holds(READ, &Scope { agency: None, field: Some("đất đai".into()) }));
    }
}
