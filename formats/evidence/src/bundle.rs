//! The file that carries the proof of one exchange to a stranger: README.md §4. Whether it proves anything
//! is decided in `verify`.

use tlog::{Hash, VerifyingKey};

use crate::bounds::is_log_name;
use crate::commitment::{Field, Private, SALT_BYTES};
use crate::json::Value;
use crate::json_write::{ObjectWriter, write_text};
use crate::members::{Members, read_hash};
use crate::refusal::Refusal;

/// The name of the format, in the member `format`.
pub const FORMAT: &str = "lienthong-evidence/1";
/// Longest bundle.
pub const MAX_BUNDLE_BYTES: usize = 1 << 20;
/// A tree of 2⁵³ entries needs no longer proof.
const MAX_PROOF: usize = 64;

/// A bundle, well-formed but not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The key of the log, as the bundle itself states it.
    pub log: VerifyingKey,
    /// A signed checkpoint of the log.
    pub checkpoint: String,
    /// The records of one call, in the order of the log; or the first record of a log.
    pub entries: Vec<Entry>,
    /// What of the commitments is opened, by entry and field.
    pub disclosures: Vec<Disclosure>,
}

/// One record with the proof that the log holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Position in the log.
    pub index: u64,
    /// The record as the log holds it.
    pub leaf: Vec<u8>,
    /// Inclusion proof in the tree of the checkpoint, lowest sibling first.
    pub proof: Vec<Hash>,
}

/// One opened commitment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    /// Which of the entries of the bundle, from 0.
    pub entry: usize,
    /// Field, salt and value.
    pub private: Private,
}

impl Bundle {
    /// The bytes of the file. The disclosures are written in their due order.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut disclosures = self.disclosures.clone();
        disclosures.sort_by_key(Disclosure::place);
        let mut out = Vec::new();
        let mut object = ObjectWriter::begin(&mut out);
        object.text("checkpoint", &self.checkpoint);
        object.list("disclosures", &disclosures, write_disclosure);
        object.list("entries", &self.entries, write_entry);
        object.text("format", FORMAT);
        object.text("log", &self.log.to_string());
        object.end();
        out
    }

    /// Reads a bundle; whatever it accepts, [`Bundle::to_bytes`] writes byte for byte.
    pub fn parse(bytes: &[u8]) -> Result<Bundle, Refusal> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(Refusal::TooLong);
        }
        let mut members = Members::of(Value::parse(bytes)?, "bundle")?;
        if members.text("format")? != FORMAT {
            return Err(Refusal::Format);
        }
        let log = VerifyingKey::parse(&members.text("log")?).ok().filter(|key| is_log_name(key.name()));
        let bundle = Bundle {
            log: log.ok_or(Refusal::Key)?,
            checkpoint: members.text("checkpoint")?,
            entries: members.list("entries")?.into_iter().map(read_entry).collect::<Result<_, _>>()?,
            disclosures: members
                .list("disclosures")?
                .into_iter()
                .map(read_disclosure)
                .collect::<Result<_, _>>()?,
        };
        members.end()?;
        if !bundle.disclosures.is_sorted_by(|a, b| a.place() < b.place()) {
            return Err(Refusal::Order);
        }
        Ok(bundle)
    }

    /// Leaves out every disclosure but those of these fields.
    pub fn keep_only(&mut self, fields: &[Field]) {
        self.disclosures.retain(|disclosure| fields.contains(&disclosure.private.field));
    }
}

impl Disclosure {
    /// What disclosures are ordered by.
    fn place(&self) -> (usize, Field) {
        (self.entry, self.private.field)
    }
}

fn write_entry(out: &mut Vec<u8>, entry: &Entry) {
    let mut object = ObjectWriter::begin(out);
    object.int("index", entry.index as i64);
    object.name("leaf").extend_from_slice(&entry.leaf);
    object.list("proof", &entry.proof, |out, hash| write_text(out, &hash.to_string()));
    object.end();
}

fn read_entry(value: Value) -> Result<Entry, Refusal> {
    let mut members = Members::of(value, "entries")?;
    let index = members.count("index")?;
    // Canonical JSON has one spelling, so the record's own bytes come out again.
    let leaf = members.value("leaf")?.encode();
    let proof = members.list("proof")?;
    members.end()?;
    if proof.len() > MAX_PROOF {
        return Err(Refusal::Member("proof"));
    }
    let hash = |value| match value {
        Value::Text(text) => Ok(Hash(read_hash(&text, "proof")?)),
        _ => Err(Refusal::Member("proof")),
    };
    Ok(Entry { index, leaf, proof: proof.into_iter().map(hash).collect::<Result<_, _>>()? })
}

fn write_disclosure(out: &mut Vec<u8>, disclosure: &Disclosure) {
    let mut object = ObjectWriter::begin(out);
    object.int("entry", disclosure.entry as i64);
    object.text("field", disclosure.private.field.name());
    object.text("salt", &Hash(disclosure.private.salt).to_string());
    object.text("value", &disclosure.private.value);
    object.end();
}

fn read_disclosure(value: Value) -> Result<Disclosure, Refusal> {
    let mut members = Members::of(value, "disclosures")?;
    let entry = usize::try_from(members.count("entry")?).map_err(|_| Refusal::Member("entry"))?;
    let field = Field::from_name(&members.text("field")?).ok_or(Refusal::Member("field"))?;
    let salt: [u8; SALT_BYTES] = read_hash(&members.text("salt")?, "salt")?;
    let value = members.text("value")?;
    members.end()?;
    Ok(Disclosure { entry, private: Private { field, salt, value } })
}
