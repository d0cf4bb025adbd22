//! Segment files: their names and their header of 64 bytes. A segment is preallocated with zeros; its header
//! is written, and made durable alone, when the segment is taken into use.

use std::path::{Path, PathBuf};

/// Bytes before the first frame.
pub(crate) const HEADER: usize = 64;

const MAGIC: &[u8; 8] = b"LTSTREAM";
const VERSION: u32 = 1;
const SUFFIX: &str = ".segment";
const UNFINISHED: &str = ".new";

/// What a segment says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Checksum of the stream's name: a file from another stream is noticed.
    pub stream: u32,
    /// Dense number of the segment, as in its file name.
    pub number: u64,
    /// Position of the first record in it.
    pub first: u64,
    /// Mixed into every checksum; not guessable by who writes payloads.
    pub salt: u64,
    /// Length of the file.
    pub bytes: u64,
}

impl Header {
    pub fn encode(&self) -> [u8; HEADER] {
        let mut raw = [0; HEADER];
        raw[..8].copy_from_slice(MAGIC);
        raw[8..12].copy_from_slice(&VERSION.to_le_bytes());
        raw[12..16].copy_from_slice(&self.stream.to_le_bytes());
        for (i, n) in [self.number, self.first, self.salt, self.bytes].into_iter().enumerate() {
            raw[16 + 8 * i..24 + 8 * i].copy_from_slice(&n.to_le_bytes());
        }
        let crc = crc32fast::hash(&raw[..60]);
        raw[60..].copy_from_slice(&crc.to_le_bytes());
        raw
    }

    /// `None` if the bytes are no intact header of this version.
    pub fn decode(raw: &[u8; HEADER]) -> Option<Self> {
        let u32_at = |at: usize| raw[at..at + 4].try_into().map(u32::from_le_bytes).ok();
        let u64_at = |at: usize| raw[at..at + 8].try_into().map(u64::from_le_bytes).ok();
        if &raw[..8] != MAGIC || u32_at(8)? != VERSION || u32_at(60)? != crc32fast::hash(&raw[..60]) {
            return None;
        }
        Some(Self {
            stream: u32_at(12)?,
            number: u64_at(16)?,
            first: u64_at(24)?,
            salt: u64_at(32)?,
            bytes: u64_at(40)?,
        })
    }
}

/// Path of segment `number`.
pub(crate) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:010}{SUFFIX}"))
}

/// Path of segment `number` while it is being filled with zeros.
pub(crate) fn unfinished_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:010}{UNFINISHED}"))
}

/// The number in a segment's file name.
pub(crate) fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    (digits.len() >= 10 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// Whether the name is left over from an interrupted preparation.
pub(crate) fn is_unfinished(name: &str) -> bool {
    name.ends_with(UNFINISHED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_back_and_every_flipped_bit_is_noticed() {
        let header = Header { stream: 1, number: 2, first: 3, salt: 4, bytes: 5 };
        let raw = header.encode();
        assert_eq!(Header::decode(&raw), Some(header));
        for bit in 0..HEADER * 8 {
            let mut bad = raw;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&bad), None, "bit {bit}");
        }
    }

    #[test]
    fn names_carry_the_number() {
        let name = |n| path(Path::new("/d"), n).file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(number(&name(17)), Some(17));
        assert_eq!(number(&name(u64::MAX)), Some(u64::MAX));
        for other in ["lock", "17.segment", "0000000017.new", "000000001x.segment", ".segment"] {
            assert_eq!(number(other), None, "{other}");
        }
    }
}
