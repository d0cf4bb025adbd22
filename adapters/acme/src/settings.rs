//! The section `[acme]`: which authority, for which names, as whom.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;

/// `[acme]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address of the authority's directory; without it no certificate is asked for.
    pub directory: String,
    /// Host names (or addresses) the certificate is for.
    pub names: Vec<String>,
    /// Mail address at which the authority reaches the operator; may be empty.
    pub contact: String,
    /// Whether the operator agrees to the terms of the authority.
    pub agree_to_terms: bool,
    /// Where proofs are shown over plain HTTP; the authority comes to port 80 of the names.
    pub listen: SocketAddr,
    /// PEM file with the authority of the directory's own certificate, for an authority of one's own network.
    pub ca_file: Option<PathBuf>,
    /// Name of the key by which the authority knows the account beforehand (external account binding).
    pub key_id: String,
    /// File with that key, base64url as the authority gave it.
    pub key_file: Option<PathBuf>,
    /// Days before the end from which on a new one is asked for; 0 for a third of its life.
    pub renew_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            directory: String::new(),
            names: Vec::new(),
            contact: String::new(),
            agree_to_terms: false,
            listen: SocketAddr::from(([0, 0, 0, 0], 80)),
            ca_file: None,
            key_id: String::new(),
            key_file: None,
            renew_days: 0,
        }
    }
}

impl Settings {
    /// Whether certificates are asked for at all.
    pub fn is_on(&self) -> bool {
        !self.directory.is_empty()
    }

    /// What cannot work.
    ///
    /// # Errors
    /// In a sentence.
    pub fn check(&self) -> Result<(), BadSettings> {
        if !self.is_on() {
            return Ok(());
        }
        if !self.directory.starts_with("https://") {
            return Err(BadSettings(format!("directory `{}` does not begin with https://", self.directory)));
        }
        let host = |n: &String| {
            n.parse::<IpAddr>().is_ok()
                || (!n.is_empty() && n.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b)))
        };
        if self.names.is_empty() || !self.names.iter().all(host) {
            return Err(BadSettings("names must list the host names of the platform".into()));
        }
        if !self.agree_to_terms {
            let text = "agree_to_terms = true is needed: read the terms of the authority first";
            return Err(BadSettings(text.into()));
        }
        if self.key_id.is_empty() != self.key_file.is_none() {
            return Err(BadSettings("key_id and key_file go together".into()));
        }
        Ok(())
    }
}

/// What is wrong with the section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSettings(pub String);

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[acme] {}", self.0)
    }
}

impl std::error::Error for BadSettings {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_refused() {
        assert!(Settings::default().check().is_ok(), "off");
        let good = Settings {
            directory: "https://ca.tinhmau.gov.vn/acme/directory".into(),
            names: vec!["lienthong.tinhmau.gov.vn".into(), "10.0.0.1".into()],
            agree_to_terms: true,
            ..Settings::default()
        };
        assert!(good.check().is_ok());
        for wrong in [
            Settings { directory: "http://ca/".into(), ..good.clone() },
            Settings { names: vec![], ..good.clone() },
            Settings { names: vec!["a b".into()], ..good.clone() },
            Settings { agree_to_terms: false, ..good.clone() },
            Settings { key_id: "x".into(), ..good.clone() },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}
