//! Transparency logs: the Merkle tree of RFC 6962 and RFC 9162, and the C2SP file formats around it
//! (tlog-tiles, tlog-checkpoint, signed-note). Pure: it opens no file and no connection, keeps no clock
//! and draws no random number; what an entry means is left to the callers.

mod builder;
mod checkpoint;
mod frontier;
mod hash;
mod key;
mod note;
mod proof;
mod tile;

pub use builder::{Builder, ResumeError, TileFile};
pub use checkpoint::{Checkpoint, CheckpointError, OpenError};
pub use frontier::Frontier;
pub use hash::{Hash, leaf_hash, node_hash};
pub use key::{ALGORITHM_ED25519, KeyError, SignError, Signer, SigningKey, VerifyingKey};
pub use note::{Note, NoteError, Signature};
pub use proof::{
    BadProof, Node, Nodes, ProofError, consistency, inclusion, root, verify_consistency, verify_inclusion,
};
pub use tile::{
    BadBundle, EntryTooLong, MAX_ENTRY_BYTES, TILE_WIDTH, Tile, TileKind, TileNodes, TileNodesError, Tiles,
    push_entry, read_entries,
};
