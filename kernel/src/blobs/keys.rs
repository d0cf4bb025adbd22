//! Data keys: one per subject, wrapped by the master key, destroyed to erase. Unwrapped anew for every use, so a
//! destroyed key is gone at once everywhere.

use aws_lc_rs::hmac;
use base::clock::Timestamp;
use base::error::{Error, Result};
use base::ids::Ref;
use zeroize::Zeroizing;

use super::Blobs;
use super::cipher::Key;
use super::erasures::Erasure;
use super::id::KeyId;
use crate::db::{Db, Row};
use crate::keys::Keys;
use crate::{Tx, params};

/// The subject of the key of content addresses, which is no person and cannot be erased.
const ADDRESS: (&str, &str) = ("blobs", "address");

/// Length of a wrapped key: nonce, key, tag.
const WRAPPED: usize = 12 + 32 + 16;

fn purpose(id: KeyId) -> String {
    format!("blobs/key/{id}")
}

/// Opens a wrapped data key.
pub(super) fn unwrap(keys: &Keys, id: KeyId, wrapped: &[u8]) -> Result<Key> {
    let raw = keys.open(&purpose(id), wrapped)?;
    let mut key = Zeroizing::new([0; 32]);
    if raw.len() != key.len() {
        return Err(Error::internal("a data key has the wrong length"));
    }
    key.copy_from_slice(&raw);
    Ok(key)
}

impl Blobs {
    /// The subject's data key, made if there is none.
    pub(super) async fn data_key(&self, subject: &Ref) -> Result<(KeyId, Key)> {
        loop {
            if let Some((id, wrapped)) = self.live_key(subject).await? {
                return Ok((id, unwrap(&self.0.keys, id, &wrapped)?));
            }
            let id = KeyId::new(&*self.0.clock, &*self.0.random);
            let key = Zeroizing::new(base::random::bytes::<32>(&*self.0.random));
            let wrapped = self.0.keys.seal(&purpose(id), key.as_slice(), &*self.0.random)?;
            let sql = "INSERT INTO blobs_key (id, subject_kind, subject_id, wrapped, created_at)
                       VALUES ($1, $2, $3, $4, $5)
                       ON CONFLICT (subject_kind, subject_id) WHERE destroyed_at IS NULL DO NOTHING";
            let mut tx = self.0.db.begin().await?;
            tx.execute(sql, params![id, &subject.kind, &subject.id, wrapped, self.0.clock.now()]).await?;
            tx.commit().await?;
        }
    }

    async fn live_key(&self, subject: &Ref) -> Result<Option<(KeyId, Vec<u8>)>> {
        let sql = "SELECT id, wrapped FROM blobs_key
                   WHERE subject_kind = $1 AND subject_id = $2 AND destroyed_at IS NULL";
        let row = self.0.db.query_opt(sql, params![&subject.kind, &subject.id]).await?;
        row.map(|r| Ok((r.id("id")?, r.blob("wrapped")?))).transpose()
    }

    /// The key of content addresses.
    pub(super) async fn address_key(&self) -> Result<&hmac::Key> {
        let make = async || {
            let (_, key) = self.data_key(&Ref::new(ADDRESS.0, ADDRESS.1)).await?;
            Ok(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()))
        };
        self.0.address_key.get_or_try_init(make).await
    }

    /// Makes everything kept about a subject unreadable for ever by destroying its data key, with the caller's
    /// transaction. What refers to the content still does, and reading it is refused as erased. Returns whether
    /// there was a key. Content put later gets a new one.
    ///
    /// The commit answers after the key is noted in the list of erasures ([`super::erasures`]), so that a backup
    /// restored later does not revive it. Copies of the wrapped key may remain in free space of the database until
    /// it is reused, and in backups until they expire.
    ///
    /// # Errors
    /// From the database.
    pub async fn erase(&self, tx: &mut Tx, subject: &Ref) -> Result<bool> {
        if subject.kind == ADDRESS.0 {
            return Err(Error::internal("the key of content addresses cannot be erased"));
        }
        let sql = "SELECT id FROM blobs_key
                   WHERE subject_kind = $1 AND subject_id = $2 AND destroyed_at IS NULL {for_update}";
        let Some(row) = tx.query_opt(sql, params![&subject.kind, &subject.id]).await? else {
            return Ok(false);
        };
        let (id, now) = (row.id("id")?, self.0.clock.now());
        destroy(tx, id, now).await?;
        tx.erased.push(Erasure::new(id, now));
        Ok(true)
    }
}

/// Destroys one key.
pub(super) async fn destroy(tx: &mut Tx, id: KeyId, at: Timestamp) -> Result<()> {
    // Overwritten before it is emptied: same length, same place.
    let wipe = "UPDATE blobs_key SET wrapped = $2 WHERE id = $1";
    tx.execute(wipe, params![id, vec![0; WRAPPED]]).await?;
    let destroy = "UPDATE blobs_key SET wrapped = NULL, destroyed_at = $2 WHERE id = $1";
    tx.execute(destroy, params![id, at]).await?;
    Ok(())
}

/// Wraps every data key under a new master key. Returns how many. Nothing may be put or read meanwhile.
///
/// # Errors
/// When a key does not open under the old master key: nothing is changed.
pub async fn rewrap(db: &Db, old: &Keys, new: &Keys, random: &dyn base::random::Random) -> Result<u64> {
    let mut tx = db.begin().await?;
    let rows =
        tx.query("SELECT id, wrapped FROM blobs_key WHERE wrapped IS NOT NULL {for_update}", vec![]).await?;
    for row in &rows {
        let (id, wrapped) = key_row(row)?;
        let sealed = new.seal(&purpose(id), unwrap(old, id, &wrapped)?.as_slice(), random)?;
        tx.execute("UPDATE blobs_key SET wrapped = $2 WHERE id = $1", params![id, sealed]).await?;
    }
    tx.commit().await?;
    Ok(rows.len() as u64)
}

fn key_row(row: &Row) -> Result<(KeyId, Vec<u8>)> {
    Ok((row.id("id")?, row.blob("wrapped")?))
}
