//! The one handle to people and their rights that a process holds: hashing pool, throttle, roles, and the
//! answer to "who is behind this cookie and what may they do", with a small cache that every change of the
//! person outdates.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base::clock::{Date, Timestamp};
use base::error::Result;
use serde::Deserialize;

use super::appointment::Appointment;
use super::emergency::Rights;
use super::hashing::Passwords;
use super::people::{self, Person};
use super::roles::{Role, Roles};
use super::sessions::{self, Limits, Session};
use super::throttle::Throttle;
use super::{emergencies, lineage, posts, rights};
use crate::cx::{AppointmentId, Grants, PersonId};
use crate::kernel::Kernel;

/// The tree of agencies is imported, not edited by the minute: its changes reach rights within this time.
const FRESH: Duration = Duration::from_secs(60);
/// People remembered at once.
const REMEMBERED: usize = 4_096;

/// The section `[identity]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A session ends after this many minutes without a request.
    pub session_idle_minutes: u64,
    /// A session ends after this many hours in any case.
    pub session_hours: u64,
    /// Passwords hashed at once; each takes 19 MiB.
    pub password_workers: usize,
    /// Sign-ins that may be under way at once before others are asked to wait.
    pub password_places: u32,
    /// Roles added to the standard ones or in place of them.
    pub roles: BTreeMap<String, Role>,
    /// Emergency rights added to the standard ones or in place of them.
    pub emergency: BTreeMap<String, Role>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            session_idle_minutes: 60,
            session_hours: 12,
            password_workers: 2,
            password_places: 64,
            roles: BTreeMap::new(),
            emergency: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// How long sessions last.
    pub const fn limits(&self) -> Limits {
        Limits {
            idle: Duration::from_secs(self.session_idle_minutes * 60),
            absolute: Duration::from_secs(self.session_hours * 3_600),
        }
    }
}

/// Somebody recognised by their session.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The session.
    pub session: Session,
    /// The person.
    pub person: Person,
    /// The appointment they act through, valid now.
    pub appointment: Option<Appointment>,
    /// Their other appointments that are valid now.
    pub others: Vec<Appointment>,
    /// What the appointment permits.
    pub grants: Arc<Grants>,
}

/// The handle. Cheap to clone; one per process.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    settings: Settings,
    roles: Roles,
    emergencies: Rights,
    passwords: Passwords,
    throttle: Throttle,
    known: Mutex<HashMap<(PersonId, Option<AppointmentId>), Known>>,
}

#[derive(Clone)]
struct Known {
    version: i64,
    day: Date,
    at: Timestamp,
    posts: Arc<Vec<Appointment>>,
    grants: Arc<Grants>,
}

impl Identity {
    /// From the configuration of `k`.
    pub fn new(k: &Kernel) -> Result<Self> {
        let settings: Settings = k.config.section("identity").map_err(base::error::Error::internal)?;
        Self::with(k, settings)
    }

    /// With given settings.
    pub fn with(k: &Kernel, settings: Settings) -> Result<Self> {
        let roles = Roles::standard()?.with(settings.roles.clone());
        let emergencies = Rights::new(&roles, &settings.emergency)?;
        let passwords = Passwords::new(k.random.clone(), settings.password_workers, settings.password_places);
        let throttle = Throttle::new(&*k.random);
        Ok(Self(Arc::new(Inner {
            settings,
            roles,
            emergencies,
            passwords,
            throttle,
            known: Mutex::default(),
        })))
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The roles.
    pub fn roles(&self) -> &Roles {
        &self.0.roles
    }

    /// What may be asked for in an emergency.
    pub fn emergencies(&self) -> &Rights {
        &self.0.emergencies
    }

    /// The hashing pool.
    pub fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// The memory of failed attempts.
    pub fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    /// Who is behind this session secret; `None` when nobody is: unknown, ended, idle too long, the account
    /// locked, or the appointment over.
    pub async fn recognise(&self, k: &Kernel, token: &str) -> Result<Option<Visitor>> {
        let now = k.clock.now();
        let Some(session) = sessions::by_token(&k.db, token).await? else { return Ok(None) };
        if !session.live(self.0.settings.limits(), now) {
            return Ok(None);
        }
        let person = people::get(&k.db, session.person).await?;
        if person.locked_at.is_some() {
            return Ok(None);
        }
        let known = self.known(k, &person, session.appointment, now).await?;
        let (appointment, others): (Vec<_>, Vec<_>) = known
            .posts
            .iter()
            .filter(|a| a.valid_at(now))
            .cloned()
            .partition(|a| Some(a.id) == session.appointment);
        let appointment = appointment.into_iter().next();
        if session.appointment.is_some() && appointment.is_none() {
            return Ok(None);
        }
        if let Err(e) = sessions::seen(k, &session, now).await {
            // Reading must go on while writing cannot; the session then merely looks idle a little earlier.
            tracing::warn!(error = e.chain(), "the time a session was last seen could not be written");
        }
        Ok(Some(Visitor { session, person, appointment, others, grants: known.grants }))
    }

    /// What an appointment permits now.
    pub async fn grants(&self, k: &Kernel, appointment: &Appointment) -> Result<Grants> {
        let now = k.clock.now();
        let reached = match appointment.agency {
            Some(agency) => lineage::reached(k, agency, now.date()).await?,
            None => BTreeSet::new(),
        };
        Ok(rights::grants(appointment, &self.0.roles, &reached, now))
    }

    /// As [`Identity::grants`], with what running emergencies add.
    pub async fn grants_now(&self, k: &Kernel, appointment: &Appointment) -> Result<Grants> {
        let now = k.clock.now();
        let mut all = self.grants(k, appointment).await?;
        // Who may act through no post any more has no emergency right either.
        if appointment.valid_at(now) {
            all.0.extend(emergencies::grants(k, &self.0.emergencies, appointment.id, now).await?);
        }
        Ok(all)
    }

    async fn known(
        &self,
        k: &Kernel,
        person: &Person,
        through: Option<AppointmentId>,
        now: Timestamp,
    ) -> Result<Known> {
        let key = (person.id, through);
        let day = now.date();
        let hit = self.remembered().get(&key).cloned();
        if let Some(known) = hit
            && known.version == person.version
            && known.day == day
            && known.at <= now
            && now.since(known.at) < FRESH
        {
            return Ok(known);
        }
        let posts = posts::of_person(&k.db, person.id).await?;
        let grants = match posts.iter().find(|a| Some(a.id) == through) {
            Some(appointment) => self.grants_now(k, appointment).await?,
            None => Grants::default(),
        };
        let known =
            Known { version: person.version, day, at: now, posts: Arc::new(posts), grants: Arc::new(grants) };
        let mut all = self.remembered();
        if all.len() >= REMEMBERED {
            all.clear();
        }
        all.insert(key, known.clone());
        Ok(known)
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashMap<(PersonId, Option<AppointmentId>), Known>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
