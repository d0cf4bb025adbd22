//! The table of alerts. What may follow what is decided in the module above.

use base::clock::Timestamp;
use base::error::{Error, Result};
use base::i18n::Text;

use super::{Acknowledged, Act, Alert, AlertId, MOST_NAMED, Occurrence, Severity};
use crate::cx::Cx;
use crate::db::{Db, Migration, Row};
use crate::kernel::Tx;
use crate::params;

/// The table.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_alerts", sql: include_str!("schema.sql") },
    Migration {
        name: "0002_acts",
        sql: "
CREATE TABLE kernel_alert_act (
    alert TEXT NOT NULL REFERENCES kernel_alert (id),
    href TEXT NOT NULL,
    label_vi TEXT NOT NULL,
    label_en TEXT NOT NULL,
    PRIMARY KEY (alert, href)
) STRICT;
",
    },
];

const COLUMNS: &str = "id, key, severity, title_vi, title_en, cause_vi, cause_en, todo_vi, todo_en, affected,
    affected_count, since, seen_at, cleared_at, acknowledged_by, acknowledged_name, acknowledged_at, note";

/// Open alerts: the most urgent first, then the oldest.
pub async fn open(db: &Db, limit: u32) -> Result<Vec<Occurrence>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM kernel_alert WHERE cleared_at IS NULL ORDER BY severity DESC, since, id LIMIT $1"
    );
    db.query(&sql, params![limit]).await?.iter().map(occurrence).collect()
}

/// Alerts that are over, the last one first; `before` continues a list.
pub async fn cleared(db: &Db, before: Option<(Timestamp, AlertId)>, limit: u32) -> Result<Vec<Occurrence>> {
    let (at, id) =
        before.map_or((Timestamp::from_micros(i64::MAX), String::new()), |(at, id)| (at, id.to_string()));
    let sql = format!(
        "SELECT {COLUMNS} FROM kernel_alert
         WHERE cleared_at IS NOT NULL AND (cleared_at < $1 OR (cleared_at = $1 AND id < $2))
         ORDER BY cleared_at DESC, id DESC LIMIT $3"
    );
    db.query(&sql, params![at, id, limit]).await?.iter().map(occurrence).collect()
}

/// Occurrences that were open at some moment of a period, oldest first.
pub async fn within(db: &Db, from: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<Occurrence>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM kernel_alert
         WHERE since < $2 AND (cleared_at IS NULL OR cleared_at >= $1) ORDER BY since, id LIMIT $3"
    );
    db.query(&sql, params![from, until, limit]).await?.iter().map(occurrence).collect()
}

/// One occurrence.
pub async fn one(db: &Db, id: AlertId) -> Result<Option<Occurrence>> {
    let sql = format!("SELECT {COLUMNS} FROM kernel_alert WHERE id = $1");
    db.query_opt(&sql, params![id]).await?.as_ref().map(occurrence).transpose()
}

/// The keys of open alerts that begin with `prefix`, which is ASCII: for who takes over what an earlier process raised.
pub async fn open_keys(db: &Db, prefix: &str) -> Result<Vec<String>> {
    // Both engines compare by bytes; nothing that begins with the prefix comes after this.
    let end = format!("{prefix}\u{10ffff}");
    let sql = "SELECT key FROM kernel_alert WHERE cleared_at IS NULL AND key >= $1 AND key < $2 ORDER BY key";
    db.query(sql, params![prefix, end]).await?.iter().map(|r| r.text("key")).collect()
}

/// What is offered to do about an alert, at most [`MOST_NAMED`].
pub async fn acts(db: &Db, id: AlertId) -> Result<Vec<Act>> {
    let sql = "SELECT href, label_vi, label_en FROM kernel_alert_act WHERE alert = $1 ORDER BY href LIMIT $2";
    let most = i64::try_from(MOST_NAMED).unwrap_or(i64::MAX);
    let read = |r: &Row| {
        Ok(Act { label: Text { vi: r.text("label_vi")?, en: r.text("label_en")? }, href: r.text("href")? })
    };
    db.query(sql, params![id, most]).await?.iter().map(read).collect()
}

/// Offers something to do about an alert, once.
pub(super) async fn offer(tx: &mut Tx, id: AlertId, act: &Act) -> Result<()> {
    let sql = "INSERT INTO kernel_alert_act (alert, href, label_vi, label_en) VALUES ($1, $2, $3, $4)
               ON CONFLICT (alert, href) DO NOTHING";
    tx.execute(sql, params![id, &act.href, &act.label.vi, &act.label.en]).await?;
    Ok(())
}

/// The open alert under a key, locked.
pub(super) async fn open_id(tx: &mut Tx, key: &str) -> Result<Option<AlertId>> {
    let sql = "SELECT id FROM kernel_alert WHERE key = $1 AND cleared_at IS NULL {for_update}";
    tx.query_opt(sql, params![key]).await?.map(|r| r.id("id")).transpose()
}

/// One occurrence, locked.
pub(super) async fn lock(tx: &mut Tx, id: AlertId) -> Result<Option<Occurrence>> {
    let sql = format!("SELECT {COLUMNS} FROM kernel_alert WHERE id = $1 {{for_update}}");
    tx.query_opt(&sql, params![id]).await?.as_ref().map(occurrence).transpose()
}

/// Opens an alert. Returns `false` when another transaction has just opened it.
pub(super) async fn insert(tx: &mut Tx, id: AlertId, a: &Alert, now: Timestamp) -> Result<bool> {
    let sql = "INSERT INTO kernel_alert (id, key, severity, title_vi, title_en, cause_vi, cause_en, todo_vi, todo_en,
                   affected, affected_count, since, seen_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
               ON CONFLICT (key) WHERE cleared_at IS NULL DO NOTHING";
    let since = a.since.map_or(now, |since| since.min(now));
    let (named, count) = affected(a)?;
    let values = params![
        id,
        &a.key,
        number(a.severity),
        &a.title.vi,
        &a.title.en,
        &a.cause.vi,
        &a.cause.en,
        &a.todo.vi,
        &a.todo.en,
        named,
        count,
        since,
        now
    ];
    Ok(tx.execute(sql, values).await? == 1)
}

/// Writes what is known of it now; since when it is so, and who looks after it, stays.
pub(super) async fn refresh(tx: &mut Tx, id: AlertId, a: &Alert, now: Timestamp) -> Result<()> {
    let sql = "UPDATE kernel_alert SET severity = $2, title_vi = $3, title_en = $4, cause_vi = $5, cause_en = $6,
                   todo_vi = $7, todo_en = $8, affected = $9, affected_count = $10, seen_at = $11 WHERE id = $1";
    let (named, count) = affected(a)?;
    let values = params![
        id,
        number(a.severity),
        &a.title.vi,
        &a.title.en,
        &a.cause.vi,
        &a.cause.en,
        &a.todo.vi,
        &a.todo.en,
        named,
        count,
        now
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

pub(super) async fn clear(tx: &mut Tx, id: AlertId) -> Result<()> {
    let now = tx.kernel().clock.now();
    tx.execute("UPDATE kernel_alert SET cleared_at = $2 WHERE id = $1", params![id, now]).await?;
    Ok(())
}

pub(super) async fn acknowledge(tx: &mut Tx, cx: &Cx, id: AlertId, note: &str) -> Result<()> {
    let now = tx.kernel().clock.now();
    let sql = "UPDATE kernel_alert SET acknowledged_by = $2, acknowledged_name = $3, acknowledged_at = $4, note = $5
               WHERE id = $1";
    tx.execute(sql, params![id, cx.actor.to_string(), cx.name.clone(), now, note]).await?;
    Ok(())
}

fn affected(a: &Alert) -> Result<(String, i64)> {
    let named = &a.affected[..a.affected.len().min(MOST_NAMED)];
    Ok((serde_json::to_string(named)?, i64::try_from(a.affected.len()).unwrap_or(i64::MAX)))
}

const fn number(severity: Severity) -> i64 {
    match severity {
        Severity::Warning => 1,
        Severity::Critical => 2,
    }
}

fn occurrence(r: &Row) -> Result<Occurrence> {
    let both = |vi, en| Ok::<_, Error>(Text { vi: r.text(vi)?, en: r.text(en)? });
    let acknowledged = match (r.opt_text("acknowledged_by")?, r.opt_int("acknowledged_at")?) {
        (Some(by), Some(at)) => Some(Acknowledged {
            by,
            name: r.opt_text("acknowledged_name")?,
            at: Timestamp::from_micros(at),
            note: r.opt_text("note")?.unwrap_or_default(),
        }),
        _ => None,
    };
    Ok(Occurrence {
        id: r.id("id")?,
        key: r.text("key")?,
        severity: if r.int("severity")? >= 2 { Severity::Critical } else { Severity::Warning },
        title: both("title_vi", "title_en")?,
        cause: both("cause_vi", "cause_en")?,
        todo: both("todo_vi", "todo_en")?,
        affected: serde_json::from_str(&r.text("affected")?)?,
        affected_count: r.int("affected_count")?,
        since: r.time("since")?,
        seen_at: r.time("seen_at")?,
        cleared_at: r.opt_int("cleared_at")?.map(Timestamp::from_micros),
        acknowledged,
    })
}
