//! How many ends of terms a second one core finds: builds and starts the example of the calendar's own crate.

use std::process::Command;

use anyhow::{Context, Result, ensure};

/// How much.
#[derive(clap::Args)]
pub struct Options {
    /// Millions of computations of each kind
    #[arg(long, default_value_t = 10)]
    millions: u32,
}

/// Measures and prints.
///
/// # Errors
/// When the example cannot be built or fails.
pub fn run(options: &Options) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args([
            "run",
            "--quiet",
            "--release",
            "--locked",
            "--package",
            "workcalendar",
            "--example",
            "speed",
            "--",
        ])
        .arg(options.millions.to_string())
        .current_dir(scenarios::tools::repository())
        .status()
        .context("cargo cannot be run")?;
    ensure!(status.success(), "the measurement failed");
    Ok(())
}
