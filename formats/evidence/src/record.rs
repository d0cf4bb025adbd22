//! What is recorded about an exchange. How it is written down is in `leaf`.

use tlog::Hash;

use crate::commitment::Commitments;

/// The three kinds of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Durable before the first byte of a call that changes something goes to the provider.
    Opened,
    /// Durable before the last bytes of the answer go to the consumer.
    Closed,
    /// The first entry of a log.
    Origin,
}

impl Kind {
    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Opened => "opened",
            Kind::Closed => "closed",
            Kind::Origin => "origin",
        }
    }
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A call begins.
    Opened(Opened),
    /// A call has ended.
    Closed(Closed),
    /// A log begins.
    Origin(Origin),
}

impl Record {
    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Record::Opened(_) => Kind::Opened,
            Record::Closed(_) => Kind::Closed,
            Record::Origin(_) => Kind::Origin,
        }
    }

    /// Who called what; `None` for the beginning of a log.
    pub fn call(&self) -> Option<&Call> {
        match self {
            Record::Opened(opened) => Some(&opened.call),
            Record::Closed(closed) => Some(&closed.call),
            Record::Origin(_) => None,
        }
    }

    /// The commitments; `None` for the beginning of a log.
    pub fn commitments(&self) -> Option<&Commitments> {
        match self {
            Record::Opened(opened) => Some(&opened.commitments),
            Record::Closed(closed) => Some(&closed.commitments),
            Record::Origin(_) => None,
        }
    }
}

/// Who called what, under which right. The same in the opened and the closed record of a call.
/// Times are microseconds since 1970 UTC by the node's own clock, here and below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The gateway's number of the call (`x-road-request-id`).
    pub request_id: String,
    /// The consumer's number of the message (`X-Road-Id`).
    pub message_id: String,
    /// The calling subsystem, in the form `instance/class/member/subsystem`.
    pub client: String,
    /// The called service, in the form `instance/class/member/subsystem/service`.
    pub service: String,
    /// The agreement that decided; `None` when none applied.
    pub agreement: Option<Agreement>,
    /// Serial number of the configuration snapshot by which the call was decided.
    pub snapshot: u64,
    /// How the consumer proved who it is.
    pub consumer_auth: String,
    /// HTTP method.
    pub method: String,
    /// The agreed path pattern, never the path itself; `None` when no endpoint matched.
    pub endpoint: Option<String>,
    /// When the head of the request had arrived.
    pub request_in: i64,
    /// Where the call went, when not to the provider's production.
    pub environment: Option<Environment>,
}

/// A place for trying out, apart from production.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Environment {
    /// Invented data, before anything is connected.
    Sandbox,
    /// The connection is being tested.
    Test,
}

impl Environment {
    const ALL: [Environment; 2] = [Environment::Sandbox, Environment::Test];

    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Environment::Sandbox => "sandbox",
            Environment::Test => "test",
        }
    }

    /// The environment of this name.
    pub fn from_name(name: &str) -> Option<Environment> {
        Environment::ALL.into_iter().find(|environment| environment.name() == name)
    }
}

/// The agreement under which a call is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Its number.
    pub id: String,
    /// Its version.
    pub version: u64,
}

/// A call begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Who calls what.
    pub call: Call,
    /// When the record was made.
    pub recorded: i64,
    /// Commitments to what is personal.
    pub commitments: Commitments,
}

/// A call has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Who called what.
    pub call: Call,
    /// When the record was made.
    pub recorded: i64,
    /// When the first byte went to the provider; `None` when nothing went there.
    pub request_out: Option<i64>,
    /// When the head of the provider's answer had arrived; `None` when none arrived.
    pub response_in: Option<i64>,
    /// What the consumer sent.
    pub request: Request,
    /// What the consumer was answered, by the provider or by the gateway; `None` when it got no answer.
    pub response: Option<Response>,
    /// How it ended.
    pub outcome: Outcome,
    /// The fault told to the consumer.
    pub fault: Option<String>,
    /// The filter the provider's answer went through; `None` when it passed as it came, or none came.
    pub filter: Option<Filter>,
    /// Leaf hash of the opened record of this call, if there is one.
    pub opened: Option<Hash>,
    /// Commitments to what is personal and to the digests.
    pub commitments: Commitments,
}

/// Only the agreed fields of an answer left; size and digest of the answer are those of what left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter {
    /// SHA-256 of the agreed fields: in ascending byte order, each followed by a line feed.
    pub fields: Hash,
    /// How many fields were taken out, those within one not counted.
    pub removed: u64,
}

/// Size of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Whether there was a body and whether all of it arrived.
    pub body: Body,
    /// Bytes of the body that arrived.
    pub size: u64,
}

/// The body of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// The request has none.
    None,
    /// All of it arrived.
    Complete,
    /// It broke off, or the call ended before all of it had been read.
    Partial,
}

/// Status and size of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status, 100 to 999.
    pub status: u16,
    /// Bytes of the body, those held back until the record is durable included.
    pub size: u64,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The provider's complete answer went to the consumer, or is about to.
    Answered,
    /// The gateway refused; the provider received nothing.
    Refused,
    /// The provider could not be reached, or gave nothing that is an answer.
    UpstreamFailed,
    /// The provider's answer broke off or was not as long as announced.
    UpstreamIncomplete,
    /// The consumer went away before it had the answer.
    ConsumerGone,
    /// The consumer's request broke off.
    RequestIncomplete,
    /// The gateway ended it midway by a rule: size, time, revocation.
    Stopped,
    /// The gateway itself failed.
    GatewayFailed,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Outcome; 8] = [
        Outcome::Answered,
        Outcome::Refused,
        Outcome::UpstreamFailed,
        Outcome::UpstreamIncomplete,
        Outcome::ConsumerGone,
        Outcome::RequestIncomplete,
        Outcome::Stopped,
        Outcome::GatewayFailed,
    ];

    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Answered => "answered",
            Outcome::Refused => "refused",
            Outcome::UpstreamFailed => "upstream_failed",
            Outcome::UpstreamIncomplete => "upstream_incomplete",
            Outcome::ConsumerGone => "consumer_gone",
            Outcome::RequestIncomplete => "request_incomplete",
            Outcome::Stopped => "stopped",
            Outcome::GatewayFailed => "gateway_failed",
        }
    }

    /// The outcome of this name.
    pub fn from_name(name: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

impl Body {
    const ALL: [Body; 3] = [Body::None, Body::Complete, Body::Partial];

    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Body::None => "none",
            Body::Complete => "complete",
            Body::Partial => "partial",
        }
    }

    /// The body of this name.
    pub fn from_name(name: &str) -> Option<Body> {
        Body::ALL.into_iter().find(|body| body.name() == name)
    }
}

/// A log begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Name of the log that begins.
    pub origin: String,
    /// Why it begins.
    pub reason: Reason,
    /// When the record was made.
    pub recorded: i64,
    /// The last known state of the log that it continues.
    pub previous: Option<Previous>,
}

/// Why a log begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The node is new.
    First,
    /// The node was restored from a backup.
    Restored,
    /// The log on disk was shorter than its published checkpoint.
    Shorter,
    /// The log on disk did not agree with its published checkpoint.
    Inconsistent,
    /// The log on disk, its checkpoint or its key could not be read.
    Unreadable,
}

impl Reason {
    const ALL: [Reason; 5] =
        [Reason::First, Reason::Restored, Reason::Shorter, Reason::Inconsistent, Reason::Unreadable];

    /// The name in records.
    pub fn name(self) -> &'static str {
        match self {
            Reason::First => "first",
            Reason::Restored => "restored",
            Reason::Shorter => "shorter",
            Reason::Inconsistent => "inconsistent",
            Reason::Unreadable => "unreadable",
        }
    }

    /// The reason of this name.
    pub fn from_name(name: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// The last known state of an earlier log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    /// Its checkpoint, a signed note.
    pub checkpoint: String,
    /// Its public key, in the text form of a signed note.
    pub log: String,
}
