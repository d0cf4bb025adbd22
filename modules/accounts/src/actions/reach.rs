//! Reading officials, and who may manage whom: every appointment in question must lie within the manager's reach,
//! and one that reaches the whole province can only be touched by somebody whose right does too, so that no right
//! grows by being handed on.

use std::collections::HashMap;

use kernel::clock::Timestamp;
use kernel::identity::people::{self, PeopleQuery, Person};
use kernel::identity::roles::RoleReach;
use kernel::identity::{Appointment, posts};
use kernel::{Cx, Error, Kernel, PersonId, Result, Scope};

use crate::Accounts;
use crate::permissions::{OFFICIAL_MANAGE, OFFICIAL_READ};

/// One official as the reader may see them.
#[derive(Debug, Clone)]
pub struct Official {
    /// The person.
    pub person: Person,
    /// Their appointments, newest first.
    pub appointments: Vec<Appointment>,
}

/// Officials by given name, those whose appointments lie within the reader's reach.
pub async fn list(k: &Kernel, cx: &Cx, q: &PeopleQuery) -> Result<Vec<Official>> {
    cx.may_somewhere(OFFICIAL_READ)?;
    let people = people::list(&k.db, &cx.agencies(OFFICIAL_READ), q).await?;
    let ids: Vec<PersonId> = people.iter().map(|p| p.id).collect();
    let mut held: HashMap<_, _> = posts::of_people(&k.db, &ids).await?;
    let with = |person: Person| {
        let appointments = held.remove(&person.id).unwrap_or_default();
        Official { person, appointments }
    };
    Ok(people.into_iter().map(with).collect())
}

/// How many officials [`list`] would show in all, counted up to `most`.
pub async fn count(k: &Kernel, cx: &Cx, q: &PeopleQuery, most: u32) -> Result<i64> {
    cx.may_somewhere(OFFICIAL_READ)?;
    people::count(&k.db, &cx.agencies(OFFICIAL_READ), q, most).await
}

/// One official.
///
/// # Errors
/// [`Error::NotFound`] also when they are out of the reader's reach: their existence is not told.
pub async fn get(k: &Kernel, cx: &Cx, id: PersonId) -> Result<Official> {
    visible(k, cx, id).await
}

pub(super) async fn visible(k: &Kernel, cx: &Cx, id: PersonId) -> Result<Official> {
    cx.may_somewhere(OFFICIAL_READ)?;
    let official =
        Official { person: people::get(&k.db, id).await?, appointments: posts::of_person(&k.db, id).await? };
    let filter = cx.agencies(OFFICIAL_READ);
    let reached = matches!(filter, kernel::AgencyFilter::All)
        || official.appointments.iter().filter_map(|p| p.agency).any(|u| filter.includes(u));
    if reached { Ok(official) } else { Err(Error::NotFound { kind: PersonId::KIND }) }
}

/// Checks that every appointment the person holds or will hold lies within one's reach; returns those.
pub(super) async fn manageable(a: &Accounts, k: &Kernel, cx: &Cx, id: PersonId) -> Result<Vec<Appointment>> {
    let official = visible(k, cx, id).await?;
    let now = k.clock.now();
    let held: Vec<_> =
        official.appointments.into_iter().filter(|p| p.over_at().is_none_or(|o| o > now)).collect();
    if held.is_empty() {
        cx.may(OFFICIAL_MANAGE, &Scope::province())?;
    }
    for appointment in &held {
        cx.may(OFFICIAL_MANAGE, &reach(a, appointment))?;
    }
    Ok(held)
}

/// Whether the reader may manage this official: for pages, which show only what can be done.
pub fn may_manage(a: &Accounts, cx: &Cx, official: &Official, now: Timestamp) -> bool {
    let mut held = official.appointments.iter().filter(|p| p.over_at().is_none_or(|o| o > now)).peekable();
    match held.peek() {
        None => cx.holds(OFFICIAL_MANAGE, &Scope::province()),
        Some(_) => held.all(|p| cx.holds(OFFICIAL_MANAGE, &reach(a, p))),
    }
}

/// What one must manage to touch this appointment.
pub(super) fn reach(a: &Accounts, appointment: &Appointment) -> Scope {
    let far = |code: &String| a.identity.roles().get(code).is_none_or(|r| r.reach == RoleReach::Province);
    match appointment.agency {
        Some(unit) if !appointment.roles.iter().any(far) => Scope::agency(unit),
        _ => Scope::province(),
    }
}
