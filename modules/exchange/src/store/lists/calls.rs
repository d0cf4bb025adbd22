//! Calls as the evidence log tells them: lists, single calls, counts by hour. Nothing personal is read here.

use std::fmt;
use std::str::FromStr;

use base::clock::Timestamp;
use kernel::db::{Db, Row, Value};
use kernel::{Result, params};

use crate::ids::AgreementId;
use crate::traffic::Side;

use super::COUNTED;

/// How calls are told apart in lists and counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The provider's complete answer went to the consumer.
    Answered,
    /// The gateway refused by a rule.
    Refused,
    /// The provider or the gateway failed, or the answer broke off.
    Failed,
    /// The consumer went away or its request broke off.
    Broken,
    /// The process ended before the call did: nobody knows how it ended.
    Unknown,
    /// Still running.
    Running,
}

impl Ending {
    /// Every ending, in the order pages show them.
    pub const ALL: [Self; 6] =
        [Self::Answered, Self::Refused, Self::Failed, Self::Broken, Self::Unknown, Self::Running];

    /// As written in addresses and interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
            Self::Running => "running",
        }
    }

    /// The ending written so.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.as_str() == word)
    }

    /// The ending of a recorded outcome; `None` is a call without one.
    pub fn of(outcome: Option<&str>) -> Self {
        match outcome {
            None => Self::Running,
            Some("answered") => Self::Answered,
            Some("refused") => Self::Refused,
            Some("unknown") => Self::Unknown,
            Some("consumer_gone" | "request_incomplete") => Self::Broken,
            Some(_) => Self::Failed,
        }
    }

    /// The SQL condition that says the same. What did not end well has a side, by which it is found fast.
    fn condition(self) -> &'static str {
        match self {
            Self::Running => "outcome IS NULL",
            Self::Answered => "outcome = 'answered'",
            Self::Refused => "side > 0 AND outcome = 'refused'",
            Self::Unknown => "outcome = 'unknown'",
            Self::Broken => "side > 0 AND outcome IN ('consumer_gone', 'request_incomplete')",
            Self::Failed => {
                "side > 0 AND outcome NOT IN ('answered', 'refused', 'unknown', 'consumer_gone', 'request_incomplete')"
            }
        }
    }
}

/// Which calls are asked for.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    /// Only calls that arrived from this moment on.
    pub from: Option<Timestamp>,
    /// Only calls that arrived before this moment.
    pub until: Option<Timestamp>,
    /// Only calls by this subsystem (path).
    pub client: Option<String>,
    /// Only calls of this service (path).
    pub service: Option<String>,
    /// Only calls under this agreement.
    pub agreement: Option<AgreementId>,
    /// Only calls that ended so.
    pub ending: Option<Ending>,
    /// Only calls whose end speaks of this side.
    pub side: Option<Side>,
    /// Only calls of services of this subsystem (path).
    pub provider: Option<String>,
    /// Only calls of this endpoint: method and path pattern.
    pub endpoint: Option<(String, String)>,
    /// Only calls that ended with this fault, as recorded.
    pub fault: Option<String>,
    /// Only calls of services of these subsystems, or of all but these.
    pub providers: Option<(Vec<String>, bool)>,
    /// Only calls that are in the figures: those of production that have ended.
    pub ended: bool,
    /// Only the call with this number, the gateway's or the consumer's own.
    pub number: Option<String>,
    /// Continue after this row.
    pub after: Option<CallAfter>,
    /// At most this many rows.
    pub limit: u32,
}

/// Where a list of calls continues: the last row's arrival and number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallAfter {
    /// When it arrived.
    pub at: Timestamp,
    /// Its number.
    pub request_id: String,
}

impl fmt::Display for CallAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.micros(), self.request_id)
    }
}

impl FromStr for CallAfter {
    type Err = base::ids::BadId;

    fn from_str(s: &str) -> std::result::Result<Self, Self::Err> {
        let bad = || base::ids::BadId("cursor");
        let (at, id) = s.split_once('.').ok_or_else(bad)?;
        let at = at.parse().map(Timestamp::from_micros).map_err(|_| bad())?;
        if id.is_empty() || id.len() > 64 {
            return Err(bad());
        }
        Ok(Self { at, request_id: id.to_owned() })
    }
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRow {
    /// The gateway's number (`x-road-request-id`).
    pub request_id: String,
    /// The consumer's number (`X-Road-Id`).
    pub message_id: String,
    /// `instance/class/member/subsystem` of the caller.
    pub client: String,
    /// `instance/class/member/subsystem/service`.
    pub service: String,
    /// The agreement that decided.
    pub agreement: Option<AgreementId>,
    /// Its version.
    pub agreement_version: Option<i64>,
    /// Number of the configuration by which the call was decided.
    pub snapshot: i64,
    /// How the consumer proved who it is.
    pub consumer_auth: String,
    /// HTTP method.
    pub method: String,
    /// The agreed path pattern.
    pub endpoint: Option<String>,
    /// When the head of the request had arrived.
    pub request_in: Timestamp,
    /// When the first byte went to the provider.
    pub request_out: Option<Timestamp>,
    /// When the head of the answer had arrived.
    pub response_in: Option<Timestamp>,
    /// When the record of the end was made.
    pub closed_at: Option<Timestamp>,
    /// When the record entered operational monitoring.
    pub monitored_at: Option<Timestamp>,
    /// Bytes of the request's body.
    pub request_size: Option<i64>,
    /// Bytes of the answer's body.
    pub response_size: Option<i64>,
    /// HTTP status given to the consumer.
    pub status: Option<i64>,
    /// How it ended, as recorded.
    pub outcome: Option<String>,
    /// The fault told to the consumer.
    pub fault: Option<String>,
    /// `sandbox` or `test` when the call did not go to production.
    pub environment: Option<String>,
    /// SHA-256 of the agreed fields when only those left, and how many others were taken out.
    pub filter: Option<(String, i64)>,
    /// Directory of the log and index of the opened record.
    pub opened: Option<(String, i64)>,
    /// Directory of the log and index of the closed record.
    pub closed: Option<(String, i64)>,
}

impl CallRow {
    /// How it ended.
    pub fn ending(&self) -> Ending {
        Ending::of(self.outcome.as_deref())
    }

    /// The subsystem that provides the service.
    pub fn provider(&self) -> &str {
        self.service.rsplit_once('/').map_or("", |(provider, _)| provider)
    }

    /// Microseconds from the request's arrival to the record of the end.
    pub fn took_micros(&self) -> Option<i64> {
        self.closed_at.map(|end| end.micros() - self.request_in.micros())
    }
}

const COLUMNS: &str = "request_id, message_id, client, service, agreement, agreement_version, snapshot, consumer_auth, \
    method, endpoint, request_in, request_out, response_in, closed_at, request_size, response_size, status, outcome, \
    fault, environment, filter, removed_fields, opened_origin, opened_index, closed_origin, closed_index, monitored_at";

fn row(r: &Row) -> Result<CallRow> {
    let place = |origin: &str, index: &str| -> Result<Option<(String, i64)>> {
        Ok(r.opt_text(origin)?.zip(r.opt_int(index)?))
    };
    Ok(CallRow {
        request_id: r.text("request_id")?,
        message_id: r.text("message_id")?,
        client: r.text("client")?,
        service: r.text("service")?,
        agreement: r.opt_id("agreement")?,
        agreement_version: r.opt_int("agreement_version")?,
        snapshot: r.int("snapshot")?,
        consumer_auth: r.text("consumer_auth")?,
        method: r.text("method")?,
        endpoint: r.opt_text("endpoint")?,
        request_in: r.time("request_in")?,
        request_out: r.opt_time("request_out")?,
        response_in: r.opt_time("response_in")?,
        closed_at: r.opt_time("closed_at")?,
        request_size: r.opt_int("request_size")?,
        response_size: r.opt_int("response_size")?,
        status: r.opt_int("status")?,
        outcome: r.opt_text("outcome")?,
        fault: r.opt_text("fault")?,
        environment: r.opt_text("environment")?,
        filter: r.opt_text("filter")?.zip(r.opt_int("removed_fields")?),
        opened: place("opened_origin", "opened_index")?,
        closed: place("closed_origin", "closed_index")?,
        monitored_at: r.opt_time("monitored_at")?,
    })
}

/// The paths a reader takes part in, as [`crate::viewer::Viewer::paths`] gives them; `None` is everything.
pub type Paths<'a> = Option<&'a [String]>;

/// With so many paths or fewer each is looked up by its own index; with more the newest calls are read through.
const OWN_INDEX: usize = 16;

/// Calls, newest first.
///
/// # Errors
/// When the database is away.
pub async fn calls(db: &Db, paths: Paths<'_>, f: &CallFilter) -> Result<Vec<CallRow>> {
    let mut p = Vec::new();
    let wanted = conditions(f, &mut p);
    select(db, paths, &wanted, "ORDER BY request_in DESC, request_id DESC", f.limit, p).await
}

/// At most `limit` calls in which the reader takes part and for which `wanted` holds; `p` are its parameters.
pub(super) async fn select(
    db: &Db,
    paths: Paths<'_>,
    wanted: &str,
    order: &str,
    limit: u32,
    mut p: Vec<Value>,
) -> Result<Vec<CallRow>> {
    p.extend(params![limit]);
    let limit = format!("LIMIT ${}", p.len());
    let sql = match paths {
        None => format!("SELECT {COLUMNS} FROM exchange_call WHERE {wanted} {order} {limit}"),
        Some([]) => return Ok(Vec::new()),
        Some(paths) if paths.len() <= OWN_INDEX => {
            let mut parts = Vec::new();
            for path in paths {
                p.push(path.into());
                for column in ["client", "provider"] {
                    let own = format!("{column} = ${} AND {wanted} {order} {limit}", p.len());
                    parts.push(format!(
                        "SELECT {COLUMNS} FROM (SELECT {COLUMNS} FROM exchange_call WHERE {own}) AS one"
                    ));
                }
            }
            format!("SELECT {COLUMNS} FROM ({}) AS own {order} {limit}", parts.join(" UNION "))
        }
        Some(paths) => {
            let own = takes_part(paths, &mut p);
            format!("SELECT {COLUMNS} FROM exchange_call WHERE {own} AND {wanted} {order} {limit}")
        }
    };
    db.query(&sql, p).await?.iter().map(row).collect()
}

/// One call, if the reader takes part in it.
///
/// # Errors
/// When the database is away.
pub async fn call(db: &Db, paths: Paths<'_>, request_id: &str) -> Result<Option<CallRow>> {
    let mut p = params![request_id];
    let own = match paths {
        None => "1 = 1".to_owned(),
        Some(paths) => takes_part(paths, &mut p),
    };
    let sql = format!("SELECT {COLUMNS} FROM exchange_call WHERE request_id = $1 AND {own}");
    db.query_opt(&sql, p).await?.as_ref().map(row).transpose()
}

/// How many calls there are of each ending, each counted up to [`COUNTED`] plus one.
///
/// # Errors
/// When the database is away.
pub async fn call_counts(db: &Db, paths: Paths<'_>, f: &CallFilter) -> Result<Vec<(Ending, i64)>> {
    let mut out = Vec::new();
    for ending in Ending::ALL {
        let filter = CallFilter { ending: Some(ending), limit: COUNTED + 1, ..f.clone() };
        out.push((ending, count(db, paths, &filter).await?));
    }
    Ok(out)
}

/// How many calls there are under a filter, counted up to its limit.
///
/// # Errors
/// When the database is away.
pub async fn count(db: &Db, paths: Paths<'_>, f: &CallFilter) -> Result<i64> {
    let filter = CallFilter { after: None, ..f.clone() };
    let mut p = Vec::new();
    let mut wanted = conditions(&filter, &mut p);
    if let Some(paths) = paths {
        wanted = format!("{wanted} AND {}", takes_part(paths, &mut p));
    }
    p.extend(params![filter.limit]);
    let sql = format!(
        "SELECT COUNT(*) AS n FROM (SELECT request_id FROM exchange_call WHERE {wanted} LIMIT ${}) AS counted",
        p.len()
    );
    db.query_one(&sql, p).await?.int("n")
}

fn takes_part(paths: &[String], p: &mut Vec<Value>) -> String {
    if paths.is_empty() {
        return "1 = 0".to_owned();
    }
    let marks: Vec<_> = (1..=paths.len()).map(|n| format!("${}", p.len() + n)).collect();
    p.extend(paths.iter().map(Value::from));
    let marks = marks.join(", ");
    format!("(client IN ({marks}) OR provider IN ({marks}))")
}

fn conditions(f: &CallFilter, p: &mut Vec<Value>) -> String {
    let mut out = vec!["1 = 1".to_owned()];
    let mut with = |value: Value, condition: &dyn Fn(usize) -> String| {
        p.push(value);
        out.push(condition(p.len()));
    };
    if let Some(from) = f.from {
        with(from.into(), &|n| format!("request_in >= ${n}"));
    }
    if let Some(until) = f.until {
        with(until.into(), &|n| format!("request_in < ${n}"));
    }
    if let Some(client) = &f.client {
        with(client.into(), &|n| format!("client = ${n}"));
    }
    if let Some(service) = &f.service {
        with(service.into(), &|n| format!("service = ${n}"));
    }
    if let Some(agreement) = f.agreement {
        with(agreement.into(), &|n| format!("agreement = ${n}"));
    }
    if let Some(provider) = &f.provider {
        with(provider.into(), &|n| format!("provider = ${n}"));
    }
    if let Some((method, path)) = &f.endpoint {
        with(method.into(), &|n| format!("method = ${n}"));
        with(path.into(), &|n| format!("endpoint = ${n}"));
    }
    if let Some(fault) = &f.fault {
        with(fault.into(), &|n| format!("fault = ${n}"));
    }
    if let Some(number) = &f.number {
        with(number.into(), &|n| format!("(request_id = ${n} OR message_id = ${n})"));
    }
    if let Some(after) = &f.after {
        p.extend(params![after.at, &after.request_id]);
        let (at, id) = (p.len() - 1, p.len());
        out.push(format!("(request_in < ${at} OR (request_in = ${at} AND request_id < ${id}))"));
    }
    if let Some((paths, but)) = &f.providers {
        let marks: Vec<_> = (1..=paths.len()).map(|n| format!("${}", p.len() + n)).collect();
        p.extend(paths.iter().map(Value::from));
        out.push(match (paths.is_empty(), but) {
            (true, true) => "1 = 1".to_owned(),
            (true, false) => "1 = 0".to_owned(),
            (false, true) => format!("provider NOT IN ({})", marks.join(", ")),
            (false, false) => format!("provider IN ({})", marks.join(", ")),
        });
    }
    if let Some(ending) = f.ending {
        out.push(ending.condition().to_owned());
    }
    if f.ended {
        out.push("environment IS NULL".to_owned());
    }
    match f.side {
        None if f.ended => out.push("side IS NOT NULL".to_owned()),
        None => {}
        Some(Side::Ok) => out.push("side = 0".to_owned()),
        Some(side) => out.push(format!("side > 0 AND side = {}", side.number())),
    }
    out.join(" AND ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_read_back_and_cover_every_outcome() {
        for ending in Ending::ALL {
            assert_eq!(Ending::from_word(ending.as_str()), Some(ending));
        }
        for outcome in evidence::Outcome::ALL {
            assert!(
                !matches!(Ending::of(Some(outcome.name())), Ending::Running | Ending::Unknown),
                "{outcome:?}"
            );
        }
        assert_eq!((Ending::of(None), Ending::of(Some("unknown"))), (Ending::Running, Ending::Unknown));
    }

    #[test]
    fn cursors_read_back() {
        let after = CallAfter { at: Timestamp::from_micros(5), request_id: "a-b".into() };
        assert_eq!(after.to_string().parse(), Ok(after));
        for bad in ["", "5", ".a", "x.a", "5.", &format!("5.{}", "a".repeat(65))] {
            assert!(bad.parse::<CallAfter>().is_err(), "{bad}");
        }
    }
}
