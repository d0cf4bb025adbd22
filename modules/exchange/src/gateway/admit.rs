//! The checks a call passes before anything goes to its provider, in this order: version and form of the address,
//! identifiers, headers, authentication, the named client, the service, the path, the agreement, the quota.

use std::sync::Arc;

use base::clock::Timestamp;
use evidence::Agreement;
use fieldfilter::Fields;
use kernel::entrance::{ClientCertificate, Zone};
use xroad::header::RequestHeaders;
use xroad::id::ClientId;
use xroad::metadata::METASERVICES;
use xroad::request::{RestTarget, is_method};

use super::beside::ENVIRONMENT;
use super::case::Case;
use super::ports::{BadCredential, Principal};
use super::received::Received;
use super::refusal::Refusal;
use crate::deny::{DenyReason, ZoneRule};
use crate::environment::Environment;
use crate::plane::TRY_OUT;
use crate::proof;
use crate::service::BaseUrl;
use crate::snapshot::{AgreementEntry, ServiceEntry, Snapshot};

/// What a permitted call is made with.
pub(super) struct Plan {
    pub target: Target,
    /// The path below the service, normalised.
    pub path: String,
    pub timeout: std::time::Duration,
    /// The only fields of an answer that may leave; `None` when all may.
    pub fields: Option<Arc<Fields>>,
}

/// Where a permitted call goes. Only an agreement in production knows the way to the provider's production.
pub(super) enum Target {
    /// To this address.
    Address(BaseUrl),
    /// Nowhere: an invented answer is made from this description.
    Invented(Option<String>),
}

impl Target {
    fn of(environment: Environment, service: &ServiceEntry) -> Self {
        match (environment, &service.sandbox_url) {
            (Environment::Production, _) => Self::Address(service.base_url.clone()),
            (_, Some(sandbox)) => Self::Address(sandbox.clone()),
            (_, None) => Self::Invented(service.openapi.clone()),
        }
    }
}

/// A call that passed.
pub(super) enum Admitted {
    /// It goes to its provider.
    Forward(Plan),
    /// A metadata service answers it.
    Meta,
}

/// What was read of the request on the way.
pub(super) struct Asked<'r> {
    pub target: RestTarget<'r>,
    pub headers: RequestHeaders,
    /// `X-Road-Id`, sent or made.
    pub message_id: String,
    /// Names that end at this hop.
    pub nominated: Vec<String>,
}

/// Reads address and headers.
pub(super) fn read<'r>(
    case: &mut Case,
    received: &'r Received,
    instance: &str,
) -> Result<Asked<'r>, Refusal> {
    let target = RestTarget::parse(received.target()).map_err(|e| Refusal::target(&e))?;
    if !is_method(received.method()) {
        return Err(Refusal::method(received.method()));
    }
    let headers = RequestHeaders::read(received.headers()).map_err(|e| Refusal::header(&e))?;
    let message_id = match &headers.id {
        Some(id) => id.clone(),
        None => format!("{instance}-{}", base::ids::uuid_v4(&*case.gateway.random).hyphenated()),
    };
    case.identify(&target, &headers, received.method(), &message_id);
    let nominated = received.nominated().map_err(|name| Refusal::nominated(&name))?;
    if let ClientId::Member(_) = headers.client {
        return Err(Refusal::member_calls());
    }
    Ok(Asked { target, headers, message_id, nominated })
}

/// Finds out who calls.
pub(super) fn authenticate(
    case: &mut Case,
    received: &Received,
    now: Timestamp,
) -> Result<Principal, Refusal> {
    let token = received.bearer().ok_or_else(Refusal::no_token)?;
    let shown = case.arrival.certificate.as_ref();
    let principal = case.gateway.authenticator.authenticate(token, shown, now).map_err(|why| {
        tracing::info!(request_id = case.request_id, why = why.0, "a token was refused");
        Refusal::bad_token(why)
    })?;
    let required = case.arrival.entrance.client_certificate == ClientCertificate::Required;
    if required && !principal.bound && principal.method != TRY_OUT {
        return Err(Refusal::bad_token(BadCredential("unbound")));
    }
    Ok(principal)
}

/// A sound credential that was not issued for the exchange opens nothing here.
pub(super) fn meant_for_calls(principal: &Principal) -> Result<(), Refusal> {
    if principal.may_call { Ok(()) } else { Err(Refusal::token_scope()) }
}

/// Decides a call whose address and headers were read.
pub(super) fn admit(
    case: &mut Case,
    received: &Received,
    asked: &Asked<'_>,
    snapshot: &Snapshot,
) -> Result<Admitted, Refusal> {
    let now = case.gateway.clock.now();
    let client = asked.headers.client.path();
    let principal = authenticate(case, received, now)?;
    case.proven = true;
    let zone_of_call = case.arrival.entrance.zone;
    case.learn(|call| {
        call.consumer_auth = proof::recorded(principal.method, zone_of_call);
        call.snapshot = snapshot.serial();
    });
    if principal.subsystem != client {
        return Err(Refusal::mismatch());
    }
    meant_for_calls(&principal)?;
    let consumer = snapshot.consumer(client).ok_or_else(|| Refusal::unknown_member(client))?;
    if asked.headers.security_server.as_ref().is_some_and(|s| s.instance() != snapshot.instance()) {
        return Err(Refusal::unknown_server());
    }
    if received.method() == "GET" && METASERVICES.contains(&asked.target.service.code()) {
        return Ok(Admitted::Meta);
    }
    let service = find(snapshot, asked)?;
    case.service_kind = Some(service.kind.as_str());
    let path = xroad::path::normalise(asked.target.service_path).map_err(Refusal::path)?;
    case.beside.service(service.announced.as_ref(), &case.gateway.policy.site);
    let wanted = wanted(received)?;
    let endpoint = service.endpoints.iter().find(|e| e.route.covers(received.method(), &path));
    case.learn(|call| call.endpoint = endpoint.map(|e| e.route.path.as_str().to_owned()));
    let agreement = snapshot
        .decide(consumer, service, received.method(), &path, wanted, now)
        .map_err(|why| Refusal::denied(&why))?;
    case.learn(|call| {
        call.agreement = Some(Agreement { id: agreement.id.to_string(), version: agreement.version.into() });
        call.environment = agreement.environment.recorded();
    });
    case.beside.environment(agreement.environment);
    zone(case, service, agreement).map_err(|why| Refusal::denied(&why))?;
    case.gateway.meters.take(agreement.id, agreement.quota, now).map_err(|why| Refusal::denied(&why))?;
    Ok(Admitted::Forward(Plan {
        target: Target::of(agreement.environment, service),
        path: path.into_owned(),
        timeout: service.timeout(),
        fields: agreement.filter.fields().cloned(),
    }))
}

/// The environment the caller names.
fn wanted(received: &Received) -> Result<Option<Environment>, Refusal> {
    let mut values = received.headers().filter(|(name, _)| name.eq_ignore_ascii_case(ENVIRONMENT));
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some((_, value)), None) => {
            let word = std::str::from_utf8(value).unwrap_or_default().trim();
            word.parse().map(Some).map_err(|_| Refusal::environment(word))
        }
        (Some(_), Some(_)) => Err(Refusal::environment("")),
    }
}

/// Whether the call may come in where it did.
fn zone(case: &Case, service: &ServiceEntry, agreement: &AgreementEntry) -> Result<(), DenyReason> {
    let entrance = &case.arrival.entrance;
    let outside = entrance.zone != Zone::Dedicated;
    let by = match () {
        () if outside && service.dedicated_only => ZoneRule::Service,
        () if outside && agreement.dedicated_only => ZoneRule::Agreement,
        () if !entrance.takes_agreement(&agreement.number) => ZoneRule::Listener,
        () => return Ok(()),
    };
    Err(DenyReason::Zone { zone: entrance.zone, by })
}

fn find<'s>(snapshot: &'s Snapshot, asked: &Asked<'_>) -> Result<&'s ServiceEntry, Refusal> {
    let id = &asked.target.service;
    snapshot.service(id.path()).ok_or_else(|| {
        let provider = id.provider();
        match snapshot.consumer(provider.path()) {
            Some(_) => Refusal::unknown_service(id.path()),
            None => Refusal::unknown_member(provider.path()),
        }
    })
}
