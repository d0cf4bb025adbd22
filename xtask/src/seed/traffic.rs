//! Calls of a year: figures by day and month, of the newest days by the hour, of the very newest as rows too. The database
//! draws them itself, because millions of rows are not worth carrying there one by one. Names and numbers of series and
//! the shape of histograms are the platform's own, so that pages cannot tell them from counted ones.

use std::collections::BTreeSet;

use anyhow::Result;
use base::clock::Timestamp;
use exchange::traffic::{Histogram, Kind, Series, Side, Span, provider};
use kernel::db::{Backend, Value};
use kernel::params;

use super::shape::{chance, hours, share, weight};
use super::{Ground, Rows};

const DAY: i64 = 86_400_000_000;
const HOUR: i64 = 3_600_000_000;
const DAYS: i64 = 365;
/// Lines drawn in one transaction, and some more so that no service is divided: the write-ahead log stays small.
const PART: i64 = 4_000;
/// Usual response times told apart, and doublings of a number of calls.
const PLACES: u32 = 16;
const SIZES: u32 = 27;
/// The faults seeded calls end with: consumer, provider, this platform.
const FAULTS: [(Side, &str); 3] = [
    (Side::Consumer, "client.access_denied/quota-used"),
    (Side::Provider, "server.serverproxy.service_failed.network_error/provider-timeout"),
    (Side::Ours, "client.clientproxy.internal_error/too-many-calls"),
];

/// Where the database draws from; gone at the end.
const TABLES: [(&str, &str); 5] = [
    (
        "seed_line",
        "n BIGINT PRIMARY KEY, line BIGINT NOT NULL UNIQUE, service BIGINT NOT NULL, client BIGINT NOT NULL,
         share BIGINT NOT NULL, place BIGINT NOT NULL, usual BIGINT NOT NULL, agreement TEXT NOT NULL,
         client_path TEXT NOT NULL, provider_path TEXT NOT NULL, service_path TEXT NOT NULL",
    ),
    (
        "seed_span",
        "span BIGINT NOT NULL, start BIGINT NOT NULL, n BIGINT NOT NULL, outer_start BIGINT NOT NULL,
         expected BIGINT NOT NULL, PRIMARY KEY (span, start)",
    ),
    (
        "seed_shape",
        "place BIGINT NOT NULL, size BIGINT NOT NULL, latency {blob} NOT NULL, PRIMARY KEY (place, size)",
    ),
    (
        "seed_fault",
        "side BIGINT PRIMARY KEY, series BIGINT NOT NULL, fault TEXT NOT NULL, latency {blob} NOT NULL",
    ),
    ("seed_number", "n BIGINT PRIMARY KEY"),
];

/// The figures of the whole year up to the last full hour.
pub(super) async fn figures(g: &mut Ground<'_>) -> Result<u64> {
    let blob = if g.db.backend() == Backend::Postgres { "BYTEA" } else { "BLOB" };
    let mut tx = g.db.begin().await?;
    for (name, columns) in TABLES {
        tx.execute(&format!("DROP TABLE IF EXISTS {name}"), params![]).await?;
        tx.execute(&format!("CREATE TABLE {name} ({})", columns.replace("{blob}", blob)), params![]).await?;
    }
    tx.execute("DELETE FROM exchange_traffic", params![]).await?;
    // Made again at the end: sorted at once it costs a tenth of what it costs row by row.
    tx.execute("DROP INDEX exchange_traffic_most", params![]).await?;
    let parts = lines(g, &mut tx).await?;
    spans(g, &mut tx).await?;
    shapes(&mut tx).await?;
    tx.commit().await?;
    let mut written = 0;
    for (from, until) in parts.iter().zip(parts.iter().skip(1)) {
        written += run(g, include_str!("lines.sql"), &[(*from).into(), (*until).into()]).await?;
    }
    written += run(g, include_str!("whole.sql"), &[]).await?;
    let mut tx = g.db.begin().await?;
    let sql = "CREATE INDEX exchange_traffic_most ON exchange_traffic (span, kind, start, calls, series)";
    tx.execute(sql, params![]).await?;
    tx.commit().await?;
    Ok(written)
}

/// Calls of the newest days as rows, one for each that the figures of their hours count.
pub(super) async fn rows(g: &mut Ground<'_>) -> Result<u64> {
    let until = Span::Hour.start(g.now).micros();
    let kept = Span::Day.start(g.now).micros() - g.options.call_days.min(g.options.hour_days) * DAY;
    let mut written = 0;
    for from in (kept..until).step_by(6 * HOUR as usize) {
        written +=
            run(g, include_str!("calls.sql"), &[from.into(), (from + 6 * HOUR).min(until).into()]).await?;
    }
    let mut tx = g.db.begin().await?;
    let sql = "INSERT INTO kernel_setting (name, value) VALUES ('exchange.calls.kept_from', $1)
               ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value";
    tx.execute(sql, params![kept.to_string()]).await?;
    for (name, _) in TABLES {
        tx.execute(&format!("DROP TABLE {name}"), params![]).await?;
    }
    tx.execute("ANALYZE", params![]).await?;
    tx.commit().await?;
    Ok(written)
}

/// Runs the statements of a file in one transaction; rows they wrote.
async fn run(g: &Ground<'_>, file: &str, given: &[Value]) -> Result<u64> {
    let doublings: Vec<String> =
        (1..SIZES).map(|n| format!("WHEN c.calls < {} THEN {}", 1_i64 << n, n - 1)).collect();
    let size = format!("CASE {} ELSE {} END", doublings.join(" "), SIZES - 1);
    let mut tx = g.db.begin().await?;
    if g.db.backend() == Backend::Sqlite {
        tx.execute("PRAGMA cache_size = -500000", params![]).await?;
    }
    let mut written = 0;
    for statement in file.replace("{size}", &size).split(';').filter(|s| s.contains("INSERT")) {
        written += tx.execute(statement, given.to_vec()).await?;
    }
    tx.commit().await?;
    Ok(written)
}

/// The agreements that are used, the lines of one service beside each other; where the parts begin, and the end.
async fn lines(g: &Ground<'_>, tx: &mut kernel::db::Transaction) -> Result<Vec<i64>> {
    let mut series =
        Rows::new("exchange_series", "id, kind, client, provider, service, agreement, endpoint, fault");
    let mut lines = Rows::new(
        "seed_line",
        "n, line, service, client, share, place, usual, agreement, client_path, provider_path, service_path",
    );
    let mut known = BTreeSet::new();
    let count = g.registry.agreements.len();
    let mut ranks: Vec<usize> = (0..count).collect();
    ranks.sort_by_key(|rank| g.registry.agreements.get(*rank).map(|(_, _, service)| *service));
    let (mut parts, mut last) = (vec![0], None);
    for (n, rank) in (0_i64..).zip(ranks) {
        let (agreement, client, service) = &g.registry.agreements[rank];
        if last.replace(service).is_some_and(|last| last != service)
            && parts.last().is_some_and(|p| n - p >= PART)
        {
            parts.push(n);
        }
        let path = &g.registry.services[*service];
        let line = Series {
            kind: Kind::Line,
            client: client.clone(),
            provider: provider(path).to_owned(),
            service: path.clone(),
            agreement: agreement.clone(),
            endpoint: "GET /ho-so/*".into(),
            fault: String::new(),
        };
        let [of_service, of_client] = [Series::service(path), Series::client(client)];
        let place = (chance(*service as u64, 77) * f64::from(PLACES)) as u32;
        let row = params![
            n,
            line.id(),
            of_service.id(),
            of_client.id(),
            (share(rank, count) * 1e11) as i64,
            i64::from(place),
            usual(place),
            agreement,
            client,
            provider(path),
            path
        ];
        lines.add(tx, row).await?;
        for s in [of_service, of_client, line] {
            if known.insert(s.id()) {
                series.add(tx, series_row(&s)).await?;
            }
        }
    }
    for (side, fault) in FAULTS {
        let s = Series { kind: Kind::Fault, fault: fault.to_owned(), ..Series::all() };
        series.add(tx, series_row(&s)).await?;
        let sql = "INSERT INTO seed_fault (side, series, fault, latency) VALUES ($1, $2, $3, $4)";
        tx.execute(sql, params![side.number(), s.id(), fault, Histogram::default().to_bytes()]).await?;
    }
    series.flush(tx).await?;
    lines.flush(tx).await?;
    parts.push(count as i64);
    Ok(parts)
}

fn series_row(s: &Series) -> Vec<Value> {
    params![s.id(), s.kind.number(), &s.client, &s.provider, &s.service, &s.agreement, &s.endpoint, &s.fault]
}

/// Usual response time, microseconds: 20 to 200 ms.
fn usual(place: u32) -> i64 {
    20_000 + i64::from(place) * 180_000 / i64::from(PLACES)
}

/// Days and hours, each with the thousandths of calls it expects; days that are sums of hours expect none of their own.
async fn spans(g: &Ground<'_>, tx: &mut kernel::db::Transaction) -> Result<()> {
    let mut rows = Rows::new("seed_span", "span, start, n, outer_start, expected");
    let today = Span::Day.start(g.now).micros();
    let profile = hours();
    for back in 0..DAYS {
        let day = today - back * DAY;
        let start = Timestamp::from_micros(day);
        let expected = g.options.calls as f64 / DAYS as f64 * weight(start.date()) * 1000.0;
        let by_hour = back <= g.options.hour_days;
        let own = if by_hour { 0 } else { expected as i64 };
        let month = Span::Month.start(start).micros();
        rows.add(tx, params![Span::Day.number(), day, day / HOUR, month, own]).await?;
        for (hour, part) in (0_i64..).zip(profile).filter(|_| by_hour) {
            let at = day + hour * HOUR;
            if at < Span::Hour.start(g.now).micros() {
                rows.add(tx, params![Span::Hour.number(), at, at / HOUR, day, (expected * part) as i64])
                    .await?;
            }
        }
    }
    rows.flush(tx).await
}

/// Histograms of about 2^size calls around each usual time, with a long tail for one in sixteen; and numbers to count by.
async fn shapes(tx: &mut kernel::db::Transaction) -> Result<()> {
    let mut rows = Rows::new("seed_shape", "place, size, latency");
    for place in 0..PLACES {
        for size in 0..SIZES {
            let mut shape = Histogram::default();
            for n in 0..(1_u64 << size.min(6)) {
                let spread = (chance(u64::from(place * SIZES + size), n) - 0.5) * 1.2;
                let slow = if n % 16 == 15 { 4.0 } else { 1.0 };
                shape.take((usual(place) as f64 * spread.exp() * slow) as i64);
            }
            for _ in 6..size {
                let half = shape.clone();
                shape.add(&half);
            }
            rows.add(tx, params![i64::from(place), i64::from(size), shape.to_bytes()]).await?;
        }
    }
    rows.flush(tx).await?;
    let mut numbers = Rows::new("seed_number", "n");
    for n in 0..50_000_i64 {
        numbers.add(tx, params![n]).await?;
    }
    numbers.flush(tx).await
}
