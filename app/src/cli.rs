//! The command line, with help that teaches.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use crate::commands;
use crate::commands::beside::Options;

/// Liên Thông: the open digital-government platform of a province.
#[derive(Debug, Parser)]
#[command(name = "lienthong", version, about, long_about = LONG)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const LONG: &str = "Liên Thông: the open digital-government platform of a province.

Try it:       lienthong demo
Install it:   lienthong init
Run it:       lienthong serve --config lienthong.toml
Check it:     lienthong check --config lienthong.toml
Keep it safe: lienthong backup DIR     (while it runs or not; by itself with [backup] directory)
Be sure:      lienthong drill          (restores the newest backup into a scratch directory)
Prove it:     lienthong verify FILE    (no network, no installation needed)
Count days:   lienthong due --from 2026-11-20T16:00 --term 3wd";

const INIT: &str =
    "Set up an installation: configuration, master key, certificate, systemd unit, the first operator's link.

Asks on the terminal, or reads the answers from a file:
  name = \"Ủy ban nhân dân tỉnh Mẫu\"
  public_url = \"https://lienthong.tinhmau.gov.vn\"
  listen = \"0.0.0.0:443\"
  tls = \"self-signed\"          (or files, with tls_certificate and tls_key; or none, on loopback)
  config_dir, data, database, backup_directory, backup_times, backup_copy_to, user, unit_dir

Writes nothing over what is there.";

const RESTORE: &str = "Restore a backup into an empty place; the log of evidence continues under a new origin.

After a loss:       lienthong restore BACKUP --key KEYFILE --erasures FILE
To see yesterday:   lienthong restore --at 2026-11-21T17:00 --beside DIR

With --beside the newest backup made until that moment is restored into DIR on its own SQLite file, whatever database
production has, and served to be looked at: it calls nobody, sends nothing, and refuses changes. What was done between
the backup and the moment is counted and named from the running platform or a later backup.";

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
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Backup {
        #[command(subcommand)]
        what: Option<Backup>,
        /// Directory to write
        #[arg(required = true)]
        dir: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// Print every setting with its default and purpose: an example configuration
    Settings {
        /// As JSON, with the steps of the schema: the description of this release
        #[arg(long)]
        json: bool,
    },
    /// Tell what another release changes: settings, schema, time, room, and the way back
    UpgradeCheck {
        /// The new program, or what its `settings --json` printed
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// Print as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Set up an installation: configuration, master key, certificate, systemd unit, the first operator's link
    #[command(long_about = INIT)]
    Init {
        /// File with the answers (TOML) instead of questions on the terminal
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
        /// Only show what would be written
        #[arg(long)]
        print: bool,
    },
    /// Check how the installation is protected: files, TLS, addresses, sandbox, backups, clock, disk, database
    Hardening {
        /// Print as JSON
        #[arg(long)]
        json: bool,
        /// Language of the report
        #[arg(long, default_value = "vi", value_parser = ["vi", "en"])]
        lang: String,
        #[command(flatten)]
        place: Place,
    },
    /// Print the systemd unit of a package
    #[command(hide = true)]
    Unit,
    /// Restore the newest backup into a scratch directory, compare, prove samples, measure, and print the record
    Drill {
        /// Also write the record to this file
        #[arg(long, value_name = "FILE")]
        record: Option<PathBuf>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Restore a backup into an empty place; the log of evidence continues under a new origin
    #[command(long_about = RESTORE)]
    Restore {
        /// Directory of the backup, or s3://BUCKET/PATH with or without its name; with --beside the newest of [backup]
        /// directory until --at
        #[arg(required_unless_present = "beside")]
        dir: Option<PathBuf>,
        /// File with the master key of the platform that made the backup
        #[arg(long, value_name = "FILE", required_unless_present = "beside")]
        key: Option<PathBuf>,
        /// Copy of erasures.jsonl of that platform: what was erased after the backup was made is erased again
        #[arg(long, value_name = "FILE")]
        erasures: Option<PathBuf>,
        /// The moment to see, in Vietnamese time, for example 2026-11-21T17:00
        #[arg(long, value_name = "MOMENT", requires = "beside")]
        at: Option<String>,
        /// Restore into this directory beside the running platform, and serve it to be looked at
        #[arg(long, value_name = "DIR")]
        beside: Option<PathBuf>,
        /// With --beside: where to serve the copy; loopback only
        #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDR")]
        listen: SocketAddr,
        /// With --beside: restore and end
        #[arg(long, requires = "beside")]
        only: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Look at a copy that was restored with `restore --beside`
    View {
        /// Directory of the copy
        dir: PathBuf,
        /// Where to serve it; loopback only
        #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDR")]
        listen: SocketAddr,
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
enum Backup {
    /// Make a backup for [backup] directory now: verified, copied, older ones removed by rule
    Now {
        #[command(flatten)]
        place: Place,
    },
    /// List the backups of [backup] directory, newest first
    List {
        /// List those in the store of [offsite] instead
        #[arg(long)]
        offsite: bool,
        /// Print as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
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
    /// Fill the data of a platform that does not run with invented content, to measure backups
    Fill {
        /// How much
        #[arg(long, value_name = "MIB")]
        mebibytes: u64,
        #[command(flatten)]
        place: Place,
    },
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
            Command::Backup { what: Some(Backup::Now { place }), .. } => commands::shelf::now(&place),
            Command::Backup { what: Some(Backup::List { offsite, json, place }), .. } => {
                commands::shelf::list(offsite, json, &place)
            }
            Command::Backup { what: None, dir, place } => {
                commands::backup::backup(&dir.context("a directory must be named")?, &place)
            }
            Command::Settings { json } => commands::release::settings(json),
            Command::UpgradeCheck { to, json, place } => commands::release::upgrade_check(&to, json, &place),
            Command::Init { from, print } => crate::init::run(from.as_deref(), print),
            Command::Hardening { json, lang, place } => crate::hardening::run(json, &lang, &place),
            Command::Unit => crate::init::print_unit(),
            Command::Drill { record, json, place } => commands::shelf::drill(record.as_deref(), json, &place),
            Command::Restore { dir, key, erasures, at, beside: Some(beside), listen, only, place } => {
                let options = Options { backup: dir, at, beside, key, erasures, listen, only };
                commands::beside::restore(&options, &place)
            }
            Command::Restore { dir, key, erasures, place, .. } => {
                let dir = dir.context("a backup must be named")?;
                let key = key.context("--key must name the master key")?;
                commands::backup::restore(&dir, &key, erasures.as_deref(), &place)
            }
            Command::View { dir, listen, place } => commands::beside::view(&dir, listen, &place),
            Command::Verify { path, key, master_key, json, lang } => {
                commands::verify::run(&commands::verify::Options { path, key, master_key, json, lang })
            }
            Command::Due(options) => commands::due::run(&options),
            Command::Admin { what: Admin::FirstOperator { place } } => {
                commands::admin::first_operator(&place)
            }
            Command::Bench { what: Bench::Fill { mebibytes, place } } => {
                commands::fill::run(mebibytes, &place)
            }
            Command::Bench { what: Bench::Start } => commands::bench::start(),
        }
    }
}
