//! `cargo xtask faults`: many kill rounds on the release build; the report is printed so that it can be committed.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use scenarios::faults::{self, Plan};

/// How many rounds, from which seed.
#[derive(clap::Args)]
pub struct Options {
    /// Kills
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    /// The same seed gives the same moments and calls
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Consumers that call at once
    #[arg(long, default_value_t = 16)]
    callers: usize,
    /// Longest time between the first call and the kill, milliseconds
    #[arg(long, default_value_t = 3_000)]
    longest: u64,
    /// Data directory, kept afterwards; a new one that goes away unless given
    #[arg(long)]
    data: Option<PathBuf>,
    /// Arguments for `lienthong demo`
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Runs the rounds; fails when anything was wrong.
///
/// # Errors
/// When the platform cannot be started, or lost or doubled something.
pub fn run(options: &Options) -> Result<()> {
    let binary = crate::build::release()?;
    let (data, _scratch) = crate::data_directory(options.data.as_ref())?;
    let plan = Plan {
        rounds: options.rounds,
        seed: options.seed,
        callers: options.callers,
        shortest: Duration::from_millis(50),
        longest: Duration::from_millis(options.longest),
    };
    let start = scenarios::Options {
        binary,
        data,
        listen: None,
        arguments: options.arguments.clone(),
        environment: vec![],
        core: None,
        patience: Duration::from_secs(120),
    };
    println!("{}", crate::build::circumstances());
    println!("{} rounds, seed {}, {} callers", plan.rounds, plan.seed, plan.callers);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(faults::run(&plan, start))?;
    print!("{}", report.table());
    ensure!(report.answered() > 0, "no call was answered: nothing was tested");
    ensure!(report.wrong().is_empty(), "{} things are wrong", report.wrong().len());
    Ok(())
}
