//! What the consumer does with its request, one transaction each. The provider's part is in `crate::actions::decide`.

use std::collections::BTreeSet;

use base::error::Refusal;
use base::i18n::Text;
use bytes::Bytes;
use kernel::blobs::{AccessClass, PutOptions};
use kernel::once::{self, Once};
use kernel::{Committed, Cx, Error, Kernel, Ref, Result, Scope, Tx};

use super::file::{MAX_BYTES, MAX_FILES, media_type, shown_name};
use super::store::{self, Attachment, Request};
use super::{Beside, Draft, Kind};
use crate::actions::decide::announce;
use crate::agreement::{Agreement, State, Step};
use crate::environment::Environment;
use crate::ids::{AgreementId, AttachmentId, ServiceId, SubsystemId};
use crate::store::{agreements, registry};
use crate::viewer::Viewer;
use crate::{permissions, proposal, schema, t};

/// Begins a request. Repeated under the same key it gives the same one.
///
/// # Errors
/// `Denied` for who does not ask for the consumer's agency, `Invalid` for wrong values.
pub async fn begin(
    k: &Kernel,
    cx: &Cx,
    consumer: SubsystemId,
    service: ServiceId,
    mut draft: Draft,
    once: Option<&Once>,
) -> Result<AgreementId> {
    draft.tidy();
    draft.check().map_err(Error::Invalid)?;
    let id = AgreementId::new(&*k.clock, &*k.random);
    let mut tx = k.begin(cx).await?;
    let agency = store::agency_of(&mut tx, consumer).await?;
    cx.may(permissions::ASK, &agency.map_or_else(Scope::province, Scope::agency))?;
    if let Some(key) = once
        && let Some(before) = once::claim(&mut tx, key, &id.to_string()).await?
    {
        return before.parse().map_err(Error::internal);
    }
    let now = k.clock.now();
    let tail = id.to_string().replace('-', "").split_off(24).to_uppercase();
    let number = format!("YC-{}-{tail}", now.date().year());
    store::add(&mut tx, &store::New { id, number: &number, consumer, service }, &draft, now).await?;
    let detail = serde_json::json!({ "number": number });
    tx.audit("exchange.connection.begin", &id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(id)
}

/// The request, locked, for who asks for its agency; a draft of others is not there.
async fn own(k: &Kernel, cx: &Cx, tx: &mut Tx, id: AgreementId) -> Result<Request> {
    let found = store::lock(tx, k.clock.now(), id).await?;
    let over = |unit: Option<_>| unit.map_or_else(Scope::province, Scope::agency);
    let asks = cx.may(permissions::ASK, &over(found.consumer_agency));
    let sees = cx.holds(permissions::READ, &over(found.consumer_agency))
        || found.submitted_at.is_some() && cx.holds(permissions::READ, &over(found.provider_agency));
    match asks {
        Err(Error::Denied { .. }) if !sees => Err(Error::NotFound { kind: AgreementId::KIND }),
        other => other.map(|()| found),
    }
}

fn must_be_open(r: &Request) -> Result<()> {
    if r.is_open() {
        return Ok(());
    }
    Err(Refusal::new("request-sent", Text::both(|l| t::request_sent(l).to_owned())).into())
}

/// Writes the draft. `expected` is the version the writer saw.
///
/// # Errors
/// `Conflict` for a stale version, `Invalid` for wrong values, `Refused` when it has been sent.
pub async fn write(
    k: &Kernel,
    cx: &Cx,
    id: AgreementId,
    mut draft: Draft,
    expected: Option<u32>,
) -> Result<()> {
    draft.tidy();
    draft.check().map_err(Error::Invalid)?;
    let mut tx = k.begin(cx).await?;
    let mut r = own(k, cx, &mut tx, id).await?;
    must_be_open(&r)?;
    if expected.is_some_and(|seen| seen != r.version) {
        return Err(Error::Conflict);
    }
    r.draft = draft;
    store::save(&mut tx, &r, k.clock.now()).await?;
    tx.audit("exchange.connection.write", &id.to_ref(), serde_json::json!({ "version": r.version + 1 }))
        .await?;
    tx.commit().await?;
    Ok(())
}

/// Attaches a file.
///
/// # Errors
/// `Invalid` for a kind of file that is not taken, `TooLarge`, `Refused` when it has been sent.
pub async fn attach(
    k: &Kernel,
    cx: &Cx,
    id: AgreementId,
    kind: Kind,
    given_name: &str,
    bytes: Bytes,
) -> Result<AttachmentId> {
    // Rights first: content of strangers is not even stored.
    let viewer = Viewer::of(k, cx).await?;
    store::find(&k.db, &viewer, k.clock.now(), id).await?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::TooLarge { limit: MAX_BYTES });
    }
    let name = shown_name(given_name);
    let media_type = media_type(&name, &bytes).map_err(|text| Error::field("file", text))?;
    let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let options = PutOptions {
        class: AccessClass::Internal,
        subject: id.to_ref(),
        keep_until: None,
        max_bytes: MAX_BYTES,
    };
    let blobs = k.blobs().await?;
    let blob = blobs.put(bytes, &options).await?;
    let now = k.clock.now();
    let file = Attachment {
        id: AttachmentId::new(&*k.clock, &*k.random),
        kind,
        name,
        media_type: media_type.to_owned(),
        size,
        blob,
        added_at: now,
    };
    let mut tx = k.begin(cx).await?;
    let r = own(k, cx, &mut tx, id).await?;
    must_be_open(&r)?;
    let there = store::attachments_in(&mut tx, id).await?;
    if there.len() as i64 >= MAX_FILES {
        return Err(Error::field("file", Text::both(|l| t::files_too_many(l, MAX_FILES))));
    }
    store::attach(&mut tx, id, &file).await?;
    blobs.reference(&mut tx, &blob, &Ref::new(AttachmentId::KIND, file.id.to_string())).await?;
    let detail = serde_json::json!({ "file": file.id, "kind": kind, "size": size });
    tx.audit("exchange.connection.attach", &id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(file.id)
}

/// Takes a file away again, before the request is sent.
///
/// # Errors
/// `Refused` when it has been sent.
pub async fn detach(k: &Kernel, cx: &Cx, id: AgreementId, file: AttachmentId) -> Result<()> {
    let blobs = k.blobs().await?;
    let mut tx = k.begin(cx).await?;
    let r = own(k, cx, &mut tx, id).await?;
    // What was sent once stays: the history of a decision rests on it.
    if r.submitted_at.is_some() {
        return Err(Refusal::new("request-sent", Text::both(|l| t::file_stays(l).to_owned())).into());
    }
    let there = store::attachments_in(&mut tx, id).await?;
    there.iter().find(|a| a.id == file).ok_or(Error::NotFound { kind: AttachmentId::KIND })?;
    store::detach(&mut tx, file).await?;
    blobs.release_all(&mut tx, &Ref::new(AttachmentId::KIND, file.to_string())).await?;
    tx.audit("exchange.connection.detach", &id.to_ref(), serde_json::json!({ "file": file })).await?;
    tx.commit().await?;
    Ok(())
}

/// What the service's description says, for the checklist. Read outside of the transaction.
///
/// # Errors
/// When database or content store are away.
pub async fn beside(k: &Kernel, r: &Request, attached: &[Attachment]) -> Result<Beside> {
    let fields = match &r.document {
        None => Vec::new(),
        Some(sha256) => {
            let document = crate::store::document(k, sha256).await?.unwrap_or_default();
            tokio::task::spawn_blocking(move || schema::fields(&document)).await.map_err(Error::internal)?
        }
    };
    let marked = proposal::personal(&k.db, r.service).await?;
    Ok(Beside {
        attached: attached.iter().map(|a| a.kind).collect::<BTreeSet<_>>(),
        names_fields: !fields.is_empty(),
        personal_fields: fields.into_iter().filter(|f| f.personal).map(|f| f.path).chain(marked).collect(),
    })
}

/// Sends the request to the provider, for the first time or completed.
///
/// # Errors
/// `Refused` while something is missing, or when it has been sent.
pub async fn submit(
    k: &Kernel,
    cx: &Cx,
    id: AgreementId,
    expected: Option<u32>,
    once: Option<&Once>,
) -> Result<Committed> {
    let viewer = Viewer::of(k, cx).await?;
    let seen = store::find(&k.db, &viewer, k.clock.now(), id).await?;
    let described = beside(k, &seen, &[]).await?;
    let mut tx = k.begin(cx).await?;
    let mut r = own(k, cx, &mut tx, id).await?;
    if let Some(key) = once
        && once::claim(&mut tx, key, &id.to_string()).await?.is_some()
    {
        return Ok(Committed::default());
    }
    must_be_open(&r)?;
    if expected.is_some_and(|seen| seen != r.version) {
        return Err(Error::Conflict);
    }
    let now = k.clock.now();
    let attached = store::attachments_in(&mut tx, id).await?.iter().map(|a| a.kind).collect();
    let missing = r.draft.checklist(&Beside { attached, ..described }, now.date());
    let missing: Vec<_> = missing.into_iter().filter(|(_, done)| !done).map(|(item, _)| item).collect();
    let terms = r.draft.terms().filter(|_| missing.is_empty()).ok_or_else(|| {
        let names = |l| missing.iter().map(|i| i.label(l)).collect::<Vec<_>>().join("; ");
        Error::from(Refusal::new("request-incomplete", Text::both(|l| t::request_incomplete(l, names(l)))))
    })?;
    terms.check().map_err(Error::Invalid)?;
    let first = r.submitted_at.is_none();
    r.submitted_at.get_or_insert(now);
    store::save(&mut tx, &r, now).await?;
    let (step, from, sent) = if first {
        let asked = Agreement {
            id,
            number: r.number.clone(),
            version: 1,
            consumer: r.consumer,
            service: r.service,
            terms,
            state: State::Waiting,
            environment: Environment::Sandbox,
            published_at: None,
            asked_at: now,
            changed_at: now,
        };
        (Step::Ask, None, asked)
    } else {
        let before = agreements::lock(&mut tx, id).await?.agreement;
        let from = before.state;
        (Step::Resubmit, Some(from), before.resubmit(terms, now)?)
    };
    record(&mut tx, &sent, step, from).await?;
    tx.commit().await
}

/// Takes the request back: a draft is thrown away, a sent one withdrawn; the history stays.
///
/// # Errors
/// `Refused` when it has been decided.
pub async fn withdraw(k: &Kernel, cx: &Cx, id: AgreementId) -> Result<Committed> {
    let mut tx = k.begin(cx).await?;
    let mut r = own(k, cx, &mut tx, id).await?;
    let now = k.clock.now();
    if r.submitted_at.is_none() {
        must_be_open(&r)?;
        r.discarded_at = Some(now);
        store::save(&mut tx, &r, now).await?;
        tx.audit("exchange.connection.discard", &id.to_ref(), serde_json::json!({ "number": r.number }))
            .await?;
        return tx.commit().await;
    }
    let before = agreements::lock(&mut tx, id).await?.agreement;
    let from = before.state;
    let after = before.withdraw(now)?;
    record(&mut tx, &after, Step::Withdraw, Some(from)).await?;
    tx.commit().await
}

/// The agreement's row, history, fact and audit row, as for every step.
async fn record(tx: &mut Tx, a: &Agreement, step: Step, from: Option<State>) -> Result<()> {
    agreements::save(tx, a).await?;
    agreements::record(tx, a, step, from, None).await?;
    announce(tx, a, step).await?;
    let detail = serde_json::json!({ "number": a.number, "version": a.version, "from": from, "to": a.state });
    tx.audit(&format!("exchange.agreement.{}", step.as_str()), &a.id.to_ref(), detail).await?;
    registry::bump(tx, None, a.changed_at).await?;
    Ok(())
}
