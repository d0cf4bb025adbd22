//! Remembers tokens whose signature was found right, so that the hundredth call of a client does not pay for
//! elliptic curves again. Bounded; time and revocation are judged anew at every call, never cached.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest;
use base::clock::Timestamp;

use super::claims::Claims;

const SHARDS: usize = 16;
/// Tokens per shard: 16 × 512 clients' tokens take about 6 MiB.
const PER_SHARD: usize = 512;

type Key = [u8; 32];

/// Verified tokens by digest.
#[derive(Default)]
pub struct Cache {
    shards: [Mutex<HashMap<Key, Arc<Claims>>>; SHARDS],
}

/// The digest of a token's bytes: the cache does not hold tokens that could be stolen from it.
pub fn key(token: &str) -> Key {
    let mut key = Key::default();
    key.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    key
}

impl Cache {
    /// The claims of a token verified before.
    pub fn get(&self, key: &Key) -> Option<Arc<Claims>> {
        self.shard(key).lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Remembers a verified token.
    pub fn put(&self, key: Key, claims: Arc<Claims>, now: Timestamp) {
        let mut shard = self.shard(&key).lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= PER_SHARD {
            shard.retain(|_, c| now < c.expires_at());
        }
        if shard.len() >= PER_SHARD {
            shard.clear();
        }
        shard.insert(key, claims);
    }

    /// Forgets everything: a key was withdrawn.
    pub fn clear(&self) {
        for shard in &self.shards {
            shard.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    fn shard(&self, key: &Key) -> &Mutex<HashMap<Key, Arc<Claims>>> {
        &self.shards[usize::from(key[0]) % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use super::super::claims::tests::sample;
    use super::*;

    #[test]
    fn memory_is_bounded() {
        let cache = Cache::default();
        let claims = Arc::new(sample());
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        for i in 0..SHARDS * PER_SHARD * 3 {
            cache.put(key(&i.to_string()), Arc::clone(&claims), now);
        }
        let held: usize = cache.shards.iter().map(|s| s.lock().unwrap().len()).sum();
        assert!(held <= SHARDS * PER_SHARD);
        cache.put(key("last"), claims, now);
        assert!(cache.get(&key("last")).is_some());
        cache.clear();
        assert!(cache.get(&key("last")).is_none());
    }
}
