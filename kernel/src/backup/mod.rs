//! Backups: made while work goes on, encrypted, complete, and checked by reading them back. A backup is a
//! directory: `manifest.json`, the tables (`tables.ltb`) and one archive per content directory, that of the content
//! store among them. It holds no master key: that is kept apart, and without it the backup cannot be read.
//!
//! A backup knows nothing of erasures that come after it. [`restore`] destroys anew the keys that a list of
//! [`crate::blobs::erasures`] names, and says when it was given none.

mod archive;
mod out;
mod tables;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest;
use base::clock::Timestamp;
use base::error::{Error, Result};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use archive::Archive;
use out::{Limits, Stoppable, close, create};

use crate::blobs::{self, blocking, erasures};
use crate::crypt::{OpenReader, SealWriter};
use crate::db::Value;
use crate::keys::Keys;
use crate::{Cx, Kernel, Module, audit, journal, schema};

/// Tells of the backup it lies in; its last file.
pub const MANIFEST: &str = "manifest.json";
/// Stands in a data directory while a restore fills it. A place with it is neither empty nor whole.
pub const UNFINISHED: &str = "restore-unfinished";

const FORMAT: &str = "lienthong-backup/1";
const KEY: &str = "backup";
const MANIFEST_KEY: &str = "backup-manifest";

/// What a backup holds. Shown before and after a restore: the counts must be equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// `lienthong-backup/1`.
    pub format: String,
    /// The release that wrote it.
    pub release: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// Files and bytes of each content directory.
    pub content: BTreeMap<String, Content>,
    /// SHA-256 of each encrypted file, hexadecimal.
    pub files: BTreeMap<String, String>,
    /// HMAC-SHA-256 under the master key of all the above, hexadecimal.
    pub mac: String,
}

/// How much a content directory holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Number of files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What a restore brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What was restored, counted anew; equal to what the backup counts.
    pub manifest: Manifest,
    /// Keys destroyed again because they were destroyed after the backup was made.
    pub erased: u64,
    /// Whether a list of erasures was there. If not, nobody knows what was erased after the backup was made.
    pub erasures_known: bool,
    /// Tables and content compared.
    pub content: blobs::Report,
}

/// Makes a backup in `dir`, which must be empty or absent, and notes it as the last good one. As [`write`] otherwise.
///
/// # Errors
/// As [`write`].
pub async fn make(k: &Kernel, modules: &[Arc<dyn Module>], dir: &Path) -> Result<Manifest> {
    let manifest = write(k, modules, dir, 0).await?;
    if let Err(e) = note(k, &manifest).await {
        // The backup is whole; only the operator's page would call the one before the last.
        tracing::warn!(error = e.chain(), "the backup was made, but not noted");
    }
    Ok(manifest)
}

/// Writes a backup into `dir`, which must be empty or absent, and leaves `leave_free` bytes of its disk free. Work goes
/// on meanwhile: the tables are one moment's, the content is that moment's or later and nothing of it is collected or
/// moved, so nothing a table refers to is missing. Memory does not grow with the size. The manifest is written last:
/// a directory without one is no backup.
///
/// # Errors
/// A full disk, a directory that is not empty, faults of database and disk. What was written stays for the caller to
/// remove.
pub async fn write(k: &Kernel, modules: &[Arc<dyn Module>], dir: &Path, leave_free: u64) -> Result<Manifest> {
    claim_empty(dir)?;
    let limits = Limits { leave_free, stop: k.stopping() };
    let _held = k.blobs().await?.hold().await;
    journal::end(&k.db).await?;
    audit::read(&k.db, i64::MAX - 1, 1).await?;
    let key = k.keys.derive(KEY);
    let mut manifest = Manifest {
        format: FORMAT.into(),
        release: env!("CARGO_PKG_VERSION").into(),
        made_at: k.clock.now(),
        rows: BTreeMap::new(),
        content: BTreeMap::new(),
        files: BTreeMap::new(),
        mac: String::new(),
    };
    manifest.rows = write_tables(k, dir.join("tables.ltb"), limits.clone()).await?;
    for name in content_dirs(modules) {
        let (from, file) = (k.data_dir.join(name), dir.join(format!("{name}.ltb")));
        let (key, random, limits) = (key.clone(), k.random.clone(), limits.clone());
        let content = blocking(move || {
            let mut out = Archive::new(SealWriter::new(create(&file, &limits)?, &key, &*random)?);
            match name {
                blobs::DIR => add_blobs(&mut out, &from)?,
                _ => out.add_dir(&from, &from)?,
            }
            let (out, content) = out.finish();
            close(out.finish()?)?;
            Ok(content)
        });
        manifest.content.insert(name.to_owned(), content.await?);
    }
    let names = std::iter::once("tables").chain(content_dirs(modules));
    for file in names.map(|n| format!("{n}.ltb")) {
        let path = dir.join(&file);
        let stop = Some(k.stopping());
        manifest.files.insert(file, blocking(move || sha256(&path, stop)).await?);
    }
    manifest.mac = mac(&k.keys, &manifest)?;
    let (path, text) = (dir.join(MANIFEST), serde_json::to_string_pretty(&manifest)?);
    let dir = dir.to_path_buf();
    let finish = move || {
        let mut out = create(&path, &limits)?;
        out.write_all(text.as_bytes())?;
        close(out)?;
        Ok(File::open(dir)?.sync_all()?)
    };
    blocking(finish).await?;
    Ok(manifest)
}

/// Writes the tables on a thread of their own: encryption and flushes must not keep calls waiting.
async fn write_tables(k: &Kernel, path: PathBuf, limits: Limits) -> Result<BTreeMap<String, u64>> {
    let (db, key, random) = (k.db.clone(), k.keys.derive(KEY), k.random.clone());
    let runtime = tokio::runtime::Handle::current();
    blocking(move || {
        let out = SealWriter::new(create(&path, &limits)?, &key, &*random)?;
        let (rows, out) = runtime.block_on(tables::write(&db, out))?;
        close(out.finish()?)?;
        Ok(rows)
    })
    .await
}

/// The setting that tells when the last good backup was made.
const LAST: &str = "kernel.backup.last";

/// Notes a backup as the last good one.
///
/// # Errors
/// When the database is away.
pub async fn note(k: &Kernel, made: &Manifest) -> Result<()> {
    let mut tx = k.begin(&Cx::kernel("backup", k.clock.now())).await?;
    tx.set_setting(LAST, &made.made_at.micros().to_string()).await?;
    tx.commit().await?;
    Ok(())
}

/// When the last good backup was made, if ever. A restored platform tells of the one before that it came from.
pub async fn last(k: &Kernel) -> Result<Option<Timestamp>> {
    let noted = k.setting(LAST).await?;
    Ok(noted.and_then(|micros| micros.parse().ok()).map(Timestamp::from_micros))
}

/// Reads a whole backup and checks every byte of it.
///
/// # Errors
/// Names the first file that is missing, altered or not what the manifest counts.
pub fn verify(keys: &Keys, dir: &Path) -> Result<Manifest> {
    verify_until(keys, dir, None)
}

/// As [`verify`], given up when the process stops.
///
/// # Errors
/// As [`verify`], and when `stop` becomes true.
pub fn verify_until(keys: &Keys, dir: &Path, stop: Option<watch::Receiver<bool>>) -> Result<Manifest> {
    let manifest = read_manifest(keys, dir)?;
    for (file, digest) in &manifest.files {
        if sha256(&dir.join(file), stop.clone())? != *digest {
            return Err(Error::internal(format!("{file} is not what the backup wrote")));
        }
    }
    let key = keys.derive(KEY);
    let mut rows = BTreeMap::new();
    let mut reader = tables::Rows::new(open(&dir.join("tables.ltb"), &key, stop.clone())?);
    while reader.next()?.is_some() {
        *rows.entry(reader.table.clone()).or_insert(0) += 1;
    }
    let counted: BTreeMap<_, _> =
        manifest.rows.iter().filter(|(_, n)| **n > 0).map(|(t, n)| (t.clone(), *n)).collect();
    if rows != counted {
        return Err(Error::internal("the tables hold other numbers of rows than the manifest"));
    }
    for (name, content) in &manifest.content {
        let found = archive::read(open(&dir.join(format!("{name}.ltb")), &key, stop.clone())?, None)?;
        if found != *content {
            return Err(Error::internal(format!("{name} holds other files than the manifest")));
        }
    }
    Ok(manifest)
}

/// The audit rows in a backup that were written after one moment and not after another: what a copy of the first moment
/// lacks at the second. At most `most` are given, oldest first; the second number counts all. Reads the tables to their
/// end.
///
/// # Errors
/// When the backup is not whole or of another master key.
pub fn audited_between(
    keys: &Keys,
    dir: &Path,
    after: Timestamp,
    until: Timestamp,
    most: usize,
) -> Result<(Vec<Audited>, u64)> {
    read_manifest(keys, dir)?;
    let mut reader = tables::Rows::new(open(&dir.join("tables.ltb"), &keys.derive(KEY), None)?);
    let (mut found, mut count) = (Vec::new(), 0);
    while let Some(values) = reader.next()? {
        if reader.table != audit::ORDER.table {
            continue;
        }
        let row = Audited::read(&reader.columns, &values)?;
        if row.at > after && row.at <= until {
            count += 1;
            found.push(row);
            if found.len() > most.saturating_mul(2).max(1_000) {
                found.sort_by_key(|a: &Audited| a.at);
                found.truncate(most);
            }
        }
    }
    found.sort_by_key(|a| a.at);
    found.truncate(most);
    Ok((found, count))
}

/// Who did what to what, when: an audit row without its details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audited {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what: kind and identifier.
    pub subject: String,
}

impl Audited {
    fn read(columns: &[String], values: &[Value]) -> Result<Self> {
        let cell = |name: &str| columns.iter().position(|c| c == name).and_then(|i| values.get(i));
        let text = |name: &str| match cell(name) {
            Some(Value::Text(t)) => Ok(t.clone()),
            _ => Err(Error::internal(format!("the audit rows of the backup have no {name}"))),
        };
        let Some(Value::Int(at)) = cell("at") else {
            return Err(Error::internal("the audit rows of the backup have no time"));
        };
        Ok(Self {
            at: Timestamp::from_micros(*at),
            actor: text("actor")?,
            action: text("action")?,
            subject: format!("{} {}", text("subject_kind")?, text("subject_id")?),
        })
    }
}

/// Restores a backup into an empty database and data directory. The keys named by the list of erasures, which is
/// the one in the data directory together with the copy `list`, are destroyed before anybody can use them.
///
/// # Errors
/// Nothing is written when backup or copy are not whole, or the place is not empty.
pub async fn restore(
    k: &Kernel,
    modules: &[Arc<dyn Module>],
    dir: &Path,
    list: Option<&Path>,
) -> Result<Restored> {
    let own = Some(k.data_dir.join(erasures::FILE)).filter(|own| own.exists());
    let lists: Vec<_> = own.into_iter().chain(list.map(Path::to_path_buf)).collect();
    let erasures_known = !lists.is_empty();
    let (keys, from, stop) = (k.keys.clone(), dir.to_path_buf(), Some(k.stopping()));
    let stopped = stop.clone();
    let check = move || {
        lists.iter().try_for_each(|list| erasures::read(list).map(drop))?;
        verify_until(&keys, &from, stopped)
    };
    let manifest = blocking(check).await?;
    let key = k.keys.derive(KEY);
    // Whatever is there already stays as it is, without a mark.
    tables::refuse_filled(k).await?;
    for name in manifest.content.keys() {
        claim_empty(&k.data_dir.join(name))?;
    }
    let mark = k.data_dir.join(UNFINISHED);
    File::create(&mark)?.sync_all()?;
    File::open(&k.data_dir)?.sync_all()?;
    let schema = schema(modules);
    let rows = tables::restore(k, &schema, || open(&dir.join("tables.ltb"), &key, stop.clone())).await?;
    let mut content = BTreeMap::new();
    for name in manifest.content.keys() {
        let (to, file) = (k.data_dir.join(name), dir.join(format!("{name}.ltb")));
        claim_empty(&to)?;
        let (key, stop) = (key.clone(), stop.clone());
        let found = blocking(move || archive::read(open(&file, &key, stop)?, Some(&to))).await?;
        content.insert(name.clone(), found);
    }
    let restored = Manifest { rows, content, ..manifest.clone() };
    if restored != manifest {
        return Err(Error::internal("what was restored does not equal what was backed up"));
    }
    k.migrate(modules).await?;
    if let Some(list) = list {
        erasures::import(k, list).await?;
    }
    let erased = erasures::settle(k).await?;
    let blobs = k.blobs().await?;
    blobs.relocate().await?;
    let content = blobs.check(false).await?;
    for module in modules {
        module.restored(k).await?;
    }
    fs::remove_file(&mark)?;
    File::open(&k.data_dir)?.sync_all()?;
    Ok(Restored { manifest: restored, erased, erasures_known, content })
}

/// The content store: its packs as copies that are whole while they are written, larger content as the files it
/// lies in. What is being staged is left out: nothing refers to it yet.
fn add_blobs(out: &mut Archive<impl Write>, dir: &Path) -> Result<()> {
    let packs =
        stream::copies(Arc::new(stream::RealDisk), dir.join(blobs::PACKS)).map_err(Error::internal)?;
    for segment in packs {
        let segment = segment.map_err(Error::internal)?;
        let path = format!("{}/{}", blobs::PACKS, segment.name);
        out.add(path, segment.bytes.len() as u64, &segment.bytes[..])?;
    }
    out.add_dir(dir, &dir.join(blobs::FILES))
}

fn content_dirs(modules: &[Arc<dyn Module>]) -> impl Iterator<Item = &'static str> {
    std::iter::once(blobs::DIR).chain(modules.iter().flat_map(|m| m.backup_dirs().iter().copied()))
}

/// Reads what a backup says of itself and checks that it was said under this master key; its files are not looked at.
///
/// # Errors
/// A directory without a manifest, an altered one, another master key, a format of another release.
pub fn read_manifest(keys: &Keys, dir: &Path) -> Result<Manifest> {
    let path = dir.join(MANIFEST);
    let text =
        fs::read(&path).map_err(|e| Error::internal(format!("{} cannot be read: {e}", path.display())))?;
    parse_manifest(keys, &text)
}

/// As [`read_manifest`], from what was read elsewhere.
///
/// # Errors
/// As [`read_manifest`].
pub fn parse_manifest(keys: &Keys, text: &[u8]) -> Result<Manifest> {
    let manifest: Manifest = serde_json::from_slice(text)?;
    if manifest.format != FORMAT {
        return Err(Error::internal(format!("{} is not a format this release reads", manifest.format)));
    }
    if mac(keys, &manifest)? != manifest.mac {
        return Err(Error::internal("the manifest was altered, or the backup belongs to another master key"));
    }
    Ok(manifest)
}

fn mac(keys: &Keys, manifest: &Manifest) -> Result<String> {
    let bare = Manifest { mac: String::new(), ..manifest.clone() };
    Ok(hex::encode(keys.digest(MANIFEST_KEY, serde_json::to_string(&bare)?.as_bytes())))
}

fn claim_empty(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir)?;
    if fs::read_dir(dir)?.next().is_some() {
        return Err(Error::internal(format!("{} is not empty", dir.display())));
    }
    Ok(())
}

type Input = OpenReader<BufReader<Stoppable<File>>>;

fn open(path: &Path, key: &[u8; 32], stop: Option<watch::Receiver<bool>>) -> Result<Input> {
    let input = Stoppable { inner: File::open(path)?, stop };
    Ok(OpenReader::new(BufReader::with_capacity(1 << 18, input), key)?)
}

fn sha256(path: &Path, stop: Option<watch::Receiver<bool>>) -> Result<String> {
    let inner = File::open(path).map_err(|e| Error::internal(format!("{}: {e}", path.display())))?;
    let mut file = Stoppable { inner, stop };
    let mut context = digest::Context::new(&digest::SHA256);
    let mut buffer = vec![0; 1 << 18];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok(hex::encode(context.finish()));
        }
        context.update(&buffer[..n]);
    }
}

/// Where a backup made now would go: `base/2026-11-22T081428Z`.
pub fn dated(base: &Path, now: Timestamp) -> PathBuf {
    let name: String = now.rfc3339().chars().filter(|c| *c != ':').take(17).collect();
    base.join(format!("{name}Z"))
}
