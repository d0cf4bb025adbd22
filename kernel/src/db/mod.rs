//! Storage of truth: one API on SQLite and PostgreSQL. Reads of committed data go to [`Db`]; everything that
//! changes goes through a [`Transaction`], which the kernel wraps with journal, jobs and audit.

mod driver;
mod effect;
mod lite;
mod migrate;
mod pg;
mod snapshot;
mod value;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base::clock::Stopwatch;
use base::error::{Error, Result};

pub use effect::{Effect, effect};
pub use migrate::{Migration, migrate, migrate_where, pending};
pub use snapshot::{Snapshot, Table};
pub use value::{ColumnError, Row, Value};

/// Which engine holds the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The embedded default.
    Sqlite,
    /// When one machine is outgrown.
    Postgres,
}

/// A transaction that leaves the writer idle for longer than this has awaited something other than SQL.
const IDLE_LIMIT: Duration = Duration::from_millis(50);

#[derive(Clone)]
enum Engine {
    Lite(lite::Lite),
    Pg(sqlx::PgPool),
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    engine: Engine,
    file: Option<PathBuf>,
    idle_violations: Arc<AtomicU64>,
}

impl Db {
    /// Opens SQLite at `path`, creating the file if need be.
    pub async fn sqlite(path: &Path) -> Result<Self> {
        let engine = Engine::Lite(lite::Lite::open(path, 4).await?);
        Ok(Self { engine, file: Some(path.to_path_buf()), idle_violations: Arc::default() })
    }

    /// Connects to PostgreSQL.
    pub async fn postgres(url: &str, connections: u32) -> Result<Self> {
        let engine = Engine::Pg(pg::open(url, connections).await?);
        Ok(Self { engine, file: None, idle_violations: Arc::default() })
    }

    /// Opens what `url` names: `sqlite:PATH` or `postgres://…`.
    pub async fn open(url: &str) -> Result<Self> {
        match url.strip_prefix("sqlite:") {
            Some(path) => Self::sqlite(Path::new(path)).await,
            None => Self::postgres(url, 16).await,
        }
    }

    /// The engine in use.
    pub fn backend(&self) -> Backend {
        match self.engine {
            Engine::Lite(_) => Backend::Sqlite,
            Engine::Pg(_) => Backend::Postgres,
        }
    }

    /// Open connections for reading (on PostgreSQL for everything), and how many of them are free.
    pub fn connections(&self) -> (u32, u32) {
        let free = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        match &self.engine {
            Engine::Lite(lite) => (lite.readers().size(), free(lite.readers().num_idle())),
            Engine::Pg(pool) => (pool.size(), free(pool.num_idle())),
        }
    }

    /// The SQLite file, if that is the engine.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Reads committed data.
    pub async fn query(&self, sql: &str, params: Vec<Value>) -> Result<Vec<Row>> {
        match &self.engine {
            Engine::Lite(l) => {
                let mut c = l.readers().acquire().await.map_err(driver::fault)?;
                driver::lite_query(&mut c, sql, params).await
            }
            Engine::Pg(p) => {
                let mut c = p.acquire().await.map_err(driver::fault)?;
                driver::pg_query(&mut c, sql, params).await
            }
        }
    }

    /// Reads at most one row of committed data.
    pub async fn query_opt(&self, sql: &str, params: Vec<Value>) -> Result<Option<Row>> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// Reads one row of committed data, which must exist.
    pub async fn query_one(&self, sql: &str, params: Vec<Value>) -> Result<Row> {
        self.query_opt(sql, params).await?.ok_or(Error::NotFound { kind: "row" })
    }

    /// Begins a bare transaction. Modules use `Kernel::begin`, which adds audit, journal and jobs.
    pub async fn begin(&self) -> Result<Transaction> {
        let inner = match &self.engine {
            Engine::Lite(l) => Inner::Lite(l.begin().await?),
            Engine::Pg(p) => Inner::Pg(p.begin().await.map_err(driver::fault)?),
        };
        Ok(Transaction {
            inner,
            idle_since: Stopwatch::start(),
            idle_violations: self.idle_violations.clone(),
        })
    }

    /// How often an action held its transaction open while awaiting something other than SQL.
    pub fn idle_violations(&self) -> u64 {
        self.idle_violations.load(Ordering::Relaxed)
    }

    /// Writes a consistent copy of a SQLite database to a new file while work goes on.
    pub async fn copy_to(&self, path: &Path) -> Result<()> {
        match &self.engine {
            Engine::Lite(l) => l.copy_to(path).await,
            Engine::Pg(_) => Err(Error::internal("only SQLite is copied as a file")),
        }
    }

    /// A consistent view of all committed data, for backups and exports.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        match &self.engine {
            Engine::Lite(l) => Snapshot::lite(l.readers()).await,
            Engine::Pg(p) => Snapshot::pg(p).await,
        }
    }

    /// Finishes running actions and closes all connections.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Lite(l) => l.close().await,
            Engine::Pg(p) => p.close().await,
        }
    }
}

enum Inner {
    Lite(lite::LiteTx),
    Pg(sqlx::Transaction<'static, sqlx::Postgres>),
}

/// A transaction. Dropping it undoes everything; [`Transaction::commit`] returns when it is durable.
pub struct Transaction {
    inner: Inner,
    idle_since: Stopwatch,
    idle_violations: Arc<AtomicU64>,
}

impl Transaction {
    /// Which engine this transaction runs on.
    pub fn backend(&self) -> Backend {
        match self.inner {
            Inner::Lite(_) => Backend::Sqlite,
            Inner::Pg(_) => Backend::Postgres,
        }
    }

    /// Changes rows; returns how many.
    pub async fn execute(&mut self, sql: &str, params: Vec<Value>) -> Result<u64> {
        self.watch(sql);
        let done = match &mut self.inner {
            Inner::Lite(t) => driver::lite_execute(t.conn()?, sql, params).await,
            Inner::Pg(t) => driver::pg_execute(t, sql, params).await,
        };
        self.idle_since = Stopwatch::start();
        done
    }

    /// Reads rows, seeing what this transaction has written.
    pub async fn query(&mut self, sql: &str, params: Vec<Value>) -> Result<Vec<Row>> {
        self.watch(sql);
        let rows = match &mut self.inner {
            Inner::Lite(t) => driver::lite_query(t.conn()?, sql, params).await,
            Inner::Pg(t) => driver::pg_query(t, sql, params).await,
        };
        self.idle_since = Stopwatch::start();
        rows
    }

    /// Makes the work durable. On SQLite one COMMIT may serve several actions; if it fails, all of them fail.
    pub async fn commit(mut self) -> Result<()> {
        self.watch("COMMIT");
        match self.inner {
            Inner::Lite(t) => t.commit().await,
            Inner::Pg(t) => t.commit().await.map_err(driver::fault),
        }
    }

    /// Runs a migration script.
    async fn script(&mut self, sql: String) -> Result<()> {
        match &mut self.inner {
            Inner::Lite(t) => driver::lite_script(t.conn()?, sql).await,
            Inner::Pg(t) => driver::pg_script(t, sql).await,
        }
    }

    fn watch(&mut self, next: &str) {
        let idle = self.idle_since.elapsed();
        if idle > IDLE_LIMIT {
            self.idle_violations.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                idle_ms = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX),
                next,
                "a transaction stood idle: only SQL may be awaited between begin and commit"
            );
        }
    }
}
