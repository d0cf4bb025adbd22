//! The section `[notices]`: how long to wait for somebody, and when messages are put together.

use std::time::Duration;

use base::i18n::Text;
use serde::Deserialize;

use crate::t;

/// `[notices]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Minutes after which the next person is told when nobody takes an alert on; 1 to 240.
    pub acknowledge_minutes: u64,
    /// Minutes after its end within which the same fault is taken as coming and going; 1 to 240.
    pub regroup_minutes: u64,
    /// Alerts told one by one within a minute; what comes beyond is put together in one message; 1 to 100.
    pub storm: u32,
    /// Code of the role whose people are on the rota and are all told in the end.
    pub role: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { acknowledge_minutes: 10, regroup_minutes: 15, storm: 5, role: "operator".to_owned() }
    }
}

impl Settings {
    /// Checks the values.
    ///
    /// # Errors
    /// The sentence that says what is wrong.
    pub fn check(&self) -> Result<(), Text> {
        let minutes = 1..=240;
        let well = minutes.contains(&self.acknowledge_minutes)
            && minutes.contains(&self.regroup_minutes)
            && (1..=100).contains(&self.storm)
            && !self.role.trim().is_empty();
        if well { Ok(()) } else { Err(Text::both(t::config_notices)) }
    }

    pub(crate) fn acknowledge(&self) -> Duration {
        Duration::from_secs(self.acknowledge_minutes * 60)
    }

    pub(crate) fn regroup(&self) -> Duration {
        Duration::from_secs(self.regroup_minutes * 60)
    }
}
