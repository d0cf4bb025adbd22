//! How long the desk waits for each page on a province's year of data (`cargo xtask seed-province`): as a person who sees
//! everything, and as one of a single agency. Printed, never judged.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use base::clock::Stopwatch;
use scenarios::visitor::Visitor;
use scenarios::{Options as Start, Platform};

/// What to measure on.
#[derive(clap::Args)]
pub struct Options {
    /// The data directory that `seed-province` wrote
    #[arg(long)]
    data: PathBuf,
    /// The PostgreSQL database it wrote, where it did
    #[arg(long)]
    database: Option<String>,
    /// Requests for each page, after one that is not counted
    #[arg(long, default_value_t = 30)]
    rounds: usize,
    /// The program to measure; without it LIENTHONG_BIN, or a release build made now
    #[arg(long)]
    bin: Option<PathBuf>,
}

/// Measures and prints.
///
/// # Errors
/// When the program does not start or a page is not answered.
pub async fn run(options: &Options) -> Result<()> {
    let seeded = options.database.is_some() || options.data.join("lienthong.db").is_file();
    ensure!(seeded, "{} holds no seeded data", options.data.display());
    let platform = Platform::start(Start {
        binary: crate::build::named_or_release(options.bin.as_deref())?,
        data: options.data.clone(),
        listen: None,
        arguments: vec!["--rate".into(), "0".into()],
        core: None,
        environment: crate::seed::database(options.database.as_deref()),
        patience: Duration::from_secs(600),
    })
    .await?;
    println!("{:<12} {:<58} {:>8} {:>8} {:>8}  KiB", "as", "page", "p50 ms", "p95 ms", "p99 ms");
    for role in ["operator", "neighbour"] {
        let visitor = Visitor::sign_in(platform.contract(), role).await?;
        for (name, path) in pages(&visitor).await? {
            measure(&visitor, role, &name, &path, options.rounds).await?;
        }
    }
    platform.stop().await
}

/// What is measured: a name and an address each.
async fn pages(visitor: &Visitor) -> Result<Vec<(String, String)>> {
    let mut pages: Vec<(String, String)> = [
        ("overview", "/exchange"),
        ("traffic, 24 hours", "/exchange/traffic"),
        ("traffic, last hour", "/exchange/traffic?period=hour"),
        ("traffic, 7 days", "/exchange/traffic?period=week"),
        ("traffic, 30 days", "/exchange/traffic?period=month"),
        ("months", "/exchange/reports"),
        ("calls", "/exchange/calls"),
        ("calls, failed", "/exchange/calls?ending=failed"),
        ("calls, provider's side, 7 days", "/exchange/calls?side=provider&period=week"),
        ("calls, by number", "/exchange/calls?number=khong-co-so-nay"),
        ("services", "/exchange/services"),
        ("services, search", "/exchange/services?q=h%E1%BB%99+t%E1%BB%8Bch+99"),
        ("services, search without result", "/exchange/services?q=khong+co"),
        ("agreements", "/exchange/agreements"),
        ("agreements, waiting", "/exchange/agreements?state=waiting"),
        ("agreements, expired", "/exchange/agreements?state=expired"),
        ("agreements, search", "/exchange/agreements?q=00999"),
        ("members", "/exchange/members"),
        ("subsystems", "/exchange/subsystems"),
    ]
    .map(|(name, path)| (name.to_owned(), path.to_owned()))
    .to_vec();
    for (list, name) in
        [("calls", "call"), ("services", "service"), ("agreements", "agreement"), ("subsystems", "subsystem")]
    {
        let page = format!("/exchange/{list}");
        if let Some(next) = link(visitor, &page, &format!("{page}?after="), 8).await? {
            pages.push((format!("{list}, next page"), next));
        }
        let Some(one) = link(visitor, &page, &format!("{page}/0"), 8).await? else { continue };
        if list != "calls" {
            pages.push((format!("{name}'s traffic, 30 days"), format!("{one}/traffic?period=month")));
        }
        if list == "agreements" {
            pages.push(("statement of an agreement".to_owned(), format!("{one}/statement")));
        }
        pages.push((name.to_owned(), one));
    }
    if let Some(month) = link(visitor, "/exchange/reports", "/exchange/reports/2", 6).await? {
        pages.push(("report of a month".to_owned(), month));
    }
    Ok(pages)
}

/// The text of a page.
async fn read(visitor: &Visitor, path: &str) -> Result<String> {
    let shown = visitor.open(path).await?;
    ensure!(shown.status.is_success(), "{path} was answered with {}", shown.status);
    Ok(shown.text)
}

/// The first link of a page that begins so and goes on for a while.
async fn link(visitor: &Visitor, page: &str, begin: &str, more: usize) -> Result<Option<String>> {
    let text = read(visitor, page).await?;
    let links = text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut links = links.map(|l| l.replace("&#38;", "&").replace("&amp;", "&"));
    Ok(links.find(|l| l.starts_with(begin) && l.len() >= begin.len() + more))
}

async fn measure(visitor: &Visitor, role: &str, name: &str, path: &str, rounds: usize) -> Result<()> {
    let mut size = read(visitor, path).await?.len();
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let watch = Stopwatch::start();
        size = read(visitor, path).await?.len();
        times.push(watch.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied().unwrap_or(0.0)
    };
    println!("{role:<12} {name:<58} {:8.1} {:8.1} {:8.1}  {}", at(50), at(95), at(99), size / 1024);
    Ok(())
}
