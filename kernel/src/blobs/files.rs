//! Large content as files: staged under their number, synchronised, renamed into one of 256 directories.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use base::error::{Error, Result};
use stream::{Disk, SegmentFile};

use super::FILES;
use super::id::ObjectId;

const STAGING: &str = "staging";
/// Bytes written at once.
const BUFFER: usize = 256 << 10;

/// The directories of large content.
#[derive(Debug, Clone)]
pub(super) struct Files {
    disk: Arc<dyn Disk>,
    root: PathBuf,
}

impl Files {
    /// Makes the directories and removes what an earlier process left half staged.
    pub fn open(disk: Arc<dyn Disk>, root: PathBuf) -> Result<Self> {
        let files = Self { disk, root };
        let staging = files.root.join(STAGING);
        files.disk.create_dir(&staging)?;
        files.disk.create_dir(&files.root.join(FILES))?;
        for name in files.disk.list(&staging)? {
            files.disk.remove(&staging.join(name))?;
        }
        Ok(files)
    }

    fn dir(&self, object: ObjectId) -> PathBuf {
        // The last byte of a UUIDv7 is random.
        self.root.join(FILES).join(format!("{:02x}", object.0.as_bytes()[15]))
    }

    fn path(&self, object: ObjectId) -> PathBuf {
        self.dir(object).join(object.to_string())
    }

    /// Begins a staged file.
    pub fn stage(&self, object: ObjectId) -> Result<Staged> {
        let path = self.root.join(STAGING).join(object.to_string());
        let file = self.disk.create(&path, 0)?;
        Ok(Staged { files: self.clone(), object, path, file, at: 0, buffer: Vec::new(), published: false })
    }

    /// Opens a file for reading; `NotFound` is told apart from other faults.
    pub fn read(&self, object: ObjectId) -> io::Result<FileReader> {
        Ok(FileReader { file: self.disk.open(&self.path(object))?, at: 0 })
    }

    /// Length of a file; `None` if there is none.
    pub fn len(&self, object: ObjectId) -> Result<Option<u64>> {
        match self.disk.open(&self.path(object)).and_then(|f| f.len()) {
            Ok(len) => Ok(Some(len)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Removes a file; one that is already gone is no error.
    pub fn remove(&self, object: ObjectId) -> Result<()> {
        gone_is_fine(self.disk.remove(&self.path(object)))
    }

    /// Numbers of the files in one of the 256 directories.
    pub fn list(&self, n: u8) -> Result<Vec<ObjectId>> {
        match self.disk.list(&self.root.join(FILES).join(format!("{n:02x}"))) {
            Ok(names) => Ok(numbers(&names)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(e) => Err(e.into()),
        }
    }

    /// Removes staged files made before `before` (microseconds): their put was given up.
    pub fn clear_staging(&self, before: i64) -> Result<u64> {
        let staging = self.root.join(STAGING);
        let old: Vec<_> =
            numbers(&self.disk.list(&staging)?).into_iter().filter(|o| o.micros() < before).collect();
        for object in &old {
            gone_is_fine(self.disk.remove(&staging.join(object.to_string())))?;
        }
        Ok(old.len() as u64)
    }
}

fn numbers(names: &[String]) -> Vec<ObjectId> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

fn gone_is_fine(result: io::Result<()>) -> Result<()> {
    match result {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e.into()),
        _ => Ok(()),
    }
}

/// A file being staged; removed when dropped unpublished.
#[derive(Debug)]
pub(super) struct Staged {
    files: Files,
    object: ObjectId,
    path: PathBuf,
    file: Arc<dyn SegmentFile>,
    at: u64,
    buffer: Vec<u8>,
    published: bool,
}

impl Staged {
    /// Makes the file durable under its final name. Returns its length.
    pub fn publish(mut self) -> Result<u64> {
        self.flush()?;
        self.file.sync_data()?;
        let dir = self.files.dir(self.object);
        self.files.disk.create_dir(&dir)?;
        self.files.disk.rename(&self.path, &self.files.path(self.object))?;
        // From here on the file is the sweeper's if anything fails.
        self.published = true;
        self.files.disk.sync_dir(&dir)?;
        Ok(self.at)
    }
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.file.write_at(self.at, &self.buffer)?;
            self.at += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.published
            && let Err(e) = self.files.disk.remove(&self.path)
        {
            tracing::warn!(error = %e, "a staged file could not be removed; it goes when the store is opened");
        }
    }
}

/// Reads a stored file from the start.
#[derive(Debug)]
pub(super) struct FileReader {
    file: Arc<dyn SegmentFile>,
    at: u64,
}

impl Read for FileReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(self.at, out)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// A missing file in the kernel's words.
pub(super) fn missing(e: io::Error) -> Error {
    Error::internal(format!("stored content cannot be opened: {e}"))
}
