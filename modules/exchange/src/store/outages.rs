//! Interruptions and technical contacts; SQL only.

use std::collections::BTreeMap;

use base::clock::{Date, Timestamp};
use base::error::{Error, Result};
use kernel::db::{Db, Migration, Row};
use kernel::notices::Channel;
use kernel::{Tx, params};

use crate::ids::{ServiceId, SubsystemId};
use crate::outage::{Consumer, Contact, ContactId, Outage, OutageId};
use crate::viewer::Viewer;

/// The tables.
pub const OUTAGES: Migration =
    Migration { name: "0007_outages", sql: include_str!("../../migrations/0007_outages.sql") };

/// Interruptions named on one page.
const MOST_OPEN: u32 = 20;

const CONSUMER: &str =
    "SELECT s.id, s.name, m.name AS member, m.agency_id, c.id AS contact, c.channel, c.masked, c.address
    FROM exchange_subsystem s JOIN exchange_member m ON m.id = s.member_id
    LEFT JOIN exchange_contact c ON c.subsystem_id = s.id";

fn contact(r: &Row) -> Result<Option<Contact>> {
    let (Some(id), Some(channel)) = (r.opt_id::<ContactId>("contact")?, r.opt_text("channel")?) else {
        return Ok(None);
    };
    let channel =
        Channel::from_name(&channel).ok_or_else(|| Error::internal(format!("channel `{channel}`")))?;
    Ok(Some(Contact { id, channel, masked: r.text("masked")?, sealed: r.blob("address")? }))
}

/// Rows of a system and one of its contacts each, put together by system, in their order.
fn gathered(rows: &[Row]) -> Result<Vec<Consumer>> {
    let (mut out, mut places) = (Vec::<Consumer>::new(), BTreeMap::new());
    for r in rows {
        let id: SubsystemId = r.id("id")?;
        let at = *places.entry(id.to_string()).or_insert(out.len());
        if at == out.len() {
            let (name, member) = (r.text("name")?, r.text("member")?);
            out.push(Consumer {
                subsystem: id,
                name,
                member,
                agency: r.opt_id("agency_id")?,
                contacts: vec![],
            });
        }
        if let (Some(contact), Some(consumer)) = (contact(r)?, out.get_mut(at)) {
            consumer.contacts.push(contact);
        }
    }
    Ok(out)
}

/// The systems whose agreement for a service holds on a day, by name.
pub(crate) async fn consumers(db: &Db, service: ServiceId, day: Date, limit: u32) -> Result<Vec<Consumer>> {
    let sql = format!(
        "{CONSUMER} WHERE s.id IN (
             SELECT a.consumer_id FROM exchange_agreement a
             WHERE a.service_id = $1 AND a.state = 'approved' AND a.valid_from <= $2 AND a.valid_to >= $2)
         ORDER BY s.sort_key, s.id, c.created_at, c.id LIMIT $3"
    );
    gathered(&db.query(&sql, params![service, day, limit]).await?)
}

/// The systems that were told of an interruption.
pub(crate) async fn told(db: &Db, id: OutageId) -> Result<Vec<Consumer>> {
    let sql = format!(
        "{CONSUMER} JOIN exchange_outage_consumer o ON o.subsystem_id = s.id WHERE o.outage_id = $1
         ORDER BY s.sort_key, s.id, c.created_at, c.id"
    );
    gathered(&db.query(&sql, params![id]).await?)
}

/// The contacts of a system.
pub(crate) async fn contacts(db: &Db, system: SubsystemId) -> Result<Vec<Contact>> {
    let sql = "SELECT id AS contact, channel, masked, address FROM exchange_contact WHERE subsystem_id = $1
               ORDER BY created_at, id";
    let rows = db.query(sql, params![system]).await?;
    Ok(rows.iter().map(contact).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// Adds a contact. `false` when it is there.
pub(crate) async fn insert_contact(
    tx: &mut Tx,
    of: SubsystemId,
    c: &Contact,
    digest: [u8; 32],
) -> Result<bool> {
    let now = tx.kernel().clock.now();
    let sql = "INSERT INTO exchange_contact (id, subsystem_id, channel, address, digest, masked, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (subsystem_id, channel, digest) DO NOTHING";
    let values = params![c.id, of, c.channel.name(), c.sealed.clone(), digest, &c.masked, now];
    Ok(tx.execute(sql, values).await? == 1)
}

/// Takes a contact of a system away. `false` when there is none.
pub(crate) async fn remove_contact(tx: &mut Tx, of: SubsystemId, id: ContactId) -> Result<bool> {
    let sql = "DELETE FROM exchange_contact WHERE id = $1 AND subsystem_id = $2";
    Ok(tx.execute(sql, params![id, of]).await? == 1)
}

/// Keeps an interruption. `false` when one of the service is open.
pub(crate) async fn insert(
    tx: &mut Tx,
    id: OutageId,
    service: ServiceId,
    since: Timestamp,
    (known, expected): (&str, &str),
) -> Result<bool> {
    let now = tx.kernel().clock.now();
    let sql = "INSERT INTO exchange_outage (id, service_id, since, known, expected, told_at)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (service_id) WHERE ended_at IS NULL DO NOTHING";
    Ok(tx.execute(sql, params![id, service, since, known, expected, now]).await? == 1)
}

/// Remembers that a system is told of an interruption.
pub(crate) async fn concerns(tx: &mut Tx, id: OutageId, system: SubsystemId) -> Result<()> {
    let sql = "INSERT INTO exchange_outage_consumer (outage_id, subsystem_id) VALUES ($1, $2)";
    tx.execute(sql, params![id, system]).await?;
    Ok(())
}

/// Ends an interruption.
pub(crate) async fn end(tx: &mut Tx, id: OutageId) -> Result<()> {
    let now = tx.kernel().clock.now();
    tx.execute("UPDATE exchange_outage SET ended_at = $2 WHERE id = $1", params![id, now]).await?;
    Ok(())
}

const OPEN: &str = "SELECT o.id, o.service_id, v.name, o.since, o.known, o.expected, o.told_at, o.ended_at
    FROM exchange_outage o JOIN exchange_service v ON v.id = o.service_id WHERE o.ended_at IS NULL";

fn outage(r: &Row) -> Result<Outage> {
    Ok(Outage {
        id: r.id("id")?,
        service: r.id("service_id")?,
        service_name: r.text("name")?,
        since: r.time("since")?,
        known: r.text("known")?,
        expected: r.text("expected")?,
        told_at: r.time("told_at")?,
        ended_at: r.opt_time("ended_at")?,
    })
}

/// The open interruption of a service.
pub(crate) async fn open(db: &Db, service: ServiceId) -> Result<Option<Outage>> {
    let sql = format!("{OPEN} AND o.service_id = $1");
    db.query_opt(&sql, params![service]).await?.as_ref().map(outage).transpose()
}

/// As [`open`], locked.
pub(crate) async fn lock_open(tx: &mut Tx, service: ServiceId) -> Result<Option<Outage>> {
    let sql = "SELECT id FROM exchange_outage WHERE service_id = $1 AND ended_at IS NULL {for_update}";
    if tx.query_opt(sql, params![service]).await?.is_none() {
        return Ok(None);
    }
    let sql = format!("{OPEN} AND o.service_id = $1");
    tx.query_opt(&sql, params![service]).await?.as_ref().map(outage).transpose()
}

/// Which interruptions are asked for.
pub(crate) struct Listed {
    pub id: Option<OutageId>,
    pub is_open: Option<bool>,
    pub after: Option<OutageId>,
    pub limit: u32,
}

/// Interruptions of services that the reader's systems consume or provide, the last one first.
pub(crate) async fn list(db: &Db, viewer: &Viewer, f: &Listed) -> Result<Vec<Outage>> {
    let mut p = params![f.limit];
    let consumes = viewer.condition(&["m.agency_id"], &["s.id"], &mut p);
    let provides = viewer.condition(&["pm.agency_id"], &["ps.id"], &mut p);
    let mut sql = format!(
        "SELECT o.id, o.service_id, v.name, o.since, o.known, o.expected, o.told_at, o.ended_at
         FROM exchange_outage o JOIN exchange_service v ON v.id = o.service_id
         JOIN exchange_subsystem ps ON ps.id = v.subsystem_id JOIN exchange_member pm ON pm.id = ps.member_id
         WHERE ({provides} OR EXISTS (
             SELECT 1 FROM exchange_outage_consumer c JOIN exchange_subsystem s ON s.id = c.subsystem_id
             JOIN exchange_member m ON m.id = s.member_id WHERE c.outage_id = o.id AND {consumes}))"
    );
    match f.is_open {
        Some(true) => sql.push_str(" AND o.ended_at IS NULL"),
        Some(false) => sql.push_str(" AND o.ended_at IS NOT NULL"),
        None => {}
    }
    if let Some(id) = f.id {
        p.extend(params![id]);
        sql.push_str(&format!(" AND o.id = ${}", p.len()));
    }
    // Identifiers are given out in the order of time.
    if let Some(after) = f.after {
        p.extend(params![after]);
        sql.push_str(&format!(" AND o.id < ${}", p.len()));
    }
    sql.push_str(" ORDER BY o.id DESC LIMIT $1");
    db.query(&sql, p).await?.iter().map(outage).collect()
}

/// The open interruptions of services that the reader's systems consume; all of them for who sees everything.
pub(crate) async fn concerning(db: &Db, viewer: &Viewer) -> Result<Vec<Outage>> {
    let mut p = params![MOST_OPEN];
    let own = viewer.condition(&["m.agency_id"], &["s.id"], &mut p);
    let sql = format!(
        "{OPEN} AND o.id IN (
             SELECT c.outage_id FROM exchange_outage_consumer c JOIN exchange_subsystem s ON s.id = c.subsystem_id
             JOIN exchange_member m ON m.id = s.member_id WHERE {own})
         ORDER BY o.since, o.id LIMIT $1"
    );
    db.query(&sql, p).await?.iter().map(outage).collect()
}
