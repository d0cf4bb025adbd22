//! What a person does with their own account: choose the appointment to act through, end sessions, change the
//! password.

use kernel::identity::sessions::{self, Session, SessionId};
use kernel::identity::{Secret, Verdict, password, people, posts};
use kernel::{AppointmentId, Cx, Error, Kernel, Result};
use serde_json::json;

use super::{check, own_person, sign_in, wrong};
use crate::{Accounts, t};

/// Acts through another of one's appointments from now on. Returns the session's new secret.
///
/// # Errors
/// [`Error::NotFound`] when it is not one's own or not valid now.
pub async fn choose(k: &Kernel, cx: &Cx, session: &Session, id: AppointmentId) -> Result<Secret> {
    let person = own_person(cx)?;
    let appointment = posts::get(&k.db, id).await?;
    if appointment.person != person || session.person != person || !appointment.valid_at(k.clock.now()) {
        return Err(Error::NotFound { kind: AppointmentId::KIND });
    }
    let mut tx = k.begin(&sign_in::as_person(cx, person, Some(id))).await?;
    let token = sessions::renew(&mut tx, k, session.id, Some(id)).await?;
    people::chose(&mut tx, person, id).await?;
    let detail = json!({ "session": session.id, "from": session.appointment });
    tx.audit("accounts.appointment.chosen", &id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(token)
}

/// Ends one of one's own sessions.
///
/// # Errors
/// [`Error::NotFound`] when it is somebody else's or over.
pub async fn end_session(k: &Kernel, cx: &Cx, id: SessionId) -> Result<()> {
    let person = own_person(cx)?;
    let mut tx = k.begin(cx).await?;
    if !sessions::end(&mut tx, person, id, k.clock.now()).await? {
        return Err(Error::NotFound { kind: SessionId::KIND });
    }
    tx.audit("accounts.session.ended", &person.to_ref(), json!({ "session": id })).await?;
    tx.commit().await?;
    Ok(())
}

/// A change of one's own password.
pub struct Change<'a> {
    /// The present one.
    pub present: &'a Secret,
    /// The new one.
    pub new: &'a Secret,
    /// The new one again.
    pub again: &'a Secret,
    /// Where from, for the queue of the hashing pool.
    pub address: &'a str,
}

/// Changes one's own password: all other sessions end, this one gets a new secret.
///
/// # Errors
/// [`Error::Invalid`] naming the field; [`Error::TooMany`] after too many wrong guesses of the present one.
pub async fn change_password(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    session: &Session,
    change: &Change<'_>,
) -> Result<Secret> {
    let id = own_person(cx)?;
    let person = people::get(&k.db, id).await?;
    let known = people::credentials_of(&k.db, id).await?.ok_or(Error::SignIn)?;
    check(faults(change.new, change.again, &person))?;
    let attempt = a.identity.throttle().attempt(&person.username, change.address, k.clock.now());
    let attempt = attempt.map_err(|retry_after| Error::TooMany { retry_after })?;
    let verdict = a.identity.passwords().verify(change.address, change.present, known.hash.as_deref()).await;
    match verdict {
        Ok(Verdict::Right { .. }) => a.identity.throttle().succeeded(&attempt),
        Ok(Verdict::Wrong) => {
            let mut tx = k.begin(cx).await?;
            tx.audit("accounts.password.refused", &id.to_ref(), json!({ "session": session.id })).await?;
            tx.commit().await?;
            return Err(Error::Invalid(vec![wrong("present", t::password_present_wrong)]));
        }
        Err(e) => {
            a.identity.throttle().undecided(&attempt);
            return Err(e);
        }
    }
    let hash = a.identity.passwords().hash(change.address, change.new).await?;
    let now = k.clock.now();
    let mut tx = k.begin(cx).await?;
    people::set_password(&mut tx, id, &hash, now).await?;
    let ended = sessions::end_all(&mut tx, id, Some(session.id), now).await?;
    let token = sessions::renew(&mut tx, k, session.id, session.appointment).await?;
    tx.audit("accounts.password.changed", &id.to_ref(), json!({ "sessions_ended": ended })).await?;
    tx.commit().await?;
    Ok(token)
}

/// What is wrong with a new password for this person.
pub(crate) fn faults(
    new: &Secret,
    again: &Secret,
    person: &people::Person,
) -> Vec<kernel::error::FieldError> {
    new_password_faults(new, again, &person.username, &person.full_name)
}

/// As [`faults`], for a person not stored yet.
pub(crate) fn new_password_faults(
    new: &Secret,
    again: &Secret,
    username: &str,
    full_name: &str,
) -> Vec<kernel::error::FieldError> {
    let mut out = Vec::new();
    if let Err(weakness) = password::check(new.expose(), username, full_name) {
        out.push(wrong("password", |l| weakness_text(l, weakness)));
    }
    if new.expose() != again.expose() {
        out.push(wrong("again", t::password_again_differs));
    }
    out
}

fn weakness_text(l: kernel::i18n::Lang, weakness: password::Weakness) -> String {
    match weakness {
        password::Weakness::TooShort => t::password_too_short(l, password::MIN_CHARS),
        password::Weakness::TooLong => t::password_too_long(l, password::MAX_BYTES),
        password::Weakness::OwnName => t::password_own_name(l).to_owned(),
        password::Weakness::Common => t::password_common(l).to_owned(),
        password::Weakness::Monotonous => t::password_monotonous(l).to_owned(),
    }
}
