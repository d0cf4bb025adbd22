//! How long an outage stays unknown: from the moment a provider's port closes until the morning page names it, and until
//! the message is in the mailbox of who is on duty.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base::clock::Stopwatch;
use scenarios::extra_service::Consumer;
use scenarios::{Caller, Options as Start, Person, Platform};
use tokio::net::TcpListener;

use super::median;

/// What to measure with.
#[derive(clap::Args)]
pub struct Options {
    /// Stops to measure
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The program; built in release unless given
    #[arg(long)]
    bin: Option<PathBuf>,
}

/// Longest wait for either.
const PATIENCE: Duration = Duration::from_secs(180);
/// Time for the platform to find its providers well.
const SETTLE: Duration = Duration::from_secs(10);

/// Measures and prints.
///
/// # Errors
/// When the program cannot be built or started, or nobody is told within three minutes.
pub async fn run(options: &Options) -> Result<()> {
    let binary = crate::build::named_or_release(options.bin.as_deref())?;
    let (mut pages, mut messages) = (vec![], vec![]);
    println!("round  on the morning page  message in the mailbox");
    for round in 1..=options.rounds {
        let (page, message) = once(&binary).await?;
        println!("{round:5}  {:17.1} s  {:20.1} s", page.as_secs_f64(), message.as_secs_f64());
        pages.push(page.as_secs_f64());
        messages.push(message.as_secs_f64());
    }
    println!("median: page {:.1} s, message {:.1} s", median(&pages), median(&messages));
    Ok(())
}

async fn once(binary: &std::path::Path) -> Result<(Duration, Duration)> {
    let scratch = tempfile::tempdir()?;
    let mut start = Start::new(&scratch.path().join("data"))?;
    binary.clone_into(&mut start.binary);
    let platform = Platform::start(start.clone()).await?;
    let consumer = Consumer::of(&Caller::new(platform.contract()).await?).await?;
    platform.stop().await?;
    let provider = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
    let address = provider.local_addr()?.to_string();
    consumer.register(&start.binary, &start.data, &format!("http://{address}")).await?;
    let platform = Platform::start(start).await?;
    let operator = Person::signed_in(platform.contract(), "operator").await?;
    // Looks are connections that say nothing: the backlog of the listener answers them.
    tokio::time::sleep(SETTLE).await;
    drop(provider);
    let watch = Stopwatch::start();
    let (mut page, mut message) = (None, None);
    while page.is_none() || message.is_none() {
        if watch.elapsed() > PATIENCE {
            bail!("after {PATIENCE:?}: page {page:?}, message {message:?}");
        }
        if page.is_none() {
            let alerts = operator.get("/api/upkeep/v1/alerts").await?;
            let items = alerts["items"].as_array().context("a list of alerts")?;
            let is_it = |a: &serde_json::Value| a["key"].as_str().is_some_and(|key| key.contains(&address));
            page = items.iter().any(is_it).then(|| watch.elapsed());
        }
        if message.is_none() {
            let is_there = operator.mailbox().await?.iter().any(|m| m.text.contains(&address));
            message = is_there.then(|| watch.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    platform.stop().await?;
    Ok((page.unwrap_or_default(), message.unwrap_or_default()))
}
