//! One-time links: the first operator's, and the one by which a new official sets a password. Only a digest is
//! kept; a link serves once, and a newer one of the same purpose withdraws it.

use std::time::Duration;

use aws_lc_rs::digest;
use base::clock::Timestamp;
use base::error::Result;
use base::random;

use super::secret::Secret;
use crate::cx::{Cx, PersonId};
use crate::db::{Db, Row};
use crate::kernel::{Kernel, Tx};
use crate::params;

base::id_type!(
    /// A one-time link.
    LinkId, "link");
crate::id_value!(LinkId);

/// How long a link may wait.
pub const LIFE: Duration = Duration::from_secs(24 * 3_600);

/// Links that are over are kept this long for the auditor to see.
const KEPT: Duration = Duration::from_secs(90 * 86_400);

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Makes the first operator; worthless once there is one.
    FirstOperator,
    /// Makes an operator although there is one: asked for at the machine itself, when nobody can sign in.
    Recovery,
    /// Lets a person set a password.
    SetPassword(PersonId),
}

impl Purpose {
    const fn code(self) -> &'static str {
        match self {
            Self::FirstOperator => "first-operator",
            Self::Recovery => "recovery",
            Self::SetPassword(_) => "set-password",
        }
    }

    const fn person(self) -> Option<PersonId> {
        match self {
            Self::SetPassword(person) => Some(person),
            _ => None,
        }
    }

    fn from_row(r: &Row) -> Result<Option<Self>> {
        Ok(match (r.text("purpose")?.as_str(), r.opt_id("person")?) {
            ("first-operator", _) => Some(Self::FirstOperator),
            ("recovery", _) => Some(Self::Recovery),
            ("set-password", Some(person)) => Some(Self::SetPassword(person)),
            _ => None,
        })
    }
}

/// A link that can still be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Its identifier.
    pub id: LinkId,
    /// What it is for.
    pub purpose: Purpose,
    /// Until when.
    pub expires_at: Timestamp,
}

fn hash(token: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, token.as_bytes()).as_ref().to_vec()
}

/// Makes a link and returns its secret, shown once. Earlier ones of the same purpose are withdrawn.
pub async fn make(tx: &mut Tx, k: &Kernel, purpose: Purpose) -> Result<(LinkId, Secret)> {
    let now = k.clock.now();
    withdraw(tx, purpose, now).await?;
    let (id, token) = (LinkId::new(&*k.clock, &*k.random), Secret::new(random::token(&*k.random, 32)));
    let sql = "INSERT INTO identity_link (id, token_hash, purpose, person, created_at, expires_at)
               VALUES ($1, $2, $3, $4, $5, $6)";
    let expires = now.plus(LIFE);
    let p = params![id, hash(token.expose()), purpose.code(), purpose.person(), now, expires];
    tx.execute(sql, p).await?;
    Ok((id, token))
}

/// Makes waiting links of this purpose worthless.
pub async fn withdraw(tx: &mut Tx, purpose: Purpose, at: Timestamp) -> Result<()> {
    let sql = "UPDATE identity_link SET withdrawn_at = $3
               WHERE purpose = $1 AND COALESCE(person, '') = $2 AND used_at IS NULL AND withdrawn_at IS NULL";
    let person = purpose.person().map_or_else(String::new, |p| p.to_string());
    tx.execute(sql, params![purpose.code(), person, at]).await.map(|_| ())
}

const USABLE: &str = "token_hash = $1 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $2";

/// The link with this secret, if it can still be used. Looking does not use it: mail scanners open links.
pub async fn look(db: &Db, token: &str, now: Timestamp) -> Result<Option<Link>> {
    if token.len() > 128 {
        return Ok(None);
    }
    let sql = format!("SELECT id, purpose, person, expires_at FROM identity_link WHERE {USABLE}");
    let Some(row) = db.query_opt(&sql, params![hash(token), now]).await? else { return Ok(None) };
    let Some(purpose) = Purpose::from_row(&row)? else { return Ok(None) };
    Ok(Some(Link { id: row.id("id")?, purpose, expires_at: row.time("expires_at")? }))
}

/// Uses the link. `false` when somebody was faster, or it is over: then nothing may be done with it.
pub async fn redeem(tx: &mut Tx, token: &str, now: Timestamp) -> Result<bool> {
    let sql = format!("UPDATE identity_link SET used_at = $2 WHERE {USABLE}");
    Ok(tx.execute(&sql, params![hash(token), now]).await? == 1)
}

/// Deletes links that were over long ago.
pub async fn prune(k: &Kernel) -> Result<u64> {
    let now = k.clock.now();
    let mut tx = k.begin(&Cx::kernel("links", now)).await?;
    let gone =
        tx.execute("DELETE FROM identity_link WHERE expires_at < $1", params![now.minus(KEPT)]).await?;
    tx.commit().await?;
    Ok(gone)
}

/// When the waiting set-password link of a person ends, if there is one.
pub async fn waiting_for(db: &Db, person: PersonId, now: Timestamp) -> Result<Option<Timestamp>> {
    let sql = "SELECT MAX(expires_at) AS until FROM identity_link
               WHERE person = $1 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $2";
    db.query_one(sql, params![person, now]).await?.opt_time("until")
}
