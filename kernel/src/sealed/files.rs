//! The files of one origin: written beside and renamed, synced with their directories, never changed after.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;

use base::error::{Error, Result};
use tlog::{Tile, TileKind};

pub struct Files {
    dir: PathBuf,
    unsynced: Mutex<BTreeSet<PathBuf>>,
}

impl Files {
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, unsynced: Mutex::default() }
    }

    /// Writes a file durably, except for its directory entry: see [`Files::sync_dirs`].
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let target = self.dir.join(path);
        let parent = target.parent().map(PathBuf::from).unwrap_or_default();
        let mut dirs: Vec<PathBuf> = Vec::new();
        let mut missing = parent.clone();
        while !missing.exists() {
            dirs.push(missing.clone());
            if !missing.pop() {
                break;
            }
        }
        fs::create_dir_all(&parent)?;
        let beside =
            parent.join(format!(".{}.new", target.file_name().and_then(|n| n.to_str()).unwrap_or("file")));
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        fs::rename(&beside, &target)?;
        let mut unsynced = self.unsynced.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        unsynced.insert(parent);
        unsynced.extend(dirs.iter().filter_map(|d| d.parent().map(PathBuf::from)));
        drop(unsynced);
        // A file that stands alone (key, current) is not followed by a publish.
        if !path.starts_with("tile/") { self.sync_dirs() } else { Ok(()) }
    }

    /// Makes the names of written files durable.
    pub fn sync_dirs(&self) -> Result<()> {
        let dirs =
            std::mem::take(&mut *self.unsynced.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        for dir in dirs.iter().rev() {
            File::open(dir)?.sync_all()?;
        }
        Ok(())
    }

    pub fn read_bytes(&self, path: &str) -> Result<Option<Vec<u8>>> {
        match fs::read(self.dir.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::internal(e)),
        }
    }

    pub fn read_optional(&self, path: &str) -> Result<Option<String>> {
        self.read_bytes(path)?.map(|b| String::from_utf8(b).map_err(Error::internal)).transpose()
    }

    /// A tile's bytes; a partial tile that has since been completed or grown is cut from the larger one.
    pub fn tile_bytes(&self, tile: Tile) -> Result<Vec<u8>> {
        if let Some(bytes) = self.read_bytes(&tile.to_string())? {
            return Ok(bytes);
        }
        if tile.is_partial()
            && let Some(mut bytes) = self.read_bytes(&tile.full().to_string())?
            && tile.kind != TileKind::Entries
        {
            bytes.truncate(usize::from(tile.width) * tlog::Hash::LEN);
            return Ok(bytes);
        }
        Err(Error::internal(format!("{tile} is missing")))
    }

    /// The bytes of one entry.
    pub fn entry(&self, index: u64, size: u64) -> Result<Vec<u8>> {
        let width = u64::from(tlog::TILE_WIDTH);
        let tile =
            Tile::in_tree(TileKind::Entries, index / width, size).ok_or(Error::NotFound { kind: "entry" })?;
        let (bytes, width_read) = match self.read_bytes(&tile.to_string())? {
            Some(bytes) => (bytes, tile.width),
            None => (self.tile_bytes(tile.full())?, tile.full().width),
        };
        let entries = tlog::read_entries(&bytes, width_read).map_err(Error::internal)?;
        let at = usize::try_from(index % width).map_err(Error::internal)?;
        entries.get(at).map(|e| e.to_vec()).ok_or(Error::NotFound { kind: "entry" })
    }

    /// Removes a file if it is there.
    pub fn remove(&self, path: &str) -> Result<()> {
        match fs::remove_file(self.dir.join(path)) {
            Ok(()) => Ok(File::open(&self.dir)?.sync_all()?),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(Error::internal(e)),
        }
    }
}
