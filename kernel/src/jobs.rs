//! Work after the commit: a row written with the action, taken under a lease from the database's clock, tried
//! again with back-off, dead-lettered with its reasons. Every attempt has a fencing number that is checked when
//! it completes, so a worker that lost its lease cannot end somebody else's attempt.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base::clock::Timestamp;
use base::error::Result;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cx::Cx;
use crate::db::{Backend, Row, Transaction};
use crate::kernel::Kernel;
use crate::params;

base::id_type!(
    /// A job; also the idempotency key of its effects on the outside.
    JobId, "job");
crate::id_value!(JobId);

/// Time a worker has before another may take the job.
const LEASE: Duration = Duration::from_secs(60);
/// Attempts before a job is dead.
pub const ATTEMPTS: i64 = 12;
const POLL: Duration = Duration::from_millis(500);
const WORKERS: usize = 4;

/// What a job needs to know. Small: identifiers, not people's details.
pub trait JobBody: Serialize + DeserializeOwned {
    /// Stable, `module.verb`.
    const KIND: &'static str;
}

/// Does jobs of one kind.
#[async_trait]
pub trait JobHandler: Send + Sync + 'static {
    /// The kind of job.
    fn kind(&self) -> &'static str;
    /// Does it. May run more than once: effects carry `job.id` as their idempotency key.
    async fn run(&self, k: &Kernel, job: &Job) -> Result<()>;
}

/// A job being attempted.
#[derive(Debug, Clone)]
pub struct Job {
    /// Identifier and idempotency key.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// Which attempt this is, from 1.
    pub attempt: i64,
    /// What it needs to know.
    pub body: serde_json::Value,
    fence: i64,
}

impl Job {
    /// The body as its type.
    pub fn body<B: JobBody>(&self) -> Result<B> {
        Ok(serde_json::from_value(self.body.clone())?)
    }
}

/// How many jobs are in which state, for the operator.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct JobCounts {
    /// Waiting to run or to be tried again.
    pub waiting: i64,
    /// Being worked on.
    pub running: i64,
    /// Given up; somebody must look.
    pub dead: i64,
}

pub(crate) async fn enqueue<B: JobBody>(
    tx: &mut Transaction,
    id: JobId,
    body: &B,
    now: Timestamp,
    run_at: Timestamp,
) -> Result<()> {
    let sql = "INSERT INTO kernel_job (id, kind, body, state, run_at, attempts, fence, created_at)
               VALUES ($1, $2, $3, 'waiting', $4, 0, 0, $5)";
    tx.execute(sql, params![id, B::KIND, serde_json::to_value(body)?, run_at, now]).await?;
    Ok(())
}

/// Microseconds by the database's clock: leases must not depend on which process asks.
fn database_now(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "CAST(unixepoch('now', 'subsec') * 1000000 AS INTEGER)",
        Backend::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
    }
}

/// Takes the next due job of the given kinds, if any.
async fn take(k: &Kernel, kinds: &[&'static str]) -> Result<Option<Job>> {
    let now = database_now(k.db.backend());
    let skip = if k.db.backend() == Backend::Postgres { "FOR UPDATE SKIP LOCKED" } else { "" };
    let marks: Vec<String> = (3..3 + kinds.len()).map(|i| format!("${i}")).collect();
    let due = format!(
        "((state = 'waiting' AND run_at <= $1) OR (state = 'running' AND lease_until < {now}))
         AND kind IN ({})",
        marks.join(", ")
    );
    let mut p = params![k.clock.now(), i64::try_from(LEASE.as_micros()).unwrap_or(0)];
    p.extend(kinds.iter().map(|kind| (*kind).into()));
    // Looking costs no writer: most of the time nothing is due.
    let look = format!("SELECT id FROM kernel_job WHERE {due} AND $2 > 0 LIMIT 1");
    if k.db.query(&look, p.clone()).await?.is_empty() {
        return Ok(None);
    }
    let sql = format!(
        "UPDATE kernel_job SET state = 'running', attempts = attempts + 1, fence = fence + 1,
                lease_until = {now} + $2
         WHERE id = (SELECT id FROM kernel_job WHERE {due} ORDER BY run_at LIMIT 1 {skip})
         RETURNING id, kind, body, attempts, fence"
    );
    let mut tx = k.db.begin().await?;
    let job = tx.query(&sql, p).await?.first().map(job_from).transpose()?;
    tx.commit().await?;
    Ok(job)
}

fn job_from(r: &Row) -> Result<Job> {
    Ok(Job {
        id: r.id("id")?,
        kind: r.text("kind")?,
        attempt: r.int("attempts")?,
        body: r.json("body")?,
        fence: r.int("fence")?,
    })
}

/// Runs due jobs until the kernel stops.
pub(crate) async fn run(k: Kernel, handlers: Vec<Arc<dyn JobHandler>>) {
    if handlers.is_empty() {
        return;
    }
    let by_kind: HashMap<&'static str, Arc<dyn JobHandler>> =
        handlers.into_iter().map(|h| (h.kind(), h)).collect();
    let by_kind = Arc::new(by_kind);
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..WORKERS {
        workers.spawn(work(k.clone(), by_kind.clone()));
    }
    while workers.join_next().await.is_some() {}
}

async fn work(k: Kernel, by_kind: Arc<HashMap<&'static str, Arc<dyn JobHandler>>>) {
    let kinds: Vec<&'static str> = by_kind.keys().copied().collect();
    let mut bell = k.jobs_bell();
    let mut stop = k.stopping();
    loop {
        match take(&k, &kinds).await {
            Ok(Some(job)) => {
                if let Some(handler) = by_kind.get(job.kind.as_str()) {
                    let outcome = handler.run(&k, &job).await;
                    if let Err(e) = complete(&k, &job, outcome).await {
                        tracing::error!(job = %job.id, error = e.chain(), "the attempt could not be recorded");
                    }
                }
                continue;
            }
            Ok(None) => {}
            Err(e) => tracing::error!(error = e.chain(), "cannot take jobs"),
        }
        tokio::select! {
            _ = bell.changed() => {}
            () = tokio::time::sleep(POLL) => {}
            _ = stop.changed() => return,
        }
    }
}

/// Records the attempt's end if this worker still holds it. Returns whether it did.
async fn complete(k: &Kernel, job: &Job, outcome: Result<()>) -> Result<bool> {
    let now = k.clock.now();
    let mut tx = k.begin(&Cx::kernel("jobs", now)).await?;
    let changed = match outcome {
        Ok(()) => {
            let sql = "UPDATE kernel_job SET state = 'done', lease_until = NULL, ended_at = $3
                       WHERE id = $1 AND fence = $2 AND state = 'running'";
            tx.execute(sql, params![job.id, job.fence, now]).await?
        }
        Err(e) => {
            let (error, dead) = (e.chain(), job.attempt >= ATTEMPTS);
            let pause = pause(job.attempt, &e);
            tracing::warn!(job = %job.id, kind = job.kind, attempt = job.attempt, error, "attempt failed");
            let sql = "UPDATE kernel_job SET state = $3, lease_until = NULL, run_at = $4, last_error = $5,
                              ended_at = $6 WHERE id = $1 AND fence = $2 AND state = 'running'";
            let state = if dead { "dead" } else { "waiting" };
            let ended = dead.then_some(now);
            tx.execute(sql, params![job.id, job.fence, state, now.plus(pause), error, ended]).await?
        }
    };
    tx.commit().await?;
    Ok(changed == 1)
}

/// 2 s, 4 s, 8 s … at most an hour.
fn back_off(attempt: i64) -> Duration {
    let exponent = u32::try_from(attempt.clamp(1, 12)).unwrap_or(12);
    Duration::from_secs(2_u64.pow(exponent).min(3_600))
}

/// As long as who refused has asked for, if that is longer; at most an hour.
fn pause(attempt: i64, e: &base::error::Error) -> Duration {
    let asked = match e {
        base::error::Error::TooMany { retry_after } => Duration::from_secs((*retry_after).min(3_600)),
        _ => Duration::ZERO,
    };
    back_off(attempt).max(asked)
}

/// How many jobs are in which state.
pub async fn counts(k: &Kernel) -> Result<JobCounts> {
    let mut counts = JobCounts::default();
    let sql = "SELECT state, COUNT(*) AS n FROM kernel_job WHERE state <> 'done' GROUP BY state";
    for row in k.db.query(sql, vec![]).await? {
        let n = row.int("n")?;
        match row.text("state")?.as_str() {
            "waiting" => counts.waiting = n,
            "running" => counts.running = n,
            _ => counts.dead += n,
        }
    }
    Ok(counts)
}

/// A job that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// Which job.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// Why the last attempt failed.
    pub error: String,
    /// When it was given up.
    pub at: Timestamp,
}

/// The jobs given up last, newest first.
pub async fn dead(k: &Kernel, limit: u32) -> Result<Vec<Dead>> {
    let sql = "SELECT id, kind, last_error, ended_at FROM kernel_job WHERE state = 'dead'
               ORDER BY ended_at DESC, id LIMIT $1";
    let read = |r: &Row| {
        let error = r.opt_text("last_error")?.unwrap_or_default();
        let at = Timestamp::from_micros(r.opt_int("ended_at")?.unwrap_or_default());
        Ok(Dead { id: r.id("id")?, kind: r.text("kind")?, error, at })
    };
    k.db.query(sql, params![limit]).await?.iter().map(read).collect()
}

/// Since when the job waits that should have run first; `None` when no job is late.
pub async fn waiting_since(k: &Kernel) -> Result<Option<Timestamp>> {
    let sql = "SELECT MIN(run_at) AS due FROM kernel_job WHERE state = 'waiting' AND run_at <= $1";
    Ok(k.db.query_one(sql, params![k.clock.now()]).await?.opt_int("due")?.map(Timestamp::from_micros))
}

/// Puts a dead job back in the queue. Returns whether there was such a job.
pub async fn revive(k: &Kernel, cx: &Cx, id: JobId) -> Result<bool> {
    let mut tx = k.begin(cx).await?;
    let sql = "UPDATE kernel_job SET state = 'waiting', attempts = 0, run_at = $2, ended_at = NULL
               WHERE id = $1 AND state = 'dead'";
    let changed = tx.execute(sql, params![id, k.clock.now()]).await?;
    tx.audit("kernel.job.revive", &id.to_ref(), serde_json::json!({})).await?;
    tx.commit().await?;
    Ok(changed == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_grows_to_an_hour() {
        assert_eq!(back_off(1), Duration::from_secs(2));
        assert_eq!(back_off(5), Duration::from_secs(32));
        assert_eq!(back_off(12), Duration::from_secs(3_600));
        assert_eq!(back_off(99), Duration::from_secs(3_600));
        let asked = |retry_after| base::error::Error::TooMany { retry_after };
        assert_eq!(pause(1, &asked(90)), Duration::from_secs(90));
        assert_eq!(pause(5, &asked(1)), Duration::from_secs(32));
        assert_eq!(pause(1, &asked(u64::MAX)), Duration::from_secs(3_600));
    }
}
