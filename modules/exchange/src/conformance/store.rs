//! Runs in their table.

use base::clock::Timestamp;
use kernel::db::{Db, Migration, Row};
use kernel::{Cx, Kernel, Result, Tx, params};

use super::Check;
use crate::ids::{ConformanceId, ServiceId, SubsystemId};

/// The table.
pub const MIGRATION: Migration =
    Migration { name: "0011_conformance", sql: include_str!("../../migrations/0011_conformance.sql") };

/// Runs shown at once.
const SHOWN: i64 = 50;

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The run.
    pub id: ConformanceId,
    /// Whose system.
    pub subsystem: SubsystemId,
    /// The service tested; `None` when the system was tested as a consumer.
    pub service: Option<ServiceId>,
    /// When.
    pub at: Timestamp,
    /// Whether nothing failed.
    pub passed: bool,
    /// The checks in the order in which they were made.
    pub checks: Vec<Check>,
    /// Who pressed.
    pub by: Option<String>,
}

const COLUMNS: &str = "id, subsystem_id, service_id, at, passed, checks, actor_name";

fn row(r: &Row) -> Result<Run> {
    Ok(Run {
        id: r.id("id")?,
        subsystem: r.id("subsystem_id")?,
        service: r.opt_id("service_id")?,
        at: r.time("at")?,
        passed: r.bool("passed")?,
        checks: r.json("checks")?,
        by: r.opt_text("actor_name")?,
    })
}

#[expect(clippy::too_many_arguments, reason = "one row, one argument a column")]
pub(super) async fn add(
    tx: &mut Tx,
    k: &Kernel,
    cx: &Cx,
    id: ConformanceId,
    subsystem: SubsystemId,
    service: Option<ServiceId>,
    passed: bool,
    checks: &[Check],
) -> Result<()> {
    let sql = "INSERT INTO exchange_conformance (id, subsystem_id, service_id, at, passed, checks, actor, actor_name)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let (checks, actor) = (serde_json::to_string(checks)?, cx.actor.to_string());
    tx.execute(sql, params![id, subsystem, service, k.clock.now(), passed, checks, actor, cx.name.clone()])
        .await
        .map(|_| ())
}

/// Runs of a system, newest first.
///
/// # Errors
/// When the database is away.
pub async fn runs(db: &Db, subsystem: SubsystemId) -> Result<Vec<Run>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM exchange_conformance WHERE subsystem_id = $1 ORDER BY at DESC, id DESC LIMIT $2"
    );
    db.query(&sql, params![subsystem, SHOWN]).await?.iter().map(row).collect()
}

/// One run of a system.
///
/// # Errors
/// When the database is away.
pub async fn one(db: &Db, subsystem: SubsystemId, id: ConformanceId) -> Result<Option<Run>> {
    let sql = format!("SELECT {COLUMNS} FROM exchange_conformance WHERE subsystem_id = $1 AND id = $2");
    db.query_opt(&sql, params![subsystem, id]).await?.as_ref().map(row).transpose()
}

/// The newest run of a system as a consumer since a moment, within an action.
///
/// # Errors
/// When the database is away.
pub async fn latest_since(tx: &mut Tx, subsystem: SubsystemId, since: Timestamp) -> Result<Option<Run>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM exchange_conformance WHERE subsystem_id = $1 AND service_id IS NULL AND at >= $2
         ORDER BY at DESC, id DESC LIMIT 1"
    );
    tx.query_opt(&sql, params![subsystem, since]).await?.as_ref().map(row).transpose()
}

/// The newest run of a system as a consumer, or of one of its services.
///
/// # Errors
/// When the database is away.
pub async fn latest(db: &Db, subsystem: SubsystemId, service: Option<ServiceId>) -> Result<Option<Run>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM exchange_conformance WHERE subsystem_id = $1
             AND (service_id = $2 OR ($2 IS NULL AND service_id IS NULL)) ORDER BY at DESC, id DESC LIMIT 1"
    );
    db.query_opt(&sql, params![subsystem, service]).await?.as_ref().map(row).transpose()
}
