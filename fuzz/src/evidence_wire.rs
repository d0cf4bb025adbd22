//! What a stranger is handed: bundles, records, signed notes.

use evidence::{Bundle, Record};
use tlog::{Checkpoint, Note, Tile, VerifyingKey};

/// A bundle: never believed by accident, and printed as it was read.
pub fn bundle(data: &[u8]) {
    if let Ok(read) = Bundle::parse(data) {
        assert_eq!(Bundle::parse(&read.to_bytes()).as_ref(), Ok(&read));
    }
    if let Ok(verified) = evidence::verify(data, None) {
        let _ = (verified.call(), verified.withheld(), verified.request_hash());
    }
}

/// A record has one form only.
pub fn record(data: &[u8]) {
    if let Ok(read) = Record::parse(data) {
        assert_eq!(read.to_leaf().as_deref().ok(), Some(data));
    }
}

/// Notes, checkpoints, keys, addresses of tiles, entry bundles.
pub fn note(data: &[u8]) {
    let _ = data.first().map(|width| tlog::read_entries(&data[1..], u16::from(*width)));
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(note) = Note::parse(text) {
        assert_eq!(note.to_string(), text);
        let _ = Checkpoint::parse(note.text());
    }
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        assert_eq!(checkpoint.to_string(), text);
    }
    if let Ok(key) = VerifyingKey::parse(text) {
        assert_eq!(VerifyingKey::parse(&key.to_string()).as_ref(), Ok(&key));
    }
    if let Some(tile) = Tile::parse(text) {
        assert_eq!(tile.to_string(), text);
    }
}
