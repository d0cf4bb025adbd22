//! Credentials of a system, managed by whoever integrates it: made, given a new secret beside the old one, ended,
//! revoked. A secret is shown once. Tables and the checking of secrets are the kernel's `identity`.

use std::collections::BTreeSet;
use std::time::Duration;

use base::clock::{Date, Timestamp};
use base::error::{FieldError, Refusal};
use base::i18n::{Lang, Text};
use kernel::identity::Secret;
use kernel::identity::clients::{self, Client, ClientId, ClientState, MAX_OVERLAP, NewClient};
use kernel::tokens::{Revocation, Revoked, TokenIssuer};
use kernel::{Cx, Error, Kernel, Result, random, text};
use serde_json::json;

use super::reach::Own;
use crate::plane::SCOPE;
use crate::{events, t};

/// Credentials of one system that can be active at the same time.
pub const MOST_ACTIVE: usize = 20;
/// A credential that ends within so many days is called ending.
pub const ENDING_DAYS: u64 = 30;

/// A credential with its secret, which is shown once and kept nowhere.
#[derive(Debug)]
pub struct Shown {
    /// The credential.
    pub client: Client,
    /// Its secret.
    pub secret: Secret,
}

/// Whether a credential will end by itself soon.
pub fn ends_soon(client: &Client, now: Timestamp) -> bool {
    let soon = now.plus(Duration::from_secs(ENDING_DAYS * 86_400));
    client.state(now) == ClientState::Active && client.expires_at.is_some_and(|end| end <= soon)
}

/// One credential of the system.
///
/// # Errors
/// `NotFound` also for a credential of another system.
pub async fn one(k: &Kernel, own: &Own, id: ClientId) -> Result<Client> {
    let client = clients::get(&k.db, id).await?;
    if client.subsystem == own.path { Ok(client) } else { Err(Error::NotFound { kind: ClientId::KIND }) }
}

/// Makes a credential. `until` is its last day.
///
/// # Errors
/// `Invalid` naming the fields; `Refused` when the system has too many.
pub async fn create(k: &Kernel, cx: &Cx, own: &Own, name: &str, until: Option<Date>) -> Result<Shown> {
    let now = k.clock.now();
    let name = text::nfc(&name.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut faults = Vec::new();
    if name.is_empty() || name.chars().count() > 150 || name.chars().any(char::is_control) {
        faults.push(wrong("name", t::credential_name_malformed));
    }
    let expires_at = match last_day(until, now) {
        Ok(end) => end,
        Err(fault) => {
            faults.push(fault);
            None
        }
    };
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let active = clients::of_subsystem(&k.db, &own.path).await?;
    if active.iter().filter(|c| c.state(now) == ClientState::Active).count() >= MOST_ACTIVE {
        return refused("too-many-credentials", |l| t::credential_too_many(l, MOST_ACTIVE));
    }
    let id = ClientId::new(&*k.clock, &*k.random);
    let secret = clients::new_secret(&*k.random);
    let client_id = wire_name(k, &own.code);
    let scopes = BTreeSet::from([SCOPE.to_owned()]);
    let mut tx = k.begin(cx).await?;
    let new = NewClient {
        id,
        client_id: &client_id,
        name: &name,
        subsystem: &own.path,
        scopes: &scopes,
        secret: &secret,
        expires_at,
    };
    if !clients::add(&mut tx, k, &new).await? {
        return Err(Error::Conflict);
    }
    let said = events::Credential { client: id, client_id: client_id.clone(), subsystem: own.id };
    tx.publish(&events::CredentialCreated(said)).await?;
    let detail = json!({ "client_id": client_id, "subsystem": own.path, "until": until });
    tx.audit("exchange.credential.created", &id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(Shown { client: clients::get(&k.db, id).await?, secret })
}

/// From the system's code, with a random tail.
fn wire_name(k: &Kernel, code: &str) -> String {
    let slug: String = text::slug(code).chars().take(40).collect();
    let tail: String = random::bytes::<3>(&*k.random).iter().map(|b| format!("{b:02x}")).collect();
    match slug.trim_matches('-') {
        "" => format!("client-{tail}"),
        slug => format!("{slug}-{tail}"),
    }
}

/// Gives a credential a new secret; the one before serves for `overlap` longer.
///
/// # Errors
/// A refusal for one that has ended; `Conflict` when it changed since `version`; `Invalid` for too long an overlap.
pub async fn rotate(
    issuer: &TokenIssuer,
    k: &Kernel,
    cx: &Cx,
    own: &Own,
    id: ClientId,
    overlap: Duration,
    version: Option<i64>,
) -> Result<Shown> {
    if overlap > MAX_OVERLAP {
        return Err(Error::Invalid(vec![wrong("overlap_hours", t::credential_overlap_too_long)]));
    }
    let now = k.clock.now();
    let secret = clients::new_secret(&*k.random);
    let previous_until = (!overlap.is_zero()).then(|| now.plus(overlap));
    let mut tx = k.begin(cx).await?;
    let client = active(own, clients::lock(&mut tx, id).await?, version, now)?;
    clients::set_secret(&mut tx, k, id, &secret, previous_until).await?;
    let revocation = previous_until.is_none().then(|| revocation(&client, now));
    if let Some(revocation) = &revocation {
        issuer.revoke(&mut tx, revocation).await?;
    }
    tx.publish(&events::CredentialRotated(said(own, &client))).await?;
    let detail = json!({ "previous_until": previous_until });
    tx.audit("exchange.credential.rotated", &id.to_ref(), detail).await?;
    tx.commit().await?;
    issuer.learn(revocation, now);
    Ok(Shown { client: clients::get(&k.db, id).await?, secret })
}

/// Sets the last day of a credential, or takes it away.
///
/// # Errors
/// As [`rotate`]; `Invalid` for a day that has passed.
pub async fn set_end(
    k: &Kernel,
    cx: &Cx,
    own: &Own,
    id: ClientId,
    until: Option<Date>,
    version: Option<i64>,
) -> Result<()> {
    let now = k.clock.now();
    let end = last_day(until, now).map_err(|fault| Error::Invalid(vec![fault]))?;
    let mut tx = k.begin(cx).await?;
    let client = active(own, clients::lock(&mut tx, id).await?, version, now)?;
    clients::set_end(&mut tx, id, end).await?;
    tx.publish(&events::CredentialEndSet(said(own, &client))).await?;
    tx.audit("exchange.credential.end_set", &id.to_ref(), json!({ "until": until })).await?;
    tx.commit().await?;
    Ok(())
}

/// Revokes a credential for good, with every token it was given.
///
/// # Errors
/// As [`rotate`].
pub async fn revoke(
    issuer: &TokenIssuer,
    k: &Kernel,
    cx: &Cx,
    own: &Own,
    id: ClientId,
    version: Option<i64>,
) -> Result<()> {
    let now = k.clock.now();
    let mut tx = k.begin(cx).await?;
    let client = active(own, clients::lock(&mut tx, id).await?, version, now)?;
    clients::revoke(&mut tx, id, now).await?;
    let revocation = revocation(&client, now);
    issuer.revoke(&mut tx, &revocation).await?;
    tx.publish(&events::CredentialRevoked(said(own, &client))).await?;
    tx.audit("exchange.credential.revoked", &id.to_ref(), json!({})).await?;
    tx.commit().await?;
    issuer.learn([revocation], now);
    Ok(())
}

fn said(own: &Own, client: &Client) -> events::Credential {
    events::Credential { client: client.id, client_id: client.client_id.clone(), subsystem: own.id }
}

fn revocation(client: &Client, at: Timestamp) -> Revocation {
    Revocation { what: Revoked::Client(client.client_id.clone()), at }
}

fn active(own: &Own, client: Client, version: Option<i64>, now: Timestamp) -> Result<Client> {
    if client.subsystem != own.path {
        return Err(Error::NotFound { kind: ClientId::KIND });
    }
    if client.state(now) != ClientState::Active {
        return refused("credential-over", |l| t::credential_is_over(l).to_owned());
    }
    match version {
        Some(v) if v != client.version => Err(Error::Conflict),
        _ => Ok(client),
    }
}

fn last_day(until: Option<Date>, now: Timestamp) -> std::result::Result<Option<Timestamp>, FieldError> {
    if until.is_some_and(|day| day < now.date()) {
        return Err(wrong("until", t::credential_day_passed));
    }
    Ok(until.and_then(|d| d.plus_days(1)).map(Timestamp::start_of))
}

fn wrong(field: &str, say: fn(Lang) -> &'static str) -> FieldError {
    FieldError { field: field.to_owned(), text: Text::both(say) }
}

fn refused<T>(code: &'static str, say: impl Fn(Lang) -> String) -> Result<T> {
    Err(Refusal::new(code, Text::both(say)).into())
}

/// Credentials of the system, ended ones included, newest first.
///
/// # Errors
/// When the database is away.
pub async fn of(k: &Kernel, own: &Own) -> Result<Vec<Client>> {
    clients::of_subsystem(&k.db, &own.path).await
}
