//! The one token issuer of the platform: short-lived ES256 access tokens for systems (client credentials),
//! verified without input or output, revoked within a second. Clients themselves are kept by `identity`.

mod cache;
mod claims;
mod grant;
mod jws;
mod keys;
pub mod oauth;
mod revocations;
mod store;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use base::clock::{Stopwatch, Timestamp};
use base::error::{Error, Result};
use base::ids::uuid_v7;
use serde::Deserialize;

pub use claims::{Claims, Confirmation, MAX_LIFE, TokenError};
pub use grant::Door;
pub use keys::Jwk;
pub use revocations::{Revocation, Revoked};
pub use store::MIGRATIONS;

use crate::entrance::PeerCertificate;
use crate::kernel::{Kernel, Tx};
use keys::{PublicKey, SigningKey};
use revocations::Revocations;

/// Scopes this platform knows.
pub const SCOPES: &[&str] = &["exchange"];

/// How often revocations are read: other processes revoke too.
const LOOK_FOR_REVOCATIONS: Duration = Duration::from_millis(400);
/// How often keys are read. New keys are published a day before they sign, so this need not be fast.
const LOOK_FOR_KEYS: Duration = Duration::from_secs(30);
/// How often the rotation rule is asked.
const LOOK_AFTER_KEYS: Duration = Duration::from_secs(3_600);

/// The section `[tokens]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The issuer's address (`https://lgsp.tinh.gov.vn`). Empty: the application fills in its public address.
    pub issuer: String,
    /// The audience written into tokens.
    pub audience: String,
    /// Life of a token in seconds, at most 3600.
    pub life_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { issuer: String::new(), audience: "lienthong".into(), life_seconds: 1_800 }
    }
}

/// A token for one client.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The compact JWS.
    pub token: String,
    /// What it says.
    pub claims: Claims,
}

/// The issuer and verifier. Cheap to clone; one per process.
#[derive(Clone)]
pub struct TokenIssuer(Arc<Inner>);

struct Inner {
    settings: Settings,
    keys: ArcSwap<KeySet>,
    revocations: ArcSwap<Revocations>,
    cache: cache::Cache,
}

#[derive(Default)]
struct KeySet {
    current: Option<SigningKey>,
    published: HashMap<String, PublicKey>,
    jwks: Vec<Jwk>,
}

impl TokenIssuer {
    /// An issuer without keys: it refuses every token until [`TokenIssuer::start`].
    pub fn new(mut settings: Settings) -> Self {
        settings.issuer.truncate(settings.issuer.trim_end_matches('/').len());
        settings.life_seconds = settings.life_seconds.clamp(60, MAX_LIFE.as_secs());
        Self(Arc::new(Inner {
            settings,
            keys: ArcSwap::default(),
            revocations: ArcSwap::default(),
            cache: cache::Cache::default(),
        }))
    }

    /// Makes keys if there are none, loads keys and revocations, and keeps them fresh until the kernel stops.
    pub async fn start(&self, k: &Kernel) -> Result<()> {
        store::rotate(k, false).await?;
        self.load_keys(k).await?;
        self.load_revocations(k).await?;
        tokio::spawn(keep_fresh(self.clone(), k.clone()));
        Ok(())
    }

    /// The issuer's address, without a trailing slash.
    pub fn issuer(&self) -> &str {
        &self.0.settings.issuer
    }

    /// The address of the token endpoint.
    pub fn token_url(&self) -> String {
        format!("{}/oauth2/token", self.issuer())
    }

    /// Signs a token for a client that has proven itself. `until` bounds its life (the client's own end).
    ///
    /// # Errors
    /// [`Error::Unavailable`] before keys are loaded.
    pub fn issue(
        &self,
        k: &Kernel,
        client_id: &str,
        subsystem: &str,
        scopes: &BTreeSet<String>,
        until: Option<Timestamp>,
    ) -> Result<Issued> {
        self.issue_bound(k, client_id, subsystem, scopes, until, None)
    }

    /// As [`TokenIssuer::issue`], for a token that is worth nothing without this certificate (RFC 8705 §3).
    ///
    /// # Errors
    /// As [`TokenIssuer::issue`].
    pub fn issue_bound(
        &self,
        k: &Kernel,
        client_id: &str,
        subsystem: &str,
        scopes: &BTreeSet<String>,
        until: Option<Timestamp>,
        certificate: Option<&PeerCertificate>,
    ) -> Result<Issued> {
        let now = k.clock.now();
        // A token asked for in the very second of a rotation must not fall under the revocation.
        let after_revocation = self.0.revocations.load().issue_from(client_id).unwrap_or(i64::MIN);
        let iat = now.seconds().max(after_revocation);
        let life = i64::try_from(self.0.settings.life_seconds).unwrap_or(60);
        let exp = iat.saturating_add(life).min(until.map_or(i64::MAX, Timestamp::seconds));
        let claims = Claims {
            iss: self.issuer().to_owned(),
            sub: client_id.to_owned(),
            aud: self.0.settings.audience.clone(),
            exp,
            iat,
            jti: uuid_v7(&*k.clock, &*k.random).hyphenated().to_string(),
            client_id: client_id.to_owned(),
            scope: claims::join_scopes(scopes),
            subsystem: subsystem.to_owned(),
            cnf: certificate.map(Confirmation::of),
        };
        let keys = self.0.keys.load();
        let key = keys.current.as_ref().ok_or(Error::Unavailable { what: "token issuer", source: None })?;
        Ok(Issued { token: jws::sign(&claims, key)?, claims })
    }

    /// Judges a bearer token: form, signature, issuer, audience, time, revocation. No input or output; a token
    /// seen before costs one digest and a look into a map.
    ///
    /// # Errors
    /// The reason, for the log; the caller is told only that the token is invalid.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Claims>, TokenError> {
        if token.len() > jws::MAX_BYTES {
            return Err(TokenError::Malformed);
        }
        let digest = cache::key(token);
        let claims = match self.0.cache.get(&digest) {
            Some(claims) => {
                claims.current(now)?;
                claims
            }
            None => self.open(token, digest, now)?,
        };
        self.0.revocations.load().check(&claims)?;
        Ok(claims)
    }

    fn open(&self, token: &str, digest: [u8; 32], now: Timestamp) -> Result<Arc<Claims>, TokenError> {
        let keys = self.0.keys.load();
        let claims = jws::open(token, |kid| keys.published.get(kid))?;
        claims.valid(self.issuer(), &self.0.settings.audience, now)?;
        let claims = Arc::new(claims);
        self.0.cache.put(digest, Arc::clone(&claims), now);
        Ok(claims)
    }

    /// The published keys (RFC 7517).
    pub fn jwks(&self) -> serde_json::Value {
        serde_json::json!({ "keys": self.0.keys.load().jwks })
    }

    /// The server's metadata (RFC 8414).
    pub fn metadata(&self) -> serde_json::Value {
        oauth::metadata(self.issuer(), SCOPES)
    }

    /// Records in the caller's transaction that tokens are revoked. After the commit, tell [`Self::learn`] so
    /// that this process knows at once; others learn within a second.
    pub async fn revoke(&self, tx: &mut Tx, revocation: &Revocation) -> Result<()> {
        store::record(tx, revocation).await
    }

    /// Takes committed revocations into memory.
    pub fn learn(&self, revocations: impl IntoIterator<Item = Revocation> + Clone, now: Timestamp) {
        self.0.revocations.rcu(|list| list.with(revocations.clone(), now));
    }

    /// Lets the announced key sign now and retires the present one, which stays published until its tokens end.
    pub async fn rotate_now(&self, k: &Kernel) -> Result<()> {
        store::rotate(k, true).await?;
        self.load_keys(k).await
    }

    async fn load_keys(&self, k: &Kernel) -> Result<()> {
        let loaded = store::load_keys(&k.db, &k.keys).await?;
        let jwks = loaded.published.iter().map(PublicKey::jwk).collect();
        let published: HashMap<_, _> = loaded.published.into_iter().map(|p| (p.kid.clone(), p)).collect();
        let before = self.0.keys.load();
        if before.published.keys().any(|kid| !published.contains_key(kid)) {
            self.0.cache.clear();
        }
        self.0.keys.store(Arc::new(KeySet { current: loaded.current, published, jwks }));
        Ok(())
    }

    async fn load_revocations(&self, k: &Kernel) -> Result<()> {
        let now = k.clock.now();
        let found = store::revocations(&k.db, oldest_needed(now)).await?;
        let known = self.0.revocations.load();
        if !found.is_empty() || !known.is_empty() {
            self.learn(found, now);
        }
        Ok(())
    }
}

fn oldest_needed(now: Timestamp) -> Timestamp {
    now.minus(MAX_LIFE + Duration::from_secs(120))
}

async fn keep_fresh(issuer: TokenIssuer, k: Kernel) {
    let mut stop = k.stopping();
    let (mut keys_read, mut keys_looked_after) = (Stopwatch::start(), Stopwatch::start());
    let mut well = true;
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_FOR_REVOCATIONS) => {}
            _ = stop.changed() => return,
        }
        let mut done = issuer.load_revocations(&k).await;
        if done.is_ok() && keys_looked_after.elapsed() >= LOOK_AFTER_KEYS {
            keys_looked_after = Stopwatch::start();
            done = look_after(&k).await;
        }
        if done.is_ok() && keys_read.elapsed() >= LOOK_FOR_KEYS {
            keys_read = Stopwatch::start();
            done = issuer.load_keys(&k).await;
        }
        match &done {
            Err(e) if well => tracing::error!(error = e.chain(), "token keys and revocations cannot be read"),
            Ok(()) if !well => tracing::info!("token keys and revocations are read again"),
            _ => {}
        }
        well = done.is_ok();
    }
}

async fn look_after(k: &Kernel) -> Result<()> {
    store::rotate(k, false).await?;
    store::prune(k, oldest_needed(k.clock.now())).await?;
    Ok(())
}
