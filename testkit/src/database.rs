//! Throw-away databases: every storage test runs on SQLite and, when `LIENTHONG_TEST_PG` names a server, on
//! PostgreSQL. What is skipped is said and counted.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use kernel::clock::MovableClock;
use kernel::config::Config;
use kernel::db::Db;
use kernel::ids;
use kernel::keys::Keys;
use kernel::random::SystemRandom;
use kernel::{Kernel, Module, Parts};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// Says that part of a test could not run here. `./test` counts these lines.
pub fn skip(reason: &str) {
    eprintln!("SKIP {reason}");
}

/// A kernel on a throw-away database, with a clock that can be moved.
pub struct TestKernel {
    /// The kernel, migrated.
    pub kernel: Kernel,
    /// Its clock.
    pub clock: Arc<MovableClock>,
    /// Its directory, removed at the end.
    pub dir: tempfile::TempDir,
    drop_database: Option<String>,
    /// `sqlite` or `postgres`, for messages.
    pub backend: &'static str,
}

/// Runs `test` on a kernel with the given modules on every backend there is.
pub async fn on_both<F, Fut>(modules: &[Arc<dyn Module>], test: F)
where
    F: Fn(Arc<TestKernel>) -> Fut,
    Fut: Future<Output = ()>,
{
    for backend in backends() {
        let t = Arc::new(TestKernel::new(backend, modules).await);
        eprintln!("— on {}", t.backend);
        test(t.clone()).await;
        t.close().await;
    }
}

/// The backends that can be tested here.
pub fn backends() -> Vec<&'static str> {
    let mut all = vec!["sqlite"];
    match std::env::var("LIENTHONG_TEST_PG") {
        Ok(_) => all.push("postgres"),
        Err(_) => skip("PostgreSQL: LIENTHONG_TEST_PG is not set"),
    }
    all
}

/// A fresh database and the server's address to drop it from, if that is needed.
pub async fn fresh(backend: &str, dir: &Path) -> (String, Option<String>) {
    if backend == "sqlite" {
        return (format!("sqlite:{}", dir.join("test.db").display()), None);
    }
    let server = std::env::var("LIENTHONG_TEST_PG").expect("LIENTHONG_TEST_PG is set");
    let name = format!("lt_{}", ids::uuid_v4(&SystemRandom).simple());
    let mut conn = PgConnection::connect(&server).await.expect("the test PostgreSQL answers");
    // A server's template may lag behind for a moment while many tests copy it at once.
    let sql = format!(
        "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
    );
    conn.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.expect("a test database can be made");
    let (base, _) = server.rsplit_once('/').expect("the address names a database");
    (format!("{base}/{name}"), Some(name))
}

impl TestKernel {
    /// A kernel on a fresh database.
    pub async fn new(backend: &'static str, modules: &[Arc<dyn Module>]) -> Self {
        Self::with_config(backend, modules, "").await
    }

    /// As [`TestKernel::new`], with the text of a configuration file.
    pub async fn with_config(backend: &'static str, modules: &[Arc<dyn Module>], config: &str) -> Self {
        let t = Self::bare(backend, config).await;
        t.kernel.migrate(modules).await.expect("migrations apply");
        t
    }

    /// A kernel on an empty database without tables: what a restore needs.
    pub async fn unmigrated(backend: &'static str) -> Self {
        Self::bare(backend, "").await
    }

    async fn bare(backend: &'static str, config: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (url, drop_database) = fresh(backend, dir.path()).await;
        let db = Db::open(&url).await.expect("the database opens");
        let clock = Arc::new(MovableClock::new());
        let kernel = Kernel::new(Parts {
            db,
            clock: clock.clone(),
            random: Arc::new(SystemRandom),
            keys: Arc::new(Keys::from_bytes([42; 32])),
            config: Config::from_text(None, config.to_owned(), []).expect("the configuration is TOML"),
            data_dir: dir.path().to_path_buf(),
        });
        Self { kernel, clock, dir, drop_database, backend }
    }

    /// Stops background work and removes the database.
    pub async fn close(&self) {
        self.kernel.close().await;
        if let Some(name) = &self.drop_database {
            let server = std::env::var("LIENTHONG_TEST_PG").expect("LIENTHONG_TEST_PG is set");
            let mut conn = PgConnection::connect(&server).await.expect("the test PostgreSQL answers");
            let sql = format!("DROP DATABASE {name} WITH (FORCE)");
            let _ = conn.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await;
        }
    }
}
