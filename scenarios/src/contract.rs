//! `DIR/demo.json`, by which scripts drive a demonstration. Only what is promised there is read.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// The contract of a running demonstration.
#[derive(Debug, Clone, Deserialize)]
pub struct Contract {
    /// Where console and front doors are, without a trailing slash.
    pub base_url: String,
    /// A call that works.
    pub example_call: ExampleCall,
    /// How to log in, by role.
    pub logins: serde_json::Value,
    /// Path to read and move the demonstration's clock.
    pub clock_path: String,
    /// Path of the messages that have arrived in the demonstration's mailbox.
    #[serde(default)]
    pub mailbox_path: Option<String>,
}

/// A call that works, and how to get its evidence.
#[derive(Debug, Clone, Deserialize)]
pub struct ExampleCall {
    /// What to GET.
    pub url: String,
    /// The headers to send, besides the token.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Where the token comes from (OAuth 2.0 client credentials).
    pub token_url: String,
    /// The caller's client id.
    pub client_id: String,
    /// The caller's secret.
    pub client_secret: String,
    /// Path or URL of the evidence bundle; contains `{request_id}`.
    pub evidence_path: String,
}

impl Contract {
    /// Reads `demo.json` of the data directory.
    ///
    /// # Errors
    /// When it is absent or promises less than it should.
    pub fn read(data: &Path) -> Result<Self> {
        let path = data.join("demo.json");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("{} is not there", path.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} is not the promised contract", path.display()))
    }

    /// The URL of the evidence bundle of one call.
    pub fn evidence_url(&self, request_id: &str) -> String {
        self.absolute(&self.example_call.evidence_path.replace("{request_id}", request_id))
    }

    /// A path of the demonstration as a URL; URLs stay as they are.
    pub fn absolute(&self, path_or_url: &str) -> String {
        if path_or_url.starts_with("http://") || path_or_url.starts_with("https://") {
            path_or_url.to_owned()
        } else {
            format!("{}/{}", self.base_url.trim_end_matches('/'), path_or_url.trim_start_matches('/'))
        }
    }
}
