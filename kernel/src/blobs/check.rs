//! Comparing tables and stored bytes, both ways, and finding places again after a restore.

use std::collections::HashMap;

use base::error::{Error, Result};
use base::ids::Ref;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::cipher::Address;
use super::id::{BlobId, ObjectId};
use super::store::{self, COLUMNS, Object, signed};
use super::{Blobs, blocking, pack, pack_fault};
use crate::db::Value;
use crate::params;

/// Rows or records looked at together.
const BATCH: usize = 200;
/// Findings of one kind listed by name.
const LISTED: usize = 1_000;

/// What a check found. All lists empty and no damage: tables and bytes agree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Content looked at, without the erased.
    pub objects: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Recorded, but the stored bytes are gone; at most 1,000 are listed.
    pub missing: Vec<BlobId>,
    /// Stored bytes are not what was recorded; at most 1,000 are listed.
    pub damaged: Vec<BlobId>,
    /// References to content that is not recorded; at most 1,000 are listed.
    pub dangling: Vec<(BlobId, Ref)>,
    /// Stored bytes that belong to no record. Normal in small numbers: the collector takes them.
    pub orphans: u64,
    /// Recorded content nothing refers to at present. Normal: the collector takes it after a day.
    pub unreferenced: u64,
    /// The packs cannot be read to the end; content in them may be listed as missing or not looked at.
    pub packs_damaged: Option<String>,
}

impl Report {
    /// Whether everything recorded is there and everything referred to is recorded.
    pub fn is_sound(&self) -> bool {
        self.missing.is_empty()
            && self.damaged.is_empty()
            && self.dangling.is_empty()
            && self.packs_damaged.is_none()
    }
}

impl Blobs {
    /// Compares tables and stored bytes. With `deep`, everything is also decrypted and hashed anew.
    ///
    /// # Errors
    /// Database and disk faults; damage is reported, not returned as an error.
    pub async fn check(&self, deep: bool) -> Result<Report> {
        let _one_at_a_time = self.0.upkeep.lock().await;
        let mut report = Report::default();
        self.check_references(&mut report).await?;
        self.check_packs(&mut report).await?;
        self.check_objects(&mut report, deep).await?;
        self.count_orphan_files(&mut report).await?;
        Ok(report)
    }

    async fn check_references(&self, report: &mut Report) -> Result<()> {
        let sql = format!(
            "SELECT r.blob, r.ref_kind, r.ref_id FROM blobs_reference r
             WHERE NOT EXISTS (SELECT 1 FROM blobs_object o WHERE o.id = r.blob)
             ORDER BY r.blob LIMIT {LISTED}"
        );
        for row in self.0.db.query(&sql, vec![]).await? {
            let by = Ref::new(row.text("ref_kind")?, row.text("ref_id")?);
            report.dangling.push((row.id("blob")?, by));
        }
        let sql = "SELECT COUNT(*) AS n FROM blobs_object o
                   WHERE NOT EXISTS (SELECT 1 FROM blobs_reference r WHERE r.blob = o.id)";
        report.unreferenced = store::unsigned(self.0.db.query_one(sql, vec![]).await?.int("n")?);
        Ok(())
    }

    /// Reads the packs once, in order, and compares them with the rows of the same places.
    async fn check_packs(&self, report: &mut Report) -> Result<()> {
        let (first, end) = (self.0.packs.first(), self.0.packs.durable());
        let mut follower = self.0.packs.follow(first);
        while follower.position() < end {
            let records = match follower.next(BATCH).await {
                Ok(Some(records)) => records,
                Ok(None) => break,
                Err(e @ stream::Error::Corrupt { .. }) => {
                    report.packs_damaged = Some(e.to_string());
                    break;
                }
                Err(e) => return Err(pack_fault(e)),
            };
            self.compare(&records, report).await?;
        }
        Ok(())
    }

    async fn compare(&self, records: &[(u64, Bytes)], report: &mut Report) -> Result<()> {
        let (Some(first), Some(last)) = (records.first(), records.last()) else { return Ok(()) };
        let sql = "SELECT id, object, position, stored FROM blobs_object
                   WHERE position >= $1 AND position <= $2 AND erased_at IS NULL";
        let mut rows = HashMap::new();
        for row in self.0.db.query(sql, params![signed(first.0), signed(last.0)]).await? {
            let entry: (BlobId, ObjectId, i64) = (row.id("id")?, row.id("object")?, row.int("stored")?);
            rows.insert(store::unsigned(row.int("position")?), entry);
        }
        for (position, record) in records {
            let found = pack::split(record)?.0;
            match rows.get(position) {
                None => report.orphans += 1,
                Some((_, object, stored)) if *object == found && *stored == signed(record.len() as u64) => {}
                Some((id, _, _)) => list(&mut report.damaged, *id),
            }
        }
        Ok(())
    }

    /// Looks at every object: does its place exist, and, if `deep`, is it what was recorded.
    async fn check_objects(&self, report: &mut Report, deep: bool) -> Result<()> {
        let mut after = String::new();
        loop {
            let sql = format!(
                "SELECT {COLUMNS} WHERE o.id > $1 AND o.erased_at IS NULL AND k.wrapped IS NOT NULL
                 ORDER BY o.id LIMIT {BATCH}"
            );
            let rows = self.0.db.query(&sql, params![&after]).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.text("id")?;
            for row in &rows {
                let object = store::object(row)?;
                report.objects += 1;
                report.bytes += object.meta.bytes;
                self.check_object(object, report, deep).await?;
            }
        }
    }

    async fn check_object(&self, object: Object, report: &mut Report, deep: bool) -> Result<()> {
        let id = object.meta.id;
        let there = match object.position {
            Some(position) => (self.0.packs.first()..self.0.packs.durable()).contains(&position),
            None => {
                let (files, number) = (self.0.files.clone(), object.object);
                match blocking(move || files.len(number)).await? {
                    Some(len) if len != object.stored => {
                        list(&mut report.damaged, id);
                        return Ok(());
                    }
                    found => found.is_some(),
                }
            }
        };
        if !there {
            list(&mut report.missing, id);
        } else if deep && !report.damaged.contains(&id) && !self.reads_well(object).await? {
            list(&mut report.damaged, id);
        }
        Ok(())
    }

    async fn reads_well(&self, object: Object) -> Result<bool> {
        let address = object.address.clone();
        let mut found = Address::new(self.address_key().await?);
        let mut reader = match self.open_object(object).await {
            Ok(reader) => reader,
            Err(Error::Internal(_)) => return Ok(false),
            // Erased since the row was read.
            Err(Error::Refused(_)) => return Ok(true),
            Err(e) => return Err(e),
        };
        loop {
            match reader.next().await {
                Ok(Some(chunk)) => found.update(&chunk),
                Ok(None) => return Ok(found.finish()[..] == address[..]),
                Err(_) => return Ok(false),
            }
        }
    }

    async fn count_orphan_files(&self, report: &mut Report) -> Result<()> {
        for n in 0..=u8::MAX {
            let files = self.0.files.clone();
            let found = blocking(move || files.list(n)).await?;
            for group in found.chunks(BATCH) {
                report.orphans += (group.len() - store::known(&self.0.db, group).await?.len()) as u64;
            }
        }
        Ok(())
    }

    /// After a restore: the tables may be older than the packs, and what they name may have been moved since.
    /// Finds the places again. Returns how many were put right.
    ///
    /// # Errors
    /// Damaged packs, database faults.
    pub async fn relocate(&self) -> Result<u64> {
        let _one_at_a_time = self.0.upkeep.lock().await;
        let mut moved = 0;
        let end = self.0.packs.durable();
        let mut follower = self.0.packs.follow(self.0.packs.first());
        while follower.position() < end {
            let Some(records) = follower.next(BATCH).await.map_err(pack_fault)? else { break };
            let mut at: HashMap<ObjectId, u64> = HashMap::new();
            for (position, record) in &records {
                at.insert(pack::split(record)?.0, *position);
            }
            moved += self.place(&at).await?;
        }
        Ok(moved)
    }

    async fn place(&self, at: &HashMap<ObjectId, u64>) -> Result<u64> {
        let sql = format!(
            "SELECT object, position FROM blobs_object WHERE position IS NOT NULL AND object IN ({})",
            store::marks(1, at.len())
        );
        let rows = self.0.db.query(&sql, at.keys().map(Value::from).collect()).await?;
        let mut moved = 0;
        let mut tx = self.0.db.begin().await?;
        for row in &rows {
            let object: ObjectId = row.id("object")?;
            let Some(position) = at.get(&object).filter(|p| signed(**p) != row.int("position").unwrap_or(-1))
            else {
                continue;
            };
            let sql = "UPDATE blobs_object SET position = $2 WHERE object = $1";
            moved += tx.execute(sql, params![object, signed(*position)]).await?;
        }
        tx.commit().await?;
        Ok(moved)
    }
}

fn list(into: &mut Vec<BlobId>, id: BlobId) {
    if into.len() < LISTED {
        into.push(id);
    }
}
