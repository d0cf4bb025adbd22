//! `backup now`, `backup list` and `drill`: the backups of `[backup] directory`, through the running process if there is
//! one.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use backups::shelf::Shelf;
use backups::{Drilled, Kept};
use kernel::Cx;
use kernel::keys::Keys;
use serde_json::json;

use super::block_on;
use crate::assemble::Platform;
use crate::cli::Place;
use crate::control::{self, Answer, Request};
use crate::lock::DataLock;
use crate::settings::Settings;

/// Who runs the command, as the system names them.
fn who() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}

/// The configured shelf.
pub fn shelf(settings: &Settings) -> anyhow::Result<Shelf> {
    let configured = backups::Settings::read(&settings.config)?.directory;
    Ok(Shelf::new(configured.context("no directory for backups is configured: set [backup] directory")?))
}

/// Makes a backup for the shelf.
pub fn now(place: &Place) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(place)?;
    shelf(&settings)?;
    let (kept, sent) = match control::ask(settings.data(), &Request::BackUp { by: who() })? {
        // The running process copies it to the store, if there is one, by itself.
        Some(Answer::Kept(kept)) => (kept, None),
        Some(Answer::Failed(e)) => bail!("{e}"),
        Some(_) => bail!("the running process gave an unexpected answer"),
        None => block_on(async {
            let _lock = DataLock::take(settings.data())?;
            let platform = Platform::open_idle(settings.clone()).await?;
            let cx = Cx::kernel("command", platform.kernel.clock.now());
            let kept = platform.backups.back_up(&platform.kernel, &cx, &who()).await;
            let sent = match (&kept, platform.backups.far()) {
                (Ok(_), Some(_)) => Some(platform.backups.send(&platform.kernel, &cx, &who()).await),
                _ => None,
            };
            platform.close().await;
            Ok((kept?, sent))
        })?,
    };
    say(&kept);
    match &sent {
        None => {}
        Some(Ok(sent)) => super::far::say_sent(sent),
        Some(Err(e)) => println!("FAIL {}", e.chain()),
    }
    Ok(if kept.is_well() && !matches!(sent, Some(Err(_))) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say(kept: &Kept) {
    println!("{}: {} rows, {} files, {} bytes", kept.name, kept.rows, kept.files, kept.bytes);
    println!("  written in {} ms, read back whole in {} ms", kept.write_ms, kept.verify_ms);
    if kept.copied == Some(true) {
        println!("  copied to the second directory");
    }
    for name in &kept.removed {
        println!("  removed {name}");
    }
    for fault in &kept.faults {
        println!("FAIL {fault}");
    }
}

/// Lists the shelf, or the store on another machine.
pub fn list(offsite: bool, json: bool, place: &Place) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(place)?;
    let keys = Keys::load(&settings.master_key(), None)?;
    let (where_to, all) = match offsite {
        true => super::far::list(&settings, &keys)?,
        false => {
            let shelf = shelf(&settings)?;
            (shelf.dir().display().to_string(), shelf.list(&keys)?)
        }
    };
    if json {
        let one = |s: &backups::shelf::Shelved| match &s.manifest {
            Ok(m) => json!({
                "name": s.name, "made_at": m.made_at, "release": m.release, "bytes": s.bytes,
                "rows": m.rows.values().sum::<u64>(), "whole": true,
            }),
            Err(why) => json!({"name": s.name, "bytes": s.bytes, "whole": false, "why": why}),
        };
        println!("{}", serde_json::to_string_pretty(&all.iter().map(one).collect::<Vec<_>>())?);
        return Ok(ExitCode::SUCCESS);
    }
    if all.is_empty() {
        println!("{where_to} holds no backup.");
    }
    for one in &all {
        match &one.manifest {
            Ok(m) => {
                let rows: u64 = m.rows.values().sum();
                println!("{}  {}  {rows:>12} rows {:>15} bytes", one.name, m.made_at.vn_seconds(), one.bytes);
            }
            Err(why) => println!("{}  NOT USABLE: {why}", one.name),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Drills a restore of the newest backup; the record goes to a file if one is named.
pub fn drill(record_to: Option<&Path>, json: bool, place: &Place) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(place)?;
    shelf(&settings)?;
    let (drilled, record) = match control::ask(settings.data(), &Request::Drill { by: who() })? {
        Some(Answer::Drilled { drilled, record }) => (drilled, record),
        Some(Answer::Failed(e)) => bail!("{e}"),
        Some(_) => bail!("the running process gave an unexpected answer"),
        None => block_on(async {
            let _lock = DataLock::take(settings.data())?;
            let platform = Platform::open_idle(settings.clone()).await?;
            let outcome = control::drill(&platform, &who()).await;
            platform.close().await;
            outcome
        })?,
    };
    match json {
        true => println!("{}", serde_json::to_string_pretty(&drilled)?),
        false => print!("{record}"),
    }
    if let Some(file) = record_to {
        write_record(file, &record)?;
    }
    Ok(exit(&drilled))
}

fn write_record(file: &Path, record: &str) -> anyhow::Result<()> {
    let file: PathBuf = std::path::absolute(file)?;
    std::fs::write(&file, record).with_context(|| format!("{} cannot be written", file.display()))
}

fn exit(drilled: &Drilled) -> ExitCode {
    if drilled.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
