//! Grows a log: takes entries, says which tile files are new. Writing the files, syncing them and signing a
//! checkpoint, in that order, is left to the caller.

use crate::frontier::Frontier;
use crate::hash::{Hash, leaf_hash};
use crate::proof::{Node, Nodes};
use crate::tile::{
    BadBundle, EntryTooLong, TILE_WIDTH, Tile, TileKind, TileNodes, TileNodesError, Tiles, push_entry,
    read_entries, subtree,
};

/// A tile and its bytes, to be written under the path [`Tile`] prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileFile {
    /// Which tile.
    pub tile: Tile,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Why a log cannot be taken up again from its tiles.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResumeError<E> {
    /// A tile is missing or has the wrong length.
    #[error(transparent)]
    Tiles(#[from] TileNodesError<E>),
    /// The last entry bundle is damaged or does not belong to the hashes.
    #[error("the last entry bundle does not belong to the hashes of the log")]
    Entries,
}

impl<E> From<BadBundle> for ResumeError<E> {
    fn from(_: BadBundle) -> Self {
        ResumeError::Entries
    }
}

/// The growing edge of a log.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    frontier: Frontier,
    /// The unfinished tile of each level, lowest first.
    levels: Vec<Vec<u8>>,
    /// The unfinished entry bundle.
    bundle: Vec<u8>,
    finished: Vec<TileFile>,
    changed: bool,
}

impl Builder {
    /// An empty log.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Takes up a log of `size` entries from its tiles. The caller compares [`Builder::root`] with the
    /// checkpoint it has for this size.
    pub fn resume<T: Tiles>(size: u64, tiles: &T) -> Result<Builder, ResumeError<T::Error>> {
        let nodes = TileNodes::new(tiles, size);
        let mut peaks = Vec::new();
        for level in (0..64u8).rev().filter(|level| size >> level & 1 == 1) {
            // The complete subtrees stand side by side, so each begins where the larger ones end.
            peaks.push(nodes.node(Node { level, index: (size >> level) - 1 })?);
        }
        let frontier = Frontier::from_peaks(size, peaks).ok_or(ResumeError::Entries)?;
        let fetch = |kind| match last_partial(kind, size) {
            Some(tile) => tiles.tile(tile).map_err(TileNodesError::Tiles),
            None => Ok(Vec::new()),
        };
        let mut levels = Vec::new();
        let mut count = size;
        while count > 0 {
            levels.push(fetch(TileKind::Hashes(levels.len() as u8))?);
            count >>= 8;
        }
        let bundle = fetch(TileKind::Entries)?;
        let entries = read_entries(&bundle, (size % u64::from(TILE_WIDTH)) as u16)?;
        let hashes: Vec<u8> = entries.iter().flat_map(|entry| leaf_hash(entry).0).collect();
        if levels.first().is_some_and(|lowest| *lowest != hashes) {
            return Err(ResumeError::Entries);
        }
        Ok(Builder { frontier, levels, bundle, finished: Vec::new(), changed: false })
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root as it is now.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Adds one entry and returns its index.
    pub fn append(&mut self, entry: &[u8]) -> Result<u64, EntryTooLong> {
        push_entry(&mut self.bundle, entry)?;
        let index = self.size();
        let hash = leaf_hash(entry);
        self.frontier.append(hash);
        self.changed = true;
        if (index + 1).is_multiple_of(u64::from(TILE_WIDTH)) {
            let tile =
                Tile { kind: TileKind::Entries, index: index / u64::from(TILE_WIDTH), width: TILE_WIDTH };
            self.finished.push(TileFile { tile, bytes: std::mem::take(&mut self.bundle) });
        }
        self.push_hash(0, index, hash);
        Ok(index)
    }

    /// The files that make the log as it is now readable and were not handed out before: finished tiles
    /// first, then the partial ones of the right edge.
    pub fn take_files(&mut self) -> Vec<TileFile> {
        let mut files = std::mem::take(&mut self.finished);
        if std::mem::take(&mut self.changed) {
            let kinds = (0..self.levels.len()).map(|level| TileKind::Hashes(level as u8));
            let contents = self.levels.iter().chain([&self.bundle]);
            for (kind, bytes) in kinds.chain([TileKind::Entries]).zip(contents) {
                let partial = last_partial(kind, self.size());
                files.extend(partial.map(|tile| TileFile { tile, bytes: bytes.clone() }));
            }
        }
        files
    }

    fn push_hash(&mut self, level: usize, index: u64, hash: Hash) {
        if self.levels.len() == level {
            self.levels.push(Vec::new());
        }
        self.levels[level].extend_from_slice(&hash.0);
        if self.levels[level].len() == usize::from(TILE_WIDTH) * Hash::LEN {
            let bytes = std::mem::take(&mut self.levels[level]);
            let (above, root) = (index / u64::from(TILE_WIDTH), subtree(&bytes));
            let tile = Tile { kind: TileKind::Hashes(level as u8), index: above, width: TILE_WIDTH };
            self.finished.push(TileFile { tile, bytes });
            self.push_hash(level + 1, above, root);
        }
    }
}

/// The partial tile at the right edge of a tree, if its last tile of this kind is not full.
fn last_partial(kind: TileKind, size: u64) -> Option<Tile> {
    let count = match kind {
        TileKind::Entries => size,
        TileKind::Hashes(level) => size >> (8 * level),
    };
    let width = (count % u64::from(TILE_WIDTH)) as u16;
    (width > 0).then_some(Tile { kind, index: count / u64::from(TILE_WIDTH), width })
}
