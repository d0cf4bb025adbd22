//! Figures of one stream: counted by the writer without locks, copied out for metrics and diagnostics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Buckets of the flush histogram; the last takes everything of 2^22 µs (4.2 s) and more.
pub const BUCKETS: usize = 24;

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub flushes: AtomicU64,
    pub records: AtomicU64,
    pub bytes: AtomicU64,
    pub largest_batch: AtomicU64,
    pub last_flush_us: AtomicU64,
    pub start_flush_us: AtomicU64,
    pub failed_preparations: AtomicU64,
    pub histogram: [AtomicU64; BUCKETS],
}

impl Counters {
    pub fn flushed(&self, records: u64, bytes: u64, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.flushes.fetch_add(1, Relaxed);
        self.records.fetch_add(records, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
        self.largest_batch.fetch_max(records, Relaxed);
        self.last_flush_us.store(us, Relaxed);
        self.histogram[bucket(us)].fetch_add(1, Relaxed);
    }
}

fn bucket(us: u64) -> usize {
    (u64::BITS - us.leading_zeros()).min(BUCKETS as u32 - 1) as usize
}

/// Figures of one stream at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Positions below this are durable.
    pub durable: u64,
    /// The oldest position kept.
    pub first: u64,
    /// Segment files in use.
    pub segments: usize,
    /// Records accepted and not yet being flushed.
    pub pending_records: usize,
    /// Their bytes.
    pub pending_bytes: usize,
    /// Flushes (write and `fdatasync`) since opening.
    pub flushes: u64,
    /// Records flushed since opening; divided by `flushes` it gives the size of a batch.
    pub records: u64,
    /// Bytes flushed since opening, headers included.
    pub bytes: u64,
    /// Most records in one flush.
    pub largest_batch: u64,
    /// Duration of the last flush.
    pub last_flush: Duration,
    /// Median flush measured when the stream was opened: an answer waits for about two of these, so
    /// throughput cannot exceed connections / (2 × flush).
    pub start_flush: Duration,
    /// Bucket `i` counts flushes shorter than 2^i µs and not shorter than 2^(i-1) µs.
    pub flush_histogram: [u64; BUCKETS],
    /// How often the next segment could not be prepared ahead (disk full, for example); the stream goes on
    /// until the present segment is full.
    pub failed_preparations: u64,
    /// Why the stream takes no more records.
    pub ended: Option<String>,
}

impl Stats {
    /// Upper bound of the flush time below which the share `q` (0 to 1) of flushes lie; zero without flushes.
    pub fn flush_quantile(&self, q: f64) -> Duration {
        let total: u64 = self.flush_histogram.iter().sum();
        let wanted = (total as f64 * q.clamp(0.0, 1.0)).ceil() as u64;
        let mut seen = 0;
        for (i, n) in self.flush_histogram.iter().enumerate() {
            seen += n;
            if seen >= wanted && seen > 0 {
                return Duration::from_micros(1 << i);
            }
        }
        Duration::ZERO
    }

    pub(crate) fn copy(counters: &Counters) -> Self {
        Self {
            durable: 0,
            first: 0,
            segments: 0,
            pending_records: 0,
            pending_bytes: 0,
            flushes: counters.flushes.load(Relaxed),
            records: counters.records.load(Relaxed),
            bytes: counters.bytes.load(Relaxed),
            largest_batch: counters.largest_batch.load(Relaxed),
            last_flush: Duration::from_micros(counters.last_flush_us.load(Relaxed)),
            start_flush: Duration::from_micros(counters.start_flush_us.load(Relaxed)),
            flush_histogram: std::array::from_fn(|i| counters.histogram[i].load(Relaxed)),
            failed_preparations: counters.failed_preparations.load(Relaxed),
            ended: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_come_from_the_buckets() {
        let counters = Counters::default();
        for us in [70, 70, 70, 5_000] {
            counters.flushed(2, 100, Duration::from_micros(us));
        }
        let stats = Stats::copy(&counters);
        assert_eq!((stats.flushes, stats.records, stats.bytes), (4, 8, 400));
        assert_eq!(stats.flush_quantile(0.5), Duration::from_micros(128));
        assert_eq!(stats.flush_quantile(0.99), Duration::from_micros(8_192));
        assert_eq!(Stats::copy(&Counters::default()).flush_quantile(0.5), Duration::ZERO);
        counters.flushed(1, 1, Duration::from_secs(3_600));
        assert_eq!(Stats::copy(&counters).flush_histogram[BUCKETS - 1], 1);
    }
}
