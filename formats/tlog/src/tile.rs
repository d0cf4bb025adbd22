//! Tiles and entry bundles (C2SP tlog-tiles): names, contents, and a reader of tree nodes on top of them.
//! Files and downloads are left to the callers, who implement [`Tiles`].

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

use crate::hash::{Hash, node_hash};
use crate::proof::{Node, Nodes};

/// Hashes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;
/// Longest entry a bundle can carry: its length is written in two bytes.
pub const MAX_ENTRY_BYTES: usize = u16::MAX as usize;
/// Tree levels in one tile.
const TILE_HEIGHT: u8 = 8;
/// A tree of 2⁶³ leaves needs tile levels 0 to 7.
const MAX_TILE_LEVEL: u8 = 7;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of complete subtrees of height 8 × this level.
    Hashes(u8),
    /// The entries themselves, each behind its length in two bytes.
    Entries,
}

/// The name of one tile or entry bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// Hashes or entries.
    pub kind: TileKind,
    /// Position among the tiles of its kind.
    pub index: u64,
    /// Hashes or entries in it: 256, or 1 to 255 for a partial one.
    pub width: u16,
}

impl Tile {
    /// The tile `index` of this kind as it is in a tree of `size` leaves; `None` when it is empty there.
    pub fn in_tree(kind: TileKind, index: u64, size: u64) -> Option<Tile> {
        let count = match kind {
            TileKind::Entries => size,
            TileKind::Hashes(level) if level <= MAX_TILE_LEVEL => size >> (level * TILE_HEIGHT),
            TileKind::Hashes(_) => return None,
        };
        let left = count.checked_sub(index.checked_mul(u64::from(TILE_WIDTH))?)?;
        let width = left.min(u64::from(TILE_WIDTH)) as u16;
        (width > 0).then_some(Tile { kind, index, width })
    }

    /// Whether it is a partial tile, which a full one will replace.
    pub fn is_partial(&self) -> bool {
        self.width < TILE_WIDTH
    }

    /// The full tile of the same place.
    pub fn full(&self) -> Tile {
        Tile { width: TILE_WIDTH, ..*self }
    }

    /// Reads a path as `Display` writes it, and nothing else: no other spelling of the same tile.
    pub fn parse(path: &str) -> Option<Tile> {
        let mut parts = path.strip_prefix("tile/")?.split('/');
        let kind = match parts.next()? {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(level.parse().ok().filter(|level| *level <= MAX_TILE_LEVEL)?),
        };
        let parts: Vec<&str> = parts.collect();
        let (groups, width) = match parts.as_slice() {
            [groups @ .., last, width] if last.ends_with(".p") => {
                let width = width.parse().ok().filter(|w| (1..TILE_WIDTH).contains(w))?;
                ([groups, &[last.strip_suffix(".p")?]].concat(), width)
            }
            groups => (groups.to_vec(), TILE_WIDTH),
        };
        let digits = groups.iter().map(|g| g.strip_prefix('x').unwrap_or(g)).collect::<String>();
        let tile = Tile { kind, index: digits.parse().ok()?, width };
        (tile.to_string() == path).then_some(tile)
    }
}

impl fmt::Display for Tile {
    /// The path below the log's address: `tile/0/x001/x234/067.p/5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
            TileKind::Entries => write!(f, "tile/entries/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        groups[1..].iter().rev().try_for_each(|group| write!(f, "x{group:03}/"))?;
        write!(f, "{:03}", groups[0])?;
        if self.is_partial() { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// An entry does not fit a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an entry of {0} bytes is longer than {MAX_ENTRY_BYTES}")]
pub struct EntryTooLong(pub usize);

/// The bytes are not a bundle of so many entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the entry bundle is damaged")]
pub struct BadBundle;

/// Adds one entry to the bytes of a bundle.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), EntryTooLong> {
    let length = u16::try_from(entry.len()).map_err(|_| EntryTooLong(entry.len()))?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle, which must be exactly `width` and fill it to the last byte.
pub fn read_entries(bundle: &[u8], width: u16) -> Result<Vec<&[u8]>, BadBundle> {
    let mut rest = bundle;
    let mut entries = Vec::with_capacity(usize::from(width));
    for _ in 0..width {
        let (length, after) = rest.split_first_chunk::<2>().ok_or(BadBundle)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or(BadBundle)?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() { Ok(entries) } else { Err(BadBundle) }
}

/// Something that gives the bytes of tiles: files, a web address, a map.
pub trait Tiles {
    /// Why a tile could not be had.
    type Error;
    /// The bytes of exactly this tile.
    fn tile(&self, tile: Tile) -> Result<Vec<u8>, Self::Error>;
}

/// Why a node could not be read from tiles.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileNodesError<E> {
    /// The tile could not be had.
    #[error("a tile could not be read")]
    Tiles(#[source] E),
    /// The tile has the wrong length.
    #[error("{0} has the wrong length")]
    Damaged(Tile),
    /// The node lies outside the tree.
    #[error("the node lies outside the tree")]
    Outside,
}

/// The nodes of a tree of a known size, read from its tiles; each tile is fetched once. Tiles are not
/// verified here: check the proof or root that comes of them.
pub struct TileNodes<'a, T: Tiles> {
    tiles: &'a T,
    size: u64,
    fetched: RefCell<HashMap<Tile, Vec<u8>>>,
}

impl<'a, T: Tiles> TileNodes<'a, T> {
    /// Reads the tree of the first `size` leaves.
    pub fn new(tiles: &'a T, size: u64) -> Self {
        TileNodes { tiles, size, fetched: RefCell::default() }
    }
}

impl<T: Tiles> Nodes for TileNodes<'_, T> {
    type Error = TileNodesError<T::Error>;

    fn node(&self, node: Node) -> Result<Hash, Self::Error> {
        let (level, above) = (node.level / TILE_HEIGHT, node.level % TILE_HEIGHT);
        let first = node.index.checked_mul(1 << above).ok_or(TileNodesError::Outside)?;
        let (index, offset) = (first / u64::from(TILE_WIDTH), (first % u64::from(TILE_WIDTH)) as usize);
        let tile = Tile::in_tree(TileKind::Hashes(level), index, self.size).ok_or(TileNodesError::Outside)?;
        if offset + (1 << above) > usize::from(tile.width) {
            return Err(TileNodesError::Outside);
        }
        let mut fetched = self.fetched.borrow_mut();
        let bytes = match fetched.entry(tile) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let bytes = self.tiles.tile(tile).map_err(TileNodesError::Tiles)?;
                if bytes.len() != usize::from(tile.width) * Hash::LEN {
                    return Err(TileNodesError::Damaged(tile));
                }
                unknown.insert(bytes)
            }
        };
        Ok(subtree(&bytes[offset * Hash::LEN..(offset + (1 << above)) * Hash::LEN]))
    }
}

/// The root over the hashes in these bytes, whose number is a power of two and at least one.
pub(crate) fn subtree(bytes: &[u8]) -> Hash {
    let mut row: Vec<Hash> = bytes.chunks_exact(Hash::LEN).filter_map(Hash::from_slice).collect();
    while row.len() > 1 {
        row = row.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
    }
    row[0]
}
