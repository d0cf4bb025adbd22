//! Runs the real way of a call to one provider step by step - name, connection, TLS, HTTP, clock - and says in one
//! sentence which side is wrong and what to do. Connects to addresses of the registry only, follows no redirect, keeps
//! nothing of an answer's content. Who may ask, and the page, are elsewhere; `watch` only looks whether a provider is up.

mod clock;
mod examine;
mod fault;
mod http;
mod names;
mod report;
mod runs;
mod secure;
mod words;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base::clock::Clock;
use base::i18n::Text;
use base::random::Random;
use rustls::RootCertStore;
use serde::Deserialize;

pub use clock::{Judged, judge};
pub use examine::{Progress, Target, examine, health_path};
pub use fault::{Fault, Side};
pub use names::configured as name_servers;
pub use report::{Asked, Found, NameAnswer, Report, Stage, Step, StepState, Tried};
pub use runs::{Run, Runs, start};
pub(crate) use runs::{concerned, keep};

use crate::t;

/// `[exchange.diagnose]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Milliseconds to the first byte of an answer from which on a provider is called slow.
    pub slow_ms: u64,
    /// Seconds by which a clock may be off.
    pub clock_seconds: u32,
    /// Runs kept of each service.
    pub keep: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { slow_ms: 3_000, clock_seconds: 30, keep: 20 }
    }
}

impl Settings {
    /// Checks the values.
    ///
    /// # Errors
    /// The sentence that says what is wrong.
    pub fn check(&self) -> Result<(), Text> {
        let sound = (10..=600_000).contains(&self.slow_ms)
            && (2..=3_600).contains(&self.clock_seconds)
            && (2..=1_000).contains(&self.keep);
        if sound { Ok(()) } else { Err(Text::both(t::config_diagnose)) }
    }
}

/// What an examination needs of this machine.
#[derive(Clone)]
pub struct Parts {
    /// `[exchange.diagnose]`
    pub settings: Settings,
    /// Authorities trusted for providers, as the gateway has them.
    pub roots: Arc<RootCertStore>,
    /// Name servers of this machine, asked when its own look-up fails.
    pub name_servers: Vec<SocketAddr>,
    /// This machine's clock; not the platform's, which a demonstration moves on purpose.
    pub clock: Arc<dyn Clock>,
    /// For the numbers of name queries.
    pub random: Arc<dyn Random>,
    /// Time to connect, as the gateway has it.
    pub connect: Duration,
}

/// Where the name servers of this machine are written.
pub const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The name servers of this machine; none when the file cannot be read.
pub fn machine_name_servers() -> Vec<SocketAddr> {
    let text = std::fs::read_to_string(Path::new(RESOLV_CONF)).unwrap_or_default();
    name_servers(&text)
}
