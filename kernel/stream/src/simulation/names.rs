//! The names of the lossy disk: what programs see, what is durable, and the changes between the two. A durable
//! name is a real hard link to the real file that holds the durable content.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::content::Content;
use super::{Dice, Entries};

/// Directory below the root that holds durable content by number.
const STORE: &str = ".lossy";

#[derive(Debug)]
enum Change {
    Create(PathBuf, u64),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf, u64),
}

impl Change {
    fn paths(&self) -> Vec<&PathBuf> {
        match self {
            Self::Create(path, _) | Self::Remove(path) => vec![path],
            Self::Rename(from, to, _) => vec![from, to],
        }
    }
}

#[derive(Debug)]
pub(super) struct Names {
    store: PathBuf,
    seen: Entries,
    durable: Entries,
    changes: Vec<Change>,
    next: u64,
}

impl Names {
    /// Takes over the files that already lie below `root`.
    pub fn adopt(root: &Path, files: &mut HashMap<u64, Content>) -> io::Result<Self> {
        let store = root.join(STORE);
        match fs::remove_dir_all(&store) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => fs::create_dir_all(&store)?,
        }
        let mut names =
            Self { store, seen: Entries::new(), durable: Entries::new(), changes: Vec::new(), next: 0 };
        let mut dirs = vec![root.to_path_buf()];
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(&dir)? {
                let path = entry?.path();
                if path.is_dir() {
                    if path != names.store {
                        dirs.push(path);
                    }
                    continue;
                }
                let inode = names.number();
                fs::hard_link(&path, names.store(inode))?;
                files.insert(inode, Content::adopt(&names.store(inode))?);
                names.durable.insert(path, inode);
            }
        }
        names.seen = names.durable.clone();
        Ok(names)
    }

    pub fn store(&self, inode: u64) -> PathBuf {
        self.store.join(inode.to_string())
    }

    pub fn inodes(&self) -> impl Iterator<Item = u64> {
        self.seen.values().copied()
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub fn create(&mut self, path: &Path) -> io::Result<u64> {
        if self.seen.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if !path.parent().is_some_and(Path::is_dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inode = self.number();
        self.seen.insert(path.to_path_buf(), inode);
        self.changes.push(Change::Create(path.to_path_buf(), inode));
        Ok(inode)
    }

    pub fn find(&self, path: &Path) -> io::Result<u64> {
        self.seen.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub fn list(&self, dir: &Path) -> Vec<String> {
        let here = self.seen.keys().filter(|p| p.parent() == Some(dir));
        here.filter_map(|p| Some(p.file_name()?.to_str()?.to_owned())).collect()
    }

    pub fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.seen.remove(path).ok_or(io::ErrorKind::NotFound)?;
        self.changes.push(Change::Remove(path.to_path_buf()));
        Ok(())
    }

    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let inode = self.seen.remove(from).ok_or(io::ErrorKind::NotFound)?;
        self.seen.insert(to.to_path_buf(), inode);
        self.changes.push(Change::Rename(from.to_path_buf(), to.to_path_buf(), inode));
        Ok(())
    }

    /// Makes the changes of names in `dir` durable, and those they build upon; no others.
    pub fn sync(&mut self, dir: &Path) -> io::Result<()> {
        let mut paths: HashSet<PathBuf> = HashSet::new();
        let mut wanted = vec![false; self.changes.len()];
        for (i, change) in self.changes.iter().enumerate().rev() {
            let touched = change.paths();
            if touched.iter().any(|p| p.parent() == Some(dir) || paths.contains(*p)) {
                wanted[i] = true;
                paths.extend(touched.into_iter().cloned());
            }
        }
        let mut later = Vec::new();
        for (change, wanted) in std::mem::take(&mut self.changes).into_iter().zip(wanted) {
            if wanted {
                self.apply(&change)?;
            } else {
                later.push(change);
            }
        }
        self.changes = later;
        Ok(())
    }

    /// Each pending change happens or not; what builds upon one that did not, does not either.
    pub fn crash(&mut self, dice: &mut Dice) -> io::Result<()> {
        let mut without: HashSet<PathBuf> = HashSet::new();
        for change in std::mem::take(&mut self.changes) {
            let possible = !change.paths().iter().any(|p| without.contains(*p));
            if possible && dice.below(2) == 0 {
                self.apply(&change)?;
            } else {
                without.extend(change.paths().into_iter().cloned());
            }
        }
        self.seen = self.durable.clone();
        Ok(())
    }

    fn apply(&mut self, change: &Change) -> io::Result<()> {
        match change {
            Change::Create(path, inode) => self.link(path, *inode),
            Change::Remove(path) => self.unlink(path),
            Change::Rename(from, to, inode) => {
                self.unlink(from)?;
                self.link(to, *inode)
            }
        }
    }

    fn link(&mut self, path: &Path, inode: u64) -> io::Result<()> {
        self.unlink(path)?;
        fs::hard_link(self.store(inode), path)?;
        self.durable.insert(path.to_path_buf(), inode);
        Ok(())
    }

    fn unlink(&mut self, path: &Path) -> io::Result<()> {
        if self.durable.remove(path).is_some() {
            fs::remove_file(path)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::disk::{Disk, SegmentFile};
    use crate::simulation::{DiskOp, LossyDisk};

    fn read(file: &Arc<dyn SegmentFile>) -> Vec<u8> {
        let mut out = vec![0; file.len().unwrap() as usize];
        file.read_at(0, &mut out).unwrap();
        out
    }

    #[test]
    fn synchronised_bytes_and_names_survive_every_crash() {
        for seed in 0..50 {
            let dir = tempfile::tempdir().unwrap();
            let disk = LossyDisk::new(dir.path(), seed).unwrap();
            let (a, b) = (dir.path().join("a"), dir.path().join("b"));
            let file = disk.create(&a, 1_000).unwrap();
            file.write_at(10, b"kept").unwrap();
            file.sync_data().unwrap();
            disk.rename(&a, &b).unwrap();
            disk.sync_dir(dir.path()).unwrap();
            file.write_at(600, &[7; 300]).unwrap();
            let disk = disk.crash().unwrap();
            assert!(file.write_at(0, b"x").is_err(), "handles of the earlier life are dead");
            assert_eq!(disk.list(dir.path()).unwrap(), ["b"]);
            assert_eq!(&read(&disk.open(&b).unwrap())[10..14], b"kept");
            assert_eq!(&std::fs::read(&b).unwrap()[10..14], b"kept", "really on the real disk");
        }
    }

    #[test]
    fn what_was_not_synchronised_may_go_and_may_stay() {
        let (mut names, mut bytes) = ([0, 0], [0, 0]);
        for seed in 0..60 {
            let dir = tempfile::tempdir().unwrap();
            let disk = LossyDisk::new(dir.path(), seed).unwrap();
            let file = disk.create(&dir.path().join("a"), 4_096).unwrap();
            disk.sync_dir(dir.path()).unwrap();
            disk.create(&dir.path().join("b"), 512).unwrap();
            file.write_at(0, &[1; 4_096]).unwrap();
            let disk = disk.crash().unwrap();
            names[usize::from(disk.list(dir.path()).unwrap().len() == 2)] += 1;
            let content = read(&disk.open(&dir.path().join("a")).unwrap());
            bytes[usize::from(content.iter().all(|b| *b == 1))] += 1;
            assert_eq!(content.len(), 4_096);
        }
        assert!(names[0] > 10 && names[1] > 10, "{names:?}");
        assert!(bytes[0] > 30, "eight sectors seldom all survive: {bytes:?}");
    }

    #[test]
    fn bytes_of_a_failed_flush_are_readable_and_lost() {
        let dir = tempfile::tempdir().unwrap();
        let disk = LossyDisk::new(dir.path(), 1).unwrap();
        let path = dir.path().join("a");
        let file = disk.create(&path, 16).unwrap();
        disk.sync_dir(dir.path()).unwrap();
        file.write_at(0, b"lost").unwrap();
        disk.fail(DiskOp::Sync, 0, std::io::ErrorKind::Other);
        assert!(file.sync_data().is_err());
        assert!(file.sync_data().is_ok(), "the second attempt lies, as it does on Linux");
        file.write_at(8, b"kept").unwrap();
        file.sync_data().unwrap();
        let disk = disk.kill();
        assert_eq!(read(&disk.open(&path).unwrap()), b"lost\0\0\0\0kept\0\0\0\0");
        let disk = disk.crash().unwrap();
        assert_eq!(read(&disk.open(&path).unwrap()), b"\0\0\0\0\0\0\0\0kept\0\0\0\0");
    }

    #[test]
    fn space_ends_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let disk = LossyDisk::new(dir.path(), 1).unwrap();
        disk.set_space(Some(100));
        let path = dir.path().join("a");
        assert_eq!(disk.create(&path, 101).unwrap_err().kind(), std::io::ErrorKind::StorageFull);
        disk.remove(&path).unwrap();
        disk.create(&path, 100).unwrap();
        disk.set_space(None);
        disk.create(&dir.path().join("b"), 1 << 20).unwrap();
    }

    #[test]
    fn one_owner_per_directory() {
        let dir = tempfile::tempdir().unwrap();
        let disk = LossyDisk::new(dir.path(), 1).unwrap();
        let lock = disk.lock(dir.path()).unwrap();
        assert!(disk.lock(dir.path()).is_err());
        drop(lock);
        let held = disk.lock(dir.path()).unwrap();
        let disk = disk.crash().unwrap();
        let _again = disk.lock(dir.path()).unwrap();
        drop(held);
        assert!(disk.lock(dir.path()).is_err(), "a dead owner's guard frees nothing");
    }
}
