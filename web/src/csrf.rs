//! Keeps other sites from acting in a person's name: the browser's own statement of where a request comes from, and
//! a token in forms for browsers that make none.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, header};

use crate::site::{Site, is_loopback};

/// The field of a form, and the header of a script, that carry the token.
pub(crate) const FIELD: &str = "csrf";
pub(crate) const HEADER: &str = "x-csrf-token";
const MASK: usize = 16;

/// What the browser says about where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From our own pages.
    Same,
    /// From elsewhere.
    Other,
    /// It does not say.
    Unsaid,
}

/// Reads `Sec-Fetch-Site` (W3C Fetch Metadata), else `Origin` (RFC 6454).
pub(crate) fn origin(site: &Site, headers: &HeaderMap) -> Origin {
    let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    match text("sec-fetch-site") {
        Some("same-origin" | "none") => return Origin::Same,
        Some(_) => return Origin::Other,
        None => {}
    }
    let Some(said) = text("origin") else { return Origin::Unsaid };
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    // During a demonstration people use localhost and 127.0.0.1 alike; the request must still name itself.
    let local = !site.secure
        && is_loopback(host.rsplit_once(':').map_or(host, |(h, _)| h))
        && said.eq_ignore_ascii_case(&format!("http://{host}"));
    if said.eq_ignore_ascii_case(&site.origin) || local { Origin::Same } else { Origin::Other }
}

/// A token for the forms of one page: bound to the session, masked anew each time so that compression tells nothing.
pub(crate) fn token(session: &str, mask: [u8; MASK]) -> String {
    let mut bytes = mask.to_vec();
    bytes.extend(tag(session).iter().zip(mask.iter().cycle()).map(|(t, m)| t ^ m));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Whether the token belongs to the session.
pub(crate) fn valid(session: &str, token: &str) -> bool {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else { return false };
    let Some((mask, masked)) = bytes.split_at_checked(MASK) else { return false };
    let open: Vec<u8> = masked.iter().zip(mask.iter().cycle()).map(|(t, m)| t ^ m).collect();
    verify_slices_are_equal(&open, &tag(session)).is_ok()
}

/// The token among the pairs of a form.
pub(crate) fn form_token(form: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(form).ok()?;
    let value = text.split('&').find_map(|pair| pair.strip_prefix(FIELD)?.strip_prefix('='))?;
    Some(percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned())
}

fn tag(session: &str) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, session.as_bytes());
    let tag = hmac::sign(&key, b"lienthong form 1");
    let mut out = [0; 32];
    out.copy_from_slice(tag.as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::config::Config;

    fn site(url: &str) -> Site {
        Site::from_config(&Config::from_text(None, format!("[web]\npublic_url = \"{url}\""), []).unwrap())
            .unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (http::HeaderName::from_static(n), v.parse().unwrap())).collect()
    }

    #[test]
    fn tokens_belong_to_one_session_and_differ_each_time() {
        let (a, b) = (token("session", [1; 16]), token("session", [2; 16]));
        assert_ne!(a, b);
        assert!(valid("session", &a) && valid("session", &b));
        assert!(!valid("other", &a));
        for bad in ["", "x", "!!!!", &a[1..], &format!("{a}AA")] {
            assert!(!valid("session", bad), "{bad}");
        }
    }

    #[test]
    fn where_a_request_comes_from() {
        let province = site("https://lt.example.vn");
        for (said, expected) in [
            (&[("sec-fetch-site", "same-origin")][..], Origin::Same),
            (&[("sec-fetch-site", "same-site"), ("origin", "https://lt.example.vn")], Origin::Other),
            (&[("sec-fetch-site", "cross-site")], Origin::Other),
            (&[("origin", "https://LT.example.vn")], Origin::Same),
            (&[("origin", "https://evil.vn"), ("host", "evil.vn")], Origin::Other),
            (&[("origin", "http://lt.example.vn")], Origin::Other),
            (&[("origin", "null")], Origin::Other),
            (&[], Origin::Unsaid),
        ] {
            assert_eq!(origin(&province, &headers(said)), expected, "{said:?}");
        }
        let here = site("http://127.0.0.1:8080");
        let local = headers(&[("origin", "http://localhost:8080"), ("host", "localhost:8080")]);
        assert_eq!(origin(&here, &local), Origin::Same);
        let rebound = headers(&[("origin", "http://evil.vn:8080"), ("host", "evil.vn:8080")]);
        assert_eq!(origin(&here, &rebound), Origin::Other);
        assert_eq!(origin(&province, &local), Origin::Other);
    }
}
