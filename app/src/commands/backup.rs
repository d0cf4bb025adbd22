//! `backup` and `restore`: counts are printed before and after.

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use kernel::backup::{self, Manifest, Restored};
use kernel::blobs::erasures;
use kernel::clock::{Clock, SystemClock};

use super::block_on;
use crate::assemble::Platform;
use crate::cli::Place;
use crate::control::{self, Answer, Request};
use crate::lock::DataLock;
use crate::settings::Settings;

/// Makes a backup, through the running process if there is one.
pub fn backup(dir: &Path, place: &Place) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(place)?;
    let dir = std::path::absolute(dir)?;
    let manifest = match control::ask(settings.data(), &Request::Backup { dir: dir.clone() })? {
        Some(Answer::Backup(manifest)) => manifest,
        Some(Answer::Failed(e)) => bail!("{e}"),
        Some(_) => bail!("the running process gave an unexpected answer"),
        None => block_on(async {
            let _lock = DataLock::take(settings.data())?;
            let platform = Platform::open(settings.clone()).await?;
            let made = backup::make(&platform.kernel, &platform.modules(), &dir).await;
            platform.close().await;
            Ok(made?)
        })?,
    };
    print(&manifest);
    println!("\nBackup written to {}.", dir.display());
    println!(
        "Keep the master key {} elsewhere: without it this backup cannot be read.",
        settings.master_key().display()
    );
    println!(
        "What is erased from now on is noted in {}: keep a copy of it apart too, for `restore --erasures`.",
        settings.data().join(erasures::FILE).display()
    );
    Ok(ExitCode::SUCCESS)
}

/// Restores a backup into an empty place.
pub fn restore(dir: &Path, key: &Path, list: Option<&Path>, place: &Place) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(place)?;
    let _lock = DataLock::take(settings.data())?;
    let target = settings.master_key();
    if !target.exists() {
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::copy(key, &target)?;
    }
    let keys = kernel::keys::Keys::load(&target, None)?;
    let brought = match super::far::is_far(dir) {
        true => Some(super::far::bring(dir, &settings, &keys, settings.data(), SystemClock.now())?),
        false => None,
    };
    let dir = brought.as_ref().map_or(dir, |b| b.dir.as_path());
    let list = list.or(brought.as_ref().and_then(|b| b.erasures.as_deref()));
    let before = backup::verify(&keys, dir)?;
    println!("In the backup:");
    print(&before);
    let after = block_on(async {
        let platform = Platform::open_bare(settings).await?;
        let restored = backup::restore(&platform.kernel, &platform.modules(), dir, list).await;
        platform.close().await;
        Ok(restored?)
    })?;
    println!("\nRestored:");
    print(&after.manifest);
    println!("\nAll counts are equal. The log of evidence continues under a new origin at the next start.");
    print_erasures(&after);
    if let Some(brought) = brought {
        brought.remove()?;
    }
    Ok(if super::check::say_content(&after.content) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What became of erasures since the backup, or that nobody knows.
fn print_erasures(restored: &Restored) {
    let made = restored.manifest.made_at.vn_seconds();
    match (restored.erasures_known, restored.erased) {
        (true, n) => println!("Erased again, because they were erased after the backup was made: {n} keys."),
        (false, _) => println!(
            "NO LIST OF ERASURES WAS GIVEN: content about people that was erased after {made} can be read again. \
             Restore with --erasures, or erase it anew, before people work here."
        ),
    }
}

/// Prints the counts of a backup.
pub fn print(manifest: &Manifest) {
    println!("  made {} by release {}", manifest.made_at.vn_seconds(), manifest.release);
    for (table, rows) in manifest.rows.iter().filter(|(_, n)| **n > 0) {
        println!("  {table:<32} {rows:>12} rows");
    }
    for (name, content) in &manifest.content {
        println!("  {name:<32} {:>12} files, {} bytes", content.files, content.bytes);
    }
}
