//! The section `[exchange.evidence]` of the configuration.

use std::time::Duration;

use kernel::Result;
use kernel::config::Config;
use kernel::error::Error;
use serde::Deserialize;

/// The fewest days for which calls may be kept as rows.
const MIN_CALL_DAYS: u32 = 7;
/// The fewest days for which figures may be kept by the hour.
const MIN_HOUR_DAYS: u32 = 3;

/// The section.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Days for which personal values (path, query, user, …) are kept beside the log.
    pub personal_days: u32,
    /// Days for which the digests of requests and answers are kept beside the log.
    pub digest_days: u32,
    /// Days for which calls are kept as rows that pages list and evidence is issued from. Afterwards they are in the
    /// sealed log and in the figures by day.
    pub call_days: u32,
    /// Days for which figures are kept by the hour; by day and month they are kept for good.
    pub hour_days: u32,
    /// The longest a record waits for neighbours before it is flushed, microseconds, at most 5,000.
    pub max_delay_us: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { personal_days: 730, digest_days: 3650, call_days: 36_500, hour_days: 62, max_delay_us: 1000 }
    }
}

/// The outer section, as far as it concerns evidence.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Outer {
    evidence: Settings,
}

impl Settings {
    /// Reads the section.
    ///
    /// # Errors
    /// When it is malformed or a value is out of its bounds.
    pub fn read(config: &Config) -> Result<Self> {
        let settings = config.section::<Outer>("exchange").map_err(Error::internal)?.evidence;
        let days = 1..=36_500;
        if !days.contains(&settings.personal_days) || !days.contains(&settings.digest_days) {
            return Err(Error::internal("[exchange.evidence]: days lie between 1 and 36500"));
        }
        let (shortest, hours) = (MIN_CALL_DAYS..=36_500, MIN_HOUR_DAYS..=3_660);
        if !shortest.contains(&settings.call_days) || !hours.contains(&settings.hour_days) {
            return Err(Error::internal(
                "[exchange.evidence]: call_days lies between 7 and 36500, hour_days between 3 and 3660",
            ));
        }
        if settings.max_delay_us > 5000 {
            return Err(Error::internal("[exchange.evidence]: max_delay_us is at most 5000"));
        }
        Ok(settings)
    }

    /// How long personal values are kept.
    pub(super) fn personal(&self) -> Duration {
        Duration::from_secs(u64::from(self.personal_days) * 86_400)
    }

    /// How long digests are kept.
    pub(super) fn digests(&self) -> Duration {
        Duration::from_secs(u64::from(self.digest_days) * 86_400)
    }
}
