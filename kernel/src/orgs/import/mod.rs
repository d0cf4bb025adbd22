//! Takes a whole history of territories in one action: new units, versions and successions are added, corrected
//! versions replace what was believed, nothing is duplicated, and the difference is told.

mod plan;
mod stored;

use adminunits::{Finding, History, Report};
use base::clock::Timestamp;
use base::error::{Error, Result};
use base::i18n::Lang;
use base::ids::uuid_v7;
use serde::{Deserialize, Serialize};

use super::facts::UnitsImported;
use super::store::{VERSION_INSERT, placeholders};
use crate::cx::{Cx, Scope};
use crate::db::Value;
use crate::kernel::{Kernel, Tx};
use crate::params;
use base::ids::Ref;

pub use plan::{Difference, Outcome};

/// Rows per statement. SQLite finds each named parameter by walking all of them, so that larger statements cost the
/// square of their size; smaller ones cost more round trips.
const ROWS: usize = 16;
/// How many refused rows are kept for reading later.
const KEPT: usize = 1_000;
/// How often an import that collided with another begins again.
const TRIES: u32 = 5;
const GENERATION: &str = "orgs.territory.generation";

/// What is kept of an import: counts of rows, refused rows with their reasons, findings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Rows read.
    pub rows: usize,
    /// Rows accepted.
    pub accepted: usize,
    /// Rows refused.
    pub refused: usize,
    /// Rows repaired.
    pub repaired: usize,
    /// Per list: name, rows, accepted.
    pub lists: Vec<(String, usize, usize)>,
    /// Refused rows: list, line, reason in Vietnamese and in English, beginning of the row; at most 1,000.
    pub refusals: Vec<Refusal>,
    /// Gaps and contradictions, in Vietnamese and in English.
    pub findings: Vec<(String, String)>,
}

/// One refused row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The list.
    pub list: String,
    /// The line; 1 is the header, which stands for the whole list.
    pub line: usize,
    /// Why, Vietnamese.
    pub vi: String,
    /// Why, English.
    pub en: String,
    /// The beginning of the row.
    pub text: String,
}

impl Refusal {
    /// Why, in a language.
    pub fn reason(&self, lang: Lang) -> &str {
        match lang {
            Lang::Vi => &self.vi,
            Lang::En => &self.en,
        }
    }
}

impl Reading {
    /// What is kept of a report and the findings of the history built from it.
    pub fn of(report: &Report, findings: &[Finding]) -> Self {
        let lists = report.lists.iter().map(|l| (l.list.clone(), l.rows, l.accepted)).collect();
        let rows = report.lists.iter().flat_map(|l| {
            let whole = l.fault.iter().map(|reason| (1, reason, ""));
            let rows = l.refused.iter().map(|r| (r.line, &r.reason, r.text.as_str()));
            whole.chain(rows).map(|(line, reason, text)| Refusal {
                list: l.list.clone(),
                line,
                vi: reason.vi(),
                en: reason.en(),
                text: text.to_owned(),
            })
        });
        Self {
            rows: report.rows(),
            accepted: report.accepted(),
            refused: report.refused(),
            repaired: report.notes(),
            lists,
            refusals: rows.take(KEPT).collect(),
            findings: findings.iter().take(KEPT).map(|f| (f.vi(), f.en())).collect(),
        }
    }
}

/// An import as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// When.
    pub at: Timestamp,
    /// By whom, as text.
    pub actor: String,
    /// What changed.
    pub outcome: Outcome,
    /// What was read.
    pub reading: Reading,
}

/// What the import would change, without changing anything.
pub async fn preview(k: &Kernel, history: &History) -> Result<Outcome> {
    let stored = stored::read(&k.db).await?;
    Ok(plan::plan(k, history, &stored)?.outcome)
}

/// Imports a history. Importing the same again changes nothing.
///
/// # Errors
/// [`Error::Denied`] without [`super::permissions::IMPORT`]; [`Error::Conflict`] when imports collide again and again.
pub async fn import(k: &Kernel, cx: &Cx, history: &History, reading: &Reading) -> Result<Outcome> {
    cx.may(super::permissions::IMPORT, &Scope::province())?;
    for _ in 0..TRIES {
        let generation = k.setting(GENERATION).await?;
        let stored = stored::read(&k.db).await?;
        let plan = plan::plan(k, history, &stored)?;
        drop(stored);
        match write(k, cx, plan, reading, generation.as_deref()).await {
            // Another import came first, or PostgreSQL asks for it: look again at what is stored.
            Err(Error::Conflict | Error::Unavailable { what: "database", .. }) => {}
            other => return other,
        }
    }
    Err(Error::Conflict)
}

/// The last import, if there was one.
pub async fn last(k: &Kernel) -> Result<Option<Recorded>> {
    let sql = "SELECT at, actor, outcome, report FROM orgs_import ORDER BY at DESC, id DESC LIMIT 1";
    let row = k.db.query_opt(sql, vec![]).await?;
    let recorded = |r: crate::db::Row| {
        Ok(Recorded {
            at: r.time("at")?,
            actor: r.text("actor")?,
            outcome: r.json("outcome")?,
            reading: r.json("report")?,
        })
    };
    row.map(recorded).transpose()
}

/// One action. Everything was prepared before it began; here only SQL is awaited.
async fn write(
    k: &Kernel,
    cx: &Cx,
    plan: plan::Plan,
    reading: &Reading,
    generation: Option<&str>,
) -> Result<Outcome> {
    let id = uuid_v7(&*k.clock, &*k.random).hyphenated().to_string();
    let report = serde_json::to_value(reading)?;
    let outcome = serde_json::to_value(&plan.outcome)?;
    let (done, batches) = batches(plan);
    let mut tx = k.begin(cx).await?;
    take_generation(&mut tx, generation).await?;
    for (sql, params) in batches {
        tx.execute(&sql, params).await?;
    }
    let sql = "INSERT INTO orgs_import (id, at, actor, outcome, report) VALUES ($1, $2, $3, $4, $5)";
    let at = k.clock.now();
    tx.execute(sql, params![&id, at, cx.actor.to_string(), &outcome, report]).await?;
    tx.audit("orgs.territory.imported", &Ref::new("orgs.import", &id), outcome).await?;
    if done.changes_anything() {
        tx.publish(&UnitsImported {
            import: id,
            units_added: done.units_added,
            versions_added: done.versions_added,
            versions_corrected: done.versions_corrected,
        })
        .await?;
    }
    tx.commit().await?;
    Ok(done)
}

/// Another import in between means that the plan is stale. The row is taken by changing it, so that of two imports at
/// the same time the second waits for the first and then finds itself too late.
async fn take_generation(tx: &mut Tx, expected: Option<&str>) -> Result<()> {
    let next = expected.and_then(|g| g.parse::<u64>().ok()).map_or(1, |g| g + 1).to_string();
    let done = match expected {
        None => {
            let sql =
                "INSERT INTO kernel_setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
            tx.execute(sql, params![GENERATION, next]).await?
        }
        Some(expected) => {
            let sql = "UPDATE kernel_setting SET value = $2 WHERE name = $1 AND value = $3";
            tx.execute(sql, params![GENERATION, next, expected]).await?
        }
    };
    if done == 1 { Ok(()) } else { Err(Error::Conflict) }
}

/// The statements of a plan, in order. Rows are moved, not copied: a whole country is some twenty thousand of them.
fn batches(plan: plan::Plan) -> (Outcome, Vec<(String, Vec<Value>)>) {
    let plan::Plan { at, outcome, supersede, units, versions, links, acts } = plan;
    let mut out = Vec::new();
    each(supersede, |chunk, count, _| {
        let mut params = params![at];
        params.extend(chunk);
        let pairs = (0..count).map(|i| format!("(unit = ${} AND valid_from = ${})", i * 2 + 2, i * 2 + 3));
        let sql = format!(
            "UPDATE orgs_version SET superseded_at = $1 WHERE superseded_at IS NULL AND ({})",
            pairs.collect::<Vec<_>>().join(" OR ")
        );
        out.push((sql, params));
    });
    insert(&mut out, "orgs_unit (id, tree, natural_key, created_at)", units, "");
    insert(&mut out, &format!("orgs_version ({VERSION_INSERT})"), versions, "");
    let columns = "orgs_succession (predecessor, successor, on_date, kind, share, transfers, act, certainty, source, \
                   recorded_at)";
    let update = " ON CONFLICT (predecessor, successor, on_date) DO UPDATE SET kind = EXCLUDED.kind,
                   share = EXCLUDED.share, transfers = EXCLUDED.transfers, act = EXCLUDED.act,
                   certainty = EXCLUDED.certainty, source = EXCLUDED.source, recorded_at = EXCLUDED.recorded_at";
    insert(&mut out, columns, links, update);
    let update =
        " ON CONFLICT (number) DO UPDATE SET issuer = EXCLUDED.issuer, issued_on = EXCLUDED.issued_on,
                   applies_from = EXCLUDED.applies_from, title = EXCLUDED.title";
    insert(&mut out, "orgs_act (number, issuer, issued_on, applies_from, title)", acts, update);
    (outcome, out)
}

fn insert(out: &mut Vec<(String, Vec<Value>)>, into: &str, rows: Vec<Vec<Value>>, tail: &str) {
    each(rows, |values, count, width| {
        out.push((format!("INSERT INTO {into} VALUES {}{tail}", placeholders(count, width)), values));
    });
}

/// Gives `take` the values of at most [`ROWS`] rows at a time, one after another, with how many rows and how many
/// values a row.
fn each(rows: Vec<Vec<Value>>, mut take: impl FnMut(Vec<Value>, usize, usize)) {
    let mut rows = rows.into_iter().peekable();
    while let Some(width) = rows.peek().map(Vec::len) {
        let (mut values, mut count) = (Vec::with_capacity(ROWS * width), 0);
        for row in rows.by_ref().take(ROWS) {
            values.extend(row);
            count += 1;
        }
        take(values, count, width);
    }
}
