//! Reads the evidence logs a stopped platform has left in its data directory, as anybody can who knows C2SP
//! tlog-tiles: entries from their tiles, the root computed anew and held against the signed checkpoint.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use evidence::Record;
use tlog::{Builder, Checkpoint, Tile, TileKind, VerifyingKey, read_entries};

/// One log, wholly read.
#[derive(Debug)]
pub struct Log {
    /// Its name.
    pub name: String,
    /// Its records, in order.
    pub records: Vec<Record>,
}

/// Every log of evidence below `data`. Logs of other things (audit) are left out.
///
/// # Errors
/// When a log does not agree with its checkpoint or an entry is not a record.
pub fn read_all(data: &Path) -> Result<Vec<Log>> {
    let mut logs = vec![];
    for folder in folders(data)? {
        if let Some(log) = read(&folder).with_context(|| folder.display().to_string())? {
            logs.push(log);
        }
    }
    Ok(logs)
}

/// Folders that hold a log: a checkpoint, its key and tiles.
fn folders(data: &Path) -> Result<Vec<PathBuf>> {
    let (mut open, mut found) = (vec![data.to_owned()], vec![]);
    while let Some(folder) = open.pop() {
        if folder.join("checkpoint").is_file() && folder.join("vkey").is_file() {
            found.push(folder);
            continue;
        }
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Reads one log; `None` when it is not a log of evidence (its first entry is no origin of one).
fn read(folder: &Path) -> Result<Option<Log>> {
    let key = VerifyingKey::parse(std::fs::read_to_string(folder.join("vkey"))?.trim())?;
    let checkpoint = Checkpoint::open(&std::fs::read_to_string(folder.join("checkpoint"))?, &key)?;
    let (mut builder, mut records) = (Builder::new(), vec![]);
    let tiles = checkpoint.size.div_ceil(u64::from(tlog::TILE_WIDTH));
    for index in 0..tiles {
        let tile = Tile::in_tree(TileKind::Entries, index, checkpoint.size).context("no such tile")?;
        let bytes = std::fs::read(folder.join(tile.to_string())).with_context(|| tile.to_string())?;
        for entry in read_entries(&bytes, tile.width)? {
            match Record::parse(entry) {
                Ok(record) => records.push(record),
                Err(_) if builder.size() == 0 => return Ok(None),
                Err(e) => return Err(e).with_context(|| format!("entry {}", builder.size())),
            }
            builder.append(entry)?;
        }
    }
    ensure!(builder.size() == checkpoint.size, "{} entries, {} signed for", builder.size(), checkpoint.size);
    ensure!(builder.root() == checkpoint.root, "the entries have another root than the one signed for");
    Ok(Some(Log { name: checkpoint.origin, records }))
}
