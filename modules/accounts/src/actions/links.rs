//! One-time links: the first operator's and the one for setting a password. Made here or by `officials`, used
//! by people who are not signed in yet.

use kernel::clock::Timestamp;
use kernel::identity::links::{self, Link, Purpose};
use kernel::identity::people::{self, NewPerson};
use kernel::identity::sessions::{self, Origin};
use kernel::identity::{Appointment, Holding, Period, Secret, posts};
use kernel::{AppointmentId, Cx, Error, Kernel, PersonId, Result};
use serde_json::json;

use super::{check, own, refused, sign_in, wrong};
use crate::{Accounts, OPERATOR, events, t};

/// A link as handed to a person.
#[derive(Debug)]
pub struct Handed {
    /// The page's path, the secret in it. Shown once.
    pub path: Secret,
    /// Until when.
    pub expires_at: Timestamp,
}

/// The path of a link's page.
pub fn path(secret: &Secret) -> Secret {
    Secret::new(format!("/welcome/{}", secret.expose()))
}

/// Makes the link for the first operator, from the machine itself. Refused once there is an operator, unless
/// `recovery` says that nobody can sign in any more.
pub async fn create_first_operator_link(k: &Kernel, recovery: bool) -> Result<Handed> {
    let now = k.clock.now();
    let mut tx = k.begin(&Cx::kernel("accounts", now)).await?;
    if !recovery && people::anybody_holds(&mut tx, OPERATOR, now).await? {
        return refused("operator-exists", |l| t::operator_exists(l).to_owned());
    }
    let purpose = if recovery { Purpose::Recovery } else { Purpose::FirstOperator };
    let (id, secret) = links::make(&mut tx, k, purpose).await?;
    let detail = json!({ "recovery": recovery });
    tx.audit("accounts.operator.link_made", &id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(Handed { path: path(&secret), expires_at: now.plus(links::LIFE) })
}

/// The link with this secret, while it can be used.
///
/// # Errors
/// A refusal otherwise: used, withdrawn and expired links look like links that never were.
pub async fn look(k: &Kernel, secret: &str) -> Result<Link> {
    match links::look(&k.db, secret, k.clock.now()).await? {
        Some(link) => Ok(link),
        None => refused("link-over", |l| t::link_over(l).to_owned()),
    }
}

/// What the first operator tells.
pub struct FirstOperator<'a> {
    /// The sign-in name.
    pub username: &'a str,
    /// The full name.
    pub full_name: &'a str,
    /// The post.
    pub post: &'a str,
    /// The password.
    pub password: &'a Secret,
    /// The password again.
    pub again: &'a Secret,
}

/// Makes the operator the link is for and signs them in. Returns the session's secret.
///
/// # Errors
/// [`Error::Invalid`] naming the fields; a refusal when the link is over.
pub async fn make_operator(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    secret: &str,
    who: &FirstOperator<'_>,
    origin: &Origin,
) -> Result<Secret> {
    let link = look(k, secret).await?;
    let (username, full_name) = (people::username(who.username), people::full_name(who.full_name));
    let post = kernel::text::nfc(who.post.trim());
    let mut errors = Vec::new();
    if username.is_none() {
        errors.push(wrong("username", t::username_malformed));
    }
    if full_name.is_none() {
        errors.push(wrong("full_name", t::full_name_malformed));
    }
    if post.is_empty() || post.chars().count() > 150 {
        errors.push(wrong("post", t::post_malformed));
    }
    let (username, full_name) = (username.unwrap_or_default(), full_name.unwrap_or_default());
    errors.extend(own::new_password_faults(who.password, who.again, &username, &full_name));
    check(errors)?;
    let hash = a.identity.passwords().hash(&origin.address, who.password).await?;

    let at = k.clock.now();
    let id = PersonId::new(&*k.clock, &*k.random);
    let appointment = operator_post(k, id, post, at)?;
    let mut tx = k.begin(&sign_in::as_person(cx, id, Some(appointment.id))).await?;
    if !links::redeem(&mut tx, secret, at).await? {
        return refused("link-over", |l| t::link_over(l).to_owned());
    }
    match link.purpose {
        Purpose::Recovery => {}
        Purpose::FirstOperator if !people::anybody_holds(&mut tx, OPERATOR, at).await? => {}
        _ => return refused("link-over", |l| t::link_over(l).to_owned()),
    }
    let row = NewPerson { id, username: &username, full_name: &full_name, password_hash: Some(&hash), at };
    if !people::add(&mut tx, &row).await? {
        return Err(Error::Invalid(vec![wrong("username", t::username_taken)]));
    }
    posts::add(&mut tx, &appointment, at).await?;
    let limits = a.identity.settings().limits();
    let (session, token) = sessions::open(&mut tx, k, id, Some(appointment.id), origin, limits).await?;
    people::signed_in(&mut tx, id, Some(appointment.id), at).await?;
    tx.publish(&events::OfficialCreated { person: id }).await?;
    let roles = appointment.roles.clone();
    tx.publish(&events::AppointmentMade { appointment: appointment.id, person: id, agency: None, roles })
        .await?;
    let detail = json!({ "link": link.id, "session": session, "address": origin.address });
    tx.audit("accounts.operator.made", &id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(token)
}

fn operator_post(k: &Kernel, person: PersonId, post: String, at: Timestamp) -> Result<Appointment> {
    let period = Period::new(at.date(), None).ok_or_else(|| Error::internal("an open period ends"))?;
    Ok(Appointment {
        id: AppointmentId::new(&*k.clock, &*k.random),
        person,
        post,
        agency: None,
        field: None,
        holding: Holding::Substantive,
        period,
        roles: vec![OPERATOR.to_owned()],
        ended_at: None,
    })
}

/// Sets the password of the person the link is for; all their sessions end.
///
/// # Errors
/// [`Error::Invalid`] naming the field; a refusal when the link is over.
pub async fn set_password(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    secret: &str,
    new: (&Secret, &Secret),
    address: &str,
) -> Result<()> {
    let link = look(k, secret).await?;
    let Purpose::SetPassword(id) = link.purpose else {
        return refused("link-over", |l| t::link_over(l).to_owned());
    };
    let person = people::get(&k.db, id).await?;
    check(own::faults(new.0, new.1, &person))?;
    let hash = a.identity.passwords().hash(address, new.0).await?;
    let at = k.clock.now();
    let mut tx = k.begin(&sign_in::as_person(cx, id, None)).await?;
    let locked = people::lock(&mut tx, id).await?.locked_at.is_some();
    if locked || !links::redeem(&mut tx, secret, at).await? {
        return refused("link-over", |l| t::link_over(l).to_owned());
    }
    people::set_password(&mut tx, id, &hash, at).await?;
    let ended = sessions::end_all(&mut tx, id, None, at).await?;
    let detail = json!({ "link": link.id, "address": address, "sessions_ended": ended });
    tx.audit("accounts.password.set", &id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(())
}
