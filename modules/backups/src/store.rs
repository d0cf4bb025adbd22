//! SQL of the runs: each backup and each drill, who began it, when it ended and how.

use base::clock::Timestamp;
use kernel::db::{Migration, Row};
use kernel::{Cx, Error, Kernel, Result, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

base::id_type!(
    /// One backup or drill that was begun.
    RunId,
    "backups.run"
);
kernel::id_value!(RunId);

/// The tables.
pub const MIGRATIONS: &[Migration] =
    &[Migration { name: "0001_backups", sql: include_str!("../migrations/0001_backups.sql") }];

const COLUMNS: &str = "id, kind, name, by_name, started_at, ended_at, ok, detail";

/// What was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A backup.
    Backup,
    /// A drill of a restore.
    Drill,
    /// Backups copied to a store on another machine.
    Offsite,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Drill => "drill",
            Self::Offsite => "offsite",
        }
    }
}

/// A backup, drill or copying as it is noted.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its identifier.
    pub id: RunId,
    /// Which of the two.
    pub kind: Kind,
    /// Name of the backup made or restored; empty before it is known.
    pub name: String,
    /// Who began it: a person's name, or empty when it was due.
    pub by: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it goes on.
    pub ended_at: Option<Timestamp>,
    /// Whether it went well; `None` while it goes on.
    pub ok: Option<bool>,
    detail: serde_json::Value,
}

impl Run {
    /// What is told of it: [`crate::Kept`], [`crate::Drilled`] or [`crate::Sent`].
    ///
    /// # Errors
    /// When it was noted by a release that tells other things.
    pub fn detail<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(serde_json::from_value(self.detail.clone())?)
    }

    /// Why it failed, if it did.
    pub fn error(&self) -> Option<&str> {
        self.detail.get("error").and_then(serde_json::Value::as_str)
    }
}

/// Why a run failed.
#[derive(Debug, Serialize, Deserialize)]
struct Failed {
    error: String,
}

/// Notes that a run begins.
pub(crate) async fn begin(k: &Kernel, cx: &Cx, kind: Kind, by: &str) -> Result<RunId> {
    let id = RunId::new(&*k.clock, &*k.random);
    let mut tx = k.begin(cx).await?;
    let sql = "INSERT INTO backups_run (id, kind, name, by_name, started_at, detail) VALUES ($1, $2, '', $3, $4, '{}')";
    tx.execute(sql, params![id, kind.word(), by, k.clock.now()]).await?;
    tx.audit(&format!("backups.{}.begin", kind.word()), &id.to_ref(), serde_json::json!({"by": by})).await?;
    tx.commit().await?;
    Ok(id)
}

/// Notes how it ended.
pub(crate) async fn end<T: Serialize>(
    k: &Kernel,
    id: RunId,
    name: &str,
    outcome: &std::result::Result<(T, bool), String>,
) -> Result<()> {
    let (ok, detail) = match outcome {
        Ok((detail, ok)) => (*ok, serde_json::to_value(detail)?),
        Err(error) => (false, serde_json::to_value(Failed { error: error.clone() })?),
    };
    let mut tx = k.begin(&Cx::kernel("backups", k.clock.now())).await?;
    let sql = "UPDATE backups_run SET name = $2, ended_at = $3, ok = $4, detail = $5 WHERE id = $1";
    tx.execute(sql, params![id, name, k.clock.now(), ok, detail]).await?;
    tx.audit("backups.end", &id.to_ref(), serde_json::json!({"ok": ok, "backup": name})).await?;
    tx.commit().await?;
    Ok(())
}

/// Runs that a process left open when it ended: they went nowhere.
pub(crate) async fn end_interrupted(k: &Kernel) -> Result<()> {
    let open = k.db.query("SELECT id FROM backups_run WHERE ended_at IS NULL", vec![]).await?;
    for row in open {
        let why: std::result::Result<((), bool), _> = Err("the process ended before this did".to_owned());
        end(k, row.id("id")?, "", &why).await?;
    }
    Ok(())
}

/// The newest runs of a kind, or of both.
///
/// # Errors
/// When the database is away.
pub async fn newest(k: &Kernel, kind: Option<Kind>, most: u32) -> Result<Vec<Run>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM backups_run WHERE $1 = '' OR kind = $1 ORDER BY started_at DESC, id DESC LIMIT $2"
    );
    let kind = kind.map_or("", Kind::word);
    k.db.query(&sql, params![kind, most]).await?.iter().map(read).collect()
}

/// The newest run of a kind that went well.
///
/// # Errors
/// When the database is away.
pub async fn newest_good(k: &Kernel, kind: Kind) -> Result<Option<Run>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM backups_run WHERE kind = $1 AND ok = 1 ORDER BY started_at DESC LIMIT 1"
    );
    k.db.query_opt(&sql, params![kind.word()]).await?.as_ref().map(read).transpose()
}

/// The newest run of a kind that has ended, however it went.
///
/// # Errors
/// When the database is away.
pub async fn newest_ended(k: &Kernel, kind: Kind) -> Result<Option<Run>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM backups_run WHERE kind = $1 AND ended_at IS NOT NULL ORDER BY started_at DESC, id DESC LIMIT 1"
    );
    k.db.query_opt(&sql, params![kind.word()]).await?.as_ref().map(read).transpose()
}

/// One run.
///
/// # Errors
/// `NotFound`.
pub async fn one(k: &Kernel, id: RunId) -> Result<Run> {
    let sql = format!("SELECT {COLUMNS} FROM backups_run WHERE id = $1");
    let row = k.db.query_opt(&sql, params![id]).await?;
    read(&row.ok_or(Error::NotFound { kind: RunId::KIND })?)
}

fn read(row: &Row) -> Result<Run> {
    let word = row.text("kind")?;
    let kind = [Kind::Drill, Kind::Offsite].into_iter().find(|k| k.word() == word).unwrap_or(Kind::Backup);
    Ok(Run {
        id: row.id("id")?,
        kind,
        name: row.text("name")?,
        by: row.text("by_name")?,
        started_at: row.time("started_at")?,
        ended_at: row.opt_int("ended_at")?.map(Timestamp::from_micros),
        ok: row.opt_int("ok")?.map(|ok| ok == 1),
        detail: row.json("detail")?,
    })
}
