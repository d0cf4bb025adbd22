//! The directory of the backups. A backup stands in it under the moment it was made, whole and verified; while it is
//! made or removed it has another name, so that nothing half can be taken for whole. Other files there are left alone.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use base::clock::Timestamp;
use kernel::backup::{self, Manifest};
use kernel::blobs::erasures;
use kernel::keys::Keys;
use kernel::{Error, Result};
use rustix::fs::{FlockOperation, flock};
use tokio::sync::watch;

use crate::retention;
use crate::settings::Settings;

const MAKING: &str = ".making-";
const GOING: &str = ".going-";

/// A directory of backups.
#[derive(Debug, Clone)]
pub struct Shelf {
    dir: PathBuf,
}

/// A backup on the shelf.
#[derive(Debug, Clone)]
pub struct Shelved {
    /// Its name: the moment it was made.
    pub name: String,
    /// What it says of itself, or why that cannot be believed.
    pub manifest: std::result::Result<Manifest, String>,
    /// Bytes on disk.
    pub bytes: u64,
}

impl Shelved {
    /// When it was made, if it can be believed.
    pub fn made_at(&self) -> Option<Timestamp> {
        self.manifest.as_ref().ok().map(|m| m.made_at)
    }
}

/// Held while backups are made or removed: two platforms never work on one shelf at a time.
pub struct Held {
    _lock: File,
}

impl Shelf {
    /// The shelf in `dir`, which need not be there yet.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where a backup of this name stands.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Takes the shelf for this process and removes what others left half done.
    ///
    /// # Errors
    /// When another process works on it, or the directory cannot be used.
    pub fn hold(&self) -> Result<Held> {
        fs::create_dir_all(&self.dir).map_err(|e| self.cannot(&e))?;
        let lock = self.dir.join(".lock");
        let file = File::options().create(true).truncate(false).write(true).open(lock);
        let file = file.map_err(|e| self.cannot(&e))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(Error::internal(format!("another process works on {}", self.dir.display())));
        }
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            if name.starts_with(MAKING) || name.starts_with(GOING) {
                fs::remove_dir_all(&path)?;
            }
        }
        Ok(Held { _lock: file })
    }

    fn cannot(&self, e: &io::Error) -> Error {
        Error::internal(format!("the directory of the backups {} cannot be used: {e}", self.dir.display()))
    }

    /// Where a backup of this name is made; empty.
    pub(crate) fn making(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{MAKING}{name}"))
    }

    /// Puts what was made and verified under its name, durably.
    pub(crate) fn put(&self, name: &str) -> Result<()> {
        fs::rename(self.making(name), self.path(name))?;
        Ok(File::open(&self.dir)?.sync_all()?)
    }

    /// Removes what was begun under this name.
    pub(crate) fn give_up(&self, name: &str) {
        if let Err(e) = fs::remove_dir_all(self.making(name))
            && e.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(error = %e, name, "an unfinished backup stays; the next one removes it");
        }
    }

    /// The backups, newest first. None when the directory is not there.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn list(&self, keys: &Keys) -> Result<Vec<Shelved>> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(self.cannot(&e)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if is_name(&name) && entry.path().is_dir() {
                found.push(shelved(keys, name, &entry.path()));
            }
        }
        found.sort_by(|a, b| b.name.cmp(&a.name));
        Ok(found)
    }

    /// The newest backup made at or before a moment.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn newest_until(&self, keys: &Keys, until: Timestamp) -> Result<Option<Shelved>> {
        let all = self.list(keys)?.into_iter();
        Ok(all.filter(|s| s.made_at().is_some_and(|at| at <= until)).max_by_key(Shelved::made_at))
    }

    /// Removes the backups that need not stay and returns their names. The newest good one always stays, and so does
    /// what cannot be believed: somebody must look at it.
    ///
    /// # Errors
    /// When a directory cannot be removed.
    pub fn prune(&self, keys: &Keys, settings: &Settings) -> Result<Vec<String>> {
        let all = self.list(keys)?;
        let made: Vec<_> = all.iter().filter_map(Shelved::made_at).collect();
        let kept = retention::kept(&made, settings);
        let mut removed = Vec::new();
        for one in all.into_iter().filter(|s| s.made_at().is_some_and(|at| !kept.contains(&at))) {
            let going = self.dir.join(format!("{GOING}{}", one.name));
            fs::rename(self.path(&one.name), &going)?;
            fs::remove_dir_all(&going)?;
            removed.push(one.name);
        }
        Ok(removed)
    }

    /// Copies a backup from another shelf, verified whole before it gets its name. Does nothing when it is there.
    ///
    /// # Errors
    /// Faults of either disk; a copy that is not whole.
    pub fn copy_from(
        &self,
        other: &Self,
        name: &str,
        keys: &Keys,
        stop: &watch::Receiver<bool>,
    ) -> Result<()> {
        if self.path(name).exists() {
            return Ok(());
        }
        let to = self.making(name);
        let copied = copy_files(&other.path(name), &to, stop)
            .and_then(|()| backup::verify_until(keys, &to, Some(stop.clone())).map(drop))
            .and_then(|()| self.put(name));
        if copied.is_err() {
            self.give_up(name);
        }
        copied
    }

    /// Keeps a copy of the list of erasures beside the backups: who restores one needs it.
    ///
    /// # Errors
    /// Faults of the disk.
    pub(crate) fn take_erasures(&self, data: &Path) -> Result<()> {
        let from = data.join(erasures::FILE);
        if !from.exists() {
            return Ok(());
        }
        let half = self.dir.join(".erasures");
        fs::copy(&from, &half)?;
        File::open(&half)?.sync_all()?;
        fs::rename(&half, self.dir.join(erasures::FILE))?;
        Ok(File::open(&self.dir)?.sync_all()?)
    }

    /// The list of erasures beside the backups, if there is one.
    pub fn erasures(&self) -> Option<PathBuf> {
        Some(self.dir.join(erasures::FILE)).filter(|list| list.exists())
    }
}

fn shelved(keys: &Keys, name: String, dir: &Path) -> Shelved {
    let manifest =
        backup::read_manifest(keys, dir).map_err(|e| e.chain()).and_then(|manifest| {
            match manifest.files.keys().find(|file| !dir.join(file).is_file()) {
                Some(file) => Err(format!("{file} is missing")),
                None => Ok(manifest),
            }
        });
    Shelved { name, manifest, bytes: bytes(dir) }
}

fn bytes(dir: &Path) -> u64 {
    let sizes = fs::read_dir(dir).into_iter().flatten().flatten();
    sizes.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|m| m.len()).sum()
}

/// `2026-11-22T081428Z`, as [`backup::dated`] gives.
pub fn is_name(name: &str) -> bool {
    let pattern = b"0000-00-00T000000Z";
    name.len() == pattern.len()
        && name.bytes().zip(pattern).all(|(c, p)| if *p == b'0' { c.is_ascii_digit() } else { c == *p })
}

fn copy_files(from: &Path, to: &Path, stop: &watch::Receiver<bool>) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if *stop.borrow() {
            return Err(Error::internal("the process stops"));
        }
        let target = to.join(entry.file_name());
        fs::copy(entry.path(), &target).map_err(|e| Error::internal(format!("{}: {e}", target.display())))?;
        File::open(&target)?.sync_all()?;
    }
    Ok(File::open(to)?.sync_all()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_moments_are_backups() {
        assert!(is_name("2026-11-22T081428Z"));
        let dated = backup::dated(Path::new("/b"), "2026-11-22T08:14:28.5Z".parse().unwrap());
        assert_eq!(dated, Path::new("/b/2026-11-22T081428Z"));
        for other in
            ["", "photos", ".making-2026-11-22T081428Z", "2026-11-22T081428Z.old", "2026-11-22X081428Z"]
        {
            assert!(!is_name(other), "{other}");
        }
    }
}
