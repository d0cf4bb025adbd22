//! Figures for pages and reports: sums over a period, point by point, and the most of a kind. Whose figures a reader may
//! have is said by the caller, in [`Of`].

use std::collections::BTreeMap;

use base::clock::Timestamp;
use kernel::db::{Db, Row, Value};
use kernel::{Error, Kernel, Result, params};

use super::series::{Kind, Series};
use super::write::KEPT_FROM;
use super::{Counts, Histogram, Side, Span};

/// Columns of figures, in the order of [`counts`].
pub(super) const COLUMNS: &str =
    "calls, consumer, provider, ours, refused, request_bytes, response_bytes, latency";

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Everything.
    All,
    /// A service, by its path.
    Service(String),
    /// A consumer, by its path.
    Client(String),
    /// What a subsystem provides, by its path.
    Provider(String),
    /// An agreement, by its identifier.
    Agreement(String),
}

/// What is asked about, and by whom: for who does not see everything only calls count in which one of these subsystems
/// takes part, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Of {
    /// What.
    pub what: What,
    /// Paths of the reader's subsystems; `None` for who sees everything.
    pub parties: Option<Vec<String>>,
}

impl Of {
    /// Everything the reader may see.
    pub fn all(parties: Option<Vec<String>>) -> Self {
        Self { what: What::All, parties }
    }

    /// The condition on `exchange_traffic`, alias `t`, that says the same.
    fn condition(&self, p: &mut Vec<Value>) -> String {
        let one = |series: Series, p: &mut Vec<Value>| {
            p.push(series.id().into());
            format!("t.series = ${}", p.len())
        };
        match (&self.what, &self.parties) {
            (What::All, None) => one(Series::all(), p),
            (What::Service(path), None) => one(Series::service(path), p),
            (What::Client(path), None) => one(Series::client(path), p),
            (What::Provider(path), None) => {
                p.push(path.into());
                listed(&format!("kind = {} AND provider = ${}", Kind::Service.number(), p.len()))
            }
            _ => self.lines(p),
        }
    }

    /// The lines (consumer by service, agreement and endpoint) that belong to it.
    fn lines(&self, p: &mut Vec<Value>) -> String {
        let mut wanted = format!("kind = {}", Kind::Line.number());
        let column = match &self.what {
            What::All => None,
            What::Service(path) => Some(("service", path)),
            What::Client(path) => Some(("client", path)),
            What::Provider(path) => Some(("provider", path)),
            // Says what the partial index says.
            What::Agreement(id) => Some(("agreement <> '' AND agreement", id)),
        };
        if let Some((column, value)) = column {
            p.push(value.into());
            wanted.push_str(&format!(" AND {column} = ${}", p.len()));
        }
        if let Some(parties) = &self.parties {
            wanted.push_str(&format!(" AND {}", takes_part(parties, p)));
        }
        listed(&wanted)
    }

    /// Whether it is one series, for which the hours of weeks are few rows.
    pub fn is_one(&self) -> bool {
        self.parties.is_none() && matches!(self.what, What::All | What::Service(_) | What::Client(_))
    }
}

fn listed(wanted: &str) -> String {
    format!("t.series IN (SELECT id FROM exchange_series WHERE {wanted})")
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

/// Reads the counts of a row.
pub(super) fn counts(row: &Row) -> Result<Counts> {
    let latency = Histogram::from_bytes(&row.blob("latency")?);
    Ok(Counts {
        calls: row.int("calls")?,
        consumer: row.int("consumer")?,
        provider: row.int("provider")?,
        ours: row.int("ours")?,
        refused: row.int("refused")?,
        request_bytes: row.int("request_bytes")?,
        response_bytes: row.int("response_bytes")?,
        latency: latency.ok_or_else(|| Error::internal("a row of exchange_traffic is damaged"))?,
    })
}

/// Figures by span, from the one of `from` on to the last that begins before `until`; spans without calls are left out.
///
/// # Errors
/// When the database is away.
pub async fn points(
    db: &Db,
    of: &Of,
    span: Span,
    from: Timestamp,
    until: Timestamp,
) -> Result<BTreeMap<Timestamp, Counts>> {
    let mut p = params![span.number(), span.start(from), until];
    let which = of.condition(&mut p);
    let sql = format!(
        "SELECT start, {COLUMNS} FROM exchange_traffic t WHERE span = $1 AND start >= $2 AND start < $3 AND {which}"
    );
    let mut out: BTreeMap<Timestamp, Counts> = BTreeMap::new();
    for row in db.query(&sql, p).await? {
        out.entry(row.time("start")?).or_default().add(&counts(&row)?);
    }
    Ok(out)
}

/// The sum of a period that consists of whole spans.
///
/// # Errors
/// When the database is away.
pub async fn sum(db: &Db, of: &Of, span: Span, from: Timestamp, until: Timestamp) -> Result<Counts> {
    let mut out = Counts::default();
    points(db, of, span, from, until).await?.values().for_each(|c| out.add(c));
    Ok(out)
}

/// What a breakdown tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Services.
    Service,
    /// Consumers.
    Client,
    /// Agreements.
    Agreement,
    /// Endpoints.
    Endpoint,
}

impl By {
    const fn column(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Client => "client",
            Self::Agreement => "agreement",
            Self::Endpoint => "endpoint",
        }
    }
}

/// Figures of each part in whole days, those with the most calls first, at most `limit`.
///
/// # Errors
/// When the database is away.
pub async fn parts(
    db: &Db,
    of: &Of,
    by: By,
    from: Timestamp,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<(String, Counts)>> {
    // Of everything, services and consumers have series of their own; else the lines say who with whom.
    let mut p = params![Span::Day.number(), Span::Day.start(from), until];
    let (which, own) = match (&of.what, &of.parties, by) {
        (What::All, None, By::Service) => (format!("t.kind = {}", Kind::Service.number()), true),
        (What::All, None, By::Client) => (format!("t.kind = {}", Kind::Client.number()), true),
        (What::All, None, _) => (format!("t.kind = {}", Kind::Line.number()), false),
        _ => (of.lines(&mut p), false),
    };
    let column = by.column();
    let period = "t.span = $1 AND t.start >= $2 AND t.start < $3";
    // First who, from the index alone; then how long it took, for those.
    let mut first = p.clone();
    first.extend(params![i64::try_from(limit).unwrap_or(i64::MAX)]);
    let sql = format!(
        "SELECT s.{column} AS name, CAST(SUM(t.calls) AS BIGINT) AS n
         FROM (SELECT t.series, SUM(t.calls) AS calls FROM exchange_traffic t WHERE {period} AND {which}
               GROUP BY t.series) AS t JOIN exchange_series s ON s.id = t.series
         WHERE s.{column} <> '' GROUP BY s.{column} ORDER BY n DESC, name LIMIT ${}",
        first.len()
    );
    let mut out: Vec<(String, Counts)> = Vec::new();
    for row in db.query(&sql, first).await? {
        out.push((row.text("name")?, Counts::default()));
    }
    for some in out.chunks_mut(NAMES) {
        let mut p = p.clone();
        let marks: Vec<_> = (1..=some.len()).map(|n| format!("${}", p.len() + n)).collect();
        let marks = marks.join(", ");
        let which = if own {
            let series =
                |name: &str| if by == By::Service { Series::service(name) } else { Series::client(name) };
            p.extend(some.iter().map(|(name, _)| Value::from(series(name).id())));
            format!("t.series IN ({marks})")
        } else {
            p.extend(some.iter().map(|(name, _)| Value::from(name)));
            format!("{which} AND s.{column} IN ({marks})")
        };
        let sql = format!(
            "SELECT s.{column} AS name, t.calls, t.consumer, t.provider, t.ours, t.refused, t.request_bytes,
                    t.response_bytes, t.latency
             FROM exchange_traffic t JOIN exchange_series s ON s.id = t.series WHERE {period} AND {which}"
        );
        for row in db.query(&sql, p).await? {
            let name = row.text("name")?;
            if let Some((_, sum)) = some.iter_mut().find(|(n, _)| *n == name) {
                sum.add(&counts(&row)?);
            }
        }
    }
    Ok(out)
}

/// Names in one statement.
const NAMES: usize = 500;

/// The most called of a kind in one month, most first: name and figures.
///
/// # Errors
/// When the database is away.
pub async fn most(db: &Db, kind: Kind, month: Timestamp, limit: u32) -> Result<Vec<(String, Counts)>> {
    let column = match kind {
        Kind::Service => "s.service",
        Kind::Client => "s.client",
        Kind::Fault => "s.fault",
        Kind::All | Kind::Line => "s.endpoint",
    };
    // Both in the same direction, so that the index gives the first ones and no more are read.
    let sql = format!(
        "SELECT {column} AS name, t.calls, t.consumer, t.provider, t.ours, t.refused, t.request_bytes,
                t.response_bytes, t.latency
         FROM exchange_traffic t JOIN exchange_series s ON s.id = t.series
         WHERE t.span = $1 AND t.kind = $2 AND t.start = $3 ORDER BY t.calls DESC, t.series DESC LIMIT $4"
    );
    let rows = db.query(&sql, params![Span::Month.number(), kind.number(), month, limit]).await?;
    rows.iter().map(|r| Ok((r.text("name")?, counts(r)?))).collect()
}

/// How many services were called in one month, and how many of the calls went to these providers (paths).
///
/// # Errors
/// When the database is away.
pub async fn called(db: &Db, month: Timestamp, providers: &[String]) -> Result<(i64, i64)> {
    let all = "SELECT COUNT(*) AS n FROM exchange_traffic WHERE span = $1 AND kind = $2 AND start = $3";
    let of_month = params![Span::Month.number(), Kind::Service.number(), month];
    let services = db.query_one(all, of_month).await?.int("n")?;
    let mut calls = 0;
    for some in providers.chunks(NAMES) {
        let mut p = params![Span::Month.number(), Kind::Service.number(), month];
        let marks: Vec<_> = (1..=some.len()).map(|n| format!("${}", p.len() + n)).collect();
        p.extend(some.iter().map(Value::from));
        let sql = format!(
            "SELECT CAST(COALESCE(SUM(t.calls), 0) AS BIGINT) AS n FROM exchange_series s
             JOIN exchange_traffic t ON t.series = s.id AND t.span = $1 AND t.start = $3
             WHERE s.kind = $2 AND s.provider IN ({})",
            marks.join(", ")
        );
        calls += db.query_one(&sql, p).await?.int("n")?;
    }
    Ok((services, calls))
}

/// The figures of these services (paths) in one month; those without calls are left out.
///
/// # Errors
/// When the database is away.
pub async fn services(db: &Db, month: Timestamp, paths: &[String]) -> Result<Vec<(String, Counts)>> {
    let mut out = Vec::new();
    for path in paths {
        let sql =
            format!("SELECT {COLUMNS} FROM exchange_traffic WHERE series = $1 AND span = $2 AND start = $3");
        let p = params![Series::service(path).id(), Span::Month.number(), month];
        if let Some(row) = db.query_opt(&sql, p).await? {
            out.push((path.clone(), counts(&row)?));
        }
    }
    Ok(out)
}

/// Rows of the newest calls looked at for an hour.
const RECENT: u32 = 20_000;

/// Figures of the last minutes in steps, from the rows themselves, at most the newest twenty thousand; `true` when there
/// were more.
///
/// # Errors
/// When the database is away.
pub async fn recent(
    db: &Db,
    of: &Of,
    from: Timestamp,
    until: Timestamp,
    step: i64,
) -> Result<(BTreeMap<Timestamp, Counts>, bool)> {
    let mut p = params![from, until];
    let mut which = match &of.what {
        What::All => "1 = 1".to_owned(),
        What::Service(path) => own(&mut p, "service", path),
        What::Client(path) => own(&mut p, "client", path),
        What::Provider(path) => own(&mut p, "provider", path),
        What::Agreement(id) => own(&mut p, "agreement", id),
    };
    if let Some(parties) = &of.parties {
        which = format!("{which} AND {}", takes_part(parties, &mut p));
    }
    let sql = format!(
        "SELECT request_in, request_out, closed_at, side, outcome, request_size, response_size FROM exchange_call
         WHERE request_in >= $1 AND request_in < $2 AND side IS NOT NULL AND environment IS NULL AND {which}
         ORDER BY request_in DESC LIMIT {}",
        RECENT + 1
    );
    let rows = db.query(&sql, p).await?;
    let mut out: BTreeMap<Timestamp, Counts> = BTreeMap::new();
    for row in rows.iter().take(RECENT as usize) {
        let at = row.time("request_in")?;
        let begins = from.micros() + (at.micros() - from.micros()).div_euclid(step.max(1)) * step.max(1);
        let counts = out.entry(Timestamp::from_micros(begins)).or_default();
        let side =
            Side::ALL.into_iter().find(|s| row.int("side").ok() == Some(s.number())).unwrap_or(Side::Ours);
        counts.take(side);
        counts.refused += i64::from(row.opt_text("outcome")?.as_deref() == Some("refused"));
        counts.request_bytes += row.opt_int("request_size")?.unwrap_or_default();
        counts.response_bytes += row.opt_int("response_size")?.unwrap_or_default();
        if let (Some(_), Some(end)) = (row.opt_time("request_out")?, row.opt_time("closed_at")?) {
            counts.latency.take(end.micros() - at.micros());
        }
    }
    Ok((out, rows.len() > RECENT as usize))
}

fn own(p: &mut Vec<Value>, column: &str, value: &str) -> String {
    p.push(value.into());
    format!("{column} = ${}", p.len())
}

/// The moment before which rows of calls have been removed; their figures stay.
///
/// # Errors
/// When the database is away.
pub async fn kept_from(k: &Kernel) -> Result<Option<Timestamp>> {
    Ok(k.setting(KEPT_FROM).await?.and_then(|at| at.parse().ok()).map(Timestamp::from_micros))
}
