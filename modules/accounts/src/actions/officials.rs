//! Officials: creating accounts, locking, password links. Appointing is in `appointments`, who may manage whom in
//! `reach`.

use kernel::identity::Secret;
use kernel::identity::links::{self, LinkId, Purpose};
use kernel::identity::people::{self, NewPerson};
use kernel::identity::sessions;
use kernel::once::{self, Once};
use kernel::{AppointmentId, Cx, Error, Kernel, PersonId, Result, Tx};
use serde_json::json;

pub use super::appointments::{End, NewAppointment, appoint, appoint_once, end_appointment};
use super::appointments::{keep_an_operator, planned, record};
pub use super::reach::{Official, count, get, list, may_manage};
use super::reach::{manageable, reach};
use super::{Done, check, refused, wrong};
use crate::permissions::OFFICIAL_MANAGE;
use crate::{Accounts, events, t};

/// An account to make, with its first appointment.
#[derive(Debug, Clone)]
pub struct NewOfficial {
    /// The sign-in name.
    pub username: String,
    /// The full name.
    pub full_name: String,
    /// The first appointment.
    pub appointment: NewAppointment,
    /// The first password. Without one, a one-time link to set it is made.
    pub password: Option<Secret>,
}

/// A made account.
#[derive(Debug)]
pub struct Created {
    /// Whose.
    pub person: PersonId,
    /// The first appointment.
    pub appointment: AppointmentId,
    /// The secret of the link to set a password, if no password was given. Shown once.
    pub link: Option<Secret>,
}

/// Makes an account with its first appointment.
///
/// # Errors
/// [`Error::Invalid`] naming the fields, [`Error::Denied`] beyond one's reach.
pub async fn create(a: &Accounts, k: &Kernel, cx: &Cx, new: &NewOfficial) -> Result<Created> {
    make(a, k, cx, new, None).await?.now()
}

/// As [`create`], once for each `Idempotency-Key`. Of an account made before only its owner is known: the link was
/// shown then.
///
/// # Errors
/// As [`create`]; a refusal when the key was used for another request.
pub async fn create_once(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    new: &NewOfficial,
    once: &Once,
) -> Result<Done<Created, PersonId>> {
    match once::before(&k.db, cx, once).await? {
        Some(person) => Ok(Done::Before(get(k, cx, person.parse()?).await?.person.id)),
        None => make(a, k, cx, new, Some(once)).await,
    }
}

async fn make(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    new: &NewOfficial,
    once: Option<&Once>,
) -> Result<Done<Created, PersonId>> {
    let (username, full_name) = (people::username(&new.username), people::full_name(&new.full_name));
    let mut errors = Vec::new();
    if username.is_none() {
        errors.push(wrong("username", t::username_malformed));
    }
    if full_name.is_none() {
        errors.push(wrong("full_name", t::full_name_malformed));
    }
    let id = PersonId::new(&*k.clock, &*k.random);
    let appointment = planned(a, k, id, &new.appointment, &mut errors).await?;
    let (username, full_name) = (username.unwrap_or_default(), full_name.unwrap_or_default());
    if let Some(password) = &new.password {
        errors.extend(super::own::new_password_faults(password, password, &username, &full_name));
    }
    check(errors)?;
    let appointment =
        appointment.ok_or_else(|| Error::internal("an appointment without faults is missing"))?;
    cx.may(OFFICIAL_MANAGE, &reach(a, &appointment))?;
    let hash = match &new.password {
        Some(password) => Some(a.identity.passwords().hash("administration", password).await?),
        None => None,
    };
    let at = k.clock.now();
    let mut tx = k.begin(cx).await?;
    if let Some(once) = once
        && let Some(person) = once::claim(&mut tx, once, &id.to_string()).await?
    {
        return Ok(Done::Before(person.parse()?));
    }
    let row =
        NewPerson { id, username: &username, full_name: &full_name, password_hash: hash.as_deref(), at };
    if !people::add(&mut tx, &row).await? {
        return Err(Error::Invalid(vec![wrong("username", t::username_taken)]));
    }
    tx.publish(&events::OfficialCreated { person: id }).await?;
    tx.audit("accounts.official.created", &id.to_ref(), json!({ "username": username })).await?;
    record(&mut tx, &appointment, at).await?;
    let link = match hash {
        Some(_) => None,
        None => Some(make_link(&mut tx, k, id).await?.1),
    };
    tx.commit().await?;
    Ok(Done::Now(Created { person: id, appointment: appointment.id, link }))
}

/// Locks an account: its sessions end at once, nobody signs in with it.
///
/// # Errors
/// A refusal for one's own account or the last operator's.
pub async fn lock(a: &Accounts, k: &Kernel, cx: &Cx, id: PersonId) -> Result<()> {
    let held = manageable(a, k, cx, id).await?;
    if super::own_person(cx).is_ok_and(|own| own == id) {
        return refused("own-account", |l| t::own_account(l).to_owned());
    }
    let now = k.clock.now();
    let mut tx = k.begin(cx).await?;
    if people::lock(&mut tx, id).await?.locked_at.is_some() {
        return Ok(());
    }
    people::set_locked(&mut tx, id, Some(now)).await?;
    sessions::end_all(&mut tx, id, None, now).await?;
    links::withdraw(&mut tx, Purpose::SetPassword(id), now).await?;
    tx.publish(&events::OfficialLocked { person: id }).await?;
    tx.audit("accounts.official.locked", &id.to_ref(), json!({})).await?;
    let roles: Vec<String> = held.iter().flat_map(|p| p.roles.clone()).collect();
    keep_an_operator(&mut tx, &roles, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Unlocks an account.
pub async fn unlock(a: &Accounts, k: &Kernel, cx: &Cx, id: PersonId) -> Result<()> {
    manageable(a, k, cx, id).await?;
    let mut tx = k.begin(cx).await?;
    if people::lock(&mut tx, id).await?.locked_at.is_none() {
        return Ok(());
    }
    people::set_locked(&mut tx, id, None).await?;
    tx.publish(&events::OfficialUnlocked { person: id }).await?;
    tx.audit("accounts.official.unlocked", &id.to_ref(), json!({})).await?;
    tx.commit().await?;
    Ok(())
}

/// Corrects a person's name.
pub async fn rename(a: &Accounts, k: &Kernel, cx: &Cx, id: PersonId, full_name: &str) -> Result<()> {
    manageable(a, k, cx, id).await?;
    let Some(name) = people::full_name(full_name) else {
        return Err(Error::Invalid(vec![wrong("full_name", t::full_name_malformed)]));
    };
    let mut tx = k.begin(cx).await?;
    let person = people::lock(&mut tx, id).await?;
    people::rename(&mut tx, id, &person.username, &name).await?;
    tx.audit("accounts.official.renamed", &id.to_ref(), json!({})).await?;
    tx.commit().await?;
    Ok(())
}

/// Makes a one-time link by which the person sets a password. Their present one goes on serving until then.
/// The secret is shown once.
///
/// # Errors
/// A refusal for a locked account.
pub async fn password_link(a: &Accounts, k: &Kernel, cx: &Cx, id: PersonId) -> Result<Secret> {
    manageable(a, k, cx, id).await?;
    let mut tx = k.begin(cx).await?;
    if people::lock(&mut tx, id).await?.locked_at.is_some() {
        return refused("account-locked", |l| t::account_is_locked(l).to_owned());
    }
    let (_, secret) = make_link(&mut tx, k, id).await?;
    tx.commit().await?;
    Ok(secret)
}

async fn make_link(tx: &mut Tx, k: &Kernel, person: PersonId) -> Result<(LinkId, Secret)> {
    let (link, secret) = links::make(tx, k, Purpose::SetPassword(person)).await?;
    tx.audit("accounts.password.link_made", &person.to_ref(), json!({ "link": link })).await?;
    Ok((link, secret))
}
