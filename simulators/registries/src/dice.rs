//! A seeded generator for invented data and believable timing: the same seed gives the same registry.
//! Never for secrets.

use base::random::{Random, SeededRandom, bytes};

/// Repeatable choices from a seed.
#[derive(Debug)]
pub struct Dice(SeededRandom);

impl Dice {
    /// The same seed gives the same choices in the same order.
    pub fn new(seed: u64) -> Self {
        Self(SeededRandom::new(seed))
    }

    /// 64 evenly distributed bits.
    pub fn bits(&self) -> u64 {
        u64::from_le_bytes(bytes::<8>(&self.0))
    }

    /// A number below `end`; 0 when `end` is 0.
    pub fn below(&self, end: u64) -> u64 {
        // The bias of a 64-bit product is far below what invented data could show.
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u64
    }

    /// An index into a list of `len` things; 0 for an empty list.
    pub fn index(&self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// One of `list`, which must not be empty.
    pub fn pick<'a, T: ?Sized>(&self, list: &[&'a T]) -> &'a T {
        list[self.index(list.len())]
    }

    /// One of `list` by weight; the list must not be empty.
    pub fn weighted<T: Copy>(&self, list: &[(T, u32)]) -> T {
        let total: u64 = list.iter().map(|(_, w)| u64::from(*w)).sum();
        let mut left = self.below(total);
        for (value, weight) in list {
            if left < u64::from(*weight) {
                return *value;
            }
            left -= u64::from(*weight);
        }
        list[0].0
    }

    /// True `n` times in `of`.
    pub fn chance(&self, n: u64, of: u64) -> bool {
        self.below(of) < n
    }

    /// Evenly distributed in `[0, 1)`.
    pub fn unit(&self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// An identifier in the shape of a version 4 UUID.
    pub fn uuid(&self) -> String {
        let mut raw = [0u8; 16];
        self.0.fill(&mut raw);
        raw[6] = (raw[6] & 0x0f) | 0x40;
        raw[8] = (raw[8] & 0x3f) | 0x80;
        let mut out = String::with_capacity(36);
        for (i, byte) in raw.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                out.push('-');
            }
            out.push_str(&format!("{byte:02x}"));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_repeat_and_stay_inside() {
        let (a, b) = (Dice::new(1), Dice::new(1));
        for _ in 0..1_000 {
            let n = a.below(7);
            assert!(n < 7);
            assert_eq!(n, b.below(7));
            let u = a.unit();
            assert!((0.0..1.0).contains(&u));
            b.unit();
        }
        assert_eq!(a.below(0), 0);
    }

    #[test]
    fn weights_are_followed() {
        let dice = Dice::new(2);
        let list = [("often", 9), ("rare", 1), ("never", 0)];
        let mut often = 0;
        for _ in 0..10_000 {
            match dice.weighted(&list) {
                "often" => often += 1,
                "rare" => {}
                other => panic!("{other} has no weight"),
            }
        }
        assert!((8_700..9_300).contains(&often), "{often}");
    }
}
