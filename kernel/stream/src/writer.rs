//! The one thread that writes: takes what is queued, encodes it, `write_at` + `sync_data`, then tells everybody.
//! After the first error it ends the stream; nothing is tried again on the same file.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use base::clock::Stopwatch;
use tokio::sync::watch;

use crate::frame::{self, Kind};
use crate::queue::{Pending, Work};
use crate::recover::{Active, Spare, activate, prepare};
use crate::shared::Shared;
use crate::{Error, segment};

/// A write buffer larger than this is given back after the flush.
const KEEP_BUFFER: usize = 4 << 20;

/// State of the writing thread.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    active: Active,
    spares: Spares,
    followers: watch::Sender<u64>,
    /// Encoded frames not yet written, and the records in them.
    buffer: Vec<u8>,
    encoded: Vec<Pending>,
    taken: VecDeque<Pending>,
    /// Position of the next record to encode.
    next: u64,
    /// Position up to which a mark proves durability.
    marked: Option<u64>,
    ended: bool,
    /// Held as long as this thread may touch the directory.
    _lock: Box<dyn Send + Sync>,
}

impl Writer {
    pub fn new(
        shared: Arc<Shared>,
        active: Active,
        spare: Option<Spare>,
        marked: bool,
        followers: watch::Sender<u64>,
        lock: Box<dyn Send + Sync>,
    ) -> Self {
        let next = shared.durable();
        Self {
            spares: Spares { shared: Arc::clone(&shared), ready: spare, coming: None },
            shared,
            active,
            followers,
            buffer: Vec::new(),
            encoded: Vec::new(),
            taken: VecDeque::new(),
            next,
            marked: marked.then_some(next),
            ended: false,
            _lock: lock,
        }
    }

    /// Works until the stream is closed or an error ends it.
    pub fn run(mut self) {
        if let Err(e) = self.work() {
            self.fail(e);
        }
        self.ended = true;
        self.spares.finish();
    }

    fn work(&mut self) -> io::Result<()> {
        let mut batch = Vec::new();
        loop {
            match self.shared.queue.wait(&mut batch, self.marked != Some(self.next)) {
                Work::Flush => {
                    self.taken.extend(batch.drain(..));
                    self.flush()?;
                }
                Work::Mark => self.mark()?,
                Work::Stop => {
                    return if self.marked == Some(self.next) { Ok(()) } else { self.mark() };
                }
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        while let Some(pending) = self.taken.pop_front() {
            let need = frame::framed(pending.payload.len()) as u64;
            if self.active.offset + self.buffer.len() as u64 + need > self.active.header.bytes {
                // A flush never spans segments: the old one is durable before the new one says anything.
                self.commit()?;
                self.encoded.push(pending);
                self.rotate(need)?;
            } else {
                self.encoded.push(pending);
            }
            self.encode_last();
        }
        self.commit()?;
        self.spares.prepare_early(&self.active);
        Ok(())
    }

    fn encode_last(&mut self) {
        let Some(pending) = self.encoded.last() else { return };
        let (salt, flush_at) = (self.active.header.salt, self.active.offset);
        frame::encode(&mut self.buffer, salt, Kind::Record, self.next, flush_at, &pending.payload);
        self.next += 1;
    }

    /// Writes and synchronises the buffer, then answers the callers.
    fn commit(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let watch = Stopwatch::start();
        self.active.file.write_at(self.active.offset, &self.buffer)?;
        self.active.file.sync_data()?;
        let records = self.encoded.len() as u64;
        self.shared.counters.flushed(records, self.buffer.len() as u64, watch.elapsed());
        let first = self.next - records;
        self.shared.note(self.active.header.number, first, self.active.offset);
        self.active.offset += self.buffer.len() as u64;
        self.shared.advance(self.next, self.active.offset);
        self.shared.queue.complete(first, &mut self.encoded);
        self.followers.send_replace(self.next);
        self.buffer.clear();
        if self.buffer.capacity() > KEEP_BUFFER {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    /// Proves to a later recovery that everything so far is durable.
    fn mark(&mut self) -> io::Result<()> {
        self.marked = Some(self.next);
        if self.active.offset + frame::HEADER as u64 > self.active.header.bytes {
            return Ok(()); // the next segment's header will prove it
        }
        let mut raw = Vec::with_capacity(frame::HEADER);
        frame::encode(&mut raw, self.active.header.salt, Kind::Mark, self.next, self.active.offset, &[]);
        self.active.file.write_at(self.active.offset, &raw)?;
        self.active.file.sync_data()?;
        self.active.offset += raw.len() as u64;
        self.shared.advance(self.next, self.active.offset);
        Ok(())
    }

    fn rotate(&mut self, need: u64) -> io::Result<()> {
        let header = &self.active.header;
        let spare = self.spares.take(header.number + 1, header.bytes, need)?;
        self.active = activate(spare, self.next, &self.shared.options)?;
        self.shared.push(self.active.header);
        Ok(())
    }

    fn fail(&mut self, e: io::Error) {
        tracing::error!(stream = self.shared.options.name, error = %e, "stream failed, no more records are accepted");
        let error = Error::Failed { name: self.shared.options.name.clone(), source: Arc::new(e) };
        self.shared.queue.fail(&error, self.encoded.drain(..).chain(self.taken.drain(..)));
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.ended {
            self.fail(io::Error::other("the writing thread panicked"));
        }
    }
}

/// The next segment, filled with zeros in the background.
struct Spares {
    shared: Arc<Shared>,
    ready: Option<Spare>,
    coming: Option<(mpsc::Receiver<io::Result<Spare>>, JoinHandle<()>)>,
}

impl Spares {
    /// Begins to prepare the next segment once half of the present one is used.
    fn prepare_early(&mut self, active: &Active) {
        if self.ready.is_some() || self.coming.is_some() || active.offset < active.header.bytes / 2 {
            return;
        }
        let (to, from) = mpsc::sync_channel(1);
        let shared = Arc::clone(&self.shared);
        let (number, bytes) = (active.header.number + 1, shared.options.size_after(active.header.bytes));
        let work = move || {
            let made = prepare(&shared.disk, &shared.dir, number, bytes);
            if let Err(e) = &made {
                shared.counters.failed_preparations.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                tracing::warn!(stream = shared.options.name, error = %e, "the next segment could not be prepared");
            }
            let _ = to.send(made);
        };
        let builder = thread::Builder::new().name(format!("{}-zero", self.shared.options.name));
        if let Ok(handle) = builder.spawn(work) {
            self.coming = Some((from, handle));
        }
    }

    /// The segment `number` with room for a frame of `need` bytes; waits or makes it now if it must.
    fn take(&mut self, number: u64, before: u64, need: u64) -> io::Result<Spare> {
        let need = need + segment::HEADER as u64;
        let made = match self.ready.take() {
            Some(spare) => Some(Ok(spare)),
            None => self.finish(),
        };
        match made {
            Some(Ok(spare)) if spare.number == number && spare.bytes >= need => return Ok(spare),
            // A full disk may have been relieved meanwhile, and the attempt is made on another file. After any
            // other error nothing further can be believed.
            Some(Err(e)) if !is_full(&e) => return Err(e),
            _ => {}
        }
        let options = &self.shared.options;
        let bytes = options.size_after(before);
        prepare(
            &self.shared.disk,
            &self.shared.dir,
            number,
            if bytes < need { options.segment_bytes } else { bytes },
        )
    }

    /// Waits for a preparation under way.
    fn finish(&mut self) -> Option<io::Result<Spare>> {
        let (from, handle) = self.coming.take()?;
        let made = from.recv().unwrap_or_else(|_| Err(io::Error::other("the preparing thread panicked")));
        let _ = handle.join();
        Some(made)
    }
}

fn is_full(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
