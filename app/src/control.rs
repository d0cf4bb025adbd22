//! The Unix socket in the data directory through which upkeep commands ask the running process: one line of JSON
//! each way. Only the owner of the data can reach it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use kernel::clock::Timestamp;
use kernel::db::Row;
use kernel::i18n::Lang;
use kernel::{Cx, Kernel, backup, blobs, params};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

use crate::assemble::Platform;

/// What can be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Request {
    /// Make a backup into an empty directory.
    Backup {
        /// The directory.
        dir: PathBuf,
    },
    /// Make a backup for the shelf, out of turn.
    BackUp {
        /// Who asks.
        by: String,
    },
    /// Drill a restore, out of turn.
    Drill {
        /// Who asks.
        by: String,
    },
    /// Tell the audit rows after one moment and until another.
    Audited {
        /// After this.
        after: Timestamp,
        /// Until this.
        until: Timestamp,
    },
    /// Make a one-time link for the first operator.
    FirstOperator,
    /// Make every check, and tell the open alerts.
    Live,
    /// Compare the content store with the tables.
    CheckContent {
        /// Also decrypt everything.
        deep: bool,
    },
}

/// The answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The backup was made.
    Backup(backup::Manifest),
    /// The backup for the shelf was made.
    Kept(backups::Kept),
    /// The drill was made: how it went, and its record as text.
    Drilled {
        /// How it went.
        drilled: backups::Drilled,
        /// The record, Vietnamese.
        record: String,
    },
    /// Audit rows, and how many there are.
    Audited {
        /// The oldest of them.
        rows: Vec<backup::Audited>,
        /// All.
        count: u64,
    },
    /// The link.
    Link(String),
    /// Every check and open alert.
    Live(upkeep::Overview),
    /// What the comparison found.
    Content(blobs::Report),
    /// It was refused or failed.
    Failed(String),
}

fn path(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// Serves requests until the platform stops.
pub async fn serve(platform: Platform) -> anyhow::Result<()> {
    let path = path(&platform.kernel.data_dir);
    // The data lock is held: a socket file left behind belongs to nobody.
    let _ = std::fs::remove_file(&path);
    let listener =
        UnixListener::bind(&path).with_context(|| format!("{} cannot be opened", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let mut stop = platform.kernel.stopping();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                let platform = platform.clone();
                tokio::spawn(async move {
                    if let Err(e) = answer(&platform, stream).await {
                        tracing::warn!(error = %e, "a control request failed");
                    }
                });
            }
            _ = stop.changed() => break,
        }
    }
    let _ = std::fs::remove_file(&path);
    Ok(())
}

async fn answer(platform: &Platform, stream: tokio::net::UnixStream) -> anyhow::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    tokio::io::BufReader::new(read.take(64 * 1024)).read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line) {
        Ok(request) => handle(platform, request).await,
        Err(e) => Answer::Failed(e.to_string()),
    };
    write.write_all(serde_json::to_string(&answer)?.as_bytes()).await?;
    write.write_all(b"\n").await?;
    Ok(())
}

async fn handle(platform: &Platform, request: Request) -> Answer {
    let k = &platform.kernel;
    match request {
        Request::Backup { dir } => match backup::make(k, &platform.modules(), &dir).await {
            Ok(manifest) => Answer::Backup(manifest),
            Err(e) => Answer::Failed(e.chain()),
        },
        Request::BackUp { by } => match platform.backups.back_up(k, &upkeep_cx(k), &by).await {
            Ok(kept) => Answer::Kept(kept),
            Err(e) => Answer::Failed(e.chain()),
        },
        Request::Drill { by } => match drill(platform, &by).await {
            Ok((drilled, record)) => Answer::Drilled { drilled, record },
            Err(e) => Answer::Failed(crate::chain(&e)),
        },
        Request::Audited { after, until } => match audited(k, after, until).await {
            Ok((rows, count)) => Answer::Audited { rows, count },
            Err(e) => Answer::Failed(e.chain()),
        },
        Request::FirstOperator => match platform.first_operator_link().await {
            Ok(link) => Answer::Link(link),
            Err(e) => Answer::Failed(crate::chain(&e)),
        },
        Request::Live => match platform.upkeep.overview(k).await {
            Ok(overview) => Answer::Live(overview),
            Err(e) => Answer::Failed(e.chain()),
        },
        Request::CheckContent { deep } => match content(k, deep).await {
            Ok(report) => Answer::Content(report),
            Err(e) => Answer::Failed(e.chain()),
        },
    }
}

/// Whoever reaches the socket owns the data: there is nobody to ask for rights.
fn upkeep_cx(k: &Kernel) -> Cx {
    Cx::kernel("command", k.clock.now())
}

/// Drills a restore; the outcome and its record.
pub async fn drill(platform: &Platform, by: &str) -> anyhow::Result<(backups::Drilled, String)> {
    let k = &platform.kernel;
    let (run, drilled) = platform.backups.drill(k, &upkeep_cx(k), by).await?;
    let site = web::Site::from_config(&k.config)?;
    let record = backups::report::text(Lang::Vi, site.name(), &run, &drilled);
    Ok((drilled, record))
}

/// Audit rows told at most.
pub const MOST_AUDITED: usize = 200;

/// The audit rows after one moment and until another: the oldest of them, and how many there are.
pub async fn audited(
    k: &Kernel,
    after: Timestamp,
    until: Timestamp,
) -> kernel::Result<(Vec<backup::Audited>, u64)> {
    let period = "FROM kernel_audit WHERE at > $1 AND at <= $2";
    let count = k.db.query_one(&format!("SELECT COUNT(*) AS n {period}"), params![after, until]).await?;
    let sql = format!(
        "SELECT at, actor, action, subject_kind, subject_id {period} ORDER BY seq LIMIT {MOST_AUDITED}"
    );
    let read = |row: &Row| {
        Ok(backup::Audited {
            at: row.time("at")?,
            actor: row.text("actor")?,
            action: row.text("action")?,
            subject: format!("{} {}", row.text("subject_kind")?, row.text("subject_id")?),
        })
    };
    let rows = k.db.query(&sql, params![after, until]).await?;
    let rows = rows.iter().map(read).collect::<kernel::Result<_>>()?;
    Ok((rows, u64::try_from(count.int("n")?).unwrap_or(0)))
}

/// Compares the content store with the tables.
pub async fn content(k: &Kernel, deep: bool) -> kernel::Result<blobs::Report> {
    k.blobs().await?.check(deep).await
}

/// Asks the process that runs on `data`; `None` when none runs.
pub fn ask(data: &Path, request: &Request) -> anyhow::Result<Option<Answer>> {
    let Ok(mut stream) = UnixStream::connect(path(data)) else { return Ok(None) };
    stream.write_all(serde_json::to_string(request)?.as_bytes())?;
    stream.write_all(b"\n")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    if line.is_empty() {
        bail!("the running process ended before it answered");
    }
    Ok(Some(serde_json::from_str(&line)?))
}
