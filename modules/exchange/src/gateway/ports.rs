//! What the gateway needs from others, as small traits: who a caller is, where records go, where documents are kept.
//! Tests bring their own; `glue` connects the real ones.

use std::any::Any;
use std::sync::Arc;

use base::clock::{Clock, Timestamp};
use base::random::Random;
use bytes::Bytes;
use evidence::{Call, Field, Outcome, Request, Response};
use futures_util::future::BoxFuture;
use kernel::entrance::PeerCertificate;
use tlog::Hash;

use crate::quota::Meters;
use crate::snapshot::Current;

/// A caller that has proven who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The subsystem it acts for: `instance/class/member/subsystem`, decoded.
    pub subsystem: String,
    /// How it proved it, for the record: see `proof`.
    pub method: &'static str,
    /// Whether its credential is worth nothing without the certificate the connection showed.
    pub bound: bool,
    /// Whether its credential is meant for calls through the exchange.
    pub may_call: bool,
}

/// Why a credential is not accepted: a stable word for logs and counters. The caller is told only that it is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadCredential(pub &'static str);

/// Tells who a caller is. Must not wait: a credential seen before costs a digest and a look-up.
pub trait Authenticator: Send + Sync + 'static {
    /// Judges a bearer token at this moment, on a connection that showed this certificate; revoked ones are refused within a second of their revocation.
    ///
    /// # Errors
    /// Why it is not accepted.
    fn authenticate(
        &self,
        bearer: &str,
        shown: Option<&PeerCertificate>,
        now: Timestamp,
    ) -> Result<Principal, BadCredential>;
}

/// A record could not be made durable. Whatever depends on it must not happen.
#[derive(Debug, thiserror::Error)]
#[error("evidence could not be recorded: {0}")]
pub struct EvidenceFailed(pub String);

/// A call that changes something is about to go to its provider.
#[derive(Debug, Clone)]
pub struct OpenedCall {
    /// Who calls what.
    pub call: Call,
    /// Personal values and digests; they enter the record only as commitments.
    pub private: Vec<(Field, String)>,
}

/// A call has ended, or was refused.
#[derive(Debug, Clone)]
pub struct ClosedCall {
    /// Who called what.
    pub call: Call,
    /// Personal values and digests; they enter the record only as commitments.
    pub private: Vec<(Field, String)>,
    /// When the first byte went to the provider, microseconds since 1970.
    pub request_out: Option<i64>,
    /// When the head of the provider's answer had arrived, microseconds since 1970.
    pub response_in: Option<i64>,
    /// What the consumer sent.
    pub request: Request,
    /// What it was answered.
    pub response: Option<Response>,
    /// How it ended.
    pub outcome: Outcome,
    /// The type of the error told to the consumer, a slash, and the rule that spoke.
    pub fault: Option<String>,
    /// The filter the provider's answer went through.
    pub filter: Option<evidence::Filter>,
    /// Leaf hash of the opened record.
    pub opened: Option<Hash>,
}

/// A sign that a record will follow soon; dropped when it does not.
pub type Expected = Box<dyn Any + Send + Sync>;

/// Keeps the records.
pub trait Evidence: Send + Sync + 'static {
    /// Announces a record, so that others wait for it a little and share its flush.
    fn expect(&self) -> Expected;

    /// Resolves when the record is durable, to its leaf hash. Dropping the future may withdraw the record.
    fn opened(&self, call: OpenedCall) -> BoxFuture<'static, Result<Hash, EvidenceFailed>>;

    /// Resolves when the record is durable. Dropping the future may withdraw the record.
    fn closed(
        &self,
        call: ClosedCall,
        expected: Option<Expected>,
    ) -> BoxFuture<'static, Result<(), EvidenceFailed>>;
}

/// Keeps the OpenAPI documents of services.
pub trait Documents: Send + Sync + 'static {
    /// The document with this reference; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read at present.
    fn document(&self, reference: &str) -> BoxFuture<'static, Result<Option<Bytes>, base::error::Error>>;
}

/// Takes operational-monitoring records. Must not wait; may leave records out under pressure, counting them.
pub trait Monitor: Send + Sync + 'static {
    /// Takes one record.
    fn record(&self, record: xroad::opmon::Record);

    /// A refusal leaves no record: who called what could not be read, or strangers call too often.
    fn unrecorded(&self);
}

/// Everything the gateway is built from.
pub struct Parts {
    /// What the gateway permits.
    pub policy: super::Policy,
    /// The configuration in force.
    pub snapshot: Current,
    /// Counters of the agreements' quotas.
    pub meters: Arc<Meters>,
    /// Tells who a caller is.
    pub authenticator: Arc<dyn Authenticator>,
    /// Keeps the records.
    pub evidence: Arc<dyn Evidence>,
    /// Keeps the documents.
    pub documents: Arc<dyn Documents>,
    /// Takes monitoring records.
    pub monitor: Arc<dyn Monitor>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The random source.
    pub random: Arc<dyn Random>,
}
