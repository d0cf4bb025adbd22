//! ES256 signing keys, their public half as a JWK, and the rule that decides when keys rotate.
//! Where they are stored, sealed, is in `store`.

use std::time::Duration;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base::clock::Timestamp;
use base::error::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::Serialize;
use zeroize::Zeroizing;

use super::claims::MAX_LIFE;

/// A key signs this long before the next takes over.
const SIGNS_FOR: Duration = Duration::from_secs(90 * 86_400);
/// A key is published this long before it signs, so that verifiers elsewhere have fetched it.
const ANNOUNCED_FOR: Duration = Duration::from_secs(86_400);

/// A private signing key.
pub struct SigningKey {
    /// The public half.
    pub public: PublicKey,
    pkcs8: Zeroizing<Vec<u8>>,
    encoding: EncodingKey,
}

/// A public key as verifiers need it.
#[derive(Clone)]
pub struct PublicKey {
    /// The RFC 7638 thumbprint, base64url.
    pub kid: String,
    x: String,
    y: String,
    decoding: DecodingKey,
}

/// A public key as published (RFC 7517, RFC 7518 §6.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwk {
    kty: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    alg: &'static str,
    crv: &'static str,
    kid: String,
    x: String,
    y: String,
}

impl SigningKey {
    /// A new key. The private number comes from the cryptographic library's own generator, which is seeded by
    /// the operating system, rather than from `base::random`: a seeded test generator must not make keys.
    pub fn generate() -> Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(Error::internal)?;
        let pkcs8 = pair.to_pkcs8v1().map_err(Error::internal)?;
        Self::from_pair(&pair, pkcs8.as_ref())
    }

    /// Reads a key from unencrypted PKCS #8.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self> {
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(Error::internal)?;
        Self::from_pair(&pair, pkcs8)
    }

    fn from_pair(pair: &EcdsaKeyPair, pkcs8: &[u8]) -> Result<Self> {
        Ok(Self {
            public: PublicKey::from_point(pair.public_key().as_ref())?,
            pkcs8: Zeroizing::new(pkcs8.to_vec()),
            encoding: EncodingKey::from_ec_der(pkcs8),
        })
    }

    /// The private key, unencrypted: only to be sealed.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    pub(super) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }
}

impl PublicKey {
    /// From the uncompressed point `04 ‖ x ‖ y` (SEC 1 §2.3.3).
    fn from_point(point: &[u8]) -> Result<Self> {
        let (Some((&4, xy)), 65) = (point.split_first(), point.len()) else {
            return Err(Error::internal("a P-256 public key is not an uncompressed point"));
        };
        Self::from_coordinates(&URL_SAFE_NO_PAD.encode(&xy[..32]), &URL_SAFE_NO_PAD.encode(&xy[32..]))
    }

    /// From the base64url coordinates of a JWK.
    pub fn from_coordinates(x: &str, y: &str) -> Result<Self> {
        let decoding = DecodingKey::from_ec_components(x, y).map_err(Error::internal)?;
        Ok(Self { kid: thumbprint(x, y), x: x.to_owned(), y: y.to_owned(), decoding })
    }

    /// The coordinates, base64url.
    pub fn coordinates(&self) -> (&str, &str) {
        (&self.x, &self.y)
    }

    /// As published.
    pub fn jwk(&self) -> Jwk {
        Jwk {
            kty: "EC",
            usage: "sig",
            alg: "ES256",
            crv: "P-256",
            kid: self.kid.clone(),
            x: self.x.clone(),
            y: self.y.clone(),
        }
    }

    pub(super) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }
}

/// RFC 7638: SHA-256 over the required members in alphabetical order without blanks.
fn thumbprint(x: &str, y: &str) -> String {
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
}

/// Where a key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Published, not yet signing.
    Next,
    /// Signing.
    Current,
    /// Still published until every token it signed has ended.
    Retired,
}

impl Stage {
    /// As stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Retired => "retired",
        }
    }

    /// From the stored form.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Next, Self::Current, Self::Retired].into_iter().find(|s| s.code() == code)
    }
}

/// What the rotation rule looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyAge {
    /// The key.
    pub kid: String,
    /// Where it is.
    pub stage: Stage,
    /// Since when.
    pub since: Timestamp,
}

/// What has to be done to the keys now.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// Make a key that signs at once: there is none at all.
    pub make_current: bool,
    /// Make a key for next time.
    pub make_next: bool,
    /// Let this announced key sign, and retire the present one.
    pub promote: Option<String>,
    /// Forget these.
    pub drop: Vec<String>,
}

impl Rotation {
    /// Nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Decides the next step. `force` promotes the announced key at once (the present one may be known to others).
pub fn rotation(keys: &[KeyAge], now: Timestamp, force: bool) -> Rotation {
    let find = |stage| keys.iter().find(|k| k.stage == stage);
    let mut plan = Rotation::default();
    match (find(Stage::Current), find(Stage::Next)) {
        (None, None) => (plan.make_current, plan.make_next) = (true, true),
        (None, Some(next)) => (plan.promote, plan.make_next) = (Some(next.kid.clone()), true),
        (Some(_), None) => plan.make_next = true,
        (Some(current), Some(next)) => {
            let due = now.since(current.since) >= SIGNS_FOR && now.since(next.since) >= ANNOUNCED_FOR;
            if due || force {
                (plan.promote, plan.make_next) = (Some(next.kid.clone()), true);
            }
        }
    }
    let kept = MAX_LIFE + Duration::from_secs(3_600);
    let ended = |k: &&KeyAge| k.stage == Stage::Retired && now.since(k.since) >= kept;
    plan.drop = keys.iter().filter(ended).map(|k| k.kid.clone()).collect();
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_micros(1_780_000_000_000_000 + hours * 3_600_000_000)
    }

    fn key(kid: &str, stage: Stage, hours: i64) -> KeyAge {
        KeyAge { kid: kid.into(), stage, since: at(hours) }
    }

    #[test]
    fn keys_and_their_public_halves_survive_storage() {
        let key = SigningKey::generate().unwrap();
        let (x, y) = key.public.coordinates();
        let again = PublicKey::from_coordinates(x, y).unwrap();
        assert_eq!(again.kid, key.public.kid);
        assert_eq!(key.public.kid.len(), 43);
        let read = SigningKey::from_pkcs8(key.pkcs8()).unwrap();
        assert_eq!(read.public.jwk(), key.public.jwk());
        assert!(SigningKey::from_pkcs8(b"not a key").is_err());
    }

    #[test]
    fn first_keys_are_made_and_then_left_alone() {
        let plan = rotation(&[], at(0), false);
        assert!(plan.make_current && plan.make_next && plan.promote.is_none());
        let keys = [key("a", Stage::Current, 0), key("b", Stage::Next, 0)];
        assert!(rotation(&keys, at(24 * 89), false).is_empty());
    }

    #[test]
    fn keys_rotate_after_ninety_days_and_old_ones_go_when_their_tokens_have_ended() {
        let keys = [key("a", Stage::Current, 0), key("b", Stage::Next, 0)];
        let plan = rotation(&keys, at(24 * 90), false);
        assert_eq!((plan.promote.as_deref(), plan.make_next), (Some("b"), true));
        let fresh_next = [key("a", Stage::Current, 0), key("b", Stage::Next, 24 * 90 - 1)];
        assert!(
            rotation(&fresh_next, at(24 * 90), false).is_empty(),
            "verifiers must have had time to fetch it"
        );
        assert!(rotation(&fresh_next, at(24 * 90), true).promote.is_some(), "unless it is urgent");
        let retired = [key("a", Stage::Retired, 0), key("b", Stage::Current, 0), key("c", Stage::Next, 0)];
        assert!(rotation(&retired, at(1), false).drop.is_empty());
        assert_eq!(rotation(&retired, at(2), false).drop, ["a"]);
    }
}
