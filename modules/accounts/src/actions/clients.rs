//! Clients of information systems: making them, giving them new secrets, revoking them.

use std::collections::BTreeSet;
use std::time::Duration;

use kernel::clock::{Date, Timestamp};
use kernel::identity::Secret;
use kernel::identity::clients::{self, Client, ClientId, ClientQuery, ClientState, MAX_OVERLAP};
use kernel::once::{self, Once};
use kernel::tokens::{Revocation, Revoked, SCOPES};
use kernel::{Cx, Error, Kernel, Result, Scope, random, text};
use serde_json::json;

use super::{Done, check, refused, wrong};
use crate::permissions::{CLIENT_MANAGE, CLIENT_READ};
use crate::{Accounts, events, t};

/// A client to make.
#[derive(Debug, Clone, Default)]
pub struct NewClient {
    /// What people call it.
    pub name: String,
    /// The subsystem it acts for: `instance/class/member/subsystem`.
    pub subsystem: String,
    /// The name on the wire; made from the name when absent.
    pub client_id: Option<String>,
    /// Scopes; all when empty.
    pub scopes: Vec<String>,
    /// The last day.
    pub until: Option<Date>,
}

/// A made client with its secret, which is shown once and kept nowhere.
#[derive(Debug)]
pub struct Created {
    /// The client.
    pub client: Client,
    /// Its secret.
    pub secret: Secret,
}

/// Makes a client.
///
/// # Errors
/// [`Error::Invalid`] naming the fields.
pub async fn create(k: &Kernel, cx: &Cx, new: &NewClient) -> Result<Created> {
    make(k, cx, new, None).await?.now()
}

/// As [`create`], once for each `Idempotency-Key`. Of a client made before the secret is not known any more: it was
/// shown then.
///
/// # Errors
/// As [`create`]; a refusal when the key was used for another request.
pub async fn create_once(k: &Kernel, cx: &Cx, new: &NewClient, once: &Once) -> Result<Done<Created, Client>> {
    match once::before(&k.db, cx, once).await? {
        Some(id) => Ok(Done::Before(get(k, cx, id.parse()?).await?)),
        None => make(k, cx, new, Some(once)).await,
    }
}

async fn make(k: &Kernel, cx: &Cx, new: &NewClient, once: Option<&Once>) -> Result<Done<Created, Client>> {
    cx.may(CLIENT_MANAGE, &Scope::province())?;
    let name = text::nfc(&new.name.split_whitespace().collect::<Vec<_>>().join(" "));
    let subsystem = text::nfc(new.subsystem.trim());
    let wire = match new.client_id.as_deref().map(str::trim).filter(|c| !c.is_empty()) {
        Some(given) => given.to_owned(),
        None => wire_name(k, &name),
    };
    let scopes: BTreeSet<String> = match new.scopes.is_empty() {
        true => SCOPES.iter().map(ToString::to_string).collect(),
        false => new.scopes.iter().cloned().collect(),
    };
    check(faults(k, new, &name, &subsystem, &wire, &scopes))?;
    let id = ClientId::new(&*k.clock, &*k.random);
    let secret = clients::new_secret(&*k.random);
    let expires_at = new.until.and_then(|d| d.plus_days(1)).map(Timestamp::start_of);
    let mut tx = k.begin(cx).await?;
    if let Some(once) = once
        && let Some(before) = once::claim(&mut tx, once, &id.to_string()).await?
    {
        return Ok(Done::Before(clients::get(&k.db, before.parse()?).await?));
    }
    let row = clients::NewClient {
        id,
        client_id: &wire,
        name: &name,
        subsystem: &subsystem,
        scopes: &scopes,
        secret: &secret,
        expires_at,
    };
    if !clients::add(&mut tx, k, &row).await? {
        return Err(Error::Invalid(vec![wrong("client_id", t::client_id_taken)]));
    }
    let (client_id, path) = (wire.clone(), subsystem.clone());
    tx.publish(&events::ClientCreated { client: id, client_id, subsystem: path }).await?;
    let detail = json!({ "client_id": wire, "subsystem": subsystem, "scopes": scopes, "until": new.until });
    tx.audit("accounts.client.created", &id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(Done::Now(Created { client: clients::get(&k.db, id).await?, secret }))
}

fn faults(
    k: &Kernel,
    new: &NewClient,
    name: &str,
    subsystem: &str,
    wire: &str,
    scopes: &BTreeSet<String>,
) -> Vec<kernel::error::FieldError> {
    let mut errors = Vec::new();
    if name.is_empty() || name.chars().count() > 150 || name.chars().any(char::is_control) {
        errors.push(wrong("name", t::client_name_malformed));
    }
    if !clients::subsystem_ok(subsystem) {
        errors.push(wrong("subsystem", t::subsystem_malformed));
    }
    if !clients::wire_name_ok(wire) {
        errors.push(wrong("client_id", t::client_id_malformed));
    }
    if !scopes.iter().all(|s| SCOPES.contains(&s.as_str())) {
        errors.push(wrong("scopes", |l| t::scope_unknown(l, SCOPES.join(", "))));
    }
    if new.until.is_some_and(|day| day < k.clock.now().date()) {
        errors.push(wrong("until", t::day_has_passed));
    }
    errors
}

/// From the name, with a random tail so that two of the same name differ and none can be guessed.
fn wire_name(k: &Kernel, name: &str) -> String {
    let slug: String = text::slug(name).chars().take(40).collect();
    let tail: String = random::bytes::<3>(&*k.random).iter().map(|b| format!("{b:02x}")).collect();
    match slug.trim_end_matches('-') {
        "" => format!("client-{tail}"),
        slug => format!("{slug}-{tail}"),
    }
}

/// Gives a client a new secret, shown once. With an overlap the previous secret serves that much longer, so
/// that the system can be switched without a gap; without one it and all tokens issued so far are worthless.
///
/// # Errors
/// A refusal for a client that is revoked or expired; [`Error::Conflict`] when it changed since `version`.
pub async fn rotate(
    a: &Accounts,
    k: &Kernel,
    cx: &Cx,
    id: ClientId,
    overlap: Duration,
    version: Option<i64>,
) -> Result<Created> {
    cx.may(CLIENT_MANAGE, &Scope::province())?;
    if overlap > MAX_OVERLAP {
        return Err(Error::Invalid(vec![wrong("overlap_hours", t::overlap_too_long)]));
    }
    let secret = clients::new_secret(&*k.random);
    let now = k.clock.now();
    let previous_until = (!overlap.is_zero()).then(|| now.plus(overlap));
    let mut tx = k.begin(cx).await?;
    let client = changeable(clients::lock(&mut tx, id).await?, version, now)?;
    clients::set_secret(&mut tx, k, id, &secret, previous_until).await?;
    let revocation = revocation(&client, now);
    if previous_until.is_none() {
        a.issuer.revoke(&mut tx, &revocation).await?;
    }
    let client_id = client.client_id.clone();
    tx.publish(&events::ClientRotated { client: id, client_id, previous_until }).await?;
    tx.audit("accounts.client.rotated", &id.to_ref(), json!({ "previous_until": previous_until })).await?;
    tx.commit().await?;
    if previous_until.is_none() {
        a.issuer.learn([revocation], now);
    }
    Ok(Created { client: clients::get(&k.db, id).await?, secret })
}

/// Revokes a client for good: no more tokens, and those issued are refused everywhere within a second.
///
/// # Errors
/// As [`rotate`].
pub async fn revoke(a: &Accounts, k: &Kernel, cx: &Cx, id: ClientId, version: Option<i64>) -> Result<()> {
    cx.may(CLIENT_MANAGE, &Scope::province())?;
    let now = k.clock.now();
    let mut tx = k.begin(cx).await?;
    let client = clients::lock(&mut tx, id).await?;
    if client.revoked_at.is_some() {
        return refused("client-over", |l| t::client_is_over(l).to_owned());
    }
    same_version(&client, version)?;
    clients::revoke(&mut tx, id, now).await?;
    let revocation = revocation(&client, now);
    a.issuer.revoke(&mut tx, &revocation).await?;
    let (client_id, subsystem) = (client.client_id, client.subsystem);
    tx.publish(&events::ClientRevoked { client: id, client_id, subsystem, at: now }).await?;
    tx.audit("accounts.client.revoked", &id.to_ref(), json!({})).await?;
    tx.commit().await?;
    a.issuer.learn([revocation], now);
    Ok(())
}

fn revocation(client: &Client, at: Timestamp) -> Revocation {
    Revocation { what: Revoked::Client(client.client_id.clone()), at }
}

fn changeable(client: Client, version: Option<i64>, now: Timestamp) -> Result<Client> {
    if client.state(now) != ClientState::Active {
        return refused("client-over", |l| t::client_is_over(l).to_owned());
    }
    same_version(&client, version)?;
    Ok(client)
}

fn same_version(client: &Client, version: Option<i64>) -> Result<()> {
    match version {
        Some(v) if v != client.version => Err(Error::Conflict),
        _ => Ok(()),
    }
}

/// Clients by name.
pub async fn list(k: &Kernel, cx: &Cx, q: &ClientQuery) -> Result<Vec<Client>> {
    cx.may(CLIENT_READ, &Scope::province())?;
    clients::list(&k.db, q).await
}

/// One client.
pub async fn get(k: &Kernel, cx: &Cx, id: ClientId) -> Result<Client> {
    cx.may(CLIENT_READ, &Scope::province())?;
    clients::get(&k.db, id).await
}
