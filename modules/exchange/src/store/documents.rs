//! OpenAPI documents of services. Their text lies in the content store, referred to by every service that has it;
//! the row keeps what they are known by, the SHA-256 of their bytes.

use std::collections::HashMap;

use base::clock::Timestamp;
use kernel::blobs::{AccessClass, BlobId, Blobs, PutOptions};
use kernel::db::Db;
use kernel::{Error, Kernel, Ref, Result, Tx, params};

use crate::ids::ServiceId;
use crate::openapi::MAX_BYTES;
use crate::registry::DocumentSpec;

/// Documents whose text is in the content store, by their SHA-256: ready to be referred to.
pub type Kept = HashMap<String, BlobId>;

/// How documents are kept. They are about services, not people, and name the providers' own addresses.
fn options() -> PutOptions {
    PutOptions {
        class: AccessClass::Internal,
        subject: Ref::new("exchange.registry", "1"),
        keep_until: None,
        max_bytes: MAX_BYTES as u64,
    }
}

/// Puts the text of documents into the content store, before the transaction that refers to them. Whatever no
/// service takes is collected a day later.
///
/// # Errors
/// When the content store or the database is away.
pub async fn keep(k: &Kernel, documents: impl IntoIterator<Item = &DocumentSpec>) -> Result<Kept> {
    let mut kept = Kept::new();
    for document in documents {
        if !kept.contains_key(&document.sha256) {
            let id = k.blobs().await?.put(document.bytes.clone(), &options()).await?;
            kept.insert(document.sha256.clone(), id);
        }
    }
    Ok(kept)
}

/// Records that a service is to have this kept document, and releases the one it had. The service's own row is
/// written afterwards, and then [`drop_unused`] is due.
///
/// # Errors
/// When the database is away.
pub async fn assign(
    tx: &mut Tx,
    blobs: &Blobs,
    service: ServiceId,
    document: Option<(&str, BlobId)>,
    now: Timestamp,
) -> Result<()> {
    blobs.release_all(tx, &service.to_ref()).await?;
    let Some((sha256, id)) = document else { return Ok(()) };
    let sql = "INSERT INTO exchange_document (sha256, bytes, blob, added_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (sha256) DO UPDATE SET bytes = EXCLUDED.bytes, blob = EXCLUDED.blob";
    tx.execute(sql, params![sha256, Vec::<u8>::new(), id, now]).await?;
    blobs.reference(tx, &id, &service.to_ref()).await
}

/// Forgets documents that no service has, retired ones included.
///
/// # Errors
/// When the database is away.
pub async fn drop_unused(tx: &mut Tx) -> Result<u64> {
    let sql = "DELETE FROM exchange_document WHERE sha256 NOT IN
                   (SELECT document FROM exchange_service WHERE document IS NOT NULL)";
    tx.execute(sql, params![]).await
}

/// The bytes of a document by its SHA-256, as services name it; `None` when there is none.
///
/// # Errors
/// When database or content store are away, or the stored text is lost or altered.
pub async fn read(k: &Kernel, sha256: &str) -> Result<Option<Vec<u8>>> {
    // Replaced between the two readings, it may be gone: then the row is, too.
    for _ in 0..2 {
        let sql = "SELECT bytes, blob FROM exchange_document WHERE sha256 = $1";
        let Some(row) = k.db.query_opt(sql, params![sha256]).await? else { return Ok(None) };
        if row.opt_text("blob")?.is_none() {
            return row.blob("bytes").map(Some);
        }
        match k.blobs().await?.read(&row.id("blob")?, MAX_BYTES as u64).await {
            Err(Error::NotFound { .. }) => {}
            found => return found.map(|bytes| Some(bytes.to_vec())),
        }
    }
    Err(Error::internal(format!("the text of document {sha256} is not in the content store")))
}

/// Moves texts that still lie in the table into the content store. Returns how many.
///
/// # Errors
/// When database or content store are away; what was moved stays moved.
pub async fn adopt(k: &Kernel) -> Result<u64> {
    let mut moved = 0;
    while let Some((sha256, bytes)) = unmoved(&k.db).await? {
        let blobs = k.blobs().await?;
        let id = blobs.put(bytes, &options()).await?;
        let mut tx = k.begin(&kernel::Cx::kernel("exchange-documents", k.clock.now())).await?;
        // Under the lock of imports: a service must not get another document meanwhile.
        tx.query_opt("SELECT serial FROM exchange_registry WHERE one = 1 {for_update}", params![]).await?;
        let sql = "SELECT id FROM exchange_service WHERE document = $1 ORDER BY id";
        for row in tx.query(sql, params![&sha256]).await? {
            let service: ServiceId = row.id("id")?;
            blobs.reference(&mut tx, &id, &service.to_ref()).await?;
        }
        let sql = "UPDATE exchange_document SET bytes = $2, blob = $3 WHERE sha256 = $1";
        tx.execute(sql, params![&sha256, Vec::<u8>::new(), id]).await?;
        drop_unused(&mut tx).await?;
        tx.commit().await?;
        moved += 1;
    }
    Ok(moved)
}

/// A document whose text lies in the table.
async fn unmoved(db: &Db) -> Result<Option<(String, Vec<u8>)>> {
    let sql = "SELECT sha256, bytes FROM exchange_document WHERE blob IS NULL ORDER BY sha256 LIMIT 1";
    let row = db.query_opt(sql, params![]).await?;
    row.map(|row| Ok((row.text("sha256")?, row.blob("bytes")?))).transpose()
}
