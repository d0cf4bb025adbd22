//! Who changed what: rows that commit with the action. A sealing job copies them in commit order into a durable
//! stream whose entries are sealed in a Merkle tree. Who *saw* what goes to a stream directly, not through here.

use base::clock::Timestamp;
use base::error::Result;
use base::ids::Ref;

use crate::cx::{Cx, EmergencyId, PersonId};
use crate::db::{Db, Row, Transaction};
use crate::ordered::Ordered;
use crate::params;

pub(crate) const ORDER: Ordered = Ordered { table: "kernel_audit" };

/// One audited act.
#[derive(Debug, Clone, serde::Serialize)]
pub struct AuditRow {
    /// Place in commit order, from 1; 0 while it is not known yet.
    pub position: i64,
    /// When.
    pub at: Timestamp,
    /// Who, as text (`official:…/…`, `system:…`, `kernel:…`).
    pub actor: String,
    /// What was done, `module.thing.verb`.
    pub action: String,
    /// To what.
    pub subject: Ref,
    /// What changed: identifiers and values, never secrets.
    pub detail: serde_json::Value,
    /// The request it came with.
    pub request_id: String,
}

impl AuditRow {
    fn from_row(r: &Row) -> Result<Self> {
        Ok(Self {
            position: r.int("position")?,
            at: r.time("at")?,
            actor: r.text("actor")?,
            action: r.text("action")?,
            subject: Ref::new(r.text("subject_kind")?, r.text("subject_id")?),
            detail: r.json("detail")?,
            request_id: r.text("request_id")?,
        })
    }
}

pub(crate) async fn append(
    tx: &mut Transaction,
    cx: &Cx,
    at: Timestamp,
    action: &str,
    subject: &Ref,
    detail: &serde_json::Value,
) -> Result<()> {
    let sql = format!(
        "INSERT INTO kernel_audit (position, xid, at, actor, action, subject_kind, subject_id, detail, request_id,
             emergency)
         VALUES ({}, $1, $2, $3, $4, $5, $6, $7, $8)",
        ORDER.values(tx.backend())
    );
    let actor = cx.actor.to_string();
    let emergency = cx.emergency();
    let mut detail = detail.clone();
    if let (Some(id), Some(object)) = (emergency, detail.as_object_mut()) {
        // Sealed with the row: the mark cannot be taken away afterwards.
        object.insert("emergency".to_owned(), id.to_string().into());
    }
    let p = params![at, actor, action, &subject.kind, &subject.id, detail, &cx.request_id, emergency];
    tx.execute(&sql, p).await?;
    Ok(())
}

/// Audited acts after a position, in commit order.
pub async fn read(db: &Db, after: i64, limit: u32) -> Result<Vec<AuditRow>> {
    ORDER.assign(db).await?;
    let sql =
        "SELECT position, at, actor, action, subject_kind, subject_id, detail, request_id FROM kernel_audit
               WHERE position > $1 ORDER BY position LIMIT $2";
    db.query(sql, params![after, limit]).await?.iter().map(AuditRow::from_row).collect()
}

/// Audited acts under an emergency right, newest first.
pub async fn under(db: &Db, emergency: EmergencyId, limit: u32) -> Result<Vec<AuditRow>> {
    let sql = "SELECT COALESCE(position, 0) AS position, at, actor, action, subject_kind, subject_id, detail,
                      request_id
               FROM kernel_audit WHERE emergency = $1 ORDER BY seq DESC LIMIT $2";
    db.query(sql, params![emergency, limit]).await?.iter().map(AuditRow::from_row).collect()
}

/// Whether somebody did something to a thing, through whatever appointment.
pub async fn did(db: &Db, person: PersonId, action: &str, subject: &Ref) -> Result<bool> {
    let sql = "SELECT seq FROM kernel_audit WHERE subject_kind = $1 AND subject_id = $2 AND action = $3
                 AND (actor = $4 OR actor LIKE $5) LIMIT 1";
    let actor = format!("official:{person}");
    let through = format!("{actor}/%");
    let p = params![&subject.kind, &subject.id, action, actor, through];
    Ok(db.query_opt(sql, p).await?.is_some())
}

/// Audited acts upon one thing, newest first.
pub async fn about(db: &Db, subject: &Ref, limit: u32) -> Result<Vec<AuditRow>> {
    ORDER.assign(db).await?;
    // A row just committed may have no position yet; a page must show it all the same.
    let sql = "SELECT COALESCE(position, 0) AS position, at, actor, action, subject_kind, subject_id, detail,
                      request_id
               FROM kernel_audit WHERE subject_kind = $1 AND subject_id = $2 ORDER BY seq DESC LIMIT $3";
    let rows = db.query(sql, params![&subject.kind, &subject.id, limit]).await?;
    rows.iter().map(AuditRow::from_row).collect()
}
