//! What people do about proposals, one transaction each: the provider hands in and takes back, the operator decides. An
//! approved proposal is a service of the registry at once.

use std::collections::BTreeMap;

use base::error::Refusal;
use base::i18n::{Lang, Text};
use kernel::alerts::Severity;
use kernel::blobs::{AccessClass, PutOptions};
use kernel::notices::{Notice, Recipient};
use kernel::orgs::UnitId;
use kernel::{Committed, Cx, Error, Kernel, Result, Scope, Tx, params};
use serde_json::json;

use super::store;
use super::{New, Proposal, State, document};
use crate::agreement::Reason;
use crate::ids::{EndpointId, ProposalId, ServiceId, SubsystemId};
use crate::key::{ServiceKey, SubsystemKey};
use crate::permissions::{DECIDE, OPERATE};
use crate::registry::{DocumentSpec, ServiceSpec};
use crate::service::{DEFAULT_TIMEOUT, ServiceKind, ServiceState};
use crate::store::{documents, registry};
use crate::viewer::Viewer;
use crate::{code, events, member, openapi, t};

fn over(agency: Option<UnitId>) -> Scope {
    agency.map_or_else(Scope::province, Scope::agency)
}

/// Whether the actor may hand in services of a system.
///
/// # Errors
/// `Denied` for who decides for no provider, `NotFound` for a system of somebody else.
pub async fn may_propose(k: &Kernel, cx: &Cx, system: SubsystemId) -> Result<()> {
    cx.may_somewhere(DECIDE)?;
    let sql = "SELECT m.agency_id FROM exchange_subsystem s JOIN exchange_member m ON m.id = s.member_id
               WHERE s.id = $1 AND s.retired_at IS NULL AND m.retired_at IS NULL";
    match k.db.query_opt(sql, params![system]).await? {
        Some(row) if cx.holds(DECIDE, &over(row.opt_id("agency_id")?)) => Ok(()),
        _ => Err(Error::NotFound { kind: SubsystemId::KIND }),
    }
}

/// Hands in a service; operators are told.
///
/// # Errors
/// As [`may_propose`]; `Invalid` for wrong values or a description with a fault; a refusal when the same service waits or
/// is registered.
pub async fn propose(k: &Kernel, cx: &Cx, mut new: New) -> Result<ProposalId> {
    may_propose(k, cx, new.subsystem).await?;
    new.name = base::text::nfc(new.name.trim());
    code::check(&new.code).map_err(|text| Error::field("code", text))?;
    if new.name.is_empty() || new.name.chars().count() > member::MAX_NAME {
        return Err(Error::field("name", Text::both(|l| t::proposal_name(l, member::MAX_NAME))));
    }
    let given = std::mem::take(&mut new.document);
    let read = tokio::task::spawn_blocking(move || document::read(&given)).await.map_err(Error::internal)?;
    let found = read.map_err(|fault| Error::field("document", fault.sentence()))?;
    // Only fields the description has; a path somebody typed is not believed.
    new.personal.retain(|path| found.fields.iter().any(|f| f.path == *path));
    let sha256 = hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &found.json));
    let options = PutOptions {
        class: AccessClass::Internal,
        subject: new.subsystem.to_ref(),
        keep_until: None,
        max_bytes: openapi::MAX_BYTES as u64 * 2,
    };
    let blobs = k.blobs().await?;
    let blob = blobs.put(found.json, &options).await?;
    let id = ProposalId::new(&*k.clock, &*k.random);
    let mut tx = k.begin(cx).await?;
    if let Some((_, true)) = store::service(&mut tx, new.subsystem, &new.code).await? {
        return Err(refused("service-there", t::proposal_service_there));
    }
    if !store::insert(&mut tx, id, &new, blob, &sha256).await? {
        return Err(refused("proposal-waiting", t::proposal_waits_already));
    }
    blobs.reference(&mut tx, &blob, &id.to_ref()).await?;
    let p = store::lock(&mut tx, id).await?;
    tell_operators(&mut tx, &p).await?;
    let detail =
        json!({ "subsystem": new.subsystem, "code": new.code, "sha256": sha256, "source": new.source });
    tx.audit("exchange.proposal.propose", &id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(id)
}

async fn tell_operators(tx: &mut Tx, p: &Proposal) -> Result<()> {
    let same = |s: &str| Text { vi: s.to_owned(), en: s.to_owned() };
    let (name, key) = (&p.name, &p.subsystem_key);
    let arguments: BTreeMap<String, Text> = [
        ("subject".to_owned(), Text::both(|l| t::proposal_subject(l, name))),
        ("text".to_owned(), Text::both(|l| t::proposal_text(l, t::ProposalText { key, name }))),
        ("sender".to_owned(), same(&p.member)),
    ]
    .into();
    let to = vec![Recipient::Holders { role: "operator".to_owned(), agency: None }];
    let (template, about) = ("plain".to_owned(), Some(p.id.to_ref()));
    tx.notify(&Notice { template, arguments, severity: Severity::Warning, about, to }).await?;
    Ok(())
}

/// The proposal under lock while it waits.
async fn waiting(tx: &mut Tx, id: ProposalId) -> Result<Proposal> {
    let p = store::lock(tx, id).await?;
    match p.state {
        State::Waiting => Ok(p),
        _ => Err(refused("proposal-decided", t::proposal_decided)),
    }
}

/// Takes a proposal back.
///
/// # Errors
/// `NotFound` for who has no part in it, `Denied` for who does not answer for the provider, a refusal once decided.
pub async fn withdraw(k: &Kernel, cx: &Cx, id: ProposalId) -> Result<()> {
    let seen = store::find(&k.db, &Viewer::of(k, cx).await?, id).await?;
    cx.may(DECIDE, &over(seen.agency))?;
    end(k, cx, id, State::Withdrawn, None).await
}

/// Says no.
///
/// # Errors
/// As [`approve`].
pub async fn refuse(k: &Kernel, cx: &Cx, id: ProposalId, reason: &Reason) -> Result<()> {
    cx.may(OPERATE, &Scope::province())?;
    end(k, cx, id, State::Refused, Some(reason.as_str())).await
}

async fn end(k: &Kernel, cx: &Cx, id: ProposalId, state: State, reason: Option<&str>) -> Result<()> {
    let blobs = k.blobs().await?;
    let mut tx = k.begin(cx).await?;
    waiting(&mut tx, id).await?;
    store::decide(&mut tx, id, state, reason, None).await?;
    blobs.release_all(&mut tx, &id.to_ref()).await?;
    let action = format!("exchange.proposal.{}", state.as_str());
    tx.audit(&action, &id.to_ref(), json!({ "reason": reason })).await?;
    tx.commit().await?;
    Ok(())
}

/// Says yes: the service is registered with its endpoints, and calls under agreements to come can pass.
///
/// # Errors
/// `Denied` without the right to operate, `NotFound`, a refusal once decided or when the service was registered meanwhile.
pub async fn approve(k: &Kernel, cx: &Cx, id: ProposalId) -> Result<(ServiceId, Committed)> {
    cx.may(OPERATE, &Scope::province())?;
    let seen = store::find(&k.db, &Viewer::All, id).await?;
    if seen.state != State::Waiting {
        return Err(refused("proposal-decided", t::proposal_decided));
    }
    let blobs = k.blobs().await?;
    let bytes = blobs.read(&seen.blob, openapi::MAX_BYTES as u64 * 2).await?.to_vec();
    let read = openapi::read(&bytes).map_err(|f| Error::field("document", f.sentence()))?;
    let spec = DocumentSpec { sha256: seen.sha256.clone(), bytes };
    let kept = documents::keep(k, [&spec]).await?;
    let now = k.clock.now();
    let mut tx = k.begin(cx).await?;
    registry::bump(&mut tx, None, now).await?;
    let p = waiting(&mut tx, id).await?;
    let service = match store::service(&mut tx, p.subsystem, &p.code).await? {
        Some((_, true)) => return Err(refused("service-there", t::proposal_service_there)),
        // One of the same name that was taken out comes back: records that point to it keep their meaning.
        Some((id, false)) => id,
        None => ServiceId::new(&*k.clock, &*k.random),
    };
    let subsystem: SubsystemKey = p.subsystem_key.parse().map_err(|e: Text| Error::internal(e.en))?;
    let key = ServiceKey { subsystem, code: p.code.clone() };
    let document = Some((spec.sha256.as_str(), kept[&spec.sha256]));
    documents::assign(&mut tx, blobs, service, document, now).await?;
    registry::put_service(&mut tx, service, p.subsystem, &key, &described(&p, &spec), now).await?;
    for operation in &read.operations {
        let endpoint = EndpointId::new(&*k.clock, &*k.random);
        let sql = "SELECT id FROM exchange_endpoint WHERE service_id = $1 AND method = $2 AND path = $3";
        let (method, path) = (operation.route.method.as_str(), operation.route.path.as_str());
        let there = tx.query_opt(sql, params![service, method, path]).await?;
        let endpoint = there.map(|r| r.id("id")).transpose()?.unwrap_or(endpoint);
        registry::put_endpoint(&mut tx, endpoint, service, &operation.route, &operation.summary).await?;
    }
    store::mark(&mut tx, service, &p.personal, p.source.as_deref()).await?;
    store::decide(&mut tx, id, State::Approved, None, Some(service)).await?;
    blobs.release_all(&mut tx, &id.to_ref()).await?;
    let said = events::ServiceRegistered { service, sha256: spec.sha256.clone() };
    tx.publish(&said).await?;
    let detail = json!({ "service": service, "key": key.to_string(), "sha256": spec.sha256 });
    tx.audit("exchange.proposal.approved", &id.to_ref(), detail).await?;
    Ok((service, tx.commit().await?))
}

fn described(p: &Proposal, document: &DocumentSpec) -> ServiceSpec {
    ServiceSpec {
        name: p.name.clone(),
        kind: ServiceKind::OpenApi3,
        base_url: p.base_url.clone(),
        sandbox_url: None,
        timeout: DEFAULT_TIMEOUT,
        state: ServiceState::Enabled,
        document: Some(DocumentSpec { sha256: document.sha256.clone(), bytes: Vec::new() }),
        endpoints: BTreeMap::new(),
        line: 0,
    }
}

/// What the description of a proposal says, for its page.
///
/// # Errors
/// When the content store is away; once it was refused or taken back the content is gone.
pub async fn found(k: &Kernel, p: &Proposal) -> Result<Option<document::Found>> {
    let bytes = match p.state {
        State::Waiting => k.blobs().await?.read(&p.blob, openapi::MAX_BYTES as u64 * 2).await?.to_vec(),
        State::Approved => match crate::store::document(k, &p.sha256).await? {
            Some(bytes) => bytes,
            // Replaced since.
            None => return Ok(None),
        },
        State::Refused | State::Withdrawn => return Ok(None),
    };
    let read = tokio::task::spawn_blocking(move || document::read(&bytes)).await.map_err(Error::internal)?;
    read.map(Some).map_err(|f| Error::internal(f.sentence().en))
}

fn refused(code: &'static str, text: fn(Lang) -> &'static str) -> Error {
    Refusal::new(code, Text::both(text)).into()
}
