//! What every module relies on, in one handle, and the transaction that carries journal, jobs and audit with the
//! tables: one action, one transaction, one recorded fact.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use base::clock::{Clock, Timestamp};
use base::config::Config;
use base::error::{Error, Result};
use base::ids::Ref;
use base::random::Random;
use tokio::sync::{OnceCell, watch};

use crate::blobs::erasures::{self, Erasure};
use crate::blobs::{self, Blobs};
use crate::cx::{Actor, Cx};
use crate::db::{self, Backend, Db, Row, Transaction, Value};
use crate::jobs::{JobBody, JobId};
use crate::journal::Fact;
use crate::keys::Keys;
use crate::listeners::Listener;
use crate::module::Module;
use crate::{audit, calendar, jobs, journal, listeners, migrations, params};

/// What the kernel is built from.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The random source.
    pub random: Arc<dyn Random>,
    /// The master key.
    pub keys: Arc<Keys>,
    /// The configuration.
    pub config: Config,
    /// The directory for everything that is not in the database.
    pub data_dir: PathBuf,
}

/// See [`Kernel`], which derefs to this.
pub struct Inner {
    /// The database, for reading committed data.
    pub db: Db,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The random source.
    pub random: Arc<dyn Random>,
    /// The master key.
    pub keys: Arc<Keys>,
    /// The configuration.
    pub config: Config,
    /// The directory for everything that is not in the database.
    pub data_dir: PathBuf,
    journal_bell: watch::Sender<u64>,
    jobs_bell: watch::Sender<u64>,
    stop: watch::Sender<bool>,
    progress: Mutex<HashMap<&'static str, watch::Receiver<i64>>>,
    content: OnceCell<Blobs>,
    /// Calendars laid out.
    pub(crate) laid: calendar::Laid,
    /// One writer at a time of the list of erasures.
    pub(crate) erasures: Mutex<()>,
}

/// The kernel: cheap to clone, passed to every action.
#[derive(Clone)]
pub struct Kernel(Arc<Inner>);

impl std::ops::Deref for Kernel {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Kernel {
    /// Builds the kernel; tables are made by [`Kernel::migrate`], work begins with [`Kernel::run`].
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            db: parts.db,
            clock: parts.clock,
            random: parts.random,
            keys: parts.keys,
            config: parts.config,
            data_dir: parts.data_dir,
            journal_bell: watch::Sender::new(0),
            jobs_bell: watch::Sender::new(0),
            stop: watch::Sender::new(false),
            progress: Mutex::default(),
            content: OnceCell::new(),
            laid: calendar::Laid::default(),
            erasures: Mutex::default(),
        }))
    }

    /// The content store in the data directory, opened when it is first asked for: upkeep commands that do not need
    /// it leave it to the process that has it open.
    ///
    /// # Errors
    /// As [`Blobs::open`]; asking again tries again.
    pub async fn blobs(&self) -> Result<&Blobs> {
        let open = async || {
            let parts = blobs::Parts {
                db: self.db.clone(),
                keys: self.keys.clone(),
                clock: self.clock.clone(),
                random: self.random.clone(),
                disk: Arc::new(stream::RealDisk),
                dir: self.data_dir.join(blobs::DIR),
            };
            blobs::blocking(move || Blobs::open(parts)).await
        };
        self.content.get_or_try_init(open).await
    }

    /// Brings the schema of the kernel and the modules up to date. Returns the steps applied.
    pub async fn migrate(&self, modules: &[Arc<dyn Module>]) -> Result<Vec<String>> {
        db::migrate(&self.db, &*self.clock, &schema(modules)).await
    }

    /// Starts the modules' listeners and jobs in the background.
    pub fn run(&self, modules: &[Arc<dyn Module>]) {
        let mut handlers = Vec::new();
        for module in modules {
            for listener in module.listeners() {
                self.listen(listener);
            }
            handlers.extend(module.jobs());
        }
        tokio::spawn(jobs::run(self.clone(), handlers));
    }

    /// Starts one listener in the background.
    pub fn listen(&self, listener: Arc<dyn Listener>) {
        let (progress, seen) = watch::channel(-1);
        let name = listener.name();
        self.progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(name, seen);
        tokio::spawn(listeners::run(self.clone(), listener, progress));
    }

    /// The listeners of this process, each with the position it has reached; -1 before it has begun.
    pub fn heard(&self) -> Vec<(&'static str, i64)> {
        let progress = self.progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut heard: Vec<_> = progress.iter().map(|(name, at)| (*name, *at.borrow())).collect();
        heard.sort_unstable();
        heard
    }

    /// Tells background work to stop.
    pub fn stop(&self) {
        let _ = self.stop.send(true);
    }

    /// Stops background work, then closes the content store and the database.
    pub async fn close(&self) {
        self.stop();
        if let Some(content) = self.content.get().cloned() {
            let closing = tokio::task::spawn_blocking(move || content.close()).await;
            if let Err(e) = closing {
                tracing::error!(error = %e, "the content store did not close well");
            }
        }
        self.db.close().await;
    }

    /// Changes to `true` when background work should stop.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    pub(crate) fn journal_bell(&self) -> watch::Receiver<u64> {
        self.journal_bell.subscribe()
    }

    pub(crate) fn jobs_bell(&self) -> watch::Receiver<u64> {
        self.jobs_bell.subscribe()
    }

    /// Begins an action.
    pub async fn begin(&self, cx: &Cx) -> Result<Tx> {
        let inner = self.db.begin().await?;
        let kernel = self.clone();
        Ok(Tx {
            inner,
            kernel,
            cx: cx.clone(),
            wrote: false,
            audited: false,
            facts: Vec::new(),
            jobs: 0,
            erased: Vec::new(),
        })
    }

    /// Runs an action again (up to five times) when PostgreSQL asks for it: serialization failure or deadlock.
    pub async fn retrying<T>(&self, mut action: impl AsyncFnMut() -> Result<T>) -> Result<T> {
        let mut tries = 0;
        loop {
            match action().await {
                Err(Error::Unavailable { what: "database", .. }) if tries < 4 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(5 << tries)).await;
                }
                other => return other,
            }
        }
    }

    /// Waits until `listener` has heard everything of a commit, at most two seconds: for pages that show people
    /// the effect of what they just did. Returns whether it has.
    pub async fn wait_for(&self, listener: &str, committed: &Committed) -> bool {
        let seen =
            self.progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(listener).cloned();
        let (Some(mut seen), Some(last)) = (seen, committed.facts.last().copied()) else { return true };
        let waiting = async {
            let Ok(position) = self.position_of(last).await else { return false };
            seen.wait_for(|p| *p >= position).await.is_ok()
        };
        tokio::time::timeout(Duration::from_secs(2), waiting).await.unwrap_or(false)
    }

    async fn position_of(&self, seq: i64) -> Result<i64> {
        loop {
            journal::ORDER.assign(&self.db).await?;
            let sql = "SELECT position FROM kernel_journal WHERE seq = $1";
            if let Some(p) = self.db.query_one(sql, params![seq]).await?.opt_int("position")? {
                return Ok(p);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Reads a setting kept in the database.
    pub async fn setting(&self, name: &str) -> Result<Option<String>> {
        let row =
            self.db.query_opt("SELECT value FROM kernel_setting WHERE name = $1", params![name]).await?;
        row.map(|r| r.text("value")).transpose()
    }
}

/// The ordered schema steps of the kernel and the given modules.
pub fn schema(modules: &[Arc<dyn Module>]) -> Vec<(&'static str, &'static [db::Migration])> {
    let mut all = migrations::all();
    all.extend(modules.iter().map(|m| (m.name(), m.migrations())));
    all
}

/// What a commit recorded.
#[derive(Debug, Clone, Default)]
pub struct Committed {
    facts: Vec<i64>,
}

/// An action: tables, facts, jobs and audit rows that commit together or not at all. Between begin and commit
/// only SQL is awaited.
pub struct Tx {
    inner: Transaction,
    kernel: Kernel,
    cx: Cx,
    wrote: bool,
    audited: bool,
    facts: Vec<i64>,
    jobs: u32,
    /// Keys this action destroys.
    pub(crate) erased: Vec<Erasure>,
}

impl Tx {
    /// Who acts.
    pub fn cx(&self) -> &Cx {
        &self.cx
    }

    /// The kernel, for its clock and random source.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// The engine, for the few statements that differ.
    pub fn backend(&self) -> Backend {
        self.inner.backend()
    }

    /// Changes rows; returns how many.
    pub async fn execute(&mut self, sql: &str, params: Vec<Value>) -> Result<u64> {
        self.wrote = true;
        self.inner.execute(sql, params).await
    }

    /// Reads rows, seeing what this action has written. `{for_update}` locks them.
    pub async fn query(&mut self, sql: &str, params: Vec<Value>) -> Result<Vec<Row>> {
        self.inner.query(sql, params).await
    }

    /// Reads at most one row.
    pub async fn query_opt(&mut self, sql: &str, params: Vec<Value>) -> Result<Option<Row>> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// Records a fact.
    pub async fn publish<F: Fact>(&mut self, fact: &F) -> Result<()> {
        let at = self.kernel.clock.now();
        let seq = journal::append(&mut self.inner, fact, &self.cx.actor.to_string(), at).await?;
        self.facts.push(seq);
        Ok(())
    }

    /// Orders work for after the commit.
    pub async fn enqueue<B: JobBody>(&mut self, body: &B) -> Result<JobId> {
        let now = self.kernel.clock.now();
        self.enqueue_at(body, now).await
    }

    /// Orders work for a later moment.
    pub async fn enqueue_at<B: JobBody>(&mut self, body: &B, run_at: Timestamp) -> Result<JobId> {
        let id = JobId::new(&*self.kernel.clock, &*self.kernel.random);
        let now = self.kernel.clock.now();
        jobs::enqueue(&mut self.inner, id, body, now, run_at).await?;
        self.jobs += 1;
        Ok(id)
    }

    /// Records who did what to what. Every action that changes something needs at least one.
    pub async fn audit(&mut self, action: &str, subject: &Ref, detail: serde_json::Value) -> Result<()> {
        let at = self.kernel.clock.now();
        audit::append(&mut self.inner, &self.cx, at, action, subject, &detail).await?;
        self.audited = true;
        Ok(())
    }

    /// Keeps a setting in the database.
    pub async fn set_setting(&mut self, name: &str, value: &str) -> Result<()> {
        let sql = "INSERT INTO kernel_setting (name, value) VALUES ($1, $2)
                   ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value";
        self.execute(sql, params![name, value]).await?;
        Ok(())
    }

    /// Makes everything durable; returns after that. An action by a person or system that changed tables without
    /// an audit row is refused: it is a fault of the program.
    pub async fn commit(self) -> Result<Committed> {
        if self.wrote && !self.audited && !matches!(self.cx.actor, Actor::Kernel { .. }) {
            return Err(Error::internal("an action that changes something must leave an audit row"));
        }
        self.inner.commit().await?;
        if !self.erased.is_empty()
            && let Err(e) = erasures::note(&self.kernel, self.erased).await
        {
            // What is committed stays so; the list catches up with the table.
            tracing::error!(
                error = e.chain(),
                "an erasure was not noted beside the database; tried again within an hour"
            );
        }
        if !self.facts.is_empty() {
            self.kernel.journal_bell.send_modify(|n| *n += 1);
        }
        if self.jobs > 0 {
            self.kernel.jobs_bell.send_modify(|n| *n += 1);
        }
        Ok(Committed { facts: self.facts })
    }
}
