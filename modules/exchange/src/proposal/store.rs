//! Proposals in tables; SQL only.

use std::collections::BTreeSet;

use kernel::blobs::BlobId;
use kernel::db::{Db, Migration, Row};
use kernel::{Error, Result, Tx, params};

use super::{New, Proposal, State};
use crate::ids::{ProposalId, ServiceId, SubsystemId};
use crate::store::registry::parsed;
use crate::viewer::Viewer;

/// The tables.
pub const MIGRATION: Migration =
    Migration { name: "0033_proposals", sql: include_str!("../../migrations/0033_proposals.sql") };

/// Most that are listed.
const MOST: u32 = 500;

const SELECT: &str = "SELECT p.id, p.subsystem_id, s.name AS subsystem_name, m.class, m.code AS member_code,
        s.code AS subsystem_code, m.name AS member, m.agency_id, p.code, p.name, p.base_url, p.blob, p.sha256, p.source,
        p.personal, p.state, p.proposed_at, p.proposed_name, p.decided_at, p.decided_name, p.reason, p.service_id
    FROM exchange_proposal p JOIN exchange_subsystem s ON s.id = p.subsystem_id
    JOIN exchange_member m ON m.id = s.member_id";

fn row(r: &Row) -> Result<Proposal> {
    let state = r.text("state")?;
    Ok(Proposal {
        id: r.id("id")?,
        subsystem: r.id("subsystem_id")?,
        subsystem_name: r.text("subsystem_name")?,
        subsystem_key: [r.text("class")?, r.text("member_code")?, r.text("subsystem_code")?].join("/"),
        member: r.text("member")?,
        agency: r.opt_id("agency_id")?,
        code: r.text("code")?,
        name: r.text("name")?,
        base_url: parsed(r, "base_url")?,
        blob: r.id("blob")?,
        sha256: r.text("sha256")?,
        source: r.opt_text("source")?,
        personal: r.json("personal")?,
        state: State::from_word(&state).ok_or_else(|| Error::internal(format!("proposal `{state}`")))?,
        proposed: (r.time("proposed_at")?, r.opt_text("proposed_name")?),
        decided: r.opt_time("decided_at")?.zip(Some(r.opt_text("decided_name")?)),
        reason: r.opt_text("reason")?,
        service: r.opt_id("service_id")?,
    })
}

/// Proposals of the reader's agencies, waiting ones first, then the newest.
///
/// # Errors
/// When the database is away.
pub async fn list(db: &Db, viewer: &Viewer) -> Result<Vec<Proposal>> {
    let mut p = params![MOST];
    let own = viewer.condition(&["m.agency_id"], &["s.id"], &mut p);
    let sql = format!(
        "{SELECT} WHERE {own} ORDER BY CASE WHEN p.state = 'waiting' THEN 0 ELSE 1 END, p.proposed_at DESC, p.id DESC
         LIMIT $1"
    );
    db.query(&sql, p).await?.iter().map(row).collect()
}

/// One proposal, if it is of the reader's agencies.
///
/// # Errors
/// [`Error::NotFound`], or the database is away.
pub async fn find(db: &Db, viewer: &Viewer, id: ProposalId) -> Result<Proposal> {
    let mut p = params![id];
    let own = viewer.condition(&["m.agency_id"], &["s.id"], &mut p);
    let found = db.query_opt(&format!("{SELECT} WHERE p.id = $1 AND {own}"), p).await?;
    found.as_ref().map(row).transpose()?.ok_or(Error::NotFound { kind: ProposalId::KIND })
}

/// One proposal, locked until the action ends; rights are the caller's matter.
pub(super) async fn lock(tx: &mut Tx, id: ProposalId) -> Result<Proposal> {
    let sql = "SELECT id FROM exchange_proposal WHERE id = $1 {for_update}";
    tx.query_opt(sql, params![id]).await?.ok_or(Error::NotFound { kind: ProposalId::KIND })?;
    let found = tx.query_opt(&format!("{SELECT} WHERE p.id = $1"), params![id]).await?;
    found.as_ref().map(row).transpose()?.ok_or(Error::NotFound { kind: ProposalId::KIND })
}

/// Systems for which the reader may propose: identifier and name with its member.
///
/// # Errors
/// When the database is away.
pub async fn own_systems(db: &Db, deciders: &Viewer) -> Result<Vec<(String, String)>> {
    let mut p = params![];
    let own = deciders.condition(&["m.agency_id"], &[], &mut p);
    let sql = format!(
        "SELECT s.id, s.name, m.name AS member FROM exchange_subsystem s JOIN exchange_member m ON m.id = s.member_id
         WHERE s.retired_at IS NULL AND m.retired_at IS NULL AND {own} ORDER BY s.sort_key, s.id LIMIT 1000"
    );
    let one = |r: &Row| Ok((r.text("id")?, format!("{} – {}", r.text("name")?, r.text("member")?)));
    db.query(&sql, p).await?.iter().map(one).collect()
}

/// Keeps a proposal. `false` when one of the same service waits.
pub(super) async fn insert(
    tx: &mut Tx,
    id: ProposalId,
    new: &New,
    blob: BlobId,
    sha256: &str,
) -> Result<bool> {
    let (by, name, now) = (tx.cx().actor.to_string(), tx.cx().name.clone(), tx.kernel().clock.now());
    let sql = "INSERT INTO exchange_proposal (id, subsystem_id, code, name, base_url, blob, sha256, source, personal,
                   state, proposed_at, proposed_by, proposed_name)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', $10, $11, $12)
               ON CONFLICT (subsystem_id, code) WHERE state = 'waiting' DO NOTHING";
    let personal = serde_json::to_string(&new.personal)?;
    let (code, title, url) = (&new.code, &new.name, new.base_url.as_str());
    let source = new.source.clone();
    let p = params![id, new.subsystem, code, title, url, blob, sha256, source, personal, now, by, name];
    Ok(tx.execute(sql, p).await? == 1)
}

/// Writes how it ended.
pub(super) async fn decide(
    tx: &mut Tx,
    id: ProposalId,
    state: State,
    reason: Option<&str>,
    service: Option<ServiceId>,
) -> Result<()> {
    let (name, now) = (tx.cx().name.clone(), tx.kernel().clock.now());
    let sql = "UPDATE exchange_proposal SET state = $2, decided_at = $3, decided_name = $4, reason = $5, service_id = $6
               WHERE id = $1";
    tx.execute(sql, params![id, state.as_str(), now, name, reason, service]).await?;
    Ok(())
}

/// The service of a system under a code: its identifier, and whether it is still registered.
pub(super) async fn service(tx: &mut Tx, of: SubsystemId, code: &str) -> Result<Option<(ServiceId, bool)>> {
    let sql = "SELECT id, retired_at FROM exchange_service WHERE subsystem_id = $1 AND code = $2";
    let row = tx.query_opt(sql, params![of, code]).await?;
    row.map(|r| Ok((r.id("id")?, r.opt_int("retired_at")?.is_none()))).transpose()
}

/// Writes which fields of a service its provider marked, and where its description was fetched.
pub(super) async fn mark(
    tx: &mut Tx,
    service: ServiceId,
    personal: &BTreeSet<String>,
    source: Option<&str>,
) -> Result<()> {
    tx.execute("DELETE FROM exchange_personal_field WHERE service_id = $1", params![service]).await?;
    for path in personal {
        let sql = "INSERT INTO exchange_personal_field (service_id, path) VALUES ($1, $2)";
        tx.execute(sql, params![service, path]).await?;
    }
    tx.execute("UPDATE exchange_service SET source = $2 WHERE id = $1", params![service, source]).await?;
    Ok(())
}

/// The fields of a service its provider marked as personal.
///
/// # Errors
/// When the database is away.
pub async fn personal(db: &Db, service: ServiceId) -> Result<BTreeSet<String>> {
    let sql = "SELECT path FROM exchange_personal_field WHERE service_id = $1";
    db.query(sql, params![service]).await?.iter().map(|r| r.text("path")).collect()
}
