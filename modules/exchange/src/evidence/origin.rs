//! Which log goes on: the one on disk if it agrees with its last known checkpoint and with the stream, else a
//! new one whose first entry says why and commits to the one before. Nothing here is undone: an origin that was
//! left is never taken up again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use evidence::{Origin as OriginRecord, Previous, Reason, Record};
use kernel::keys::Keys;
use kernel::sealed::{LogReader, Opened, Origin, RESTORED_MARK, SealedLog};
use kernel::{Error, Result};
use stream::Stream;
use tlog::{Checkpoint, VerifyingKey};

use base::clock::Clock;
use base::random::Random;

/// Everything a log is opened with.
#[derive(Clone)]
pub(super) struct Place {
    /// Directory of the logs.
    pub root: PathBuf,
    /// Name of the log, without the part that tells origins apart.
    pub log: String,
    /// The master key, which seals the log's key.
    pub keys: Arc<Keys>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The random source.
    pub random: Arc<dyn Random>,
}

/// The newest checkpoint known from elsewhere than the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    /// Directory of its origin.
    pub dir: String,
    /// The key of its origin.
    pub vkey: String,
    /// The checkpoint, if one was noted.
    pub checkpoint: Option<String>,
}

impl Place {
    /// Refuses a name that no log can have, before anything is begun under it.
    pub(super) fn check(&self) -> Result<()> {
        let example = format!("{}/00000000-0000-0000-0000-000000000000", self.log);
        let refused = |e| Error::internal(format!("no log can be called {:?}: {e}", self.log));
        self.lead(&example, Reason::First, None).map(drop).map_err(refused)
    }

    /// Opens the log. Blocks.
    pub(super) fn open(&self, stream: &Stream, known: Option<&Known>) -> Result<SealedLog> {
        let reader = LogReader::new(&self.root);
        let old = reader.current()?;
        let restored = self.root.join(RESTORED_MARK).exists();
        let checkpoint = known.and_then(|known| known.checkpoint.as_deref());
        let opened = SealedLog::open(&self.root, &self.keys, checkpoint)?;
        let reason = match opened {
            Opened::Continued(log) => match self.disagrees(&log, stream, known) {
                None => return Ok(*log),
                Some(reason) => reason,
            },
            Opened::Fresh(_) => reason(&reader, restored, old.as_ref(), known),
        };
        let from = first_position(&reader, old.as_ref(), stream);
        let previous = previous(&reader, old.as_ref(), known);
        tracing::warn!(reason = reason.name(), from, "a new evidence log begins");
        self.begin(reason, previous, from)
    }

    /// A log that agrees with itself may still be older than the database knows, or not belong to the stream.
    fn disagrees(&self, log: &SealedLog, stream: &Stream, known: Option<&Known>) -> Option<Reason> {
        if known.is_some_and(|known| known.dir > log.origin().dir) {
            return Some(Reason::Shorter);
        }
        let fits = (stream.first()..=stream.durable()).contains(&log.next_position());
        (!fits).then_some(Reason::Inconsistent)
    }

    fn begin(&self, reason: Reason, previous: Option<Previous>, from: u64) -> Result<SealedLog> {
        // A commitment that cannot be written must not stand in the way of the log.
        let lead = |name: &str| {
            let full = self.lead(name, reason, previous);
            full.or_else(|_| self.lead(name, Reason::Unreadable, None)).ok()
        };
        SealedLog::begin(&self.root, &self.log, from, lead, &self.keys, &*self.clock, &*self.random)
    }

    fn lead(&self, name: &str, reason: Reason, previous: Option<Previous>) -> Result<Vec<u8>> {
        let recorded = self.clock.now().micros();
        let record = Record::Origin(OriginRecord { origin: name.to_owned(), reason, recorded, previous });
        record.to_leaf().map_err(Error::internal)
    }
}

fn reason(reader: &LogReader, restored: bool, old: Option<&Origin>, known: Option<&Known>) -> Reason {
    let size = |note: &str| Some(Checkpoint::parse(tlog::Note::parse(note).ok()?.text()).ok()?.size);
    let on_disk = old.and_then(|old| published(reader, &old.dir)).and_then(|(note, _)| size(&note));
    let elsewhere = known.and_then(|known| known.checkpoint.as_deref()).and_then(size);
    match (restored, old, known) {
        (true, ..) => Reason::Restored,
        (_, None, None) => Reason::First,
        _ if on_disk.is_none() => Reason::Unreadable,
        _ if elsewhere > on_disk => Reason::Shorter,
        _ => Reason::Inconsistent,
    }
}

/// Where the new log begins in the stream: after what the old one can still prove, or else with the oldest
/// record there is.
fn first_position(reader: &LogReader, old: Option<&Origin>, stream: &Stream) -> u64 {
    let (first, next) = (stream.first(), stream.durable());
    let end = old.and_then(|old| proven_end(reader, old));
    end.filter(|end| (first..=next).contains(end)).unwrap_or(first)
}

/// The position after the last entry of a log that still agrees with its published checkpoint.
fn proven_end(reader: &LogReader, old: &Origin) -> Option<u64> {
    let (note, key) = published(reader, &old.dir)?;
    let size = Checkpoint::open(&note, &key).ok()?.size;
    let proves = |index| reader.prove(&old.dir, index, Some(note.clone())).is_ok();
    let whole = size == 0 || (proves(0) && proves(size - 1));
    if whole { (old.from + size).checked_sub(old.lead) } else { None }
}

fn published(reader: &LogReader, dir: &str) -> Option<(String, VerifyingKey)> {
    let text = |path| String::from_utf8(reader.file(dir, path).ok()??).ok();
    Some((text("checkpoint")?, VerifyingKey::parse(text("vkey")?.trim()).ok()?))
}

/// The newest checkpoint of an earlier log that verifies under its key.
fn previous(reader: &LogReader, old: Option<&Origin>, known: Option<&Known>) -> Option<Previous> {
    let on_disk = old.and_then(|old| published(reader, &old.dir)).map(|(note, key)| (note, key.to_string()));
    let elsewhere = known.and_then(|known| Some((known.checkpoint.clone()?, known.vkey.clone())));
    // Names end with the time the origin was begun, so a later origin comes before a larger one.
    let rank = |(note, log): &(String, String)| {
        let key = VerifyingKey::parse(log).ok()?;
        Checkpoint::open(note, &key).ok().map(|checkpoint| (checkpoint.origin, checkpoint.size))
    };
    let verified = [on_disk, elsewhere].into_iter().flatten().filter(|pair| rank(pair).is_some());
    verified.max_by_key(rank).map(|(checkpoint, log)| Previous { checkpoint, log })
}

/// Leaves the mark by which the next start begins a new origin.
pub(super) fn mark_restored(root: &Path) -> Result<()> {
    std::fs::create_dir_all(root)?;
    std::fs::File::create(root.join(RESTORED_MARK))?.sync_all()?;
    Ok(std::fs::File::open(root)?.sync_all()?)
}
