//! Services: what a subsystem offers to others, where it really lives and how long it may take to answer.
//! Its OpenAPI document is read in `openapi`; who may call it is the agreements' matter.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use base::i18n::Text;
use serde::{Deserialize, Serialize};

use crate::code::clip;
use crate::t;

/// How a REST service is described (names of the X-Road metadata protocol, PR-MREST).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ServiceKind {
    /// A REST service without a description.
    #[serde(rename = "REST")]
    Rest,
    /// A REST service with an OpenAPI document.
    #[serde(rename = "OPENAPI3")]
    OpenApi3,
}

impl ServiceKind {
    /// As written on the wire and in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "REST",
            Self::OpenApi3 => "OPENAPI3",
        }
    }
}

impl fmt::Display for ServiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ServiceKind {
    type Err = Text;

    fn from_str(s: &str) -> Result<Self, Text> {
        match s {
            "REST" => Ok(Self::Rest),
            "OPENAPI3" => Ok(Self::OpenApi3),
            _ => Err(Text::both(|l| t::service_kind_unknown(l, clip(s)))),
        }
    }
}

/// The time a provider has to begin its answer when nothing else is agreed.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest time that may be agreed.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(600);

/// Checks a time limit given in whole seconds.
///
/// # Errors
/// The sentence with the permitted range.
pub fn timeout(seconds: i64) -> Result<Duration, Text> {
    u64::try_from(seconds)
        .ok()
        .filter(|s| (1..=MAX_TIMEOUT.as_secs()).contains(s))
        .map(Duration::from_secs)
        .ok_or_else(|| Text::both(|l| t::timeout_range(l, MAX_TIMEOUT.as_secs())))
}

/// Where a service really lives: `http` or `https`, a host, an optional port and path; nothing else. The
/// path of a call is appended to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl(String);

impl BaseUrl {
    /// The address without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `host` or `host:port`.
    pub fn authority(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        rest.split('/').next().unwrap_or("")
    }

    /// The path, empty or `/…` without a slash at its end.
    pub fn path(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        rest.find('/').map_or("", |at| &rest[at..])
    }

    /// The host without brackets, and the port, also when it is the usual one.
    pub fn host_and_port(&self) -> (&str, u16) {
        let authority = self.authority();
        let default = if self.is_https() { 443 } else { 80 };
        let split = authority.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        // The last group of a bare IPv6 address is not a port: such addresses stand in brackets.
        let (host, port) =
            split.filter(|(h, _)| !h.starts_with('[') || h.ends_with(']')).unwrap_or((authority, default));
        (host.trim_matches(['[', ']']), port)
    }

    /// Whether the connection to the provider is encrypted.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BaseUrl {
    type Err = Text;

    fn from_str(s: &str) -> Result<Self, Text> {
        let refuse = || Text::both(|l| t::base_url_form(l, clip(s)));
        if s.len() > 1024 || !s.bytes().all(|b| b.is_ascii_graphic()) || s.contains('\\') {
            return Err(refuse());
        }
        let uri: http::Uri = s.parse().map_err(|_| refuse())?;
        let authority = uri.authority().ok_or_else(refuse)?;
        let scheme_known = matches!(uri.scheme_str(), Some("http" | "https"));
        if !scheme_known || authority.as_str().contains('@') || uri.query().is_some() || s.contains('#') {
            return Err(refuse());
        }
        let port = &authority.as_str()[authority.host().len()..];
        let port_sound =
            port.is_empty() || port.strip_prefix(':').is_some_and(|p| p.parse::<u16>().is_ok_and(|p| p > 0));
        if !host_is_sound(authority.host()) || !port_sound {
            return Err(refuse());
        }
        if uri.path().split('/').any(|part| part == "." || part == "..") || uri.path().contains('%') {
            return Err(refuse());
        }
        let scheme = uri.scheme_str().unwrap_or("http");
        Ok(Self(format!(
            "{scheme}://{}{}",
            authority.as_str().to_ascii_lowercase(),
            uri.path().trim_end_matches('/')
        )))
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = String;

    fn try_from(s: String) -> Result<Self, String> {
        s.parse().map_err(|e: Text| e.en)
    }
}

impl From<BaseUrl> for String {
    fn from(u: BaseUrl) -> Self {
        u.0
    }
}

/// A name of letters, digits, dots and hyphens, or an address.
fn host_is_sound(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<IpAddr>().is_ok() {
        return true;
    }
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    host.len() <= 253 && host.split('.').all(label)
}

/// Whether callers are let through to the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ServiceState {
    /// Calls pass.
    Enabled,
    /// Calls are answered with the notice instead.
    Disabled {
        /// What callers are told, for example until when; may be empty.
        notice: String,
    },
}

impl ServiceState {
    /// The notice of a disabled service.
    pub fn notice(&self) -> Option<&str> {
        match self {
            Self::Enabled => None,
            Self::Disabled { notice } => Some(notice),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_are_an_address_and_nothing_else() {
        let cases = [
            ("http://127.0.0.1:9101", "http://127.0.0.1:9101"),
            ("https://CSDL.example.gov.vn/api/", "https://csdl.example.gov.vn/api"),
            ("http://[::1]:80/a/b", "http://[::1]:80/a/b"),
        ];
        for (given, kept) in cases {
            assert_eq!(given.parse::<BaseUrl>().unwrap().as_str(), kept);
        }
        for bad in [
            "",
            "csdl.example",
            "ftp://a.b/",
            "file:///etc/passwd",
            "http://",
            "http://a:b@c/",
            "http://a/?x=1",
            "http://a/#f",
            "http://a/../b",
            "http://a/%2e%2e",
            "http://a b/",
            "http://a:0/",
            "http://a:99999/",
            "http://a:/",
            "http://-a/",
            "http://a..b/",
            "http://dịch-vụ.vn/",
            "http://a\\b/",
        ] {
            assert!(bad.parse::<BaseUrl>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_base_url_knows_its_parts() {
        let url: BaseUrl = "https://a.example:8443/x".parse().unwrap();
        assert_eq!((url.authority(), url.is_https()), ("a.example:8443", true));
        assert_eq!((url.path(), "http://a.example".parse::<BaseUrl>().unwrap().path()), ("/x", ""));
    }

    #[test]
    fn host_and_port_of_every_form() {
        for (url, expected) in [
            ("http://a.example/x", ("a.example", 80)),
            ("https://a.example", ("a.example", 443)),
            ("https://a.example:8443/x", ("a.example", 8443)),
            ("http://10.0.0.1:81", ("10.0.0.1", 81)),
            ("http://[::1]:9000/a", ("::1", 9000)),
            ("https://[2001:db8::1]", ("2001:db8::1", 443)),
        ] {
            assert_eq!(url.parse::<BaseUrl>().unwrap().host_and_port(), expected, "{url}");
        }
    }

    #[test]
    fn time_limits_have_a_range() {
        assert_eq!(timeout(1).unwrap(), Duration::from_secs(1));
        assert!(timeout(0).is_err() && timeout(-1).is_err() && timeout(601).is_err());
    }
}
