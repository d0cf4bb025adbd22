//! Facts: what became true, appended in the transaction that made it true. Facts carry identifiers, not
//! people's details. Delivery to listeners is the work of `listeners`.

use base::clock::Timestamp;
use base::error::Result;
use base::ids::Ref;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::db::{Db, Row, Transaction};
use crate::ordered::Ordered;
use crate::params;

pub(crate) const ORDER: Ordered = Ordered { table: "kernel_journal" };

/// A fact a module publishes. A public promise: plain data, versioned, described in the module's README.
pub trait Fact: Serialize {
    /// Stable, `module.thing.happened`.
    const KIND: &'static str;
    /// Raised when the shape changes incompatibly.
    const VERSION: u16 = 1;
    /// What the fact is about; facts of one subject are heard in order.
    fn subject(&self) -> Ref;
}

/// A recorded fact.
#[derive(Debug, Clone)]
pub struct Event {
    /// Place in commit order, from 1; 0 while it is not known yet.
    pub position: i64,
    /// When it was recorded.
    pub at: Timestamp,
    /// The fact's kind.
    pub kind: String,
    /// The fact's version.
    pub version: u16,
    /// What it is about.
    pub subject: Ref,
    /// The one who acted, as text.
    pub actor: String,
    /// The fact itself.
    pub body: serde_json::Value,
}

impl Event {
    /// The fact as its type.
    pub fn fact<F: DeserializeOwned>(&self) -> Result<F> {
        Ok(serde_json::from_value(self.body.clone())?)
    }

    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            position: r.int("position")?,
            at: r.time("at")?,
            kind: r.text("kind")?,
            version: u16::try_from(r.int("version")?).unwrap_or(u16::MAX),
            subject: Ref::new(r.text("subject_kind")?, r.text("subject_id")?),
            actor: r.text("actor")?,
            body: r.json("body")?,
        })
    }
}

pub(crate) async fn append<F: Fact>(
    tx: &mut Transaction,
    fact: &F,
    actor: &str,
    at: Timestamp,
) -> Result<i64> {
    let subject = fact.subject();
    let sql = format!(
        "INSERT INTO kernel_journal (position, xid, at, kind, version, subject_kind, subject_id, actor, body)
         VALUES ({}, $1, $2, $3, $4, $5, $6, $7) RETURNING seq",
        ORDER.values(tx.backend())
    );
    let body = serde_json::to_value(fact)?;
    let version = i64::from(F::VERSION);
    let rows = tx.query(&sql, params![at, F::KIND, version, subject.kind, subject.id, actor, body]).await?;
    rows.first().map_or(Ok(0), |r| r.int("seq"))
}

/// Facts after a position, in commit order, at most `limit`.
pub async fn read(db: &Db, after: i64, limit: u32) -> Result<Vec<Event>> {
    let sql = "SELECT position, at, kind, version, subject_kind, subject_id, actor, body FROM kernel_journal
               WHERE position > $1 ORDER BY position LIMIT $2";
    db.query(sql, params![after, limit]).await?.iter().map(Event::from_row).collect()
}

/// Facts about one thing, oldest first: the page's timeline.
pub async fn about(db: &Db, subject: &Ref, limit: u32) -> Result<Vec<Event>> {
    ORDER.assign(db).await?;
    // A fact just committed may have no position yet; a page must show it all the same.
    let sql =
        "SELECT COALESCE(position, 0) AS position, at, kind, version, subject_kind, subject_id, actor, body
               FROM kernel_journal WHERE subject_kind = $1 AND subject_id = $2 ORDER BY seq LIMIT $3";
    let rows = db.query(sql, params![&subject.kind, &subject.id, limit]).await?;
    rows.iter().map(Event::from_row).collect()
}

/// The last position given out; 0 while the journal is empty.
pub async fn end(db: &Db) -> Result<i64> {
    ORDER.assign(db).await?;
    db.query_one("SELECT COALESCE(MAX(position), 0) AS p FROM kernel_journal", vec![]).await?.int("p")
}
