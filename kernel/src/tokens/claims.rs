//! What an access token says (RFC 9068 claims plus the subsystem) and the rules that accept or refuse it at a
//! moment. Signatures are in `jws`, revocations in `revocations`.

use std::collections::BTreeSet;
use std::time::Duration;

use base::clock::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::entrance::PeerCertificate;

/// The longest life of an access token. Revocation lists and retired keys are kept this long.
pub const MAX_LIFE: Duration = Duration::from_secs(3_600);
/// Clocks of two nodes may differ by this much.
const SKEW_SECONDS: i64 = 60;

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer: the platform's address.
    pub iss: String,
    /// Subject: the client.
    pub sub: String,
    /// Audience: the platform's own interfaces.
    pub aud: String,
    /// Expiry, seconds since the epoch.
    pub exp: i64,
    /// Issued at, seconds since the epoch.
    pub iat: i64,
    /// The token's own identifier.
    pub jti: String,
    /// The client again, as RFC 9068 wants it.
    pub client_id: String,
    /// Space-separated scopes (RFC 6749 §3.3).
    pub scope: String,
    /// The subsystem the client acts for: `instance/class/member/subsystem`.
    pub subsystem: String,
    /// The certificate without which the token is worth nothing (RFC 8705 §3.1); absent for a plain bearer token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// What the bearer of a token has to prove besides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// SHA-256 of a certificate, base64url.
    #[serde(rename = "x5t#S256")]
    pub certificate: String,
}

impl Confirmation {
    /// That this certificate is shown.
    pub fn of(certificate: &PeerCertificate) -> Self {
        Self::of_thumbprint(certificate.thumbprint())
    }

    /// That a certificate with this SHA-256 is shown.
    pub fn of_thumbprint(thumbprint: &[u8]) -> Self {
        Self { certificate: URL_SAFE_NO_PAD.encode(thumbprint) }
    }
}

impl Claims {
    /// Whether the token may be used on a connection that showed this certificate.
    ///
    /// # Errors
    /// [`TokenError::CertificateMissing`] or [`TokenError::CertificateOther`] for a token that is bound to one.
    pub fn confirmed(&self, shown: Option<&PeerCertificate>) -> Result<(), TokenError> {
        match (&self.cnf, shown) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(TokenError::CertificateMissing),
            (Some(bound), Some(shown)) if *bound == Confirmation::of(shown) => Ok(()),
            (Some(_), Some(_)) => Err(TokenError::CertificateOther),
        }
    }

    /// Whether the token carries this scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|s| s == scope)
    }

    /// When the token ends.
    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_micros(self.exp.saturating_mul(1_000_000))
    }

    /// Is the token meant for us and valid at `now`?
    ///
    /// # Errors
    /// The first reason to refuse it.
    pub fn valid(&self, issuer: &str, audience: &str, now: Timestamp) -> Result<(), TokenError> {
        if self.iss != issuer {
            return Err(TokenError::WrongIssuer);
        }
        if self.aud != audience {
            return Err(TokenError::WrongAudience);
        }
        self.current(now)
    }

    /// Is `now` within the token's life?
    ///
    /// # Errors
    /// [`TokenError::Expired`], [`TokenError::NotYet`], or [`TokenError::Malformed`] for a life longer than any
    /// this platform grants.
    pub fn current(&self, now: Timestamp) -> Result<(), TokenError> {
        let now = now.seconds();
        let longest = i64::try_from(MAX_LIFE.as_secs()).unwrap_or(i64::MAX).saturating_add(SKEW_SECONDS);
        if self.exp.saturating_sub(self.iat) > longest {
            return Err(TokenError::Malformed);
        }
        if now >= self.exp {
            return Err(TokenError::Expired);
        }
        if self.iat > now.saturating_add(SKEW_SECONDS) {
            return Err(TokenError::NotYet);
        }
        Ok(())
    }
}

/// Why a token is refused. The caller learns only "invalid token"; the log and the operator learn which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a compact JWS of the one form this platform issues.
    #[error("the token is malformed")]
    Malformed,
    /// Signed with another algorithm than ES256, or not at all.
    #[error("the token names an algorithm that is not accepted")]
    WrongAlgorithm,
    /// No published key has this key id.
    #[error("the token is signed with an unknown key")]
    UnknownKey,
    /// The signature does not match.
    #[error("the token's signature does not match")]
    BadSignature,
    /// Another issuer.
    #[error("the token comes from another issuer")]
    WrongIssuer,
    /// Meant for somebody else.
    #[error("the token is meant for another audience")]
    WrongAudience,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not begun.
    #[error("the token is not valid yet")]
    NotYet,
    /// It is bound to a certificate, and the connection showed none.
    #[error("the token is bound to a certificate, and none was shown")]
    CertificateMissing,
    /// It is bound to another certificate.
    #[error("the token is bound to another certificate")]
    CertificateOther,
    /// The token or its client was revoked.
    #[error("the token or its client was revoked")]
    Revoked,
}

impl TokenError {
    /// Stable, for logs, counters and error details.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::WrongAlgorithm => "wrong-algorithm",
            Self::UnknownKey => "unknown-key",
            Self::BadSignature => "bad-signature",
            Self::WrongIssuer => "wrong-issuer",
            Self::WrongAudience => "wrong-audience",
            Self::Expired => "expired",
            Self::NotYet => "not-yet-valid",
            Self::CertificateMissing => "certificate-missing",
            Self::CertificateOther => "certificate-mismatch",
            Self::Revoked => "revoked",
        }
    }
}

/// Scopes asked for, each checked against RFC 6749 §3.3 (`%x21 / %x23-5B / %x5D-7E`); `None` when malformed.
pub fn parse_scopes(text: &str) -> Option<BTreeSet<String>> {
    let mut scopes = BTreeSet::new();
    for scope in text.split(' ').filter(|s| !s.is_empty()) {
        let lawful = scope.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
        if !lawful || scopes.len() >= 32 {
            return None;
        }
        scopes.insert(scope.to_owned());
    }
    Some(scopes)
}

/// The scopes as a token writes them.
pub fn join_scopes(scopes: &BTreeSet<String>) -> String {
    scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::tokens) fn sample() -> Claims {
        Claims {
            iss: "https://lt.example".into(),
            sub: "one-stop".into(),
            aud: "lienthong".into(),
            exp: 1_800_003_600,
            iat: 1_800_000_000,
            jti: "01980000-0000-7000-8000-000000000001".into(),
            client_id: "one-stop".into(),
            scope: "exchange".into(),
            subsystem: "VN/GOV/38-UBND/one-stop".into(),
            cnf: None,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_token_is_valid_only_for_us_and_only_in_its_time() {
        let c = sample();
        let judge = |now| c.valid("https://lt.example", "lienthong", at(now));
        assert_eq!(judge(1_800_000_000), Ok(()));
        assert_eq!(judge(1_800_003_599), Ok(()));
        assert_eq!(judge(1_800_003_600), Err(TokenError::Expired));
        assert_eq!(judge(1_799_999_900), Err(TokenError::NotYet));
        assert_eq!(
            c.valid("https://other.example", "lienthong", at(1_800_000_001)),
            Err(TokenError::WrongIssuer)
        );
        assert_eq!(c.valid("https://lt.example", "other", at(1_800_000_001)), Err(TokenError::WrongAudience));
    }

    #[test]
    fn a_bound_token_needs_its_certificate_and_a_plain_one_none() {
        let (own, other) = (PeerCertificate::new(vec![1]), PeerCertificate::new(vec![2]));
        let plain = sample();
        assert_eq!((plain.confirmed(None), plain.confirmed(Some(&own))), (Ok(()), Ok(())));
        let bound = Claims { cnf: Some(Confirmation::of(&own)), ..sample() };
        assert_eq!(bound.confirmed(Some(&own)), Ok(()));
        assert_eq!(bound.confirmed(Some(&other)), Err(TokenError::CertificateOther));
        assert_eq!(bound.confirmed(None), Err(TokenError::CertificateMissing));
        let json = serde_json::to_value(&bound).unwrap();
        assert_eq!(json["cnf"]["x5t#S256"].as_str().unwrap().len(), 43);
        assert!(serde_json::to_value(&plain).unwrap().get("cnf").is_none());
    }

    #[test]
    fn a_life_longer_than_we_grant_is_not_ours() {
        let c = Claims { exp: 1_900_000_000, ..sample() };
        assert_eq!(c.current(at(1_800_000_001)), Err(TokenError::Malformed));
        let c = Claims { iat: i64::MIN, exp: i64::MAX, ..sample() };
        assert_eq!(c.current(at(1_800_000_001)), Err(TokenError::Malformed));
    }

    #[test]
    fn scopes_follow_the_rfc() {
        assert_eq!(parse_scopes("b a  a").map(|s| join_scopes(&s)), Some("a b".into()));
        assert_eq!(parse_scopes(""), Some(BTreeSet::new()));
        assert_eq!(parse_scopes("a\"b"), None);
        assert_eq!(parse_scopes("a\tb"), None);
        assert_eq!(parse_scopes("ệ"), None);
        assert!(sample().has_scope("exchange") && !sample().has_scope("exch"));
    }
}
