//! Emergencies in the database, and what the running ones of an appointment permit. SQL only; the rules are in
//! `emergency`.

use std::collections::BTreeSet;

use base::clock::Timestamp;
use base::error::{Error, Result};

use super::emergency::{Decided, Emergency, Reviewed, Rights, Standing};
use super::lineage;
use crate::cx::{AppointmentId, EmergencyId, Grant, PersonId};
use crate::db::{Db, Row};
use crate::kernel::{Kernel, Tx};
use crate::params;

const COLUMNS: &str = "id, person, appointment, right_code, agency, reason, minutes, asked_at, withdrawn_at,
    decided_by, decided_at, granted, decided_words, ends_at, ended_at, reviewed_by, reviewed_at, justified, review_words";

fn from_row(r: &Row) -> Result<Emergency> {
    let decided = match (r.opt_id("decided_by")?, r.opt_time("decided_at")?) {
        (Some(by), Some(at)) => {
            let words = r.opt_text("decided_words")?.unwrap_or_default();
            Some(Decided { by, at, granted: r.opt_int("granted")? == Some(1), words })
        }
        _ => None,
    };
    let reviewed = match (r.opt_id("reviewed_by")?, r.opt_time("reviewed_at")?) {
        (Some(by), Some(at)) => {
            let words = r.opt_text("review_words")?.unwrap_or_default();
            Some(Reviewed { by, at, justified: r.opt_int("justified")? == Some(1), words })
        }
        _ => None,
    };
    Ok(Emergency {
        id: r.id("id")?,
        person: r.id("person")?,
        appointment: r.id("appointment")?,
        right: r.text("right_code")?,
        agency: r.opt_id("agency")?,
        reason: r.text("reason")?,
        minutes: u32::try_from(r.int("minutes")?).map_err(Error::internal)?,
        asked_at: r.time("asked_at")?,
        withdrawn_at: r.opt_time("withdrawn_at")?,
        decided,
        ends_at: r.opt_time("ends_at")?,
        ended_at: r.opt_time("ended_at")?,
        reviewed,
    })
}

/// Adds a request.
pub async fn add(tx: &mut Tx, e: &Emergency) -> Result<()> {
    let sql = "INSERT INTO identity_emergency (id, person, appointment, right_code, agency, reason, minutes, asked_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let minutes = i64::from(e.minutes);
    let p = params![e.id, e.person, e.appointment, &e.right, e.agency, &e.reason, minutes, e.asked_at];
    tx.execute(sql, p).await.map(|_| ())
}

/// Keeps the second person's answer; `ends_at` where it was granted.
pub async fn decide(tx: &mut Tx, id: EmergencyId, d: &Decided, ends_at: Option<Timestamp>) -> Result<()> {
    let sql = "UPDATE identity_emergency SET decided_by = $2, decided_at = $3, granted = $4, decided_words = $5, ends_at = $6
               WHERE id = $1";
    tx.execute(sql, params![id, d.by, d.at, d.granted, &d.words, ends_at]).await.map(|_| ())
}

/// Takes a request back.
pub async fn withdraw(tx: &mut Tx, id: EmergencyId, at: Timestamp) -> Result<()> {
    let sql = "UPDATE identity_emergency SET withdrawn_at = $2 WHERE id = $1";
    tx.execute(sql, params![id, at]).await.map(|_| ())
}

/// Ends a running one early.
pub async fn end(tx: &mut Tx, id: EmergencyId, by: PersonId, at: Timestamp) -> Result<()> {
    let sql = "UPDATE identity_emergency SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at IS NULL";
    tx.execute(sql, params![id, at, by]).await.map(|_| ())
}

/// Keeps the review.
pub async fn review(tx: &mut Tx, id: EmergencyId, r: &Reviewed) -> Result<()> {
    let sql =
        "UPDATE identity_emergency SET reviewed_by = $2, reviewed_at = $3, justified = $4, review_words = $5
               WHERE id = $1";
    tx.execute(sql, params![id, r.by, r.at, r.justified, &r.words]).await.map(|_| ())
}

/// One of them, or `NotFound`.
pub async fn get(db: &Db, id: EmergencyId) -> Result<Emergency> {
    let sql = format!("SELECT {COLUMNS} FROM identity_emergency WHERE id = $1");
    let row = db.query_opt(&sql, params![id]).await?;
    from_row(&row.ok_or(Error::NotFound { kind: EmergencyId::KIND })?)
}

/// As [`get`], locked.
pub async fn lock(tx: &mut Tx, id: EmergencyId) -> Result<Emergency> {
    let sql = format!("SELECT {COLUMNS} FROM identity_emergency WHERE id = $1 {{for_update}}");
    let row = tx.query_opt(&sql, params![id]).await?;
    from_row(&row.ok_or(Error::NotFound { kind: EmergencyId::KIND })?)
}

/// Those of a person, or all of them, the last one first; `before` continues a list.
pub async fn list(
    db: &Db,
    of: Option<PersonId>,
    before: Option<EmergencyId>,
    limit: u32,
) -> Result<Vec<Emergency>> {
    // Identifiers are given out in the order of time.
    let sql = format!(
        "SELECT {COLUMNS} FROM identity_emergency WHERE ($1 = '' OR person = $1) AND ($2 = '' OR id < $2)
         ORDER BY id DESC LIMIT $3"
    );
    let text = |id: Option<String>| id.unwrap_or_default();
    let (of, before) = (text(of.map(|p| p.to_string())), text(before.map(|b| b.to_string())));
    db.query(&sql, params![of, before, limit]).await?.iter().map(from_row).collect()
}

/// Those that were granted and are not reviewed, the oldest first.
pub async fn unreviewed(db: &Db, limit: u32) -> Result<Vec<Emergency>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM identity_emergency WHERE granted = 1 AND reviewed_at IS NULL ORDER BY id LIMIT $1"
    );
    db.query(&sql, params![limit]).await?.iter().map(from_row).collect()
}

/// What the running emergencies of an appointment permit at a moment.
pub(super) async fn grants(
    k: &Kernel,
    rights: &Rights,
    through: AppointmentId,
    now: Timestamp,
) -> Result<Vec<Grant>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM identity_emergency
         WHERE appointment = $1 AND granted = 1 AND ends_at > $2 AND (ended_at IS NULL OR ended_at > $2)"
    );
    let mut out = Vec::new();
    for row in k.db.query(&sql, params![through, now]).await? {
        let e = from_row(&row)?;
        if e.standing(now) != Standing::Running {
            continue;
        }
        let reached = match e.agency {
            Some(agency) => lineage::reached(k, agency, now.date()).await?,
            None => BTreeSet::new(),
        };
        out.extend(rights.grants(&e, &reached));
    }
    Ok(out)
}
