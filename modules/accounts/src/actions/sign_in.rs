//! Signing in and out. Whether the name is unknown, the password wrong or the account without a password, the
//! answer and the work are the same.

use kernel::clock::Timestamp;
use kernel::identity::people::{self, Credentials};
use kernel::identity::sessions::{self, Origin, SessionId};
use kernel::identity::{Appointment, Attempt, Secret, Verdict, posts};
use kernel::{Actor, Cx, Error, Kernel, PersonId, Ref, Result};
use serde_json::json;

use crate::Accounts;

/// What somebody typed, and where from.
pub struct Typed<'a> {
    /// The sign-in name.
    pub username: &'a str,
    /// The password.
    pub password: &'a Secret,
    /// Where from.
    pub origin: &'a Origin,
}

/// How it went.
#[derive(Debug)]
pub enum Outcome {
    /// Signed in.
    In(SignedIn),
    /// Not recognised; nothing more is said.
    Wrong,
    /// The password is right, but the account is locked.
    Locked,
    /// Too many attempts: wait this many seconds.
    Wait(u64),
}

/// A new session.
#[derive(Debug)]
pub struct SignedIn {
    /// For the cookie.
    pub token: Secret,
    /// Several appointments and none used before: ask which.
    pub choose: bool,
}

/// Signs somebody in.
///
/// # Errors
/// [`Error::TooMany`] when too many sign-ins are under way; faults of the system.
pub async fn sign_in(a: &Accounts, k: &Kernel, cx: &Cx, typed: &Typed<'_>) -> Result<Outcome> {
    let name = people::username(typed.username);
    let address = &typed.origin.address;
    // An impossible name shares one counter; the address is counted all the same.
    let attempt = match a.identity.throttle().attempt(name.as_deref().unwrap_or(""), address, k.clock.now()) {
        Ok(attempt) => attempt,
        Err(seconds) => return Ok(Outcome::Wait(seconds)),
    };
    let outcome = decide(a, k, cx, name.as_deref(), typed, &attempt).await;
    match &outcome {
        Ok(Outcome::In(_) | Outcome::Locked) => a.identity.throttle().succeeded(&attempt),
        Err(_) => a.identity.throttle().undecided(&attempt),
        Ok(_) => {}
    }
    outcome
}

async fn decide(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    name: Option<&str>,
    typed: &Typed<'_>,
    attempt: &Attempt,
) -> Result<Outcome> {
    let known = match name {
        Some(name) => people::credentials(&k.db, name).await?,
        None => None,
    };
    let hash = known.as_ref().and_then(|c| c.hash.as_deref());
    let verdict = a.identity.passwords().verify(&typed.origin.address, typed.password, hash).await?;
    let Verdict::Right { outdated } = verdict else {
        failed(k, cx, known.as_ref(), typed.origin, attempt, "wrong-password").await?;
        return Ok(Outcome::Wrong);
    };
    // The hash was that of a known account, or it could not have been right.
    let Some(known) = known else { return Ok(Outcome::Wrong) };
    if known.locked {
        failed(k, cx, Some(&known), typed.origin, attempt, "locked").await?;
        return Ok(Outcome::Locked);
    }
    let renewed = match outdated {
        true => Some(a.identity.passwords().hash(&typed.origin.address, typed.password).await?),
        false => None,
    };
    let (through, choose) = choice(k, &known, k.clock.now()).await?;
    let token = open(a, k, cx, &known, through.as_ref(), renewed, typed.origin).await?;
    Ok(Outcome::In(SignedIn { token, choose }))
}

/// The appointment to act through: the one used last if it is still valid, else the own post before any held in
/// somebody's stead.
async fn choice(k: &Kernel, known: &Credentials, now: Timestamp) -> Result<(Option<Appointment>, bool)> {
    let mut valid = posts::of_person(&k.db, known.person).await?;
    valid.retain(|p| p.valid_at(now));
    valid.sort_by_key(|p| p.holding);
    match valid.iter().position(|p| Some(p.id) == known.last_appointment) {
        Some(at) => Ok((Some(valid.swap_remove(at)), false)),
        None => {
            let several = valid.len() > 1;
            Ok((valid.into_iter().next(), several))
        }
    }
}

async fn open(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    known: &Credentials,
    through: Option<&Appointment>,
    renewed: Option<String>,
    origin: &Origin,
) -> Result<Secret> {
    let now = k.clock.now();
    let through = through.map(|p| p.id);
    let own = as_person(cx, known.person, through);
    let mut tx = k.begin(&own).await?;
    // Locked between the check and now: the lock wins.
    if people::lock(&mut tx, known.person).await?.locked_at.is_some() {
        return Err(Error::SignIn);
    }
    let limits = a.identity.settings().limits();
    let (session, token) = sessions::open(&mut tx, k, known.person, through, origin, limits).await?;
    people::signed_in(&mut tx, known.person, through, now).await?;
    if let (Some(new), Some(old)) = (renewed, &known.hash) {
        people::renew_hash(&mut tx, known.person, old, &new).await?;
    }
    let detail = json!({ "session": session, "address": origin.address });
    tx.audit("accounts.sign_in", &known.person.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(token)
}

/// The caller as the person they have just proven to be.
pub(crate) fn as_person(cx: &Cx, person: PersonId, appointment: Option<kernel::AppointmentId>) -> Cx {
    let mut own = cx.clone();
    own.actor = Actor::Official { person, appointment };
    own
}

/// Failed sign-ins leave a row each: their number is bounded by the throttle. What was typed is never kept, for
/// people type passwords into the name field.
async fn failed(
    k: &Kernel,
    cx: &Cx,
    known: Option<&Credentials>,
    origin: &Origin,
    attempt: &Attempt,
    why: &str,
) -> Result<()> {
    let subject = known.map_or_else(|| Ref::new(PersonId::KIND, "unknown"), |c| c.person.to_ref());
    let detail = json!({ "why": why, "address": origin.address, "turned_away_before": attempt.turned_away });
    let mut tx = k.begin(cx).await?;
    tx.audit("accounts.sign_in.failed", &subject, detail).await?;
    tx.commit().await?;
    Ok(())
}

/// Ends the session a cookie belongs to. A cookie of nobody is no error: the wish is fulfilled.
pub async fn sign_out(k: &Kernel, cx: &Cx, token: &str) -> Result<()> {
    let Some(session) = sessions::by_token(&k.db, token).await? else { return Ok(()) };
    end(k, &as_person(cx, session.person, session.appointment), session.person, session.id).await
}

pub(crate) async fn end(k: &Kernel, cx: &Cx, person: PersonId, id: SessionId) -> Result<()> {
    let mut tx = k.begin(cx).await?;
    if sessions::end(&mut tx, person, id, k.clock.now()).await? {
        tx.audit("accounts.session.ended", &person.to_ref(), json!({ "session": id })).await?;
        tx.commit().await?;
    }
    Ok(())
}
