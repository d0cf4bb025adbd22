//! The snapshot on disk: written atomically, read back only when whole, so that a node serves while the
//! database is away. Beside it lies the node's own list of revoked agreements, which an operator can extend
//! when the database cannot be reached.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::ids::AgreementId;
use crate::snapshot::{CompileError, Contents, Snapshot};

/// Name of the snapshot in the exchange's data folder.
pub const SNAPSHOT: &str = "snapshot.json";
/// Name of the local revocation list in the exchange's data folder.
pub const REVOKED: &str = "revoked.json";

/// First line: what the file is, and the digest and length of what follows.
/// Older forms are not read: they do not say which fields may leave.
const MAGIC: &str = "lienthong-snapshot 2";
/// Largest file read, in bytes: ten times what ten thousand services and fifty thousand agreements take.
const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error("the file cannot be read")]
    Io(#[from] io::Error),
    /// It is not such a file, or not whole: what was found.
    #[error("the file is damaged: {0}")]
    Damaged(&'static str),
    /// What it says does not fit together.
    #[error("the file contradicts itself")]
    Contents(#[from] CompileError),
}

/// Writes a snapshot's contents so that after a crash either the old or the new file is there, whole.
/// Blocking: call it outside the asynchronous executor.
///
/// # Errors
/// When the disk refuses.
pub fn save(folder: &Path, contents: &Contents) -> io::Result<()> {
    let body = serde_json::to_vec(contents)?;
    let head = format!("{MAGIC} sha256={} length={}\n", digest(&body), body.len());
    replace(folder, SNAPSHOT, &[head.as_bytes(), &body])
}

/// Reads a snapshot back. Blocking.
///
/// # Errors
/// [`LoadError`]; a damaged file is never used in part.
pub fn load(folder: &Path) -> Result<Snapshot, LoadError> {
    let bytes = read(&folder.join(SNAPSHOT))?;
    let end = bytes.iter().take(200).position(|b| *b == b'\n').ok_or(LoadError::Damaged("no first line"))?;
    let (head, body) = (&bytes[..end], &bytes[end + 1..]);
    let expected = format!("{MAGIC} sha256={} length={}", digest(body), body.len());
    if head != expected.as_bytes() {
        return Err(LoadError::Damaged("the digest in its first line is not that of its contents"));
    }
    let contents: Contents =
        serde_json::from_slice(body).map_err(|_| LoadError::Damaged("not the expected form"))?;
    Ok(Snapshot::compile(contents)?)
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokedList {
    agreements: HashSet<AgreementId>,
}

/// The agreements this node treats as revoked whatever the snapshot says. No file means none. Blocking.
///
/// # Errors
/// When there is a file that cannot be read whole: then nobody knows what it revokes, and the node must
/// not go on as if it revoked nothing.
pub fn revoked(folder: &Path) -> Result<HashSet<AgreementId>, LoadError> {
    match read(&folder.join(REVOKED)) {
        Ok(bytes) => {
            let list: RevokedList =
                serde_json::from_slice(&bytes).map_err(|_| LoadError::Damaged("not a list of agreements"))?;
            Ok(list.agreements)
        }
        Err(LoadError::Io(e)) if e.kind() == io::ErrorKind::NotFound => Ok(HashSet::new()),
        Err(e) => Err(e),
    }
}

/// Adds an agreement to the node's own revocation list, for when the database is away. Blocking.
///
/// # Errors
/// When the list cannot be read or written.
pub fn revoke_locally(folder: &Path, agreement: AgreementId) -> Result<(), LoadError> {
    let mut list = RevokedList { agreements: revoked(folder)? };
    list.agreements.insert(agreement);
    replace(folder, REVOKED, &[&serde_json::to_vec(&list).map_err(io::Error::from)?])?;
    Ok(())
}

/// Takes agreements off the list once the tables say the same. Blocking.
///
/// # Errors
/// When the list cannot be read or written.
pub fn settle_locally(folder: &Path, settled: &HashSet<AgreementId>) -> Result<(), LoadError> {
    let mut list = RevokedList { agreements: revoked(folder)? };
    let before = list.agreements.len();
    list.agreements.retain(|id| !settled.contains(id));
    if list.agreements.len() != before {
        replace(folder, REVOKED, &[&serde_json::to_vec(&list).map_err(io::Error::from)?])?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(LoadError::Damaged("too large"));
    }
    Ok(bytes)
}

fn replace(folder: &Path, name: &str, parts: &[&[u8]]) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let staged = folder.join(format!("{name}.new"));
    let mut file = File::create(&staged)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()?;
    drop(file);
    std::fs::rename(&staged, folder.join(name))?;
    File::open(folder)?.sync_all()
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes))
}
