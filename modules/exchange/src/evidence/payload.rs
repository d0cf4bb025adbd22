//! What one record is in the stream: the bytes the log will hold, and beside them what opens its commitments.

use bytes::Bytes;
use evidence::{Field, Private, SALT_BYTES};

const VERSION: u8 = 1;
/// Longest single value; heads of requests are bounded far below.
pub(super) const MAX_VALUE_BYTES: usize = 256 << 10;

/// One record of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payload {
    /// The entry of the log.
    pub leaf: Vec<u8>,
    /// Values and salts of its commitments.
    pub private: Vec<Private>,
}

/// The bytes are not a record of this stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record of the evidence stream is not in a known form")]
pub(super) struct Unreadable;

impl Payload {
    /// Version, then leaf and values, each behind its length.
    pub(super) fn encode(&self) -> Bytes {
        let values: usize = self.private.iter().map(|p| 64 + p.value.len()).sum();
        let mut out = Vec::with_capacity(16 + self.leaf.len() + values);
        out.push(VERSION);
        put(&mut out, &self.leaf);
        for private in &self.private {
            put(&mut out, private.field.name().as_bytes());
            out.extend_from_slice(&private.salt);
            put(&mut out, private.value.as_bytes());
        }
        out.into()
    }

    /// Reads what [`Payload::encode`] wrote.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let (&VERSION, mut rest) = bytes.split_first().ok_or(Unreadable)? else { return Err(Unreadable) };
        let leaf = take(&mut rest)?.to_vec();
        let mut private = Vec::new();
        while !rest.is_empty() {
            let name = std::str::from_utf8(take(&mut rest)?).map_err(|_| Unreadable)?;
            let field = Field::from_name(name).ok_or(Unreadable)?;
            let (salt, after) = rest.split_first_chunk::<SALT_BYTES>().ok_or(Unreadable)?;
            rest = after;
            let value = String::from_utf8(take(&mut rest)?.to_vec()).map_err(|_| Unreadable)?;
            private.push(Private { field, salt: *salt, value });
        }
        Ok(Self { leaf, private })
    }
}

/// Lengths are four bytes; records are far shorter.
fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn take<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Unreadable> {
    let (length, after) = rest.split_first_chunk::<4>().ok_or(Unreadable)?;
    let (bytes, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or(Unreadable)?;
    *rest = after;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_shorter() {
        let private = |field, value: &str| Private { field, salt: [field as u8; 32], value: value.into() };
        let private = vec![private(Field::Path, "/người/1"), private(Field::UserId, "")];
        let payload = Payload { leaf: b"{}".to_vec(), private };
        let bytes = payload.encode();
        assert_eq!(Payload::decode(&bytes), Ok(payload.clone()));
        let bare = Payload { private: vec![], ..payload };
        let whole = bare.encode().len();
        assert_eq!(Payload::decode(&bytes[..whole]), Ok(bare));
        for length in (0..bytes.len()).filter(|length| *length != whole) {
            let cut = Payload::decode(&bytes[..length]);
            assert!(cut.is_err() || cut.is_ok_and(|p| p.private.len() == 1), "{length}");
        }
        assert_eq!(Payload::decode(&[2, 0, 0, 0, 0]), Err(Unreadable));
    }
}
