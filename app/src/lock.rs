//! One process works on a data directory at a time: a server or an upkeep command.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, flock};

/// Held while a process works on the data; released by the system even when it is killed.
pub struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes the lock of a data directory, making the directory if need be.
    pub fn take(data: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(data).with_context(|| format!("{} cannot be made", data.display()))?;
        let path = data.join("lock");
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            bail!("another process works on {}; stop it first or use its commands", data.display());
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_until_the_first_lets_go() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataLock::take(dir.path()).unwrap();
        assert!(DataLock::take(dir.path()).is_err());
        drop(first);
        assert!(DataLock::take(dir.path()).is_ok());
    }
}
