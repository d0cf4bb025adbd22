//! Chores of the repository: `cargo xtask <name>`. Everything that measures or breaks the platform does so from the
//! outside, on the built program.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod architecture;
mod bench;
mod build;
mod faults;
mod fuzz;
mod generator;
mod package;
mod screenshots;
mod seed;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of the repository", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Check the map of the crates: arrows, opening sentences, sizes, words that must not be in the tree
    Architecture,
    /// Kill the running platform again and again (SIGKILL) and check that nothing answered was lost or doubled
    Faults(faults::Options),
    /// Feed hostile bytes to every reader of what comes over a wire (libFuzzer, from the corpora in fuzz/corpus)
    Fuzz(fuzz::Options),
    /// Measure; the figures belong into docs/benchmarks.md
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Make the packages of a built program: an archive and a .deb
    Package(package::Options),
    /// Photograph every page of the demonstration (desktop, phone; Vietnamese, English)
    Screenshots(screenshots::Options),
    /// Write a believable year of a province into a new data directory, for `bench pages` and for looking at
    SeedProvince(seed::Options),
    /// The load generator that the benchmarks start on a core of its own
    #[command(hide = true)]
    Generate(generator::Options),
}

/// A data directory to work in: the caller's, or a new one that goes away.
fn data_directory(given: Option<&PathBuf>) -> anyhow::Result<(PathBuf, Option<tempfile::TempDir>)> {
    match given {
        Some(directory) => Ok((directory.clone(), None)),
        None => {
            let scratch = tempfile::Builder::new().prefix("lienthong-xtask").tempdir()?;
            Ok((scratch.path().join("data"), Some(scratch)))
        }
    }
}

fn run(chore: Chore) -> anyhow::Result<()> {
    match chore {
        Chore::Architecture => architecture::run(),
        Chore::Faults(options) => faults::run(&options),
        Chore::Fuzz(options) => fuzz::run(&options),
        Chore::Bench(bench) => bench::run(&bench),
        Chore::Package(options) => package::run(&options),
        Chore::Screenshots(options) => screenshots::run(&options),
        Chore::SeedProvince(options) => seed::run(&options),
        Chore::Generate(options) => generator::run(&options),
    }
}

fn main() -> ExitCode {
    match run(Arguments::parse().chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("xtask: {e:#}");
            ExitCode::FAILURE
        }
    }
}
