//! Versions of catalogues and mappings.

use base::clock::Date;
use kernel::db::Row;
use kernel::orgs::Ask;
use kernel::{Error, Result, Tx, params};

use super::{end, read_end};
use crate::ids::{CatalogueId, VersionId};
use crate::version::{Cut, Outline, Period, Version};

const COLUMNS: &str =
    "id, catalogue_id, number, state, valid_from, valid_to, last_day, act, note, row_count, revision,
    created_at, published_at, superseded_by";

fn version(row: &Row) -> Result<Version> {
    let period = Period { from: row.date("valid_from")?, to: read_end(row, "valid_to")? };
    Ok(Version {
        id: row.id("id")?,
        catalogue: row.id("catalogue_id")?,
        number: row.int("number")?,
        state: row.id("state")?,
        outline: Outline { period, act: row.text("act")?, note: row.text("note")? },
        last_day: read_end(row, "last_day")?,
        rows: row.int("row_count")?,
        revision: row.int("revision")?,
        created_at: row.time("created_at")?,
        published_at: row.opt_time("published_at")?,
        superseded_by: row.opt_int("superseded_by")?,
    })
}

/// All versions, newest first.
///
/// # Errors
/// When the database is away.
pub async fn of(mut q: impl Ask, catalogue: CatalogueId) -> Result<Vec<Version>> {
    let sql =
        format!("SELECT {COLUMNS} FROM catalogues_version WHERE catalogue_id = $1 ORDER BY number DESC");
    q.ask(&sql, params![catalogue]).await?.iter().map(version).collect()
}

/// One version by its number.
///
/// # Errors
/// `NotFound`.
pub async fn numbered(mut q: impl Ask, catalogue: CatalogueId, number: i64) -> Result<Version> {
    let sql = format!("SELECT {COLUMNS} FROM catalogues_version WHERE catalogue_id = $1 AND number = $2");
    let found = q.ask(&sql, params![catalogue, number]).await?.first().map(version).transpose()?;
    found.ok_or(Error::NotFound { kind: VersionId::KIND })
}

/// The version that answers on a day.
///
/// # Errors
/// When the database is away.
pub async fn at(mut q: impl Ask, catalogue: CatalogueId, on: Date) -> Result<Option<Version>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM catalogues_version
         WHERE catalogue_id = $1 AND state <> 'draft' AND valid_from <= $2 AND last_day >= $2"
    );
    q.ask(&sql, params![catalogue, on]).await?.first().map(version).transpose()
}

/// Adds a version.
///
/// # Errors
/// When the database is away.
pub async fn insert(tx: &mut Tx, v: &Version) -> Result<()> {
    let sql = "INSERT INTO catalogues_version (id, catalogue_id, number, state, valid_from, valid_to, last_day, act,
                   note, row_count, revision, created_at, published_at, superseded_by)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let o = &v.outline;
    let p = params![
        v.id,
        v.catalogue,
        v.number,
        v.state.as_str(),
        o.period.from,
        end(o.period.to),
        end(v.last_day),
        &o.act,
        &o.note,
        v.rows,
        v.revision,
        v.created_at,
        v.published_at,
        v.superseded_by,
    ];
    tx.execute(sql, p).await?;
    Ok(())
}

/// Saves a version that is or was a draft.
///
/// # Errors
/// When the database is away.
pub async fn save(tx: &mut Tx, v: &Version) -> Result<()> {
    let sql = "UPDATE catalogues_version SET state = $2, row_count = $3, revision = $4, published_at = $5 WHERE id = $1";
    tx.execute(sql, params![v.id, v.state.as_str(), v.rows, v.revision, v.published_at]).await?;
    Ok(())
}

/// Records what a publication left of an older version; its content and its own period stay as published.
///
/// # Errors
/// When the database is away.
pub async fn cut(tx: &mut Tx, cut: &Cut, by: &Version) -> Result<()> {
    let before = by.from().plus_days(-1).ok_or_else(|| Error::internal("a day without a day before"))?;
    let sql =
        "UPDATE catalogues_version SET state = 'superseded', last_day = $2, superseded_by = $3 WHERE id = $1";
    tx.execute(sql, params![cut.version, cut.last_day.unwrap_or(before), by.number]).await?;
    Ok(())
}

/// Takes a draft away.
///
/// # Errors
/// When the database is away.
pub async fn delete(tx: &mut Tx, id: VersionId) -> Result<()> {
    for table in ["catalogues_entry", "catalogues_pair"] {
        tx.execute(&format!("DELETE FROM {table} WHERE version_id = $1"), params![id]).await?;
    }
    tx.execute("DELETE FROM catalogues_version WHERE id = $1 AND state = 'draft'", params![id]).await?;
    Ok(())
}
