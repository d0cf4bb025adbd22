//! Who refers to content, noted in the caller's own transaction: content lives as long as something refers to it.

use base::error::{Error, Result};
use base::ids::Ref;

use super::id::BlobId;
use super::store::{self, COLUMNS};
use super::{Blobs, Meta};
use crate::{Tx, params};

impl Blobs {
    /// Notes that `by` refers to content, with the caller's transaction. Noting it again changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such content (or it was collected); database faults.
    pub async fn reference(&self, tx: &mut Tx, id: &BlobId, by: &Ref) -> Result<()> {
        // Locked against the collector, which deletes only rows it has locked.
        let lock = "SELECT erased_at FROM blobs_object WHERE id = $1 {for_update}";
        match tx.query_opt(lock, params![id]).await? {
            Some(row) if row.opt_time("erased_at")?.is_none() => {}
            _ => return Err(Error::NotFound { kind: "content" }),
        }
        let note = "INSERT INTO blobs_reference (blob, ref_kind, ref_id, created_at) VALUES ($1, $2, $3, $4)
                    ON CONFLICT (blob, ref_kind, ref_id) DO NOTHING";
        tx.execute(note, params![id, &by.kind, &by.id, self.0.clock.now()]).await?;
        tx.execute("UPDATE blobs_object SET unreferenced_since = NULL WHERE id = $1", params![id]).await?;
        Ok(())
    }

    /// Notes that `by` no longer refers to content. Returns whether it did.
    ///
    /// # Errors
    /// From the database.
    pub async fn release(&self, tx: &mut Tx, id: &BlobId, by: &Ref) -> Result<bool> {
        tx.query_opt("SELECT id FROM blobs_object WHERE id = $1 {for_update}", params![id]).await?;
        let forget = "DELETE FROM blobs_reference WHERE blob = $1 AND ref_kind = $2 AND ref_id = $3";
        if tx.execute(forget, params![id, &by.kind, &by.id]).await? == 0 {
            return Ok(false);
        }
        let date = "UPDATE blobs_object SET unreferenced_since = $2
                    WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM blobs_reference WHERE blob = $1)";
        tx.execute(date, params![id, self.0.clock.now()]).await?;
        Ok(true)
    }

    /// Notes that `by` refers to nothing any more. Returns to how many it did.
    ///
    /// # Errors
    /// From the database.
    pub async fn release_all(&self, tx: &mut Tx, by: &Ref) -> Result<u64> {
        // Always in the same order, so that two such actions cannot wait for one another.
        let sql = "SELECT blob FROM blobs_reference WHERE ref_kind = $1 AND ref_id = $2 ORDER BY blob";
        let rows = tx.query(sql, params![&by.kind, &by.id]).await?;
        for row in &rows {
            self.release(tx, &row.id("blob")?, by).await?;
        }
        Ok(rows.len() as u64)
    }

    /// What `by` refers to, oldest first.
    ///
    /// # Errors
    /// From the database.
    pub async fn of(&self, by: &Ref) -> Result<Vec<Meta>> {
        let sql = format!(
            "SELECT {COLUMNS} JOIN blobs_reference r ON r.blob = o.id
             WHERE r.ref_kind = $1 AND r.ref_id = $2 ORDER BY r.created_at, o.id"
        );
        let rows = self.0.db.query(&sql, params![&by.kind, &by.id]).await?;
        rows.iter().map(|row| Ok(store::object(row)?.meta)).collect()
    }
}
