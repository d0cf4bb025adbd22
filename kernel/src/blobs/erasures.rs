//! The list of destroyed keys, kept beside the database so that it outlives it. A backup holds every key that was
//! whole when it was made; whoever restores it destroys the keys of this list again. It names keys, never people.
//!
//! The table is the truth while the platform runs: a key is noted here before the erasing action answers, and list
//! and table are made equal at every start and every hour after. One line a key: `{"key":"…","at":"…"}`.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::PoisonError;

use base::clock::Timestamp;
use base::error::{Error, Result};
use base::ids::Ref;
use serde::{Deserialize, Serialize};

use super::id::KeyId;
use super::store::marks;
use super::{blocking, keys};
use crate::db::Value;
use crate::{Cx, Kernel, params};

/// Name of the list in the data directory.
pub const FILE: &str = "erasures.jsonl";

/// Keys looked at together.
const BATCH: usize = 200;
/// No line is as long.
const LINE: u64 = 512;

/// A destroyed key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Erasure {
    key: KeyId,
    at: Timestamp,
}

impl Erasure {
    pub(super) fn new(key: KeyId, at: Timestamp) -> Self {
        Self { key, at }
    }
}

/// Adds keys to the list of this platform. Durable when this answers.
pub(crate) async fn note(k: &Kernel, new: Vec<Erasure>) -> Result<()> {
    let k = k.clone();
    let work = move || {
        let _one_at_a_time = k.erasures.lock().unwrap_or_else(PoisonError::into_inner);
        append(&k.data_dir.join(FILE), &new)
    };
    blocking(work).await
}

/// Makes list and table equal: destroys the keys that only the list names as destroyed, and notes those that only
/// the table does. Returns how many were destroyed.
///
/// # Errors
/// A list that is not understood, with the line; database and disk faults.
pub async fn settle(k: &Kernel) -> Result<u64> {
    let path = k.data_dir.join(FILE);
    let listed = blocking(move || if path.exists() { read(&path) } else { Ok(BTreeMap::new()) }).await?;
    let entries: Vec<_> = listed.iter().map(|(key, at)| Erasure::new(*key, *at)).collect();
    let mut destroyed = 0;
    for group in entries.chunks(BATCH) {
        destroyed += destroy(k, group).await?;
    }
    let missing = unlisted(k, &listed).await?;
    if !missing.is_empty() {
        note(k, missing).await?;
    }
    Ok(destroyed)
}

/// Adds to the list of this platform what another copy of it names, for example the one kept apart from a machine
/// that was lost. Nothing is destroyed before [`settle`].
///
/// # Errors
/// When the copy is missing or not understood: nothing is added then.
pub async fn import(k: &Kernel, copy: &Path) -> Result<()> {
    let (own, copy) = (k.data_dir.join(FILE), copy.to_path_buf());
    let read_both = move || {
        let known = if own.exists() { read(&own)? } else { BTreeMap::new() };
        let new = read(&copy)?.into_iter().filter(|(key, _)| !known.contains_key(key));
        Ok(new.map(|(key, at)| Erasure::new(key, at)).collect::<Vec<_>>())
    };
    match blocking(read_both).await? {
        new if new.is_empty() => Ok(()),
        new => note(k, new).await,
    }
}

/// Destroys those of these keys that the table still holds.
async fn destroy(k: &Kernel, group: &[Erasure]) -> Result<u64> {
    let whole = format!(
        "SELECT id FROM blobs_key WHERE wrapped IS NOT NULL AND id IN ({}) ORDER BY id",
        marks(1, group.len())
    );
    let rows = k.db.query(&whole, group.iter().map(|e| Value::from(e.key)).collect()).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let mut tx = k.begin(&Cx::kernel("erasures", k.clock.now())).await?;
    for row in &rows {
        let id: KeyId = row.id("id")?;
        let at = group.iter().find(|e| e.key == id).map_or_else(|| k.clock.now(), |e| e.at);
        keys::destroy(&mut tx, id, at).await?;
    }
    let detail = serde_json::json!({"keys": rows.len()});
    tx.audit("blobs.erasures.apply", &Ref::new("blobs.erasures", "list"), detail).await?;
    tx.commit().await?;
    Ok(rows.len() as u64)
}

/// Destroyed keys of the table that the list does not name.
async fn unlisted(k: &Kernel, listed: &BTreeMap<KeyId, Timestamp>) -> Result<Vec<Erasure>> {
    let (mut after, mut missing) = (String::new(), Vec::new());
    loop {
        let sql = format!(
            "SELECT id, destroyed_at FROM blobs_key WHERE destroyed_at IS NOT NULL AND id > $1
             ORDER BY id LIMIT {BATCH}"
        );
        let rows = k.db.query(&sql, params![&after]).await?;
        let Some(last) = rows.last() else { return Ok(missing) };
        after = last.text("id")?;
        for row in &rows {
            let key: KeyId = row.id("id")?;
            if !listed.contains_key(&key) {
                missing.push(Erasure::new(key, row.time("destroyed_at")?));
            }
        }
    }
}

/// Reads a list. An unfinished last line, left by a process that was killed, is passed over.
pub(crate) fn read(path: &Path) -> Result<BTreeMap<KeyId, Timestamp>> {
    let fault = |what: String| Error::internal(format!("{}: {what}", path.display()));
    let mut input = BufReader::new(File::open(path).map_err(|e| fault(e.to_string()))?);
    let (mut all, mut line, mut number) = (BTreeMap::new(), Vec::new(), 0_u64);
    loop {
        line.clear();
        number += 1;
        input.by_ref().take(LINE).read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") && (line.len() as u64) < LINE {
            return Ok(all);
        }
        let erasure: Erasure = serde_json::from_slice(&line)
            .map_err(|e| fault(format!("line {number} is not a line of a list of erasures: {e}")))?;
        all.insert(erasure.key, erasure.at);
    }
}

fn append(path: &Path, new: &[Erasure]) -> Result<()> {
    let created = !path.exists();
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    // A line begun by a process that was killed was never answered for.
    let whole = whole_lines(&mut file)?;
    file.set_len(whole)?;
    file.seek(SeekFrom::End(0))?;
    let mut lines = Vec::new();
    for erasure in new {
        serde_json::to_writer(&mut lines, erasure)?;
        lines.push(b'\n');
    }
    file.write_all(&lines)?;
    file.sync_all()?;
    if created && let Some(dir) = path.parent() {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// Bytes up to the end of the last whole line.
fn whole_lines(file: &mut File) -> Result<u64> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(LINE);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.read_to_end(&mut tail)?;
    match tail.iter().rposition(|b| *b == b'\n') {
        Some(at) => Ok(from + at as u64 + 1),
        None if from == 0 => Ok(0),
        None => Err(Error::internal("the list of erasures ends in something else than a list of erasures")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use base::clock::{Clock, MovableClock};
    use base::random::SeededRandom;

    #[test]
    fn a_list_outlives_a_torn_line_and_refuses_anything_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let (clock, random) = (MovableClock::new(), SeededRandom::new(1));
        let new = || Erasure::new(KeyId::new(&clock, &random), clock.now());
        let (first, second) = ([new(), new()], [new()]);
        append(&path, &first).unwrap();
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [&whole[..], b"{\"key\":\"0"].concat()).unwrap();
        assert_eq!(read(&path).unwrap().len(), 2, "the torn line was never answered for");
        append(&path, &second).unwrap();
        let all = read(&path).unwrap();
        assert!(first.iter().chain(&second).all(|e| all[&e.key] == e.at) && all.len() == 3);

        for bad in ["x\n", "{}\n", "{\"key\":\"1\",\"at\":\"2026\"}\n", &"y".repeat(600)] {
            fs::write(&path, [&whole[..], bad.as_bytes()].concat()).unwrap();
            let said = read(&path).unwrap_err().chain();
            assert!(said.contains("line 3"), "{said}");
        }
        assert!(append(&path, &second).is_err(), "nothing is cut off that this did not write");
    }
}
