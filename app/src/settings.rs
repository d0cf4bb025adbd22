//! The application's own sections of the configuration, and where everything is.

use std::path::{Path, PathBuf};

use kernel::config::{Config, ConfigError};
use kernel::entrance::{Listening, Server};
use serde::Deserialize;

use crate::cli::Place;

/// `[database]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://…`; without it a SQLite file in the data directory.
    pub url: Option<String>,
}

/// `[keys]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyFiles {
    /// File with the master key; without it `keys/master.key` in the data directory.
    pub master: Option<PathBuf>,
}

/// `[platform]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Platform {
    /// Name of this installation in the origins of its logs, for example `lienthong.thanhhoa.gov.vn`.
    pub name: String,
    /// Directory of everything the platform keeps.
    pub data: PathBuf,
}

impl Default for Platform {
    fn default() -> Self {
        Self { name: "lienthong".into(), data: PathBuf::from("/var/lib/lienthong") }
    }
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`.
    pub format: String,
    /// As in `RUST_LOG`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: "text".into(), filter: "info".into() }
    }
}

/// All of them.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The configuration as read, for the modules' sections.
    pub config: Config,
    /// `[server]`
    pub server: Server,
    /// `[database]`
    pub database: Database,
    /// `[keys]`
    pub keys: KeyFiles,
    /// `[platform]`
    pub platform: Platform,
    /// `[log]`
    pub log: Log,
    /// Whether this is the demonstration. Never read from a file.
    pub demo: bool,
}

/// Sections somebody reads; any other is misspelt.
const SECTIONS: &[&str] = &[
    "server",
    "database",
    "keys",
    "platform",
    "log",
    "web",
    "tokens",
    "identity",
    "exchange",
    "operations",
    "notices",
    "channels",
    "backup",
    "certificates",
    "offsite",
    "acme",
];

impl Settings {
    /// Reads the configuration of a place; `--data` wins over the file.
    pub fn load(place: &Place) -> Result<Self, ConfigError> {
        Self::load_with(place, &[])
    }

    /// As [`Settings::load`], with variables that win over those of the environment.
    pub fn load_with(place: &Place, variables: &[(&str, String)]) -> Result<Self, ConfigError> {
        let more = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let config = Config::load(place.config.as_deref(), std::env::vars().chain(more))?;
        let mut settings = Self::from_config(config)?;
        if let Some(data) = &place.data {
            settings.platform.data.clone_from(data);
        }
        Ok(settings)
    }

    /// Reads the sections.
    pub fn from_config(config: Config) -> Result<Self, ConfigError> {
        config.refuse_unknown(SECTIONS)?;
        Ok(Self {
            server: config.section("server")?,
            database: config.section("database")?,
            keys: config.section("keys")?,
            platform: config.section("platform")?,
            log: config.section("log")?,
            demo: false,
            config,
        })
    }

    /// The listeners.
    ///
    /// # Errors
    /// Every fault of the section `[server]`.
    pub fn listeners(&self) -> anyhow::Result<Vec<Listening>> {
        self.server.listeners().map_err(|faults| anyhow::anyhow!(faults.join("; ")))
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.platform.data
    }

    /// The database's address.
    pub fn database_url(&self) -> String {
        let default = || format!("sqlite:{}", self.data().join("lienthong.db").display());
        self.database.url.clone().unwrap_or_else(default)
    }

    /// The master key's file.
    pub fn master_key(&self) -> PathBuf {
        self.keys.master.clone().unwrap_or_else(|| self.data().join("keys/master.key"))
    }
}
