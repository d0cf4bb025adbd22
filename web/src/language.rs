//! Which language a request is answered in: what was chosen, else what the browser prefers, else Vietnamese.

use base::i18n::Lang;
use http::{HeaderMap, header};

use crate::session::cookie;

/// The cookie that remembers the choice.
pub(crate) const COOKIE: &str = "lt-lang";

/// What the person chose on this browser.
pub(crate) fn chosen(headers: &HeaderMap) -> Option<Lang> {
    cookie(headers, COOKIE).and_then(Lang::from_tag)
}

/// What the browser prefers (RFC 9110, 12.5.4), else Vietnamese.
pub(crate) fn preferred(headers: &HeaderMap) -> Lang {
    let text = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let mut best = (Lang::Vi, 0.0_f32);
    for part in text.split(',').take(32) {
        let (tag, rest) = part.split_once(';').unwrap_or((part, ""));
        let weight = rest.trim().strip_prefix("q=").map_or(1.0, |q| q.parse().unwrap_or(0.0));
        if let Some(lang) = Lang::from_tag(tag.trim())
            && weight > best.1
        {
            best = (lang, weight);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_known_language_wins() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, text.parse().unwrap());
            preferred(&headers)
        };
        assert_eq!(of("en-US,en;q=0.9,vi;q=0.8"), Lang::En);
        assert_eq!(of("fr-FR, en;q=0.3, vi-VN;q=0.7"), Lang::Vi);
        assert_eq!(of("fr"), Lang::Vi);
        assert_eq!(of("en;q=0"), Lang::Vi);
        assert_eq!(of(";;,,q="), Lang::Vi);
        assert_eq!(preferred(&HeaderMap::new()), Lang::Vi);
    }
}
