//! The rota.

use base::clock::Timestamp;
use base::error::Result;
use kernel::db::{Db, Row};
use kernel::{Tx, params};

use crate::duty::{Shift, ShiftId};

/// Periods read at once: many times what two weeks have.
const MOST: u32 = 500;

fn from_row(r: &Row) -> Result<Shift> {
    Ok(Shift {
        id: r.id("id")?,
        begins: r.time("begins")?,
        ends: r.time("ends")?,
        first: r.id("first")?,
        second: r.opt_id("second")?,
    })
}

const BETWEEN: &str = "SELECT id, begins, ends, first, second FROM notices_shift
    WHERE ends > $1 AND begins < $2 ORDER BY begins, id LIMIT $3";

/// The periods that touch the time between two moments, in the order of their beginnings.
pub(crate) async fn between(db: &Db, from: Timestamp, until: Timestamp) -> Result<Vec<Shift>> {
    db.query(BETWEEN, params![from, until, MOST]).await?.iter().map(from_row).collect()
}

/// As [`between`], within an action.
pub(crate) async fn between_now(tx: &mut Tx, from: Timestamp, until: Timestamp) -> Result<Vec<Shift>> {
    tx.query(BETWEEN, params![from, until, MOST]).await?.iter().map(from_row).collect()
}

/// The period that holds at a moment.
pub(crate) async fn at(db: &Db, now: Timestamp) -> Result<Option<Shift>> {
    let all = between(db, now, Timestamp::from_micros(now.micros().saturating_add(1))).await?;
    Ok(all.into_iter().find(|s| s.holds(now)))
}

/// Whether the rota is used at all.
pub(crate) async fn is_kept(db: &Db) -> Result<bool> {
    Ok(db.query_opt("SELECT id FROM notices_shift LIMIT 1", vec![]).await?.is_some())
}

/// Adds a period.
pub(crate) async fn insert(tx: &mut Tx, s: &Shift) -> Result<()> {
    let sql = "INSERT INTO notices_shift (id, begins, ends, first, second) VALUES ($1, $2, $3, $4, $5)";
    tx.execute(sql, params![s.id, s.begins, s.ends, s.first, s.second]).await?;
    Ok(())
}

/// Takes a period away. `false` when there is none.
pub(crate) async fn remove(tx: &mut Tx, id: ShiftId) -> Result<bool> {
    Ok(tx.execute("DELETE FROM notices_shift WHERE id = $1", params![id]).await? == 1)
}
