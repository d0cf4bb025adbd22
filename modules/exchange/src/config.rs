//! The section `[exchange]` of the configuration. Limits of the data plane are in `[exchange.gateway]`, those
//! of the evidence in `[exchange.evidence]`, each read by its own part.

use std::time::Duration;

use base::i18n::Text;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::connection::deadline;
use crate::proposal::fetch;
use crate::{announcement, code, diagnose, national, t, watch};

/// The section.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The X-Road instance of a new exchange; afterwards the registry says it.
    pub instance: String,
    /// Hours for which the gateway goes on serving when the database cannot be reached.
    pub snapshot_hours: u64,
    /// How providers are watched.
    pub watch: watch::Settings,
    /// How connections are examined.
    pub diagnose: diagnose::Settings,
    /// How long the steps of a connection may take.
    pub connection: deadline::Settings,
    /// What providers announce.
    pub announcement: announcement::Settings,
    /// Where descriptions of services may be fetched.
    pub description: fetch::Settings,
    /// National systems and the services that lead there.
    pub national: national::Settings,
    #[serde(rename = "gateway")]
    _gateway: IgnoredAny,
    #[serde(rename = "evidence")]
    _evidence: IgnoredAny,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            instance: "VN".into(),
            snapshot_hours: 24,
            watch: watch::Settings::default(),
            diagnose: diagnose::Settings::default(),
            connection: deadline::Settings::default(),
            announcement: announcement::Settings::default(),
            description: fetch::Settings::default(),
            national: national::Settings::default(),
            _gateway: IgnoredAny,
            _evidence: IgnoredAny,
        }
    }
}

impl Settings {
    /// How long a snapshot serves without being renewed.
    pub fn snapshot_lifetime(&self) -> Duration {
        Duration::from_secs(self.snapshot_hours.saturating_mul(3600))
    }

    /// Checks the values.
    ///
    /// # Errors
    /// The sentence that says what is wrong.
    pub fn check(&self) -> Result<(), Text> {
        code::check(&self.instance)?;
        if !(1..=168).contains(&self.snapshot_hours) {
            return Err(Text::both(t::config_snapshot_hours));
        }
        self.diagnose.check()?;
        self.national.systems()?;
        self.connection.check()?;
        self.announcement.check()?;
        self.watch.check()
    }
}
