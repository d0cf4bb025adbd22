//! One record of a pack: the copy's number, then the encrypted content. It names itself, so that places can be
//! found again when the tables are older than the packs.

use std::io::Write;

use base::error::{Error, Result};
use base::ids::Uuid;
use base::random::Random;
use bytes::Bytes;

use super::cipher::Key;
use super::id::ObjectId;
use crate::crypt::SealWriter;

const NUMBER: usize = 16;

/// Makes a record.
pub(super) fn seal(object: ObjectId, key: &Key, plain: &[u8], random: &dyn Random) -> Result<Bytes> {
    let mut out = Vec::with_capacity(plain.len() + 256);
    out.extend_from_slice(object.0.as_bytes());
    let mut sealed = SealWriter::new(out, key, random)?;
    sealed.write_all(plain)?;
    Ok(sealed.finish()?.into())
}

/// Splits a record into the copy's number and its encrypted content.
pub(super) fn split(record: &Bytes) -> Result<(ObjectId, Bytes)> {
    let number = record.get(..NUMBER).and_then(|raw| Uuid::from_slice(raw).ok());
    let number = number.ok_or_else(|| Error::internal("a record of a pack is too short"))?;
    Ok((ObjectId(number), record.slice(NUMBER..)))
}
