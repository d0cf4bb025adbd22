//! What the parts of the evidence tell each other: how far the log is published, how far the tables are.

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
}

impl Shared {
    pub(super) fn new(published: Published) -> Self {
        Self {
            published: watch::Sender::new(published),
            indexed: watch::Sender::new(0),
            wanted: Notify::new(),
            wanted_tables: Notify::new(),
        }
    }
}
