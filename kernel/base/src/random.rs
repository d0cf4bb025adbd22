//! Randomness, passed in: the system's generator in production, a seeded one in tests.

use std::sync::Mutex;

/// A source of random bytes.
pub trait Random: Send + Sync + 'static {
    /// Fills `out` completely.
    fn fill(&self, out: &mut [u8]);
}

/// The operating system's generator.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[allow(clippy::disallowed_methods)] // the one place where the machine's generator is read
    fn fill(&self, out: &mut [u8]) {
        // Without randomness no secret can be made: going on would be worse than stopping.
        getrandom::fill(out).expect("the operating system gives random bytes");
    }
}

/// SplitMix64 from a seed: repeatable, for tests and demonstration data, never for secrets.
#[derive(Debug)]
pub struct SeededRandom(Mutex<u64>);

impl SeededRandom {
    /// The same seed gives the same bytes.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Random for SeededRandom {
    fn fill(&self, out: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in out.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// `N` random bytes.
pub fn bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut out = [0; N];
    random.fill(&mut out);
    out
}

/// A secret of `n` random bytes as unpadded base64url text (32 bytes give 43 characters).
pub fn token(random: &dyn Random, n: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut raw = vec![0; n];
    random.fill(&mut raw);
    let mut out = String::with_capacity(n.div_ceil(3) * 4);
    for chunk in raw.chunks(3) {
        let word = (u32::from(chunk[0]) << 16)
            | (u32::from(chunk.get(1).copied().unwrap_or(0)) << 8)
            | u32::from(chunk.get(2).copied().unwrap_or(0));
        for i in 0..=chunk.len() {
            out.push(char::from(ALPHABET[((word >> (18 - 6 * i)) & 63) as usize]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let (a, b) = (SeededRandom::new(7), SeededRandom::new(7));
        assert_eq!(bytes::<33>(&a), bytes::<33>(&b));
        assert_ne!(bytes::<32>(&a), bytes::<32>(&SeededRandom::new(8)));
    }

    #[test]
    fn tokens_are_base64url_of_the_right_length() {
        assert_eq!(token(&SystemRandom, 32).len(), 43);
        assert_eq!(token(&SystemRandom, 16).len(), 22);
        struct Fixed;
        impl Random for Fixed {
            fn fill(&self, out: &mut [u8]) {
                out.copy_from_slice(&[0xfb, 0xff, 0xfe, 0x00][..out.len()]);
            }
        }
        assert_eq!(token(&Fixed, 4), "-__-AA");
    }
}
