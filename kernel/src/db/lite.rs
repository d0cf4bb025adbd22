//! SQLite: one writer with WAL and `synchronous=FULL`, many readers. An action leases the writer, works in a
//! savepoint and gives the writer back; one COMMIT then serves every action that finished meanwhile. No timer:
//! the committer stands in the same queue as the actions, so whoever was waiting joins the batch.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base::error::{Error, Result};
use sqlx::ConnectOptions;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use super::driver;

/// Actions that may share one COMMIT; more gain nothing and make a failure wider.
const MAX_BATCH: usize = 64;

/// The single write connection and the actions waiting for its COMMIT.
pub struct Writer {
    conn: SqliteConnection,
    open: bool,
    committer_queued: bool,
    waiting: Vec<oneshot::Sender<Result<(), Arc<Error>>>>,
}

/// Handle to one SQLite database.
#[derive(Clone)]
pub struct Lite {
    writer: Arc<Mutex<Writer>>,
    readers: SqlitePool,
}

/// COMMIT failed for the whole batch.
#[derive(Debug, thiserror::Error)]
#[error("the shared COMMIT failed")]
struct BatchFailed(#[source] Arc<Error>);

impl Lite {
    /// Opens or creates the database file; refuses settings that would lose acknowledged work.
    pub async fn open(path: &Path, readers: u32) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(512)
            .disable_statement_logging();
        let mut conn = options.connect().await.map_err(driver::fault)?;
        refuse_unsafe(&mut conn).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(readers)
            .min_connections(1)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options.read_only(true).create_if_missing(false));
        let writer = Writer { conn, open: false, committer_queued: false, waiting: Vec::new() };
        Ok(Self { writer: Arc::new(Mutex::new(writer)), readers })
    }

    /// The pool of read-only connections.
    pub fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// Leases the writer and opens a savepoint.
    pub async fn begin(&self) -> Result<LiteTx> {
        let guard = self.writer.clone().lock_owned().await;
        // The guard lives in the transaction from the start: a caller that goes away undoes what was begun.
        let mut tx = LiteTx { guard: Some(guard), writer: self.writer.clone() };
        if let Err(e) = tx.open().await {
            tx.guard = None;
            return Err(e);
        }
        driver::lite_execute(tx.conn()?, "SAVEPOINT action", vec![]).await?;
        Ok(tx)
    }

    /// Waits for running actions and closes all connections; the WAL is merged into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        let mut w = self.writer.lock().await;
        finish_batch(&mut w).await;
        let _ = driver::lite_query(&mut w.conn, "PRAGMA wal_checkpoint(TRUNCATE)", vec![]).await;
    }

    /// Writes a consistent copy of the whole database to a new file while work goes on.
    pub async fn copy_to(&self, path: &Path) -> Result<()> {
        let mut conn = self.readers.acquire().await.map_err(driver::fault)?;
        let target = path.to_str().ok_or_else(|| Error::internal("the path is not UTF-8"))?;
        driver::lite_execute(&mut conn, "VACUUM INTO $1", vec![target.into()]).await?;
        Ok(())
    }
}

async fn refuse_unsafe(conn: &mut SqliteConnection) -> Result<()> {
    let mode = driver::lite_query(conn, "PRAGMA journal_mode", vec![]).await?;
    let sync = driver::lite_query(conn, "PRAGMA synchronous", vec![]).await?;
    let mode = mode.first().map(|r| r.text("journal_mode")).transpose()?.unwrap_or_default();
    let sync = sync.first().map(|r| r.int("synchronous")).transpose()?.unwrap_or_default();
    if mode != "wal" || sync < 2 {
        return Err(Error::internal(format!(
            "SQLite must run with journal_mode=wal and synchronous=FULL, found {mode} and {sync}"
        )));
    }
    Ok(())
}

/// An action in progress: the leased writer inside a savepoint.
pub struct LiteTx {
    guard: Option<OwnedMutexGuard<Writer>>,
    writer: Arc<Mutex<Writer>>,
}

impl LiteTx {
    /// The write connection.
    pub fn conn(&mut self) -> Result<&mut SqliteConnection> {
        let guard = self.guard.as_mut().ok_or_else(|| Error::internal("the transaction has ended"))?;
        Ok(&mut guard.conn)
    }

    async fn open(&mut self) -> Result<()> {
        let Some(w) = self.guard.as_mut() else { return Err(Error::internal("the transaction has ended")) };
        if !w.open {
            w.open = true;
            if let Err(e) = driver::lite_execute(&mut w.conn, "BEGIN IMMEDIATE", vec![]).await {
                w.open = false;
                return Err(e);
            }
        }
        Ok(())
    }

    /// Gives the writer back and waits until the shared COMMIT is durable. Runs in a task of its own, so a
    /// caller that goes away cannot leave the writer half-way.
    pub async fn commit(mut self) -> Result<()> {
        let Some(guard) = self.guard.take() else { return Err(Error::internal("the transaction has ended")) };
        let writer = self.writer.clone();
        let done =
            tokio::spawn(async move { release(guard, writer).await }).await.map_err(Error::internal)??;
        match done.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => Err(Error::unavailable("database", BatchFailed(e))),
            Err(_) => Err(Error::internal("the committer stopped before COMMIT")),
        }
    }
}

impl Drop for LiteTx {
    fn drop(&mut self) {
        let Some(guard) = self.guard.take() else { return };
        // Without a runtime the process is ending; an open transaction is rolled back by SQLite itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(undo(guard));
        }
    }
}

async fn undo(mut w: OwnedMutexGuard<Writer>) {
    let back = driver::lite_execute(&mut w.conn, "ROLLBACK TO action", vec![]).await;
    let gone = driver::lite_execute(&mut w.conn, "RELEASE action", vec![]).await;
    if w.waiting.is_empty() || back.is_err() || gone.is_err() {
        // Nobody waits (or the savepoint is in doubt): close the transaction rather than hold the lock.
        abandon(&mut w, back.and(gone).err()).await;
    }
}

async fn abandon(w: &mut Writer, because: Option<Error>) {
    let _ = driver::lite_execute(&mut w.conn, "ROLLBACK", vec![]).await;
    w.open = false;
    let e = Arc::new(because.unwrap_or_else(|| Error::internal("the batch was abandoned")));
    for waiter in w.waiting.drain(..) {
        let _ = waiter.send(Err(e.clone()));
    }
}

type Waiter = oneshot::Receiver<Result<(), Arc<Error>>>;

async fn release(mut w: OwnedMutexGuard<Writer>, writer: Arc<Mutex<Writer>>) -> Result<Waiter> {
    if let Err(e) = driver::lite_execute(&mut w.conn, "RELEASE action", vec![]).await {
        abandon(&mut w, None).await;
        return Err(e);
    }
    let (tell, told) = oneshot::channel();
    w.waiting.push(tell);
    if w.waiting.len() >= MAX_BATCH {
        finish_batch(&mut w).await;
    } else if !w.committer_queued {
        w.committer_queued = true;
        tokio::spawn(async move {
            let mut w = writer.lock().await;
            w.committer_queued = false;
            finish_batch(&mut w).await;
        });
    }
    Ok(told)
}

async fn finish_batch(w: &mut Writer) {
    if !w.open {
        return;
    }
    match driver::lite_execute(&mut w.conn, "COMMIT", vec![]).await {
        Ok(_) => {
            w.open = false;
            for waiter in w.waiting.drain(..) {
                let _ = waiter.send(Ok(()));
            }
        }
        Err(e) => abandon(w, Some(e)).await,
    }
}
