//! Seals audit rows: in commit order, each as one entry of a sealed log. An altered or removed row then no longer
//! agrees with a log whose checkpoints others may hold.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::error::{Error, Result};
use serde_json::json;

use super::{Opened, SealedLog};
use crate::audit::{self, AuditRow};
use crate::cx::Cx;
use crate::{Kernel, params};

const DIR: &str = "audit";
const BATCH: u32 = 500;
const PERIOD: Duration = Duration::from_secs(1);
const KNOWN: &str = "audit.checkpoint";

/// The sealing of audit rows of this process.
pub struct AuditSeal {
    log: Arc<Mutex<SealedLog>>,
}

/// Compares rows with the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditFinding {
    /// Every sealed row is as it was sealed; so many of them.
    Agrees(u64),
    /// The row at this position was altered or removed after it was sealed.
    Altered(i64),
}

impl AuditSeal {
    /// Opens or begins the audit log under the data directory. `name` is the platform's name in origins.
    pub async fn open(k: &Kernel, name: &str) -> Result<Self> {
        let root = k.data_dir.join(DIR);
        let known = k.setting(KNOWN).await?;
        let log = match SealedLog::open(&root, &k.keys, known.as_deref())? {
            Opened::Continued(log) => *log,
            Opened::Fresh(before) => {
                // Rows are sealed anew from the first: the tables are the truth and still hold them.
                let lead = |origin: &str| {
                    before.last_checkpoint.as_ref().map(|note| {
                        let entry = json!({"kind": "origin", "name": origin, "previous": note, "reason": before.reason});
                        entry.to_string().into_bytes()
                    })
                };
                SealedLog::begin(&root, &format!("{name}/audit"), 1, lead, &k.keys, &*k.clock, &*k.random)?
            }
        };
        Ok(Self { log: Arc::new(Mutex::new(log)) })
    }

    /// Seals what has been committed since; returns how many rows.
    pub async fn advance(&self, k: &Kernel) -> Result<u64> {
        let mut sealed = 0;
        loop {
            let next = i64::try_from(lock(&self.log).next_position()).map_err(Error::internal)?;
            let rows = audit::read(&k.db, next - 1, BATCH).await?;
            if rows.is_empty() {
                return Ok(sealed);
            }
            sealed += rows.len() as u64;
            let log = self.log.clone();
            let sealing = tokio::task::spawn_blocking(move || seal(&mut lock(&log), &rows));
            let note = sealing.await.map_err(Error::internal)??;
            let mut tx = k.begin(&Cx::kernel("audit-seal", k.clock.now())).await?;
            tx.set_setting(KNOWN, &note).await?;
            tx.commit().await?;
        }
    }

    /// Seals about once a second until the kernel stops.
    pub async fn run(&self, k: Kernel) {
        let mut stop = k.stopping();
        loop {
            if let Err(e) = self.advance(&k).await {
                tracing::error!(error = e.chain(), "audit rows could not be sealed");
            }
            tokio::select! { () = tokio::time::sleep(PERIOD) => {}, _ = stop.changed() => return }
        }
    }

    /// Compares every sealed row with its entry.
    pub async fn check(&self, k: &Kernel) -> Result<AuditFinding> {
        let (origin, published) = {
            let log = lock(&self.log);
            (log.origin().clone(), log.published())
        };
        let files = super::files::Files::new(PathBuf::from(&k.data_dir).join(DIR).join(&origin.dir));
        let mut checked = 0;
        for index in origin.lead..published {
            let position = i64::try_from(origin.from + index - origin.lead).map_err(Error::internal)?;
            let sql = "SELECT COUNT(*) AS n FROM kernel_audit WHERE position = $1";
            let there = k.db.query_one(sql, params![position]).await?.int("n")? == 1;
            let row = audit::read(&k.db, position - 1, 1).await?.into_iter().next();
            let sealed = files.entry(index, published)?;
            if !there || row.map(|r| entry(&r)).transpose()? != Some(sealed) {
                return Ok(AuditFinding::Altered(position));
            }
            checked += 1;
        }
        Ok(AuditFinding::Agrees(checked))
    }
}

fn lock(log: &Mutex<SealedLog>) -> MutexGuard<'_, SealedLog> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

fn seal(log: &mut SealedLog, rows: &[AuditRow]) -> Result<String> {
    for row in rows {
        log.append(&entry(row)?)?;
    }
    log.publish()
}

/// A row as it is sealed: JSON with keys in this order. Details are taken in by digest, so that personal data in
/// them can go while the proof stays.
fn entry(row: &AuditRow) -> Result<Vec<u8>> {
    let detail = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, row.detail.to_string().as_bytes());
    let entry = json!({
        "kind": "audit",
        "position": row.position,
        "at": row.at.micros(),
        "actor": row.actor,
        "action": row.action,
        "subject": format!("{}:{}", row.subject.kind, row.subject.id),
        "request": row.request_id,
        "detail_sha256": hex::encode(detail.as_ref()),
    });
    Ok(serde_json::to_vec(&entry)?)
}
