//! Following a stream from a position: what a sealing or indexing task does.

use bytes::Bytes;
use tokio::sync::watch;

use crate::{Error, Reader, Result, Stream};

/// Bytes of payload in one batch at most, except for a single larger record.
const BATCH_BYTES: usize = 4 << 20;

/// Gives batches of durable records as they come. Does not keep the stream open.
#[derive(Debug)]
pub struct Follower {
    shared: std::sync::Arc<crate::shared::Shared>,
    durable: watch::Receiver<u64>,
    next: u64,
    reader: Option<Reader>,
}

impl Stream {
    /// Follows the stream from position `from` on.
    pub fn follow(&self, from: u64) -> Follower {
        Follower { shared: self.shared().clone(), durable: self.watch(), next: from, reader: None }
    }
}

impl Follower {
    /// Position of the record that comes next.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// The next records, at most `most`; waits until there is one. `None` when the stream was closed and all
    /// was given. A dropped future loses nothing: the same records come again.
    ///
    /// # Errors
    /// [`Error::Failed`] after all durable records of a failed stream were given; [`Error::Corrupt`],
    /// [`Error::Removed`] and [`Error::Io`] from reading.
    pub async fn next(&mut self, most: usize) -> Result<Option<Vec<(u64, Bytes)>>> {
        while self.next >= self.shared.durable() {
            let closed = self.durable.changed().await.is_err();
            if closed && self.next >= self.shared.durable() {
                return match self.shared.queue.end() {
                    Some(error @ Error::Failed { .. }) => Err(error),
                    _ => Ok(None),
                };
            }
        }
        let reader = match self.reader.take() {
            Some(reader) if reader.position() == self.next => reader,
            _ => Reader::new(self.shared.clone(), self.next),
        };
        let work = move || read_batch(reader, most.max(1));
        let (reader, batch) = match tokio::task::spawn_blocking(work).await {
            Ok(done) => done,
            Err(e) => return Err(Error::io("reading", &*self.shared.dir, std::io::Error::other(e))),
        };
        let batch = batch?;
        self.next += batch.len() as u64;
        self.reader = Some(reader);
        Ok(Some(batch))
    }
}

fn read_batch(mut reader: Reader, most: usize) -> (Reader, Result<Vec<(u64, Bytes)>>) {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while batch.len() < most && bytes < BATCH_BYTES {
        match reader.next() {
            Some(Ok(record)) => {
                bytes += record.1.len();
                batch.push(record);
            }
            // What was read before the error is given first; the error comes with the next call.
            Some(Err(e)) if batch.is_empty() => return (reader, Err(e)),
            Some(Err(_)) | None => break,
        }
    }
    (reader, Ok(batch))
}
