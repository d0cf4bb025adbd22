//! Requests sent more than once under one `Idempotency-Key`: the effect happens once, the same key with
//! another request is refused. Keys are remembered for a day.

use std::time::Duration;

use base::error::Refusal;
use base::i18n::Text;
use kernel::{Result, Tx, params};

use crate::t;

/// How long a key is remembered.
pub const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// Longest key accepted, in characters.
pub const MAX_KEY: usize = 128;

/// A request that carries an `Idempotency-Key`.
#[derive(Debug, Clone)]
pub struct Once {
    /// The key as sent.
    pub key: String,
    /// SHA-256 over method, path and body.
    pub request: [u8; 32],
}

/// Claims a key within an action. `Some(subject)` when the same request was done before: then nothing may be
/// done again.
///
/// # Errors
/// A refusal when the key was used for another request.
pub async fn claim(tx: &mut Tx, once: &Once, subject: &str) -> Result<Option<String>> {
    let (actor, now) = (tx.cx().actor.to_string(), tx.cx().at);
    tx.execute("DELETE FROM exchange_once WHERE at < $1", params![now.minus(REMEMBERED)]).await?;
    let sql = "INSERT INTO exchange_once (actor, idempotency_key, request_sha256, subject, at)
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (actor, idempotency_key) DO NOTHING";
    if tx.execute(sql, params![&actor, &once.key, once.request, subject, now]).await? == 1 {
        return Ok(None);
    }
    let sql = "SELECT request_sha256, subject FROM exchange_once WHERE actor = $1 AND idempotency_key = $2";
    let before = tx.query_opt(sql, params![&actor, &once.key]).await?;
    match before {
        Some(row) if row.blob("request_sha256")? == once.request => Ok(Some(row.text("subject")?)),
        _ => Err(Refusal::new("idempotency-key-reused", Text::both(t::idempotency_key_reused)).into()),
    }
}
