//! SQL of the content store; rows in, domain types out.

use base::clock::Timestamp;
use base::error::Result;
use base::ids::Ref;

use super::Meta;
use super::cipher::Name;
use super::id::{BlobId, KeyId, ObjectId};
use crate::db::{Db, Row, Transaction, Value};
use crate::params;

/// One object with what is needed to read it.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub meta: Meta,
    pub address: Vec<u8>,
    pub object: ObjectId,
    /// Bytes as stored, without the number.
    pub stored: u64,
    /// Place in the packs; none for a file.
    pub position: Option<u64>,
    pub key_id: KeyId,
    /// None when the key was destroyed.
    pub wrapped: Option<Vec<u8>>,
}

impl Object {
    /// Changes when the content moves or its key is destroyed.
    pub fn place(&self) -> (ObjectId, Option<u64>, bool) {
        (self.object, self.position, self.wrapped.is_some())
    }
}

/// Where the bytes of new content lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored {
    /// Length of the content.
    pub bytes: u64,
    pub object: ObjectId,
    /// Length of what is stored.
    pub length: u64,
    pub position: Option<u64>,
}

/// Columns of [`Object`].
pub(super) const COLUMNS: &str =
    "o.id, o.key_id, o.address, o.class, o.bytes, o.object, o.stored, o.position,
    o.put_at, o.keep_until, o.erased_at, k.wrapped, k.subject_kind, k.subject_id
    FROM blobs_object o JOIN blobs_key k ON k.id = o.key_id";

/// A later put of the same content refreshes its age and may only lengthen its retention.
const MERGE: &str =
    "unreferenced_since = CASE WHEN blobs_object.unreferenced_since IS NULL THEN NULL ELSE $1 END,
    keep_until = CASE WHEN blobs_object.keep_until IS NULL OR $2 > blobs_object.keep_until THEN $2
                      ELSE blobs_object.keep_until END";

pub(super) fn object(row: &Row) -> Result<Object> {
    let wrapped = row.opt_blob("wrapped")?;
    let meta = Meta {
        id: row.id("id")?,
        class: row.id("class")?,
        subject: Ref::new(row.text("subject_kind")?, row.text("subject_id")?),
        bytes: unsigned(row.int("bytes")?),
        put_at: row.time("put_at")?,
        keep_until: row.opt_time("keep_until")?,
        erased: wrapped.is_none(),
    };
    Ok(Object {
        meta,
        address: row.blob("address")?,
        object: row.id("object")?,
        stored: unsigned(row.int("stored")?),
        position: row.opt_int("position")?.map(unsigned),
        key_id: row.id("key_id")?,
        wrapped,
    })
}

pub(super) async fn find(db: &Db, id: &BlobId) -> Result<Option<Object>> {
    let row = db.query_opt(&format!("SELECT {COLUMNS} WHERE o.id = $1"), params![id]).await?;
    row.as_ref().map(object).transpose()
}

/// Records content, or finds that the same is there already. Returns the number of the copy that counts.
pub(super) async fn insert(
    tx: &mut Transaction,
    name: &Name,
    stored: Stored,
    now: Timestamp,
    keep: Option<Timestamp>,
) -> Result<ObjectId> {
    let sql = format!(
        "INSERT INTO blobs_object (unreferenced_since, keep_until, id, key_id, address, class, bytes, object,
                                   stored, position, put_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (id) DO UPDATE SET {MERGE} RETURNING object"
    );
    let position = stored.position.map(signed);
    let (bytes, length) = (signed(stored.bytes), signed(stored.length));
    let mut params = params![now, keep, name.id, name.key_id, name.address, name.class, bytes];
    params.extend(params![stored.object, length, position, now]);
    let rows = tx.query(&sql, params).await?;
    rows.first().map_or(Ok(stored.object), |row| row.id("object"))
}

/// Refreshes content that is put again. Returns whether it is there.
pub(super) async fn touch(
    tx: &mut Transaction,
    id: &BlobId,
    now: Timestamp,
    keep: Option<Timestamp>,
) -> Result<bool> {
    let sql = format!("UPDATE blobs_object SET {MERGE} WHERE id = $3 AND erased_at IS NULL");
    Ok(tx.execute(&sql, params![now, keep, id]).await? > 0)
}

/// Which of the given copies have a row. At most a few hundred at a time.
pub(super) async fn known(db: &Db, objects: &[ObjectId]) -> Result<std::collections::HashSet<ObjectId>> {
    if objects.is_empty() {
        return Ok(Default::default());
    }
    let sql = format!("SELECT object FROM blobs_object WHERE object IN ({})", marks(1, objects.len()));
    let params = objects.iter().map(Value::from).collect();
    db.query(&sql, params).await?.iter().map(|row| row.id("object")).collect()
}

/// `$from, $from+1, …`
pub(super) fn marks(from: usize, count: usize) -> String {
    let marks: Vec<_> = (from..from + count).map(|i| format!("${i}")).collect();
    marks.join(", ")
}

pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
