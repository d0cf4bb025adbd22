//! Signs and opens access tokens in exactly one form: compact JWS, ES256, `typ` `at+jwt` (RFC 9068), a `kid`
//! of a published key, nothing else in the header. What could be confused is refused before any key is chosen.

use base::error::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};

use super::claims::{Claims, TokenError};
use super::keys::{PublicKey, SigningKey};

/// Longest token accepted, in bytes. Ours are about 700.
pub const MAX_BYTES: usize = 4_096;

/// The whole header. Unknown members are refused: that covers `jwk`, `jku`, `x5u`, `x5c`, `crit`, `b64`, `zip`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    typ: String,
    alg: String,
    kid: String,
}

/// Signs `claims`.
pub fn sign(claims: &Claims, key: &SigningKey) -> Result<String> {
    let header = Header { typ: "at+jwt".into(), alg: "ES256".into(), kid: key.public.kid.clone() };
    let part = |json: Vec<u8>| URL_SAFE_NO_PAD.encode(json);
    let message = format!("{}.{}", part(serde_json::to_vec(&header)?), part(serde_json::to_vec(claims)?));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key.encoding(), Algorithm::ES256)
        .map_err(Error::internal)?;
    Ok(format!("{message}.{signature}"))
}

/// Checks form and signature and returns the claims. Time, issuer, audience and revocation are not judged here.
pub fn open<'k>(token: &str, key: impl FnOnce(&str) -> Option<&'k PublicKey>) -> Result<Claims, TokenError> {
    if token.len() > MAX_BYTES {
        return Err(TokenError::Malformed);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (head, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
    if payload.contains('.') || signature.is_empty() {
        return Err(TokenError::Malformed);
    }
    let header = header(head)?;
    let key = key(&header.kid).ok_or(TokenError::UnknownKey)?;
    match jsonwebtoken::crypto::verify(signature, message.as_bytes(), key.decoding(), Algorithm::ES256) {
        Ok(true) => json(payload),
        Ok(false) => Err(TokenError::BadSignature),
        Err(_) => Err(TokenError::Malformed),
    }
}

fn header(part: &str) -> Result<Header, TokenError> {
    /// Only to tell a wrong algorithm from a malformed header.
    #[derive(Deserialize)]
    struct Alg {
        alg: String,
    }
    if json::<Alg>(part)?.alg != "ES256" {
        return Err(TokenError::WrongAlgorithm);
    }
    let header: Header = json(part)?;
    if !header.typ.eq_ignore_ascii_case("at+jwt") || header.kid.len() > 64 {
        return Err(TokenError::Malformed);
    }
    Ok(header)
}

fn json<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::claims::tests::sample;
    use super::*;

    fn b64(v: &serde_json::Value) -> String {
        URL_SAFE_NO_PAD.encode(v.to_string())
    }

    fn refused(token: &str, key: &SigningKey) -> TokenError {
        open(token, |kid| (kid == key.public.kid).then_some(&key.public)).unwrap_err()
    }

    #[test]
    fn what_was_signed_is_read_back() {
        let key = SigningKey::generate().unwrap();
        let token = sign(&sample(), &key).unwrap();
        let read = open(&token, |kid| (kid == key.public.kid).then_some(&key.public)).unwrap();
        assert_eq!(read, sample());
    }

    #[test]
    fn other_algorithms_and_none_are_refused() {
        let key = SigningKey::generate().unwrap();
        let claims = b64(&serde_json::to_value(sample()).unwrap());
        for alg in ["none", "None", "HS256", "RS256", "ES384", "EdDSA", "es256", ""] {
            let head = b64(&json!({"typ": "at+jwt", "alg": alg, "kid": key.public.kid}));
            assert_eq!(refused(&format!("{head}.{claims}.AAAA"), &key), TokenError::WrongAlgorithm, "{alg}");
            assert!(open(&format!("{head}.{claims}."), |_| Some(&key.public)).is_err());
        }
    }

    #[test]
    fn the_public_key_used_as_a_shared_secret_is_refused() {
        let key = SigningKey::generate().unwrap();
        let head = b64(&json!({"typ": "at+jwt", "alg": "HS256", "kid": key.public.kid}));
        let message = format!("{head}.{}", b64(&serde_json::to_value(sample()).unwrap()));
        let secret = serde_json::to_vec(&key.public.jwk()).unwrap();
        let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac));
        assert_eq!(refused(&token, &key), TokenError::WrongAlgorithm);
    }

    #[test]
    fn keys_brought_along_and_crafted_key_ids_are_refused() {
        let (ours, theirs) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let claims = b64(&serde_json::to_value(sample()).unwrap());
        let jwk = serde_json::to_value(theirs.public.jwk()).unwrap();
        for (extra, value) in [
            ("jwk", jwk),
            ("jku", json!("https://evil.example/jwks")),
            ("x5u", json!("https://evil.example/cert")),
            ("x5c", json!(["MIIB"])),
            ("crit", json!(["b64"])),
            ("b64", json!(false)),
        ] {
            let mut head = json!({"typ": "at+jwt", "alg": "ES256", "kid": ours.public.kid});
            head[extra] = value;
            let message = format!("{}.{claims}", b64(&head));
            let signature =
                jsonwebtoken::crypto::sign(message.as_bytes(), theirs.encoding(), Algorithm::ES256).unwrap();
            assert_eq!(refused(&format!("{message}.{signature}"), &ours), TokenError::Malformed, "{extra}");
        }
        for kid in ["", "../../etc/passwd", "' OR 1=1 --", "\u{0}"] {
            let head = b64(&json!({"typ": "at+jwt", "alg": "ES256", "kid": kid}));
            assert_eq!(refused(&format!("{head}.{claims}.AAAA"), &ours), TokenError::UnknownKey, "{kid}");
        }
        let head = b64(&json!({"typ": "at+jwt", "alg": "ES256", "kid": "k".repeat(65)}));
        assert_eq!(refused(&format!("{head}.{claims}.AAAA"), &ours), TokenError::Malformed);
    }

    #[test]
    fn an_identity_token_or_a_plain_jwt_is_not_an_access_token() {
        let key = SigningKey::generate().unwrap();
        let head = b64(&json!({"typ": "JWT", "alg": "ES256", "kid": key.public.kid}));
        let message = format!("{head}.{}", b64(&serde_json::to_value(sample()).unwrap()));
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), key.encoding(), Algorithm::ES256).unwrap();
        assert_eq!(refused(&format!("{message}.{signature}"), &key), TokenError::Malformed);
    }

    #[test]
    fn doubled_claims_are_refused() {
        let key = SigningKey::generate().unwrap();
        let mut claims = serde_json::to_string(&sample()).unwrap();
        claims.insert_str(1, r#""subsystem":"VN/GOV/other/system","#);
        let head = b64(&json!({"typ": "at+jwt", "alg": "ES256", "kid": key.public.kid}));
        let message = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), key.encoding(), Algorithm::ES256).unwrap();
        assert_eq!(refused(&format!("{message}.{signature}"), &key), TokenError::Malformed);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_changed_character_is_noticed(place in 0usize..10_000, to in proptest::char::range('!', '~')) {
            let key = SigningKey::generate().unwrap();
            let token = sign(&sample(), &key).unwrap();
            let mut chars: Vec<char> = token.chars().collect();
            let place = place % chars.len();
            prop_assume!(chars[place] != to);
            chars[place] = to;
            let changed: String = chars.into_iter().collect();
            prop_assert!(open(&changed, |kid| (kid == key.public.kid).then_some(&key.public)).is_err());
        }

        #[test]
        fn garbage_never_panics(garbage in "\\PC{0,200}") {
            let key = SigningKey::generate().unwrap();
            prop_assert!(open(&garbage, |_| Some(&key.public)).is_err());
        }
    }
}
