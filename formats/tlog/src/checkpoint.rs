//! Checkpoints (C2SP tlog-checkpoint): what a log says about its size and root, carried by a signed note.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::hash::Hash;
use crate::key::{SignError, Signer, VerifyingKey};
use crate::note::{Note, NoteError};

/// Why a text is not a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Fewer than three lines, or the last one does not end.
    #[error("the checkpoint is incomplete")]
    Incomplete,
    /// The first line is empty.
    #[error("the checkpoint names no origin")]
    Origin,
    /// The second line is not a plain decimal number.
    #[error("the size in the checkpoint is not a plain decimal number")]
    Size,
    /// The third line is not the base64 form of 32 bytes.
    #[error("the root in the checkpoint is not a SHA-256 value in base64")]
    Root,
    /// An extension line is empty.
    #[error("the checkpoint holds an empty extension line")]
    Extension,
}

/// Why a signed checkpoint was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is not a signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Its text is not a checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The key did not sign it.
    #[error("the checkpoint is not signed by the key of the log")]
    Signature,
    /// It belongs to another log.
    #[error("the checkpoint names another origin than the key")]
    Origin,
}

/// Size and root of a log at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log; one line.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree of these entries.
    pub root: Hash,
    /// Further lines, none of them empty; opaque here.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// Reads the text of a checkpoint, strictly: `to_string` gives back the parsed bytes.
    pub fn parse(text: &str) -> Result<Checkpoint, CheckpointError> {
        let mut lines = text.strip_suffix('\n').ok_or(CheckpointError::Incomplete)?.split('\n');
        let mut line = || lines.next().ok_or(CheckpointError::Incomplete);
        let (origin, size, root) = (line()?, line()?, line()?);
        if origin.is_empty() {
            return Err(CheckpointError::Origin);
        }
        let size = parse_size(size)?;
        let root = STANDARD.decode(root).ok().and_then(|bytes| Hash::from_slice(&bytes));
        let root = root.ok_or(CheckpointError::Root)?;
        let extensions = lines.map(str::to_owned).collect::<Vec<_>>();
        if extensions.iter().any(String::is_empty) {
            return Err(CheckpointError::Extension);
        }
        Ok(Checkpoint { origin: origin.to_owned(), size, root, extensions })
    }

    /// Signs this checkpoint; the note's text form is what a log publishes.
    pub fn sign(&self, signer: &dyn Signer) -> Result<Note, SignError> {
        let text = self.to_string();
        Checkpoint::parse(&text).map_err(|e| SignError(Box::new(e)))?;
        Note::sign(&text, signer)
    }

    /// Reads a published checkpoint and checks that this log made it: signed by the key, and under its name.
    pub fn open(note: &str, key: &VerifyingKey) -> Result<Checkpoint, OpenError> {
        let note = Note::parse(note)?;
        if !note.is_signed_by(key) {
            return Err(OpenError::Signature);
        }
        let checkpoint = Checkpoint::parse(note.text())?;
        if checkpoint.origin == key.name() { Ok(checkpoint) } else { Err(OpenError::Origin) }
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, STANDARD.encode(self.root.0))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

fn parse_size(text: &str) -> Result<u64, CheckpointError> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().map_err(|_| CheckpointError::Size) } else { Err(CheckpointError::Size) }
}
