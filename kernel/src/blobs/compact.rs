//! Emptying old pack segments: what is still needed is appended anew, then the segment goes. The oldest goes
//! first, and only while less than half of what the packs hold is needed, so that each byte kept is moved seldom.

use std::collections::HashMap;

use base::clock::Timestamp;
use base::error::Result;
use bytes::Bytes;
use stream::SegmentInfo;

use super::id::ObjectId;
use super::store::signed;
use super::{Blobs, pack, pack_fault};
use crate::params;

/// Segments emptied in one run at most.
const SEGMENTS: u64 = 64;
/// Records read at once.
const BATCH: usize = 200;

impl Blobs {
    /// Returns segments removed and records moved.
    pub(super) async fn compact(&self, before: Timestamp) -> Result<(u64, u64)> {
        let (mut segments, mut moved) = (0, 0);
        while segments < SEGMENTS {
            let all = self.0.packs.segments();
            let Some((_, closed)) = all.split_last() else { break };
            let Some(oldest) = closed.first().copied() else { break };
            if !self.mostly_empty(closed).await? {
                break;
            }
            let Some(n) = self.empty(oldest, before).await? else { break };
            let packs = self.0.packs.clone();
            super::blocking(move || packs.truncate_front(oldest.next).map_err(pack_fault)).await?;
            moved += n;
            segments += 1;
        }
        Ok((segments, moved))
    }

    /// Whether less than half of what the closed segments hold is still needed.
    async fn mostly_empty(&self, closed: &[SegmentInfo]) -> Result<bool> {
        let held: u64 = closed.iter().map(|s| s.bytes).sum();
        let end = closed.last().map_or(0, |s| s.next);
        let sql = "SELECT COALESCE(SUM(stored), 0) AS needed FROM blobs_object
                   WHERE position < $1 AND erased_at IS NULL";
        let row = self.0.db.query_one(&self.as_int(sql), params![signed(end)]).await?;
        Ok(row.int("needed")? < signed(held / 2))
    }

    /// A sum of integers is a decimal on PostgreSQL.
    fn as_int(&self, sql: &str) -> String {
        sql.replace("COALESCE(SUM(stored), 0)", "CAST(COALESCE(SUM(stored), 0) AS BIGINT)")
    }

    /// Moves what is needed out of a segment. `None` if the segment must stay, because it holds records so young
    /// that their put may still be under way.
    async fn empty(&self, segment: SegmentInfo, before: Timestamp) -> Result<Option<u64>> {
        let mut moved = 0;
        let mut follower = self.0.packs.follow(segment.first);
        while follower.position() < segment.next {
            let left = usize::try_from(segment.next - follower.position()).unwrap_or(BATCH);
            let Some(records) = follower.next(left.min(BATCH)).await.map_err(pack_fault)? else {
                return Ok(None);
            };
            let needed = self.needed(&records).await?;
            for (position, record) in &records {
                let object = pack::split(record)?.0;
                if needed.get(position) == Some(&object) {
                    moved += self.move_record(object, *position, record).await?;
                } else if object.micros() >= before.micros() {
                    return Ok(None);
                }
            }
        }
        Ok(Some(moved))
    }

    /// Which object is needed at which of these positions.
    async fn needed(&self, records: &[(u64, Bytes)]) -> Result<HashMap<u64, ObjectId>> {
        let (Some(first), Some(last)) = (records.first(), records.last()) else { return Ok(HashMap::new()) };
        let sql = "SELECT position, object FROM blobs_object
                   WHERE position >= $1 AND position <= $2 AND erased_at IS NULL";
        let rows = self.0.db.query(sql, params![signed(first.0), signed(last.0)]).await?;
        rows.iter().map(|row| Ok((super::store::unsigned(row.int("position")?), row.id("object")?))).collect()
    }

    /// The new copy is durable before the row points to it, and the old one goes only afterwards.
    async fn move_record(&self, object: ObjectId, from: u64, record: &Bytes) -> Result<u64> {
        let to = self.0.packs.append(record.clone()).await.map_err(pack_fault)?;
        let sql = "UPDATE blobs_object SET position = $3 WHERE object = $1 AND position = $2";
        let mut tx = self.0.db.begin().await?;
        let done = tx.execute(sql, params![object, signed(from), signed(to)]).await?;
        tx.commit().await?;
        Ok(done)
    }
}
