//! Endpoints: method and path pattern of a REST service, the finest thing an agreement may open.
//! Paths arrive here already normalised; normalising belongs to the `xroad` crate.

use std::fmt;
use std::str::FromStr;

use base::i18n::Text;
use serde::{Deserialize, Serialize};

use crate::code::clip;
use crate::t;

/// Longest path pattern accepted, in bytes.
pub const MAX_PATTERN: usize = 512;

/// A verb an endpoint may name, or all of them (`*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Every verb.
    Any,
    /// `DELETE`
    Delete,
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `OPTIONS`
    Options,
    /// `PATCH`
    Patch,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `TRACE`
    Trace,
}

impl Method {
    /// Every verb in the order of the protocol's table, after "all".
    pub const ALL: [Self; 9] = [
        Self::Any,
        Self::Delete,
        Self::Get,
        Self::Head,
        Self::Options,
        Self::Patch,
        Self::Post,
        Self::Put,
        Self::Trace,
    ];

    /// As written on the wire and in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "*",
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Trace => "TRACE",
        }
    }

    /// Whether a call with the verb `called` falls under this one.
    pub fn covers(self, called: &str) -> bool {
        self == Self::Any || self.as_str() == called
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Method {
    type Err = Text;

    fn from_str(s: &str) -> Result<Self, Text> {
        let found = Self::ALL.into_iter().find(|m| m.as_str() == s);
        found.ok_or_else(|| Text::both(|l| t::method_unknown(l, clip(s))))
    }
}

impl Serialize for Method {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(|e: Text| serde::de::Error::custom(e.en))
    }
}

/// A path pattern: `*` stands for one segment, `**` for any number of them (X-Road UG-SS, REST access rights).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(String);

impl Pattern {
    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a normalised path falls under this pattern. The empty path counts as `/`.
    pub fn covers(&self, path: &str) -> bool {
        let path = if path.is_empty() { "/" } else { path };
        xroad::path::glob_match(&self.0, path)
    }
}

impl FromStr for Pattern {
    type Err = Text;

    fn from_str(s: &str) -> Result<Self, Text> {
        let plain = |c: char| c.is_ascii_graphic() && !"?#%\\\"<>{}|^`".contains(c);
        let dots = s.split('/').any(|part| part == "." || part == "..");
        if !s.starts_with('/') || s.len() > MAX_PATTERN || !s.chars().all(plain) || dots || s.contains("//") {
            return Err(Text::both(|l| {
                t::pattern_form(l, t::PatternForm { given: clip(s), max: MAX_PATTERN })
            }));
        }
        if s.contains("***") {
            return Err(Text::both(|l| t::pattern_stars(l, clip(s))));
        }
        Ok(Self(s.to_owned()))
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(s: String) -> Result<Self, String> {
        s.parse().map_err(|e: Text| e.en)
    }
}

impl From<Pattern> for String {
    fn from(p: Pattern) -> Self {
        p.0
    }
}

/// Method and path of an endpoint; unique within its service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Route {
    /// The verb.
    pub method: Method,
    /// The path pattern, relative to the service.
    pub path: Pattern,
}

impl Route {
    /// Whether a call with this verb and normalised path falls under the endpoint.
    pub fn covers(&self, method: &str, path: &str) -> bool {
        self.method.covers(method) && self.path.covers(path)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path.0)
    }
}

impl FromStr for Route {
    type Err = Text;

    /// Reads `GET /cong-dan/*`.
    fn from_str(s: &str) -> Result<Self, Text> {
        let (method, path) = s.split_once(' ').ok_or_else(|| Text::both(|l| t::route_form(l, clip(s))))?;
        Ok(Self { method: method.parse()?, path: path.trim_start().parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_segments_and_depths() {
        let cases = [
            ("/cong-dan/*", "/cong-dan/038", true),
            ("/cong-dan/*", "/cong-dan/038/ho-khau", false),
            ("/cong-dan/*", "/cong-dan", false),
            ("/cong-dan/**", "/cong-dan/038/ho-khau", true),
            ("/**", "/", true),
            ("/**", "", true),
            ("/", "", true),
            ("/a/*/b", "/a/x/b", true),
            ("/a/*/b", "/a/x/y/b", false),
        ];
        for (pattern, path, expected) in cases {
            let pattern: Pattern = pattern.parse().unwrap();
            assert_eq!(pattern.covers(path), expected, "{} covers {path}", pattern.as_str());
        }
    }

    #[test]
    fn patterns_that_could_mean_something_else_are_refused() {
        for bad in
            ["", "a", "//a", "/a//b", "/../a", "/a/.", "/a?x=1", "/%2e%2e", "/a b", "/á", "/a/***", "/a\\b"]
        {
            assert!(bad.parse::<Pattern>().is_err(), "{bad:?}");
        }
        assert!(format!("/{}", "x".repeat(MAX_PATTERN)).parse::<Pattern>().is_err());
    }

    #[test]
    fn routes_are_written_method_first() {
        let route: Route = "GET /cong-dan/*".parse().unwrap();
        assert!(route.covers("GET", "/cong-dan/1") && !route.covers("POST", "/cong-dan/1"));
        assert!(!route.covers("get", "/cong-dan/1"), "verbs are case-sensitive (RFC 9110 9.1)");
        assert_eq!(route.to_string(), "GET /cong-dan/*");
        for bad in ["GET", "get /a", "FETCH /a", "GET a"] {
            assert!(bad.parse::<Route>().is_err(), "{bad:?}");
        }
    }
}
