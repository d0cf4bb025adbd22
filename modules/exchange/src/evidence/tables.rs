//! SQL of the evidence: how far each log is in the tables, calls, values that open commitments. Which entries
//! to write, and when, is decided in `indexer`.

use base::clock::Timestamp;
use kernel::db::{Migration, Value};
use kernel::{Error, Kernel, Result, Tx, params};

use super::origin::Known;
use super::rows::{Batch, COLUMNS, FIXED, MONITORED};
use super::settings::Settings;
use super::shared::Published;
use crate::traffic::{Ended, Side};

/// The tables.
pub const EVIDENCE: Migration =
    Migration { name: "0002_evidence", sql: include_str!("../../migrations/0002_evidence.sql") };

/// The column and indexes by which collectors fetch records.
pub const MONITORING: Migration =
    Migration { name: "0005_monitoring", sql: include_str!("../../migrations/0005_monitoring.sql") };

/// Where a call went, and what became of the fields of its answer.
pub const FIELDS: Migration =
    Migration { name: "0010_fields", sql: include_str!("../../migrations/0010_fields.sql") };

/// Rows in one statement; every row of calls has 29 parameters.
const ROWS: usize = 64;
/// Rows erased in one transaction.
const ERASED: i64 = 1000;

/// A log, as the tables know it.
pub(super) struct Progress {
    /// Directory of the log.
    pub dir: String,
    /// Entries taken into the tables.
    pub indexed: u64,
}

/// The newest checkpoint the database knows of this node's log.
pub(super) async fn known(k: &Kernel, log: &str) -> Result<Option<Known>> {
    let sql = "SELECT dir, vkey, checkpoint FROM exchange_origin WHERE log = $1 ORDER BY dir DESC LIMIT 1";
    let row = k.db.query_opt(sql, params![log]).await?;
    row.map(|row| {
        Ok(Known { dir: row.text("dir")?, vkey: row.text("vkey")?, checkpoint: row.opt_text("checkpoint")? })
    })
    .transpose()
}

/// How far the logs in these directories are in the tables, oldest first; those the tables do not know are
/// missing.
pub(super) async fn progress(k: &Kernel, dirs: &[String]) -> Result<Vec<Progress>> {
    if dirs.is_empty() {
        return Ok(Vec::new());
    }
    let sql =
        format!("SELECT dir, indexed FROM exchange_origin WHERE dir IN ({}) ORDER BY dir", marks(dirs.len()));
    let rows = k.db.query(&sql, dirs.iter().map(Value::from).collect()).await?;
    let read = |row: &kernel::db::Row| {
        let indexed = u64::try_from(row.int("indexed")?).map_err(Error::internal)?;
        Ok(Progress { dir: row.text("dir")?, indexed })
    };
    rows.iter().map(read).collect()
}

/// Notes a log the tables do not know yet.
pub(super) async fn add_origin(tx: &mut Tx, dir: &str, vkey: &str) -> Result<()> {
    let name = vkey.split('+').next().unwrap_or_default();
    let sql = "INSERT INTO exchange_origin (dir, log, name, vkey, indexed) VALUES ($1, $2, $3, $4, 0)
               ON CONFLICT (dir) DO NOTHING";
    tx.execute(sql, params![dir, log_of(name), name, vkey]).await?;
    Ok(())
}

/// The name of a log without the part that tells its origins apart.
pub(super) fn log_of(origin: &str) -> &str {
    origin.rsplit_once('/').map_or(origin, |(log, _)| log)
}

/// A batch as statements, made before the transaction begins so that nothing but SQL is awaited within.
pub(super) struct Statements {
    all: Vec<(String, Vec<Value>)>,
    /// Statements and their parameters that say when records of ended calls enter monitoring.
    stamps: Vec<(usize, usize)>,
}

impl Statements {
    /// The batch of entries of the log in `dir` that ends before `indexed`.
    pub(super) fn of(batch: &Batch, dir: &str, indexed: u64, settings: &Settings) -> Self {
        let mut all = Vec::new();
        for (dir, origin) in &batch.origins {
            let sql = "UPDATE exchange_origin SET reason = $2, begun_at = $3, previous = $4 WHERE dir = $1";
            let previous = origin.previous.as_ref().map(|p| p.checkpoint.clone());
            all.push((sql.to_owned(), params![dir, origin.reason.name(), origin.recorded, previous]));
        }
        let mut stamps = Vec::new();
        let calls: Vec<_> = batch.calls.values().collect();
        for rows in calls.chunks(ROWS) {
            let ended = (0..).zip(rows).filter(|(_, row)| row.has_ended());
            stamps.extend(ended.map(|(n, _)| (all.len(), n * COLUMNS.len() + MONITORED)));
            all.push((insert_calls(rows.len()), rows.iter().flat_map(|row| row.params()).collect()));
        }
        let private: Vec<_> = batch
            .private
            .iter()
            .map(|((id, kind), row)| [params![id, *kind], row.params(settings)].concat())
            .collect();
        all.extend(private.chunks(ROWS).map(|rows| (insert_private(rows.len()), rows.concat())));
        // Never backwards: another task may have been faster after a restart.
        for column in ["indexed", "rolled"] {
            let step = format!("UPDATE exchange_origin SET {column} = $2 WHERE dir = $1 AND {column} < $2");
            all.push((step, params![dir, indexed as i64]));
        }
        Self { all, stamps }
    }

    /// Says when the records of ended calls enter monitoring; to be called when nothing but the writing is left.
    pub(super) fn stamp(&mut self, at: Timestamp) {
        for (statement, parameter) in &self.stamps {
            self.all[*statement].1[*parameter] = at.into();
        }
    }

    /// Runs them.
    pub(super) async fn run(self, tx: &mut Tx) -> Result<()> {
        for (sql, params) in self.all {
            tx.execute(&sql, params).await?;
        }
        Ok(())
    }
}

/// Notes the published checkpoint, so that a log rolled back on disk is noticed.
pub(super) async fn note_checkpoint(tx: &mut Tx, published: &Published) -> Result<()> {
    let sql = "UPDATE exchange_origin SET checkpoint = $2 WHERE dir = $1";
    tx.execute(sql, params![&published.origin.dir, &published.checkpoint]).await?;
    Ok(())
}

/// Calls opened by an earlier process of this node and never closed: nobody will learn how they ended. Returns them as
/// figures count them.
pub(super) async fn mark_unknown(tx: &mut Tx, origins: &[String]) -> Result<Vec<Ended>> {
    if origins.is_empty() {
        return Ok(Vec::new());
    }
    let open = format!("outcome IS NULL AND opened_origin IN ({})", marks(origins.len()));
    let of = || origins.iter().map(Value::from).collect::<Vec<_>>();
    let sql = format!(
        "SELECT request_id, client, service, agreement, method, endpoint, request_in, environment FROM exchange_call
         WHERE {open}"
    );
    let mut marked = Vec::new();
    for row in tx.query(&sql, of()).await? {
        marked.push(Ended {
            request_id: row.text("request_id")?,
            client: row.text("client")?,
            service: row.text("service")?,
            agreement: row.opt_text("agreement")?,
            method: row.text("method")?,
            endpoint: row.opt_text("endpoint")?,
            at: row.time("request_in")?,
            side: Side::Ours,
            refused: false,
            fault: None,
            request_bytes: 0,
            response_bytes: 0,
            took: None,
            in_production: row.opt_text("environment")?.is_none(),
        });
    }
    let sql =
        format!("UPDATE exchange_call SET outcome = 'unknown', side = {} WHERE {open}", Side::Ours.number());
    tx.execute(&sql, of()).await?;
    Ok(marked)
}

/// Erases what has been kept long enough; returns whether there may be more.
pub(super) async fn erase(tx: &mut Tx, now: Timestamp) -> Result<bool> {
    let mut most = 0;
    for (values, until) in [("personal", "erase_personal"), ("digests", "erase_digests")] {
        let due = format!(
            "UPDATE exchange_private SET {values} = NULL, {until} = NULL WHERE (request_id, kind) IN
             (SELECT request_id, kind FROM exchange_private WHERE {until} <= $1 ORDER BY {until} LIMIT $2)"
        );
        most = tx.execute(&due, params![now, ERASED]).await?.max(most);
    }
    Ok(most == ERASED.unsigned_abs())
}

fn insert_calls(rows: usize) -> String {
    // What is known of a call only grows; a new place replaces an old one after a log was begun anew.
    let grow =
        COLUMNS[FIXED..MONITORED].iter().map(|c| format!("{c} = COALESCE(EXCLUDED.{c}, exchange_call.{c})"));
    // A record enters monitoring once: collectors that have it must not get it again.
    format!(
        "INSERT INTO exchange_call ({}) VALUES {} ON CONFLICT (request_id) DO UPDATE SET {},
         monitored_at = COALESCE(exchange_call.monitored_at, EXCLUDED.monitored_at)",
        COLUMNS.join(", "),
        values(rows, COLUMNS.len()),
        grow.collect::<Vec<_>>().join(", ")
    )
}

fn insert_private(rows: usize) -> String {
    format!(
        "INSERT INTO exchange_private (request_id, kind, personal, digests, erase_personal, erase_digests)
         VALUES {} ON CONFLICT (request_id, kind) DO NOTHING",
        values(rows, 6)
    )
}

/// `($1, $2), ($3, $4)` for two rows of two columns.
fn values(rows: usize, columns: usize) -> String {
    let row = |r: usize| {
        let marks: Vec<String> = (1..=columns).map(|c| format!("${}", r * columns + c)).collect();
        format!("({})", marks.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// `$1, $2, $3` for three.
fn marks(n: usize) -> String {
    (1..=n).map(|i| format!("${i}")).collect::<Vec<_>>().join(", ")
}
