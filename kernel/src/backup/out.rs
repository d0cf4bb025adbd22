//! The file a backup writes. It is made durable bit by bit, so that the flushes of calls never wait behind gigabytes of
//! one file, it stops before the disk is full, and it stops with the process.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use tokio::sync::watch;

/// Bytes between two flushes.
const STEP: u64 = 16 << 20;
const BUFFER: usize = 1 << 18;

/// What holds for every file of one backup.
#[derive(Clone)]
pub struct Limits {
    /// Bytes of the disk that stay free.
    pub leave_free: u64,
    /// Becomes true when the process stops.
    pub stop: watch::Receiver<bool>,
}

/// A new file of a backup.
pub struct Out {
    file: File,
    path: PathBuf,
    unsynced: u64,
    limits: Limits,
}

/// Makes a file that is not there yet.
pub fn create(path: &Path, limits: &Limits) -> io::Result<BufWriter<Out>> {
    let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|e| named(path, &e))?;
    let out = Out { file, path: path.to_path_buf(), unsynced: 0, limits: limits.clone() };
    out.check_room()?;
    Ok(BufWriter::with_capacity(BUFFER, out))
}

/// Writes what is buffered and makes all of it durable.
pub fn close(out: BufWriter<Out>) -> io::Result<()> {
    let out = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    out.file.sync_all().map_err(|e| named(&out.path, &e))
}

impl Out {
    fn check_room(&self) -> io::Result<()> {
        let disk = rustix::fs::fstatvfs(&self.file)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free >= self.limits.leave_free {
            return Ok(());
        }
        let (free, wanted) = (free >> 20, self.limits.leave_free >> 20);
        let text = format!(
            "{}: the disk has {free} MiB free and {wanted} MiB are to stay free; the backup stops here",
            self.path.display()
        );
        Err(io::Error::new(io::ErrorKind::StorageFull, text))
    }
}

impl Write for Out {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        refuse_when(&self.limits.stop)?;
        let n = self.file.write(data).map_err(|e| named(&self.path, &e))?;
        self.unsynced += n as u64;
        if self.unsynced >= STEP {
            self.file.sync_data().map_err(|e| named(&self.path, &e))?;
            self.unsynced = 0;
            self.check_room()?;
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads until the process stops.
pub struct Stoppable<R> {
    /// What is read.
    pub inner: R,
    /// Becomes true when the process stops; never without one.
    pub stop: Option<watch::Receiver<bool>>,
}

impl<R: Read> Read for Stoppable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stop.as_ref().map_or(Ok(()), refuse_when)?;
        self.inner.read(buffer)
    }
}

fn refuse_when(stop: &watch::Receiver<bool>) -> io::Result<()> {
    if *stop.borrow() { Err(io::Error::other("the process stops")) } else { Ok(()) }
}

fn named(path: &Path, e: &io::Error) -> io::Error {
    io::Error::new(e.kind(), format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_that_is_to_stay_free_stays_free_and_a_stop_stops() {
        let dir = std::env::temp_dir().join(format!("lt-out-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (stopping, stop) = watch::channel(false);
        let limits = |leave_free| Limits { leave_free, stop: stop.clone() };
        let mut out = create(&dir.join("a"), &limits(0)).unwrap();
        out.write_all(b"abc").unwrap();
        close(out).unwrap();
        assert_eq!(std::fs::read(dir.join("a")).unwrap(), b"abc");
        assert!(create(&dir.join("a"), &limits(0)).is_err(), "never over a file");
        let e = create(&dir.join("b"), &limits(u64::MAX)).map(drop).unwrap_err();
        assert_eq!(e.kind(), io::ErrorKind::StorageFull);
        assert!(e.to_string().contains("to stay free"), "{e}");
        let mut out = create(&dir.join("c"), &limits(0)).unwrap();
        stopping.send(true).unwrap();
        out.write_all(b"abc").unwrap();
        assert!(close(out).is_err());
        let mut input = Stoppable { inner: &b"abc"[..], stop: Some(stop) };
        assert!(input.read(&mut [0; 3]).is_err());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
