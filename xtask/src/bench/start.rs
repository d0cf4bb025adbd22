//! How long a person waits for the demonstration, the first time and again, and what it holds in memory at rest.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use scenarios::{Options as Start, Platform, process};

use super::{median, mib};

/// How often and how long.
#[derive(clap::Args)]
pub struct Options {
    /// Starts to measure, each on a new data directory and once more on the same
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of rest before memory is read
    #[arg(long, default_value_t = 20)]
    rest: u64,
    /// Arguments for `lienthong demo`
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Measures and prints.
///
/// # Errors
/// When the program cannot be built or does not become ready.
pub async fn run(options: &Options) -> Result<()> {
    let binary = crate::build::release()?;
    let (mut first, mut again, mut memory) = (vec![], vec![], vec![]);
    println!("round  first start  again  resident at rest");
    for round in 1..=options.rounds {
        let scratch = tempfile::tempdir()?;
        let start = start(&binary, scratch.path().join("data"), &options.arguments);
        let platform = Platform::start(start.clone()).await?;
        let new = platform.ready_after();
        tokio::time::sleep(Duration::from_secs(options.rest)).await;
        let resident = process::resident(platform.pid()?)?;
        platform.stop().await?;
        let platform = Platform::start(start).await?;
        let old = platform.ready_after();
        platform.stop().await?;
        println!(
            "{round:5}  {:9.2} s  {:4.2} s  {:8.1} MiB",
            new.as_secs_f64(),
            old.as_secs_f64(),
            mib(resident)
        );
        first.push(new.as_secs_f64());
        again.push(old.as_secs_f64());
        memory.push(mib(resident));
    }
    println!(
        "median: ready {:.2} s the first time, {:.2} s again; {:.1} MiB resident after {} s with demonstration traffic",
        median(&first),
        median(&again),
        median(&memory),
        options.rest
    );
    Ok(())
}

fn start(binary: &std::path::Path, data: PathBuf, arguments: &[String]) -> Start {
    Start {
        binary: binary.to_owned(),
        data,
        listen: None,
        arguments: arguments.to_vec(),
        environment: vec![],
        core: None,
        patience: Duration::from_secs(120),
    }
}
