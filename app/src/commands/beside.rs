//! `restore --beside` and `view`: the data as it was, in a directory of its own, to be looked at on another port while
//! production goes on. What the copy lacks at the moment that was asked for is counted and told.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use backups::shelf::Shelf;
use kernel::backup::{self, Audited, Manifest};
use kernel::clock::{Clock, SystemClock, Timestamp};
use kernel::keys::Keys;
use serde::{Deserialize, Serialize};

use super::block_on;
use crate::assemble::{Platform, start_logging};
use crate::cli::Place;
use crate::control::{self, Answer, Request};
use crate::lock::DataLock;
use crate::server;
use crate::settings::Settings;

/// What a directory with a copy to look at says of itself.
const MARK: &str = "copy.json";

/// What was asked for.
#[derive(Debug)]
pub struct Options {
    /// This backup; without it the newest of the shelf until `at`.
    pub backup: Option<PathBuf>,
    /// The moment to see, in Vietnamese time; the newest without it.
    pub at: Option<String>,
    /// Where the copy goes.
    pub beside: PathBuf,
    /// The master key of the platform that made the backup, if not the configured one.
    pub key: Option<PathBuf>,
    /// A copy of its list of erasures, if not the one beside the backups.
    pub erasures: Option<PathBuf>,
    /// Where to serve it.
    pub listen: SocketAddr,
    /// Only restore.
    pub only: bool,
}

/// The mark.
#[derive(Debug, Serialize, Deserialize)]
struct Copy {
    backup: String,
    made_at: Timestamp,
    asked_for: Timestamp,
    restored_at: Timestamp,
    master_key: PathBuf,
}

/// Restores beside production and serves the copy.
pub fn restore(options: &Options, place: &Place) -> anyhow::Result<ExitCode> {
    refuse_open_address(options.listen)?;
    let settings = Settings::load(place)?;
    let master_key = std::path::absolute(options.key.clone().unwrap_or_else(|| settings.master_key()))?;
    let keys = Keys::load(&master_key, None)?;
    let asked_for = options.at.as_deref().map(parse_moment).transpose()?.unwrap_or_else(|| SystemClock.now());
    let into = std::path::absolute(&options.beside)?;
    if into.starts_with(std::path::absolute(settings.data())?) {
        bail!("{} lies in the data of the platform: name another directory", into.display());
    }
    let far = options.backup.as_deref().filter(|backup| super::far::is_far(backup));
    let _lock = DataLock::take(&into)?;
    let brought = match far {
        Some(address) => Some(super::far::bring(address, &settings, &keys, &into, asked_for)?),
        None => None,
    };
    let (dir, shelf) = match &brought {
        Some(brought) => (brought.dir.clone(), None),
        None => choose(options, &settings, &keys, asked_for)?,
    };
    let manifest = backup::read_manifest(&keys, &dir)?;
    println!("Backup:     {} (made {})", dir.display(), manifest.made_at.vn_seconds());
    println!("Asked for:  {}", asked_for.vn_seconds());
    say_lacking(&settings, &keys, shelf.as_ref(), &manifest, asked_for);

    let list = options.erasures.clone().or_else(|| shelf.as_ref().and_then(Shelf::erasures));
    let list = list.or_else(|| brought.as_ref().and_then(|b| b.erasures.clone()));
    let beside = beside(&into, &master_key, options.listen, place)?;
    let restored = block_on(async {
        let platform = Platform::open_bare(beside).await?;
        let restored = backup::restore(&platform.kernel, &platform.modules(), &dir, list.as_deref()).await;
        platform.close().await;
        Ok(restored?)
    })?;
    let copy = Copy {
        backup: far.unwrap_or(&dir).display().to_string(),
        made_at: manifest.made_at,
        asked_for,
        restored_at: SystemClock.now(),
        master_key,
    };
    std::fs::write(into.join(MARK), serde_json::to_vec_pretty(&copy)?)?;
    if let Some(brought) = brought {
        brought.remove()?;
    }
    println!("\nRestored:");
    super::backup::print(&restored.manifest);
    println!("\nAll counts are equal.");
    if !super::check::say_content(&restored.content) {
        return Ok(ExitCode::FAILURE);
    }
    if options.only {
        println!("Look at it: lienthong view {}", into.display());
        return Ok(ExitCode::SUCCESS);
    }
    serve(&into, &copy, options.listen, place)
}

/// Serves a copy that was restored before.
pub fn view(dir: &Path, listen: SocketAddr, place: &Place) -> anyhow::Result<ExitCode> {
    refuse_open_address(listen)?;
    let dir = std::path::absolute(dir)?;
    let text = std::fs::read(dir.join(MARK)).with_context(|| {
        format!("{} holds no restored copy; make one with `lienthong restore --beside`", dir.display())
    })?;
    let copy: Copy = serde_json::from_slice(&text)?;
    let _lock = DataLock::take(&dir)?;
    serve(&dir, &copy, listen, place)
}

/// Whether a directory holds a copy that must never serve as production.
pub fn is_copy(data: &Path) -> bool {
    data.join(MARK).exists()
}

fn serve(dir: &Path, copy: &Copy, listen: SocketAddr, place: &Place) -> anyhow::Result<ExitCode> {
    let settings = beside(dir, &copy.master_key, listen, place)?;
    start_logging(&settings.log)?;
    block_on(async {
        let platform = Platform::open_copy(settings, copy.made_at).await?;
        server::run_copy(platform, listen, |address| {
            println!("\nBẢN KHÔI PHỤC ĐỂ XEM / RESTORED COPY TO LOOK AT: http://{address}");
            println!("  Dữ liệu như lúc / data as of {}. Dừng / stop: Ctrl C", copy.made_at.vn_seconds());
        })
        .await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// The settings of production, with a place, a database and an address of its own.
fn beside(dir: &Path, key: &Path, listen: SocketAddr, place: &Place) -> anyhow::Result<Settings> {
    let variables = [
        ("LIENTHONG_PLATFORM__DATA", dir.display().to_string()),
        ("LIENTHONG_DATABASE__URL", format!("sqlite:{}", dir.join("lienthong.db").display())),
        ("LIENTHONG_KEYS__MASTER", key.display().to_string()),
        ("LIENTHONG_WEB__PUBLIC_URL", format!("http://{listen}")),
    ];
    let place = Place { config: place.config.clone(), data: None };
    Ok(Settings::load_with(&place, &variables)?)
}

/// The copy holds real data under a simple address: it is for this machine, or a tunnel to it.
fn refuse_open_address(listen: SocketAddr) -> anyhow::Result<()> {
    if listen.ip().is_loopback() {
        return Ok(());
    }
    bail!(
        "a restored copy listens on this machine only: give --listen a loopback address such as 127.0.0.1:8090"
    )
}

/// The backup to restore, and the shelf it stands on.
fn choose(
    options: &Options,
    settings: &Settings,
    keys: &Keys,
    until: Timestamp,
) -> anyhow::Result<(PathBuf, Option<Shelf>)> {
    if let Some(dir) = &options.backup {
        return Ok((std::path::absolute(dir)?, None));
    }
    let shelf = super::shelf::shelf(settings)?;
    let found = shelf.newest_until(keys, until)?.with_context(|| {
        format!("{} holds no usable backup made until {}", shelf.dir().display(), until.vn_seconds())
    })?;
    Ok((shelf.path(&found.name), Some(shelf)))
}

/// Tells what was done between the backup and the moment asked for, from the running platform or a later backup.
fn say_lacking(
    settings: &Settings,
    keys: &Keys,
    shelf: Option<&Shelf>,
    manifest: &Manifest,
    asked_for: Timestamp,
) {
    const NAMED: usize = 20;
    let found = lacking(settings, keys, shelf, manifest.made_at, asked_for);
    let (rows, count, from) = match found {
        Ok(Some(found)) => found,
        Ok(None) => {
            println!(
                "NOT KNOWN:  what was done after the backup: neither the platform nor a later backup is there"
            );
            return;
        }
        Err(e) => {
            println!("NOT KNOWN:  what was done after the backup: {}", crate::chain(&e));
            return;
        }
    };
    println!("Not in it:  {count} recorded acts between the two moments (from {from})");
    for row in rows.iter().take(NAMED) {
        println!("    {}  {}  {}  {}", row.at.vn_seconds(), row.action, row.subject, row.actor);
    }
    if count > NAMED as u64 {
        println!("    … and {} more", count - NAMED as u64);
    }
}

type Lacking = (Vec<Audited>, u64, String);

fn lacking(
    settings: &Settings,
    keys: &Keys,
    shelf: Option<&Shelf>,
    after: Timestamp,
    until: Timestamp,
) -> anyhow::Result<Option<Lacking>> {
    match control::ask(settings.data(), &Request::Audited { after, until }) {
        Ok(Some(Answer::Audited { rows, count })) => {
            return Ok(Some((rows, count, "the running platform".into())));
        }
        Ok(Some(Answer::Failed(e))) => tracing::warn!(error = e, "the running platform cannot tell"),
        Ok(_) | Err(_) => {}
    }
    let Some(shelf) = shelf else { return Ok(None) };
    let later = shelf.list(keys)?.into_iter().filter(|s| s.made_at().is_some_and(|at| at > after));
    // The first one made after the moment knows all of it; otherwise the newest knows the most.
    let (covering, newest): (Vec<_>, Vec<_>) = later.partition(|s| s.made_at().is_some_and(|at| at >= until));
    let source = covering.into_iter().min_by_key(|s| s.made_at()).or_else(|| newest.into_iter().next());
    let Some(source) = source else { return Ok(None) };
    let dir = shelf.path(&source.name);
    let (rows, count) = backup::audited_between(keys, &dir, after, until, control::MOST_AUDITED)?;
    Ok(Some((rows, count, format!("the backup {}", source.name))))
}

/// `2026-11-21T17:00`, with seconds or without, in Vietnamese time.
fn parse_moment(text: &str) -> anyhow::Result<Timestamp> {
    let seconds = if text.len() == "2026-11-21T17:00".len() { format!("{text}:00") } else { text.to_owned() };
    let local: Result<Timestamp, _> = format!("{seconds}Z").parse();
    let local = local.ok().with_context(|| format!("{text} is not a moment: write 2026-11-21T17:00"))?;
    Ok(local.minus(std::time::Duration::from_secs(7 * 3_600)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_in_vietnamese_time() {
        assert_eq!(parse_moment("2026-11-21T17:00").unwrap().rfc3339(), "2026-11-21T10:00:00.000000Z");
        assert_eq!(parse_moment("2026-11-21T05:00:09").unwrap().vn_seconds(), "21/11/2026 05:00:09");
        for wrong in ["", "yesterday", "2026-11-21", "2026-13-21T17:00", "21/11/2026 17:00"] {
            assert!(parse_moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_copy_never_listens_for_others() {
        assert!(refuse_open_address("0.0.0.0:8090".parse().unwrap()).is_err());
        assert!(refuse_open_address("127.0.0.1:8090".parse().unwrap()).is_ok());
    }
}
