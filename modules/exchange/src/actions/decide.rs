//! Decisions about agreements. The provider decides; the step is a rule of `agreement`; what became true is
//! recorded in the agreement's history, the journal and the audit in one transaction.

use std::time::Duration;

use base::error::Refusal;
use base::i18n::{Lang, Text};
use kernel::once::{self, Once};
use kernel::{Committed, Cx, Error, Kernel, Result, Scope, Tx};

use crate::agreement::{Agreement, Approval, Reason, State, Step};
use crate::ids::{AgreementId, ConformanceId};
use crate::store::agreements::{self, Locked};
use crate::store::registry;
use crate::{conformance, events, permissions, t};

/// What is decided.
#[derive(Debug, Clone)]
pub enum Decision {
    /// Yes, perhaps to less than was asked.
    Approve(Approval),
    /// No.
    Refuse(Reason),
    /// Stop for now.
    Suspend(Reason),
    /// Go on.
    Resume,
    /// Take back for good.
    Revoke(Reason),
    /// Ask for more, saying what.
    Return(Reason),
    /// From the sandbox to the test.
    Test,
    /// From the test to production.
    Produce {
        /// The record of the test.
        record: Reason,
        /// Whether the record stands in for a passed conformance run.
        without_run: bool,
    },
    /// Name it in the catalogue.
    Publish,
}

impl Decision {
    /// The step it takes.
    pub fn step(&self) -> Step {
        match self {
            Self::Approve(_) => Step::Approve,
            Self::Refuse(_) => Step::Refuse,
            Self::Suspend(_) => Step::Suspend,
            Self::Resume => Step::Resume,
            Self::Revoke(_) => Step::Revoke,
            Self::Return(_) => Step::Return,
            Self::Test => Step::Test,
            Self::Produce { .. } => Step::Produce,
            Self::Publish => Step::Publish,
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Approve(_) | Self::Resume | Self::Test | Self::Publish => None,
            Self::Refuse(r) | Self::Suspend(r) | Self::Revoke(r) | Self::Return(r) => Some(r.as_str()),
            Self::Produce { record, .. } => Some(record.as_str()),
        }
    }

    fn apply(&self, a: Agreement, now: base::clock::Timestamp) -> Result<Agreement, Refusal> {
        match self {
            Self::Approve(approval) => a.approve(approval.clone(), now),
            Self::Refuse(_) => a.refuse(now),
            Self::Suspend(_) => a.suspend(now),
            Self::Resume => a.resume(now),
            Self::Revoke(_) => a.revoke(now),
            Self::Return(_) => a.return_for_more(now),
            Self::Test | Self::Produce { .. } => a.advance(self.step(), now),
            Self::Publish => a.publish(now),
        }
    }
}

/// How a decision was sent: which version its maker saw, and under which key it may be repeated.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The version the maker saw; a newer one is a conflict.
    pub expected: Option<u32>,
    /// The request's `Idempotency-Key`.
    pub once: Option<Once>,
}

/// Takes a decision on behalf of the provider. Returns the agreement and what was committed, for pages that
/// wait until the gateway knows.
///
/// # Errors
/// `NotFound` for who may not know of the agreement, `Denied` for who may not decide for its provider,
/// `Conflict` for a stale version, `Refused` when the rules say no.
pub async fn decide(
    k: &Kernel,
    cx: &Cx,
    id: AgreementId,
    decision: &Decision,
    request: &Request,
) -> Result<(Agreement, Committed)> {
    const TRIES: u32 = 5;
    let mut tries = 1;
    loop {
        match attempt(k, cx, id, decision, request).await {
            // PostgreSQL asks for a repetition after a serialization failure or deadlock.
            Err(Error::Unavailable { what: "database", .. }) if tries < TRIES => {
                tokio::time::sleep(Duration::from_millis(5 << tries)).await;
                tries += 1;
            }
            other => return other,
        }
    }
}

async fn attempt(
    k: &Kernel,
    cx: &Cx,
    id: AgreementId,
    decision: &Decision,
    request: &Request,
) -> Result<(Agreement, Committed)> {
    let mut tx = k.begin(cx).await?;
    let locked = agreements::lock(&mut tx, id).await?;
    may_decide(cx, &locked, decision.step())?;
    let before = locked.agreement;
    if let Some(key) = &request.once
        && once::claim(&mut tx, key, &id.to_string()).await?.is_some()
    {
        return Ok((before, Committed::default()));
    }
    if request.expected.is_some_and(|seen| seen != before.version) {
        return Err(Error::Conflict);
    }
    let from = before.state;
    let after = decision.apply(before, k.clock.now())?;
    let tested = match decision {
        Decision::Produce { without_run, .. } => test_run(&mut tx, &after, *without_run).await?,
        _ => None,
    };
    agreements::save(&mut tx, &after).await?;
    let (step, reason) = (decision.step(), decision.reason());
    agreements::record_on(&mut tx, &after, step, Some(from), reason, tested).await?;
    announce(&mut tx, &after, decision.step()).await?;
    let detail = serde_json::json!({
        "number": after.number, "version": after.version, "from": from, "to": after.state,
        "reason": decision.reason(), "conformance": tested,
    });
    let action = format!("exchange.agreement.{}", decision.step().as_str());
    tx.audit(&action, &id.to_ref(), detail).await?;
    registry::bump(&mut tx, None, after.changed_at).await?;
    let committed = tx.commit().await?;
    Ok((after, committed))
}

/// The conformance run by which the consumer passed the test: the newest one since the agreement went to the test, after a
/// call under it was answered there. `waived`: the provider lets its own record stand in for one that is missing.
async fn test_run(tx: &mut Tx, a: &Agreement, waived: bool) -> Result<Option<ConformanceId>> {
    let since = agreements::in_test_since(tx, a.id).await?.unwrap_or(a.changed_at);
    let run = conformance::latest_since(tx, a.consumer, since).await?;
    let wrong = match &run {
        None => ("conformance-missing", t::conformance_missing as fn(Lang) -> &'static str),
        Some(run) if !run.passed => ("conformance-failed", t::conformance_failed as fn(Lang) -> &'static str),
        Some(run) if agreements::answered_since(tx, a.id, since).await? => return Ok(Some(run.id)),
        Some(_) => ("conformance-no-call", t::conformance_no_call as fn(Lang) -> &'static str),
    };
    if waived { Ok(None) } else { Err(Refusal::new(wrong.0, Text::both(wrong.1)).into()) }
}

/// Who may not know of an agreement is told that there is none; who knows of it but does not answer for its
/// provider is told which right is missing.
fn may_decide(cx: &Cx, locked: &Locked, step: Step) -> Result<()> {
    let over = |unit: Option<kernel::orgs::UnitId>| unit.map_or_else(Scope::province, Scope::agency);
    let mut decides = cx.may(permissions::DECIDE, &over(locked.provider));
    // Who asked says when it has tried out enough.
    if step == Step::Test && cx.holds(permissions::ASK, &over(locked.consumer)) {
        decides = Ok(());
    }
    let sees = cx.holds(permissions::READ, &over(locked.provider))
        || cx.holds(permissions::READ, &over(locked.consumer));
    match decides {
        Err(Error::Denied { .. }) if !sees => Err(Error::NotFound { kind: AgreementId::KIND }),
        other => other,
    }
}

pub(crate) async fn announce(tx: &mut Tx, a: &Agreement, step: Step) -> Result<()> {
    let said = events::Step::from(a);
    match step {
        Step::Ask => tx.publish(&events::AgreementAsked(said)).await,
        Step::Approve => tx.publish(&events::AgreementApproved(said)).await,
        Step::Refuse => tx.publish(&events::AgreementRefused(said)).await,
        Step::Suspend => tx.publish(&events::AgreementSuspended(said)).await,
        Step::Resume => tx.publish(&events::AgreementResumed(said)).await,
        Step::Revoke => tx.publish(&events::AgreementRevoked(said)).await,
        Step::Expire => tx.publish(&events::AgreementExpired(said)).await,
        Step::Amend => tx.publish(&events::AgreementAmended(said)).await,
        Step::Return => tx.publish(&events::AgreementReturned(said)).await,
        Step::Resubmit => tx.publish(&events::AgreementResubmitted(said)).await,
        Step::Withdraw => tx.publish(&events::AgreementWithdrawn(said)).await,
        Step::Test | Step::Produce => tx.publish(&events::AgreementMoved(said)).await,
        Step::Publish => tx.publish(&events::AgreementPublished(said)).await,
    }
}

/// Approves, perhaps less than was asked.
///
/// # Errors
/// As [`decide`].
pub async fn approve_agreement(
    k: &Kernel,
    cx: &Cx,
    id: AgreementId,
    approval: Approval,
) -> Result<Agreement> {
    Ok(decide(k, cx, id, &Decision::Approve(approval), &Request::default()).await?.0)
}

/// Refuses.
///
/// # Errors
/// As [`decide`].
pub async fn refuse_agreement(k: &Kernel, cx: &Cx, id: AgreementId, reason: Reason) -> Result<Agreement> {
    Ok(decide(k, cx, id, &Decision::Refuse(reason), &Request::default()).await?.0)
}

/// Suspends.
///
/// # Errors
/// As [`decide`].
pub async fn suspend_agreement(k: &Kernel, cx: &Cx, id: AgreementId, reason: Reason) -> Result<Agreement> {
    Ok(decide(k, cx, id, &Decision::Suspend(reason), &Request::default()).await?.0)
}

/// Resumes.
///
/// # Errors
/// As [`decide`].
pub async fn resume_agreement(k: &Kernel, cx: &Cx, id: AgreementId) -> Result<Agreement> {
    Ok(decide(k, cx, id, &Decision::Resume, &Request::default()).await?.0)
}

/// Revokes for good.
///
/// # Errors
/// As [`decide`].
pub async fn revoke_agreement(k: &Kernel, cx: &Cx, id: AgreementId, reason: Reason) -> Result<Agreement> {
    Ok(decide(k, cx, id, &Decision::Revoke(reason), &Request::default()).await?.0)
}

/// Records that agreements have ended whose last day has passed. Returns how many. Safe to repeat and to run
/// on several nodes.
///
/// # Errors
/// When the database is away.
pub async fn expire_due(k: &Kernel) -> Result<usize> {
    const AT_ONCE: u32 = 500;
    let due = agreements::overdue(&k.db, k.clock.now().date(), AT_ONCE).await?;
    let mut done = 0;
    for id in due {
        let cx = Cx::kernel("exchange.expiry", k.clock.now());
        let mut tx = k.begin(&cx).await?;
        let before = agreements::lock(&mut tx, id).await?.agreement;
        let from = before.state;
        // Another node may have been faster.
        let Ok(after) = before.expire(k.clock.now()) else { continue };
        agreements::save(&mut tx, &after).await?;
        agreements::record(&mut tx, &after, Step::Expire, Some(from), None).await?;
        announce(&mut tx, &after, Step::Expire).await?;
        let detail = serde_json::json!({ "number": after.number, "from": from, "to": State::Expired });
        tx.audit("exchange.agreement.expire", &id.to_ref(), detail).await?;
        registry::bump(&mut tx, None, after.changed_at).await?;
        tx.commit().await?;
        done += 1;
    }
    Ok(done)
}
