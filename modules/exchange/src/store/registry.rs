//! The registry in tables: reads it as the declarative file would state it, and writes single things of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use base::clock::{Date, Timestamp};
use base::text;
use kernel::db::{Db, Row};
use kernel::orgs::UnitId;
use kernel::{Error, Result, Tx, params};

use crate::agreement::Scope;
use crate::diff::Stored;
use crate::endpoint::Route;
use crate::ids::{EndpointId, MemberId, ServiceId, SubsystemId};
use crate::key::{MemberKey, ServiceKey, SubsystemKey};
use crate::registry::{
    AgreementSpec, DocumentSpec, InitialState, MemberSpec, ScopeSpec, ServiceSpec, SubsystemSpec,
};
use crate::service::{BaseUrl, ServiceState};

use super::agreements;

/// Identifiers by key, of retired things too: what comes back keeps its identity.
#[derive(Debug, Clone, Default)]
pub struct Ids {
    /// Members.
    pub members: HashMap<MemberKey, MemberId>,
    /// Subsystems.
    pub subsystems: HashMap<SubsystemKey, SubsystemId>,
    /// Services.
    pub services: HashMap<ServiceKey, ServiceId>,
    /// Endpoints.
    pub endpoints: HashMap<(ServiceKey, Route), EndpointId>,
}

/// The registry as stored.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// As the file would state it.
    pub stored: Stored,
    /// The identifiers behind the keys.
    pub ids: Ids,
    /// The number of this state.
    pub serial: i64,
}

/// The number of the registry's present state and its instance; zero and empty before the first import.
///
/// # Errors
/// When the database is away.
pub async fn serial(db: &Db) -> Result<(i64, String)> {
    match db.query_opt("SELECT serial, instance FROM exchange_registry WHERE one = 1", params![]).await? {
        Some(row) => Ok((row.int("serial")?, row.text("instance")?)),
        None => Ok((0, String::new())),
    }
}

/// Reads the whole registry, without documents' bytes and without clients.
///
/// # Errors
/// When the database is away or a row cannot be understood.
pub async fn load(db: &Db, today: Date) -> Result<Loaded> {
    let (serial, instance) = serial(db).await?;
    let mut out = Loaded { serial, ..Loaded::default() };
    out.stored.registry.instance = instance;
    let members = members(db, &mut out).await?;
    let subsystems = subsystems(db, &members, &mut out).await?;
    let services = services(db, &subsystems, &mut out).await?;
    let routes = endpoints(db, &services, &mut out).await?;
    for a in agreements::all(db).await? {
        let (Some(consumer), Some(service)) = (subsystems.get(&a.consumer), services.get(&a.service)) else {
            return Err(Error::internal(format!("agreement {} has lost a party", a.number)));
        };
        let scope = match &a.terms.scope {
            Scope::Whole => ScopeSpec::Whole,
            Scope::Endpoints(ids) => ScopeSpec::Endpoints(
                ids.iter().filter_map(|id| routes.get(id).cloned()).collect::<BTreeSet<_>>(),
            ),
        };
        out.stored.states.insert(a.number.clone(), a.state_on(today));
        let terms = a.terms;
        let spec = AgreementSpec {
            consumer: consumer.clone(),
            service: service.clone(),
            scope,
            purpose: terms.purpose,
            legal_basis: terms.legal_basis,
            fields: terms.fields,
            quota: terms.quota,
            valid_from: terms.valid_from,
            valid_to: terms.valid_to,
            letter: terms.letter,
            security: terms.security,
            state: InitialState::Waiting,
            line: 0,
        };
        out.stored.registry.agreements.insert(a.number, spec);
    }
    Ok(out)
}

async fn members(db: &Db, out: &mut Loaded) -> Result<HashMap<MemberId, MemberKey>> {
    let mut by_id = HashMap::new();
    let sql = "SELECT id, class, code, name, agency_code, retired_at FROM exchange_member";
    for r in db.query(sql, params![]).await? {
        let key = MemberKey { class: r.text("class")?, code: r.text("code")? };
        let id: MemberId = r.id("id")?;
        out.ids.members.insert(key.clone(), id);
        if r.opt_int("retired_at")?.is_none() {
            let spec = MemberSpec { name: r.text("name")?, agency: r.opt_text("agency_code")?, line: 0 };
            out.stored.registry.members.insert(key.clone(), spec);
        }
        by_id.insert(id, key);
    }
    Ok(by_id)
}

async fn subsystems(
    db: &Db,
    members: &HashMap<MemberId, MemberKey>,
    out: &mut Loaded,
) -> Result<HashMap<SubsystemId, SubsystemKey>> {
    let mut by_id = HashMap::new();
    let sql = "SELECT id, member_id, code, name, retired_at FROM exchange_subsystem";
    for r in db.query(sql, params![]).await? {
        let member = known(members, r.id("member_id")?)?;
        let key = SubsystemKey { member, code: r.text("code")? };
        let id: SubsystemId = r.id("id")?;
        out.ids.subsystems.insert(key.clone(), id);
        if r.opt_int("retired_at")?.is_none() {
            let spec = SubsystemSpec { name: r.text("name")?, line: 0 };
            out.stored.registry.subsystems.insert(key.clone(), spec);
        }
        by_id.insert(id, key);
    }
    Ok(by_id)
}

async fn services(
    db: &Db,
    subsystems: &HashMap<SubsystemId, SubsystemKey>,
    out: &mut Loaded,
) -> Result<HashMap<ServiceId, ServiceKey>> {
    let mut by_id = HashMap::new();
    let sql = "SELECT id, subsystem_id, code, name, kind, base_url, sandbox_url, timeout_ms, enabled, notice, document,
               retired_at
               FROM exchange_service";
    for r in db.query(sql, params![]).await? {
        let subsystem = known(subsystems, r.id("subsystem_id")?)?;
        let key = ServiceKey { subsystem, code: r.text("code")? };
        let id: ServiceId = r.id("id")?;
        out.ids.services.insert(key.clone(), id);
        if r.opt_int("retired_at")?.is_none() {
            out.stored.registry.services.insert(key.clone(), service_spec(&r)?);
        }
        by_id.insert(id, key);
    }
    Ok(by_id)
}

fn service_spec(r: &Row) -> Result<ServiceSpec> {
    let document = r.opt_text("document")?.map(|sha256| DocumentSpec { sha256, bytes: Vec::new() });
    Ok(ServiceSpec {
        name: r.text("name")?,
        kind: parsed(r, "kind")?,
        base_url: parsed(r, "base_url")?,
        sandbox_url: sandbox_from(r)?,
        timeout: Duration::from_millis(u64::try_from(r.int("timeout_ms")?).unwrap_or(0)),
        state: state_from(r)?,
        document,
        endpoints: BTreeMap::new(),
        line: 0,
    })
}

/// Where the sandbox of a service lives.
pub(super) fn sandbox_from(r: &Row) -> Result<Option<BaseUrl>> {
    if r.opt_text("sandbox_url")?.is_none() { Ok(None) } else { parsed(r, "sandbox_url").map(Some) }
}

/// The state of a service from its columns `enabled` and `notice`.
pub(super) fn state_from(r: &Row) -> Result<ServiceState> {
    Ok(if r.bool("enabled")? {
        ServiceState::Enabled
    } else {
        ServiceState::Disabled { notice: r.text("notice")? }
    })
}

async fn endpoints(
    db: &Db,
    services: &HashMap<ServiceId, ServiceKey>,
    out: &mut Loaded,
) -> Result<HashMap<EndpointId, Route>> {
    let mut by_id = HashMap::new();
    let sql = "SELECT id, service_id, method, path, name, retired_at FROM exchange_endpoint";
    for r in db.query(sql, params![]).await? {
        let service = known(services, r.id("service_id")?)?;
        let (id, route): (EndpointId, _) = (r.id("id")?, route_from(&r)?);
        if r.opt_int("retired_at")?.is_none()
            && let Some(spec) = out.stored.registry.services.get_mut(&service)
        {
            spec.endpoints.insert(route.clone(), r.text("name")?);
        }
        out.ids.endpoints.insert((service, route.clone()), id);
        by_id.insert(id, route);
    }
    Ok(by_id)
}

/// A route from its columns `method` and `path`.
pub(super) fn route_from(r: &Row) -> Result<Route> {
    Ok(Route { method: parsed(r, "method")?, path: parsed(r, "path")? })
}

/// A column whose type tells what is wrong with it in words for people.
pub(crate) fn parsed<T: std::str::FromStr<Err = base::i18n::Text>>(r: &Row, column: &str) -> Result<T> {
    r.text(column)?.parse().map_err(|e: base::i18n::Text| Error::internal(format!("{column}: {}", e.en)))
}

fn known<K: std::hash::Hash + Eq + std::fmt::Debug, V: Clone>(map: &HashMap<K, V>, id: K) -> Result<V> {
    map.get(&id).cloned().ok_or_else(|| Error::internal(format!("{id:?} is not in the registry")))
}

/// Raises the registry's number within an action; returns the new one. Also the lock under which actions
/// that change the registry follow each other.
///
/// # Errors
/// When the database is away.
pub async fn bump(tx: &mut Tx, instance: Option<&str>, now: Timestamp) -> Result<i64> {
    let sql = "INSERT INTO exchange_registry (one, instance, serial, changed_at) VALUES (1, $1, 1, $2)
               ON CONFLICT (one) DO UPDATE SET serial = exchange_registry.serial + 1, changed_at = EXCLUDED.changed_at
               RETURNING serial";
    let row = tx.query_opt(sql, params![instance.unwrap_or("VN"), now]).await?;
    row.ok_or_else(|| Error::internal("the registry has no row"))?.int("serial")
}

fn search_key(name: &str, codes: &str) -> String {
    format!("{} {}", text::fold(name), text::fold(codes))
}

/// Adds or changes a member; one that was retired comes back.
///
/// # Errors
/// When the database is away.
pub async fn put_member(
    tx: &mut Tx,
    id: MemberId,
    key: &MemberKey,
    spec: &MemberSpec,
    agency: Option<UnitId>,
    now: Timestamp,
) -> Result<()> {
    let sql = "INSERT INTO exchange_member
                   (id, class, code, name, sort_key, search_key, agency_id, agency_code, created_at, changed_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
               ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, sort_key = EXCLUDED.sort_key,
                   search_key = EXCLUDED.search_key, agency_id = EXCLUDED.agency_id,
                   agency_code = EXCLUDED.agency_code, changed_at = EXCLUDED.changed_at, retired_at = NULL";
    let search = search_key(&spec.name, &key.to_string());
    let agency_code = spec.agency.as_deref();
    let sort = text::sort_key(&spec.name);
    tx.execute(sql, params![id, &key.class, &key.code, &spec.name, sort, search, agency, agency_code, now])
        .await?;
    Ok(())
}

/// Adds or changes a subsystem; one that was retired comes back.
///
/// # Errors
/// When the database is away.
pub async fn put_subsystem(
    tx: &mut Tx,
    id: SubsystemId,
    member: MemberId,
    key: &SubsystemKey,
    spec: &SubsystemSpec,
    now: Timestamp,
) -> Result<()> {
    let sql = "INSERT INTO exchange_subsystem
                   (id, member_id, code, name, sort_key, search_key, created_at, changed_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
               ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, sort_key = EXCLUDED.sort_key,
                   search_key = EXCLUDED.search_key, changed_at = EXCLUDED.changed_at, retired_at = NULL";
    let search = search_key(&spec.name, &key.to_string());
    tx.execute(sql, params![id, member, &key.code, &spec.name, text::sort_key(&spec.name), search, now])
        .await?;
    Ok(())
}

/// Adds or changes a service; one that was retired comes back.
///
/// # Errors
/// When the database is away.
pub async fn put_service(
    tx: &mut Tx,
    id: ServiceId,
    subsystem: SubsystemId,
    key: &ServiceKey,
    spec: &ServiceSpec,
    now: Timestamp,
) -> Result<()> {
    let sql =
        "INSERT INTO exchange_service (id, subsystem_id, code, name, sort_key, search_key, kind, base_url,
                   timeout_ms, enabled, notice, document, created_at, changed_at, sandbox_url)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14)
               ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, sort_key = EXCLUDED.sort_key,
                   search_key = EXCLUDED.search_key, kind = EXCLUDED.kind, base_url = EXCLUDED.base_url,
                   timeout_ms = EXCLUDED.timeout_ms, enabled = EXCLUDED.enabled, notice = EXCLUDED.notice,
                   document = EXCLUDED.document, sandbox_url = EXCLUDED.sandbox_url, changed_at = EXCLUDED.changed_at, retired_at = NULL";
    let p = params![
        id,
        subsystem,
        &key.code,
        &spec.name,
        text::sort_key(&spec.name),
        search_key(&spec.name, &key.to_string()),
        spec.kind.as_str(),
        spec.base_url.as_str(),
        i64::try_from(spec.timeout.as_millis()).unwrap_or(i64::MAX),
        spec.state == ServiceState::Enabled,
        spec.state.notice().unwrap_or_default(),
        spec.document.as_ref().map(|d| d.sha256.as_str()),
        now,
        spec.sandbox_url.as_ref().map(BaseUrl::as_str),
    ];
    tx.execute(sql, p).await?;
    Ok(())
}

/// Adds or renames an endpoint; one that was retired comes back.
///
/// # Errors
/// When the database is away.
pub async fn put_endpoint(
    tx: &mut Tx,
    id: EndpointId,
    service: ServiceId,
    route: &Route,
    name: &str,
) -> Result<()> {
    let sql = "INSERT INTO exchange_endpoint (id, service_id, method, path, name) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, retired_at = NULL";
    tx.execute(sql, params![id, service, route.method.as_str(), route.path.as_str(), name]).await?;
    Ok(())
}

/// What can be retired.
#[derive(Debug, Clone, Copy)]
pub enum Retired {
    /// A member.
    Member(MemberId),
    /// A subsystem.
    Subsystem(SubsystemId),
    /// A service.
    Service(ServiceId),
    /// An endpoint.
    Endpoint(EndpointId),
}

/// Takes a thing out of the registry; its row stays for the records that point to it.
///
/// # Errors
/// When the database is away.
pub async fn retire(tx: &mut Tx, what: Retired, now: Timestamp) -> Result<()> {
    let (table, id) = match what {
        Retired::Member(id) => ("exchange_member", id.to_string()),
        Retired::Subsystem(id) => ("exchange_subsystem", id.to_string()),
        Retired::Service(id) => ("exchange_service", id.to_string()),
        Retired::Endpoint(id) => ("exchange_endpoint", id.to_string()),
    };
    tx.execute(&format!("UPDATE {table} SET retired_at = $2 WHERE id = $1"), params![id, now]).await?;
    Ok(())
}
