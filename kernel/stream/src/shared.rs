//! What callers, readers and the writer of one stream have in common.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::Disk;
use crate::queue::Queue;
use crate::stats::{Counters, Stats};
use crate::table::Table;
use crate::{Options, segment};

#[derive(Debug)]
pub(crate) struct Shared {
    pub disk: Arc<dyn Disk>,
    pub dir: PathBuf,
    pub options: Options,
    pub queue: Arc<Queue>,
    pub counters: Counters,
    /// One removal of old segments at a time.
    pub removing: Mutex<()>,
    table: Mutex<Table>,
    durable: AtomicU64,
}

impl Shared {
    pub fn new(disk: Arc<dyn Disk>, dir: PathBuf, options: Options, table: Table) -> Self {
        Self {
            disk,
            dir,
            queue: Arc::new(Queue::new(&options)),
            options,
            counters: Counters::default(),
            removing: Mutex::new(()),
            durable: AtomicU64::new(table.next),
            table: Mutex::new(table),
        }
    }

    pub fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    pub fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn note(&self, number: u64, position: u64, offset: u64) {
        self.table().note(number, position, offset);
    }

    /// Everything below `next` and `end` has been synchronised.
    pub fn advance(&self, next: u64, end: u64) {
        self.table().advance(next, end);
        self.durable.store(next, Ordering::Release);
    }

    pub fn push(&self, header: segment::Header) {
        self.table().push(header);
    }

    pub fn stats(&self) -> Stats {
        let mut stats = Stats::copy(&self.counters);
        (stats.pending_records, stats.pending_bytes) = self.queue.waiting();
        stats.ended = self.queue.end().map(|e| e.to_string());
        let table = self.table();
        (stats.durable, stats.first, stats.segments) = (table.next, table.first(), table.len());
        stats
    }
}
