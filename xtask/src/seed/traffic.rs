//! Calls of a year: figures by day and month, of the newest days by the hour, of the very newest as rows too. The series
//! and histograms are the platform's own, so that pages cannot tell them from counted ones.

use std::collections::BTreeMap;

use anyhow::Result;
use base::clock::Timestamp;
use exchange::traffic::{Counts, Kind, Series, Side, Span, provider};
use kernel::db::Value;
use kernel::params;

use super::shape::{chance, hours, share, weight, whole};
use super::{Ground, Rows};

const DAY: i64 = 86_400_000_000;
const HOUR: i64 = 3_600_000_000;
const DAYS: i64 = 365;
/// The faults seeded calls end with: consumer, provider, this platform.
const FAULTS: [(Side, &str, &str); 3] = [
    (Side::Consumer, "refused", "client.access_denied/quota-used"),
    (Side::Provider, "upstream_failed", "server.serverproxy.service_failed.network_error/provider-timeout"),
    (Side::Ours, "refused", "client.clientproxy.internal_error/too-many-calls"),
];

/// An agreement as its calls are counted.
struct Line {
    series: [i64; 3],
    share: f64,
    /// Usual response time of its service, microseconds.
    micros: f64,
}

/// Of one agreement on one day.
struct Drawn {
    calls: i64,
    /// By the sides of [`FAULTS`].
    bad: [i64; 3],
}

fn draw(expected: f64, seed: u64) -> Drawn {
    let calls = whole(expected, chance(seed, 1));
    let part = |rate: f64, salt| whole(calls as f64 * rate, chance(seed, salt)).min(calls / 3);
    Drawn { calls, bad: [part(0.012, 2), part(0.009, 3), part(0.001, 4)] }
}

fn counts(d: &Drawn, line: &Line, seed: u64) -> Counts {
    let [consumer, provider, ours] = d.bad;
    let mut counts = Counts {
        calls: d.calls,
        consumer,
        provider,
        ours,
        refused: consumer + ours,
        request_bytes: d.calls * 180,
        response_bytes: d.calls * 2_400,
        ..Counts::default()
    };
    // A few representative times stand for many calls; a long tail for one in twenty.
    for n in 0..(d.calls - consumer - ours).clamp(0, 16) {
        let spread = (chance(seed, 100 + n as u64) - 0.5) * 1.2;
        let slow = if n % 16 == 15 { 4.0 } else { 1.0 };
        counts.latency.take((line.micros * spread.exp() * slow) as i64);
    }
    counts
}

async fn lines(g: &Ground<'_>, tx: &mut kernel::db::Transaction) -> Result<Vec<Line>> {
    let mut series =
        Rows::new("exchange_series", "id, kind, client, provider, service, agreement, endpoint, fault");
    let mut known = std::collections::BTreeSet::new();
    let mut out = Vec::with_capacity(g.registry.agreements.len());
    let count = g.registry.agreements.len();
    let mut add = Vec::new();
    for (rank, (agreement, client, service)) in g.registry.agreements.iter().enumerate() {
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
        let all = [Series::service(path), Series::client(client), line];
        let micros = 20_000.0 + 180_000.0 * chance(*service as u64, 77);
        out.push(Line { series: [all[0].id(), all[1].id(), all[2].id()], share: share(rank, count), micros });
        add.extend(all);
    }
    add.extend(FAULTS.map(|(_, _, fault)| fault_series(fault)));
    for s in add {
        if known.insert(s.id()) {
            let row = params![
                s.id(),
                s.kind.number(),
                s.client,
                s.provider,
                s.service,
                s.agreement,
                s.endpoint,
                s.fault
            ];
            series.add(tx, row).await?;
        }
    }
    series.flush(tx).await?;
    Ok(out)
}

fn fault_series(fault: &str) -> Series {
    Series { kind: Kind::Fault, fault: fault.to_owned(), ..Series::all() }
}

type Sums = BTreeMap<(i64, i64), Counts>;

fn row(series: i64, span: Span, start: i64, kind: i64, c: &Counts) -> Vec<Value> {
    params![
        series,
        span.number(),
        start,
        kind,
        c.calls,
        c.consumer,
        c.provider,
        c.ours,
        c.refused,
        c.request_bytes,
        c.response_bytes,
        c.latency.to_bytes()
    ]
}

/// Adds a part to the series of a line, and to everything.
fn spread(sums: &mut Sums, line: &Line, c: &Counts, drawn: &[i64; 3], ids: &[i64; 3]) {
    for (kind, series) in [(Kind::All, 0), (Kind::Service, line.series[0]), (Kind::Client, line.series[1])] {
        sums.entry((kind.number(), series)).or_default().add(c);
    }
    for ((fault, (side, _, _)), n) in ids.iter().copied().zip(FAULTS).zip(drawn) {
        if *n > 0 {
            let sum = sums.entry((Kind::Fault.number(), fault)).or_default();
            (0..*n).for_each(|_| sum.take(side));
        }
    }
}

pub(super) async fn figures(g: &mut Ground<'_>) -> Result<u64> {
    let columns = "series, span, start, kind, calls, consumer, provider, ours, refused, request_bytes, response_bytes, latency";
    let mut tx = g.db.begin().await?;
    tx.execute("DELETE FROM exchange_traffic", params![]).await?;
    let lines = lines(g, &mut tx).await?;
    let mut rows = Rows::new("exchange_traffic", columns);
    let today = Span::Day.start(g.now).micros();
    let profile = hours();
    let faults = FAULTS.map(|(_, _, fault)| fault_series(fault).id());
    let mut months: BTreeMap<i64, Sums> = BTreeMap::new();
    for back in (1..=DAYS).rev() {
        let day = today - back * DAY;
        let start = Timestamp::from_micros(day);
        let expected = g.options.calls as f64 / DAYS as f64 * weight(start.date());
        let mut sums = Sums::new();
        let mut by_hour: BTreeMap<i64, Sums> = BTreeMap::new();
        for (n, line) in lines.iter().enumerate() {
            let seed = (back as u64) << 32 | n as u64;
            let drawn = draw(expected * line.share, seed);
            if drawn.calls == 0 {
                continue;
            }
            let day_counts = counts(&drawn, line, seed);
            spread(&mut sums, line, &day_counts, &drawn.bad, &faults);
            rows.add(&mut tx, row(line.series[2], Span::Day, day, Kind::Line.number(), &day_counts)).await?;
            if back > g.options.hour_days {
                continue;
            }
            let (mut reached, mut given) = (0.0, Drawn { calls: 0, bad: [0; 3] });
            for (hour, part) in profile.iter().enumerate() {
                reached += part;
                let upto = |n: i64| (n as f64 * reached + 0.5).floor().min(n as f64) as i64;
                let to = Drawn { calls: upto(drawn.calls), bad: drawn.bad.map(upto) };
                let within = Drawn {
                    calls: to.calls - given.calls,
                    bad: [0, 1, 2].map(|side| to.bad[side] - given.bad[side]),
                };
                given = to;
                if within.calls > 0 {
                    let c = counts(&within, line, seed ^ ((hour as u64) << 24));
                    let at = day + hour as i64 * HOUR;
                    spread(by_hour.entry(at).or_default(), line, &c, &within.bad, &faults);
                    rows.add(&mut tx, row(line.series[2], Span::Hour, at, Kind::Line.number(), &c)).await?;
                }
            }
        }
        let month = months.entry(Span::Month.start(start).micros()).or_default();
        for ((kind, series), c) in &sums {
            rows.add(&mut tx, row(*series, Span::Day, day, *kind, c)).await?;
            month.entry((*kind, *series)).or_default().add(c);
        }
        for (at, sums) in &by_hour {
            for ((kind, series), c) in sums {
                rows.add(&mut tx, row(*series, Span::Hour, *at, *kind, c)).await?;
            }
        }
        // One transaction of a year would fill the write-ahead log.
        if back % 10 == 0 {
            rows.flush(&mut tx).await?;
            tx.commit().await?;
            tx = g.db.begin().await?;
        }
    }
    for (start, sums) in &months {
        for ((kind, series), c) in sums {
            rows.add(&mut tx, row(*series, Span::Month, *start, *kind, c)).await?;
        }
    }
    rows.flush(&mut tx).await?;
    tx.commit().await?;
    Ok(rows.count)
}

/// Calls of the newest days as rows, drawn as the figures of the same days were.
pub(super) async fn rows(g: &mut Ground<'_>) -> Result<u64> {
    let columns = "request_id, message_id, client, provider, service, agreement, agreement_version, snapshot, consumer_auth,
        method, endpoint, request_in, request_out, response_in, closed_at, request_size, response_size, status, outcome,
        fault, side, monitored_at";
    let mut rows = Rows::new("exchange_call", columns);
    let today = Span::Day.start(g.now).micros();
    let count = g.registry.agreements.len();
    let profile = hours();
    let mut tx = g.db.begin().await?;
    for back in (1..=g.options.call_days.min(DAYS)).rev() {
        let day = today - back * DAY;
        let expected = g.options.calls as f64 / DAYS as f64 * weight(Timestamp::from_micros(day).date());
        for (n, (agreement, client, service)) in g.registry.agreements.iter().enumerate() {
            let seed = (back as u64) << 32 | n as u64;
            let drawn = draw(expected * share(n, count), seed);
            let path = &g.registry.services[*service];
            let usual = 20_000.0 + 180_000.0 * chance(*service as u64, 77);
            let mut left = drawn.bad;
            for call in 0..drawn.calls {
                let ended = FAULTS.iter().zip(&mut left).find(|(_, left)| **left > 0).map(|(fault, left)| {
                    *left -= 1;
                    fault
                });
                let place = chance(seed, 1_000 + call as u64);
                let at = day + in_day(&profile, place);
                let took = (usual * ((chance(seed, 5_000 + call as u64) - 0.5) * 1.2).exp()) as i64;
                let id = format!("{back:08x}-{:04x}-4000-8000-{:06x}{:06x}", n >> 24, n & 0xff_ffff, call);
                let (outcome, side, fault) = match ended {
                    None => ("answered", Side::Ok, None),
                    Some((side, outcome, fault)) => (*outcome, *side, Some(*fault)),
                };
                let out = (outcome != "refused").then_some(at + 900);
                let row = params![
                    &id,
                    &id,
                    client,
                    provider(path),
                    path,
                    agreement,
                    2,
                    1,
                    "oauth2",
                    "GET",
                    "/ho-so/*",
                    at,
                    out,
                    out.filter(|_| side == Side::Ok).map(|at| at + took - 2_000),
                    at + took,
                    180,
                    2_400,
                    if side == Side::Ok { 200 } else { 500 },
                    outcome,
                    fault,
                    side.number(),
                    at + took
                ];
                rows.add(&mut tx, row).await?;
            }
        }
        rows.flush(&mut tx).await?;
        tx.commit().await?;
        tx = g.db.begin().await?;
    }
    let kept = today - g.options.call_days * DAY;
    let sql = "INSERT INTO kernel_setting (name, value) VALUES ('exchange.calls.kept_from', $1)
               ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value";
    tx.execute(sql, params![kept.to_string()]).await?;
    tx.execute("ANALYZE", params![]).await?;
    tx.commit().await?;
    Ok(rows.count)
}

/// Microseconds into the day at which this part of its calls has been made.
fn in_day(profile: &[f64; 24], place: f64) -> i64 {
    let mut before = 0.0;
    for (hour, part) in profile.iter().enumerate() {
        if place < before + part {
            return hour as i64 * HOUR + ((place - before) / part * HOUR as f64) as i64;
        }
        before += part;
    }
    23 * HOUR
}
