//! A request as it came from the consumer: its head as sent (HTTP/1, from the tap) or as HTTP/2 carries it, and which
//! of its headers travel on.

use std::collections::HashSet;

use base::i18n::Lang;
use http::request::Parts;
use http1::RequestHead;
use xroad::header::travelling;
use xroad::message::MessageHead;

/// Headers that concern this hop only, besides those the protocol filters.
const HOP: [&str; 3] = ["authorization", "proxy-connection", "http2-settings"];
/// What `Connection` usually names, and what is filtered anyway.
const USUAL: [&str; 5] = ["close", "keep-alive", "upgrade", "te", "http2-settings"];

/// The head of a request.
pub(super) struct Received {
    raw: Option<Box<RequestHead>>,
    parts: Parts,
    target: String,
}

impl Received {
    /// Takes the raw head when there is one; `None` when it belongs to another request than `parts`.
    pub(super) fn new(raw: Option<Box<RequestHead>>, parts: Parts) -> Option<Self> {
        let target = match &raw {
            Some(raw) if raw.method() == parts.method.as_str() => raw.path_and_query().to_owned(),
            Some(_) => return None,
            None => parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned(),
        };
        Some(Self { raw, parts, target })
    }

    /// The method.
    pub(super) fn method(&self) -> &str {
        self.parts.method.as_str()
    }

    /// Path and query as sent.
    pub(super) fn target(&self) -> &str {
        &self.target
    }

    /// All headers in order; names as sent (HTTP/1) or in lower case (HTTP/2).
    pub(super) fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let raw = self.raw.iter().flat_map(|head| head.headers()).map(|h| (h.name, h.value));
        let parsed = self.raw.is_none().then_some(&self.parts.headers);
        raw.chain(parsed.into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_bytes())))
    }

    /// The values of a header as text; those that are not ASCII are left out.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// The bearer token, when there is exactly one `Authorization` header of that kind.
    pub(super) fn bearer(&self) -> Option<&str> {
        let mut all = self.parts.headers.get_all(http::header::AUTHORIZATION).iter();
        let value = all.next()?.to_str().ok()?;
        if all.next().is_some() {
            return None;
        }
        let (scheme, token) = value.split_once(' ')?;
        let token = token.trim_ascii();
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
    }

    /// The caller's language: English when it asks for it first, else Vietnamese.
    pub(super) fn lang(&self) -> Lang {
        match self.values("accept-language").next() {
            Some(value) if value.trim_start().to_ascii_lowercase().starts_with("en") => Lang::En,
            _ => Lang::Vi,
        }
    }

    /// Names that `Connection` makes hop-by-hop (RFC 9110 7.6.1), in lower case.
    ///
    /// # Errors
    /// A name of the protocol among them: it would be seen here and not by the provider.
    pub(super) fn nominated(&self) -> Result<Vec<String>, String> {
        let mut names = HashSet::new();
        for value in self.values("connection") {
            for name in value.split(',').map(|n| n.trim().to_ascii_lowercase()).filter(|n| !n.is_empty()) {
                if xroad::header::is_x_road(&name) {
                    return Err(name);
                }
                if !USUAL.contains(&name.as_str()) {
                    names.insert(name);
                }
            }
        }
        Ok(names.into_iter().collect())
    }

    /// The headers that travel to the provider, in order.
    pub(super) fn travelling(&self, nominated: &[String]) -> Vec<(&str, &[u8])> {
        let dropped: Vec<&str> = HOP.into_iter().chain(nominated.iter().map(String::as_str)).collect();
        travelling(self.headers(), &dropped)
    }

    /// The head as the protocol stores and hashes it.
    pub(super) fn message_head(&self, headers: &[(&str, &[u8])]) -> MessageHead {
        let mut head = MessageHead::request(self.method(), &self.target);
        for (name, value) in headers {
            head.header(name, value);
        }
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(headers: &[(&str, &str)]) -> Received {
        let mut request = http::Request::builder().uri("/r1/a?b");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Received::new(None, request.body(()).unwrap().into_parts().0).unwrap()
    }

    #[test]
    fn one_bearer_token_is_read() {
        assert_eq!(received(&[("authorization", "bearer  abc")]).bearer(), Some("abc"));
        assert_eq!(received(&[]).bearer(), None);
        assert_eq!(received(&[("authorization", "Basic abc")]).bearer(), None);
        assert_eq!(received(&[("authorization", "Bearer ")]).bearer(), None);
        assert_eq!(received(&[("authorization", "Bearer a"), ("authorization", "Bearer b")]).bearer(), None);
    }

    #[test]
    fn what_connection_names_does_not_travel() {
        let r = received(&[
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("x-end", "2"),
            ("authorization", "Bearer a"),
        ]);
        let nominated = r.nominated().unwrap();
        assert_eq!(nominated, ["x-hop"]);
        assert_eq!(r.travelling(&nominated), [("x-end", &b"2"[..])]);
        assert_eq!(received(&[("connection", "x-road-client")]).nominated(), Err("x-road-client".to_owned()));
    }

    #[test]
    fn the_first_language_counts() {
        assert_eq!(received(&[("accept-language", "en-GB, vi;q=0.5")]).lang(), Lang::En);
        assert_eq!(received(&[("accept-language", "vi, en")]).lang(), Lang::Vi);
        assert_eq!(received(&[]).lang(), Lang::Vi);
    }
}
