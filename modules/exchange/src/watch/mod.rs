//! Watches over the providers: looks at every address of the registry every few seconds, takes in how real calls end,
//! raises an alert that names the side and whom it hurts, and clears it when the provider is back. Beside the path of
//! calls, never in it: a call leaves here at most a count.

mod calls;
mod cause;
mod probe;
mod run;
mod tally;
mod told;
mod verdicts;

use std::time::Duration;

use base::i18n::Text;
use serde::Deserialize;

pub use calls::Calls;
pub use cause::Cause;
pub use probe::{Lookups, Reached, look};
pub use run::{Parts, run};
pub(crate) use told::{DOWN, FAILING};

use crate::t;

/// `[exchange.watch]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Seconds between two looks at the same address; 0 looks at none. With more than some hundred addresses the pause
    /// grows, so that at most a hundred looks begin in a second.
    pub seconds: u64,
    /// Days before the end of a provider's certificate from which on its end is an alert.
    pub certificate_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seconds: 3, certificate_days: 30 }
    }
}

impl Settings {
    /// Checks the values.
    ///
    /// # Errors
    /// The sentence that says what is wrong.
    pub fn check(&self) -> Result<(), Text> {
        if self.seconds > 3600 || self.certificate_days > 365 {
            return Err(Text::both(t::config_watch));
        }
        Ok(())
    }

    /// The pause between two looks at one of `places` addresses.
    fn pause(&self, places: usize) -> Duration {
        const LOOKS_A_SECOND: u64 = 100;
        let all = u64::try_from(places).unwrap_or(u64::MAX).saturating_mul(1000) / LOOKS_A_SECOND;
        Duration::from_millis(self.seconds.saturating_mul(1000).max(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_addresses_are_looked_at_more_slowly() {
        let usual = Settings::default();
        assert_eq!(usual.pause(1), Duration::from_secs(3));
        assert_eq!(usual.pause(300), Duration::from_secs(3));
        assert_eq!(usual.pause(10_000), Duration::from_secs(100));
        assert!(Settings { seconds: 3601, ..usual }.check().is_err());
    }
}
