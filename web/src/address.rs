//! The address of a page with its filters, so that links keep what is not theirs to change.

use std::fmt;

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// RFC 3986 unreserved characters stay readable.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// More parameters than any list has; the rest is dropped.
const MOST_PARAMETERS: usize = 64;

/// A path with query parameters, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    path: String,
    pairs: Vec<(String, String)>,
}

impl Address {
    /// The address of a request.
    pub fn of(uri: &Uri) -> Self {
        let pairs =
            uri.query().unwrap_or_default().split('&').filter(|p| !p.is_empty()).take(MOST_PARAMETERS);
        let pairs = pairs.map(|p| {
            let (name, value) = p.split_once('=').unwrap_or((p, ""));
            (decoded(name), decoded(value))
        });
        Self { path: uri.path().to_owned(), pairs: pairs.collect() }
    }

    /// An address without parameters.
    pub fn path(path: impl Into<String>) -> Self {
        Self { path: path.into(), pairs: Vec::new() }
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// All parameters.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// The path alone.
    pub fn only_path(&self) -> &str {
        &self.path
    }

    /// This address with a parameter set to one value; an empty value takes it away.
    pub fn with(&self, name: &str, value: impl fmt::Display) -> Self {
        let mut next = self.without(name);
        let value = value.to_string();
        if !value.is_empty() {
            next.pairs.push((name.to_owned(), value));
        }
        next
    }

    /// This address without a parameter.
    pub fn without(&self, name: &str) -> Self {
        let pairs = self.pairs.iter().filter(|(n, _)| n != name).cloned().collect();
        Self { path: self.path.clone(), pairs }
    }

    /// The same parameters at another path, for example the CSV of the list shown.
    pub fn at(&self, path: impl Into<String>) -> Self {
        Self { path: path.into(), pairs: self.pairs.clone() }
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// Encodes one part of a path or one value of a query.
pub fn encoded(text: &str) -> impl fmt::Display + '_ {
    utf8_percent_encode(text, ENCODED)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        for (at, (name, value)) in self.pairs.iter().enumerate() {
            write!(f, "{}{}={}", if at == 0 { '?' } else { '&' }, encoded(name), encoded(value))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str) -> Address {
        Address::of(&uri.parse().unwrap())
    }

    #[test]
    fn filters_survive_and_pages_start_again() {
        let a = of("/members?tab=open&q=s%E1%BB%9F+y&after=x");
        assert_eq!(a.get("q"), Some("sở y"));
        assert_eq!(a.without("after").with("tab", "all").to_string(), "/members?q=s%E1%BB%9F%20y&tab=all");
        assert_eq!(a.with("q", "").without("after").to_string(), "/members?tab=open");
        assert_eq!(
            a.at("/members.csv").without("after").to_string(),
            "/members.csv?tab=open&q=s%E1%BB%9F%20y"
        );
    }

    #[test]
    fn odd_queries_do_no_harm() {
        assert_eq!(of("/m?&a&=b&%zz=%ff").to_string(), "/m?a=&=b&%25zz=%EF%BF%BD");
        let many = format!("/m?{}", vec!["a=1"; 1_000].join("&"));
        assert_eq!(of(&many).pairs().len(), MOST_PARAMETERS);
    }
}
