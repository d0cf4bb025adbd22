//! A disk that loses power, for tests of everything that writes through `stream::Disk`. The simulation lives
//! with the port it implements; here is the form tests want: on a directory of its own, gone with the test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use stream::simulation::{DiskOp, LossyDisk};

/// A [`LossyDisk`] on a temporary directory.
#[derive(Debug)]
pub struct TempDisk {
    root: tempfile::TempDir,
    disk: LossyDisk,
}

impl TempDisk {
    /// An empty disk; the same seed gives the same accidents.
    ///
    /// # Panics
    /// When the temporary directory cannot be made.
    pub fn new(seed: u64) -> Self {
        let root = tempfile::tempdir().expect("a temporary directory");
        let disk = LossyDisk::new(root.path(), seed).expect("a simulated disk");
        Self { root, disk }
    }

    /// Path of `name` on this disk.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.path().join(name)
    }

    /// The disk as the code under test takes it.
    pub fn port(&self) -> Arc<dyn stream::Disk> {
        Arc::new(self.disk.clone())
    }

    /// The power fails and comes back: what was not synchronised survives in part or not at all, and
    /// everything opened before answers with errors.
    ///
    /// # Panics
    /// When the real files cannot be written.
    pub fn crash(&mut self) {
        self.disk = self.disk.crash().expect("the simulated disk writes its real files");
    }

    /// The process is killed: nothing written is lost, and everything opened before answers with errors.
    pub fn kill(&mut self) {
        self.disk = self.disk.kill();
    }
}

impl std::ops::Deref for TempDisk {
    type Target = LossyDisk;

    fn deref(&self) -> &LossyDisk {
        &self.disk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_synchronised_is_there_after_a_crash() {
        let mut disk = TempDisk::new(7);
        let file = disk.port().create(&disk.path("a"), 0).unwrap();
        file.write_at(0, b"kept").unwrap();
        file.sync_data().unwrap();
        disk.port().sync_dir(disk.path("a").parent().unwrap()).unwrap();
        file.write_at(4, &[9; 5_000]).unwrap();
        disk.crash();
        assert!(file.write_at(0, b"x").is_err());
        assert_eq!(&std::fs::read(disk.path("a")).unwrap()[..4], b"kept");
    }
}
