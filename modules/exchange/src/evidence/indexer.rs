//! Keeps the tables in step with the logs: from the stream, which also holds what opens the commitments, or from
//! the log itself where the stream no longer reaches. Safe to repeat, resumes where the tables say, and lets the
//! stream drop what is both published and in the tables, so that personal values do not stay in it for ever.

use std::sync::Arc;
use std::time::Duration;

use base::clock::Stopwatch;
use evidence::Record;
use kernel::sealed::LogReader;
use kernel::{Cx, Error, Kernel, Result};
use stream::{Follower, Stream};
use tlog::{Checkpoint, TILE_WIDTH, Tile, TileKind, VerifyingKey, read_entries};
use tokio::sync::watch;

use super::payload::Payload;
use super::rows::{Batch, Place};
use super::settings::Settings;
use super::shared::{Published, Shared};
use super::tables::{self, Statements};
use crate::traffic::{self, Additions, Ended, Names};

/// Entries in one transaction.
const MOST: usize = 512;
/// Time in which entries gather for one transaction, unless somebody waits.
const PERIOD: Duration = Duration::from_millis(50);
/// After work, this many times as long is left to others: the calls themselves come first.
const REST: u32 = 3;
/// So many entries behind, the indexer no longer rests.
const FAR_BEHIND: u64 = 2_000_000;
const RETRY: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(5)];
const ERASING: Duration = Duration::from_secs(600);
const TRUNCATING: Duration = Duration::from_secs(2);
/// Without new records, the newest checkpoint is noted after at most this time.
const IDLE: Duration = Duration::from_secs(1);

/// The task.
pub(super) struct Indexer {
    pub k: Kernel,
    pub settings: Settings,
    pub reader: LogReader,
    pub stream: Stream,
    pub shared: Arc<Shared>,
    /// Stream position at which this process began: what was opened before and not closed never will be.
    pub started: u64,
    pub state: State,
}

/// What the indexer remembers between steps; losing it costs only a look at the tables.
#[derive(Default)]
pub(super) struct State {
    follower: Option<Follower>,
    /// The log whose predecessors are all in the tables.
    settled: Option<String>,
    unknown_marked: bool,
    noted: Option<String>,
    erased: Option<Stopwatch>,
    truncated: Option<Stopwatch>,
    /// The names that have figures of their own.
    names: Names,
}

/// Entries read for one transaction.
struct Read {
    batch: Batch,
    dir: String,
    /// Index after the last of them.
    end: u64,
}

impl Indexer {
    /// Runs until the stream has ended and everything in it is in the tables, or until `stop`. While the
    /// database is away it tries again, ever more seldom.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut pause = RETRY[0];
        let mut durable = self.stream.watch();
        loop {
            let work = Stopwatch::start();
            durable.mark_unchanged();
            let rest = match self.step().await {
                Ok(true) => self.rest(work.elapsed()),
                Ok(false) if self.is_done() => return,
                Ok(false) => {
                    pause = RETRY[0];
                    tokio::select! {
                        more = durable.changed() => if more.is_err() { PERIOD } else { Duration::ZERO },
                        () = tokio::time::sleep(IDLE) => Duration::ZERO,
                        _ = stop.changed() => return,
                    }
                }
                Err(e) => {
                    tracing::error!(
                        error = e.chain(),
                        "calls could not be written to the tables; trying again"
                    );
                    self.state.follower = None;
                    pause = (pause * 2).min(RETRY[1]);
                    pause
                }
            };
            tokio::select! {
                () = tokio::time::sleep(rest) => {},
                () = self.shared.wanted_tables.notified() => {},
                _ = stop.changed() => return,
            }
        }
    }

    /// Whether the stream has ended and its last checkpoint is noted.
    fn is_done(&self) -> bool {
        let published = self.shared.published.borrow();
        let all_sealed = published.position() >= self.stream.durable();
        let noted = self.state.noted.as_ref() == Some(&published.checkpoint);
        all_sealed && noted && self.stream.stats().ended.is_some()
    }

    fn rest(&self, work: Duration) -> Duration {
        let behind = self.stream.durable().saturating_sub(*self.shared.indexed.borrow());
        if behind > FAR_BEHIND { Duration::ZERO } else { PERIOD.max(work * REST) }
    }

    /// One transaction's worth of work; false when there is nothing to do.
    async fn step(&mut self) -> Result<bool> {
        let published = self.shared.published.borrow().clone();
        let indexed = match self.behind(&published).await? {
            Behind::Old(read) => {
                self.write(read, None).await?;
                return Ok(true);
            }
            Behind::Current(indexed) => indexed,
        };
        // Before anything of this process is read: its own calls may still be running.
        if let Some(position) = published.position_of(indexed) {
            self.mark_unknown(position).await?;
        }
        let read = self.read_current(&published, indexed).await?;
        let worked = read.is_some();
        let end = read.as_ref().map_or(indexed, |read| read.end);
        let fresh = self.state.noted.as_ref() != Some(&published.checkpoint);
        if read.is_some() || fresh {
            let read =
                read.unwrap_or(Read { batch: Batch::default(), dir: published.origin.dir.clone(), end });
            self.write(read, Some(&published)).await?;
        }
        if let Some(position) = published.position_of(end) {
            // A batch never reaches across the beginning of this process.
            if position <= self.started {
                self.mark_unknown(position).await?;
            }
            self.shared.indexed.send_replace(position);
            self.truncate(position.min(published.position())).await;
        }
        self.erase().await?;
        Ok(worked)
    }

    /// How far the tables are: in an older log, which comes first, or in the current one.
    async fn behind(&mut self, published: &Published) -> Result<Behind> {
        let current = published.origin.dir.clone();
        let dirs = match &self.state.settled {
            Some(dir) if *dir == current => vec![current.clone()],
            _ => self.reader.origins()?,
        };
        let progress = tables::progress(&self.k, &dirs).await?;
        if progress.len() < dirs.len() {
            self.add_origins(&dirs).await?;
        }
        let indexed = |dir: &str| progress.iter().find(|p| p.dir == dir).map_or(0, |p| p.indexed);
        for dir in dirs.iter().filter(|dir| **dir != current) {
            let end = size(&self.reader, dir)?;
            let from = indexed(dir);
            if from < end {
                let reader = self.reader.clone();
                return Ok(Behind::Old(from_tiles(reader, dir.clone(), from, end).await?));
            }
        }
        self.state.settled = Some(current.clone());
        Ok(Behind::Current(indexed(&current)))
    }

    async fn add_origins(&self, dirs: &[String]) -> Result<()> {
        let mut keys = Vec::new();
        for dir in dirs {
            let vkey = self.reader.file(dir, "vkey")?.and_then(|bytes| String::from_utf8(bytes).ok());
            keys.push((dir, vkey.ok_or(Error::NotFound { kind: "key of a log" })?));
        }
        let mut tx = self.begin().await?;
        for (dir, vkey) in keys {
            tables::add_origin(&mut tx, dir, vkey.trim()).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The next entries of the current log, from the stream as far as it reaches back.
    async fn read_current(&mut self, published: &Published, from: u64) -> Result<Option<Read>> {
        let dir = published.origin.dir.clone();
        let position = published.position_of(from).filter(|position| *position >= self.stream.first());
        let Some(position) = position else {
            if from >= published.size {
                return Ok(None);
            }
            // Not beyond what the stream has: its records come with their values.
            let end = published.index_of(self.stream.first()).unwrap_or(published.size).min(published.size);
            let end = end.max(published.origin.lead).max(from + 1);
            return from_tiles(self.reader.clone(), dir, from, end).await.map(Some);
        };
        if position >= self.stream.durable() {
            return Ok(None);
        }
        let before_start = usize::try_from(self.started.saturating_sub(position)).unwrap_or(MOST);
        let most = if before_start == 0 { MOST } else { MOST.min(before_start) };
        let follower = self.state.follower.take().filter(|f| f.position() == position);
        let follower = self.state.follower.insert(follower.unwrap_or_else(|| self.stream.follow(position)));
        let records = follower.next(most).await.map_err(Error::internal)?.unwrap_or_default();
        let mut batch = Batch::default();
        for (n, (_, bytes)) in (from..).zip(&records) {
            let payload = Payload::decode(bytes).map_err(Error::internal)?;
            let record = Record::parse(&payload.leaf).map_err(Error::internal)?;
            batch.take(Place { origin: dir.clone(), index: n }, record, payload.private);
        }
        Ok(Some(Read { batch, dir, end: from + records.len() as u64 }))
    }

    async fn write(&mut self, mut read: Read, published: Option<&Published>) -> Result<()> {
        self.state.names.renew(&self.k).await?;
        self.leave_out_removed(&mut read).await?;
        let mut statements = Statements::of(&read.batch, &read.dir, read.end, &self.settings);
        let ended: Vec<Ended> = read.batch.calls.values().filter_map(|row| row.ended()).collect();
        let mut tx = self.begin().await?;
        let fresh = traffic::uncounted(&mut tx, &ended.iter().collect::<Vec<_>>()).await?;
        let mut additions = Additions::default();
        for call in ended.iter().filter(|call| fresh.contains(&call.request_id)) {
            additions.take(&self.state.names, call);
        }
        let now = self.k.clock.now();
        let shared = Arc::clone(&self.shared);
        let entering = shared.enter(now);
        statements.stamp(now);
        statements.run(&mut tx).await?;
        additions.write(&mut tx).await?;
        if let Some(published) = published {
            tables::note_checkpoint(&mut tx, published).await?;
        }
        tx.commit().await?;
        drop(entering);
        self.state.noted = published.map(|published| published.checkpoint.clone());
        Ok(())
    }

    /// Calls that were in the tables and in the figures, and whose rows were removed since, are not taken in again when
    /// a log is read once more.
    async fn leave_out_removed(&self, read: &mut Read) -> Result<()> {
        if read.batch.calls.is_empty() {
            return Ok(());
        }
        let (rolled, kept_from) = traffic::reached(&self.k, &read.dir).await?;
        if let Some(kept_from) = kept_from {
            read.batch.calls.retain(|_, row| row.first_index() >= rolled || row.arrived() >= kept_from);
        }
        Ok(())
    }

    /// Once, when everything from before this process began is in the tables.
    async fn mark_unknown(&mut self, position: u64) -> Result<()> {
        if self.state.unknown_marked || position < self.started {
            return Ok(());
        }
        let origins = self.reader.origins()?;
        self.state.names.renew(&self.k).await?;
        let mut tx = self.begin().await?;
        let marked = tables::mark_unknown(&mut tx, &origins).await?;
        let mut additions = Additions::default();
        marked.iter().for_each(|call| additions.take(&self.state.names, call));
        additions.write(&mut tx).await?;
        tx.commit().await?;
        self.state.unknown_marked = true;
        if !marked.is_empty() {
            tracing::warn!(
                marked = marked.len(),
                "calls were open when the process last ended: their outcome is unknown"
            );
        }
        Ok(())
    }

    async fn erase(&mut self) -> Result<()> {
        if self.state.erased.as_ref().is_some_and(|since| since.elapsed() < ERASING) {
            return Ok(());
        }
        loop {
            let now = self.k.clock.now();
            let mut tx = self.begin().await?;
            let more = tables::erase(&mut tx, now).await?;
            tx.commit().await?;
            if !more {
                break;
            }
        }
        let removed = traffic::prune(&self.k, self.settings.call_days, self.settings.hour_days).await?;
        if removed > 0 {
            tracing::info!(removed, "rows of old calls were removed; their figures and the log stay");
        }
        self.state.erased = Some(Stopwatch::start());
        Ok(())
    }

    async fn truncate(&mut self, before: u64) {
        if self.state.truncated.as_ref().is_some_and(|since| since.elapsed() < TRUNCATING) {
            return;
        }
        let stream = self.stream.clone();
        let removing = tokio::task::spawn_blocking(move || stream.truncate_front(before));
        match removing.await {
            Ok(Err(e)) => tracing::warn!(error = %e, "old segments could not be removed"),
            Err(e) => tracing::warn!(error = %e, "old segments could not be removed"),
            Ok(Ok(_)) => {}
        }
        self.state.truncated = Some(Stopwatch::start());
    }

    async fn begin(&self) -> Result<kernel::Tx> {
        self.k.begin(&Cx::kernel("exchange-evidence", self.k.clock.now())).await
    }
}

enum Behind {
    /// Entries of an older log.
    Old(Read),
    /// Entries of the current log in the tables.
    Current(u64),
}

/// Entries under the published checkpoint of a log; none if it has none that holds.
fn size(reader: &LogReader, dir: &str) -> Result<u64> {
    let text = |path| Ok::<_, Error>(reader.file(dir, path)?.and_then(|bytes| String::from_utf8(bytes).ok()));
    let (Some(vkey), Some(note)) = (text("vkey")?, text("checkpoint")?) else { return Ok(0) };
    let checkpoint = VerifyingKey::parse(vkey.trim()).ok().and_then(|key| Checkpoint::open(&note, &key).ok());
    Ok(checkpoint.map_or(0, |checkpoint| checkpoint.size))
}

/// Entries from `from` to the end of their bundle, at most up to `end`, without what opens their commitments.
async fn from_tiles(reader: LogReader, dir: String, from: u64, end: u64) -> Result<Read> {
    let reading = tokio::task::spawn_blocking(move || read_tiles(&reader, dir, from, end));
    reading.await.map_err(Error::internal)?
}

fn read_tiles(reader: &LogReader, dir: String, from: u64, end: u64) -> Result<Read> {
    let (width, size) = (u64::from(TILE_WIDTH), size(reader, &dir)?);
    let damaged = || Error::internal(format!("the entries of log {dir} from {from} on cannot be read"));
    let tile = Tile::in_tree(TileKind::Entries, from / width, size).ok_or_else(damaged)?;
    let (tile, bytes) = match reader.file(&dir, &tile.to_string())? {
        Some(bytes) => (tile, bytes),
        None => (tile.full(), reader.file(&dir, &tile.full().to_string())?.ok_or_else(damaged)?),
    };
    let entries = read_entries(&bytes, tile.width).map_err(|_| damaged())?;
    let first = tile.index * width;
    let end = end.min(first + entries.len() as u64);
    let mut batch = Batch::default();
    for (index, entry) in (first..end).zip(entries).skip_while(|(index, _)| *index < from) {
        let record = Record::parse(entry).map_err(Error::internal)?;
        batch.take(Place { origin: dir.clone(), index }, record, Vec::new());
    }
    Ok(Read { batch, dir, end })
}
