//! Removes partial tiles that larger ones have replaced. Each publication writes the unfinished tiles anew under
//! their new width; without this a quiet log would keep two hundred copies of every bundle.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tlog::{TILE_WIDTH, Tile, TileKind};

/// Partial widths kept beside the newest: readers who hold a checkpoint a little older still find its tiles.
const KEPT: usize = 32;
/// Finished tiles looked at when the log is opened: what the last process had no time to remove.
const LOOKED_BACK: u64 = 64;

/// The right edge of one log, tidied after each publication.
pub(super) struct Pruner {
    dir: PathBuf,
    /// Sizes of the publication before the last one, and of the last one.
    sizes: [u64; 2],
}

impl Pruner {
    /// For the log in `dir`, published up to `size`.
    pub(super) fn new(dir: PathBuf, size: u64) -> io::Result<Self> {
        for (kind, count) in kinds(size) {
            let last = count / u64::from(TILE_WIDTH);
            for index in last.saturating_sub(LOOKED_BACK)..last {
                gone(fs::remove_dir_all(partials(&dir, kind, index)))?;
            }
        }
        Ok(Self { dir, sizes: [size, size] })
    }

    /// To be called after the log was published up to `size`. Losing a removal is harmless: it is done again.
    pub(super) fn published(&mut self, size: u64) -> io::Result<()> {
        let [older, last] = self.sizes;
        self.sizes = [last, size];
        for (kind, count) in kinds(size) {
            let (older, last) = (tile_of(kind, older), tile_of(kind, last));
            // Finished one publication ago: nobody but a very late reader still asks for its partial form.
            if older < last {
                gone(fs::remove_dir_all(partials(&self.dir, kind, older)))?;
            }
            trim(&partials(&self.dir, kind, count / u64::from(TILE_WIDTH)))?;
        }
        Ok(())
    }
}

/// Kinds of tiles in a tree of `size` entries, with the number of hashes or entries of each.
fn kinds(size: u64) -> impl Iterator<Item = (TileKind, u64)> {
    let levels = (0..8).map(move |level| (TileKind::Hashes(level), size >> (8 * level)));
    levels.take_while(|(_, count)| *count > 0).chain([(TileKind::Entries, size)])
}

/// The unfinished tile of a kind in a tree of `size` entries.
fn tile_of(kind: TileKind, size: u64) -> u64 {
    match kind {
        TileKind::Hashes(level) => (size >> (8 * level)) / u64::from(TILE_WIDTH),
        TileKind::Entries => size / u64::from(TILE_WIDTH),
    }
}

/// The directory of the partial forms of one tile.
fn partials(dir: &Path, kind: TileKind, index: u64) -> PathBuf {
    let mut path = dir.join(Tile { kind, index, width: 1 }.to_string());
    path.pop();
    path
}

/// Keeps the widest partial forms.
fn trim(at: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(at) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut widths: Vec<u16> = names.filter_map(|name| name.parse().ok()).collect();
    widths.sort_unstable();
    let surplus = widths.len().saturating_sub(KEPT);
    widths[..surplus].iter().try_for_each(|width| gone(fs::remove_file(at.join(width.to_string()))))
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use tlog::{Builder, Tiles};

    struct Files<'a>(&'a Path);

    impl Tiles for Files<'_> {
        type Error = io::Error;

        fn tile(&self, tile: Tile) -> io::Result<Vec<u8>> {
            fs::read(self.0.join(tile.to_string()))
        }
    }

    fn partial_files(dir: &Path) -> BTreeMap<PathBuf, usize> {
        let mut found = BTreeMap::new();
        let mut open = vec![dir.to_path_buf()];
        while let Some(at) = open.pop() {
            for entry in fs::read_dir(&at).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else if at.extension().is_some_and(|e| e == "p") {
                    *found.entry(at.clone()).or_default() += 1;
                }
            }
        }
        found
    }

    #[test]
    fn the_edge_stays_small_and_the_log_whole() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        let mut builder = Builder::new();
        let mut pruner = Pruner::new(dir.to_path_buf(), 0).unwrap();
        let steps = [1, 1, 3, 40, 1, 500, 1, 1, 255, 1, 2, 1700, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
        for (round, step) in steps.into_iter().cycle().take(60).enumerate() {
            for _ in 0..step {
                builder.append(b"entry").unwrap();
            }
            for file in builder.take_files() {
                let path = dir.join(file.tile.to_string());
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, &file.bytes).unwrap();
            }
            pruner.published(builder.size()).unwrap();
            if round % 7 == 0 {
                pruner = Pruner::new(dir.to_path_buf(), builder.size()).unwrap();
            }
            let again = Builder::resume(builder.size(), &Files(dir)).unwrap();
            assert_eq!(again.root(), builder.root());
            let left = partial_files(dir);
            assert!(left.values().all(|n| *n <= KEPT) && left.len() <= 6, "{left:?}");
        }
    }
}
