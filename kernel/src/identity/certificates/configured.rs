//! The section `[certificates]`: how long what we issue holds, other authorities whose certificates listeners accept (those
//! of the Government's cipher committee, for example), and which of their certificates belongs to which client.

use std::path::PathBuf;

use base::clock::Timestamp;
use base::config::Config;
use base::error::{Error, Result};
use serde::Deserialize;

use crate::certificate;
use crate::entrance::PeerCertificate;

/// `[certificates]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Days for which a certificate we issue holds.
    pub life_days: u32,
    /// PEM files of further authorities.
    pub authorities: Vec<PathBuf>,
    /// Certificates of those authorities, each with its client.
    pub registered: Vec<Registered>,
}

/// `[[certificates.registered]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// The client's name on the wire.
    pub client: String,
    /// SHA-256 of the certificate, in hexadecimal, with colons or without.
    pub fingerprint: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { life_days: 365, authorities: Vec::new(), registered: Vec::new() }
    }
}

impl Settings {
    /// Reads and checks the section.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(config: &Config) -> Result<Self> {
        let settings: Self = config.section("certificates").map_err(Error::internal)?;
        settings.check().map_err(|e| Error::internal(format!("[certificates] {e}")))?;
        Ok(settings)
    }

    fn check(&self) -> std::result::Result<(), String> {
        if !(1..=825).contains(&self.life_days) {
            return Err(format!("life_days = {}: must be between 1 and 825", self.life_days));
        }
        for one in &self.registered {
            if one.thumbprint().is_none() {
                return Err(format!(
                    "fingerprint `{}` of client `{}` is not a SHA-256 in hexadecimal; `openssl x509 -fingerprint -sha256 \
                     -noout -in FILE` prints it",
                    one.fingerprint, one.client
                ));
            }
        }
        if !self.registered.is_empty() && self.authorities.is_empty() {
            return Err("registered certificates need the file of their authority in `authorities`".into());
        }
        Ok(())
    }

    /// Until when a certificate holds that is registered for this client.
    pub(super) fn names(&self, client: &str, shown: &PeerCertificate) -> Option<Timestamp> {
        let own = |r: &&Registered| r.client == client && r.thumbprint().as_ref() == Some(shown.thumbprint());
        self.registered.iter().find(own)?;
        certificate::not_after(shown.der())
    }
}

impl Registered {
    /// The digest the fingerprint spells.
    pub fn thumbprint(&self) -> Option<[u8; 32]> {
        let digits: String = self.fingerprint.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
        hex::decode(digits).ok()?.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> std::result::Result<(), String> {
        toml::from_str::<Settings>(text).map_err(|e| e.to_string())?.check()
    }

    #[test]
    fn a_fingerprint_is_read_as_openssl_prints_it_and_anything_else_is_named() {
        let of = |fingerprint: &str| Registered { client: "a".into(), fingerprint: fingerprint.into() };
        let printed = certificate::fingerprint(b"x");
        let held = PeerCertificate::new(b"x".to_vec());
        assert_eq!(of(&printed).thumbprint().as_ref(), Some(held.thumbprint()));
        assert_eq!(
            of(&printed.replace(':', "").to_lowercase()).thumbprint().as_ref(),
            Some(held.thumbprint())
        );
        assert_eq!(of("AB:CD").thumbprint(), None);
        assert_eq!(read("life_days = 30"), Ok(()));
        assert!(read("life_days = 0").unwrap_err().contains("life_days"));
        let one = format!("registered = [{{ client = 'a', fingerprint = '{printed}' }}]");
        assert!(read(&one).unwrap_err().contains("authorities"));
        assert_eq!(read(&format!("authorities = ['x.pem']\n{one}")), Ok(()));
        assert!(read("registered = [{ client = 'a', fingerprint = 'zz' }]").unwrap_err().contains("openssl"));
    }
}
