//! Adds calls to the figures, in the transaction that writes their rows: a call is added once, however often its records
//! are read.

use std::collections::{BTreeMap, HashSet};

use base::clock::Timestamp;
use kernel::db::Value;
use kernel::{Result, Tx, params};

use super::read::COLUMNS;
use super::series::{Ended, Kind, Names, Series};
use super::{Counts, Span, read};

/// Keys read or rows written in one statement.
const ROWS: usize = 64;
/// Columns of a row of figures.
const WIDTH: usize = 12;

/// Series, span and beginning.
type Key = (i64, i64, i64);

/// What some calls add to the figures.
#[derive(Debug, Default)]
pub(crate) struct Additions {
    series: BTreeMap<i64, Series>,
    counts: BTreeMap<Key, Counts>,
}

/// The spans a kind is kept by. Lines are many, and no page asks for a month of one at a time.
fn spans(kind: Kind) -> &'static [Span] {
    match kind {
        Kind::Line => &[Span::Hour, Span::Day],
        _ => &Span::ALL,
    }
}

impl Additions {
    /// Takes in one call, unless it was a trial.
    pub(crate) fn take(&mut self, names: &Names, call: &Ended) {
        if !call.in_production {
            return;
        }
        for series in names.series(call) {
            let id = series.id();
            for span in spans(series.kind) {
                let counts =
                    self.counts.entry((id, span.number(), span.start(call.at).micros())).or_default();
                counts.take(call.side);
                counts.refused += i64::from(call.refused);
                counts.request_bytes += call.request_bytes;
                counts.response_bytes += call.response_bytes;
                if let Some(micros) = call.took {
                    counts.latency.take(micros);
                }
            }
            self.series.entry(id).or_insert(series);
        }
    }

    /// Adds them. Nobody else does at the same time: the row of everything is locked first.
    pub(crate) async fn write(self, tx: &mut Tx) -> Result<()> {
        if self.counts.is_empty() {
            return Ok(());
        }
        tx.query("SELECT id FROM exchange_series WHERE id = 0 {for_update}", params![]).await?;
        let all: Vec<_> = self.series.iter().collect();
        for some in all.chunks(ROWS) {
            let sql = format!(
                "INSERT INTO exchange_series (id, kind, client, provider, service, agreement, endpoint, fault)
                 VALUES {} ON CONFLICT (id) DO NOTHING",
                marks(some.len(), 8)
            );
            let row = |(id, s): &(&i64, &Series)| {
                params![
                    **id,
                    s.kind.number(),
                    &s.client,
                    &s.provider,
                    &s.service,
                    &s.agreement,
                    &s.endpoint,
                    &s.fault
                ]
            };
            tx.execute(&sql, some.iter().flat_map(row).collect()).await?;
        }
        let kinds: BTreeMap<i64, i64> = self.series.iter().map(|(id, s)| (*id, s.kind.number())).collect();
        let counts: Vec<_> = self.counts.into_iter().collect();
        for some in counts.chunks(ROWS) {
            add(tx, &kinds, some).await?;
        }
        Ok(())
    }
}

async fn add(tx: &mut Tx, kinds: &BTreeMap<i64, i64>, some: &[(Key, Counts)]) -> Result<()> {
    let sql = format!(
        "SELECT series, span, start, {COLUMNS} FROM exchange_traffic WHERE (series, span, start) IN (VALUES {})",
        marks(some.len(), 3)
    );
    let keys = some.iter().flat_map(|((series, span, start), _)| params![*series, *span, *start]).collect();
    let mut there = BTreeMap::new();
    for row in tx.query(&sql, keys).await? {
        there.insert((row.int("series")?, row.int("span")?, row.int("start")?), read::counts(&row)?);
    }
    let sql = format!(
        "INSERT INTO exchange_traffic (series, span, start, kind, {COLUMNS}) VALUES {}
         ON CONFLICT (series, span, start) DO UPDATE SET {}",
        marks(some.len(), WIDTH),
        COLUMNS.split(", ").map(|c| format!("{c} = EXCLUDED.{c}")).collect::<Vec<_>>().join(", ")
    );
    let row = |(key, added): &(Key, Counts)| {
        let mut sum = there.get(key).cloned().unwrap_or_default();
        sum.add(added);
        values(*key, kinds.get(&key.0).copied().unwrap_or_default(), &sum)
    };
    tx.execute(&sql, some.iter().flat_map(row).collect()).await?;
    Ok(())
}

/// The row of some counts, in the order of the columns.
pub(crate) fn values((series, span, start): Key, kind: i64, c: &Counts) -> Vec<Value> {
    params![
        series,
        span,
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

/// Which of these calls are not in the figures yet.
pub(crate) async fn uncounted(tx: &mut Tx, calls: &[&Ended]) -> Result<HashSet<String>> {
    let mut out: HashSet<String> = calls.iter().map(|c| c.request_id.clone()).collect();
    for some in calls.chunks(ROWS * 4) {
        let sql = format!(
            "SELECT request_id FROM exchange_call WHERE side IS NOT NULL AND request_id IN {}",
            marks(1, some.len())
        );
        for row in tx.query(&sql, some.iter().map(|c| (&c.request_id).into()).collect()).await? {
            out.remove(&row.text("request_id")?);
        }
    }
    Ok(out)
}

/// The setting under which the beginning of the rows still kept is noted.
pub(crate) const KEPT_FROM: &str = "exchange.calls.kept_from";

/// How many entries of a log are in the figures, and the moment before which rows have been removed.
pub(crate) async fn reached(k: &kernel::Kernel, dir: &str) -> Result<(u64, Option<Timestamp>)> {
    let row = k.db.query_opt("SELECT rolled FROM exchange_origin WHERE dir = $1", params![dir]).await?;
    let rolled = row.map(|r| r.int("rolled")).transpose()?.unwrap_or_default();
    Ok((u64::try_from(rolled).unwrap_or_default(), read::kept_from(k).await?))
}

/// `($1, $2), ($3, $4)` for two rows of two.
fn marks(rows: usize, columns: usize) -> String {
    let row = |r: usize| {
        let marks: Vec<String> = (1..=columns).map(|c| format!("${}", r * columns + c)).collect();
        format!("({})", marks.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_value_for_every_column() {
        assert_eq!(values((1, 2, 3), 0, &Counts::default()).len(), WIDTH);
        assert_eq!(COLUMNS.split(", ").count() + 4, WIDTH);
        assert_eq!(marks(2, 2), "($1, $2), ($3, $4)");
    }
}
