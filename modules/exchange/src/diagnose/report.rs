//! What an examination saw, step by step: kept as JSON, shown by `words`. Holds no content of an answer.

use base::clock::Timestamp;
use kernel::certificate::Described;
use serde::{Deserialize, Serialize};

use super::Fault;

/// A part of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The host's name becomes addresses.
    Name,
    /// A TCP connection.
    Connection,
    /// The TLS handshake and the certificate.
    Tls,
    /// A request and its answer.
    Http,
    /// The provider's clock and ours.
    Clock,
}

impl Stage {
    /// In the order in which they are taken.
    pub const ALL: [Self; 5] = [Self::Name, Self::Connection, Self::Tls, Self::Http, Self::Clock];
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// As it should.
    Good,
    /// Calls pass, but something should be done.
    Warning,
    /// Calls do not pass.
    Bad,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which.
    pub stage: Stage,
    /// How it ended.
    pub state: StepState,
    /// Microseconds it took.
    pub took: i64,
    /// What was seen.
    pub found: Found,
}

/// What a name server said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameAnswer {
    /// These addresses.
    Addresses(Vec<String>),
    /// There is no such name (NXDOMAIN), or it has no address.
    NoSuchName,
    /// It could not say: the response code (RFC 1035 4.1.1).
    Failed(u8),
    /// Nothing, in time.
    Silent,
}

/// A name server and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Its address and port.
    pub server: String,
    /// What it said.
    pub answer: NameAnswer,
    /// Microseconds it took.
    pub took: i64,
}

/// An address that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// Address and port.
    pub address: String,
    /// What the operating system said; absent when connected.
    pub error: Option<String>,
}

/// What a step saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Found {
    /// Name resolution.
    Name {
        /// The name; an address needs no resolution.
        host: String,
        /// What this machine made of it.
        addresses: Vec<String>,
        /// What its name servers say.
        servers: Vec<Asked>,
    },
    /// Connection.
    Connection {
        /// The addresses tried, the connected one last.
        tried: Vec<Tried>,
    },
    /// Handshake.
    Tls {
        /// For example `TLSv1_3`.
        version: Option<String>,
        /// The cipher suite.
        suite: Option<String>,
        /// The certificates the provider sent, its own first.
        chain: Vec<Described>,
        /// Whether they may be trusted for this host, now.
        trusted: bool,
        /// What the TLS library said.
        error: Option<String>,
    },
    /// Request and answer.
    Http {
        /// Method and path asked for.
        asked: String,
        /// The status.
        status: Option<u16>,
        /// Microseconds to the first byte.
        first_byte: Option<i64>,
        /// How the end of the answer is told: `content-length`, `chunked`, `close`, `none`.
        framing: Option<String>,
    },
    /// Clocks.
    Clock {
        /// Seconds by which the provider is ahead; absent when it tells no time.
        ahead: Option<i64>,
        /// Other providers asked, and by how many seconds each is ahead.
        others: Vec<(String, i64)>,
    },
}

/// One examination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The base address.
    pub address: String,
    /// When it began, by the platform's clock.
    pub at: Timestamp,
    /// The steps taken so far.
    pub steps: Vec<Step>,
    /// What is wrong; absent when nothing is.
    pub fault: Option<Fault>,
}

impl Report {
    /// Nothing yet.
    pub fn new(address: String, at: Timestamp) -> Self {
        Self { address, at, steps: Vec::new(), fault: None }
    }

    /// The step of a stage, if it was taken.
    pub fn step(&self, stage: Stage) -> Option<&Step> {
        self.steps.iter().find(|s| s.stage == stage)
    }

    /// Microseconds all steps took.
    pub fn took(&self) -> i64 {
        self.steps.iter().map(|s| s.took).sum()
    }
}
