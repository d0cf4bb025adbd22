//! Makes one backup for the shelf: written under another name, read back whole, put in its place, noted, copied to the
//! second directory; then what need not stay is removed from both. A step that fails leaves what was there before.

use std::sync::Arc;
use std::time::Duration;

use base::clock::Stopwatch;
use kernel::backup::{self, Manifest};
use kernel::{Error, Kernel, Module, Result};
use serde::{Deserialize, Serialize};

use crate::settings::Settings;
use crate::shelf::Shelf;

/// What became of a backup that was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    /// Its name on the shelf.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Files of all content directories.
    pub files: u64,
    /// Milliseconds to write it.
    pub write_ms: u64,
    /// Milliseconds to read it back whole.
    pub verify_ms: u64,
    /// Names of older ones that were removed.
    pub removed: Vec<String>,
    /// Whether the second directory has it; `None` when there is none.
    pub copied: Option<bool>,
    /// What else went wrong: the backup is good, but somebody must look.
    pub faults: Vec<String>,
}

impl Kept {
    /// Whether everything that belongs to a backup went well.
    pub fn is_well(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Makes it. Only one runs at a time: the caller sees to that.
pub(crate) async fn run(
    k: &Kernel,
    modules: &[Arc<dyn Module>],
    settings: &Settings,
    shelf: &Shelf,
) -> Result<Kept> {
    let (at, keys) = (shelf.clone(), k.keys.clone());
    let held = blocking(move || {
        let held = at.hold()?;
        let last = at.list(&keys)?.into_iter().find(|s| s.manifest.is_ok()).map_or(0, |s| s.bytes);
        Ok((held, last))
    });
    let (_held, last) = held.await?;
    refuse_without_room(shelf, last.saturating_add(last / 10), settings.leave_free())?;
    let name = free_name(k, shelf).await?;
    let made = make(k, modules, settings, shelf, &name).await;
    if made.is_err() {
        let (at, name) = (shelf.clone(), name.clone());
        let _ = blocking(move || {
            at.give_up(&name);
            Ok(())
        })
        .await;
    }
    let (manifest, write_ms, verify_ms) = made?;
    let mut kept = Kept {
        bytes: 0,
        rows: manifest.rows.values().sum(),
        files: manifest.content.values().map(|c| c.files).sum(),
        write_ms,
        verify_ms,
        removed: Vec::new(),
        copied: None,
        faults: Vec::new(),
        name,
    };
    if let Err(e) = backup::note(k, &manifest).await {
        kept.faults.push(e.chain());
    }
    let (k, settings, shelf) = (k.clone(), settings.clone(), shelf.clone());
    blocking(move || {
        after(&k, &settings, &shelf, &mut kept);
        Ok(kept)
    })
    .await
}

/// Writes and reads back, then gives it its name.
async fn make(
    k: &Kernel,
    modules: &[Arc<dyn Module>],
    settings: &Settings,
    shelf: &Shelf,
    name: &str,
) -> Result<(Manifest, u64, u64)> {
    let making = shelf.making(name);
    let watch = Stopwatch::start();
    let manifest = backup::write(k, modules, &making, settings.leave_free()).await?;
    let (write_ms, watch) = (millis(&watch), Stopwatch::start());
    let (keys, stop, at, name) = (k.keys.clone(), k.stopping(), shelf.clone(), name.to_owned());
    let written = manifest.clone();
    blocking(move || {
        if backup::verify_until(&keys, &making, Some(stop))? != written {
            return Err(Error::internal("the backup on disk is not the one that was written"));
        }
        at.put(&name)
    })
    .await?;
    Ok((manifest, write_ms, millis(&watch)))
}

/// What follows a good backup. Each fault is told; none makes the backup bad.
fn after(k: &Kernel, settings: &Settings, shelf: &Shelf, kept: &mut Kept) {
    let fault = |kept: &mut Kept, what: &str, e: &Error| kept.faults.push(format!("{what}: {}", e.chain()));
    if let Err(e) = shelf.take_erasures(&k.data_dir) {
        fault(kept, "erasures.jsonl", &e);
    }
    if let Some(dir) = &settings.copy_to {
        let second = Shelf::new(dir);
        let copied = second.hold().and_then(|held| {
            second.copy_from(shelf, &kept.name, &k.keys, &k.stopping())?;
            second.take_erasures(&k.data_dir)?;
            second.prune(&k.keys, settings)?;
            drop(held);
            Ok(())
        });
        kept.copied = Some(copied.is_ok());
        if let Err(e) = copied {
            fault(kept, "copy_to", &e);
        }
    }
    match shelf.list(&k.keys) {
        Ok(all) => kept.bytes = all.iter().find(|s| s.name == kept.name).map_or(0, |s| s.bytes),
        Err(e) => fault(kept, "directory", &e),
    }
    match shelf.prune(&k.keys, settings) {
        Ok(removed) => kept.removed = removed,
        Err(e) => fault(kept, "retention", &e),
    }
}

/// Refuses at once what cannot fit beside what is to stay free.
pub(crate) fn refuse_without_room(shelf: &Shelf, wanted: u64, leave_free: u64) -> Result<()> {
    let disk = rustix::fs::statvfs(shelf.dir()).map_err(Error::internal)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= wanted.saturating_add(leave_free) {
        return Ok(());
    }
    Err(Error::internal(format!(
        "{} has {} MiB free; {} MiB are needed and {} MiB are to stay free. \
         Enlarge the disk, or keep fewer backups ([backup] keep_…)",
        shelf.dir().display(),
        free >> 20,
        wanted >> 20,
        leave_free >> 20
    )))
}

/// The name of this moment. Names tell seconds: whoever comes twice within one waits for the next.
async fn free_name(k: &Kernel, shelf: &Shelf) -> Result<String> {
    for _ in 0..30 {
        let path = backup::dated(shelf.dir(), k.clock.now());
        if !path.exists() {
            return name_of(&path);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Error::internal("the clock stands still: every name is taken"))
}

fn name_of(path: &std::path::Path) -> Result<String> {
    let name = path.file_name().and_then(|n| n.to_str()).map(str::to_owned);
    name.ok_or_else(|| Error::internal("a backup without a name"))
}

/// Milliseconds since a start.
pub(crate) fn millis(watch: &Stopwatch) -> u64 {
    u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Runs work that blocks off the runtime.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}
