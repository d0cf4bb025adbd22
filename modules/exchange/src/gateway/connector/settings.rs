//! The settings of a way to a national platform, with their check. Secrets are read from files and never told.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use http::header::HeaderName;
use serde::Deserialize;

use crate::service::BaseUrl;

/// `[[exchange.gateway.connector]]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Its name in logs and metrics: letters, digits, hyphens.
    pub name: String,
    /// Services whose address is this or below it go through here.
    pub base_url: BaseUrl,
    /// How a token is had; without it calls carry none.
    pub token: Option<TokenSettings>,
    /// Headers added to every call, in place of those the consumer sent.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// PEM file with our certificate, for platforms that demand one.
    pub client_certificate: Option<PathBuf>,
    /// PEM file with its key.
    pub client_key: Option<PathBuf>,
    /// Paths below the base address that are called otherwise there.
    #[serde(default)]
    pub path: Vec<Mapping>,
}

/// A value, or the file that holds it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Secret {
    /// Not secret.
    Text(String),
    /// In a file, of which the end of the last line is left out.
    File {
        /// The file.
        file: PathBuf,
    },
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(…)"),
            Self::File { file } => write!(f, "File({})", file.display()),
        }
    }
}

impl Secret {
    pub(super) fn read(&self) -> io::Result<String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File { file } => secret(file),
        }
    }
}

/// What a file holds, without the end of its last line.
pub(super) fn secret(file: &Path) -> io::Result<String> {
    let text = std::fs::read_to_string(file)
        .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", file.display())))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// `[exchange.gateway.connector.token]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSettings {
    /// The token endpoint.
    pub url: BaseUrl,
    /// Who we are there.
    pub client_id: String,
    /// File with the secret.
    pub client_secret_file: PathBuf,
    /// What is asked for.
    pub scope: Option<String>,
    /// Where the secret goes: in a header (`basic`) or in the form.
    #[serde(default)]
    pub credentials: Credentials,
    /// Milliseconds the endpoint may take.
    #[serde(default = "usual_timeout")]
    pub timeout_ms: u64,
}

fn usual_timeout() -> u64 {
    5_000
}

/// Where the secret goes (RFC 6749 2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Credentials {
    /// As HTTP Basic.
    #[default]
    Basic,
    /// As fields of the form.
    Form,
}

/// A path that is another one there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The beginning of the path below the base address, whole segments.
    pub from: String,
    /// What stands there instead.
    pub to: String,
}

/// Headers that say where a call ends or who it is for: not to be set by hand.
const OWN: [&str; 7] =
    ["authorization", "host", "content-length", "transfer-encoding", "connection", "upgrade", "te"];

impl Settings {
    /// Checks one of them; the files are read when it is built.
    fn check(&self) -> Result<(), String> {
        let name = &self.name;
        let refuse = |what: &str| Err(format!("connector {name:?}: {what}"));
        if name.is_empty() || name.len() > 40 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        {
            return refuse("the name is 1 to 40 letters, digits and hyphens");
        }
        if self.client_certificate.is_some() != self.client_key.is_some() {
            return refuse("client_certificate and client_key go together");
        }
        if self.client_certificate.is_some() && !self.base_url.is_https() {
            return refuse("a client certificate needs an https address");
        }
        for header in self.headers.keys() {
            let known = HeaderName::from_bytes(header.as_bytes());
            if known.is_err() || OWN.contains(&header.to_ascii_lowercase().as_str()) {
                return refuse(&format!("the header {header:?} cannot be set"));
            }
        }
        let is_path = |p: &str| {
            p.starts_with('/')
                && p.len() <= 1_024
                && p.bytes().all(|b| b.is_ascii_graphic() && b != b'?' && b != b'#')
        };
        if let Some(bad) = self.path.iter().find(|m| !is_path(&m.from) || !is_path(&m.to)) {
            return refuse(&format!("paths begin with / and have no ? or #: {:?} to {:?}", bad.from, bad.to));
        }
        let Some(token) = &self.token else { return Ok(()) };
        if token.client_id.is_empty() || token.client_id.len() > 512 {
            return refuse("client_id is missing or too long");
        }
        if !(10..=60_000).contains(&token.timeout_ms) {
            return refuse("timeout_ms of the token is between 10 and 60000");
        }
        let here = token.url.host_and_port().0.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if !token.url.is_https() && !here {
            return refuse("the token endpoint must be https: the secret would travel in the open");
        }
        Ok(())
    }

    /// Checks all of them together.
    ///
    /// # Errors
    /// What is wrong with the first that is not sound.
    pub fn check_all(all: &[Self]) -> Result<(), String> {
        for (n, one) in all.iter().enumerate() {
            one.check()?;
            let before = &all[..n];
            if before.iter().any(|b| b.name == one.name || b.base_url == one.base_url) {
                return Err(format!("connector {:?}: its name or address is used twice", one.name));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(more: &str) -> Settings {
        let text = format!("name = \"ndop\"\nbase_url = \"https://a.example/gw\"\n{more}");
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn bad_settings_are_named() {
        let token = "[token]\nclient_id = \"x\"\nclient_secret_file = \"/x\"\nurl = ";
        assert_eq!(Settings::check_all(&[settings(&format!("{token}\"https://a.example/token\""))]), Ok(()));
        assert_eq!(Settings::check_all(&[settings(&format!("{token}\"http://127.0.0.1:1/token\""))]), Ok(()));
        for (bad, says) in [
            (settings(&format!("{token}\"http://a.example/token\"")), "must be https"),
            (settings("headers = { Host = \"x\" }"), "Host"),
            (settings("client_key = \"/x\""), "go together"),
            (settings("path = [{ from = \"a\", to = \"/b\" }]"), "begin with /"),
        ] {
            assert!(Settings::check_all(&[bad]).unwrap_err().contains(says), "{says}");
        }
        let twice = Settings::check_all(&[settings(""), settings("")]);
        assert!(twice.unwrap_err().contains("twice"));
        let shown = format!("{:?}", settings("headers = { X-Key = \"bi-mat\" }"));
        assert!(!shown.contains("bi-mat"), "{shown}");
    }
}
