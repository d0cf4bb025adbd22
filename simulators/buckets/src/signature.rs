//! Checks a signature as the store's owner must: AWS Signature Version 4 in the `Authorization` header, over the canonical
//! request rebuilt from what arrived.

use std::time::Duration;

use aws_lc_rs::{digest, hmac};
use axum::http::{HeaderMap, Method, Uri};
use base::clock::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// RFC 3986, unreserved: what stays as it is.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const PATH: &AsciiSet = &STRICT.remove(b'/');
const SKEW: Duration = Duration::from_secs(15 * 60);

/// Why a request is refused: code and status of the store's error.
pub type Refused = (u16, &'static str);

/// Name and secret of who may use the bucket, and its region.
#[derive(Debug, Clone)]
pub struct Owner {
    /// Access key.
    pub access: String,
    /// Secret key.
    pub secret: String,
    /// Region of the scope.
    pub region: String,
}

/// Checks one request.
///
/// # Errors
/// As the store would refuse it.
pub fn check(
    owner: &Owner,
    now: Timestamp,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), Refused> {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let malformed = (400, "AuthorizationHeaderMalformed");
    let authorization = header("authorization").ok_or((403, "AccessDenied"))?;
    let rest = authorization.strip_prefix("AWS4-HMAC-SHA256 ").ok_or(malformed)?;
    let field = |name: &str| {
        rest.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')).ok_or(malformed)
    };
    let (credential, signed, signature) =
        (field("Credential")?, field("SignedHeaders")?, field("Signature")?);
    let scope: Vec<&str> = credential.split('/').collect();
    let [access, day, region, "s3", "aws4_request"] = scope[..] else { return Err(malformed) };
    if access != owner.access {
        return Err((403, "InvalidAccessKeyId"));
    }
    if region != owner.region {
        return Err(malformed);
    }
    let date = header("x-amz-date").ok_or((403, "AccessDenied"))?;
    let at = moment(date).filter(|_| date.starts_with(day)).ok_or(malformed)?;
    if now.since(at).max(at.since(now)) > SKEW {
        return Err((403, "RequestTimeTooSkewed"));
    }
    let digest_said = header("x-amz-content-sha256").ok_or((400, "MissingSecurityHeader"))?;
    if digest_said != hash(body) {
        return Err((400, "XAmzContentSHA256Mismatch"));
    }
    let names: Vec<&str> = signed.split(';').collect();
    for needed in ["host", "x-amz-date", "x-amz-content-sha256"] {
        if !names.contains(&needed) {
            return Err((403, "AccessDenied"));
        }
    }
    let mut lines = String::new();
    for name in &names {
        let value = header(name).ok_or(malformed)?;
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        lines.push_str(&format!("{name}:{value}\n"));
    }
    let request =
        format!("{method}\n{}\n{}\n{lines}\n{signed}\n{digest_said}", path(uri.path()), query(uri.query()));
    let text =
        format!("AWS4-HMAC-SHA256\n{date}\n{day}/{region}/s3/aws4_request\n{}", hash(request.as_bytes()));
    let mut key = format!("AWS4{}", owner.secret).into_bytes();
    for part in [day, region, "s3", "aws4_request"] {
        key = mac(&key, part.as_bytes());
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let said = hex::decode(signature).map_err(|_| malformed)?;
    hmac::verify(&key, text.as_bytes(), &said).map_err(|_| (403, "SignatureDoesNotMatch"))
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

/// SHA-256, hexadecimal.
pub fn hash(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

/// `20261122T081428Z`
fn moment(text: &str) -> Option<Timestamp> {
    let digits =
        |range: std::ops::Range<usize>| text.get(range).filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
    let (y, mo, d) = (digits(0..4)?, digits(4..6)?, digits(6..8)?);
    let (h, mi, s) = (digits(9..11)?, digits(11..13)?, digits(13..15)?);
    (text.len() == 16).then(|| format!("{y}-{mo}-{d}T{h}:{mi}:{s}Z").parse().ok())?
}

fn path(raw: &str) -> String {
    utf8_percent_encode(&percent_decode_str(raw).decode_utf8_lossy(), PATH).to_string()
}

fn query(raw: Option<&str>) -> String {
    let mut pairs: Vec<String> = parameters(raw)
        .iter()
        .map(|(k, v)| format!("{}={}", utf8_percent_encode(k, STRICT), utf8_percent_encode(v, STRICT)))
        .collect();
    pairs.sort_unstable();
    pairs.join("&")
}

/// The parameters of an address, decoded. A plus sign is a plus sign.
pub fn parameters(raw: Option<&str>) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    raw.unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(k, v)| (decode(k), decode(v)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example "GET Object" of the S3 reference, "Signature Calculations: Examples".
    #[test]
    fn the_published_example_holds_and_a_changed_one_does_not() {
        let owner = Owner {
            access: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            region: "us-east-1".into(),
        };
        let now = "2013-05-24T00:00:00Z".parse().unwrap();
        let mut headers = HeaderMap::new();
        let signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
             SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature={signature}"
        );
        for (name, value) in [
            ("host", "examplebucket.s3.amazonaws.com"),
            ("range", "bytes=0-9"),
            ("x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("x-amz-date", "20130524T000000Z"),
            ("authorization", authorization.as_str()),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let get = |path: &'static str, headers: &HeaderMap| {
            check(&owner, now, &Method::GET, &Uri::from_static(path), headers, b"")
        };
        assert_eq!(get("/test.txt", &headers), Ok(()));
        assert_eq!(get("/test2.txt", &headers), Err((403, "SignatureDoesNotMatch")));
        headers.insert("range", "bytes=0-8".parse().unwrap());
        assert_eq!(get("/test.txt", &headers), Err((403, "SignatureDoesNotMatch")));
    }
}
