//! Announcements in tables; SQL only.

use std::collections::HashMap;

use base::clock::{Date, Timestamp};
use kernel::db::{Db, Migration, Row, Value};
use kernel::{Error, Result, Tx, params};

use super::{Announcement, Kind, Said, Told};
use crate::ids::{AnnouncementId, ServiceId, SubsystemId};
use crate::snapshot::Announced;
use crate::viewer::Viewer;

/// The tables.
pub const MIGRATION: Migration =
    Migration { name: "0030_announcements", sql: include_str!("../../migrations/0030_announcements.sql") };

/// Most that are listed at once.
const MOST: u32 = 200;
/// Consumers told of one announcement; as many as hold agreements with one service.
pub(super) const MOST_CONSUMERS: u32 = 1_000;

const SELECT: &str = "SELECT n.id, n.service_id, v.name AS service_name, m.name AS provider_member,
        s.id AS provider_subsystem, m.agency_id AS provider_agency, n.kind, n.effective, n.ends, n.what, n.successor_id, w.name AS successor_name,
        n.told_at, n.told_name, n.refuses_at, n.refuses_name, n.withdrawn_at, n.withdrawn_name
    FROM exchange_announcement n JOIN exchange_service v ON v.id = n.service_id
    JOIN exchange_subsystem s ON s.id = v.subsystem_id JOIN exchange_member m ON m.id = s.member_id
    LEFT JOIN exchange_service w ON w.id = n.successor_id";

fn announcement(r: &Row) -> Result<Announcement> {
    let kind = r.text("kind")?;
    let said = Said {
        kind: Kind::from_word(&kind).ok_or_else(|| Error::internal(format!("announcement `{kind}`")))?,
        effective: r.date("effective")?,
        ends: r.opt_date("ends")?,
        what: r.text("what")?,
        successor: r.opt_id("successor_id")?,
    };
    let done = |at: &str, name: &str| Ok::<_, Error>(r.opt_time(at)?.zip(Some(r.opt_text(name)?)));
    Ok(Announcement {
        id: r.id("id")?,
        service: r.id("service_id")?,
        service_name: r.text("service_name")?,
        provider_member: r.text("provider_member")?,
        provider_subsystem: r.id("provider_subsystem")?,
        provider_agency: r.opt_id("provider_agency")?,
        said,
        successor_name: r.opt_text("successor_name")?,
        told_at: r.time("told_at")?,
        told_name: r.opt_text("told_name")?,
        refuses: done("refuses_at", "refuses_name")?,
        withdrawn: done("withdrawn_at", "withdrawn_name")?,
    })
}

fn all(rows: &[Row]) -> Result<Vec<Announcement>> {
    rows.iter().map(announcement).collect()
}

/// One announcement.
///
/// # Errors
/// When the database is away.
pub async fn one(db: &Db, id: AnnouncementId) -> Result<Option<Announcement>> {
    let sql = format!("{SELECT} WHERE n.id = $1");
    db.query_opt(&sql, params![id]).await?.as_ref().map(announcement).transpose()
}

/// As [`one`], locked until the action ends.
pub(super) async fn lock(tx: &mut Tx, id: AnnouncementId) -> Result<Option<Announcement>> {
    let sql = "SELECT id FROM exchange_announcement WHERE id = $1 {for_update}";
    if tx.query_opt(sql, params![id]).await?.is_none() {
        return Ok(None);
    }
    let sql = format!("{SELECT} WHERE n.id = $1");
    tx.query_opt(&sql, params![id]).await?.as_ref().map(announcement).transpose()
}

/// What was announced of a service, the newest first.
///
/// # Errors
/// When the database is away.
pub async fn of_service(db: &Db, service: ServiceId) -> Result<Vec<Announcement>> {
    let sql = format!("{SELECT} WHERE n.service_id = $1 ORDER BY n.told_at DESC, n.id DESC LIMIT $2");
    all(&db.query(&sql, params![service, MOST]).await?)
}

/// What was announced to or by those the reader answers for, and stands; what is due soonest first.
///
/// # Errors
/// When the database is away.
pub async fn concerning(db: &Db, viewer: &Viewer, today: Date) -> Result<Vec<Announcement>> {
    let mut p = params![MOST, earliest(today)];
    let provides = viewer.condition(&["m.agency_id"], &["s.id"], &mut p);
    let consumes = viewer.condition(&["cm.agency_id"], &["cs.id"], &mut p);
    let sql = format!(
        "{SELECT} WHERE n.withdrawn_at IS NULL AND COALESCE(n.ends, n.effective) >= $2
             AND ({provides} OR n.id IN (SELECT o.announcement_id FROM exchange_announcement_consumer o
                 JOIN exchange_subsystem cs ON cs.id = o.subsystem_id JOIN exchange_member cm ON cm.id = cs.member_id
                 WHERE {consumes}))
         ORDER BY COALESCE(n.ends, n.effective), n.id LIMIT $1"
    );
    all(&db.query(&sql, p).await?)
}

/// What was announced to one system and stands, what is due soonest first, with whether it has acknowledged.
///
/// # Errors
/// When the database is away.
pub async fn mine(db: &Db, system: SubsystemId, today: Date) -> Result<Vec<(Announcement, bool)>> {
    let select = SELECT.replacen("SELECT ", "SELECT o.acknowledged_at, ", 1);
    let sql = format!(
        "{select} JOIN exchange_announcement_consumer o ON o.announcement_id = n.id AND o.subsystem_id = $1
         WHERE n.withdrawn_at IS NULL AND COALESCE(n.ends, n.effective) >= $2
         ORDER BY COALESCE(n.ends, n.effective), n.id LIMIT $3"
    );
    let rows = db.query(&sql, params![system, earliest(today), MOST]).await?;
    rows.iter().map(|r| Ok((announcement(r)?, r.opt_time("acknowledged_at")?.is_some()))).collect()
}

/// What is over is still told for some days.
fn earliest(today: Date) -> Date {
    today.plus_days(-30).unwrap_or(today)
}

/// The consumers that were told, by name.
///
/// # Errors
/// When the database is away.
pub async fn consumers(db: &Db, id: AnnouncementId) -> Result<Vec<Told>> {
    let sql = "SELECT o.subsystem_id, s.name, s.code, m.class, m.code AS member_code, m.name AS member, m.agency_id,
                   r.instance, o.told_at, o.reminded, o.acknowledged_at, o.acknowledged_name
               FROM exchange_announcement_consumer o JOIN exchange_subsystem s ON s.id = o.subsystem_id
               JOIN exchange_member m ON m.id = s.member_id JOIN exchange_registry r ON r.one = 1
               WHERE o.announcement_id = $1 ORDER BY s.sort_key, s.id";
    let told = |r: &Row| {
        let code = r.text("code")?;
        Ok(Told {
            subsystem: r.id("subsystem_id")?,
            path: [r.text("instance")?, r.text("class")?, r.text("member_code")?, code.clone()].join("/"),
            name: r.text("name")?,
            code,
            member: r.text("member")?,
            agency: r.opt_id("agency_id")?,
            told_at: r.time("told_at")?,
            reminded: r.opt_int("reminded")?,
            acknowledged: r.opt_time("acknowledged_at")?.zip(Some(r.opt_text("acknowledged_name")?)),
        })
    };
    db.query(sql, params![id]).await?.iter().map(told).collect()
}

/// The deprecations and ends that stand, by service, as the gateway needs them.
///
/// # Errors
/// When the database is away.
pub async fn in_force(db: &Db, instance: &str) -> Result<HashMap<ServiceId, Announced>> {
    let sql = "SELECT n.id, n.service_id, n.effective, n.ends, n.refuses_at, m.class, m.code AS member,
                   s.code AS subsystem, w.code AS successor
               FROM exchange_announcement n
               LEFT JOIN exchange_service w ON w.id = n.successor_id AND w.retired_at IS NULL
               LEFT JOIN exchange_subsystem s ON s.id = w.subsystem_id LEFT JOIN exchange_member m ON m.id = s.member_id
               WHERE n.kind <> 'change' AND n.withdrawn_at IS NULL";
    let mut out = HashMap::new();
    for r in db.query(sql, params![]).await? {
        let parts =
            [r.opt_text("class")?, r.opt_text("member")?, r.opt_text("subsystem")?, r.opt_text("successor")?];
        let path: Option<Vec<String>> = parts.into_iter().collect();
        let announced = Announced {
            id: r.id("id")?,
            deprecated_at: Timestamp::start_of(r.date("effective")?),
            ends_at: r.opt_date("ends")?.map(Timestamp::start_of),
            refuses: r.opt_time("refuses_at")?.is_some(),
            successor: path.map(|path| format!("{instance}/{}", path.join("/"))),
        };
        out.insert(r.id("service_id")?, announced);
    }
    Ok(out)
}

/// Keeps an announcement. `false` when one of an end stands.
pub(super) async fn insert(tx: &mut Tx, id: AnnouncementId, of: ServiceId, said: &Said) -> Result<bool> {
    let sql = "INSERT INTO exchange_announcement
                   (id, service_id, kind, effective, ends, what, successor_id, told_at, told_by, told_name)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
               ON CONFLICT (service_id) WHERE kind <> 'change' AND withdrawn_at IS NULL DO NOTHING";
    let (by, name, now) = (tx.cx().actor.to_string(), tx.cx().name.clone(), tx.kernel().clock.now());
    let Said { kind, effective, ends, what, successor } = said;
    let p = params![id, of, kind.as_str(), *effective, *ends, what, *successor, now, by, name];
    Ok(tx.execute(sql, p).await? == 1)
}

/// Remembers that a consumer is told. `false` when it was before.
pub(super) async fn told(tx: &mut Tx, id: AnnouncementId, system: SubsystemId) -> Result<bool> {
    let now = tx.kernel().clock.now();
    let sql = "INSERT INTO exchange_announcement_consumer (announcement_id, subsystem_id, told_at) VALUES ($1, $2, $3)
               ON CONFLICT (announcement_id, subsystem_id) DO NOTHING";
    Ok(tx.execute(sql, params![id, system, now]).await? == 1)
}

/// Remembers a reminder. `false` when another node was faster.
pub(super) async fn reminded(
    tx: &mut Tx,
    id: AnnouncementId,
    system: SubsystemId,
    days: i64,
) -> Result<bool> {
    let sql = "UPDATE exchange_announcement_consumer SET reminded = $3
               WHERE announcement_id = $1 AND subsystem_id = $2 AND (reminded IS NULL OR reminded > $3)";
    Ok(tx.execute(sql, params![id, system, days]).await? == 1)
}

/// Remembers an acknowledgement. `false` when there is one, or the system was never told.
pub(super) async fn acknowledge(tx: &mut Tx, id: AnnouncementId, system: SubsystemId) -> Result<bool> {
    let (by, name, now) = (tx.cx().actor.to_string(), tx.cx().name.clone(), tx.kernel().clock.now());
    let sql = "UPDATE exchange_announcement_consumer
               SET acknowledged_at = $3, acknowledged_by = $4, acknowledged_name = $5
               WHERE announcement_id = $1 AND subsystem_id = $2 AND acknowledged_at IS NULL";
    Ok(tx.execute(sql, params![id, system, now, by, name]).await? == 1)
}

/// Confirms, or takes back, that calls are refused after the end.
pub(super) async fn refuse(tx: &mut Tx, id: AnnouncementId, refuses: bool) -> Result<()> {
    let (at, name) = match refuses {
        true => (Some(tx.kernel().clock.now()), tx.cx().name.clone()),
        false => (None, None),
    };
    let sql = "UPDATE exchange_announcement SET refuses_at = $2, refuses_name = $3 WHERE id = $1";
    tx.execute(sql, params![id, at, name]).await?;
    Ok(())
}

/// Takes an announcement back.
pub(super) async fn withdraw(tx: &mut Tx, id: AnnouncementId) -> Result<()> {
    let (name, now) = (tx.cx().name.clone(), tx.kernel().clock.now());
    let sql = "UPDATE exchange_announcement SET withdrawn_at = $2, withdrawn_name = $3 WHERE id = $1";
    tx.execute(sql, params![id, now, name]).await?;
    Ok(())
}

/// The announcements that stand and whose day has not come.
pub(super) async fn standing(db: &Db, today: Date) -> Result<Vec<Announcement>> {
    let sql = format!(
        "{SELECT} WHERE n.withdrawn_at IS NULL AND COALESCE(n.ends, n.effective) > $1
         ORDER BY COALESCE(n.ends, n.effective), n.id LIMIT 10000"
    );
    all(&db.query(&sql, vec![Value::from(today)]).await?)
}
