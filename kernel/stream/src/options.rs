//! How a stream is set up, with defaults that fit the evidence of one node.

use std::time::Duration;

use base::random::Random;

use crate::{Error, Result, frame, segment};

/// The smallest segment that makes sense: header, one small frame, one mark.
pub(crate) const SMALLEST: u64 = 512;
/// Recovery holds the last segment in memory.
const LARGEST: u64 = 1 << 30;

/// How a stream is set up. Fields may be changed before opening; existing segments keep their size.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name for logs, metrics and the writer's thread; files of a stream with another name are refused.
    pub name: String,
    /// Size of a segment file in bytes, 64 MiB by default. The first segments are smaller and grow fourfold.
    pub segment_bytes: u64,
    /// Size of the first segment in bytes, 1 MiB by default, so that a new stream opens quickly.
    pub first_segment_bytes: u64,
    /// The longest a record waits for expected neighbours before it is flushed, 1 ms by default.
    pub max_delay: Duration,
    /// Largest payload accepted, in bytes; 8 MiB by default and never more than fits a segment.
    pub max_record_bytes: usize,
    /// Bytes that may wait for the disk before `append` itself waits; 32 MiB by default.
    pub max_pending_bytes: usize,
    /// Records that may wait for the disk before `append` itself waits; 65,536 by default.
    pub max_pending_records: usize,
    /// Idle time after which a mark is written that proves the last flush complete; 100 ms by default.
    pub mark_after: Duration,
    /// Flushes made when opening to learn how fast the disk is; 3 by default, at most 100.
    pub probe_flushes: u32,
    /// Where the salts of new segments come from.
    pub(crate) salt: u64,
}

impl Options {
    /// Defaults for the stream `name`. The random source makes the salt that keeps payloads from imitating
    /// frames.
    pub fn new(name: impl Into<String>, random: &dyn Random) -> Self {
        Self {
            name: name.into(),
            segment_bytes: 64 << 20,
            first_segment_bytes: 1 << 20,
            max_delay: Duration::from_millis(1),
            max_record_bytes: 8 << 20,
            max_pending_bytes: 32 << 20,
            max_pending_records: 65_536,
            mark_after: Duration::from_millis(100),
            probe_flushes: 3,
            salt: u64::from_le_bytes(base::random::bytes(random)),
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let sizes = SMALLEST..=LARGEST;
        if self.name.is_empty() {
            return Err(Error::Options("the name is empty"));
        }
        if !sizes.contains(&self.segment_bytes) || !sizes.contains(&self.first_segment_bytes) {
            return Err(Error::Options("segment sizes lie between 512 bytes and 1 GiB"));
        }
        if self.max_delay > Duration::from_secs(1) {
            return Err(Error::Options("max_delay is at most one second"));
        }
        if self.max_pending_bytes == 0 || self.max_pending_records == 0 || self.max_record_bytes == 0 {
            return Err(Error::Options("limits must be positive"));
        }
        if self.max_pending_bytes > u32::MAX as usize || self.max_pending_records > u32::MAX as usize {
            return Err(Error::Options("pending limits are at most 4 GiB and 4 billion records"));
        }
        if self.probe_flushes > 100 {
            return Err(Error::Options("at most 100 probe flushes"));
        }
        Ok(())
    }

    /// Largest payload that is accepted and always fits an empty segment.
    pub(crate) fn largest_payload(&self) -> usize {
        let fits = self.segment_bytes as usize - segment::HEADER - frame::HEADER;
        self.max_record_bytes.min(fits / 8 * 8)
    }

    /// Salt of segment `number`: one SplitMix64 step, so that segments of one run differ.
    pub(crate) fn salt_of(&self, number: u64) -> u64 {
        let mut z = self.salt.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Size of the segment after one of `bytes`.
    pub(crate) fn size_after(&self, bytes: u64) -> u64 {
        bytes.saturating_mul(4).min(self.segment_bytes).max(self.first_segment_bytes.min(self.segment_bytes))
    }
}
