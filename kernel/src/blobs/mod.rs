//! Content by keyed hash: attachments, packages, anything too large for a table. Put before the transaction
//! that refers to it, durable when `put` answers, encrypted under a data key of the person or body it is about.
//!
//! * Up to 256 KiB it lies in a pack ([`stream`] segments: many puts share a flush); larger content is staged,
//!   synchronised and renamed as a file of its own.
//! * The [`BlobId`] is an HMAC over content, subject's key and access class: equal content of one subject is kept
//!   once, and nobody without the key can tell whether some content is here.
//! * Erasing a subject destroys its data key: what was encrypted under it can never be read again, wherever a
//!   copy may lie. A backup still holds the wrapped key until the backup itself expires; the list of erasures
//!   ([`erasures`]) destroys it anew when such a backup is restored.
//! * What no [`Blobs::reference`] names for 24 hours is collected; a crash between put and transaction leaves
//!   only that.
//!
//! Who may read is not decided here: the module that refers to the content checks its own rights.

mod check;
mod cipher;
mod collect;
mod compact;
pub mod erasures;
mod files;
mod id;
mod keys;
mod pack;
mod put;
mod read;
mod refer;
mod store;

use std::path::PathBuf;
use std::sync::Arc;

use base::clock::{Clock, Timestamp};
use base::error::{Error, Result};
use base::ids::Ref;
use base::random::Random;
use stream::{Disk, Stream};
use tokio::sync::OnceCell;

use crate::db::{Db, Migration};
use crate::keys::Keys;

pub use check::Report;
pub use collect::{Collected, upkeep};
pub use id::{AccessClass, BlobId};
pub use keys::rewrap;
pub use read::BlobReader;

/// The tables of this part.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_blobs", sql: include_str!("schema.sql") },
    Migration {
        name: "0002_erasures",
        sql: "CREATE INDEX blobs_key_destroyed ON blobs_key (id) WHERE destroyed_at IS NOT NULL;",
    },
];

/// Content up to this size goes into a pack.
pub const SMALL: usize = 256 << 10;

/// The directory of all content in the data directory.
pub const DIR: &str = "content";

/// Where the packs lie below [`Parts::dir`]; a backup copies it with [`stream::copies`].
pub const PACKS: &str = "packs";

/// Where larger content lies below [`Parts::dir`]: files that are never changed.
pub const FILES: &str = "files";

/// What the store is built from.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The master key.
    pub keys: Arc<Keys>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The random source.
    pub random: Arc<dyn Random>,
    /// The file system.
    pub disk: Arc<dyn Disk>,
    /// The directory of all content; nothing else lies in it.
    pub dir: PathBuf,
}

/// How content is to be kept.
#[derive(Debug, Clone)]
pub struct PutOptions {
    /// Who may see it, as a label for the modules that decide.
    pub class: AccessClass,
    /// The person or body it is about, whose erasure makes it unreadable.
    pub subject: Ref,
    /// Not collected before this moment, even when nothing refers to it any more.
    pub keep_until: Option<Timestamp>,
    /// Larger content is refused with [`Error::TooLarge`].
    pub max_bytes: u64,
}

/// What is known of content without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Its identifier.
    pub id: BlobId,
    /// Its access class.
    pub class: AccessClass,
    /// The person or body it is about.
    pub subject: Ref,
    /// Length in bytes.
    pub bytes: u64,
    /// When it was first put.
    pub put_at: Timestamp,
    /// Not collected before this moment.
    pub keep_until: Option<Timestamp>,
    /// Its key was destroyed: it can never be read again.
    pub erased: bool,
}

/// The content store. Cheap to clone.
#[derive(Clone)]
pub struct Blobs(Arc<Inner>);

struct Inner {
    db: Db,
    keys: Arc<Keys>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    files: files::Files,
    packs: Stream,
    address_key: OnceCell<aws_lc_rs::hmac::Key>,
    /// Collecting, checking and relocating one at a time.
    upkeep: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Blobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Blobs").field(&self.0.files).finish()
    }
}

impl Blobs {
    /// Opens the store in its directory, creating it if need be. Blocks while the newest pack is verified.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when another process has it open; [`Error::Internal`] when acknowledged content in
    /// the packs is damaged or the disk fails.
    pub fn open(parts: Parts) -> Result<Self> {
        Self::open_with(parts, |_| {})
    }

    /// As [`Blobs::open`], with changed options for the packs.
    ///
    /// # Errors
    /// As [`Blobs::open`].
    pub fn open_with(parts: Parts, change: impl FnOnce(&mut stream::Options)) -> Result<Self> {
        let mut options = stream::Options::new("blobs", &*parts.random);
        change(&mut options);
        let packs = Stream::open(parts.disk.clone(), parts.dir.join(PACKS), options).map_err(pack_fault)?.0;
        let files = files::Files::open(parts.disk, parts.dir)?;
        Ok(Self(Arc::new(Inner {
            db: parts.db,
            keys: parts.keys,
            clock: parts.clock,
            random: parts.random,
            files,
            packs,
            address_key: OnceCell::new(),
            upkeep: tokio::sync::Mutex::new(()),
        })))
    }

    /// What is known of content; `None` if there is none under this identifier.
    ///
    /// # Errors
    /// From the database.
    pub async fn meta(&self, id: &BlobId) -> Result<Option<Meta>> {
        Ok(store::find(&self.0.db, id).await?.map(|row| row.meta))
    }

    /// Figures of the packs, for metrics and diagnostics.
    pub fn stats(&self) -> stream::Stats {
        self.0.packs.stats()
    }

    /// Keeps everything where it is until the answer is dropped: nothing is collected or moved. For a backup,
    /// whose tables are older than its content.
    pub(crate) async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.upkeep.lock().await
    }

    /// Flushes and closes the packs; later puts of small content fail. Blocks.
    pub fn close(&self) {
        self.0.packs.close();
    }
}

/// A fault of the packs in the kernel's words.
fn pack_fault(e: stream::Error) -> Error {
    match e {
        stream::Error::Busy(_) | stream::Error::Failed { .. } | stream::Error::Closed(_) => {
            Error::unavailable("content store", e)
        }
        other => Error::internal(other),
    }
}

/// Runs blocking file work off the runtime.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}
