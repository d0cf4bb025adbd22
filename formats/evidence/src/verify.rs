//! The check: README.md §5. It needs nothing but the file, and the key of the log if the reader has it from
//! elsewhere. What it has shown is put into words in `report`.

use aws_lc_rs::digest::{Context, SHA512};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tlog::{Checkpoint, VerifyingKey, leaf_hash, verify_inclusion};

use crate::bounds::open_checkpoint;
use crate::bundle::{Bundle, Disclosure};
use crate::commitment::{Field, commit};
use crate::record::{Body, Call, Closed, Opened, Origin, Record};
use crate::refusal::Refusal;

/// A bundle that holds. What it proves, and what not, is in [`Verified::report`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The key of the log.
    pub log: VerifyingKey,
    /// Whether the reader knew this key from elsewhere. If not, the bundle only vouches for itself.
    pub trusted: bool,
    /// The state of the log in which the records were found.
    pub checkpoint: Checkpoint,
    /// The records, in the order of the log: opened, closed, both, or the origin of a log.
    pub records: Vec<Proven>,
    /// The opened commitments.
    pub disclosed: Vec<Disclosed>,
}

/// A record that the log holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Its position in the log.
    pub index: u64,
    /// The record.
    pub record: Record,
}

/// A value that a record commits to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosed {
    /// Which of the records, from 0.
    pub entry: usize,
    /// Which field.
    pub field: Field,
    /// Its value.
    pub value: String,
}

/// Checks a bundle. `trusted` is the key of the log as the reader knows it from elsewhere.
///
/// # Errors
/// The first reason for which the bundle proves nothing.
pub fn verify(bytes: &[u8], trusted: Option<&VerifyingKey>) -> Result<Verified, Refusal> {
    let bundle = Bundle::parse(bytes)?;
    if trusted.is_some_and(|key| *key != bundle.log) {
        return Err(Refusal::Untrusted);
    }
    let checkpoint = open_checkpoint(&bundle.checkpoint, &bundle.log).ok_or(Refusal::Checkpoint)?;
    let records = bundle
        .entries
        .iter()
        .map(|entry| {
            let record = Record::parse(&entry.leaf).map_err(Refusal::Leaf)?;
            let leaf = leaf_hash(&entry.leaf);
            verify_inclusion(&leaf, entry.index, checkpoint.size, &entry.proof, &checkpoint.root)
                .map_err(|_| Refusal::Proof)?;
            Ok(Proven { index: entry.index, record })
        })
        .collect::<Result<Vec<_>, Refusal>>()?;
    check_shape(&bundle, &records, &checkpoint)?;
    let disclosed = bundle
        .disclosures
        .into_iter()
        .map(|disclosure| check_disclosure(disclosure, &records))
        .collect::<Result<Vec<_>, _>>()?;
    check_agreement_of_values(&disclosed)?;
    Ok(Verified { log: bundle.log, trusted: trusted.is_some(), checkpoint, records, disclosed })
}

/// The records must be those of one call, or the one with which a log begins.
fn check_shape(bundle: &Bundle, records: &[Proven], checkpoint: &Checkpoint) -> Result<(), Refusal> {
    let fits = match records {
        [Proven { index, record: Record::Origin(origin) }] => {
            *index == 0 && origin.origin == checkpoint.origin
        }
        [Proven { record: Record::Opened(_), .. }] => true,
        // A closed record that names an opened one does not stand without it.
        [Proven { record: Record::Closed(closed), .. }] => closed.opened.is_none(),
        [
            Proven { index: first, record: Record::Opened(opened) },
            Proven { index: second, record: Record::Closed(closed) },
        ] => {
            if first >= second {
                return Err(Refusal::Entries);
            }
            let named = Some(leaf_hash(&bundle.entries[0].leaf));
            return if closed.opened == named && opened.call == closed.call {
                Ok(())
            } else {
                Err(Refusal::Mismatch)
            };
        }
        _ => false,
    };
    if fits { Ok(()) } else { Err(Refusal::Entries) }
}

fn check_disclosure(disclosure: Disclosure, records: &[Proven]) -> Result<Disclosed, Refusal> {
    let Disclosure { entry, private } = disclosure;
    let record = &records.get(entry).ok_or(Refusal::Disclosure)?.record;
    let committed = record.commitments().and_then(|commitments| commitments.get(&private.field));
    let opened = commit(record.kind(), private.field, &private.salt, &private.value);
    if committed != Some(&opened) || !private.field.accepts(&private.value) {
        return Err(Refusal::Disclosure);
    }
    Ok(Disclosed { entry, field: private.field, value: private.value })
}

/// Both records of a call state the same path, query and so on.
fn check_agreement_of_values(disclosed: &[Disclosed]) -> Result<(), Refusal> {
    let contradicts = |a: &Disclosed, b: &Disclosed| a.field == b.field && a.value != b.value;
    let contradiction = disclosed.iter().any(|a| disclosed.iter().any(|b| contradicts(a, b)));
    if contradiction { Err(Refusal::Mismatch) } else { Ok(()) }
}

impl Verified {
    /// The opened record, if the bundle has it.
    pub fn opened(&self) -> Option<&Opened> {
        self.records.iter().find_map(|proven| match &proven.record {
            Record::Opened(opened) => Some(opened),
            _ => None,
        })
    }

    /// The closed record, if the bundle has it. Without it the outcome of the call is unknown.
    pub fn closed(&self) -> Option<&Closed> {
        self.records.iter().find_map(|proven| match &proven.record {
            Record::Closed(closed) => Some(closed),
            _ => None,
        })
    }

    /// The beginning of a log, if that is what the bundle shows.
    pub fn origin(&self) -> Option<&Origin> {
        self.records.iter().find_map(|proven| match &proven.record {
            Record::Origin(origin) => Some(origin),
            _ => None,
        })
    }

    /// Who called what; `None` for the beginning of a log.
    pub fn call(&self) -> Option<&Call> {
        self.records.first().and_then(|proven| proven.record.call())
    }

    /// The disclosed value of a field.
    pub fn value(&self, field: Field) -> Option<&str> {
        self.disclosed.iter().find(|d| d.field == field).map(|d| d.value.as_str())
    }

    /// Fields that the records commit to and the bundle does not disclose.
    pub fn withheld(&self) -> Vec<Field> {
        let committed = |field: &Field| {
            self.records.iter().any(|p| p.record.commitments().is_some_and(|c| c.contains_key(field)))
        };
        let withheld = |field: &Field| committed(field) && self.value(*field).is_none();
        Field::ALL.into_iter().filter(withheld).collect()
    }

    /// The X-Road request hash (`x-road-request-hash`), when the digests it is made of are disclosed and the
    /// whole request arrived.
    pub fn request_hash(&self) -> Option<String> {
        let head = from_hex(self.value(Field::RequestHead)?);
        let whole = match self.closed()?.request.body {
            Body::None => head,
            Body::Complete => {
                let mut context = Context::new(&SHA512);
                context.update(&head);
                context.update(&from_hex(self.value(Field::RequestBody)?));
                context.finish().as_ref().to_vec()
            }
            Body::Partial => return None,
        };
        Some(STANDARD.encode(whole))
    }
}

/// The value has been checked to be hexadecimal.
fn from_hex(text: &str) -> Vec<u8> {
    let digit = |b: u8| if b.is_ascii_digit() { b - b'0' } else { b - b'a' + 10 };
    text.as_bytes().as_chunks::<2>().0.iter().map(|[high, low]| digit(*high) << 4 | digit(*low)).collect()
}
