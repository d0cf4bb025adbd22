//! The data plane of one process: evidence and gateway, connected to the token issuer, the documents and the metrics
//! of this platform. What each of them does is in `evidence` and `gateway`.

use std::sync::Arc;

use base::clock::Timestamp;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use kernel::config::Config;
use kernel::entrance::PeerCertificate;
use kernel::tokens::{TokenError, TokenIssuer};
use kernel::{Error, Kernel, Result};
use serde::Deserialize;
use tlog::Hash;
use tokio_rustls::TlsConnector;

use crate::evidence::{Evidence, Recorder};
use crate::gateway::ports::{
    Authenticator, BadCredential, ClosedCall, Documents, EvidenceFailed, Expected, Monitor, OpenedCall,
    Parts, Principal,
};
use crate::gateway::{self, Gateway, Policy, ports};
use crate::health::{self, Health};
use crate::listen::Keeper;
use crate::{diagnose, proof, store, watch};

/// Evidence and gateway of this process.
pub struct Plane {
    /// The evidence.
    pub evidence: Arc<Evidence>,
    /// The gateway.
    pub gateway: Gateway,
    /// How services do on this node.
    pub health: Arc<Health>,
}

/// The outer section, as far as it concerns the gateway.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Outer {
    gateway: Policy,
}

/// Where people read, as far as answers name it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Site {
    public_url: String,
}

/// Reads `[exchange.gateway]`.
///
/// # Errors
/// When a value is wrong; the message names it.
pub fn policy(config: &Config) -> Result<Policy> {
    let outer: Outer = config.section("exchange").map_err(Error::internal)?;
    outer.gateway.check().map_err(Error::internal)?;
    let site: Site = config.section("web").map_err(Error::internal)?;
    let site = site.public_url.trim_end_matches('/').to_owned();
    Ok(Policy { site, ..outer.gateway })
}

impl Plane {
    /// Opens the evidence and builds the gateway before it; starts sealing and indexing.
    pub async fn open(
        k: &Kernel,
        platform: &str,
        issuer: &TokenIssuer,
        keeper: &Keeper,
        examining: diagnose::Parts,
    ) -> Result<Self> {
        let evidence = Arc::new(Evidence::open(k, platform).await?);
        evidence.run(k);
        let health = Arc::new(Health::new(k.clock.now()));
        let policy = policy(&k.config)?;
        let calls = Arc::new(watch::Calls::default());
        let tls = TlsConnector::from(Arc::new(gateway::tls_config(policy.provider_ca_file.as_deref())?));
        let watched = watch::Parts {
            settings: keeper.settings().watch.clone(),
            snapshot: keeper.current(),
            health: Arc::clone(&health),
            calls: Arc::clone(&calls),
            tls,
            examining: Some(examining),
        };
        tokio::spawn(watch::run(k.clone(), watched));
        let gateway = Gateway::new(Parts {
            policy,
            snapshot: keeper.current(),
            meters: keeper.meters(),
            authenticator: Arc::new(ByToken(issuer.clone())),
            evidence: Arc::new(Records(evidence.recorder().clone())),
            documents: Arc::new(Stored(k.clone())),
            monitor: Arc::new(Monitoring { health: Arc::clone(&health), calls }),
            clock: k.clock.clone(),
            random: k.random.clone(),
        })?;
        Ok(Self { evidence, gateway, health })
    }
}

/// The scope a token must carry for calls through the exchange.
pub const SCOPE: &str = "exchange";

/// The client of try-out calls, and how records name their authentication. No client can have this name: it holds a
/// character that names on the wire never do.
pub const TRY_OUT: &str = "@try-out";

/// Consumers prove themselves with access tokens of the platform's own issuer.
pub struct ByToken(pub TokenIssuer);

impl Authenticator for ByToken {
    fn authenticate(
        &self,
        bearer: &str,
        shown: Option<&PeerCertificate>,
        now: Timestamp,
    ) -> Result<Principal, BadCredential> {
        match self.0.verify(bearer, now) {
            Ok(claims) => claims.confirmed(shown).map_err(|e| BadCredential(e.code())).map(|()| Principal {
                subsystem: claims.subsystem.clone(),
                method: match &claims.cnf {
                    Some(_) => proof::BOUND,
                    None if claims.client_id == TRY_OUT => TRY_OUT,
                    None => proof::TOKEN,
                },
                bound: claims.cnf.is_some(),
                may_call: claims.has_scope(SCOPE),
            }),
            Err(TokenError::Expired) => Err(BadCredential("expired")),
            Err(TokenError::Revoked) => Err(BadCredential("revoked")),
            Err(_) => Err(BadCredential("invalid")),
        }
    }
}

/// Records of the gateway as records of the log.
struct Records(Recorder);

impl ports::Evidence for Records {
    fn expect(&self) -> Expected {
        Box::new(self.0.expect())
    }

    fn opened(&self, call: OpenedCall) -> BoxFuture<'static, Result<Hash, EvidenceFailed>> {
        // Time of the record and commitments are filled in by the recorder.
        let opened = evidence::Opened { call: call.call, recorded: 0, commitments: Default::default() };
        let recording = self.0.opened(opened, call.private);
        Box::pin(async move { recording.await.map(|r| r.leaf).map_err(failed) })
    }

    fn closed(
        &self,
        call: ClosedCall,
        expected: Option<Expected>,
    ) -> BoxFuture<'static, Result<(), EvidenceFailed>> {
        let closed = evidence::Closed {
            call: call.call,
            recorded: 0,
            request_out: call.request_out,
            response_in: call.response_in,
            request: call.request,
            response: call.response,
            outcome: call.outcome,
            fault: call.fault,
            filter: call.filter,
            opened: call.opened,
            commitments: Default::default(),
        };
        let expected = expected.and_then(|e| e.downcast().ok()).map(|e| *e);
        let recording = self.0.closed(closed, call.private, expected);
        Box::pin(async move { recording.await.map(|_| ()).map_err(failed) })
    }
}

/// The whole chain of causes: the operator needs to know which disk said no.
fn failed(e: crate::evidence::RecordError) -> EvidenceFailed {
    EvidenceFailed(Error::internal(e).chain())
}

/// OpenAPI documents as the registry stores them, by their digest.
struct Stored(Kernel);

impl Documents for Stored {
    fn document(&self, reference: &str) -> BoxFuture<'static, Result<Option<Bytes>, Error>> {
        let (k, reference) = (self.0.clone(), reference.to_owned());
        Box::pin(async move { Ok(store::document(&k, &reference).await?.map(Bytes::from)) })
    }
}

/// Operational monitoring: the record of each call is kept with its evidence (`exchange_call`); here calls are only
/// counted, for the metrics, the health of services and the watch over their providers.
struct Monitoring {
    health: Arc<Health>,
    calls: Arc<watch::Calls>,
}

impl Monitor for Monitoring {
    fn record(&self, record: xroad::opmon::Record) {
        let succeeded = if record.succeeded { "true" } else { "false" };
        metrics::counter!("lienthong_exchange_calls_total", "succeeded" => succeeded).increment(1);
        self.health.take(&record);
        self.calls.take(&record, || health::path(&record));
    }

    fn unrecorded(&self) {
        metrics::counter!("lienthong_gateway_unrecorded_refusals_total").increment(1);
        self.health.unrecorded();
    }
}
