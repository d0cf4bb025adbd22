//! Appointing and ending appointments. Rights are handed on only within one's own reach; the platform keeps an
//! operator.

use kernel::clock::{Date, Timestamp};
use kernel::error::FieldError;
use kernel::identity::appointment::Flaw;
use kernel::identity::people;
use kernel::identity::{Appointment, Holding, Period, posts, sessions};
use kernel::once::{self, Once};
use kernel::orgs::UnitId;
use kernel::{AppointmentId, Cx, Error, Kernel, PersonId, Result, Tx};
use serde_json::json;

use super::reach::{reach, visible};
use super::{Done, check, refused, wrong};
use crate::permissions::OFFICIAL_MANAGE;
use crate::{Accounts, OPERATOR, agencies, events, t};

/// Longest name of a post or field of work, in characters.
const MAX_WORDS: usize = 150;

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
    make(a, k, cx, person, new, None).await?.now()
}

/// As [`appoint`], once for each `Idempotency-Key`.
///
/// # Errors
/// As [`appoint`]; a refusal when the key was used for another request.
pub async fn appoint_once(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    person: PersonId,
    new: &NewAppointment,
    once: &Once,
) -> Result<Done<AppointmentId, AppointmentId>> {
    visible(k, cx, person).await?;
    match once::before(&k.db, cx, once).await? {
        Some(appointment) => Ok(Done::Before(appointment.parse()?)),
        None => make(a, k, cx, person, new, Some(once)).await,
    }
}

async fn make(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    person: PersonId,
    new: &NewAppointment,
    once: Option<&Once>,
) -> Result<Done<AppointmentId, AppointmentId>> {
    visible(k, cx, person).await?;
    let mut errors = Vec::new();
    let appointment = planned(a, k, person, new, &mut errors).await?;
    check(errors)?;
    let appointment =
        appointment.ok_or_else(|| Error::internal("an appointment without faults is missing"))?;
    cx.may(OFFICIAL_MANAGE, &reach(a, &appointment))?;
    let mut tx = k.begin(cx).await?;
    if let Some(once) = once
        && let Some(before) = once::claim(&mut tx, once, &appointment.id.to_string()).await?
    {
        return Ok(Done::Before(before.parse()?));
    }
    people::lock(&mut tx, person).await?;
    record(&mut tx, &appointment, k.clock.now()).await?;
    people::touch_version(&mut tx, person).await?;
    tx.commit().await?;
    Ok(Done::Now(appointment.id))
}

pub(super) async fn record(tx: &mut Tx, appointment: &Appointment, at: Timestamp) -> Result<()> {
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
pub(super) async fn keep_an_operator(tx: &mut Tx, touched: &[String], now: Timestamp) -> Result<()> {
    if touched.iter().any(|r| r == OPERATOR) && !people::anybody_holds(tx, OPERATOR, now).await? {
        return refused("last-operator", |l| t::last_operator(l).to_owned());
    }
    Ok(())
}

/// The appointment as it would be stored; adds what is wrong with it.
pub(super) async fn planned(
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
