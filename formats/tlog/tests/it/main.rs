//! Tests of the transparency-log formats against other implementations and against their own definitions.

#![allow(clippy::unwrap_used)] // helpers of tests stand outside #[test]

mod keys_and_notes;
mod tiles;
mod trees;

use tlog::{Hash, Node, Nodes, leaf_hash, node_hash};

/// The tree by the book: RFC 6962 §2.1, recursion over the list of entries.
pub(crate) struct Reference(pub(crate) Vec<Hash>);

impl Reference {
    pub(crate) fn of(size: u64) -> Reference {
        Reference((0..size).map(|i| leaf_hash(&entry(i))).collect())
    }

    pub(crate) fn root(&self, size: usize) -> Hash {
        merkle_tree_hash(&self.0[..size])
    }
}

impl Nodes for Reference {
    type Error = String;

    fn node(&self, node: Node) -> Result<Hash, String> {
        let range = (node.index << node.level) as usize..((node.index + 1) << node.level) as usize;
        self.0.get(range).map(merkle_tree_hash).ok_or_else(|| format!("{node:?} is not complete"))
    }
}

pub(crate) fn entry(i: u64) -> Vec<u8> {
    format!("entry {i}").into_bytes()
}

fn merkle_tree_hash(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&merkle_tree_hash(left), &merkle_tree_hash(right))
        }
    }
}
