//! Copies of a stream's segments for a backup made while the stream is written. Copying the files plainly would
//! not do: a flush can land behind the copying position and the next one before it, which looks like damage.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::Disk;
use crate::recover::Scan;
use crate::{Error, Result, segment};

/// Readings of a segment that is being written before a bad record in it counts as damage.
const ATTEMPTS: usize = 20;

/// One segment as it may be restored: the file's name and its whole content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentCopy {
    /// File name inside the stream's directory.
    pub name: String,
    /// Content: intact records, then zeros.
    pub bytes: Vec<u8>,
}

/// Iterator over [`SegmentCopy`], newest segment first; each holds one segment in memory. Blocks.
#[derive(Debug)]
pub struct Copies {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    numbers: Vec<u64>,
    newest_seen: bool,
}

/// Copies the stream in `dir`, which may be open and written: everything durable now is in the copy, whole
/// records only. Segments removed meanwhile from the front are left out.
///
/// The newest segment comes first: whatever an older one lacks because it was copied early would otherwise be
/// missing in the middle.
///
/// # Errors
/// [`Error::Io`] if the directory cannot be listed; [`Error::Corrupt`] from the iterator for damaged segments.
pub fn copies(disk: Arc<dyn Disk>, dir: impl AsRef<Path>) -> Result<Copies> {
    let dir = dir.as_ref().to_path_buf();
    let names = disk.list(&dir).map_err(|e| Error::io("listing", &dir, e))?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|n| segment::number(n)).collect();
    numbers.sort_unstable();
    Ok(Copies { disk, dir, numbers, newest_seen: false })
}

impl Copies {
    fn copy(&mut self, number: u64) -> Result<Option<SegmentCopy>> {
        let path = segment::path(&self.dir, number);
        let mut bad = 0;
        for _ in 0..ATTEMPTS {
            let Some(mut bytes) = self.read(&path)? else { return Ok(None) };
            let raw = bytes.get(..segment::HEADER).and_then(|raw| raw.try_into().ok());
            let Some(header) = raw.and_then(segment::Header::decode) else {
                if self.newest_seen {
                    return Err(self.corrupt(number, 0, "the segment header is damaged"));
                }
                return Ok(None); // prepared, not in use yet
            };
            let scan = Scan::run(&bytes, &header, |_, _| {});
            if scan.proven_durable_after(&bytes, &header) {
                bad = scan.end as u64; // either read while it was written, or damaged: look again
                continue;
            }
            bytes[scan.end..].fill(0);
            self.newest_seen = true;
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
            return Ok(Some(SegmentCopy { name, bytes }));
        }
        Err(self.corrupt(number, bad, "a record is damaged"))
    }

    /// `None` if the segment was removed since it was listed.
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        let read = || {
            let file = self.disk.open(path)?;
            let size = usize::try_from(file.len()?).map_err(io::Error::other)?;
            let mut bytes = vec![0; size];
            let read = file.read_at(0, &mut bytes)?;
            bytes.truncate(read);
            Ok(bytes)
        };
        match read() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if io::Error::kind(&e) == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io("reading", path, e)),
        }
    }

    fn corrupt(&self, segment: u64, offset: u64, what: &'static str) -> Error {
        Error::Corrupt { name: self.dir.display().to_string(), segment, offset, position: 0, what }
    }
}

impl Iterator for Copies {
    type Item = Result<SegmentCopy>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(number) = self.numbers.pop() {
            match self.copy(number) {
                Ok(Some(copy)) => return Some(Ok(copy)),
                Ok(None) => {}
                Err(e) => {
                    self.numbers.clear();
                    return Some(Err(e));
                }
            }
        }
        None
    }
}
