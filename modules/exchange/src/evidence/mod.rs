//! The evidence of calls: records made durable before anything depends on them, sealed in a log that a stranger
//! can check, and kept as rows for people to look at. The form of records and bundles is in the crate
//! `evidence`; when a record is due is decided by the gateway; who may see what, by pages and interfaces.
//!
//! ```text
//! Recorder -> stream (durable) -> sealer  -> evidence/<log>/{checkpoint, vkey, tile/…}
//!                              -> indexer -> exchange_call, exchange_private, exchange_origin
//! ```
//!
//! People read the rows through `store::lists`. Both followers resume where their own result ends, and the stream forgets only what both have taken.

mod bundles;
mod indexer;
mod origin;
mod payload;
mod prune;
mod recorder;
mod rows;
mod sealer;
mod settings;
mod shared;
mod tables;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::clock::Timestamp;
use kernel::sealed::LogReader;
use kernel::{Error, Kernel, Result};
use stream::{Disk, Options, RealDisk, Stream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use indexer::Indexer;
use origin::Place;
use sealer::Sealer;
use shared::Shared;

pub(crate) use bundles::AtRest;
pub use bundles::Bundles;
pub use recorder::{Expected, RecordError, Recorded, Recorder};
pub use settings::Settings;
pub use tables::{EVIDENCE, FIELDS, MONITORING};

/// Directory of the logs below the data directory. It must be in every backup.
pub const LOGS: &str = "evidence";
/// Directory of the stream below the data directory. What a backup has without it is the state up to about a
/// second before.
pub const STREAM: &str = "streams/evidence";

/// The evidence of one node.
pub struct Evidence {
    recorder: Recorder,
    bundles: Bundles,
    shared: Arc<Shared>,
    stream: Stream,
    settings: Settings,
    started: u64,
    sealer: Mutex<Option<Sealer>>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// How long the followers may take to finish after the last record.
const LAST_WORK: Duration = Duration::from_secs(5);

/// How far the followers are behind the stream, for diagnostics and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Records durable in the stream since it began.
    pub durable: u64,
    /// Records not yet under a published checkpoint.
    pub unsealed: u64,
    /// Records not yet in the tables.
    pub unindexed: u64,
    /// Directory of the current log.
    pub origin: String,
    /// Entries of the current log under its checkpoint.
    pub size: u64,
    /// Why the log cannot be extended at present.
    pub sealer: Option<String>,
    /// Why the stream takes no more records; a failed one must be opened anew by a new process.
    pub ended: Option<String>,
}

impl Evidence {
    /// Opens stream and log below the kernel's data directory. `platform` is the name of this installation, by
    /// which the names of its logs begin. Nothing runs before [`Evidence::run`], but records may be appended.
    ///
    /// # Errors
    /// When stream or log are damaged beyond what a new log can mend, or cannot be opened with the master key.
    pub async fn open(k: &Kernel, platform: &str) -> Result<Self> {
        Self::open_on(k, platform, Arc::new(RealDisk)).await
    }

    /// As [`Evidence::open`], with the stream on another disk.
    ///
    /// # Errors
    /// As [`Evidence::open`].
    pub async fn open_on(k: &Kernel, platform: &str, disk: Arc<dyn Disk>) -> Result<Self> {
        let settings = Settings::read(&k.config)?;
        let place = Place {
            root: k.data_dir.join(LOGS),
            log: format!("{platform}/evidence"),
            keys: k.keys.clone(),
            clock: k.clock.clone(),
            random: k.random.clone(),
        };
        place.check()?;
        let mut options = Options::new("evidence", &*k.random);
        options.max_delay = Duration::from_micros(u64::from(settings.max_delay_us));
        options.segment_bytes = 32 << 20;
        let at = k.data_dir.join(STREAM);
        let opening = tokio::task::spawn_blocking(move || Stream::open(disk, at, options));
        let (stream, recovered) = opening.await.map_err(Error::internal)?.map_err(Error::internal)?;
        let reader = LogReader::new(&place.root);
        let known = known(k, &reader, &place.log).await;
        let (opened, stream_too) = (place.clone(), stream.clone());
        let log = tokio::task::spawn_blocking(move || opened.open(&stream_too, known.as_ref()));
        let log = log.await.map_err(Error::internal)??;
        let shared = Arc::new(Shared::new(sealer::published(&log)?));
        let sealer = Sealer::new(place, stream.clone(), shared.clone(), log)?;
        Ok(Self {
            recorder: Recorder::new(stream.clone(), k.clock.clone(), k.random.clone()),
            bundles: Bundles { k: k.clone(), reader, stream: stream.clone(), shared: shared.clone() },
            shared,
            stream,
            settings,
            started: recovered.next,
            sealer: Mutex::new(Some(sealer)),
            stop: watch::Sender::new(false),
            tasks: Mutex::default(),
        })
    }

    /// Starts sealing and indexing in the background, until [`Evidence::close`]. A second call does nothing.
    pub fn run(&self, k: &Kernel) {
        let sealer = lock(&self.sealer).take();
        let Some(sealer) = sealer else { return };
        let indexer = Indexer {
            k: k.clone(),
            settings: self.settings.clone(),
            reader: self.bundles.reader.clone(),
            stream: self.stream.clone(),
            shared: self.shared.clone(),
            started: self.started,
            state: indexer::State::default(),
        };
        let sealing = tokio::spawn(sealer.run(self.stop.subscribe()));
        let indexing = tokio::spawn(indexer.run(self.stop.subscribe()));
        lock(&self.tasks).extend([sealing, indexing]);
    }

    /// Makes records durable.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Issues evidence.
    pub fn bundles(&self) -> &Bundles {
        &self.bundles
    }

    /// The published files of all logs: `checkpoint`, `vkey`, tiles. They are public.
    pub fn files(&self) -> &LogReader {
        &self.bundles.reader
    }

    /// The public key of the current log, in the text form of a signed note.
    pub fn vkey(&self) -> String {
        self.shared.published.borrow().vkey.clone()
    }

    /// How far the followers are.
    pub fn progress(&self) -> Progress {
        let durable = self.stream.durable();
        let published = self.shared.published.borrow();
        let indexed = *self.shared.indexed.borrow();
        Progress {
            durable,
            unsealed: durable.saturating_sub(published.position()),
            unindexed: durable.saturating_sub(indexed),
            origin: published.origin.dir.clone(),
            size: published.size,
            sealer: self.shared.trouble(),
            ended: self.stream.stats().ended,
        }
    }

    /// The moment from which on records of this node may still be entering monitoring, unseen as yet; `None` when
    /// all that were written can be seen.
    pub fn entering(&self) -> Option<Timestamp> {
        self.shared.entering()
    }

    /// Figures of the stream: batches, flushes, their durations.
    pub fn stream_stats(&self) -> stream::Stats {
        self.stream.stats()
    }

    /// Flushes what was accepted, takes no more, and lets the followers finish, for at most about five seconds:
    /// what they have not done by then, the next process does. To be called after the last call has ended.
    pub async fn close(&self) {
        let stream = self.stream.clone();
        if let Err(e) = tokio::task::spawn_blocking(move || stream.close()).await {
            tracing::error!(error = %e, "the evidence stream did not close");
        }
        self.shared.wanted.notify_one();
        self.shared.wanted_tables.notify_one();
        let tasks = std::mem::take(&mut *lock(&self.tasks));
        let mut finished = futures_util::future::join_all(tasks);
        if tokio::time::timeout(LAST_WORK, &mut finished).await.is_err() {
            self.stop.send_replace(true);
            let _ = tokio::time::timeout(LAST_WORK, finished).await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// To be called on restored data before the first start: the logs begin anew, committing to what was before.
///
/// # Errors
/// When the mark cannot be written.
pub fn restored(data_dir: &Path) -> Result<()> {
    origin::mark_restored(&data_dir.join(LOGS))
}

/// The newest checkpoint in the database. Without the database the log is compared with its own files only.
async fn known(k: &Kernel, reader: &LogReader, log: &str) -> Option<origin::Known> {
    let current = reader.current().ok().flatten();
    let log = current.as_ref().map_or(log, |origin| tables::log_of(&origin.name));
    match tables::known(k, log).await {
        Ok(known) => known,
        Err(e) => {
            tracing::warn!(error = e.chain(), "the last known checkpoint cannot be read from the database");
            None
        }
    }
}
