//! Requests sent more than once under one `Idempotency-Key`: the effect happens once, the same key with another
//! request is refused. Keys are remembered for a day, each for who sent it.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base::error::{Error, Refusal, Result};
use base::i18n::Text;

use crate::cx::Cx;
use crate::db::{Db, Migration, Row};
use crate::kernel::Tx;
use crate::params;

/// How long a key is remembered.
pub const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// Longest key accepted, in bytes.
pub const MAX_KEY: usize = 128;

/// The header that carries the key.
pub const HEADER: &str = "idempotency-key";

/// The table.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_once",
    sql: "
CREATE TABLE kernel_once (
    actor TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_sha256 BLOB NOT NULL,
    subject TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (actor, idempotency_key)
) STRICT;
CREATE INDEX kernel_once_at ON kernel_once (at);
",
}];

/// A request that carries an `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// The key as sent.
    pub key: String,
    /// SHA-256 over what the request asks for.
    pub request: [u8; 32],
}

impl Once {
    /// From the header's value and what the request asks for: verb, thing, body.
    ///
    /// # Errors
    /// `Invalid` for an empty key or one longer than [`MAX_KEY`].
    pub fn new(key: &str, asked: &str) -> Result<Self> {
        let key = key.trim();
        if key.is_empty() || key.len() > MAX_KEY {
            let text = Text {
                vi: format!("Khóa Idempotency-Key dài từ 1 đến {MAX_KEY} ký tự."),
                en: format!("An Idempotency-Key has 1 to {MAX_KEY} characters."),
            };
            return Err(Error::field("Idempotency-Key", text));
        }
        let mut request = [0; 32];
        request.copy_from_slice(digest(&SHA256, asked.as_bytes()).as_ref());
        Ok(Self { key: key.to_owned(), request })
    }

    /// What this request was done to before, by the row that remembers it.
    fn subject(&self, before: Option<Row>) -> Result<Option<String>> {
        match before {
            None => Ok(None),
            Some(row) if row.blob("request_sha256")? == self.request => Ok(Some(row.text("subject")?)),
            Some(_) => Err(reused()),
        }
    }
}

const BEFORE: &str =
    "SELECT request_sha256, subject FROM kernel_once WHERE actor = $1 AND idempotency_key = $2";

/// The subject of the same request done before: asked first, so that a repetition is not measured by rules that its
/// own effect has changed. [`claim`] decides.
///
/// # Errors
/// A refusal when the key was used for another request.
pub async fn before(db: &Db, cx: &Cx, once: &Once) -> Result<Option<String>> {
    let sql = format!("{BEFORE} AND at >= $3");
    let found = db.query_opt(&sql, params![cx.actor.to_string(), &once.key, cx.at.minus(REMEMBERED)]).await?;
    once.subject(found)
}

/// Claims a key within an action. `Some(subject)` when the same request was done before: then nothing may be
/// done again.
///
/// # Errors
/// A refusal when the key was used for another request.
pub async fn claim(tx: &mut Tx, once: &Once, subject: &str) -> Result<Option<String>> {
    let (actor, now) = (tx.cx().actor.to_string(), tx.cx().at);
    tx.execute("DELETE FROM kernel_once WHERE at < $1", params![now.minus(REMEMBERED)]).await?;
    let sql = "INSERT INTO kernel_once (actor, idempotency_key, request_sha256, subject, at)
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (actor, idempotency_key) DO NOTHING";
    if tx.execute(sql, params![&actor, &once.key, once.request, subject, now]).await? == 1 {
        return Ok(None);
    }
    let found = tx.query_opt(BEFORE, params![&actor, &once.key]).await?;
    once.subject(found)?.map_or_else(|| Err(reused()), |subject| Ok(Some(subject)))
}

fn reused() -> Error {
    let text = Text {
        vi: "Khóa Idempotency-Key này đã dùng cho một yêu cầu khác.".to_owned(),
        en: "This Idempotency-Key was used for another request.".to_owned(),
    };
    Refusal::new("idempotency-key-reused", text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_a_length_and_requests_a_digest() {
        assert!(Once::new(" ", "x").is_err() && Once::new(&"k".repeat(129), "x").is_err());
        let one = Once::new(" k ", "POST /a {}").unwrap();
        assert_eq!(one.key, "k");
        assert_eq!(one, Once::new("k", "POST /a {}").unwrap());
        assert_ne!(one, Once::new("k", "POST /b {}").unwrap());
    }
}
