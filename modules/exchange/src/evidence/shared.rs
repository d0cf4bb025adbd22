//! What the parts of the evidence tell each other: how far the log is published, how far the tables are.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use base::clock::Timestamp;
use kernel::sealed::Origin;
use tokio::sync::{Notify, watch};

/// The state of the current log as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Published {
    /// Which log.
    pub origin: Origin,
    /// Its public key.
    pub vkey: String,
    /// Entries under the checkpoint.
    pub size: u64,
    /// The checkpoint.
    pub checkpoint: String,
}

impl Published {
    /// The stream position after the last published entry.
    pub(super) fn position(&self) -> u64 {
        self.origin.from + self.size.saturating_sub(self.origin.lead)
    }

    /// The index of a stream position in this log.
    pub(super) fn index_of(&self, position: u64) -> Option<u64> {
        position.checked_sub(self.origin.from).map(|n| n + self.origin.lead)
    }

    /// The stream position of an entry; `None` for the entries before the first one from the stream.
    pub(super) fn position_of(&self, index: u64) -> Option<u64> {
        index.checked_sub(self.origin.lead).map(|n| n + self.origin.from)
    }
}

/// Shared by the tasks of one process.
pub(super) struct Shared {
    /// The published log.
    pub published: watch::Sender<Published>,
    /// The stream position up to which the tables are written; 0 until the first look at them.
    pub indexed: watch::Sender<u64>,
    /// Somebody waits for a publication.
    pub wanted: Notify,
    /// Somebody waits for the tables.
    pub wanted_tables: Notify,
    /// Why the log could not be extended the last time, until it can again.
    trouble: Mutex<Option<String>>,
    /// When the records that are just being written entered monitoring, microseconds since 1970.
    entering: AtomicI64,
}

/// No records are being written.
const NOTHING: i64 = i64::MAX;

/// Records are being written; dropped when they are visible, or will not be.
pub(super) struct Entering<'a>(&'a AtomicI64);

impl Drop for Entering<'_> {
    fn drop(&mut self) {
        self.0.store(NOTHING, Ordering::SeqCst);
    }
}

impl Shared {
    pub(super) fn new(published: Published) -> Self {
        Self {
            published: watch::Sender::new(published),
            indexed: watch::Sender::new(0),
            wanted: Notify::new(),
            wanted_tables: Notify::new(),
            trouble: Mutex::default(),
            entering: AtomicI64::new(NOTHING),
        }
    }

    /// Says why the log could not be extended, or that it could.
    pub(super) fn sealing(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Why the log cannot be extended at present.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records enter monitoring at this moment and become visible a little later.
    pub(super) fn enter(&self, at: Timestamp) -> Entering<'_> {
        self.entering.store(at.micros(), Ordering::SeqCst);
        Entering(&self.entering)
    }

    /// The moment from which on records may still be on their way; `None` when none is.
    pub(super) fn entering(&self) -> Option<Timestamp> {
        let at = self.entering.load(Ordering::SeqCst);
        (at != NOTHING).then(|| Timestamp::from_micros(at))
    }
}
