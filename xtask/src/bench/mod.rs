//! Measurements on the built program, each repeatable by anybody with the same command. They print figures and
//! never pass or fail because of them.

mod backup;
mod calendar;
mod gateway;
mod large_body;
mod nginx;
mod outage;
mod pages;
mod provider;
mod start;

use anyhow::Result;

/// What can be measured.
#[derive(clap::Subcommand)]
pub enum Bench {
    /// Calls per second through the gateway on one core, beside nginx as a plain proxy
    Gateway(gateway::Options),
    /// Time until the demonstration is ready, and its memory at rest
    Start(start::Options),
    /// Memory while 2 GiB pass through in each direction
    LargeBody(large_body::Options),
    /// Time of each desk page on a province's year of data
    Pages(pages::Options),
    /// A backup of a given size while calls go on, its memory, and the restore
    Backup(backup::Options),
    /// Ends of terms a second on one core, reasoning included
    Calendar(calendar::Options),
    /// From the stop of a provider to the morning page and to the message of who is on duty
    Outage(outage::Options),
}

/// Runs one of them.
///
/// # Errors
/// When the program cannot be built, started or reached.
pub fn run(bench: &Bench) -> Result<()> {
    println!("{}", crate::build::circumstances());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match bench {
            Bench::Gateway(options) => gateway::run(options).await,
            Bench::Start(options) => start::run(options).await,
            Bench::LargeBody(options) => large_body::run(options).await,
            Bench::Pages(options) => pages::run(options).await,
            Bench::Backup(options) => backup::run(options).await,
            Bench::Calendar(options) => calendar::run(options),
            Bench::Outage(options) => outage::run(options).await,
        }
    })
}

/// The middle of the values; 0 when there are none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

/// Bytes as mebibytes.
pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(super::median(&[]), 0.0);
        assert_eq!(super::median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(super::median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
