//! Takes durable records from the stream into the log and publishes it. Needs no database. A failure drops
//! the log in memory and takes it up again from its last checkpoint, because what was half written is not known.

use std::sync::Arc;
use std::time::Duration;

use base::clock::Stopwatch;
use kernel::sealed::SealedLog;
use kernel::{Error, Result};
use stream::{Follower, Stream};
use tokio::sync::watch;

use super::origin::{Known, Place};
use super::payload::Payload;
use super::prune::Pruner;
use super::shared::{Published, Shared};

/// Time between two publications nobody has asked for.
const PERIOD: Duration = Duration::from_millis(200);
/// After work, this many times as long is left to others: the calls themselves come first.
const REST: u32 = 3;
/// Entries between two publications at most.
const MOST: usize = 16_384;
const RETRY: Duration = Duration::from_secs(1);

/// A log being written.
struct Open {
    log: SealedLog,
    pruner: Pruner,
}

/// The task.
pub(super) struct Sealer {
    place: Place,
    stream: Stream,
    shared: Arc<Shared>,
    open: Option<Open>,
}

impl Sealer {
    pub(super) fn new(place: Place, stream: Stream, shared: Arc<Shared>, log: SealedLog) -> Result<Self> {
        let open = Some(Open::new(&place, log)?);
        Ok(Self { place, stream, shared, open })
    }

    /// Runs until the stream has ended and everything in it is published, or until `stop`.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        while let Err(e) = self.follow(&mut stop).await {
            tracing::error!(error = e.chain(), "the evidence log could not be extended; trying again");
            self.shared.sealing(Some(e.chain()));
            let retry = tokio::time::sleep(RETRY);
            let stopped = tokio::select! { () = retry => false, _ = stop.changed() => true };
            if stopped || self.stream.stats().ended.is_some() {
                return;
            }
        }
    }

    /// Publishes batch after batch; ends without error when there will be no more.
    async fn follow(&mut self, stop: &mut watch::Receiver<bool>) -> Result<()> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.reopen().await?,
        };
        let mut follower = self.stream.follow(open.log.next_position());
        loop {
            let leaves = tokio::select! {
                leaves = gather(&self.stream, &mut follower) => leaves?,
                _ = stop.changed() => return Ok(()),
            };
            let Some(leaves) = leaves else { return Ok(()) };
            let work = Stopwatch::start();
            let sealing = tokio::task::spawn_blocking(move || seal(open, &leaves));
            let (grown, published) = sealing.await.map_err(Error::internal)??;
            open = grown;
            self.shared.published.send_replace(published);
            self.shared.sealing(None);
            let rest = PERIOD.max(work.elapsed() * REST);
            tokio::select! {
                () = tokio::time::sleep(rest) => {},
                () = self.shared.wanted.notified() => {},
                _ = stop.changed() => return Ok(()),
            }
        }
    }

    async fn reopen(&self) -> Result<Open> {
        let (place, stream) = (self.place.clone(), self.stream.clone());
        let last = self.shared.published.borrow().clone();
        let known = Known { dir: last.origin.dir, vkey: last.vkey, checkpoint: Some(last.checkpoint) };
        let opening = tokio::task::spawn_blocking(move || {
            let log = place.open(&stream, Some(&known))?;
            Open::new(&place, log)
        });
        let open = opening.await.map_err(Error::internal)??;
        self.shared.published.send_replace(published(&open.log)?);
        Ok(open)
    }
}

impl Open {
    fn new(place: &Place, log: SealedLog) -> Result<Self> {
        let pruner = Pruner::new(place.root.join(&log.origin().dir), log.published())?;
        Ok(Self { log, pruner })
    }
}

/// The entries that are durable now; waits for the first. `None` when the stream is closed.
async fn gather(stream: &Stream, follower: &mut Follower) -> Result<Option<Vec<Vec<u8>>>> {
    let mut leaves = Vec::new();
    loop {
        let batch = follower.next(MOST - leaves.len()).await.map_err(Error::internal)?;
        let Some(batch) = batch else { return Ok((!leaves.is_empty()).then_some(leaves)) };
        for (_, bytes) in batch {
            leaves.push(Payload::decode(&bytes).map_err(Error::internal)?.leaf);
        }
        if leaves.len() >= MOST || follower.position() >= stream.durable() {
            return Ok(Some(leaves));
        }
    }
}

fn seal(mut open: Open, leaves: &[Vec<u8>]) -> Result<(Open, Published)> {
    for leaf in leaves {
        open.log.append(leaf)?;
    }
    let checkpoint = open.log.publish()?;
    if let Err(e) = open.pruner.published(open.log.published()) {
        tracing::warn!(error = %e, "tiles that are no longer needed could not be removed");
    }
    let published = Published { checkpoint, ..published(&open.log)? };
    Ok((open, published))
}

/// The state of a log as it is published.
pub(super) fn published(log: &SealedLog) -> Result<Published> {
    let (origin, vkey, size) = (log.origin().clone(), log.vkey(), log.published());
    Ok(Published { origin, vkey, size, checkpoint: log.checkpoint()? })
}
