//! Cases: what is told about one fault, and to whom.

use base::clock::Timestamp;
use base::error::Result;
use kernel::alerts::{AlertId, Severity};
use kernel::db::Row;
use kernel::{PersonId, Tx, params};

use super::{number, severity};
use crate::message::CaseId;

/// A case.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub id: CaseId,
    /// The occurrence that opened it last.
    pub alert: AlertId,
    pub severity: Severity,
    pub changed_at: Timestamp,
    pub is_open: bool,
    /// It came back soon after its end: changes are put together.
    pub unstable: bool,
    pub times: i64,
    /// How far it was told: 0 nobody, 1 the first on duty, 2 the second, 3 everybody.
    pub stage: i64,
    pub acknowledged: bool,
}

const COLUMNS: &str = "id, alert, severity, changed_at, is_open, unstable, times, stage, acknowledged_at";

fn from_row(r: &Row) -> Result<Case> {
    Ok(Case {
        id: r.id("id")?,
        alert: r.id("alert")?,
        severity: severity(r.int("severity")?),
        changed_at: r.time("changed_at")?,
        is_open: r.bool("is_open")?,
        unstable: r.bool("unstable")?,
        times: r.int("times")?,
        stage: r.int("stage")?,
        acknowledged: r.opt_int("acknowledged_at")?.is_some(),
    })
}

async fn find(tx: &mut Tx, condition: &str, value: kernel::db::Value) -> Result<Option<Case>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM notices_case WHERE {condition} = $1 ORDER BY changed_at DESC, id DESC LIMIT 1
         {{for_update}}"
    );
    tx.query_opt(&sql, vec![value]).await?.as_ref().map(from_row).transpose()
}

/// The last case of a fault.
pub(crate) async fn last_of(tx: &mut Tx, key: &str) -> Result<Option<Case>> {
    find(tx, "key", key.into()).await
}

/// The case of an occurrence.
pub(crate) async fn of_alert(tx: &mut Tx, alert: AlertId) -> Result<Option<Case>> {
    find(tx, "alert", alert.into()).await
}

/// One case.
pub(crate) async fn one(tx: &mut Tx, id: CaseId) -> Result<Option<Case>> {
    find(tx, "id", id.into()).await
}

/// Opens a case.
pub(crate) async fn insert(tx: &mut Tx, key: &str, alert: AlertId, how: Severity) -> Result<Case> {
    let (id, now) = {
        let k = tx.kernel();
        (CaseId::new(&*k.clock, &*k.random), k.clock.now())
    };
    let sql = "INSERT INTO notices_case (id, key, alert, severity, opened_at, changed_at, is_open, unstable, times, stage)
               VALUES ($1, $2, $3, $4, $5, $5, 1, 0, 1, 0)";
    tx.execute(sql, params![id, key, alert, number(how), now]).await?;
    Ok(Case {
        id,
        alert,
        severity: how,
        changed_at: now,
        is_open: true,
        unstable: false,
        times: 1,
        stage: 0,
        acknowledged: false,
    })
}

/// Keeps what has changed of a case.
pub(crate) async fn save(tx: &mut Tx, c: &Case) -> Result<()> {
    let now = tx.kernel().clock.now();
    let sql = "UPDATE notices_case SET alert = $2, severity = $3, changed_at = $4, is_open = $5, unstable = $6, times = $7,
                   stage = $8, acknowledged_at = CASE WHEN $9 = 1 THEN COALESCE(acknowledged_at, $10) END
               WHERE id = $1";
    let values = params![
        c.id,
        c.alert,
        number(c.severity),
        c.changed_at,
        c.is_open,
        c.unstable,
        c.times,
        c.stage,
        c.acknowledged,
        now
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Remembers that a case was told one by one now.
pub(crate) async fn told_now(tx: &mut Tx, id: CaseId) -> Result<()> {
    let now = tx.kernel().clock.now();
    tx.execute("UPDATE notices_case SET told_at = $2 WHERE id = $1", params![id, now]).await?;
    Ok(())
}

/// How many other cases were told one by one since a moment.
pub(crate) async fn told_since(tx: &mut Tx, at: Timestamp, but: CaseId) -> Result<i64> {
    let sql = "SELECT COUNT(*) AS n FROM notices_case WHERE told_at >= $1 AND id <> $2";
    tx.query_opt(sql, params![at, but]).await?.map_or(Ok(0), |r| r.int("n"))
}

/// Remembers that somebody is told of a case. `false` when they were before.
pub(crate) async fn tell(tx: &mut Tx, id: CaseId, person: PersonId) -> Result<bool> {
    let sql =
        "INSERT INTO notices_told (case_id, person) VALUES ($1, $2) ON CONFLICT (case_id, person) DO NOTHING";
    Ok(tx.execute(sql, params![id, person]).await? == 1)
}

/// Who was told of a case. Not those whose message was withdrawn before it was sent.
pub(crate) async fn told(tx: &mut Tx, id: CaseId) -> Result<Vec<PersonId>> {
    let sql = "SELECT t.person FROM notices_told t WHERE t.case_id = $1 AND NOT EXISTS (
                   SELECT 1 FROM notices_message m
                   WHERE m.case_id = t.case_id AND m.person = t.person AND m.state = 'withdrawn')
               ORDER BY t.person";
    tx.query(sql, params![id]).await?.iter().map(|r| r.id("person")).collect()
}

/// Withdraws what waits for the end of somebody's quiet hours.
pub(crate) async fn withdraw(tx: &mut Tx, id: CaseId) -> Result<()> {
    let now = tx.kernel().clock.now();
    let sql = "UPDATE notices_message SET state = 'withdrawn', changed_at = $2
               WHERE case_id = $1 AND state = 'waiting' AND attempts = 0 AND not_before > $2";
    tx.execute(sql, params![id, now]).await?;
    Ok(())
}

/// Whether anything waits to be told in one message.
pub(crate) async fn any_pending(tx: &mut Tx) -> Result<bool> {
    Ok(tx.query_opt("SELECT case_id FROM notices_pending LIMIT 1", vec![]).await?.is_some())
}

/// Lets something wait to be told in one message.
pub(crate) async fn pend(tx: &mut Tx, id: CaseId, template: &str) -> Result<()> {
    let now = tx.kernel().clock.now();
    let sql = "INSERT INTO notices_pending (case_id, template, at) VALUES ($1, $2, $3)
               ON CONFLICT (case_id, template) DO NOTHING";
    tx.execute(sql, params![id, template, now]).await?;
    Ok(())
}

/// Takes everything that waits, the oldest first: the case and what is told of it.
pub(crate) async fn take_pending(tx: &mut Tx) -> Result<Vec<(CaseId, String)>> {
    let sql = "SELECT case_id, template FROM notices_pending ORDER BY at, case_id, template {for_update}";
    let rows = tx.query(sql, vec![]).await?;
    tx.execute("DELETE FROM notices_pending", vec![]).await?;
    rows.iter().map(|r| Ok((r.id("case_id")?, r.text("template")?))).collect()
}
