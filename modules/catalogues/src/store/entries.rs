//! Entries of versions.

use std::collections::{HashMap, HashSet};

use base::clock::Date;
use base::text;
use kernel::db::{Row, Value};
use kernel::orgs::Ask;
use kernel::{Result, Tx, params};
use serde_json::{Map, Value as Json};

use super::{BATCH, end, marks, matching, read_end};
use crate::entry::{Entry, UNORDERED};
use crate::ids::VersionId;

const COLUMNS: &str = "code, name_vi, name_en, parent, position, attributes, valid_from, valid_to";
/// Written where there is no first day of its own.
const ALWAYS: &str = "0001-01-01";

fn entry(row: &Row) -> Result<Entry> {
    let from = row.text("valid_from")?;
    let attributes: Map<String, Json> = row.json("attributes")?;
    Ok(Entry {
        code: row.text("code")?,
        name_vi: row.text("name_vi")?,
        name_en: row.text("name_en")?,
        parent: row.text("parent")?,
        order: Some(row.int("position")?).filter(|n| *n != UNORDERED),
        attributes,
        from: if from == ALWAYS { None } else { Some(row.date("valid_from")?) },
        to: read_end(row, "valid_to")?,
    })
}

/// Which entries of a version.
#[derive(Debug, Clone, Default)]
pub struct EntryFilter {
    /// Only those valid on this day.
    pub on: Option<Date>,
    /// Words in code or names.
    pub search: String,
    /// Only those directly below this code; empty means those at the top.
    pub parent: Option<String>,
    /// Code of the last row before.
    pub after: Option<String>,
    /// Most rows.
    pub limit: u32,
}

/// Entries of a version, in their order.
///
/// # Errors
/// When the database is away.
pub async fn list(mut q: impl Ask, version: VersionId, f: &EntryFilter) -> Result<Vec<Entry>> {
    let mut p = params![version, f.limit];
    let mut wanted = vec![matching(&f.search, "search_key", &mut p)];
    if let Some(on) = f.on {
        p.push(Value::from(on));
        wanted.push(format!("valid_from <= ${0} AND valid_to >= ${0}", p.len()));
    }
    if let Some(parent) = &f.parent {
        p.push(Value::from(parent));
        wanted.push(format!("parent = ${}", p.len()));
    }
    if let Some(after) = &f.after {
        p.push(Value::from(after));
        wanted.push(format!(
            "(position, sort_key, code) > (SELECT a.position, a.sort_key, a.code FROM catalogues_entry a
              WHERE a.version_id = $1 AND a.code = ${})",
            p.len()
        ));
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM catalogues_entry WHERE version_id = $1 AND {}
         ORDER BY position, sort_key, code LIMIT $2",
        wanted.join(" AND ")
    );
    q.ask(&sql, p).await?.iter().map(entry).collect()
}

/// All entries of a version, in their order.
///
/// # Errors
/// When the database is away.
pub async fn all(mut q: impl Ask, version: VersionId) -> Result<Vec<Entry>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM catalogues_entry WHERE version_id = $1 ORDER BY position, sort_key, code"
    );
    q.ask(&sql, params![version]).await?.iter().map(entry).collect()
}

/// Codes of a version that are valid on a day.
///
/// # Errors
/// When the database is away.
pub async fn codes(mut q: impl Ask, version: VersionId, on: Date) -> Result<HashSet<String>> {
    let sql =
        "SELECT code FROM catalogues_entry WHERE version_id = $1 AND valid_from <= $2 AND valid_to >= $2";
    q.ask(sql, params![version, on]).await?.iter().map(|r| r.text("code")).collect()
}

/// Entries of a version by their codes, those that are valid on a day.
///
/// # Errors
/// When the database is away.
pub async fn by_codes(
    mut q: impl Ask,
    version: VersionId,
    on: Date,
    codes: &[String],
) -> Result<HashMap<String, Entry>> {
    let mut found = HashMap::new();
    for some in codes.chunks(BATCH) {
        let mut p = params![version, on];
        p.extend(some.iter().map(Value::from));
        let sql = format!(
            "SELECT {COLUMNS} FROM catalogues_entry
             WHERE version_id = $1 AND valid_from <= $2 AND valid_to >= $2 AND code IN ({})",
            marks(3, some.len())
        );
        for row in q.ask(&sql, p).await? {
            let e = entry(&row)?;
            found.insert(e.code.clone(), e);
        }
    }
    Ok(found)
}

/// Writes the entries of a draft, in place of those there.
///
/// # Errors
/// When the database is away.
pub async fn replace(tx: &mut Tx, version: VersionId, rows: &[Entry]) -> Result<()> {
    const WIDTH: usize = 11;
    tx.execute("DELETE FROM catalogues_entry WHERE version_id = $1", params![version]).await?;
    for some in rows.chunks(BATCH) {
        let mut p = Vec::with_capacity(some.len() * WIDTH);
        let mut tuples = Vec::with_capacity(some.len());
        for e in some {
            tuples.push(format!("({})", marks(p.len() + 1, WIDTH)));
            let from = e.from.map_or_else(|| Value::from(ALWAYS), Value::from);
            let search = text::fold(&format!("{} {} {}", e.code, e.name_vi, e.name_en));
            p.extend(params![
                version,
                &e.code,
                &e.name_vi,
                &e.name_en,
                &e.parent,
                e.order.unwrap_or(UNORDERED),
                Json::Object(e.attributes.clone()),
                from,
                end(e.to),
                text::sort_key(&e.name_vi),
                search,
            ]);
        }
        let sql = format!(
            "INSERT INTO catalogues_entry (version_id, {COLUMNS}, sort_key, search_key) VALUES {}",
            tuples.join(", ")
        );
        tx.execute(&sql, p).await?;
    }
    Ok(())
}
