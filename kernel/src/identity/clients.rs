//! Clients: how an information system proves itself to the token endpoint. Secrets are 256 random bits, so a
//! keyed SHA-256 (under the master key) suffices where a human's password needs Argon2id; it is also fast
//! enough for every token request.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base::clock::Timestamp;
use base::error::{Error, Result};
use base::random::{self, Random};
use base::text;

use super::people::{like_escaped, search_words};
use super::secret::Secret;
use crate::db::{Db, Row, Value};
use crate::kernel::{Kernel, Tx};
use crate::keys::Keys;
use crate::params;

base::id_type!(
    /// A client.
    ClientId, "client");
crate::id_value!(ClientId);

/// Begins every secret, so that scanners of leaked text recognise ours.
const SECRET_PREFIX: &str = "lts_";
const PURPOSE: &str = "identity/client-secret";
/// Longest time for which the previous secret may go on serving after a rotation.
pub const MAX_OVERLAP: Duration = Duration::from_secs(7 * 86_400);

/// One client. Never holds the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The identifier.
    pub id: ClientId,
    /// The name on the wire.
    pub client_id: String,
    /// What people call it.
    pub name: String,
    /// The subsystem it acts for: `instance/class/member/subsystem`.
    pub subsystem: String,
    /// Scopes it may have.
    pub scopes: BTreeSet<String>,
    /// When the present secret was made.
    pub secret_set_at: Timestamp,
    /// Until when the previous secret still serves.
    pub previous_until: Option<Timestamp>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Revoked since. Final.
    pub revoked_at: Option<Timestamp>,
    /// Whether its secret alone gets no token: it has to show one of its certificates.
    pub certificate_only: bool,
    /// Raised by every change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Where a client is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientState {
    /// Gets tokens.
    Active,
    /// Its time is over.
    Expired,
    /// Revoked for good.
    Revoked,
}

impl Client {
    /// Its state at a moment.
    pub fn state(&self, now: Timestamp) -> ClientState {
        if self.revoked_at.is_some() {
            ClientState::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            ClientState::Expired
        } else {
            ClientState::Active
        }
    }
}

/// Whether a wire name is well formed: 3 to 64 of `a-z 0-9 -`, as shown in pages, logs and headers.
pub fn wire_name_ok(name: &str) -> bool {
    (3..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// Whether a subsystem is written as its path: four non-empty parts of an X-Road identifier.
pub fn subsystem_ok(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    path.len() <= 255
        && parts.len() == 4
        && parts.iter().all(|p| {
            !p.is_empty()
                && *p != "."
                && *p != ".."
                && !p.contains(['\\', ':', ';', '%', '?', '#'])
                && !p.chars().any(|c| c.is_control() || c.is_whitespace())
        })
}

/// A new secret.
pub fn new_secret(random: &dyn Random) -> Secret {
    Secret::new(format!("{SECRET_PREFIX}{}", random::token(random, 32)))
}

fn mac(keys: &Keys, id: ClientId, secret: &str) -> [u8; 32] {
    let mut data = id.0.as_bytes().to_vec();
    data.extend_from_slice(secret.as_bytes());
    keys.digest(PURPOSE, &data)
}

/// Which of a client's secrets was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The present one.
    Present,
    /// The one before, within the overlap of a rotation.
    Previous,
}

/// Who asks for a token.
#[derive(Debug)]
pub enum Proof {
    /// The client, active, and the secret by which it proved itself.
    Proven(Box<Client>, Which),
    /// Unknown, wrong secret, expired or revoked; `known` is the client if there is one, for the audit.
    Failed {
        /// The client the caller claims to be, if it exists.
        known: Option<Box<Client>>,
    },
}

/// Checks a client's secret. Unknown clients cost the same work as known ones.
pub async fn prove(k: &Kernel, client_id: &str, secret: &Secret) -> Result<Proof> {
    let found = match wire_name_ok(client_id) {
        true => with_macs(&k.db, client_id).await?,
        false => None,
    };
    let secret = if secret.expose().len() <= 256 { secret.expose() } else { "" };
    let id = found.as_ref().map_or(ClientId(base::ids::Uuid::nil()), |f| f.client.id);
    let given = mac(&k.keys, id, secret);
    let now = k.clock.now();
    let Some(Found { client, mac, previous }) = found else { return Ok(Proof::Failed { known: None }) };
    let right = verify_slices_are_equal(&given, &mac).is_ok();
    let previous_right = previous.is_some_and(|p| verify_slices_are_equal(&given, &p).is_ok())
        && client.previous_until.is_some_and(|until| now < until);
    if (right || previous_right) && client.state(now) == ClientState::Active {
        let which = if right { Which::Present } else { Which::Previous };
        Ok(Proof::Proven(Box::new(client), which))
    } else {
        Ok(Proof::Failed { known: Some(Box::new(client)) })
    }
}

struct Found {
    client: Client,
    mac: Vec<u8>,
    previous: Option<Vec<u8>>,
}

async fn with_macs(db: &Db, client_id: &str) -> Result<Option<Found>> {
    let sql = format!("SELECT {COLUMNS}, secret_mac, previous_mac FROM identity_client WHERE client_id = $1");
    let Some(row) = db.query_opt(&sql, params![client_id]).await? else { return Ok(None) };
    Ok(Some(Found {
        client: from_row(&row)?,
        mac: row.blob("secret_mac")?,
        previous: row.opt_blob("previous_mac")?,
    }))
}

const COLUMNS: &str = "id, client_id, name, subsystem, scopes, secret_set_at, previous_until, expires_at, revoked_at, \
    certificate_only, version, created_at";

fn from_row(r: &Row) -> Result<Client> {
    Ok(Client {
        id: r.id("id")?,
        client_id: r.text("client_id")?,
        name: r.text("name")?,
        subsystem: r.text("subsystem")?,
        scopes: r.text("scopes")?.split(' ').filter(|s| !s.is_empty()).map(ToOwned::to_owned).collect(),
        secret_set_at: r.time("secret_set_at")?,
        previous_until: r.opt_time("previous_until")?,
        expires_at: r.opt_time("expires_at")?,
        revoked_at: r.opt_time("revoked_at")?,
        certificate_only: r.int("certificate_only")? != 0,
        version: r.int("version")?,
        created_at: r.time("created_at")?,
    })
}

/// A new client as stored.
pub struct NewClient<'a> {
    /// The identifier.
    pub id: ClientId,
    /// A name that [`wire_name_ok`] accepts.
    pub client_id: &'a str,
    /// What people call it.
    pub name: &'a str,
    /// A path that [`subsystem_ok`] accepts.
    pub subsystem: &'a str,
    /// Scopes it may have.
    pub scopes: &'a BTreeSet<String>,
    /// Its secret.
    pub secret: &'a Secret,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// Adds a client. `false` when the wire name is taken.
pub async fn add(tx: &mut Tx, k: &Kernel, new: &NewClient<'_>) -> Result<bool> {
    let sql = "INSERT INTO identity_client (id, client_id, name, sort_key, search_key, subsystem, scopes, secret_mac,
                   secret_set_at, expires_at, version, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $9) ON CONFLICT (client_id) DO NOTHING";
    let scopes: Vec<&str> = new.scopes.iter().map(String::as_str).collect();
    let p = params![
        new.id,
        new.client_id,
        new.name,
        text::sort_key(new.name),
        format!("{} {} {}", text::fold(new.name), new.client_id, text::fold(new.subsystem)),
        new.subsystem,
        scopes.join(" "),
        mac(&k.keys, new.id, new.secret.expose()),
        k.clock.now(),
        new.expires_at,
    ];
    Ok(tx.execute(sql, p).await? == 1)
}

/// Gives a client a new secret. The previous one serves until `previous_until`, if given.
pub async fn set_secret(
    tx: &mut Tx,
    k: &Kernel,
    id: ClientId,
    secret: &Secret,
    previous_until: Option<Timestamp>,
) -> Result<()> {
    let sql = "UPDATE identity_client SET secret_mac = $2, secret_set_at = $3,
                   previous_mac = CASE WHEN $4 = 0 THEN NULL ELSE secret_mac END, previous_until = $5,
                   version = version + 1
               WHERE id = $1";
    let keep = previous_until.is_some();
    let p = params![id, mac(&k.keys, id, secret.expose()), k.clock.now(), keep, previous_until];
    tx.execute(sql, p).await.map(|_| ())
}

/// Revokes a client for good.
pub async fn revoke(tx: &mut Tx, id: ClientId, at: Timestamp) -> Result<()> {
    let sql = "UPDATE identity_client SET revoked_at = $2, previous_mac = NULL, previous_until = NULL,
                   version = version + 1
               WHERE id = $1 AND revoked_at IS NULL";
    tx.execute(sql, params![id, at]).await.map(|_| ())
}

/// Gives a client an end, or takes it away.
pub async fn set_end(tx: &mut Tx, id: ClientId, at: Option<Timestamp>) -> Result<()> {
    let sql = "UPDATE identity_client SET expires_at = $2, version = version + 1 WHERE id = $1";
    tx.execute(sql, params![id, at]).await.map(|_| ())
}

/// Makes a client prove itself by certificate only, or lets its secret suffice again.
pub async fn set_certificate_only(tx: &mut Tx, id: ClientId, only: bool) -> Result<()> {
    let sql = "UPDATE identity_client SET certificate_only = $2, version = version + 1 WHERE id = $1";
    tx.execute(sql, params![id, only]).await.map(|_| ())
}

/// The client of a wire name, if it is active.
///
/// # Errors
/// When the database is away.
pub async fn active_by_name(k: &Kernel, client_id: &str) -> Result<Option<Client>> {
    let found = if wire_name_ok(client_id) { with_macs(&k.db, client_id).await? } else { None };
    Ok(found.map(|f| f.client).filter(|c| c.state(k.clock.now()) == ClientState::Active))
}

/// Clients that act for a subsystem, those that ended included, newest first.
pub async fn of_subsystem(db: &Db, path: &str) -> Result<Vec<Client>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM identity_client WHERE subsystem = $1 ORDER BY created_at DESC, id DESC LIMIT 200"
    );
    db.query(&sql, params![path]).await?.iter().map(from_row).collect()
}

/// One client, or `NotFound`.
pub async fn get(db: &Db, id: ClientId) -> Result<Client> {
    let sql = format!("SELECT {COLUMNS} FROM identity_client WHERE id = $1");
    let row = db.query_opt(&sql, params![id]).await?;
    row.as_ref().map(from_row).transpose()?.ok_or(Error::NotFound { kind: ClientId::KIND })
}

/// One client, locked until the action ends, or `NotFound`.
pub async fn lock(tx: &mut Tx, id: ClientId) -> Result<Client> {
    let sql = format!("SELECT {COLUMNS} FROM identity_client WHERE id = $1 {{for_update}}");
    let row = tx.query_opt(&sql, params![id]).await?;
    row.as_ref().map(from_row).transpose()?.ok_or(Error::NotFound { kind: ClientId::KIND })
}

/// What a list of clients may show and where it continues.
#[derive(Debug, Clone, Default)]
pub struct ClientQuery {
    /// Folded words, all of which must occur in name, wire name or subsystem.
    pub search: String,
    /// Only those not revoked and not expired at this moment.
    pub active_at: Option<Timestamp>,
    /// Continue after this client.
    pub after: Option<ClientId>,
    /// At most this many rows.
    pub limit: u32,
}

/// Clients by name.
pub async fn list(db: &Db, q: &ClientQuery) -> Result<Vec<Client>> {
    let mut p: Vec<Value> = Vec::new();
    let mut conditions = vec!["1 = 1".to_owned()];
    for word in search_words(&q.search) {
        p.push(Value::Text(format!("%{}%", like_escaped(&word))));
        conditions.push(format!("search_key LIKE ${} ESCAPE '!'", p.len()));
    }
    if let Some(at) = q.active_at {
        p.extend(params![at]);
        conditions.push(format!("revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${})", p.len()));
    }
    if let Some(after) = q.after {
        let sql = "SELECT sort_key FROM identity_client WHERE id = $1";
        if let Some(row) = db.query_opt(sql, params![after]).await? {
            p.extend(params![row.text("sort_key")?, after]);
            let (a, b) = (p.len() - 1, p.len());
            conditions.push(format!("(sort_key > ${a} OR (sort_key = ${a} AND id > ${b}))"));
        }
    }
    p.extend(params![q.limit]);
    let sql = format!(
        "SELECT {COLUMNS} FROM identity_client WHERE {} ORDER BY sort_key, id LIMIT ${}",
        conditions.join(" AND "),
        p.len()
    );
    db.query(&sql, p).await?.iter().map(from_row).collect()
}

#[cfg(test)]
mod tests {
    use base::random::SeededRandom;

    use super::*;

    #[test]
    fn secrets_are_long_and_recognisable_and_their_digest_is_the_client_s_own() {
        let secret = new_secret(&SeededRandom::new(3));
        assert!(secret.expose().starts_with("lts_") && secret.expose().len() == 47);
        let keys = Keys::from_bytes([1; 32]);
        let id = |n| ClientId(base::ids::Uuid::from_u128(n));
        assert_ne!(mac(&keys, id(1), secret.expose()), mac(&keys, id(2), secret.expose()));
        assert_ne!(mac(&keys, id(1), "a"), mac(&Keys::from_bytes([2; 32]), id(1), "a"));
    }

    #[test]
    fn wire_names_and_subsystems_are_plain() {
        assert!(wire_name_ok("one-stop-7f3k"));
        for bad in ["", "ab", "One", "a b c", "-abc", "abc-", "a:b", "á bé"] {
            assert!(!wire_name_ok(bad), "{bad}");
        }
        assert!(subsystem_ok("VN/GOV/38-UBND/mot-cua"));
        for bad in ["", "a/b/c", "a/b/c/", "a/b/c/d/e", "a/../c/d", "a/b/c:d/e", "a/b/c d/e", "a/b/%2e/e"] {
            assert!(!subsystem_ok(bad), "{bad}");
        }
    }
}
