//! What the gateway permits and how long it waits: section `[exchange.gateway]` of the configuration, with defaults
//! and a check. Limits of one agreement are in `quota`, the time limit of one service in the registry.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use xroad::error::Style;

use super::connector;

/// The section. Sizes in bytes, times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Spelling of error types: `snake` (X-Road from 7.8.0) or `legacy`.
    pub error_style: Style,
    /// Whether `listClients` answers callers without a token.
    pub open_list_clients: bool,
    /// Longest request line.
    pub max_request_line: usize,
    /// Longest request head.
    pub max_head: usize,
    /// Most header lines of a request, and of an answer.
    pub max_headers: usize,
    /// Largest request body; absent means any size.
    pub max_request_body: Option<u64>,
    /// How much of a request body is still read, for its hash, after the provider has answered early.
    pub max_drain: u64,
    /// Most calls at the same time.
    pub max_calls: usize,
    /// Most connections at the same time.
    pub max_connections: usize,
    /// Time for a request head to arrive, and for a TLS handshake.
    pub head_timeout_ms: u64,
    /// How long an unused connection is kept.
    pub idle_timeout_ms: u64,
    /// How long a consumer may let the gateway wait for the next piece of its request, or take none of its answer.
    pub stall_timeout_ms: u64,
    /// Time to reach a provider.
    pub connect_timeout_ms: u64,
    /// How long a provider may pause within an answer.
    pub answer_idle_timeout_ms: u64,
    /// How long a connection to a provider is kept for the next call. Shorter than what providers keep, so that a
    /// call rarely meets a connection that is just being closed.
    pub pool_idle_timeout_ms: u64,
    /// Most idle connections kept for each provider address.
    pub pool_max_idle: usize,
    /// Certificates (PEM) of authorities trusted for providers, besides those of the machine.
    pub provider_ca_file: Option<PathBuf>,
    /// Most refusals of callers who have not proven who they are that are recorded as evidence each second; the rest
    /// are only counted, so that strangers cannot fill the disk.
    pub stranger_records_per_second: u32,
    /// Ways to national platforms.
    pub connector: Vec<connector::Settings>,
    /// Where people read, without a slash at its end: `[web] public_url`. Empty: at this address.
    #[serde(skip)]
    pub site: String,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            error_style: Style::Snake,
            open_list_clients: false,
            max_request_line: 16 * 1024,
            max_head: 32 * 1024,
            max_headers: 100,
            max_request_body: None,
            max_drain: 64 * 1024 * 1024,
            max_calls: 1_024,
            max_connections: 4_096,
            head_timeout_ms: 15_000,
            idle_timeout_ms: 75_000,
            stall_timeout_ms: 60_000,
            connect_timeout_ms: 5_000,
            answer_idle_timeout_ms: 60_000,
            pool_idle_timeout_ms: 4_000,
            pool_max_idle: 64,
            provider_ca_file: None,
            stranger_records_per_second: 20,
            connector: Vec::new(),
            site: String::new(),
        }
    }
}

/// Bodies up to this size are read whole before anything is decided on them, and written in one piece.
pub const SMALL: usize = 64 * 1024;
/// How much of the end of a longer answer is held back until its record is durable.
pub const HELD: u64 = 16 * 1024;

impl Policy {
    /// Checks the figures against each other.
    ///
    /// # Errors
    /// The name of the first figure that is out of its range, with the range.
    pub fn check(&self) -> Result<(), String> {
        let range = |name: &str, value: u64, min: u64, max: u64| {
            if (min..=max).contains(&value) {
                Ok(())
            } else {
                Err(format!("{name} = {value}: must be between {min} and {max}"))
            }
        };
        let size = |n: usize| n as u64;
        range("max_request_line", size(self.max_request_line), 1_024, 64 * 1024)?;
        range("max_head", size(self.max_head), size(self.max_request_line), 256 * 1024)?;
        range("max_headers", size(self.max_headers), 10, 1_000)?;
        range("max_calls", size(self.max_calls), 1, 100_000)?;
        range("max_connections", size(self.max_connections), 1, 100_000)?;
        range("pool_max_idle", size(self.pool_max_idle), 0, 10_000)?;
        for (name, ms) in [
            ("head_timeout_ms", self.head_timeout_ms),
            ("idle_timeout_ms", self.idle_timeout_ms),
            ("stall_timeout_ms", self.stall_timeout_ms),
            ("connect_timeout_ms", self.connect_timeout_ms),
            ("answer_idle_timeout_ms", self.answer_idle_timeout_ms),
            ("pool_idle_timeout_ms", self.pool_idle_timeout_ms),
        ] {
            range(name, ms, 10, 3_600_000)?;
        }
        connector::Settings::check_all(&self.connector)
    }

    /// The limits for the framing checker.
    pub fn limits(&self) -> http1::Limits {
        http1::Limits {
            request_line: self.max_request_line,
            head: self.max_head,
            headers: self.max_headers,
            ..http1::Limits::default()
        }
    }

    pub(crate) fn head_timeout(&self) -> Duration {
        Duration::from_millis(self.head_timeout_ms)
    }

    pub(crate) fn idle_timeout(&self) -> Duration {
        Duration::from_millis(self.idle_timeout_ms)
    }

    pub(crate) fn stall_timeout(&self) -> Duration {
        Duration::from_millis(self.stall_timeout_ms)
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(crate) fn answer_idle_timeout(&self) -> Duration {
        Duration::from_millis(self.answer_idle_timeout_ms)
    }

    pub(crate) fn pool_idle_timeout(&self) -> Duration {
        Duration::from_millis(self.pool_idle_timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_sound_and_nonsense_is_named() {
        assert_eq!(Policy::default().check(), Ok(()));
        let bad = Policy { max_head: 100, ..Policy::default() };
        assert!(bad.check().unwrap_err().starts_with("max_head = 100"));
        let bad = Policy { stall_timeout_ms: 0, ..Policy::default() };
        assert!(bad.check().unwrap_err().contains("stall_timeout_ms"));
    }

    #[test]
    fn the_section_reads_from_toml() {
        let policy: Policy = toml::from_str("error_style = \"legacy\"\nmax_request_body = 10").unwrap();
        assert_eq!((policy.error_style, policy.max_request_body), (Style::Legacy, Some(10)));
        assert!(toml::from_str::<Policy>("max_haed = 1").is_err());
    }
}
