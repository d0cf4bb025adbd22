//! The headers that protect every answer: what a page may load, where its forms may lead, who may keep it.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::frame::Policy;
use crate::site::Site;

const FIXED: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];
/// Two years, as preload lists ask.
const TRANSPORT: &str = "max-age=63072000";

/// Adds what the answer does not already state itself.
pub(crate) fn protect(site: &Site, headers: &mut HeaderMap, policy: Option<Policy>) {
    let mut add = |name: HeaderName, value: HeaderValue| {
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    };
    for (name, value) in FIXED {
        add(name, HeaderValue::from_static(value));
    }
    if site.secure {
        add(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TRANSPORT));
    }
    if let Ok(value) = HeaderValue::from_str(&content(policy.map(|p| p.0).unwrap_or_default())) {
        add(header::CONTENT_SECURITY_POLICY, value);
    }
    // Pages are personal unless they say otherwise: nothing stays on a shared computer.
    add(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// Everything from here, nothing inline (CSP level 3). Browsers apply `form-action` to redirects as well, so signing
/// in to another application must name it.
fn content(targets: Vec<String>) -> String {
    let mut text = String::from(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
         connect-src 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    );
    for target in targets.iter().filter(|t| is_origin(t)) {
        text.push(' ');
        text.push_str(target);
    }
    text
}

/// A scheme and an authority; anything else could add directives.
fn is_origin(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|u| {
        let authority = u.authority().map(http::uri::Authority::as_str);
        matches!(u.scheme_str(), Some("https" | "http"))
            && authority
                .is_some_and(|a| a.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b)))
            && matches!(u.path(), "" | "/")
            && u.query().is_none()
            && !text.contains([';', ',', ' '])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_targets_are_origins_only() {
        let text = content(vec![
            "https://dvc.example.vn".into(),
            "http://127.0.0.1:4000".into(),
            "https://a; script-src *".into(),
            "https://a/path".into(),
            "javascript:alert(1)".into(),
            "*".into(),
        ]);
        assert!(text.ends_with("form-action 'self' https://dvc.example.vn http://127.0.0.1:4000"), "{text}");
        assert!(!text.contains("unsafe"));
    }
}
