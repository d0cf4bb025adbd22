//! Signed notes (C2SP signed-note): a text and the signatures below it. What the text says is left to
//! `checkpoint` and others.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::key::{SignError, Signer, VerifyingKey, is_key_name};

const MAX_NOTE_BYTES: usize = 1 << 20;
const MAX_SIGNATURES: usize = 100;
const LINE_START: &str = "\u{2014} ";

/// Why a text is not a signed note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than 1 MiB, or more than 100 signatures.
    #[error("the note is too long")]
    TooLong,
    /// A control character other than the line feed.
    #[error("the note holds a control character")]
    Control,
    /// No empty line between text and signatures, an empty text, or no signature.
    #[error("the note has no text or no signature")]
    Incomplete,
    /// A line that should be a signature is not one.
    #[error("a signature line of the note is malformed")]
    SignatureLine,
}

/// A text with signatures. Parsing is strict: `to_string` gives back the parsed bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// One signature line, not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Who is said to have signed.
    pub name: String,
    /// The identifier of the key.
    pub key_id: [u8; 4],
    /// The signature itself, never empty.
    pub bytes: Vec<u8>,
}

impl Note {
    /// Signs a text, which must end with a line feed and hold no other control character.
    pub fn sign(text: &str, signer: &dyn Signer) -> Result<Note, SignError> {
        check_text(text).map_err(|e| SignError(Box::new(e)))?;
        let bytes = signer.sign(text.as_bytes())?.to_vec();
        let key = signer.verifying_key();
        let signature = Signature { name: key.name().to_owned(), key_id: key.id(), bytes };
        Ok(Note { text: text.to_owned(), signatures: vec![signature] })
    }

    /// Reads a note; verifies nothing.
    pub fn parse(note: &str) -> Result<Note, NoteError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong);
        }
        // The last empty line divides, since the text may hold empty lines of its own.
        let divide = note.rfind("\n\n").ok_or(NoteError::Incomplete)?;
        let (text, rest) = note.split_at(divide + 1);
        check_text(text)?;
        let lines = rest[1..].strip_suffix('\n').ok_or(NoteError::Incomplete)?;
        let signatures = lines.split('\n').map(parse_signature).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::TooLong);
        }
        Ok(Note { text: text.to_owned(), signatures })
    }

    /// The signed text, its last line feed included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signature lines, in their order.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Whether this key has signed. Lines under its name and identifier that do not verify count as
    /// forgery: one of them and the answer is no. Other keys' lines are passed over.
    pub fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        let mut own = self.signatures.iter().filter(|s| s.name == key.name() && s.key_id == key.id());
        let signed = |s: &Signature| key.verifies(self.text.as_bytes(), &s.bytes);
        own.next().is_some_and(signed) && own.all(signed)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|s| {
            let blob = STANDARD.encode([&s.key_id[..], &s.bytes].concat());
            writeln!(f, "{LINE_START}{} {blob}", s.name)
        })
    }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if text.bytes().any(|b| b < b' ' && b != b'\n') {
        return Err(NoteError::Control);
    }
    if text.len() > 1 && text.ends_with('\n') { Ok(()) } else { Err(NoteError::Incomplete) }
}

fn parse_signature(line: &str) -> Result<Signature, NoteError> {
    let fields = line.strip_prefix(LINE_START).and_then(|rest| rest.split_once(' '));
    let (name, blob) = fields.ok_or(NoteError::SignatureLine)?;
    let blob = STANDARD.decode(blob).map_err(|_| NoteError::SignatureLine)?;
    match blob.split_first_chunk::<4>() {
        Some((key_id, bytes)) if is_key_name(name) && !bytes.is_empty() => {
            Ok(Signature { name: name.to_owned(), key_id: *key_id, bytes: bytes.to_vec() })
        }
        _ => Err(NoteError::SignatureLine),
    }
}
