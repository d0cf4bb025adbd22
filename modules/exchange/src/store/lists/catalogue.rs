//! Lists of members, subsystems, services and endpoints.

use base::clock::Timestamp;
use kernel::db::{Db, Row, Value};
use kernel::orgs::UnitId;
use kernel::{Result, params};

use crate::endpoint::Route;
use crate::ids::{EndpointId, MemberId, ServiceId, SubsystemId};
use crate::service::{BaseUrl, ServiceKind, ServiceState};
use crate::store::registry::{parsed, route_from, state_from};
use crate::viewer::Viewer;

use super::matching;

/// Which part of a list is asked for.
#[derive(Debug, Clone, Default)]
pub struct CatalogueFilter {
    /// Words that must occur in name or code.
    pub search: String,
    /// Only things of this member.
    pub member: Option<MemberId>,
    /// Only things of this subsystem.
    pub subsystem: Option<SubsystemId>,
    /// Only services of the province, or only those from outside it.
    pub reach: Option<Reach>,
    /// Services registered at this moment instead of now.
    pub at: Option<Timestamp>,
    /// Continue after the row with this identifier.
    pub after: Option<String>,
    /// At most this many rows.
    pub limit: u32,
}

/// Whose services: a member with an agency in the province, or one without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Of the province's agencies.
    Internal,
    /// Of ministries and national systems.
    National,
}

impl Reach {
    /// As written in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::National => "national",
        }
    }

    /// The reach written so.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Internal, Self::National].into_iter().find(|r| r.as_str() == word)
    }

    /// The condition on the member, alias `m`.
    const fn condition(self) -> &'static str {
        match self {
            Self::Internal => "m.agency_id IS NOT NULL",
            Self::National => "m.agency_id IS NULL",
        }
    }
}

/// Paths of the subsystems of members without an agency in the province.
///
/// # Errors
/// When the database is away.
pub async fn national_providers(db: &Db) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT r.instance, m.class, m.code AS member, s.code FROM exchange_subsystem s
         JOIN exchange_member m ON m.id = s.member_id JOIN exchange_registry r ON r.one = 1 WHERE {}",
        Reach::National.condition()
    );
    let path =
        |r: &Row| Ok([r.text("instance")?, r.text("class")?, r.text("member")?, r.text("code")?].join("/"));
    db.query(&sql, params![]).await?.iter().map(path).collect()
}

/// A member in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// The member.
    pub id: MemberId,
    /// Member class.
    pub class: String,
    /// Code within the class.
    pub code: String,
    /// Name in Vietnamese.
    pub name: String,
    /// The agency behind it.
    pub agency: Option<UnitId>,
    /// How many subsystems it has.
    pub subsystems: i64,
    /// How many services it provides.
    pub services: i64,
    /// When it was last changed.
    pub changed_at: Timestamp,
}

/// A subsystem in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubsystemRow {
    /// The subsystem.
    pub id: SubsystemId,
    /// `class/member/subsystem`.
    pub key: String,
    /// Name in Vietnamese.
    pub name: String,
    /// Whose it is.
    pub member: MemberId,
    /// The member's name.
    pub member_name: String,
    /// How many services it provides.
    pub services: i64,
    /// How many agreements it has as a consumer, whatever their state.
    pub consumes: i64,
}

/// A service in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRow {
    /// The service.
    pub id: ServiceId,
    /// `class/member/subsystem/service`.
    pub key: String,
    /// Name in Vietnamese.
    pub name: String,
    /// Its provider.
    pub subsystem: SubsystemId,
    /// The provider's name.
    pub subsystem_name: String,
    /// The provider's member.
    pub member: MemberId,
    /// The member's name.
    pub member_name: String,
    /// How it is described.
    pub kind: ServiceKind,
    /// Where it lives.
    pub base_url: BaseUrl,
    /// Milliseconds the provider has to begin its answer.
    pub timeout_ms: i64,
    /// Whether calls pass.
    pub state: ServiceState,
    /// SHA-256 of its OpenAPI document.
    pub document: Option<String>,
    /// How many endpoints it declares.
    pub endpoints: i64,
    /// How many agreements there are for it, whatever their state.
    pub agreements: i64,
    /// When it was last changed.
    pub changed_at: Timestamp,
}

/// An endpoint of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRow {
    /// The endpoint.
    pub id: EndpointId,
    /// Method and path.
    pub route: Route,
    /// What it is for.
    pub name: String,
}

/// Members a reader sees: those of their agencies; a system sees its own. Alias `m`.
pub(super) fn sees_member(viewer: &Viewer, p: &mut Vec<Value>) -> String {
    match viewer {
        Viewer::Subsystem(id) => {
            p.push(id.into());
            format!("m.id IN (SELECT member_id FROM exchange_subsystem WHERE id = ${})", p.len())
        }
        _ => viewer.condition(&["m.agency_id"], &[], p),
    }
}

/// Subsystems a reader sees. Aliases `s` and `m`.
pub(super) fn sees_subsystem(viewer: &Viewer, p: &mut Vec<Value>) -> String {
    viewer.condition(&["m.agency_id"], &["s.id"], p)
}

/// Services a reader sees: their own, and those for which they have or asked for an agreement. Aliases `v`
/// (service), `s` (its subsystem), `m` (its member).
pub(super) fn sees_service(viewer: &Viewer, p: &mut Vec<Value>) -> String {
    if *viewer == Viewer::All {
        return "1 = 1".to_owned();
    }
    let own = viewer.condition(&["m.agency_id"], &["s.id"], p);
    let used = viewer.condition(&["cm.agency_id"], &["a.consumer_id"], p);
    format!(
        "({own} OR v.id IN (SELECT a.service_id FROM exchange_agreement a
             JOIN exchange_subsystem c ON c.id = a.consumer_id JOIN exchange_member cm ON cm.id = c.member_id
             WHERE {used}))"
    )
}

/// The condition for rows after the one with the given identifier, in the order of `sort_key` and `id`.
async fn after(db: &Db, table: &str, alias: &str, after: Option<&str>, p: &mut Vec<Value>) -> Result<String> {
    let Some(id) = after else { return Ok("1 = 1".to_owned()) };
    let sql = format!("SELECT sort_key FROM {table} WHERE id = $1");
    let Some(row) = db.query_opt(&sql, params![id]).await? else { return Ok("1 = 1".to_owned()) };
    p.extend(params![row.text("sort_key")?, id]);
    let (key, last) = (p.len() - 1, p.len());
    Ok(format!("({alias}.sort_key > ${key} OR ({alias}.sort_key = ${key} AND {alias}.id > ${last}))"))
}

const MEMBER: &str = "SELECT m.id, m.class, m.code, m.name, m.agency_id, m.changed_at,
    (SELECT COUNT(*) FROM exchange_subsystem s WHERE s.member_id = m.id AND s.retired_at IS NULL) AS subsystems,
    (SELECT COUNT(*) FROM exchange_service v JOIN exchange_subsystem s ON s.id = v.subsystem_id
     WHERE s.member_id = m.id AND v.retired_at IS NULL) AS services
    FROM exchange_member m";

fn member_row(r: &Row) -> Result<MemberRow> {
    Ok(MemberRow {
        id: r.id("id")?,
        class: r.text("class")?,
        code: r.text("code")?,
        name: r.text("name")?,
        agency: r.opt_id("agency_id")?,
        subsystems: r.int("subsystems")?,
        services: r.int("services")?,
        changed_at: r.time("changed_at")?,
    })
}

/// Members in the order of their names.
///
/// # Errors
/// When the database is away.
pub async fn members(db: &Db, viewer: &Viewer, f: &CatalogueFilter) -> Result<Vec<MemberRow>> {
    let mut p = params![];
    let seen = sees_member(viewer, &mut p);
    let found = matching(&f.search, "m.search_key", &mut p);
    let rest = after(db, "exchange_member", "m", f.after.as_deref(), &mut p).await?;
    p.extend(params![f.limit]);
    let sql = format!(
        "{MEMBER} WHERE m.retired_at IS NULL AND {seen} AND {found} AND {rest}
         ORDER BY m.sort_key, m.id LIMIT ${}",
        p.len()
    );
    db.query(&sql, p).await?.iter().map(member_row).collect()
}

/// One member, if the reader sees it.
///
/// # Errors
/// When the database is away.
pub async fn member(db: &Db, viewer: &Viewer, id: MemberId) -> Result<Option<MemberRow>> {
    let mut p = params![id];
    let seen = sees_member(viewer, &mut p);
    let sql = format!("{MEMBER} WHERE m.id = $1 AND m.retired_at IS NULL AND {seen}");
    db.query_opt(&sql, p).await?.as_ref().map(member_row).transpose()
}

const SUBSYSTEM: &str = "SELECT s.id, s.code, s.name, m.id AS member_id, m.class, m.code AS member_code,
    m.name AS member_name,
    (SELECT COUNT(*) FROM exchange_service v WHERE v.subsystem_id = s.id AND v.retired_at IS NULL) AS services,
    (SELECT COUNT(*) FROM exchange_agreement a WHERE a.consumer_id = s.id) AS consumes
    FROM exchange_subsystem s JOIN exchange_member m ON m.id = s.member_id";

fn subsystem_row(r: &Row) -> Result<SubsystemRow> {
    Ok(SubsystemRow {
        id: r.id("id")?,
        key: format!("{}/{}/{}", r.text("class")?, r.text("member_code")?, r.text("code")?),
        name: r.text("name")?,
        member: r.id("member_id")?,
        member_name: r.text("member_name")?,
        services: r.int("services")?,
        consumes: r.int("consumes")?,
    })
}

/// Subsystems in the order of their names.
///
/// # Errors
/// When the database is away.
pub async fn subsystems(db: &Db, viewer: &Viewer, f: &CatalogueFilter) -> Result<Vec<SubsystemRow>> {
    let mut p = params![];
    let seen = sees_subsystem(viewer, &mut p);
    let found = matching(&f.search, "s.search_key", &mut p);
    let rest = after(db, "exchange_subsystem", "s", f.after.as_deref(), &mut p).await?;
    let of = only(&[("m.id", f.member.map(Value::from))], &mut p);
    p.extend(params![f.limit]);
    let sql = format!(
        "{SUBSYSTEM} WHERE s.retired_at IS NULL AND {seen} AND {found} AND {rest} AND {of}
         ORDER BY s.sort_key, s.id LIMIT ${}",
        p.len()
    );
    db.query(&sql, p).await?.iter().map(subsystem_row).collect()
}

/// One subsystem, if the reader sees it.
///
/// # Errors
/// When the database is away.
pub async fn subsystem(db: &Db, viewer: &Viewer, id: SubsystemId) -> Result<Option<SubsystemRow>> {
    let mut p = params![id];
    let seen = sees_subsystem(viewer, &mut p);
    let sql = format!("{SUBSYSTEM} WHERE s.id = $1 AND s.retired_at IS NULL AND {seen}");
    db.query_opt(&sql, p).await?.as_ref().map(subsystem_row).transpose()
}

const SERVICE: &str = "SELECT v.id, v.code, v.name, v.kind, v.base_url, v.timeout_ms, v.enabled, v.notice, v.document,
    v.changed_at, s.id AS subsystem_id, s.code AS subsystem_code, s.name AS subsystem_name,
    m.id AS member_id, m.class, m.code AS member_code, m.name AS member_name,
    (SELECT COUNT(*) FROM exchange_endpoint e WHERE e.service_id = v.id AND e.retired_at IS NULL) AS endpoints,
    (SELECT COUNT(*) FROM exchange_agreement a WHERE a.service_id = v.id) AS agreements
    FROM exchange_service v JOIN exchange_subsystem s ON s.id = v.subsystem_id
    JOIN exchange_member m ON m.id = s.member_id";

fn service_row(r: &Row) -> Result<ServiceRow> {
    let code = r.text("code")?;
    Ok(ServiceRow {
        id: r.id("id")?,
        key: format!("{}/{}/{}/{code}", r.text("class")?, r.text("member_code")?, r.text("subsystem_code")?),
        name: r.text("name")?,
        subsystem: r.id("subsystem_id")?,
        subsystem_name: r.text("subsystem_name")?,
        member: r.id("member_id")?,
        member_name: r.text("member_name")?,
        kind: parsed(r, "kind")?,
        base_url: parsed(r, "base_url")?,
        timeout_ms: r.int("timeout_ms")?,
        state: state_from(r)?,
        document: r.opt_text("document")?,
        endpoints: r.int("endpoints")?,
        agreements: r.int("agreements")?,
        changed_at: r.time("changed_at")?,
    })
}

/// Services in the order of their names.
///
/// # Errors
/// When the database is away.
pub async fn services(db: &Db, viewer: &Viewer, f: &CatalogueFilter) -> Result<Vec<ServiceRow>> {
    let mut p = params![];
    let seen = sees_service(viewer, &mut p);
    let found = matching(&f.search, "v.search_key", &mut p);
    let rest = after(db, "exchange_service", "v", f.after.as_deref(), &mut p).await?;
    let of = only(&[("m.id", f.member.map(Value::from)), ("s.id", f.subsystem.map(Value::from))], &mut p);
    let standing = standing(f, &mut p);
    p.extend(params![f.limit]);
    let sql = format!(
        "{SERVICE} WHERE {standing} AND {seen} AND {found} AND {rest} AND {of}
         ORDER BY v.sort_key, v.id LIMIT ${}",
        p.len()
    );
    db.query(&sql, p).await?.iter().map(service_row).collect()
}

/// Whether a service counts: registered now, or at the moment asked for; of the reach asked for.
fn standing(f: &CatalogueFilter, p: &mut Vec<Value>) -> String {
    let registered = match f.at {
        None => "v.retired_at IS NULL".to_owned(),
        Some(at) => {
            p.push(at.into());
            format!("v.created_at <= ${n} AND (v.retired_at IS NULL OR v.retired_at > ${n})", n = p.len())
        }
    };
    match f.reach {
        None => registered,
        Some(reach) => format!("{registered} AND {}", reach.condition()),
    }
}

/// How many services the list with this filter has, counted to the end.
///
/// # Errors
/// When the database is away.
pub async fn service_count(db: &Db, viewer: &Viewer, f: &CatalogueFilter) -> Result<i64> {
    let mut p = params![];
    let seen = sees_service(viewer, &mut p);
    let standing = standing(f, &mut p);
    let sql = format!(
        "SELECT COUNT(*) AS n FROM exchange_service v JOIN exchange_subsystem s ON s.id = v.subsystem_id
         JOIN exchange_member m ON m.id = s.member_id WHERE {standing} AND {seen}"
    );
    db.query_one(&sql, p).await?.int("n")
}

/// One service, if the reader sees it.
///
/// # Errors
/// When the database is away.
pub async fn service(db: &Db, viewer: &Viewer, id: ServiceId) -> Result<Option<ServiceRow>> {
    let mut p = params![id];
    let seen = sees_service(viewer, &mut p);
    let sql = format!("{SERVICE} WHERE v.id = $1 AND v.retired_at IS NULL AND {seen}");
    db.query_opt(&sql, p).await?.as_ref().map(service_row).transpose()
}

/// The endpoints of a service the reader was found to see, in the order of their paths.
///
/// # Errors
/// When the database is away.
pub async fn endpoints(db: &Db, service: ServiceId) -> Result<Vec<EndpointRow>> {
    let sql = "SELECT id, method, path, name FROM exchange_endpoint
               WHERE service_id = $1 AND retired_at IS NULL ORDER BY path, method";
    let row = |r: &Row| Ok(EndpointRow { id: r.id("id")?, route: route_from(r)?, name: r.text("name")? });
    db.query(sql, params![service]).await?.iter().map(row).collect()
}

/// Conditions for the values that are given.
fn only(columns: &[(&str, Option<Value>)], p: &mut Vec<Value>) -> String {
    let mut out = String::from("1 = 1");
    for (column, value) in columns {
        if let Some(value) = value {
            p.push(value.clone());
            out.push_str(&format!(" AND {column} = ${}", p.len()));
        }
    }
    out
}
