//! Argon2id (RFC 9106) on a bounded pool of blocking threads: each hash takes 19 MiB and some tens of
//! milliseconds, so a flood of sign-ins must queue and then be refused instead of eating the machine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use base::error::{Error, Result};
use base::random::{self, Random};
use tokio::sync::Semaphore;

use super::secret::Secret;

/// Memory per hash in KiB (19 MiB, the first recommendation for server use).
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over the memory.
const PASSES: u32 = 2;
/// A stored hash that asks for more than this is damaged or hostile.
const MAX_MEMORY_KIB: u32 = 256 * 1024;

/// What comparing a password with a stored hash says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The password is right; `outdated` asks for a new hash with today's parameters.
    Right {
        /// The stored hash used weaker parameters.
        outdated: bool,
    },
    /// The password is wrong, or there is no such account.
    Wrong,
}

/// The hashing pool. Cheap to clone.
#[derive(Clone)]
pub struct Passwords(Arc<Pool>);

struct Pool {
    random: Arc<dyn Random>,
    working: Semaphore,
    waiting: Mutex<HashMap<String, u32>>,
    places: u32,
    places_each: u32,
    dummy: OnceLock<String>,
}

/// A place in the queue, given back on drop.
struct Place<'a> {
    pool: &'a Pool,
    who: String,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.pool.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = waiting.get_mut(&self.who) {
            *n -= 1;
            if *n == 0 {
                waiting.remove(&self.who);
            }
        }
    }
}

impl Passwords {
    /// A pool that hashes `workers` passwords at once and lets `places` requests be inside, working or waiting.
    pub fn new(random: Arc<dyn Random>, workers: usize, places: u32) -> Self {
        Self(Arc::new(Pool {
            random,
            working: Semaphore::new(workers.max(1)),
            waiting: Mutex::default(),
            places: places.max(1),
            // No single address may fill the queue and keep everybody else out.
            places_each: (places / 4).max(1),
            dummy: OnceLock::new(),
        }))
    }

    /// The PHC string to store for this password.
    ///
    /// # Errors
    /// [`Error::TooMany`] when the queue is full.
    pub async fn hash(&self, who: &str, password: &Secret) -> Result<String> {
        let salt = random::bytes::<16>(&*self.0.random);
        let password = password.clone();
        self.run(who, move || hash_now(&password, &salt)).await?
    }

    /// Compares a password with the stored hash. Without one (no such account, or no password set yet) the
    /// same work is done on a hash nobody's password has, so that time does not tell which accounts exist.
    /// `who` is the caller's address, empty if not known: addresses share the queue fairly.
    ///
    /// # Errors
    /// [`Error::TooMany`] when the queue is full.
    pub async fn verify(&self, who: &str, password: &Secret, stored: Option<&str>) -> Result<Verdict> {
        let known = stored.is_some();
        let (pool, password) = (Arc::clone(&self.0), password.clone());
        let stored = stored.map(ToOwned::to_owned);
        self.run(who, move || {
            let hash = match stored {
                Some(hash) => hash,
                None => pool.dummy()?,
            };
            let verdict = verify_now(&password, &hash)?;
            Ok(if known { verdict } else { Verdict::Wrong })
        })
        .await?
    }

    async fn run<T: Send + 'static>(
        &self,
        who: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let _place = self.0.enter(who)?;
        let _turn = self.0.working.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }
}

impl Pool {
    fn enter(&self, who: &str) -> Result<Place<'_>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let all: u32 = waiting.values().sum();
        let own = waiting.get(who).copied().unwrap_or(0);
        // Callers whose address is not known share no place of their own.
        if all >= self.places || (own >= self.places_each && !who.is_empty()) {
            return Err(Error::TooMany { retry_after: 2 });
        }
        *waiting.entry(who.to_owned()).or_insert(0) += 1;
        Ok(Place { pool: self, who: who.to_owned() })
    }

    fn dummy(&self) -> Result<String> {
        if let Some(hash) = self.dummy.get() {
            return Ok(hash.clone());
        }
        let nobody = Secret::new(random::token(&*self.random, 32));
        let hash = hash_now(&nobody, &random::bytes::<16>(&*self.random))?;
        Ok(self.dummy.get_or_init(|| hash).clone())
    }
}

fn argon2id() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|e| Error::internal(e.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &Secret, salt: &[u8]) -> Result<String> {
    let hash = argon2id()?
        .hash_password_with_salt(password.expose().as_bytes(), salt)
        .map_err(|e| Error::internal(e.to_string()))?;
    Ok(hash.to_string())
}

fn verify_now(password: &Secret, stored: &str) -> Result<Verdict> {
    let hash = PasswordHash::new(stored).map_err(|e| Error::internal(e.to_string()))?;
    let params = Params::try_from(&hash).map_err(|e| Error::internal(e.to_string()))?;
    if params.m_cost() > MAX_MEMORY_KIB || params.t_cost() > 16 || params.p_cost() > 16 {
        return Err(Error::internal("a stored password hash asks for more work than any we made"));
    }
    let outdated = hash.algorithm != Algorithm::Argon2id.ident()
        || params.m_cost() < MEMORY_KIB
        || params.t_cost() < PASSES;
    match argon2id()?.verify_password(password.expose().as_bytes(), &hash) {
        Ok(()) => Ok(Verdict::Right { outdated }),
        Err(_) => Ok(Verdict::Wrong),
    }
}

#[cfg(test)]
mod tests {
    use base::random::SeededRandom;

    use super::*;

    fn pool(workers: usize, places: u32) -> Passwords {
        Passwords::new(Arc::new(SeededRandom::new(1)), workers, places)
    }

    #[tokio::test]
    async fn a_password_is_recognised_and_a_wrong_one_is_not() {
        let pool = pool(2, 8);
        let stored = pool.hash("a", &Secret::new("chợ huyện sáng thứ bảy")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let right = pool.verify("a", &Secret::new("chợ huyện sáng thứ bảy"), Some(&stored)).await.unwrap();
        assert_eq!(right, Verdict::Right { outdated: false });
        let wrong = pool.verify("a", &Secret::new("chợ huyện sáng thứ tám"), Some(&stored)).await.unwrap();
        assert_eq!(wrong, Verdict::Wrong);
    }

    #[tokio::test]
    async fn an_unknown_account_costs_the_same_work_and_never_passes() {
        let pool = pool(1, 8);
        assert_eq!(pool.verify("a", &Secret::new("gì cũng được"), None).await.unwrap(), Verdict::Wrong);
        let dummy = pool.0.dummy.get().expect("the dummy hash was made, so the work was done");
        assert!(dummy.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[tokio::test]
    async fn weaker_old_hashes_ask_to_be_renewed_and_absurd_ones_are_refused() {
        let old = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8192, 1, 1, None).unwrap());
        let stored = old.hash_password_with_salt(b"xin chao", b"0123456789abcdef").unwrap().to_string();
        assert_eq!(verify_now(&Secret::new("xin chao"), &stored).unwrap(), Verdict::Right { outdated: true });
        assert!(verify_now(&Secret::new("x"), &stored.replace("m=8192", "m=4194304")).is_err());
        assert!(verify_now(&Secret::new("x"), "not a hash").is_err());
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_one_address_cannot_fill_it() {
        let pool = pool(1, 8);
        let held: Vec<_> = (0..2).map(|_| pool.0.enter("greedy").unwrap()).collect();
        assert!(matches!(pool.0.enter("greedy"), Err(Error::TooMany { .. })));
        let others: Vec<_> = (0..6).map(|i| pool.0.enter(&format!("other{i}")).unwrap()).collect();
        assert!(matches!(pool.0.enter("late"), Err(Error::TooMany { .. })));
        drop((held, others));
        assert!(pool.0.waiting.lock().unwrap().is_empty());
        assert!(pool.hash("late", &Secret::new("x")).await.is_ok());
    }
}
