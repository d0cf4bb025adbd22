//! Rows in, domain types out; and the few statements that write single rows. Bulk writing is in `import`.

use std::fmt::Display;
use std::str::FromStr;

use base::clock::{Date, Timestamp};
use base::error::{Error, Result};
use base::text;

use super::UnitId;
use super::kind::{Kind, Tree};
use super::model::{
    Act, Certainty, CodeSystem, CodeUse, OPEN, Succession, SuccessionKind, Version, name_fold, search_text,
};
use crate::db::{Row, Value};
use crate::kernel::Tx;
use crate::params;

/// Columns of a version `v`.
pub(super) const VERSION: &str = "v.unit, v.tree, v.valid_from, v.valid_to, v.from_known, v.recorded_at, v.kind, v.name, \
     v.full_name, v.code, v.parent, v.act, v.ended_by, v.certainty, v.source, v.facts";

/// Columns of a succession `s`.
pub(super) const SUCCESSION: &str = "s.predecessor, s.successor, s.on_date, s.kind, s.share, s.transfers, s.act, \
     s.certainty, s.source";

pub(super) fn version(r: &Row) -> Result<Version> {
    let tree = key(r, "tree", Tree::from_key)?;
    Ok(Version {
        unit: r.id("unit")?,
        tree,
        valid_from: r.date("valid_from")?,
        from_known: r.bool("from_known")?,
        valid_to: end(r, "valid_to")?,
        recorded_at: r.time("recorded_at")?,
        kind: key(r, "kind", |k| Kind::from_key(tree, k))?,
        name: r.text("name")?,
        full_name: r.text("full_name")?,
        code: r.opt_text("code")?,
        parent: r.opt_id("parent")?,
        act: r.opt_text("act")?,
        ended_by: r.opt_text("ended_by")?,
        certainty: key(r, "certainty", Certainty::from_key)?,
        source: r.text("source")?,
        details: r.json("facts")?,
    })
}

pub(super) fn versions(rows: &[Row]) -> Result<Vec<Version>> {
    rows.iter().map(version).collect()
}

pub(super) fn succession(r: &Row) -> Result<Succession> {
    Ok(Succession {
        predecessor: r.id("predecessor")?,
        successor: r.id("successor")?,
        kind: key(r, "kind", SuccessionKind::from_key)?,
        on: r.date("on_date")?,
        share: r.opt_int("share")?,
        transfers: r.opt_int("transfers")?.map(|t| t != 0),
        act: r.opt_text("act")?,
        certainty: key(r, "certainty", Certainty::from_key)?,
        source: r.text("source")?,
    })
}

pub(super) fn act(r: &Row) -> Result<Act> {
    Ok(Act {
        number: r.text("number")?,
        issuer: r.text("issuer")?,
        issued_on: r.opt_date("issued_on")?,
        applies_from: r.date("applies_from")?,
        title: r.text("title")?,
    })
}

pub(super) fn code_use(r: &Row) -> Result<CodeUse> {
    Ok(CodeUse {
        unit: r.id("unit")?,
        system: key(r, "system", CodeSystem::from_key)?,
        code: r.text("code")?,
        valid_from: r.date("valid_from")?,
        valid_to: end(r, "valid_to")?,
    })
}

/// The end of a period: open in storage is `None`.
pub(super) fn end(r: &Row, column: &str) -> Result<Option<Date>> {
    Some(r.text(column)?).filter(|d| d != OPEN).map(|d| parse(&d)).transpose()
}

/// The end of a period as stored.
pub(super) fn stored_end(end: Option<Date>) -> String {
    end.map_or_else(|| OPEN.to_owned(), |d| d.to_string())
}

fn key<T>(r: &Row, column: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T> {
    let found = r.text(column)?;
    read(&found).ok_or_else(|| Error::internal(format!("column `{column}` holds `{found}`")))
}

fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T> {
    text.parse().map_err(|e: T::Err| Error::internal(format!("`{text}`: {e}")))
}

/// The columns of [`version_values`], in order.
pub(super) const VERSION_INSERT: &str = "unit, tree, valid_from, valid_to, from_known, recorded_at, kind, rank, name, \
     full_name, sort_key, name_fold, fold, code, parent, act, ended_by, certainty, source, facts";

/// What is stored of a version.
pub(super) fn version_values(v: &Version) -> Result<Vec<Value>> {
    let mut names = vec![v.full_name.as_str()];
    names.extend(v.details.spellings.iter().map(String::as_str));
    Ok(params![
        v.unit,
        v.tree.key(),
        v.valid_from,
        stored_end(v.valid_to),
        v.from_known,
        v.recorded_at,
        v.kind.key(),
        v.kind.rank(),
        &v.name,
        &v.full_name,
        text::sort_key(&v.name),
        name_fold(&v.name),
        search_text(&names),
        v.code.clone(),
        v.parent,
        v.act.clone(),
        v.ended_by.clone(),
        v.certainty.key(),
        &v.source,
        serde_json::to_value(&v.details)?,
    ])
}

/// `($1, $2), ($3, $4)` for `rows` rows of `width` columns.
pub(super) fn placeholders(rows: usize, width: usize) -> String {
    let mut out = String::with_capacity(rows * width * 5);
    for row in 0..rows {
        out.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=width {
            if column > 1 {
                out.push_str(", ");
            }
            out.push('$');
            out.push_str(&(row * width + column).to_string());
        }
        out.push(')');
    }
    out
}

pub(super) async fn add_unit(tx: &mut Tx, unit: UnitId, tree: Tree, at: Timestamp) -> Result<()> {
    let sql = "INSERT INTO orgs_unit (id, tree, natural_key, created_at) VALUES ($1, $2, NULL, $3)";
    tx.execute(sql, params![unit, tree.key(), at]).await?;
    Ok(())
}

pub(super) async fn add_version(tx: &mut Tx, v: &Version) -> Result<()> {
    let values = version_values(v)?;
    let sql = format!("INSERT INTO orgs_version ({VERSION_INSERT}) VALUES {}", placeholders(1, values.len()));
    tx.execute(&sql, values).await?;
    Ok(())
}

/// Ends the version that is open, on a day.
pub(super) async fn end_version(tx: &mut Tx, v: &Version, on: Date, by: Option<&str>) -> Result<()> {
    let sql = "UPDATE orgs_version SET valid_to = $4, ended_by = $5
               WHERE unit = $1 AND valid_from = $2 AND recorded_at = $3";
    let by = by.map(str::to_owned);
    let done = tx.execute(sql, params![v.unit, v.valid_from, v.recorded_at, on, by]).await?;
    if done == 1 { Ok(()) } else { Err(Error::Conflict) }
}

pub(super) async fn add_succession(tx: &mut Tx, s: &Succession, at: Timestamp) -> Result<()> {
    let sql = "INSERT INTO orgs_succession
                   (predecessor, successor, on_date, kind, share, transfers, act, certainty, source, recorded_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let p = params![
        s.predecessor,
        s.successor,
        s.on,
        s.kind.key(),
        s.share,
        s.transfers,
        s.act.clone(),
        s.certainty.key(),
        &s.source,
        at
    ];
    tx.execute(sql, p).await?;
    Ok(())
}
