//! One durable append engine for everything that is acknowledged and must never be lost or changed: evidence,
//! sealed audit rows, read-access logs, packs of small content. It orders records, makes them durable in
//! groups, and gives them back; it knows nothing of their meaning, seals nothing and never touches a database.
//!
//! # Promises
//!
//! * **Acknowledged means durable.** [`Stream::append`] answers after `fdatasync` covered the record.
//! * **Positions are dense**, from 0, in the order of acceptance. After a crash the acknowledged records are
//!   there, in order; records not acknowledged may be there as well, but never partly and never with a gap.
//! * **Fail closed.** After the first error of a write or flush every waiting and later append gets
//!   [`Error::Failed`]. Nothing is tried again on that file: the stream must be opened anew, and opening
//!   writes the last flush once more, because the page cache may hold bytes the disk never got.
//! * **Damage is not taken for a torn tail.** A bad record that was once proven durable, by a later flush, by
//!   the mark written when the stream falls idle or is closed, or by the next segment, makes opening (in the
//!   last segment) or reading (in the others) fail with [`Error::Corrupt`]. Only damage to the very last flush,
//!   in the instant before its mark, looks like a torn tail.
//!
//! # How it works
//!
//! Records wait in a bounded queue. One thread takes them all, encodes them into preallocated, zero-filled
//! segments, flushes, and wakes each runtime once. It cuts the batch as soon as no record is still expected
//! ([`Stream::expect`]) or the oldest has waited `max_delay`: batches grow under load and nobody waits idly.
//! The next segment is filled with zeros in the background. Layout of the bytes: `frame.rs`, `segment.rs`.

mod copy;
mod disk;
mod error;
mod follow;
mod frame;
mod options;
mod queue;
mod reader;
mod recover;
mod reply;
mod segment;
mod shared;
#[cfg(feature = "simulation")]
pub mod simulation;
mod stats;
mod table;
mod writer;

use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::watch;

pub use copy::{Copies, SegmentCopy, copies};
pub use disk::{Disk, RealDisk, SegmentFile};
pub use error::{Error, Result};
pub use follow::Follower;
pub use options::Options;
pub use reader::Reader;
pub use stats::{BUCKETS, Stats};

use shared::Shared;

/// Place of a record in its stream: 0, 1, 2, … without gaps.
pub type Position = u64;

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The oldest position kept.
    pub first: Position,
    /// The position the next record gets.
    pub next: Position,
    /// Segment files in use.
    pub segments: usize,
    /// A torn tail was cut.
    pub cut: Option<Cut>,
    /// Median duration of a flush, measured on this disk just now; zero if not measured.
    pub flush: Duration,
}

/// Bytes of an unfinished flush that were cut from the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Number of the segment.
    pub segment: u64,
    /// Byte offset at which the remains began.
    pub offset: u64,
    /// Bytes cleared.
    pub bytes: u64,
}

/// One segment file in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Position of its first record.
    pub first: Position,
    /// Position after its last durable record.
    pub next: Position,
    /// Size of the file.
    pub bytes: u64,
}

/// A handle to one open stream; clones share it. Dropping the last one flushes what was accepted and blocks
/// until the writer has stopped.
#[derive(Debug, Clone)]
pub struct Stream(Arc<Owner>);

#[derive(Debug)]
struct Owner {
    shared: Arc<Shared>,
    durable: watch::Receiver<u64>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Stream {
    /// Opens the stream in `dir`, creating it if the directory is missing or empty. Blocks while the last
    /// segment is read and verified.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if acknowledged records are damaged or segments missing, [`Error::Busy`] if the
    /// stream is open elsewhere, [`Error::Io`], [`Error::Options`].
    pub fn open(disk: Arc<dyn Disk>, dir: impl AsRef<Path>, options: Options) -> Result<(Self, Recovered)> {
        let dir = dir.as_ref().to_path_buf();
        options.check()?;
        disk.create_dir(&dir).map_err(|e| Error::io("creating", &dir, e))?;
        let lock = disk.lock(&dir).map_err(|e| match e.kind() {
            std::io::ErrorKind::WouldBlock => Error::Busy(dir.clone()),
            _ => Error::io("locking", &dir, e),
        })?;
        let opened = recover::open(&disk, &dir, &options)?;
        if let Some(cut) = &opened.recovered.cut {
            tracing::warn!(
                stream = options.name,
                ?cut,
                "an unfinished flush was cut from the end of the stream"
            );
        }
        let recovered = opened.recovered;
        let shared = Arc::new(Shared::new(disk, dir, options, opened.table));
        shared
            .counters
            .start_flush_us
            .store(recovered.flush.as_micros() as u64, std::sync::atomic::Ordering::Relaxed);
        let (followers, durable) = watch::channel(recovered.next);
        let writer =
            writer::Writer::new(shared.clone(), opened.active, opened.spare, opened.marked, followers, lock);
        let writer = thread::Builder::new()
            .name(format!("{}-writer", shared.options.name))
            .spawn(move || writer.run())
            .map_err(|e| Error::io("starting the writer of", &*shared.dir, e))?;
        Ok((Self(Arc::new(Owner { shared, durable, writer: Mutex::new(Some(writer)) })), recovered))
    }

    /// Appends a record and answers when it is durable. Waits while the queue is full.
    ///
    /// A future dropped before the record was accepted withdraws it. Dropped later, only the answer is lost:
    /// the record keeps its place.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; [`Error::Failed`] or [`Error::Closed`], after which the record may or may not be
    /// found when the stream is opened anew.
    pub async fn append(&self, payload: Bytes) -> Result<Position> {
        self.queue().append(payload, None, Handle::try_current().ok()).await
    }

    /// [`Stream::append`] for threads outside a runtime: blocks.
    ///
    /// # Errors
    /// As [`Stream::append`].
    pub fn append_blocking(&self, payload: Bytes) -> Result<Position> {
        block_on(self.queue().append(payload, None, None))
    }

    /// Announces a record that is on its way (a request was accepted, its record will follow), so that the
    /// writer waits for it up to `max_delay` instead of flushing small batches. Append through the guard, or
    /// drop it if the record does not come; do not hold it while waiting for another append.
    pub fn expect(&self) -> Expected {
        Expected(self.queue().promise(), self.queue().clone())
    }

    /// Durable records from position `from` on. Blocks while reading: not for asynchronous code, which uses
    /// [`Stream::follow`] or a blocking task.
    pub fn read(&self, from: Position) -> Reader {
        Reader::new(self.shared().clone(), from)
    }

    /// The record at `position`; `None` if it is not durable yet. Blocks like [`Stream::read`].
    ///
    /// # Errors
    /// [`Error::Removed`], [`Error::Corrupt`], [`Error::Io`].
    pub fn get(&self, position: Position) -> Result<Option<Bytes>> {
        Ok(self.read(position).next().transpose()?.map(|record| record.1))
    }

    /// Positions below this are durable.
    pub fn durable(&self) -> Position {
        self.shared().durable()
    }

    /// The oldest position kept.
    pub fn first(&self) -> Position {
        self.shared().table().first()
    }

    /// The segments in use, oldest first; the last is being written.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        self.shared().table().list()
    }

    /// Follows [`Stream::durable`], one wake per flush. `changed()` fails once the stream has ended.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.0.durable.clone()
    }

    /// Removes segments all of whose positions are below `before`, oldest first, never the last one; answers
    /// the oldest position kept. Blocks.
    ///
    /// # Errors
    /// [`Error::Io`]; what was not removed is found again when the stream is opened anew.
    pub fn truncate_front(&self, before: Position) -> Result<Position> {
        let shared = self.shared();
        let _one_at_a_time = shared.removing.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let Some(number) = shared.table().pop_front(before) else { return Ok(self.first()) };
            let path = segment::path(&shared.dir, number);
            // Each removal is durable before the next: a crash must not leave a gap between segments.
            let gone = shared.disk.remove(&path).and_then(|()| shared.disk.sync_dir(&shared.dir));
            gone.map_err(|e| Error::io("removing", path, e))?;
        }
    }

    /// Figures for metrics and diagnostics.
    pub fn stats(&self) -> Stats {
        self.shared().stats()
    }

    /// The stream's name.
    pub fn name(&self) -> &str {
        &self.shared().options.name
    }

    /// Flushes what was accepted and stops; later appends, also by clones, get [`Error::Closed`]. Blocks until
    /// the directory may be opened anew. Also after a failure.
    pub fn close(&self) {
        self.0.stop();
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    fn queue(&self) -> &Arc<queue::Queue> {
        &self.0.shared.queue
    }
}

impl Owner {
    fn stop(&self) {
        self.shared.queue.stop();
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = writer.take() {
            let _ = writer.join(); // a panic was already turned into a failed stream
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A record announced by [`Stream::expect`].
#[derive(Debug)]
pub struct Expected(queue::Promise, Arc<queue::Queue>);

impl Expected {
    /// Appends the announced record; see [`Stream::append`].
    ///
    /// # Errors
    /// As [`Stream::append`].
    pub async fn append(self, payload: Bytes) -> Result<Position> {
        let Self(promise, queue) = self;
        queue.append(payload, Some(promise), Handle::try_current().ok()).await
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread without a runtime.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
