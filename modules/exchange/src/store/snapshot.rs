//! Compiles the snapshot from the tables. The registry's number is read before and after: when it moved in
//! between, the reading is repeated, so that a snapshot is always one state of the registry.

use std::collections::HashMap;
use std::time::Duration;

use base::clock::{Date, Timestamp};
use kernel::db::Db;
use kernel::{Error, Kernel, Result, params};

use crate::agreement::{Agreement, Scope, State};
use crate::announcement;
use crate::endpoint::Route;
use crate::ids::{EndpointId, ServiceId};
use crate::snapshot::{
    AgreementEntry, Announced, Contents, EndpointEntry, MemberEntry, ScopeEntry, ServiceEntry, Snapshot,
    Standing, SubsystemEntry,
};

use super::zones::Marked;
use super::{agreements, registry, zones};

/// How long after its end an agreement is still named in refusals.
const REMEMBERED_DAYS: i64 = 90;
/// Readings before giving up; each fails only if the registry changed while it was read.
const TRIES: usize = 10;

/// Compiles the present state of the registry.
///
/// # Errors
/// When the database is away, or the tables contradict themselves.
pub async fn compile(k: &Kernel, instance: &str, lifetime: Duration) -> Result<Snapshot> {
    for _ in 0..TRIES {
        let (before, stored) = registry::serial(&k.db).await?;
        let now = k.clock.now();
        let instance = if stored.is_empty() { instance.to_owned() } else { stored };
        let contents = read(&k.db, before, instance, now, lifetime).await?;
        if registry::serial(&k.db).await?.0 == before {
            return tokio::task::spawn_blocking(move || Snapshot::compile(contents))
                .await
                .map_err(Error::internal)?
                .map_err(Error::internal);
        }
    }
    Err(Error::internal("the registry keeps changing while it is read"))
}

async fn read(
    db: &Db,
    serial: i64,
    instance: String,
    now: Timestamp,
    lifetime: Duration,
) -> Result<Contents> {
    let sql =
        "SELECT id, class, code, name FROM exchange_member WHERE retired_at IS NULL ORDER BY class, code";
    let rows = db.query(sql, params![]).await?;
    let members = rows.iter().map(|r| {
        Ok(MemberEntry {
            id: r.id("id")?,
            class: r.text("class")?,
            code: r.text("code")?,
            name: r.text("name")?,
        })
    });
    let members = members.collect::<Result<Vec<_>>>()?;
    let sql = "SELECT s.id, s.member_id, s.code, s.name FROM exchange_subsystem s
               JOIN exchange_member m ON m.id = s.member_id
               WHERE s.retired_at IS NULL AND m.retired_at IS NULL ORDER BY m.class, m.code, s.code";
    let rows = db.query(sql, params![]).await?;
    let subsystems = rows.iter().map(|r| {
        Ok(SubsystemEntry {
            id: r.id("id")?,
            member: r.id("member_id")?,
            code: r.text("code")?,
            name: r.text("name")?,
            path: String::new(),
            member_at: 0,
        })
    });
    let subsystems = subsystems.collect::<Result<Vec<_>>>()?;
    let announced = announcement::in_force(db, &instance).await?;
    let marked = zones::all(db).await?;
    let (services, routes) = services(db, &subsystems, announced, &marked).await?;
    let known: std::collections::HashSet<_> = subsystems.iter().map(|s| s.id).collect();
    let offered: std::collections::HashSet<_> = services.iter().map(|s| s.id).collect();
    let all = agreements::all(db).await?;
    let agreements = all
        .into_iter()
        .filter(|a| known.contains(&a.consumer) && offered.contains(&a.service))
        .filter_map(|a| entry(a, &routes, &marked, now.date()))
        .collect();
    let serial = u64::try_from(serial).unwrap_or(0);
    let not_after = now.plus(lifetime);
    Ok(Contents { serial, compiled_at: now, not_after, instance, members, subsystems, services, agreements })
}

async fn services(
    db: &Db,
    subsystems: &[SubsystemEntry],
    mut announced: HashMap<ServiceId, Announced>,
    marked: &Marked,
) -> Result<(Vec<ServiceEntry>, HashMap<EndpointId, Route>)> {
    let mut endpoints: HashMap<ServiceId, Vec<EndpointEntry>> = HashMap::new();
    let mut routes = HashMap::new();
    let sql = "SELECT id, service_id, method, path FROM exchange_endpoint WHERE retired_at IS NULL
               ORDER BY path, method";
    for r in db.query(sql, params![]).await? {
        let (id, route) = (r.id("id")?, registry::route_from(&r)?);
        routes.insert(id, route.clone());
        endpoints.entry(r.id("service_id")?).or_default().push(EndpointEntry { id, route });
    }
    let known: std::collections::HashSet<_> = subsystems.iter().map(|s| s.id).collect();
    let sql = "SELECT id, subsystem_id, code, name, kind, base_url, sandbox_url, timeout_ms, enabled, notice, document
               FROM exchange_service WHERE retired_at IS NULL ORDER BY id";
    let mut services = Vec::new();
    for r in db.query(sql, params![]).await? {
        let (id, provider) = (r.id("id")?, r.id("subsystem_id")?);
        if !known.contains(&provider) {
            continue;
        }
        services.push(ServiceEntry {
            id,
            provider,
            code: r.text("code")?,
            name: r.text("name")?,
            kind: registry::parsed(&r, "kind")?,
            base_url: registry::parsed(&r, "base_url")?,
            sandbox_url: registry::sandbox_from(&r)?,
            timeout_ms: u64::try_from(r.int("timeout_ms")?).unwrap_or(0),
            disabled: registry::state_from(&r)?.notice().map(ToOwned::to_owned),
            announced: announced.remove(&id),
            dedicated_only: marked.services.contains(&id),
            openapi: r.opt_text("document")?,
            endpoints: endpoints.remove(&id).unwrap_or_default(),
            path: String::new(),
            provider_at: 0,
        });
    }
    Ok((services, routes))
}

/// What calls need of an agreement; `None` for one that never was in force or is long over.
fn entry(
    a: Agreement,
    routes: &HashMap<EndpointId, Route>,
    marked: &Marked,
    today: Date,
) -> Option<AgreementEntry> {
    let standing = match a.state {
        State::Approved | State::Expired => Standing::InForce,
        State::Suspended => Standing::Suspended,
        State::Revoked => Standing::Revoked,
        State::Waiting | State::Refused | State::Returned | State::Withdrawn => return None,
    };
    let over_for = today.days_since_epoch() - a.terms.valid_to.days_since_epoch();
    if over_for > REMEMBERED_DAYS {
        return None;
    }
    let scope = match &a.terms.scope {
        Scope::Whole => ScopeEntry::Whole,
        Scope::Endpoints(ids) => {
            ScopeEntry::Endpoints(ids.iter().filter_map(|id| routes.get(id).cloned()).collect())
        }
    };
    Some(AgreementEntry {
        id: a.id,
        number: a.number,
        version: a.version,
        consumer: a.consumer,
        service: a.service,
        scope,
        fields: a.terms.fields,
        filter: Default::default(),
        environment: a.environment,
        dedicated_only: marked.agreements.contains(&a.id),
        quota: a.terms.quota,
        valid_from: Timestamp::start_of(a.terms.valid_from),
        valid_until: a
            .terms
            .valid_to
            .plus_days(1)
            .map_or(Timestamp::from_micros(i64::MAX), Timestamp::start_of),
        standing,
    })
}
