//! How long an outage stays unknown: from the moment a provider's port closes until the morning page names it, and until
//! the message is in the mailbox of who is on duty; whether both name the side at fault, the alert's page who was told,
//! and whether one click tells the consumers.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base::clock::Stopwatch;
use scenarios::extra_service::Consumer;
use scenarios::person::Arrived;
use scenarios::{Caller, Options as Start, Person, Platform};
use serde_json::json;
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

/// How the sides are named, in Vietnamese.
const SIDES: [&str; 4] = ["Hệ thống cung cấp", "Bên cung cấp", "Nền tảng", "Đường truyền"];
/// How the subject of a consumer's notice begins.
const NOTICE: &str = "Gián đoạn";
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
    println!("round  on the morning page  message in the mailbox  consumers told after");
    for round in 1..=options.rounds {
        let told = once(&binary).await?;
        let [page, message, consumers] = [told.page, told.message, told.consumers].map(|d| d.as_secs_f64());
        println!("{round:5}  {page:17.1} s  {message:20.1} s  {consumers:18.1} s");
        pages.push(page);
        messages.push(message);
    }
    println!("median: page {:.1} s, message {:.1} s", median(&pages), median(&messages));
    Ok(())
}

/// When who knew.
struct Known {
    /// The morning page names the address.
    page: Duration,
    /// The message is in the mailbox.
    message: Duration,
    /// From the operator's click until a consumer's notice is in the mailbox.
    consumers: Duration,
}

async fn once(binary: &std::path::Path) -> Result<Known> {
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
    let (mut alert, mut page, mut message) = (None, None, None);
    while page.is_none() || message.is_none() {
        if watch.elapsed() > PATIENCE {
            bail!("after {PATIENCE:?}: page {page:?}, message {message:?}");
        }
        if alert.is_none() {
            let alerts = operator.get("/api/upkeep/v1/alerts").await?;
            let items = alerts["items"].as_array().context("a list of alerts")?;
            let is_it = |a: &&serde_json::Value| a["key"].as_str().is_some_and(|key| key.contains(&address));
            alert = items.iter().find(is_it).cloned();
        }
        if let (Some(alert), None) = (&alert, page) {
            let id = alert["alert"].as_str().context("an alert has an identifier")?;
            page = operator.page("/upkeep").await?.contains(id).then(|| watch.elapsed());
        }
        if message.is_none() {
            let is_it = |m: &Arrived| m.text.contains(&address);
            message = operator.mailbox().await?.into_iter().find(is_it).map(|m| (watch.elapsed(), m));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let alert = alert.context("an alert")?;
    let (after, arrived) = message.context("a message")?;
    let consumers = judged(&operator, &alert, &arrived).await?;
    platform.stop().await?;
    Ok(Known { page: page.unwrap_or_default(), message: after, consumers })
}

/// Whether what was told names the side, the alert's page who was told, and one click tells the consumers. Returns how
/// long their notice took.
async fn judged(operator: &Person, alert: &serde_json::Value, arrived: &Arrived) -> Result<Duration> {
    let cause = alert["cause"].as_str().context("an alert has a cause")?;
    for text in [cause, &arrived.text] {
        ensure!(SIDES.iter().any(|side| text.contains(side)), "no side is named in: {text}");
    }
    let id = alert["alert"].as_str().context("an alert has an identifier")?;
    let told = operator.get(&format!("/api/upkeep/v1/alerts/{id}/told")).await?;
    let first = &told[0];
    ensure!(first["whom"].is_string() && first["over"].is_string(), "nobody was told: {told}");
    let page = operator.page(&format!("/upkeep/alerts/{id}")).await?;
    let mut offered = page.split("href=\"").filter_map(|part| part.split('"').next());
    let act = offered.find(|href| href.ends_with("/outage")).context("no notice is offered")?;
    let watch = Stopwatch::start();
    let address = format!("/api{}", act.replacen("/exchange", "/exchange/v1", 1));
    let answer = operator.post(&address, &json!({})).await?.error_for_status()?;
    let count: serde_json::Value = serde_json::from_str(&answer.text().await?)?;
    ensure!(count["consumers"].as_i64().is_some_and(|n| n > 0), "no consumer was told: {count}");
    let is_it = |m: &Arrived| m.subject.starts_with(NOTICE);
    while !operator.mailbox().await?.iter().any(is_it) {
        ensure!(watch.elapsed() < PATIENCE, "no consumer's notice after {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(watch.elapsed())
}
