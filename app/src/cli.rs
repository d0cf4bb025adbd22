//! The command line, with help that teaches.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::commands;

/// Liên Thông: the open digital-government platform of a province.
#[derive(Debug, Parser)]
#[command(name = "lienthong", version, about, long_about = LONG)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const LONG: &str = "Liên Thông: the open digital-government platform of a province.

Try it:       lienthong demo
Run it:       lienthong serve --config lienthong.toml
Check it:     lienthong check --config lienthong.toml
Keep it safe: lienthong backup DIR     (while it runs or not)
Prove it:     lienthong verify FILE    (no network, no installation needed)
Count days:   lienthong due --from 2026-11-20T16:00 --term 3wd";

/// Where the data and the configuration are.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Configuration file (TOML); environment variables LIENTHONG_<SECTION>__<KEY> override it
    #[arg(long, env = "LIENTHONG_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directory of everything the platform keeps
    #[arg(long, env = "LIENTHONG_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a demonstration province on this machine: real units, invented people, small traffic
    Demo {
        /// Province by its code since 1 July 2025: 38 Thanh Hóa, 25 Phú Thọ, 15 Lào Cai
        #[arg(long, default_value = "38", value_name = "CODE")]
        province: String,
        /// Where the demonstration keeps its data
        #[arg(long, default_value = "lienthong-demo", value_name = "DIR")]
        data: PathBuf,
        /// Address to listen on; loopback only
        #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR")]
        listen: SocketAddr,
        /// Calls a second that the demonstration systems make
        #[arg(long, default_value_t = 1.0, value_name = "N")]
        rate: f64,
    },
    /// Run the platform
    Serve {
        #[command(flatten)]
        place: Place,
    },
    /// Check configuration, keys and database without changing anything; names file, line and remedy
    Check {
        #[command(flatten)]
        place: Place,
        /// Also compare the content store with the tables, both ways; works while the platform runs
        #[arg(long)]
        content: bool,
        /// With --content: also decrypt everything and compute its hash anew
        #[arg(long, requires = "content")]
        deep: bool,
        /// Ask the running platform for every check and open alert, as on the page "Sáng nay"; fails when one is bad
        #[arg(long, conflicts_with = "content")]
        live: bool,
        /// With --live: language of the report
        #[arg(long, default_value = "vi", value_parser = ["vi", "en"])]
        lang: String,
    },
    /// Bring the database schema up to date
    Migrate {
        #[command(flatten)]
        place: Place,
        /// Only list the steps
        #[arg(long)]
        dry_run: bool,
    },
    /// Read a declarative file of members, subsystems, services and agreements, or the lists of units
    Import {
        /// `units`, or a registry file such as registry.toml
        what: PathBuf,
        /// For units: a folder with newer lists of the same shape
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
        /// Only show what would change
        #[arg(long)]
        dry_run: bool,
        /// Language of the report
        #[arg(long, default_value = "vi", value_parser = ["vi", "en"])]
        lang: String,
        #[command(flatten)]
        place: Place,
    },
    /// Write an encrypted backup into DIR, which must be empty; works while the platform runs
    Backup {
        /// Directory to write
        dir: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Restore a backup into an empty place; the log of evidence continues under a new origin
    Restore {
        /// Directory of the backup
        dir: PathBuf,
        /// File with the master key of the platform that made the backup
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Copy of erasures.jsonl of that platform: what was erased after the backup was made is erased again
        #[arg(long, value_name = "FILE")]
        erasures: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// Check an evidence bundle (a file) or a backup (a directory) in plain words; needs no network
    Verify {
        /// The bundle, or the directory of a backup
        path: PathBuf,
        /// The log's public key as published by the province; without it the bundle's own key is used and said so
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        /// For a backup: file with the master key
        #[arg(long, value_name = "FILE")]
        master_key: Option<PathBuf>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
        /// Language of the report
        #[arg(long, default_value = "vi", value_parser = ["vi", "en"])]
        lang: String,
    },
    /// Find when a term ends and say why: working hours, working days, calendar days
    Due(commands::due::Options),
    /// Upkeep by the operator
    Admin {
        #[command(subcommand)]
        what: Admin,
    },
    /// Measure this machine
    Bench {
        #[command(subcommand)]
        what: Bench,
    },
}

#[derive(Debug, Subcommand)]
enum Admin {
    /// Make a one-time link with which the first operator sets a password
    FirstOperator {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Time from start to ready and memory at rest of a fresh demonstration
    Start,
}

impl Cli {
    /// Does what was asked.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Demo { province, data, listen, rate } => {
                crate::demo::run(crate::demo::Options { province, data, listen, rate })
            }
            Command::Serve { place } => commands::serve::run(&place),
            Command::Check { place, live: true, lang, .. } => commands::live::run(&place, &lang),
            Command::Check { place, content, deep, .. } => {
                commands::check::run(&place, content.then_some(commands::check::Content { deep }))
            }
            Command::Migrate { place, dry_run } => commands::migrate::run(&place, dry_run),
            Command::Import { what, dir, dry_run, lang, place } => {
                commands::import::run(&what, dir.as_deref(), dry_run, &lang, &place)
            }
            Command::Backup { dir, place } => commands::backup::backup(&dir, &place),
            Command::Restore { dir, key, erasures, place } => {
                commands::backup::restore(&dir, &key, erasures.as_deref(), &place)
            }
            Command::Verify { path, key, master_key, json, lang } => {
                commands::verify::run(&commands::verify::Options { path, key, master_key, json, lang })
            }
            Command::Due(options) => commands::due::run(&options),
            Command::Admin { what: Admin::FirstOperator { place } } => {
                commands::admin::first_operator(&place)
            }
            Command::Bench { what: Bench::Start } => commands::bench::start(),
        }
    }
}
