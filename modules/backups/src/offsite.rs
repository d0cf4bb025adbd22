//! Backups kept a second time in a store on another machine. A backup is whole there when its manifest is there: that goes
//! last, after everything else was read back and compared with the digests of the backup that was verified here. While it
//! is on its way another file says whose it is, so that only what the master key authenticates is ever removed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest;
use base::clock::{Stopwatch, Timestamp};
use kernel::backup::{self, MANIFEST, Manifest};
use kernel::blobs::erasures;
use kernel::keys::Keys;
use kernel::offsite::Offsite;
use kernel::{Error, Kernel, Result};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::keep::{blocking, millis};
use crate::retention;
use crate::settings::Settings;
use crate::shelf::{Shelf, Shelved, is_name};

/// Says whose an unfinished backup is: the manifest, under another name.
const BEGUN: &str = "begun.json";
/// Beside the backups here: how far an upload has come.
const SENDING: &str = ".sending-";
/// Bytes read at once.
const CHUNK: u64 = 8 << 20;
/// Bytes of a manifest, at most.
const MOST_MANIFEST: u64 = 4 << 20;

/// What became of copying to the store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Where.
    pub place: String,
    /// When the newest backup was made that is there now.
    pub newest: Option<Timestamp>,
    /// Names that were copied, each read back whole.
    pub sent: Vec<String>,
    /// Their bytes.
    pub bytes: u64,
    /// Names of older ones that were removed.
    pub removed: Vec<String>,
    /// Milliseconds of it all.
    pub ms: u64,
}

/// A store of backups.
#[derive(Clone)]
pub struct Far {
    store: Arc<dyn Offsite>,
}

impl Far {
    /// Backups in this store.
    pub fn new(store: Arc<dyn Offsite>) -> Self {
        Self { store }
    }

    /// Where it is.
    pub fn place(&self) -> &str {
        self.store.place()
    }

    /// The backups, newest first; what is on its way is none.
    ///
    /// # Errors
    /// When the store is away or refuses.
    pub async fn list(&self, keys: &Keys) -> Result<Vec<Shelved>> {
        let mut found = Vec::new();
        for (name, files) in self.files().await?.into_iter().rev() {
            if !files.contains_key(MANIFEST) {
                continue;
            }
            let manifest = match self.manifest(keys, &name, MANIFEST).await {
                Ok(manifest) => match manifest.files.keys().find(|file| !files.contains_key(*file)) {
                    Some(file) => Err(format!("{file} is missing")),
                    None => Ok(manifest),
                },
                Err(e) => Err(e.chain()),
            };
            found.push(Shelved { bytes: files.values().sum(), name, manifest });
        }
        Ok(found)
    }

    /// The newest backup made at or before a moment.
    ///
    /// # Errors
    /// When the store is away or refuses.
    pub async fn newest_until(&self, keys: &Keys, until: Timestamp) -> Result<Option<Shelved>> {
        let all = self.list(keys).await?.into_iter();
        Ok(all.filter(|s| s.made_at().is_some_and(|at| at <= until)).max_by_key(Shelved::made_at))
    }

    /// Brings a backup into a directory, going on with what is there of it. It is as whole as the store gave it: who
    /// restores it verifies it. Returns the list of erasures that stands beside the backups, if there is one.
    ///
    /// # Errors
    /// When the store is away, has no such backup, or the disk is full.
    pub async fn fetch(
        &self,
        keys: &Keys,
        name: &str,
        to: &Path,
        stop: &watch::Receiver<bool>,
    ) -> Result<Option<PathBuf>> {
        let manifest = self.manifest(keys, name, MANIFEST).await?;
        fs::create_dir_all(to)?;
        let files = self.files().await?;
        let sizes = files.get(name).cloned().unwrap_or_default();
        for file in manifest.files.keys().map(String::as_str).chain([MANIFEST]) {
            let size = *sizes.get(file).ok_or_else(|| Error::internal(format!("{file} is missing there")))?;
            self.bring(&format!("{name}/{file}"), size, &to.join(file), stop).await?;
        }
        let list = to.join(erasures::FILE);
        match self.store.list().await?.into_iter().find(|k| k.key == erasures::FILE) {
            None => Ok(None),
            Some(kept) => {
                let _ = fs::remove_file(&list);
                self.bring(erasures::FILE, kept.bytes, &list, stop).await?;
                Ok(Some(list))
            }
        }
    }

    async fn bring(&self, key: &str, size: u64, to: &Path, stop: &watch::Receiver<bool>) -> Result<()> {
        let mut file = File::options().create(true).append(true).open(to)?;
        let mut at = file.metadata()?.len();
        if at > size {
            file.set_len(0)?;
            at = 0;
        }
        while at < size {
            halt(stop)?;
            let bytes = self.store.read(key, at, CHUNK.min(size - at)).await?;
            if bytes.is_empty() {
                return Err(Error::internal(format!("{key} ended early in {}", self.place())));
            }
            file.write_all(&bytes)?;
            at += bytes.len() as u64;
        }
        Ok(file.sync_all()?)
    }

    /// The files of each name.
    async fn files(&self) -> Result<BTreeMap<String, BTreeMap<String, u64>>> {
        let mut found: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for kept in self.store.list().await? {
            if let Some((name, file)) = kept.key.split_once('/')
                && is_name(name)
            {
                found.entry(name.to_owned()).or_default().insert(file.to_owned(), kept.bytes);
            }
        }
        Ok(found)
    }

    async fn manifest(&self, keys: &Keys, name: &str, file: &str) -> Result<Manifest> {
        let text = self.store.read(&format!("{name}/{file}"), 0, MOST_MANIFEST).await?;
        backup::parse_manifest(keys, &text)
    }

    /// Copies what is on the shelf and stays, newest first, and is not there yet; then removes there what need not stay.
    pub(crate) async fn follow(&self, k: &Kernel, shelf: &Shelf, settings: &Settings) -> Result<Sent> {
        let (watch, stop) = (Stopwatch::start(), k.stopping());
        let mut out = Sent { place: self.place().to_owned(), ..Sent::default() };
        let (at, keys) = (shelf.clone(), k.keys.clone());
        let here = blocking(move || at.list(&keys)).await?;
        self.tidy(shelf, &here).await?;
        // One that lacks a file there is sent again.
        let whole = self.list(&k.keys).await?.into_iter().filter(|s| s.manifest.is_ok());
        let there: BTreeSet<String> = whole.map(|s| s.name).collect();
        let made: Vec<_> = here.iter().filter_map(Shelved::made_at).collect();
        out.newest = made.iter().max().copied();
        let stays = retention::kept(&made, settings);
        for one in here {
            let Ok(manifest) = one.manifest else { continue };
            if stays.contains(&manifest.made_at) && !there.contains(&one.name) {
                self.send(shelf, &one.name, &manifest, &stop).await?;
                out.bytes += one.bytes;
                out.sent.push(one.name);
            }
        }
        let list = k.data_dir.join(erasures::FILE);
        if list.exists() {
            let progress = shelf.dir().join(format!("{SENDING}{}", erasures::FILE));
            self.store.send(&list, erasures::FILE, &progress, &stop).await?;
        }
        out.removed = self.prune(&k.keys, settings, shelf).await?;
        out.ms = millis(&watch);
        Ok(out)
    }

    /// Gives up uploads of backups that are no longer on the shelf.
    async fn tidy(&self, shelf: &Shelf, here: &[Shelved]) -> Result<()> {
        for entry in fs::read_dir(shelf.dir())? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(rest) = name.to_str().and_then(|n| n.strip_prefix(SENDING)) else { continue };
            let known = here.iter().any(|one| rest.starts_with(&one.name)) || rest == erasures::FILE;
            if !known {
                self.store.abandon(&entry.path()).await?;
            }
        }
        Ok(())
    }

    async fn send(
        &self,
        shelf: &Shelf,
        name: &str,
        manifest: &Manifest,
        stop: &watch::Receiver<bool>,
    ) -> Result<()> {
        let from = shelf.path(name);
        let there = self.files().await?.remove(name).unwrap_or_default();
        let progress = |file: &str| shelf.dir().join(format!("{SENDING}{name}-{file}"));
        let key = |file: &str| format!("{name}/{file}");
        self.store.send(&from.join(MANIFEST), &key(BEGUN), &progress(BEGUN), stop).await?;
        for (file, digest) in &manifest.files {
            let path = from.join(file);
            let bytes = fs::metadata(&path)?.len();
            // An object appears whole or not at all: what has the size came from an earlier attempt.
            if there.get(file) != Some(&bytes) {
                self.store.send(&path, &key(file), &progress(file), stop).await?;
            }
            if self.digest(&key(file), bytes, stop).await? != *digest {
                self.store.remove(&key(file)).await?;
                return Err(Error::internal(format!(
                    "{} gave back something else than was sent: {}; it was removed there and is sent again",
                    self.place(),
                    key(file)
                )));
            }
        }
        self.store.send(&from.join(MANIFEST), &key(MANIFEST), &progress(MANIFEST), stop).await?;
        let whole = self.store.read(&key(MANIFEST), 0, MOST_MANIFEST).await?;
        if whole != fs::read(from.join(MANIFEST))? {
            self.store.remove(&key(MANIFEST)).await?;
            return Err(Error::internal(format!("{} altered the manifest of {name}", self.place())));
        }
        self.store.remove(&key(BEGUN)).await
    }

    /// SHA-256 of what the store gives back, hexadecimal.
    async fn digest(&self, key: &str, size: u64, stop: &watch::Receiver<bool>) -> Result<String> {
        let mut context = digest::Context::new(&digest::SHA256);
        let mut at = 0;
        while at < size {
            halt(stop)?;
            let bytes = self.store.read(key, at, CHUNK.min(size - at)).await?;
            if bytes.is_empty() {
                break;
            }
            at += bytes.len() as u64;
            context.update(&bytes);
        }
        Ok(hex::encode(context.finish()))
    }

    /// As [`Shelf::prune`]; also what was begun and cannot be ended, because it is no longer on the shelf. What a killed
    /// removal left is removed by the next one: its manifest went last.
    async fn prune(&self, keys: &Keys, settings: &Settings, shelf: &Shelf) -> Result<Vec<String>> {
        let (mut ours, mut whole, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        let files = self.files().await?;
        for (name, files) in &files {
            let said = if files.contains_key(MANIFEST) { MANIFEST } else { BEGUN };
            let Some(manifest) = self.authentic(keys, name, said, files).await? else { continue };
            if said == MANIFEST {
                ours.push((name, manifest.made_at));
                if manifest.files.keys().all(|file| files.contains_key(file)) {
                    whole.push(manifest.made_at);
                }
            } else if !shelf.path(name).exists() {
                self.take_away(name, files).await?;
                removed.push(name.clone());
            }
        }
        let all: Vec<_> = ours.iter().map(|(_, at)| *at).collect();
        let kept = &retention::kept(&all, settings) | &retention::kept(&whole, settings);
        for (name, _) in ours.iter().filter(|(_, at)| !kept.contains(at)) {
            if let Some(files) = files.get(*name) {
                self.take_away(name, files).await?;
                removed.push((*name).clone());
            }
        }
        Ok(removed)
    }

    /// What a backup there says of itself, if it is of this master key.
    async fn authentic(
        &self,
        keys: &Keys,
        name: &str,
        said: &str,
        files: &BTreeMap<String, u64>,
    ) -> Result<Option<Manifest>> {
        if !files.contains_key(said) {
            return Ok(None);
        }
        let text = self.store.read(&format!("{name}/{said}"), 0, MOST_MANIFEST).await?;
        Ok(backup::parse_manifest(keys, &text).ok())
    }

    /// What says whose it is goes last: a removal that was broken off is ended by the next one.
    async fn take_away(&self, name: &str, files: &BTreeMap<String, u64>) -> Result<()> {
        let rest = files.keys().map(String::as_str).filter(|f| *f != MANIFEST && *f != BEGUN);
        for file in rest.chain([BEGUN, MANIFEST]) {
            self.store.remove(&format!("{name}/{file}")).await?;
        }
        Ok(())
    }
}

fn halt(stop: &watch::Receiver<bool>) -> Result<()> {
    match *stop.borrow() {
        true => Err(Error::internal("the process stops")),
        false => Ok(()),
    }
}
