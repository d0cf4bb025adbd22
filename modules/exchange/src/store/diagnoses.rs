//! Examinations that were made, newest first; of each service only the last.

use base::clock::Timestamp;
use kernel::db::{Db, Migration, Row};
use kernel::{Error, Result, Tx, params};

use crate::diagnose::Report;
use crate::ids::{DiagnosisId, ServiceId};

/// Their table.
pub const DIAGNOSES: Migration =
    Migration { name: "0013_diagnoses", sql: include_str!("../../migrations/0013_diagnoses.sql") };

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiagnosisRow {
    /// Which.
    pub id: DiagnosisId,
    /// When it began.
    pub at: Timestamp,
    /// Everything it saw.
    pub report: Report,
}

/// Adds one and forgets all but the last `keep` of the service.
///
/// # Errors
/// When the database is away.
pub async fn add(tx: &mut Tx, id: DiagnosisId, service: ServiceId, report: &Report, keep: u32) -> Result<()> {
    let (fault, side) = match &report.fault {
        Some(fault) => (Some(fault.name()), Some(fault.side().name())),
        None => (None, None),
    };
    let json = serde_json::to_value(report)?;
    let sql = "INSERT INTO exchange_diagnosis (id, service_id, address, began_at, took, fault, side, report)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    tx.execute(sql, params![id, service, &report.address, report.at, report.took(), fault, side, json])
        .await?;
    let sql = "DELETE FROM exchange_diagnosis WHERE service_id = $1 AND id NOT IN (
                 SELECT id FROM exchange_diagnosis WHERE service_id = $1
                 ORDER BY began_at DESC, id DESC LIMIT $2)";
    tx.execute(sql, params![service, keep]).await?;
    Ok(())
}

fn read(row: &Row) -> Result<DiagnosisRow> {
    let report = serde_json::from_str(&row.text("report")?).map_err(Error::internal)?;
    Ok(DiagnosisRow { id: row.id("id")?, at: row.time("began_at")?, report })
}

/// Those of a service, the newest first.
///
/// # Errors
/// When the database is away.
pub async fn of_service(db: &Db, service: ServiceId, limit: u32) -> Result<Vec<DiagnosisRow>> {
    let sql = "SELECT id, began_at, report FROM exchange_diagnosis WHERE service_id = $1
               ORDER BY began_at DESC, id DESC LIMIT $2";
    db.query(sql, params![service, limit]).await?.iter().map(read).collect()
}
