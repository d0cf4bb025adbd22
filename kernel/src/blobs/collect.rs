//! Collecting what nobody needs: content unreferenced for a day, remains of interrupted puts, bytes whose key was
//! destroyed, and packs that have become mostly empty. Rows go first, bytes after them: a crash between the two
//! leaves bytes without a row, which the next run finds.

use std::time::Duration;

use base::clock::Timestamp;
use base::error::Result;

use super::id::ObjectId;
use super::store::{self, marks};
use super::{Blobs, blocking, erasures};
use crate::db::{Row, Value};
use crate::{Kernel, params};

/// Content may wait this long for the transaction that refers to it.
pub(super) const GRACE: Duration = Duration::from_secs(24 * 3_600);
/// Rows handled in one transaction.
const BATCH: usize = 200;
const PERIOD: Duration = Duration::from_secs(3_600);

/// What one run of the collector did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Content forgotten because nothing referred to it for a day.
    pub unreferenced: u64,
    /// Content whose bytes went because its key was destroyed.
    pub erased: u64,
    /// Files without a row, and staged files given up.
    pub orphans: u64,
    /// Pack segments emptied and removed.
    pub segments: u64,
    /// Records moved to keep them.
    pub moved: u64,
}

/// Collects every hour until the kernel stops, and keeps the list of erasures equal to the table.
pub async fn upkeep(k: Kernel) {
    let mut stop = k.stopping();
    while !*stop.borrow() {
        // Giving up half-way is what a crash would do: the next run finds what is left.
        tokio::select! {
            () = round(&k) => {}
            _ = stop.changed() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(PERIOD) => {}
            _ = stop.changed() => return,
        }
    }
}

async fn round(k: &Kernel) {
    let work = async {
        erasures::settle(k).await?;
        k.blobs().await?.collect(k.clock.now()).await
    };
    match work.await {
        Ok(done) if done != Collected::default() => tracing::info!(?done, "content collected"),
        Ok(_) => {}
        Err(e) => tracing::error!(error = e.chain(), "content cannot be collected; tried again in an hour"),
    }
}

impl Blobs {
    /// Collects what may go at `now`.
    ///
    /// # Errors
    /// Database and disk faults; what was done before stays done, and the rest is done next time.
    pub async fn collect(&self, now: Timestamp) -> Result<Collected> {
        let _one_at_a_time = self.0.upkeep.lock().await;
        let before = now.minus(GRACE);
        let mut done = Collected::default();
        while let n @ 1.. = self.forget_unreferenced(before, now).await? {
            done.unreferenced += n;
        }
        while let n @ 1.. = self.drop_erased(now).await? {
            done.erased += n;
        }
        done.orphans = self.sweep_files(before).await?;
        (done.segments, done.moved) = self.compact(before).await?;
        Ok(done)
    }

    async fn forget_unreferenced(&self, before: Timestamp, now: Timestamp) -> Result<u64> {
        let due = format!(
            "SELECT o.id, o.object, o.position FROM blobs_object o
             WHERE o.unreferenced_since < $1 AND (o.keep_until IS NULL OR o.keep_until < $2)
               AND NOT EXISTS (SELECT 1 FROM blobs_reference r WHERE r.blob = o.id)
             ORDER BY o.id LIMIT {BATCH} {{for_update}}"
        );
        let mut tx = self.0.db.begin().await?;
        let rows = tx.query(&due, params![before, now]).await?;
        if !rows.is_empty() {
            let sql = format!("DELETE FROM blobs_object WHERE id IN ({})", marks(1, rows.len()));
            tx.execute(&sql, ids(&rows)?).await?;
        }
        tx.commit().await?;
        self.remove_files(&rows).await?;
        Ok(rows.len() as u64)
    }

    async fn drop_erased(&self, now: Timestamp) -> Result<u64> {
        let due = format!(
            "SELECT o.id, o.object, o.position FROM blobs_object o
             WHERE o.erased_at IS NULL
               AND o.key_id IN (SELECT k.id FROM blobs_key k WHERE k.destroyed_at IS NOT NULL)
             ORDER BY o.id LIMIT {BATCH} {{for_update}}"
        );
        let mut tx = self.0.db.begin().await?;
        let rows = tx.query(&due, vec![]).await?;
        if !rows.is_empty() {
            let sql =
                format!("UPDATE blobs_object SET erased_at = $1 WHERE id IN ({})", marks(2, rows.len()));
            let mut params = params![now];
            params.extend(ids(&rows)?);
            tx.execute(&sql, params).await?;
        }
        tx.commit().await?;
        self.remove_files(&rows).await?;
        Ok(rows.len() as u64)
    }

    /// Removes the bytes of rows that lie in files of their own; those in packs go by compaction.
    async fn remove_files(&self, rows: &[Row]) -> Result<()> {
        let mut objects: Vec<ObjectId> = Vec::new();
        for row in rows {
            if row.opt_int("position")?.is_none() {
                objects.push(row.id("object")?);
            }
        }
        let files = self.0.files.clone();
        blocking(move || objects.into_iter().try_for_each(|object| files.remove(object))).await
    }

    /// Removes old files no row knows, and old staged files.
    async fn sweep_files(&self, before: Timestamp) -> Result<u64> {
        let (files, limit) = (self.0.files.clone(), before.micros());
        let mut swept = blocking(move || files.clear_staging(limit)).await?;
        for n in 0..=u8::MAX {
            let files = self.0.files.clone();
            let mut found = blocking(move || files.list(n)).await?;
            found.retain(|object| object.micros() < limit);
            for group in found.chunks(BATCH) {
                let known = store::known(&self.0.db, group).await?;
                let orphans: Vec<_> = group.iter().copied().filter(|o| !known.contains(o)).collect();
                swept += orphans.len() as u64;
                let files = self.0.files.clone();
                blocking(move || orphans.into_iter().try_for_each(|object| files.remove(object))).await?;
            }
        }
        Ok(swept)
    }
}

fn ids(rows: &[Row]) -> Result<Vec<Value>> {
    rows.iter().map(|row| Ok(Value::from(row.text("id")?))).collect()
}
