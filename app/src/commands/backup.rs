//! `backup` and `restore`: counts are printed before and after.

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use kernel::backup::{self, Manifest};

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
    Ok(ExitCode::SUCCESS)
}

/// Restores a backup into an empty place.
pub fn restore(dir: &Path, key: &Path, place: &Place) -> anyhow::Result<ExitCode> {
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
    let before = backup::verify(&keys, dir)?;
    println!("In the backup:");
    print(&before);
    let after = block_on(async {
        let platform = Platform::open_bare(settings).await?;
        let restored = backup::restore(&platform.kernel, &platform.modules(), dir).await;
        platform.close().await;
        Ok(restored?)
    })?;
    println!("\nRestored:");
    print(&after);
    println!("\nAll counts are equal. The log of evidence continues under a new origin at the next start.");
    Ok(ExitCode::SUCCESS)
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
