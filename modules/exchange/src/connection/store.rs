//! Requests and their files in tables.

use base::clock::Timestamp;
use kernel::blobs::BlobId;
use kernel::db::{Db, Row, Value};
use kernel::orgs::UnitId;
use kernel::{Error, Result, Tx, params};

use super::{Draft, Kind, Turn, turn};
use crate::agreement::State;
use crate::environment::Environment;
use crate::ids::{AgreementId, AttachmentId, ServiceId, SubsystemId};
use crate::viewer::Viewer;

/// Most requests listed.
pub const LISTED: u32 = 500;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The identifier, also that of its agreement.
    pub id: AgreementId,
    /// Its number, also that of its agreement.
    pub number: String,
    /// Who would call.
    pub consumer: SubsystemId,
    /// The consumer's name.
    pub consumer_name: String,
    /// The consumer's member.
    pub consumer_member: String,
    /// The agency behind the consumer.
    pub consumer_agency: Option<UnitId>,
    /// What would be called.
    pub service: ServiceId,
    /// The service's name.
    pub service_name: String,
    /// The provider's member.
    pub provider_member: String,
    /// The agency behind the provider.
    pub provider_agency: Option<UnitId>,
    /// SHA-256 of the service's description.
    pub document: Option<String>,
    /// What was written.
    pub draft: Draft,
    /// Grows with every change of the draft.
    pub version: u32,
    /// When it was first sent.
    pub submitted_at: Option<Timestamp>,
    /// When it was thrown away unsent.
    pub discarded_at: Option<Timestamp>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it or its agreement last changed.
    pub changed_at: Timestamp,
    /// Where its agreement stands today, where its calls go, and whether it is published.
    pub stands: Option<(State, Environment, bool)>,
}

impl Request {
    /// Whose turn it is.
    pub fn turn(&self) -> Turn {
        if self.discarded_at.is_some() { Turn::Nobody } else { turn(self.stands) }
    }

    /// Whether the consumer may still write in it.
    pub fn is_open(&self) -> bool {
        self.discarded_at.is_none() && matches!(self.stands, None | Some((State::Returned, ..)))
    }
}

const TABLES: &str = "exchange_request r
    JOIN exchange_subsystem c ON c.id = r.consumer_id JOIN exchange_member cm ON cm.id = c.member_id
    JOIN exchange_service v ON v.id = r.service_id JOIN exchange_subsystem s ON s.id = v.subsystem_id
    JOIN exchange_member pm ON pm.id = s.member_id LEFT JOIN exchange_agreement a ON a.id = r.id";

const COLUMNS: &str = "r.id, r.number, r.consumer_id, c.name AS consumer_name, cm.name AS consumer_member,
    cm.agency_id AS consumer_agency, r.service_id, v.name AS service_name, pm.name AS provider_member,
    pm.agency_id AS provider_agency, v.document, r.draft, r.version, r.submitted_at, r.discarded_at, r.created_at,
    COALESCE(a.changed_at, r.changed_at) AS changed_at, a.environment, a.published_at,
    CASE WHEN a.state IN ('approved', 'suspended') AND a.valid_to < $1 THEN 'expired' ELSE a.state END AS state";

/// Unsent ones are seen by who asks only.
fn sees(viewer: &Viewer, p: &mut Vec<Value>) -> String {
    let all = viewer.condition(&["cm.agency_id", "pm.agency_id"], &["r.consumer_id", "v.subsystem_id"], p);
    let own = viewer.condition(&["cm.agency_id"], &["r.consumer_id"], p);
    format!("({own} OR (r.submitted_at IS NOT NULL AND {all}))")
}

fn from_row(r: &Row) -> Result<Request> {
    let stands = match (r.opt_id::<State>("state")?, r.opt_id::<Environment>("environment")?) {
        (Some(state), Some(place)) => Some((state, place, r.opt_time("published_at")?.is_some())),
        _ => None,
    };
    Ok(Request {
        id: r.id("id")?,
        number: r.text("number")?,
        consumer: r.id("consumer_id")?,
        consumer_name: r.text("consumer_name")?,
        consumer_member: r.text("consumer_member")?,
        consumer_agency: r.opt_id("consumer_agency")?,
        service: r.id("service_id")?,
        service_name: r.text("service_name")?,
        provider_member: r.text("provider_member")?,
        provider_agency: r.opt_id("provider_agency")?,
        document: r.opt_text("document")?,
        draft: r.json("draft")?,
        version: u32::try_from(r.int("version")?).unwrap_or(u32::MAX),
        submitted_at: r.opt_time("submitted_at")?,
        discarded_at: r.opt_time("discarded_at")?,
        created_at: r.time("created_at")?,
        changed_at: r.time("changed_at")?,
        stands,
    })
}

/// Requests the reader takes part in, the newest first, thrown away ones left out.
///
/// # Errors
/// When the database is away.
pub async fn list(db: &Db, viewer: &Viewer, now: Timestamp) -> Result<Vec<Request>> {
    let mut p = params![now.date()];
    let seen = sees(viewer, &mut p);
    p.push(LISTED.into());
    let sql = format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE {seen} AND r.discarded_at IS NULL
         ORDER BY COALESCE(a.changed_at, r.changed_at) DESC, r.id DESC LIMIT ${}",
        p.len()
    );
    db.query(&sql, p).await?.iter().map(from_row).collect()
}

/// One request, if the reader takes part in it.
///
/// # Errors
/// [`Error::NotFound`], or the database is away.
pub async fn find(db: &Db, viewer: &Viewer, now: Timestamp, id: AgreementId) -> Result<Request> {
    let mut p = params![now.date(), id];
    let seen = sees(viewer, &mut p);
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE r.id = $2 AND {seen}");
    let row = db.query_opt(&sql, p).await?;
    row.as_ref().map(from_row).transpose()?.ok_or(Error::NotFound { kind: AgreementId::KIND })
}

/// One request, locked until the action ends; rights are the caller's matter.
///
/// # Errors
/// [`Error::NotFound`], or the database is away.
pub async fn lock(tx: &mut Tx, now: Timestamp, id: AgreementId) -> Result<Request> {
    let locked =
        tx.query_opt("SELECT id FROM exchange_request WHERE id = $1 {for_update}", params![id]).await?;
    locked.ok_or(Error::NotFound { kind: AgreementId::KIND })?;
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE r.id = $2");
    let row = tx.query_opt(&sql, params![now.date(), id]).await?;
    row.as_ref().map(from_row).transpose()?.ok_or(Error::NotFound { kind: AgreementId::KIND })
}

/// Who would call and what, for a new request.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// The identifier.
    pub id: AgreementId,
    /// The number.
    pub number: &'a str,
    /// Who would call.
    pub consumer: SubsystemId,
    /// What would be called.
    pub service: ServiceId,
}

/// Adds a request.
///
/// # Errors
/// When the database is away.
pub async fn add(tx: &mut Tx, new: &New<'_>, draft: &Draft, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO exchange_request
                   (id, number, consumer_id, service_id, draft, version, created_by, created_at, changed_at)
               VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $7)";
    let by = tx.cx().actor.to_string();
    let p = params![new.id, new.number, new.consumer, new.service, serde_json::to_string(draft)?, by, now];
    tx.execute(sql, p).await?;
    Ok(())
}

/// Writes what was changed in a request.
///
/// # Errors
/// When the database is away.
pub async fn save(tx: &mut Tx, r: &Request, now: Timestamp) -> Result<()> {
    let sql =
        "UPDATE exchange_request SET draft = $2, version = version + 1, submitted_at = $3, discarded_at = $4,
                   changed_at = $5 WHERE id = $1";
    let draft = serde_json::to_string(&r.draft)?;
    tx.execute(sql, params![r.id, draft, r.submitted_at, r.discarded_at, now]).await?;
    Ok(())
}

/// The agency behind a subsystem that is connected.
///
/// # Errors
/// [`Error::NotFound`], or the database is away.
pub async fn agency_of(tx: &mut Tx, consumer: SubsystemId) -> Result<Option<UnitId>> {
    let sql = "SELECT m.agency_id FROM exchange_subsystem s JOIN exchange_member m ON m.id = s.member_id
               WHERE s.id = $1 AND s.retired_at IS NULL AND m.retired_at IS NULL";
    let row = tx.query_opt(sql, params![consumer]).await?;
    row.ok_or(Error::NotFound { kind: SubsystemId::KIND })?.opt_id("agency_id")
}

/// Systems a reader may ask for, and services anybody may ask for: identifier, name, whose.
///
/// # Errors
/// When the database is away.
pub async fn choices(db: &Db, askers: &Viewer) -> Result<(Vec<[String; 3]>, Vec<[String; 3]>)> {
    let three = |r: &Row| Ok([r.text("id")?, r.text("name")?, r.text("member")?]);
    let mut p = params![];
    let own = askers.condition(&["m.agency_id"], &[], &mut p);
    let sql = format!(
        "SELECT s.id, s.name, m.name AS member FROM exchange_subsystem s JOIN exchange_member m ON m.id = s.member_id
         WHERE s.retired_at IS NULL AND m.retired_at IS NULL AND {own} ORDER BY s.sort_key, s.id LIMIT 1000"
    );
    let systems = db.query(&sql, p).await?.iter().map(three).collect::<Result<Vec<_>>>()?;
    let sql = "SELECT v.id, v.name, m.name AS member FROM exchange_service v
               JOIN exchange_subsystem s ON s.id = v.subsystem_id JOIN exchange_member m ON m.id = s.member_id
               WHERE v.retired_at IS NULL AND s.retired_at IS NULL AND m.retired_at IS NULL
               ORDER BY v.sort_key, v.id LIMIT 1000";
    let services = db.query(sql, params![]).await?.iter().map(three).collect::<Result<Vec<_>>>()?;
    Ok((systems, services))
}

/// A file of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The file.
    pub id: AttachmentId,
    /// What it is for.
    pub kind: Kind,
    /// The name shown.
    pub name: String,
    /// What it is.
    pub media_type: String,
    /// Its size in bytes.
    pub size: i64,
    /// Its content.
    pub blob: BlobId,
    /// When it was attached.
    pub added_at: Timestamp,
}

/// The files of a request, oldest first.
///
/// # Errors
/// When the database is away.
pub async fn attachments(db: &Db, request: AgreementId) -> Result<Vec<Attachment>> {
    let sql = "SELECT id, kind, name, media_type, size, blob, added_at FROM exchange_attachment
               WHERE request_id = $1 ORDER BY added_at, id";
    db.query(sql, params![request]).await?.iter().map(attachment).collect()
}

/// The same within an action.
///
/// # Errors
/// When the database is away.
pub async fn attachments_in(tx: &mut Tx, request: AgreementId) -> Result<Vec<Attachment>> {
    let sql = "SELECT id, kind, name, media_type, size, blob, added_at FROM exchange_attachment
               WHERE request_id = $1 ORDER BY added_at, id";
    tx.query(sql, params![request]).await?.iter().map(attachment).collect()
}

fn attachment(r: &Row) -> Result<Attachment> {
    Ok(Attachment {
        id: r.id("id")?,
        kind: Kind::from_word(&r.text("kind")?).unwrap_or(Kind::Other),
        name: r.text("name")?,
        media_type: r.text("media_type")?,
        size: r.int("size")?,
        blob: r.id("blob")?,
        added_at: r.time("added_at")?,
    })
}

/// Adds a file.
///
/// # Errors
/// When the database is away.
pub async fn attach(tx: &mut Tx, request: AgreementId, a: &Attachment) -> Result<()> {
    let sql = "INSERT INTO exchange_attachment
                   (id, request_id, kind, name, media_type, size, blob, added_at, added_by)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let by = tx.cx().actor.to_string();
    let p = params![a.id, request, a.kind.as_str(), &a.name, &a.media_type, a.size, a.blob, a.added_at, by];
    tx.execute(sql, p).await?;
    Ok(())
}

/// Takes a file away.
///
/// # Errors
/// When the database is away.
pub async fn detach(tx: &mut Tx, id: AttachmentId) -> Result<()> {
    tx.execute("DELETE FROM exchange_attachment WHERE id = $1", params![id]).await?;
    Ok(())
}
