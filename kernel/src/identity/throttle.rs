//! Slows guessing of passwords: per account and address together, per account from everywhere, per address.
//! An attempt is counted before it is checked, so that parallel guesses do not slip through; success takes it
//! back. Memory is bounded; nothing typed is kept, only keyed digests of it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use base::clock::Timestamp;
use base::random::{self, Random};

/// How one kind of key is slowed.
#[derive(Debug, Clone, Copy)]
struct Limit {
    /// Attempts without any delay.
    free: u32,
    /// The first delay; each further failure doubles it.
    first: Duration,
    /// The longest delay. Kept short, so that an attacker cannot lock the owner out for a day.
    longest: Duration,
    /// Failures are forgotten after this time without a further one.
    forget: Duration,
}

const PAIR: Limit = limit(5, 30);
const ACCOUNT: Limit = limit(20, 30);
/// An office shares one address, so it may fail more often.
const ADDRESS: Limit = limit(60, 30);

const fn limit(free: u32, first_seconds: u64) -> Limit {
    Limit {
        free,
        first: Duration::from_secs(first_seconds),
        longest: Duration::from_secs(15 * 60),
        forget: Duration::from_secs(60 * 60),
    }
}

/// Entries per kind of key.
const CAPACITY: usize = 10_000;

/// Remembers failed attempts for a while.
pub struct Throttle {
    key: hmac::Key,
    tables: Mutex<Tables>,
}

struct Tables {
    pairs: Table,
    accounts: Table,
    addresses: Table,
    /// Attempts turned away since the last one that was let through, for the audit row.
    turned_away: u64,
}

/// An attempt that may go on; tell it how it ended.
#[must_use]
#[derive(Debug)]
pub struct Attempt {
    pair: Key,
    account: Key,
    address: Option<Key>,
    /// Attempts turned away, by anybody, since the previous one that could go on.
    pub turned_away: u64,
}

type Key = [u8; 16];

impl Throttle {
    /// An empty memory.
    pub fn new(random: &dyn Random) -> Self {
        Self::with_capacity(random, CAPACITY)
    }

    fn with_capacity(random: &dyn Random, capacity: usize) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &random::bytes::<32>(random)),
            tables: Mutex::new(Tables {
                pairs: Table::new(PAIR, capacity),
                accounts: Table::new(ACCOUNT, capacity),
                addresses: Table::new(ADDRESS, capacity),
                turned_away: 0,
            }),
        }
    }

    /// May somebody at `address` try the account called `account` now? `Err` is the number of seconds to wait. An
    /// empty address means it is not known: then nothing is counted by address, or one guesser would slow everybody.
    pub fn attempt(&self, account: &str, address: &str, now: Timestamp) -> Result<Attempt, u64> {
        let (pair, account, address) = (
            self.digest(&[account, address]),
            self.digest(&[account]),
            (!address.is_empty()).then(|| self.digest(&["", address])),
        );
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = [
            tables.pairs.wait(&pair, now),
            tables.accounts.wait(&account, now),
            address.and_then(|a| tables.addresses.wait(&a, now)),
        ];
        if let Some(wait) = waits.into_iter().flatten().max() {
            tables.turned_away += 1;
            return Err(wait.as_secs().max(1));
        }
        tables.pairs.count(pair, now);
        tables.accounts.count(account, now);
        if let Some(address) = address {
            tables.addresses.count(address, now);
        }
        let turned_away = std::mem::take(&mut tables.turned_away);
        Ok(Attempt { pair, account, address, turned_away })
    }

    /// The password was right: the owner is here, earlier failures of this account from this address are
    /// forgotten. Failures from elsewhere stay counted, since somebody else may still be guessing.
    pub fn succeeded(&self, attempt: &Attempt) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.pairs.entries.remove(&attempt.pair);
        tables.accounts.take_back(&attempt.account);
        if let Some(address) = &attempt.address {
            tables.addresses.take_back(address);
        }
    }

    /// The attempt could not be judged (queue full, database away): it does not count as a failure.
    pub fn undecided(&self, attempt: &Attempt) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.pairs.take_back(&attempt.pair);
        tables.accounts.take_back(&attempt.account);
        if let Some(address) = &attempt.address {
            tables.addresses.take_back(address);
        }
    }

    fn digest(&self, parts: &[&str]) -> Key {
        let mut mac = hmac::Context::with_key(&self.key);
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let mut key = Key::default();
        key.copy_from_slice(&mac.sign().as_ref()[..16]);
        key
    }
}

struct Table {
    limit: Limit,
    capacity: usize,
    entries: HashMap<Key, Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    failures: u32,
    last: Timestamp,
}

impl Table {
    fn new(limit: Limit, capacity: usize) -> Self {
        Self { limit, capacity, entries: HashMap::new() }
    }

    fn wait(&self, key: &Key, now: Timestamp) -> Option<Duration> {
        let entry = self.entries.get(key)?;
        if now.since(entry.last) >= self.limit.forget {
            return None;
        }
        let over = entry.failures.checked_sub(self.limit.free)?;
        let delay = self.limit.first.saturating_mul(1 << over.min(10)).min(self.limit.longest);
        let until = entry.last.plus(delay);
        (now < until).then(|| until.since(now))
    }

    fn count(&mut self, key: Key, now: Timestamp) {
        if !self.entries.contains_key(&key) && self.entries.len() >= self.capacity {
            self.make_room(now);
        }
        let forget = self.limit.forget;
        let entry = self.entries.entry(key).or_insert(Entry { failures: 0, last: now });
        if now.since(entry.last) >= forget {
            entry.failures = 0;
        }
        entry.failures = entry.failures.saturating_add(1);
        entry.last = now;
    }

    fn take_back(&mut self, key: &Key) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.failures = entry.failures.saturating_sub(1);
            if entry.failures == 0 {
                self.entries.remove(key);
            }
        }
    }

    /// Drops what is forgotten; if all is recent, the least suspicious quarter, so that a flood of invented
    /// names does not wash away the account under attack and room is not made one entry at a time.
    fn make_room(&mut self, now: Timestamp) {
        let forget = self.limit.forget;
        self.entries.retain(|_, e| now.since(e.last) < forget);
        if self.entries.len() < self.capacity {
            return;
        }
        let mut ranks: Vec<(u32, Timestamp)> = self.entries.values().map(|e| (e.failures, e.last)).collect();
        let nth = ranks.len() / 4;
        let (_, pivot, _) = ranks.select_nth_unstable(nth);
        let pivot = *pivot;
        self.entries.retain(|_, e| (e.failures, e.last) > pivot);
    }
}

#[cfg(test)]
mod tests {
    use base::random::SeededRandom;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_780_000_000_000_000 + seconds * 1_000_000)
    }

    fn fail(t: &Throttle, account: &str, address: &str, now: Timestamp) -> Result<(), u64> {
        t.attempt(account, address, now).map(|_| ())
    }

    #[test]
    fn the_sixth_guess_waits_and_the_wait_doubles() {
        let t = Throttle::new(&SeededRandom::new(1));
        for _ in 0..5 {
            fail(&t, "binh", "10.0.0.1", at(0)).unwrap();
        }
        assert_eq!(fail(&t, "binh", "10.0.0.1", at(0)), Err(30));
        assert_eq!(fail(&t, "binh", "10.0.0.1", at(29)), Err(1));
        fail(&t, "binh", "10.0.0.1", at(30)).unwrap();
        assert_eq!(fail(&t, "binh", "10.0.0.1", at(31)), Err(59));
        let mut now = 31;
        for _ in 0..20 {
            now += 15 * 60;
            fail(&t, "binh", "10.0.0.1", at(now)).unwrap();
        }
        assert_eq!(fail(&t, "binh", "10.0.0.1", at(now)), Err(15 * 60), "the wait has an upper end");
    }

    #[test]
    fn the_owner_elsewhere_is_not_locked_out_by_one_guesser() {
        let t = Throttle::new(&SeededRandom::new(1));
        for _ in 0..5 {
            fail(&t, "binh", "203.0.113.9", at(0)).unwrap();
        }
        assert!(fail(&t, "binh", "203.0.113.9", at(1)).is_err());
        let owner = t.attempt("binh", "10.0.0.1", at(1)).unwrap();
        t.succeeded(&owner);
        assert!(fail(&t, "binh", "203.0.113.9", at(2)).is_err(), "the guesser still waits");
    }

    #[test]
    fn many_addresses_on_one_account_are_slowed_too() {
        let t = Throttle::new(&SeededRandom::new(1));
        let let_through =
            (0..100).filter(|i| fail(&t, "binh", &format!("10.1.0.{i}"), at(0)).is_ok()).count();
        assert_eq!(let_through, 20);
    }

    #[test]
    fn many_accounts_from_one_address_are_slowed_too() {
        let t = Throttle::new(&SeededRandom::new(1));
        let let_through =
            (0..100).filter(|i| fail(&t, &format!("user{i}"), "10.1.0.1", at(0)).is_ok()).count();
        assert_eq!(let_through, 60);
    }

    #[test]
    fn where_no_address_is_known_one_guesser_does_not_slow_everybody() {
        let t = Throttle::new(&SeededRandom::new(1));
        let let_through = (0..100).filter(|i| fail(&t, &format!("user{i}"), "", at(0)).is_ok()).count();
        assert_eq!(let_through, 100);
        for _ in 0..5 {
            fail(&t, "binh", "", at(0)).unwrap();
        }
        assert!(fail(&t, "binh", "", at(0)).is_err(), "the account itself is still guarded");
    }

    #[test]
    fn success_and_undecided_do_not_count() {
        let t = Throttle::new(&SeededRandom::new(1));
        for i in 0..200 {
            let attempt = t.attempt("binh", "10.0.0.1", at(0)).unwrap();
            if i % 2 == 0 { t.succeeded(&attempt) } else { t.undecided(&attempt) }
        }
        assert!(t.tables.lock().unwrap().addresses.entries.is_empty());
    }

    #[test]
    fn refusals_are_told_to_the_next_attempt() {
        let t = Throttle::new(&SeededRandom::new(1));
        for _ in 0..5 {
            fail(&t, "binh", "10.0.0.1", at(0)).unwrap();
        }
        for _ in 0..7 {
            fail(&t, "binh", "10.0.0.1", at(0)).unwrap_err();
        }
        assert_eq!(t.attempt("cuc", "10.0.0.2", at(0)).unwrap().turned_away, 7);
        assert_eq!(t.attempt("cuc", "10.0.0.2", at(0)).unwrap().turned_away, 0);
    }

    #[test]
    fn memory_is_bounded_and_the_attacked_account_is_kept() {
        let t = Throttle::with_capacity(&SeededRandom::new(1), 100);
        for _ in 0..5 {
            fail(&t, "binh", "10.0.0.1", at(0)).unwrap();
        }
        for i in 0..10_000 {
            let _ = fail(&t, &format!("invented{i}"), &format!("198.51.100.{i}"), at(1));
        }
        assert!(t.tables.lock().unwrap().pairs.entries.len() <= 100);
        assert!(fail(&t, "binh", "10.0.0.1", at(2)).is_err());
    }

    #[test]
    fn old_failures_are_forgotten() {
        let t = Throttle::new(&SeededRandom::new(1));
        for _ in 0..5 {
            fail(&t, "binh", "10.0.0.1", at(0)).unwrap();
        }
        for _ in 0..5 {
            fail(&t, "binh", "10.0.0.1", at(3_601)).unwrap();
        }
        assert!(fail(&t, "binh", "10.0.0.1", at(3_602)).is_err());
    }
}
