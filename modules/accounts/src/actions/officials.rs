//! Officials: creating accounts, appointing, ending appointments, locking. Who may manage whom: every
//! appointment in question must lie within the manager's reach, and one that reaches the whole province can
//! only be touched by somebody whose right does too, so that no right grows by being handed on.

use std::collections::HashMap;

use kernel::clock::{Date, Timestamp};
use kernel::error::FieldError;
use kernel::identity::appointment::Flaw;
use kernel::identity::links::{self, LinkId, Purpose};
use kernel::identity::people::{self, NewPerson, PeopleQuery, Person};
use kernel::identity::roles::RoleReach;
use kernel::identity::{Appointment, Holding, Period, Secret, posts, sessions};
use kernel::orgs::UnitId;
use kernel::{AppointmentId, Cx, Error, Kernel, PersonId, Result, Scope, Tx};
use serde_json::json;

use super::{check, refused, wrong};
use crate::permissions::{OFFICIAL_MANAGE, OFFICIAL_READ};
use crate::{Accounts, OPERATOR, agencies, events, t};

/// Longest name of a post or field of work, in characters.
const MAX_WORDS: usize = 150;

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

/// An appointment to make.
#[derive(Debug, Clone)]
pub struct NewAppointment {
    /// The post as the decision names it.
    pub post: String,
    /// The agency; none only for those who operate the platform.
    pub agency: Option<UnitId>,
    /// The field of work, if limited to one.
    pub field: Option<String>,
    /// How it is held.
    pub holding: Holding,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Option<Date>,
    /// Codes of roles.
    pub roles: Vec<String>,
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
    Ok(Created { person: id, appointment: appointment.id, link })
}

/// Appoints somebody who has an account.
///
/// # Errors
/// As [`create`].
pub async fn appoint(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    person: PersonId,
    new: &NewAppointment,
) -> Result<AppointmentId> {
    visible(k, cx, person).await?;
    let mut errors = Vec::new();
    let appointment = planned(a, k, person, new, &mut errors).await?;
    check(errors)?;
    let appointment =
        appointment.ok_or_else(|| Error::internal("an appointment without faults is missing"))?;
    cx.may(OFFICIAL_MANAGE, &reach(a, &appointment))?;
    let mut tx = k.begin(cx).await?;
    people::lock(&mut tx, person).await?;
    record(&mut tx, &appointment, k.clock.now()).await?;
    people::touch_version(&mut tx, person).await?;
    tx.commit().await?;
    Ok(appointment.id)
}

async fn record(tx: &mut Tx, appointment: &Appointment, at: Timestamp) -> Result<()> {
    posts::add(tx, appointment, at).await?;
    tx.publish(&events::AppointmentMade {
        appointment: appointment.id,
        person: appointment.person,
        agency: appointment.agency,
        roles: appointment.roles.clone(),
    })
    .await?;
    let detail = json!({
        "person": appointment.person, "agency": appointment.agency, "field": appointment.field,
        "holding": appointment.holding, "period": appointment.period, "roles": appointment.roles,
    });
    tx.audit("accounts.appointment.made", &appointment.id.to_ref(), detail).await
}

/// When an appointment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// At once; sessions through it end.
    Now,
    /// After this day.
    After(Date),
}

/// Ends an appointment.
///
/// # Errors
/// A refusal when it is over already or nobody could operate the platform any more; [`Error::Invalid`] for a
/// day that has passed.
pub async fn end_appointment(a: &Accounts, k: &Kernel, cx: &Cx, id: AppointmentId, end: End) -> Result<()> {
    let appointment = posts::get(&k.db, id).await?;
    visible(k, cx, appointment.person).await?;
    cx.may(OFFICIAL_MANAGE, &reach(a, &appointment))?;
    let now = k.clock.now();
    if appointment.over_at().is_some_and(|over| over <= now) {
        return refused("appointment-over", |l| t::appointment_over(l).to_owned());
    }
    if let End::After(day) = end {
        let too_late = appointment.period.until.is_some_and(|until| until < day);
        if day < now.date() || day < appointment.period.from || too_late {
            return Err(Error::Invalid(vec![wrong("until", t::appointment_end_wrong)]));
        }
    }
    let mut tx = k.begin(cx).await?;
    people::lock(&mut tx, appointment.person).await?;
    let at = match end {
        End::Now => {
            posts::end(&mut tx, id, now).await?;
            sessions::end_through(&mut tx, id, now).await?;
            now
        }
        End::After(day) => {
            posts::set_until(&mut tx, id, day).await?;
            day.plus_days(1).map_or(now, Timestamp::start_of)
        }
    };
    people::touch_version(&mut tx, appointment.person).await?;
    let (person, agency) = (appointment.person, appointment.agency);
    tx.publish(&events::AppointmentEnded { appointment: id, person, agency, at }).await?;
    tx.audit("accounts.appointment.ended", &id.to_ref(), json!({ "person": person, "at": at })).await?;
    if end == End::Now {
        keep_an_operator(&mut tx, &appointment.roles, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Refuses what would leave the platform without anybody who can operate it.
async fn keep_an_operator(tx: &mut Tx, touched: &[String], now: Timestamp) -> Result<()> {
    if touched.iter().any(|r| r == OPERATOR) && !people::anybody_holds(tx, OPERATOR, now).await? {
        return refused("last-operator", |l| t::last_operator(l).to_owned());
    }
    Ok(())
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

async fn visible(k: &Kernel, cx: &Cx, id: PersonId) -> Result<Official> {
    cx.may_somewhere(OFFICIAL_READ)?;
    let official =
        Official { person: people::get(&k.db, id).await?, appointments: posts::of_person(&k.db, id).await? };
    let filter = cx.agencies(OFFICIAL_READ);
    let reached = matches!(filter, kernel::AgencyFilter::All)
        || official.appointments.iter().filter_map(|p| p.agency).any(|u| filter.includes(u));
    if reached { Ok(official) } else { Err(Error::NotFound { kind: PersonId::KIND }) }
}

/// Checks that every appointment the person holds or will hold lies within one's reach; returns those.
async fn manageable(a: &Accounts, k: &Kernel, cx: &Cx, id: PersonId) -> Result<Vec<Appointment>> {
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
fn reach(a: &Accounts, appointment: &Appointment) -> Scope {
    let far = |code: &String| a.identity.roles().get(code).is_none_or(|r| r.reach == RoleReach::Province);
    match appointment.agency {
        Some(unit) if !appointment.roles.iter().any(far) => Scope::agency(unit),
        _ => Scope::province(),
    }
}

/// The appointment as it would be stored; adds what is wrong with it.
async fn planned(
    a: &Accounts,
    k: &Kernel,
    person: PersonId,
    new: &NewAppointment,
    errors: &mut Vec<FieldError>,
) -> Result<Option<Appointment>> {
    let post = words(&new.post);
    if post.is_empty() || post.chars().count() > MAX_WORDS {
        errors.push(wrong("post", t::post_malformed));
    }
    let field = new.field.as_deref().map(words).filter(|f| !f.is_empty());
    if field.as_ref().is_some_and(|f| f.chars().count() > MAX_WORDS) {
        errors.push(wrong("field", t::field_malformed));
    }
    let Some(period) = Period::new(new.from, new.until) else {
        errors.push(wrong("until", t::period_backwards));
        return Ok(None);
    };
    let appointment = Appointment {
        id: AppointmentId::new(&*k.clock, &*k.random),
        person,
        post,
        agency: new.agency,
        field,
        holding: new.holding,
        period,
        roles: new.roles.clone(),
        ended_at: None,
    };
    for flaw in a.identity.roles().flaws(&appointment) {
        errors.push(match flaw {
            Flaw::DeputyWithoutEnd => wrong("until", t::deputy_without_end),
            Flaw::AgencyMissing => wrong("agency", t::agency_missing),
            Flaw::NoRole => wrong("roles", t::role_missing),
        });
    }
    if let Some(unit) = new.agency {
        // On the first day it counts, or today if that has passed.
        let day = new.from.max(k.clock.now().date());
        if agencies::name(k, unit, day).await?.is_none() {
            errors.push(wrong("agency", t::agency_unknown));
        }
    }
    Ok(Some(appointment))
}

fn words(typed: &str) -> String {
    kernel::text::nfc(&typed.split_whitespace().collect::<Vec<_>>().join(" "))
}
