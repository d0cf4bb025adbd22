//! Sealed logs: entries of a stream in a Merkle tree kept as C2SP tlog-tiles files, vouched for by signed
//! checkpoints. Used by evidence and by the sealing of audit rows: one tamper-evidence mechanism. Which entries,
//! and when, is the business of the follower that calls [`SealedLog::append`] and [`SealedLog::publish`].
//!
//! A log lives under one *origin* with one key. If what is on disk is shorter than or disagrees with the last
//! published checkpoint, or a restore left its mark, the origin is never continued: a new one begins, and its
//! caller commits to the last known checkpoint of the old one in its first entry.

mod audit_seal;
mod files;

use std::path::{Path, PathBuf};

use base::clock::Clock;
use base::error::{Error, Result};
use base::ids;
use base::random::Random;
use serde::{Deserialize, Serialize};
use tlog::{Builder, Checkpoint, SigningKey, Tile, Tiles, VerifyingKey};
use zeroize::Zeroizing;

use crate::keys::Keys;
use files::Files;

pub use audit_seal::{AuditFinding, AuditSeal};

/// Left in a log's directory by a restore: the log must not continue under its old origin.
pub const RESTORED_MARK: &str = "restored";

/// Where an origin begins in the stream it seals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The log's name and key name: `<log>/<id>`.
    pub name: String,
    /// Directory of the origin below the log's directory.
    pub dir: String,
    /// Entries before the first one from the stream: 1 when the origin begins with a commitment to an older one.
    pub lead: u64,
    /// Position in the stream of the first entry after these.
    pub from: u64,
}

/// Why and after what a new origin began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    /// The last checkpoint known of the old origin, as a signed note, if there was one.
    pub last_checkpoint: Option<String>,
    /// In plain words.
    pub reason: String,
}

/// The growing log of one process.
pub struct SealedLog {
    root: PathBuf,
    origin: Origin,
    key: SigningKey,
    builder: Builder,
    published: u64,
    files: Files,
}

impl std::fmt::Debug for SealedLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedLog({}, {} entries)", self.origin.name, self.builder.size())
    }
}

/// What [`SealedLog::open`] found.
pub enum Opened {
    /// The origin goes on.
    Continued(Box<SealedLog>),
    /// There is no origin, or it must not go on: call [`SealedLog::begin`].
    Fresh(Succession),
}

impl SealedLog {
    /// Opens the log under `root`. `known` is the newest checkpoint known elsewhere (for example in the
    /// database): a directory that was rolled back is noticed by it.
    pub fn open(root: &Path, keys: &Keys, known: Option<&str>) -> Result<Opened> {
        let Some(origin) = read_current(root)? else {
            let reason = "no log has been kept here before".into();
            return Ok(Opened::Fresh(Succession { last_checkpoint: known.map(str::to_owned), reason }));
        };
        let files = Files::new(root.join(&origin.dir));
        let published = files.read_optional("checkpoint")?;
        let fresh = |reason: &str| {
            let newest = newest(known, published.as_deref());
            Ok(Opened::Fresh(Succession { last_checkpoint: newest, reason: reason.to_owned() }))
        };
        if root.join(RESTORED_MARK).exists() {
            return fresh("the data was restored from a backup");
        }
        let key = read_key(&files, keys)?;
        let Some(note) = published.clone() else { return fresh("the origin has no published checkpoint") };
        let Ok(last) = Checkpoint::open(&note, tlog::Signer::verifying_key(&key)) else {
            return fresh("the published checkpoint is damaged");
        };
        if let Some(known) = known.and_then(|n| Checkpoint::open(n, tlog::Signer::verifying_key(&key)).ok())
            && (known.size > last.size || (known.size == last.size && known.root != last.root))
        {
            return fresh("the log on disk is older than its last known checkpoint");
        }
        let Ok(builder) = Builder::resume(last.size, &files) else {
            return fresh("files of the log are missing or damaged");
        };
        if builder.root() != last.root {
            return fresh("the log on disk does not agree with its published checkpoint");
        }
        let log = Self { root: root.to_path_buf(), origin, key, builder, published: last.size, files };
        Ok(Opened::Continued(Box::new(log)))
    }

    /// Begins a new origin of the log `name` (for example `lienthong/25/evidence`). `from` is the stream position
    /// of its first entry; `lead`, if given, is the entry that commits to an older origin. Nothing is current
    /// until everything is synced.
    pub fn begin(
        root: &Path,
        name: &str,
        from: u64,
        lead: impl FnOnce(&str) -> Option<Vec<u8>>,
        keys: &Keys,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<Self> {
        let dir = ids::uuid_v7(clock, random).hyphenated().to_string();
        let origin_name = format!("{name}/{dir}");
        let seed = Zeroizing::new(base::random::bytes::<32>(random));
        let key = SigningKey::from_seed(&origin_name, &seed).map_err(Error::internal)?;
        let files = Files::new(root.join(&dir));
        files.write("key", &keys.seal("log-key", key.secret_text().as_bytes(), random)?)?;
        files.write("vkey", format!("{}\n", tlog::Signer::verifying_key(&key)).as_bytes())?;
        let mut builder = Builder::new();
        let mut leads = 0;
        if let Some(entry) = lead(&origin_name) {
            builder.append(&entry).map_err(Error::internal)?;
            leads = 1;
        }
        let origin = Origin { name: origin_name, dir, lead: leads, from };
        let mut log = Self { root: root.to_path_buf(), origin, key, builder, published: 0, files };
        log.publish()?;
        let top = Files::new(root.to_path_buf());
        top.write("current", serde_json::to_string(&log.origin)?.as_bytes())?;
        top.remove(RESTORED_MARK)?;
        Ok(log)
    }

    /// The origin.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The public key in `vkey` form.
    pub fn vkey(&self) -> String {
        tlog::Signer::verifying_key(&self.key).to_string()
    }

    /// Entries appended, published or not.
    pub fn size(&self) -> u64 {
        self.builder.size()
    }

    /// Entries vouched for by the published checkpoint.
    pub fn published(&self) -> u64 {
        self.published
    }

    /// The stream position that comes next.
    pub fn next_position(&self) -> u64 {
        self.origin.from + self.size() - self.origin.lead
    }

    /// The index in this log of a stream position; `None` for positions before this origin.
    pub fn index_of(&self, position: u64) -> Option<u64> {
        position.checked_sub(self.origin.from).map(|n| n + self.origin.lead)
    }

    /// Appends the next entry in memory; [`SealedLog::publish`] makes it durable and vouches for it.
    pub fn append(&mut self, entry: &[u8]) -> Result<u64> {
        self.builder.append(entry).map_err(Error::internal)
    }

    /// Writes new tiles, syncs them, then signs and publishes a checkpoint. Returns the signed note.
    pub fn publish(&mut self) -> Result<String> {
        for file in self.builder.take_files() {
            self.files.write(&file.tile.to_string(), &file.bytes)?;
        }
        self.files.sync_dirs()?;
        let checkpoint = Checkpoint {
            origin: self.origin.name.clone(),
            size: self.builder.size(),
            root: self.builder.root(),
            extensions: Vec::new(),
        };
        let note = checkpoint.sign(&self.key).map_err(Error::internal)?.to_string();
        self.files.write("checkpoint", note.as_bytes())?;
        self.files.sync_dirs()?;
        self.published = self.builder.size();
        Ok(note)
    }

    /// The published checkpoint, as a signed note.
    pub fn checkpoint(&self) -> Result<String> {
        self.files.read_optional("checkpoint")?.ok_or(Error::NotFound { kind: "checkpoint" })
    }

    /// A reader of what is published, for proofs; safe to use beside the growing log.
    pub fn reader(&self) -> LogReader {
        LogReader { root: self.root.clone() }
    }
}

/// Reads published origins: the current one and those before it.
#[derive(Debug, Clone)]
pub struct LogReader {
    root: PathBuf,
}

/// An entry, what vouches for it and where it stands.
#[derive(Debug, Clone)]
pub struct Proven {
    /// The entry's bytes.
    pub entry: Vec<u8>,
    /// Its index in the origin's log.
    pub index: u64,
    /// Size of the tree the proof leads to.
    pub size: u64,
    /// The inclusion proof, lowest sibling first.
    pub proof: Vec<tlog::Hash>,
    /// The signed checkpoint of that tree.
    pub checkpoint: String,
    /// The origin's public key.
    pub vkey: String,
}

impl LogReader {
    /// Reads logs below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Directories of all origins, oldest first.
    pub fn origins(&self) -> Result<Vec<String>> {
        let mut dirs = Vec::new();
        if self.root.exists() {
            for entry in std::fs::read_dir(&self.root)? {
                let entry = entry?;
                if entry.path().join("vkey").exists() {
                    dirs.extend(entry.file_name().into_string().ok());
                }
            }
        }
        dirs.sort();
        Ok(dirs)
    }

    /// The current origin, if any.
    pub fn current(&self) -> Result<Option<Origin>> {
        read_current(&self.root)
    }

    /// A published file of an origin: `checkpoint`, `vkey` or a tile's path. `None` when there is no such file;
    /// anything else below the directory (the key above all) is never handed out.
    pub fn file(&self, origin: &str, path: &str) -> Result<Option<Vec<u8>>> {
        if base::ids::parse_hyphenated(origin).is_none() {
            return Ok(None);
        }
        if !matches!(path, "checkpoint" | "vkey") && Tile::parse(path).is_none() {
            return Ok(None);
        }
        Files::new(self.root.join(origin)).read_bytes(path)
    }

    /// Proves one entry of an origin under its published checkpoint, or under `note` if given.
    pub fn prove(&self, origin: &str, index: u64, note: Option<String>) -> Result<Proven> {
        let files = Files::new(self.root.join(origin));
        let vkey = files.read_optional("vkey")?.ok_or(Error::NotFound { kind: "log" })?.trim().to_owned();
        let key = VerifyingKey::parse(&vkey).map_err(Error::internal)?;
        let note = match note {
            Some(note) => note,
            None => files.read_optional("checkpoint")?.ok_or(Error::NotFound { kind: "checkpoint" })?,
        };
        let checkpoint = Checkpoint::open(&note, &key).map_err(Error::internal)?;
        let size = checkpoint.size;
        let nodes = tlog::TileNodes::new(&files, size);
        let proof = tlog::inclusion(&nodes, index, size).map_err(|e| Error::internal(e.to_string()))?;
        let entry = files.entry(index, size)?;
        tlog::verify_inclusion(&tlog::leaf_hash(&entry), index, size, &proof, &checkpoint.root)
            .map_err(Error::internal)?;
        Ok(Proven { entry, index, size, proof, checkpoint: note, vkey })
    }
}

impl Tiles for Files {
    type Error = Error;

    fn tile(&self, tile: Tile) -> Result<Vec<u8>, Error> {
        self.tile_bytes(tile)
    }
}

fn read_current(root: &Path) -> Result<Option<Origin>> {
    let text = Files::new(root.to_path_buf()).read_optional("current")?;
    text.map(|t| serde_json::from_str(&t).map_err(Error::from)).transpose()
}

fn read_key(files: &Files, keys: &Keys) -> Result<SigningKey> {
    let sealed = files.read_bytes("key")?.ok_or_else(|| Error::internal("the key of the log is missing"))?;
    let text = keys.open("log-key", &sealed)?;
    let text = std::str::from_utf8(&text).map_err(Error::internal)?;
    SigningKey::parse(text).map_err(Error::internal)
}

/// The checkpoint with the larger tree. Sizes are read without checking signatures: both are only quoted.
fn newest(a: Option<&str>, b: Option<&str>) -> Option<String> {
    let size = |note: &str| {
        tlog::Note::parse(note).ok().and_then(|n| Checkpoint::parse(n.text()).ok()).map(|c| c.size)
    };
    [a, b].into_iter().flatten().max_by_key(|n| size(n).unwrap_or(0)).map(str::to_owned)
}
