//! The section `[channels]`: which gateways there are. Passwords and secrets come from files, never from the section.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// `[channels]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `[channels.email]`
    pub email: Option<Email>,
    /// `[channels.sms]`
    pub sms: Option<Http>,
    /// `[channels.chat]`
    pub chat: Option<Http>,
}

/// How the way to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Plain at first, then TLS (RFC 3207); refused without it.
    #[default]
    Starttls,
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// None: for a relay on the same machine or a closed network. No password is sent over it.
    None,
}

/// `[channels.email]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// The mail server.
    pub host: String,
    /// Its port; 587, 465 or 25 by `security` unless given.
    pub port: Option<u16>,
    /// How the way is encrypted.
    #[serde(default)]
    pub security: Security,
    /// Sender, `Name <address>` or an address.
    pub from: String,
    /// Name to sign in with.
    pub username: Option<String>,
    /// File with the password.
    pub password_file: Option<PathBuf>,
    /// PEM file with a further authority to trust.
    pub ca_file: Option<PathBuf>,
    /// Seconds for one message, 1 to 45.
    #[serde(default = "seconds")]
    pub seconds: u64,
}

/// `[channels.sms]`, `[channels.chat]`: one `POST` for each message.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Where to. `https`, or `http` on this machine.
    pub url: String,
    /// What is sent: any JSON value in whose texts `{to}`, `{subject}`, `{text}` and `{key}` stand for the message's.
    pub body: serde_json::Value,
    /// `json`, or `form` for a flat body sent as a form.
    #[serde(default)]
    pub format: Format,
    /// Further headers. Not for secrets.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Header that carries the secret, `authorization` unless given.
    pub secret_header: Option<String>,
    /// File with the secret, as it stands in the header.
    pub secret_file: Option<PathBuf>,
    /// Header that carries the message's key, by which the gateway knows a repetition.
    pub key_header: Option<String>,
    /// How an answer says that the message was taken, beside its status.
    pub success: Option<Success>,
    /// JSON Pointer (RFC 6901) of the reference under which the delivery is reported.
    pub reference: Option<String>,
    /// File with the secret by which the gateway proves its delivery reports.
    pub report_secret_file: Option<PathBuf>,
    /// Seconds for one message, 1 to 45.
    #[serde(default = "seconds")]
    pub seconds: u64,
}

/// How the body of an HTTP request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// `application/json`
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
}

/// Gateways that answer 200 also when they have not taken the message.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Success {
    /// JSON Pointer (RFC 6901) of the value that tells.
    pub pointer: String,
    /// What it is when the message was taken, as text.
    pub equals: String,
    /// What it is when trying again is of no use, as texts.
    #[serde(default)]
    pub never: Vec<String>,
}

fn seconds() -> u64 {
    20
}

/// What is wrong with the section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSettings(pub String);

impl std::fmt::Display for BadSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[channels] {}", self.0)
    }
}

impl std::error::Error for BadSettings {}

/// A secret from its file, without the end of the line.
pub(crate) fn secret(path: Option<&Path>) -> Result<Option<String>, BadSettings> {
    let Some(path) = path else { return Ok(None) };
    match std::fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => Err(BadSettings(format!("{} is empty", path.display()))),
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(e) => Err(BadSettings(format!("{} cannot be read: {e}", path.display()))),
    }
}

/// Seconds a message may take: less than the lease of the job that sends it.
pub(crate) fn patience(seconds: u64) -> Result<std::time::Duration, BadSettings> {
    if (1..=45).contains(&seconds) {
        return Ok(std::time::Duration::from_secs(seconds));
    }
    Err(BadSettings(format!("seconds = {seconds}: a message may take 1 to 45 seconds")))
}
