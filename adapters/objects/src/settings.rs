//! The section `[offsite]`: which bucket, where, and with which credentials. The secret comes from a file or the
//! environment and is shown nowhere.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer};

/// `[offsite]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The bucket; without it there is no store.
    pub bucket: String,
    /// Where in the bucket: keys begin with it. One platform each.
    pub prefix: String,
    /// `https://host:port` of the store; empty for Amazon's of the region.
    pub endpoint: String,
    /// Its region; most stores other than Amazon's take any.
    pub region: String,
    /// Whether the bucket stands in the path (MinIO, Ceph) rather than in the host name.
    pub path_style: bool,
    /// Name of the credentials.
    pub access_key: String,
    /// File with their secret.
    pub secret_key_file: Option<PathBuf>,
    /// The secret itself: for the variable `LIENTHONG_OFFSITE__SECRET_KEY`, not for a file others read.
    pub secret_key: Secret,
    /// PEM file with a further authority to trust.
    pub ca_file: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bucket: String::new(),
            prefix: "lienthong".into(),
            endpoint: String::new(),
            region: "us-east-1".into(),
            path_style: true,
            access_key: String::new(),
            secret_key_file: None,
            secret_key: Secret::default(),
            ca_file: None,
        }
    }
}

/// A secret. It never shows itself.
#[derive(Clone, Default)]
pub struct Secret(String);

impl Secret {
    /// From its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its text, to be given to who must prove it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "hidden" })
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // A variable of digits alone is read as a number; an error about its type would show it.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Any {
            Text(String),
            Number(i64),
            Truth(bool),
        }
        let any = Any::deserialize(from).map_err(|_| serde::de::Error::custom("secret_key is not a text"))?;
        Ok(Self(match any {
            Any::Text(text) => text,
            Any::Number(n) => n.to_string(),
            Any::Truth(b) => b.to_string(),
        }))
    }
}

impl Settings {
    /// The secret, from the variable or the file.
    pub(crate) fn secret(&self) -> Result<Secret, BadSettings> {
        let Some(path) = &self.secret_key_file else {
            return Ok(self.secret_key.clone());
        };
        if !self.secret_key.0.is_empty() {
            return Ok(self.secret_key.clone());
        }
        match std::fs::read_to_string(path) {
            Ok(text) if !text.trim().is_empty() => Ok(Secret(text.trim().to_owned())),
            Ok(_) => Err(BadSettings(format!("{} is empty", path.display()))),
            Err(e) => Err(BadSettings(format!("{} cannot be read: {e}", path.display()))),
        }
    }

    /// What cannot work.
    pub(crate) fn check(&self) -> Result<(), BadSettings> {
        let plain = |text: &str, more: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        if !plain(&self.bucket, "-._") {
            return Err(BadSettings(format!("bucket `{}` is not the name of a bucket", self.bucket)));
        }
        let parts = self.prefix.split('/');
        if !self.prefix.is_empty() && !parts.clone().all(|p| plain(p, "-._") && p != "." && p != "..") {
            return Err(BadSettings(format!(
                "prefix `{}` is not a path such as lienthong/so-1",
                self.prefix
            )));
        }
        let web = self.endpoint.starts_with("https://") || self.endpoint.starts_with("http://");
        if !self.endpoint.is_empty() && !web {
            return Err(BadSettings(format!("endpoint `{}` does not begin with https://", self.endpoint)));
        }
        if self.access_key.is_empty() {
            return Err(BadSettings("access_key is missing".into()));
        }
        Ok(())
    }
}

/// Bucket and path of `s3://bucket/path`.
pub fn bucket_and_prefix(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("s3://")?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    (!bucket.is_empty()).then_some((bucket, prefix.trim_matches('/')))
}

/// What is wrong with the section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSettings(pub String);

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[offsite] {}", self.0)
    }
}

impl std::error::Error for BadSettings {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_shows_itself() {
        let settings = Settings { secret_key: Secret::new("hush"), ..Settings::default() };
        assert!(!format!("{settings:?}").contains("hush"));
        let read: Result<Settings, _> = serde_json::from_str(r#"{"secret_key": {"hush": 1}}"#);
        assert!(!read.unwrap_err().to_string().contains("hush"));
        let digits: Settings = serde_json::from_str(r#"{"secret_key": 12345678}"#).unwrap();
        assert_eq!(digits.secret_key.expose(), "12345678");
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let good = Settings { bucket: "b".into(), access_key: "a".into(), ..Settings::default() };
        assert!(good.check().is_ok());
        for wrong in [
            Settings { bucket: "a b".into(), ..good.clone() },
            Settings { prefix: "a/../b".into(), ..good.clone() },
            Settings { prefix: "/a".into(), ..good.clone() },
            Settings { endpoint: "minio:9000".into(), ..good.clone() },
            Settings { access_key: String::new(), ..good.clone() },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_address_names_bucket_and_path() {
        assert_eq!(bucket_and_prefix("s3://b/x/y/"), Some(("b", "x/y")));
        assert_eq!(bucket_and_prefix("s3://b"), Some(("b", "")));
        assert_eq!(bucket_and_prefix("s3:///x"), None);
        assert_eq!(bucket_and_prefix("/var/backups"), None);
    }
}
