//! Inclusion and consistency proofs (RFC 6962 §2.1.1-2.1.2, RFC 9162 §2.1.3-2.1.4): made from a reader of
//! complete subtrees, checked from nothing but the proof. Where the hashes are kept is left to `tile`.

use crate::hash::{Hash, node_hash};

/// A complete subtree: the leaves `index << level` up to, not including, `(index + 1) << level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// Height: 0 for a leaf.
    pub level: u8,
    /// Position among the complete subtrees of this height.
    pub index: u64,
}

/// Something that knows the hashes of the complete subtrees of a tree.
pub trait Nodes {
    /// Why a hash could not be had.
    type Error;
    /// The root of one complete subtree.
    fn node(&self, node: Node) -> Result<Hash, Self::Error>;
}

/// Why a proof could not be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError<E> {
    /// The entry or the older tree lies outside the tree.
    #[error("{asked} does not lie in a tree of {size} entries")]
    Outside {
        /// What was asked for: an index, or the size of the older tree.
        asked: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The reader failed.
    #[error("a hash of the tree could not be read")]
    Read(#[source] E),
}

/// The proof does not lead to the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof does not lead to the root of the tree")]
pub struct BadProof;

/// The root of the tree of the first `size` leaves.
pub fn root<R: Nodes>(reader: &R, size: u64) -> Result<Hash, R::Error> {
    if size == 0 { Ok(Hash::EMPTY_ROOT) } else { range(reader, 0, size) }
}

/// The proof that entry `index` is in the tree of the first `size` leaves, lowest sibling first.
///
/// # Errors
/// When `index` is not below `size`, and whatever the reader reports.
pub fn inclusion<R: Nodes>(reader: &R, index: u64, size: u64) -> Result<Vec<Hash>, ProofError<R::Error>> {
    if index >= size {
        return Err(ProofError::Outside { asked: index, size });
    }
    let mut siblings = Vec::new();
    let (mut low, mut high) = (0, size);
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            siblings.push((middle, high));
            high = middle;
        } else {
            siblings.push((low, middle));
            low = middle;
        }
    }
    read_upwards(reader, siblings)
}

/// The proof that the tree of `old` leaves is a beginning of the tree of `new` leaves.
/// Empty when either there is nothing to show (`old` is 0) or both are the same.
///
/// # Errors
/// When `old` is above `new`, and whatever the reader reports.
pub fn consistency<R: Nodes>(reader: &R, old: u64, new: u64) -> Result<Vec<Hash>, ProofError<R::Error>> {
    if old > new {
        return Err(ProofError::Outside { asked: old, size: new });
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let mut parts = Vec::new();
    let (mut low, mut high, mut whole_is_known) = (0, new, true);
    while old != high {
        let middle = low + split(high - low);
        if old <= middle {
            parts.push((middle, high));
            high = middle;
        } else {
            parts.push((low, middle));
            low = middle;
            whole_is_known = false;
        }
    }
    if !whole_is_known {
        parts.push((low, high));
    }
    read_upwards(reader, parts)
}

/// Checks that the entry with this leaf hash is entry `index` of the tree of `size` leaves with this root.
/// The proof must have exactly the length the position requires.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), BadProof> {
    if index >= size {
        return Err(BadProof);
    }
    let (mut position, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(BadProof);
        }
        if position & 1 == 1 || position == last {
            hash = node_hash(sibling, &hash);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(BadProof) }
}

/// Checks that the tree of `old` leaves with root `old_root` is a beginning of the tree of `new` leaves with
/// root `new_root`. Everything extends the empty tree; equal sizes need equal roots and an empty proof.
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), BadProof> {
    if old > new {
        return Err(BadProof);
    }
    if old == new || old == 0 {
        let expected = if old == new { new_root } else { &Hash::EMPTY_ROOT };
        return if proof.is_empty() && old_root == expected { Ok(()) } else { Err(BadProof) };
    }
    // RFC 9162 §2.1.4.2: a power of two is itself a complete subtree, so that its root starts the climb.
    let (start, rest) =
        if old.is_power_of_two() { (old_root, proof) } else { proof.split_first().ok_or(BadProof)? };
    let shift = (old - 1).trailing_ones();
    let (mut position, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut old_hash, mut new_hash) = (*start, *start);
    for part in rest {
        if last == 0 {
            return Err(BadProof);
        }
        if position & 1 == 1 || position == last {
            old_hash = node_hash(part, &old_hash);
            new_hash = node_hash(part, &new_hash);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, part);
        }
        position >>= 1;
        last >>= 1;
    }
    if last == 0 && old_hash == *old_root && new_hash == *new_root { Ok(()) } else { Err(BadProof) }
}

/// The largest power of two below `width`; `width` is at least 2.
fn split(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}

/// The parts were collected from the root downwards; proofs list them from the leaf upwards.
fn read_upwards<R: Nodes>(reader: &R, parts: Vec<(u64, u64)>) -> Result<Vec<Hash>, ProofError<R::Error>> {
    parts.into_iter().rev().map(|(low, high)| range(reader, low, high).map_err(ProofError::Read)).collect()
}

/// The hash of a subtree that begins at a multiple of its own width: complete subtrees, folded from the right.
fn range<R: Nodes>(reader: &R, low: u64, high: u64) -> Result<Hash, R::Error> {
    let mut right = None;
    let mut end = high;
    while end > low {
        let level = (end - low).trailing_zeros().min(63) as u8;
        let index = (end - 1) >> level;
        let left = reader.node(Node { level, index })?;
        right = Some(right.map_or(left, |right| node_hash(&left, &right)));
        end = index << level;
    }
    Ok(right.unwrap_or(Hash::EMPTY_ROOT))
}
