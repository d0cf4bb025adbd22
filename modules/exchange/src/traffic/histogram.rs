//! How long calls took, in fixed buckets that can be added up: a percentile of any period is read from the sum, with an
//! error of at most [`ERROR_PERCENT`]. Knows nothing of calls and tables.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Bucket `n` above 0 holds times from `BOUNDS[n - 1]` up to `BOUNDS[n]`, microseconds; bucket 0 those below 1 ms, the
/// last one all from its bound on. Four buckets to the double: each bound is 2^(1/4) times the one before.
const BUCKETS: usize = 70;

/// A percentile differs from the true one by at most so much, between 1 ms and two minutes.
pub const ERROR_PERCENT: f64 = 9.1;

/// Lower bounds of the buckets from 1 on, and where the last one would end.
static BOUNDS: LazyLock<Vec<i64>> = LazyLock::new(|| {
    let bound = |n: u32| (1000.0 * 2f64.powf(f64::from(n) / 4.0)).round();
    #[expect(clippy::cast_possible_truncation, reason = "below 2^28")]
    let micros = (0..70).map(|n| bound(n) as i64).collect();
    micros
});

/// Lower bound of bucket `n` (from 1 on), microseconds.
fn bound(n: usize) -> i64 {
    BOUNDS.get(n.max(1) - 1).copied().unwrap_or(i64::MAX)
}

/// The bucket of a time.
fn bucket(micros: i64) -> u8 {
    let passed = BOUNDS.partition_point(|bound| *bound <= micros);
    u8::try_from(passed.min(BUCKETS - 1)).unwrap_or(u8::MAX)
}

/// What a bucket stands for, milliseconds: the geometric middle of its bounds.
#[expect(clippy::cast_precision_loss, reason = "below 2^28 by construction")]
fn middle(n: u8) -> f64 {
    match usize::from(n) {
        0 => 0.5,
        n => (bound(n) as f64 * bound(n + 1) as f64).sqrt() / 1000.0,
    }
}

/// Counts by bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram(BTreeMap<u8, u64>);

impl Histogram {
    /// Counts one time; what is negative by a clock set back counts as nothing at all.
    pub fn take(&mut self, micros: i64) {
        *self.0.entry(bucket(micros)).or_default() += 1;
    }

    /// Adds what another one has counted.
    pub fn add(&mut self, other: &Self) {
        for (bucket, n) in &other.0 {
            let here = self.0.entry(*bucket).or_default();
            *here = here.saturating_add(*n);
        }
    }

    /// How many times were counted.
    pub fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// The time, in milliseconds, that `percent` of a hundred do not exceed; `None` when nothing was counted.
    pub fn percentile(&self, percent: u8) -> Option<f64> {
        let wanted = (self.count() * u64::from(percent)).div_ceil(100).max(1);
        let mut seen = 0;
        self.0.iter().find_map(|(bucket, n)| {
            seen += n;
            (seen >= wanted).then(|| middle(*bucket))
        })
    }

    /// Of how many it is certain that they took longer than `millis`.
    pub fn above(&self, millis: i64) -> u64 {
        let limit = millis.saturating_mul(1000);
        self.0.iter().filter(|(n, _)| **n > 0 && bound(usize::from(**n)) >= limit).map(|(_, n)| n).sum()
    }

    /// Pairs of a bucket (one byte) and its count (LEB128), in the order of the buckets.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() * 2);
        for (bucket, n) in &self.0 {
            out.push(*bucket);
            let mut rest = *n;
            while rest >= 0x80 {
                out.push((rest & 0x7f) as u8 | 0x80);
                rest >>= 7;
            }
            out.push(rest as u8);
        }
        out
    }

    /// Reads [`Histogram::to_bytes`]; `None` when damaged.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut counts = BTreeMap::new();
        let mut rest = bytes.iter();
        while let Some(bucket) = rest.next() {
            let mut n = 0_u64;
            for shift in (0..64).step_by(7) {
                let byte = *rest.next()?;
                n |= u64::from(byte & 0x7f).checked_shl(shift)?;
                if byte & 0x80 == 0 {
                    break;
                }
                if shift == 63 {
                    return None;
                }
            }
            if usize::from(*bucket) >= BUCKETS || counts.insert(*bucket, n).is_some() {
                return None;
            }
        }
        Some(Self(counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_as_near_as_said() {
        for spread in [1.0_f64, 1.03, 1.7] {
            let time = |n: i32| (1500.0 * spread.powf(f64::from(n % 60) / 10.0)) as i64 + i64::from(n) * 37;
            let mut times: Vec<i64> = (0..5000).map(time).collect();
            let mut histogram = Histogram::default();
            times.iter().for_each(|t| histogram.take(*t));
            times.sort_unstable();
            for percent in [1, 50, 95, 99, 100] {
                let true_one = times[(times.len() * usize::from(percent)).div_ceil(100) - 1] as f64 / 1000.0;
                let said = histogram.percentile(percent).unwrap();
                let error = (said - true_one).abs() / true_one * 100.0;
                assert!(error <= ERROR_PERCENT, "{spread} p{percent}: {said} for {true_one}");
            }
        }
    }

    #[test]
    fn parts_add_up_to_the_whole_and_read_back() {
        let (mut whole, mut parts) = (Histogram::default(), vec![Histogram::default(); 3]);
        for n in 0..1000_i64 {
            whole.take(n * n * 131);
            parts[(n % 3) as usize].take(n * n * 131);
        }
        let mut sum = Histogram::default();
        parts.iter().for_each(|p| sum.add(&Histogram::from_bytes(&p.to_bytes()).unwrap()));
        assert_eq!((sum.count(), &sum), (1000, &whole));
        assert_eq!(Histogram::from_bytes(&[]), Some(Histogram::default()));
        for bad in [
            &[3][..],
            &[3, 0x80],
            &[200, 1],
            &[3, 1, 3, 1],
            &[1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255],
        ] {
            assert_eq!(Histogram::from_bytes(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn edges_are_where_they_are_said_to_be() {
        assert_eq!(
            (bucket(-5), bucket(0), bucket(999), bucket(1000), bucket(1188), bucket(1189)),
            (0, 0, 0, 1, 1, 2)
        );
        assert_eq!(usize::from(bucket(i64::MAX)), BUCKETS - 1);
        assert!(bound(BUCKETS - 1) > 120_000_000, "two minutes are told apart");
        let mut h = Histogram::default();
        assert_eq!(h.percentile(95), None);
        [500, 900_000, 2_000_000].iter().for_each(|t| h.take(*t));
        assert_eq!((h.above(1000), h.above(100), h.above(10_000)), (1, 2, 0));
        assert_eq!(h.percentile(1), Some(0.5));
    }
}
