//! The bytes of one frame: a header of 24 bytes, the payload, zeros up to the next multiple of eight. Knows
//! nothing of files.
//!
//! ```text
//!  0  u32  CRC-32 of the segment's salt, bytes 4..24 and the payload
//!  4  u32  payload length
//!  8  u64  position (of a mark: the position after the last durable record)
//! 16  u32  byte of the segment at which the flush began that wrote this frame
//! 20  u32  kind
//! ```
//!
//! All numbers are little-endian. The fourth field is what tells a torn tail from damage: the writer never
//! starts a flush before the one before it is durable, so a frame whose flush began *after* a bad frame proves
//! that the bad one had once been durable. The salt keeps payload bytes that imitate a frame from being taken
//! for one.

/// Bytes before the payload.
pub(crate) const HEADER: usize = 24;

const RECORD: u32 = 0x4452_4352;
const MARK: u32 = 0x4b52_414d;

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A record of the caller.
    Record,
    /// Says that everything before it is durable; takes no position.
    Mark,
}

/// A header that has the right shape; its checksum is not yet verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub crc: u32,
    pub payload: usize,
    pub position: u64,
    /// Byte of the segment at which the flush began that wrote this frame.
    pub flush_at: u64,
    pub kind: Kind,
    raw: [u8; HEADER],
}

/// Bytes a payload of `payload` bytes takes in a segment.
pub(crate) const fn framed(payload: usize) -> usize {
    (HEADER + payload).next_multiple_of(8)
}

/// Appends one frame to `out`.
///
/// `payload` and `flush_at` fit 32 bits because segments are at most 1 GiB.
pub(crate) fn encode(out: &mut Vec<u8>, salt: u64, kind: Kind, position: u64, flush_at: u64, payload: &[u8]) {
    let mut raw = [0; HEADER];
    raw[4..8].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    raw[8..16].copy_from_slice(&position.to_le_bytes());
    raw[16..20].copy_from_slice(&(flush_at as u32).to_le_bytes());
    let kind = match kind {
        Kind::Record => RECORD,
        Kind::Mark => MARK,
    };
    raw[20..24].copy_from_slice(&kind.to_le_bytes());
    let crc = checksum(salt, &raw, payload);
    raw[..4].copy_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(&raw);
    out.extend_from_slice(payload);
    out.resize(out.len().next_multiple_of(8), 0);
}

fn checksum(salt: u64, raw: &[u8; HEADER], payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&salt.to_le_bytes());
    crc.update(&raw[4..]);
    crc.update(payload);
    crc.finalize()
}

impl Header {
    /// Reads a header; `None` if the bytes cannot be one.
    pub fn decode(raw: &[u8; HEADER]) -> Option<Self> {
        let [c0, c1, c2, c3, l0, l1, l2, l3, p @ .., b0, b1, b2, b3, k0, k1, k2, k3] = *raw;
        let kind = match u32::from_le_bytes([k0, k1, k2, k3]) {
            RECORD => Kind::Record,
            MARK => Kind::Mark,
            _ => return None,
        };
        let flush_at = u64::from(u32::from_le_bytes([b0, b1, b2, b3]));
        let payload = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let position = u64::from_le_bytes(p);
        Some(Self { crc: u32::from_le_bytes([c0, c1, c2, c3]), payload, position, flush_at, kind, raw: *raw })
    }

    /// Whether header and payload are what was written.
    pub fn verify(&self, salt: u64, payload: &[u8]) -> bool {
        payload.len() == self.payload && checksum(salt, &self.raw, payload) == self.crc
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], salt: u64) -> Option<(Header, Vec<u8>)> {
        let header = Header::decode(bytes[..HEADER].try_into().unwrap())?;
        let payload = bytes.get(HEADER..HEADER + header.payload)?;
        header.verify(salt, payload).then(|| (header, payload.to_vec()))
    }

    #[test]
    fn what_was_written_is_read_back() {
        for len in [0, 1, 7, 8, 300, 70_000] {
            let payload = vec![0xa5; len];
            let mut out = Vec::new();
            encode(&mut out, 9, Kind::Record, 1_000, 990, &payload);
            assert_eq!(out.len(), framed(len));
            let (header, back) = read(&out, 9).unwrap();
            assert_eq!((header.position, header.flush_at, header.kind), (1_000, 990, Kind::Record));
            assert_eq!(back, payload);
            assert!(read(&out, 10).is_none(), "another segment's salt");
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let mut out = Vec::new();
        encode(&mut out, 77, Kind::Record, 5, 5, b"Ha Giang, 22/11/2026");
        for bit in 0..(HEADER + 20) * 8 {
            let mut bad = out.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&bad, 77).is_none(), "bit {bit}");
        }
    }

    #[test]
    fn zeros_and_nonsense_are_no_frame() {
        assert!(Header::decode(&[0; HEADER]).is_none());
        assert!(Header::decode(&[0xff; HEADER]).is_none());
    }
}
