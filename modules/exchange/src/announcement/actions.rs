//! What people do about announcements, one transaction each: the provider announces, confirms and takes back; a consumer
//! acknowledges.

use base::error::Refusal;
use base::i18n::{Lang, Text};
use kernel::{Committed, Cx, Error, Kernel, Result, Scope, Tx, params};
use serde_json::json;

use super::store::{self, MOST_CONSUMERS};
use super::{Announcement, Said, Told, tell};
use crate::ids::{AnnouncementId, ServiceId, SubsystemId};
use crate::permissions::{ASK, DECIDE, INTEGRATE, READ};
use crate::store::{outages, registry};
use crate::viewer::Viewer;
use crate::{events, t};

fn over(agency: Option<kernel::orgs::UnitId>) -> Scope {
    agency.map_or_else(Scope::province, Scope::agency)
}

/// Whether the actor may announce for a service.
///
/// # Errors
/// `Denied` for who decides for no provider, `NotFound` for who decides for another one.
pub async fn may_announce(k: &Kernel, cx: &Cx, service: ServiceId) -> Result<()> {
    cx.may_somewhere(DECIDE)?;
    let sql = "SELECT m.agency_id FROM exchange_service v JOIN exchange_subsystem s ON s.id = v.subsystem_id
               JOIN exchange_member m ON m.id = s.member_id WHERE v.id = $1 AND v.retired_at IS NULL";
    let row = k.db.query_opt(sql, params![service]).await?;
    match row {
        Some(row) if cx.holds(DECIDE, &over(row.opt_id("agency_id")?)) => Ok(()),
        _ => Err(Error::NotFound { kind: ServiceId::KIND }),
    }
}

/// What a reader is to an announcement.
#[derive(Debug, Clone)]
pub struct Part {
    /// The announcement.
    pub announcement: Announcement,
    /// The consumers that were told: all of them for its provider and for who sees the whole province, else the reader's own.
    pub consumers: Vec<Told>,
    /// Whether the reader answers for the provider.
    pub provides: bool,
    /// Whether the reader sees it as the provider does.
    pub sees_all: bool,
}

impl Part {
    /// Whether the reader may acknowledge for a system.
    pub fn acknowledges(&self, cx: &Cx, c: &Told) -> bool {
        self.announcement.withdrawn.is_none() && c.acknowledged.is_none() && speaks_for(cx, c)
    }
}

/// Whether somebody speaks for a consuming system: who asks for its agency, or integrates it.
fn speaks_for(cx: &Cx, c: &Told) -> bool {
    cx.holds(ASK, &over(c.agency))
        || cx.holds(INTEGRATE, &Scope { agency: c.agency, field: Some(c.code.clone()) })
}

/// An announcement as its reader may see it.
///
/// # Errors
/// `NotFound` for who takes no part in it, `SignIn` or `Denied` for who takes part in nothing.
pub async fn find(k: &Kernel, cx: &Cx, id: AnnouncementId) -> Result<Part> {
    let viewer = match Viewer::of(k, cx).await {
        Ok(viewer) => Some(viewer),
        // Engineers see what concerns their systems.
        Err(Error::Denied { .. }) if cx.may_somewhere(INTEGRATE).is_ok() => None,
        Err(e) => return Err(e),
    };
    let hidden = || Error::NotFound { kind: AnnouncementId::KIND };
    let announcement = store::one(&k.db, id).await?.ok_or_else(hidden)?;
    let provider = over(announcement.provider_agency);
    let provides = cx.holds(DECIDE, &provider);
    let system = match viewer {
        Some(Viewer::Subsystem(id)) => Some(id),
        _ => None,
    };
    let sees_all = provides || cx.holds(READ, &provider) || system == Some(announcement.provider_subsystem);
    let mut consumers = store::consumers(&k.db, id).await?;
    if !sees_all {
        let own =
            |c: &Told| cx.holds(READ, &over(c.agency)) || speaks_for(cx, c) || system == Some(c.subsystem);
        consumers.retain(own);
        if consumers.is_empty() {
            return Err(hidden());
        }
    }
    Ok(Part { announcement, consumers, provides, sees_all })
}

/// Announces, and tells every consumer whose agreement is in force. Returns how many there are.
///
/// # Errors
/// As [`may_announce`]; `Invalid` for what cannot be said; a refusal while an end of the service stands.
pub async fn announce(
    k: &Kernel,
    cx: &Cx,
    service: ServiceId,
    said: &Said,
) -> Result<(AnnouncementId, i64, Committed)> {
    may_announce(k, cx, service).await?;
    let today = k.clock.now().date();
    said.check(today).map_err(Error::Invalid)?;
    let id = AnnouncementId::new(&*k.clock, &*k.random);
    let consumers = outages::consumers(&k.db, service, today, MOST_CONSUMERS).await?;
    let mut tx = k.begin(cx).await?;
    registry::bump(&mut tx, None, k.clock.now()).await?;
    if let Some(successor) = said.successor {
        let sql = "SELECT id FROM exchange_service WHERE id = $1 AND id <> $2 AND retired_at IS NULL";
        let there = tx.query_opt(sql, params![successor, service]).await?;
        there.ok_or_else(|| Error::field("successor", Text::both(t::announce_successor_wrong)))?;
    }
    if !store::insert(&mut tx, id, service, said).await? {
        return Err(refused("service-ends", t::announce_stands));
    }
    let a = store::lock(&mut tx, id).await?.ok_or(Error::NotFound { kind: AnnouncementId::KIND })?;
    for consumer in &consumers {
        store::told(&mut tx, id, consumer.subsystem).await?;
        tell::tell(&mut tx, "service-announced", &a, consumer, today).await?;
    }
    let count = i64::try_from(consumers.len()).unwrap_or(i64::MAX);
    let detail = json!({ "service": service, "kind": said.kind, "effective": said.effective, "ends": said.ends,
        "successor": said.successor, "consumers": count });
    tx.audit("exchange.announcement.announce", &id.to_ref(), detail).await?;
    published(&mut tx, &a).await?;
    Ok((id, count, tx.commit().await?))
}

/// Confirms, or takes back, that calls after the end are refused.
///
/// # Errors
/// `NotFound` for who takes no part, `Denied` for who does not answer for the provider, a refusal when there is no end.
pub async fn confirm(k: &Kernel, cx: &Cx, id: AnnouncementId, refuses: bool) -> Result<Committed> {
    let (mut tx, a) = own(k, cx, id).await?;
    if a.said.ends.is_none() {
        return Err(refused("no-end", t::announce_no_end));
    }
    store::refuse(&mut tx, id, refuses).await?;
    tx.audit("exchange.announcement.confirm", &id.to_ref(), json!({ "refuses": refuses })).await?;
    published(&mut tx, &a).await?;
    tx.commit().await
}

/// Takes an announcement back; consumers are told so.
///
/// # Errors
/// As [`confirm`].
pub async fn withdraw(k: &Kernel, cx: &Cx, id: AnnouncementId) -> Result<Committed> {
    let today = k.clock.now().date();
    let (mut tx, a) = own(k, cx, id).await?;
    store::withdraw(&mut tx, id).await?;
    for consumer in outages::consumers(&k.db, a.service, today, MOST_CONSUMERS).await? {
        tell::tell(&mut tx, "service-withdrawn", &a, &consumer, today).await?;
    }
    tx.audit("exchange.announcement.withdraw", &id.to_ref(), json!({ "service": a.service })).await?;
    published(&mut tx, &a).await?;
    tx.commit().await
}

/// The announcement under lock, for who answers for its provider and while it stands.
async fn own(k: &Kernel, cx: &Cx, id: AnnouncementId) -> Result<(Tx, Announcement)> {
    let part = find(k, cx, id).await?;
    cx.may(DECIDE, &over(part.announcement.provider_agency))?;
    let mut tx = k.begin(cx).await?;
    registry::bump(&mut tx, None, k.clock.now()).await?;
    let a = store::lock(&mut tx, id).await?.ok_or(Error::NotFound { kind: AnnouncementId::KIND })?;
    if a.withdrawn.is_some() {
        return Err(refused("announcement-withdrawn", t::announce_withdrawn_already));
    }
    Ok((tx, a))
}

/// Acknowledges on behalf of a system.
///
/// # Errors
/// `NotFound` for who takes no part or for a system that was not told, `Denied` for who speaks for none or not for it. Once
/// acknowledged, nothing happens.
pub async fn acknowledge(k: &Kernel, cx: &Cx, id: AnnouncementId, system: SubsystemId) -> Result<()> {
    cx.may_somewhere(ASK).or_else(|_| cx.may_somewhere(INTEGRATE))?;
    let part = find(k, cx, id).await?;
    let hidden = Error::NotFound { kind: SubsystemId::KIND };
    let consumer = part.consumers.iter().find(|c| c.subsystem == system).ok_or(hidden)?;
    if !speaks_for(cx, consumer) {
        return Err(Error::Denied { permission: ASK.name });
    }
    let mut tx = k.begin(cx).await?;
    if !store::acknowledge(&mut tx, id, system).await? {
        return Ok(());
    }
    tx.audit("exchange.announcement.acknowledge", &id.to_ref(), json!({ "subsystem": system })).await?;
    tx.commit().await?;
    Ok(())
}

async fn published(tx: &mut Tx, a: &Announcement) -> Result<()> {
    let (announcement, service) = (a.id, a.service);
    tx.publish(&events::ServiceAnnounced { announcement, service, kind: a.said.kind }).await
}

fn refused(code: &'static str, text: fn(Lang) -> &'static str) -> Error {
    Refusal::new(code, Text::both(text)).into()
}
