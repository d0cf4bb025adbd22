//! Delivery of facts: each listener remembers its position and works in its own transaction, so an effect and
//! the memory of it commit together. A fact that keeps failing parks its subject, visibly; the rest goes on.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base::clock::Timestamp;
use base::error::Result;
use tokio::sync::watch;

use crate::cx::Cx;
use crate::journal::{self, Event};
use crate::kernel::{Kernel, Tx};
use crate::params;

/// Facts taken in one go.
const BATCH: u32 = 200;
/// Tries before a fact is parked.
const TRIES: u32 = 5;
/// How often listeners look without having been woken: other processes append too.
const POLL: Duration = Duration::from_millis(200);

/// Whose memory the position is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// One for all processes, in the database: for effects on tables.
    Shared,
    /// Each process has its own and starts at the present: for what lives in memory, such as a snapshot.
    Process,
}

/// Hears facts of the kinds it names.
#[async_trait]
pub trait Listener: Send + Sync + 'static {
    /// Stable, `module.what`.
    fn name(&self) -> &'static str;
    /// Kinds of facts, exactly; an empty list hears all.
    fn hears(&self) -> &'static [&'static str];
    /// Whose memory the position is.
    fn memory(&self) -> Memory {
        Memory::Shared
    }
    /// Takes in one fact. Effects go through `tx` only, so that they happen once.
    async fn hear(&self, k: &Kernel, tx: &mut Tx, event: &Event) -> Result<()>;
    /// Called after the facts heard so far are committed, for effects outside the database.
    async fn settled(&self, _k: &Kernel) -> Result<()> {
        Ok(())
    }
}

/// A parked fact, for the operator's page.
#[derive(Debug, Clone)]
pub struct Parked {
    /// Which listener.
    pub listener: String,
    /// The fact's position.
    pub position: i64,
    /// Kind of the subject that waits.
    pub subject_kind: String,
    /// The subject that waits.
    pub subject_id: String,
    /// Why.
    pub error: String,
    /// Since when.
    pub parked_at: Timestamp,
}

/// Runs one listener until the kernel stops.
pub(crate) async fn run(k: Kernel, listener: Arc<dyn Listener>, progress: watch::Sender<i64>) {
    let mut woken = k.journal_bell();
    let mut stop = k.stopping();
    let mut position = loop {
        match start(&k, &*listener).await {
            Ok(p) => break p,
            Err(e) => {
                tracing::error!(listener = listener.name(), error = e.chain(), "cannot start");
                tokio::select! { () = tokio::time::sleep(POLL) => {}, _ = stop.changed() => return }
            }
        }
    };
    let _ = progress.send(position);
    loop {
        match advance(&k, &*listener, position).await {
            Ok(reached) => {
                let moved = reached > position;
                position = reached;
                let _ = progress.send(position);
                if moved {
                    continue;
                }
            }
            Err(e) => tracing::error!(listener = listener.name(), error = e.chain(), "cannot hear"),
        }
        tokio::select! {
            _ = woken.changed() => {}
            () = tokio::time::sleep(POLL) => {}
            _ = stop.changed() => return,
        }
    }
}

async fn start(k: &Kernel, listener: &dyn Listener) -> Result<i64> {
    if listener.memory() == Memory::Process {
        let end = journal::end(&k.db).await?;
        // What lives in memory may have been built before a fact that is already below `end`.
        listener.settled(k).await?;
        return Ok(end);
    }
    let row =
        k.db.query_opt("SELECT position FROM kernel_listener WHERE name = $1", params![listener.name()]);
    row.await?.map_or(Ok(0), |r| r.int("position"))
}

/// Takes one batch; returns the new position.
async fn advance(k: &Kernel, listener: &dyn Listener, after: i64) -> Result<i64> {
    journal::ORDER.assign(&k.db).await?;
    let events = journal::read(&k.db, after, BATCH).await?;
    let Some(last) = events.last().map(|e| e.position) else { return Ok(after) };
    let wanted: Vec<_> = events.iter().filter(|e| hears(listener, &e.kind)).collect();
    for event in &wanted {
        deliver(k, listener, event).await?;
    }
    if listener.memory() == Memory::Shared {
        remember(k, listener.name(), last).await?;
    }
    if !wanted.is_empty() {
        listener.settled(k).await?;
    }
    Ok(last)
}

fn hears(listener: &dyn Listener, kind: &str) -> bool {
    let kinds = listener.hears();
    kinds.is_empty() || kinds.contains(&kind)
}

async fn remember(k: &Kernel, name: &str, position: i64) -> Result<()> {
    let mut tx = k.begin(&Cx::kernel(name, k.clock.now())).await?;
    tx.execute(REMEMBER, params![name, position]).await?;
    tx.commit().await?;
    Ok(())
}

const REMEMBER: &str = "INSERT INTO kernel_listener (name, position) VALUES ($1, $2)
     ON CONFLICT (name) DO UPDATE SET position = EXCLUDED.position
     WHERE kernel_listener.position < EXCLUDED.position";

/// Delivers one fact, or parks it after some tries. Facts whose subject is parked join it, to keep their order.
async fn deliver(k: &Kernel, listener: &dyn Listener, event: &Event) -> Result<()> {
    let mut failure = None;
    if parked_subject(k, listener.name(), event).await? {
        failure = Some("an earlier fact about the same subject is parked".to_owned());
    }
    let mut tries = 0;
    while failure.is_none() {
        match attempt(k, listener, event).await {
            Ok(()) => return Ok(()),
            // The database being away says nothing about the fact.
            Err(e @ base::error::Error::Unavailable { .. }) => return Err(e),
            Err(e) => {
                tries += 1;
                if tries >= TRIES {
                    failure = Some(e.chain());
                } else {
                    tokio::time::sleep(Duration::from_millis(20 << tries)).await;
                }
            }
        }
    }
    let error = failure.unwrap_or_default();
    tracing::error!(listener = listener.name(), position = event.position, error, "fact parked");
    park(k, listener.name(), event, &error).await
}

async fn attempt(k: &Kernel, listener: &dyn Listener, event: &Event) -> Result<()> {
    let mut tx = k.begin(&Cx::kernel(listener.name(), k.clock.now())).await?;
    if listener.memory() == Memory::Shared {
        // Heard before a crash that came between this commit and the batch's: not again.
        let seen = tx.query(
            "SELECT position FROM kernel_listener WHERE name = $1 AND position >= $2 {for_update}",
            params![listener.name(), event.position],
        );
        if !seen.await?.is_empty() {
            return Ok(());
        }
    }
    listener.hear(k, &mut tx, event).await?;
    if listener.memory() == Memory::Shared {
        tx.execute(REMEMBER, params![listener.name(), event.position]).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn parked_subject(k: &Kernel, listener: &str, event: &Event) -> Result<bool> {
    let sql = "SELECT 1 AS one FROM kernel_parked
               WHERE listener = $1 AND subject_kind = $2 AND subject_id = $3 AND position < $4 LIMIT 1";
    let p = params![listener, &event.subject.kind, &event.subject.id, event.position];
    Ok(!k.db.query(sql, p).await?.is_empty())
}

async fn park(k: &Kernel, listener: &str, event: &Event, error: &str) -> Result<()> {
    let mut tx = k.begin(&Cx::kernel(listener, k.clock.now())).await?;
    let sql = "INSERT INTO kernel_parked (listener, position, subject_kind, subject_id, error, parked_at)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (listener, position) DO NOTHING";
    let s = &event.subject;
    tx.execute(sql, params![listener, event.position, &s.kind, &s.id, error, k.clock.now()]).await?;
    tx.execute(REMEMBER, params![listener, event.position]).await?;
    tx.commit().await?;
    Ok(())
}

/// All parked facts, oldest first.
pub async fn parked(k: &Kernel) -> Result<Vec<Parked>> {
    let sql = "SELECT listener, position, subject_kind, subject_id, error, parked_at FROM kernel_parked
               ORDER BY listener, position LIMIT 1000";
    k.db.query(sql, vec![])
        .await?
        .iter()
        .map(|r| {
            Ok(Parked {
                listener: r.text("listener")?,
                position: r.int("position")?,
                subject_kind: r.text("subject_kind")?,
                subject_id: r.text("subject_id")?,
                error: r.text("error")?,
                parked_at: r.time("parked_at")?,
            })
        })
        .collect()
}

/// A listener of this process that has not heard everything yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// Which listener.
    pub listener: &'static str,
    /// When the first fact it has not heard was recorded.
    pub since: Timestamp,
}

/// The listeners that have not heard everything yet; a moment's delay is usual.
pub async fn behind(k: &Kernel) -> Result<Vec<Behind>> {
    let sql = "SELECT at FROM kernel_journal WHERE position > $1 ORDER BY position LIMIT 1";
    let mut behind = Vec::new();
    for (listener, reached) in k.heard() {
        if let Some(row) = k.db.query_opt(sql, params![reached]).await? {
            behind.push(Behind { listener, since: row.time("at")? });
        }
    }
    Ok(behind)
}

/// Tries a listener's parked facts again in order; stops at the first that still fails for its subject.
/// Returns how many were heard.
pub async fn retry_parked(k: &Kernel, listener: &dyn Listener) -> Result<u32> {
    let mut heard = 0;
    let mut failed_subjects = Vec::new();
    for p in parked(k).await?.into_iter().filter(|p| p.listener == listener.name()) {
        let subject = (p.subject_kind.clone(), p.subject_id.clone());
        if failed_subjects.contains(&subject) {
            continue;
        }
        let Some(event) = journal::read(&k.db, p.position - 1, 1).await?.pop() else { continue };
        let mut tx = k.begin(&Cx::kernel(listener.name(), k.clock.now())).await?;
        if let Err(e) = listener.hear(k, &mut tx, &event).await {
            tracing::warn!(
                listener = listener.name(),
                position = p.position,
                error = e.chain(),
                "still fails"
            );
            failed_subjects.push(subject);
            continue;
        }
        let sql = "DELETE FROM kernel_parked WHERE listener = $1 AND position = $2";
        tx.execute(sql, params![listener.name(), p.position]).await?;
        tx.commit().await?;
        heard += 1;
    }
    if heard > 0 {
        listener.settled(k).await?;
    }
    Ok(heard)
}
