//! The list of agreements, newest step first, and how many there are in each state.

use std::fmt;
use std::str::FromStr;

use base::clock::{Date, Timestamp};
use kernel::db::{Db, Row, Value};
use kernel::orgs::UnitId;
use kernel::{Result, params};

use crate::agreement::State;
use crate::environment::Environment;
use crate::ids::{AgreementId, MemberId, ServiceId, SubsystemId};
use crate::viewer::Viewer;

use super::{COUNTED, matching};

/// Which agreements are asked for.
#[derive(Debug, Clone, Default)]
pub struct AgreementFilter {
    /// Only those that stand so today.
    pub state: Option<State>,
    /// Only those of this consumer.
    pub consumer: Option<SubsystemId>,
    /// Only those for this service.
    pub service: Option<ServiceId>,
    /// Only those in which this member takes part.
    pub member: Option<MemberId>,
    /// Words that must occur in number or purpose.
    pub search: String,
    /// Continue after this row.
    pub after: Option<After>,
    /// At most this many rows.
    pub limit: u32,
}

/// Where a list continues: the last row's step and identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    /// When its last step was taken.
    pub at: Timestamp,
    /// Its identifier.
    pub id: AgreementId,
}

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.micros(), self.id)
    }
}

impl FromStr for After {
    type Err = base::ids::BadId;

    fn from_str(s: &str) -> std::result::Result<Self, Self::Err> {
        let bad = || base::ids::BadId("cursor");
        let (at, id) = s.split_once('.').ok_or_else(bad)?;
        Ok(Self { at: Timestamp::from_micros(at.parse().map_err(|_| bad())?), id: id.parse()? })
    }
}

/// An agreement in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementRow {
    /// The agreement.
    pub id: AgreementId,
    /// Its number.
    pub number: String,
    /// Where it stands today.
    pub state: State,
    /// Its version.
    pub version: u32,
    /// What the data is for.
    pub purpose: String,
    /// First day.
    pub valid_from: Date,
    /// Last day, included.
    pub valid_to: Date,
    /// When its last step was taken.
    pub changed_at: Timestamp,
    /// Where its calls go.
    pub environment: Environment,
    /// When it was named in the catalogue.
    pub published_at: Option<Timestamp>,
    /// Who may call.
    pub consumer: SubsystemId,
    /// `class/member/subsystem` of the consumer.
    pub consumer_key: String,
    /// The consumer's name.
    pub consumer_name: String,
    /// The consumer's member.
    pub consumer_member: String,
    /// The agency behind the consumer.
    pub consumer_agency: Option<UnitId>,
    /// What may be called.
    pub service: ServiceId,
    /// `class/member/subsystem/service`.
    pub service_key: String,
    /// The service's name.
    pub service_name: String,
    /// The provider's member.
    pub provider_member: String,
    /// The agency behind the provider.
    pub provider_agency: Option<UnitId>,
}

const TABLES: &str = "exchange_agreement a
    JOIN exchange_subsystem c ON c.id = a.consumer_id JOIN exchange_member cm ON cm.id = c.member_id
    JOIN exchange_service v ON v.id = a.service_id JOIN exchange_subsystem s ON s.id = v.subsystem_id
    JOIN exchange_member pm ON pm.id = s.member_id";

const COLUMNS: &str = "a.id, a.number, a.version, a.purpose, a.valid_from, a.valid_to, a.changed_at,
    a.environment, a.published_at,
    a.consumer_id, c.code AS consumer_code, c.name AS consumer_name, cm.class AS consumer_class,
    cm.code AS consumer_member_code, cm.name AS consumer_member, cm.agency_id AS consumer_agency,
    a.service_id, v.code AS service_code, v.name AS service_name, s.code AS provider_code,
    pm.class AS provider_class, pm.code AS provider_member_code, pm.name AS provider_member,
    pm.agency_id AS provider_agency";

/// Where an agreement stands today: past its last day it has expired, recorded or not. `$1` is today.
const STATE: &str =
    "CASE WHEN a.state IN ('approved', 'suspended') AND a.valid_to < $1 THEN 'expired' ELSE a.state END";

fn row(r: &Row) -> Result<AgreementRow> {
    let path = |parts: &[&str]| -> Result<String> {
        Ok(parts.iter().map(|c| r.text(c)).collect::<Result<Vec<_>>>()?.join("/"))
    };
    Ok(AgreementRow {
        id: r.id("id")?,
        number: r.text("number")?,
        state: r.id("state")?,
        version: u32::try_from(r.int("version")?).unwrap_or(u32::MAX),
        purpose: r.text("purpose")?,
        valid_from: r.date("valid_from")?,
        valid_to: r.date("valid_to")?,
        changed_at: r.time("changed_at")?,
        environment: r.id("environment")?,
        published_at: r.opt_time("published_at")?,
        consumer: r.id("consumer_id")?,
        consumer_key: path(&["consumer_class", "consumer_member_code", "consumer_code"])?,
        consumer_name: r.text("consumer_name")?,
        consumer_member: r.text("consumer_member")?,
        consumer_agency: r.opt_id("consumer_agency")?,
        service: r.id("service_id")?,
        service_key: path(&["provider_class", "provider_member_code", "provider_code", "service_code"])?,
        service_name: r.text("service_name")?,
        provider_member: r.text("provider_member")?,
        provider_agency: r.opt_id("provider_agency")?,
    })
}

/// Agreements in which the reader takes part. Said by the reader's subsystems, which are few and found first: each
/// column then has its own index.
fn sees(viewer: &Viewer, p: &mut Vec<Value>) -> String {
    if *viewer == Viewer::All {
        return "1 = 1".to_owned();
    }
    let own = viewer.condition(&["om.agency_id"], &["os.id"], p);
    let own = format!(
        "SELECT os.id FROM exchange_subsystem os JOIN exchange_member om ON om.id = os.member_id WHERE {own}"
    );
    format!(
        "(a.consumer_id IN ({own})
          OR a.service_id IN (SELECT ov.id FROM exchange_service ov WHERE ov.subsystem_id IN ({own})))"
    )
}

/// The condition that an agreement stands so on the day `$1`, in a form for which there is an index.
fn stands(state: State) -> &'static str {
    match state {
        State::Waiting => "a.state = 'waiting'",
        State::Refused => "a.state = 'refused'",
        State::Revoked => "a.state = 'revoked'",
        State::Returned => "a.state = 'returned'",
        State::Withdrawn => "a.state = 'withdrawn'",
        State::Approved => "a.state = 'approved' AND a.valid_to >= $1",
        State::Suspended => "a.state = 'suspended' AND a.valid_to >= $1",
        State::Expired => "(a.state = 'expired' OR a.state IN ('approved', 'suspended') AND a.valid_to < $1)",
    }
}

/// Agreements with the reader as a party, newest step first.
///
/// # Errors
/// When the database is away.
pub async fn agreements(
    db: &Db,
    viewer: &Viewer,
    today: Date,
    f: &AgreementFilter,
) -> Result<Vec<AgreementRow>> {
    let mut p = params![today];
    let mut conditions = vec![sees(viewer, &mut p), matching(&f.search, "a.search_key", &mut p)];
    let mut equal = |column: &str, value: Option<Value>| {
        if let Some(value) = value {
            p.push(value);
            conditions.push(format!("{column} = ${}", p.len()));
        }
    };
    equal("a.consumer_id", f.consumer.map(Into::into));
    equal("a.service_id", f.service.map(Into::into));
    conditions.extend(f.state.map(|state| stands(state).to_owned()));
    if let Some(member) = f.member {
        p.push(member.into());
        conditions.push(format!("(cm.id = ${n} OR pm.id = ${n})", n = p.len()));
    }
    if let Some(after) = f.after {
        p.extend(params![after.at, after.id]);
        let (at, id) = (p.len() - 1, p.len());
        conditions.push(format!("(a.changed_at < ${at} OR (a.changed_at = ${at} AND a.id < ${id}))"));
    }
    p.extend(params![f.limit]);
    let sql = format!(
        "SELECT {COLUMNS}, {STATE} AS state FROM {TABLES} WHERE {} ORDER BY a.changed_at DESC, a.id DESC LIMIT ${}",
        conditions.join(" AND "),
        p.len()
    );
    db.query(&sql, p).await?.iter().map(row).collect()
}

/// One agreement with the names of its parties, if the reader is one of them.
///
/// # Errors
/// When the database is away.
pub async fn agreement_row(
    db: &Db,
    viewer: &Viewer,
    today: Date,
    id: AgreementId,
) -> Result<Option<AgreementRow>> {
    let mut p = params![today, id];
    let seen = sees(viewer, &mut p);
    let sql = format!("SELECT {COLUMNS}, {STATE} AS state FROM {TABLES} WHERE a.id = $2 AND {seen}");
    db.query_opt(&sql, p).await?.as_ref().map(row).transpose()
}

/// How many agreements the reader sees in each state, each counted up to [`COUNTED`] plus one.
///
/// # Errors
/// When the database is away.
pub async fn agreement_counts(
    db: &Db,
    viewer: &Viewer,
    today: Date,
    f: &AgreementFilter,
) -> Result<Vec<(State, i64)>> {
    let mut out = Vec::new();
    for state in State::ALL {
        let mut p = params![today];
        let seen = sees(viewer, &mut p);
        let found = matching(&f.search, "a.search_key", &mut p);
        p.extend(params![COUNTED + 1]);
        let (stands, bound) = (stands(state), p.len());
        // Today is a parameter of every one of these statements, whether or not the state asks for it.
        let sql = format!(
            "SELECT COUNT(*) AS n FROM (SELECT a.id FROM exchange_agreement a
             WHERE {seen} AND {found} AND {stands} AND $1 <> '' LIMIT ${bound}) AS counted"
        );
        out.push((state, db.query_one(&sql, p).await?.int("n")?));
    }
    Ok(out)
}
