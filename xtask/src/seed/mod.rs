//! A believable year of a province, written through the real tables: for pages and reports to be judged on. Begins with a
//! demonstration (units, agencies, accounts), then each seeder of a plain list adds its part. People and systems are
//! invented; seeded calls have rows and figures, but no evidence in the log.

mod registry;
mod shape;
mod traffic;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base::clock::{Clock, Stopwatch, SystemClock, Timestamp};
use kernel::db::{Db, Transaction, Value};
use scenarios::{Options as Start, Platform};

/// How much of it.
#[derive(clap::Args)]
pub struct Options {
    /// Directory for the data; must not hold any yet
    #[arg(long)]
    to: PathBuf,
    /// Services
    #[arg(long, default_value_t = 10_000)]
    services: usize,
    /// Agreements
    #[arg(long, default_value_t = 50_000)]
    agreements: usize,
    /// Calls of the year, in the figures by day and month
    #[arg(long, default_value_t = 100_000_000)]
    calls: u64,
    /// Newest days of which figures by the hour are written
    #[arg(long, default_value_t = 62)]
    hour_days: i64,
    /// Newest days of which calls are written as rows too, about 1 KiB each
    #[arg(long, default_value_t = 7)]
    call_days: i64,
    /// An empty PostgreSQL database, postgres://…; without it the data lies in SQLite
    #[arg(long)]
    database: Option<String>,
    /// The program to begin with; without it LIENTHONG_BIN, or a release build made now
    #[arg(long)]
    bin: Option<PathBuf>,
}

/// What seeders work with.
struct Ground<'a> {
    db: Db,
    options: &'a Options,
    now: Timestamp,
    registry: registry::Registry,
}

/// Rows in one statement.
const ROWS: usize = 50;

/// Rows of one table on their way into it, many in one statement.
struct Rows {
    insert: String,
    columns: usize,
    waiting: Vec<Value>,
    /// Rows written.
    count: u64,
}

impl Rows {
    fn new(table: &str, columns: &str) -> Self {
        let insert = format!("INSERT INTO {table} ({columns}) VALUES ");
        Self { insert, columns: columns.split(',').count(), waiting: Vec::new(), count: 0 }
    }

    async fn add(&mut self, tx: &mut Transaction, row: Vec<Value>) -> Result<()> {
        debug_assert_eq!(row.len(), self.columns);
        self.waiting.extend(row);
        self.count += 1;
        // SQLite looks parameters up one after the other: many in a statement cost more than many statements.
        if self.waiting.len() / self.columns >= ROWS { self.flush(tx).await } else { Ok(()) }
    }

    async fn flush(&mut self, tx: &mut Transaction) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let rows = self.waiting.len() / self.columns;
        let row = |r: usize| {
            let marks: Vec<String> =
                (1..=self.columns).map(|c| format!("${}", r * self.columns + c)).collect();
            format!("({})", marks.join(", "))
        };
        let marks: Vec<String> = (0..rows).map(row).collect();
        tx.execute(&format!("{}{}", self.insert, marks.join(", ")), std::mem::take(&mut self.waiting))
            .await?;
        Ok(())
    }
}

/// Writes it.
///
/// # Errors
/// When the directory is not empty, the program does not start, or the disk is full.
pub fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(all(options))
}

async fn all(options: &Options) -> Result<()> {
    let there = options.to.read_dir().is_ok_and(|mut d| d.next().is_some());
    ensure!(!there, "{} is not empty", options.to.display());
    let platform = Platform::start(Start {
        binary: crate::build::named_or_release(options.bin.as_deref())?,
        data: options.to.clone(),
        listen: None,
        arguments: vec!["--rate".into(), "0".into()],
        core: None,
        environment: database(options.database.as_deref()),
        patience: Duration::from_secs(180),
    })
    .await?;
    platform.stop().await?;
    let file = options.to.join("lienthong.db");
    let db = match &options.database {
        Some(url) => Db::postgres(url, 4).await?,
        None => Db::sqlite(&file).await?,
    };
    let mut ground = Ground { db, options, now: SystemClock.now(), registry: registry::Registry::default() };
    // A module that has a year of its own adds its seeder here.
    step("members, systems, services, agreements", registry::seed(&mut ground)).await?;
    step("figures of the year's calls", traffic::figures(&mut ground)).await?;
    step("rows of the newest calls", traffic::rows(&mut ground)).await?;
    ground.db.close().await;
    if let Ok(file) = std::fs::metadata(&file) {
        println!("{}: {:.1} MiB", options.to.display(), crate::bench::mib(file.len()));
    }
    Ok(())
}

/// The setting that makes the platform use another database than the file in its data directory.
pub(crate) fn database(url: Option<&str>) -> Vec<(String, String)> {
    url.map(|url| ("LIENTHONG_DATABASE__URL".to_owned(), url.to_owned())).into_iter().collect()
}

async fn step(name: &str, seeding: impl Future<Output = Result<u64>>) -> Result<()> {
    let watch = Stopwatch::start();
    let rows = seeding.await.with_context(|| name.to_owned())?;
    println!("{name}: {rows} rows in {:.1} s", watch.elapsed().as_secs_f64());
    Ok(())
}
