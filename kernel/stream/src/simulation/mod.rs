//! [`LossyDisk`]: a disk that forgets what was not synchronised. For tests of everything above [`Disk`]; it
//! says nothing about speed.
//!
//! What is durable lies in real files below a real directory, so a test can look at them; unsynchronised
//! writes, creations, renames and removals are kept in memory. [`LossyDisk::crash`] lets a seeded random part of
//! them happen: of each 512-byte sector some prefix of its writes, the next one perhaps torn; of names some, in
//! any order between paths. After an injected flush error the bytes can still be read but will never be
//! written, as on Linux.

mod content;
mod names;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::disk::{Disk, SegmentFile};
use content::Content;
use names::Names;

/// Operations that can be counted, delayed or made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiskOp {
    /// [`Disk::create`].
    Create,
    /// [`Disk::rename`].
    Rename,
    /// [`Disk::remove`].
    Remove,
    /// [`Disk::sync_dir`].
    SyncDir,
    /// [`SegmentFile::write_at`]; a failing one writes a random part.
    Write,
    /// [`SegmentFile::read_at`].
    Read,
    /// [`SegmentFile::sync_data`].
    Sync,
}

/// A disk that forgets what was not synchronised. Clones are the same disk.
#[derive(Debug, Clone)]
pub struct LossyDisk {
    state: Arc<Mutex<State>>,
    /// Handles of an earlier life answer with errors.
    life: u64,
}

#[derive(Debug)]
struct State {
    root: PathBuf,
    life: u64,
    random: Dice,
    names: Names,
    files: HashMap<u64, Content>,
    locks: HashSet<PathBuf>,
    counts: HashMap<DiskOp, u64>,
    faults: HashMap<DiskOp, (u64, io::ErrorKind)>,
    latency: HashMap<DiskOp, Duration>,
    space: Option<u64>,
    /// Changing operations left before everything stops.
    halt: Option<u64>,
}

/// SplitMix64: the same seed gives the same accidents.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    /// A number below `n`; 0 if `n` is 0.
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n.max(1)
    }
}

impl LossyDisk {
    /// A disk whose durable content is what lies below `root`, which must exist and belong to the test.
    ///
    /// # Errors
    /// When `root` cannot be read or written.
    pub fn new(root: impl AsRef<Path>, seed: u64) -> io::Result<Self> {
        let root = root.as_ref().to_path_buf();
        let mut files = HashMap::new();
        let names = Names::adopt(&root, &mut files)?;
        let state = State {
            root,
            life: 0,
            random: Dice(seed),
            names,
            files,
            locks: HashSet::new(),
            counts: HashMap::new(),
            faults: HashMap::new(),
            latency: HashMap::new(),
            space: None,
            halt: None,
        };
        Ok(Self { state: Arc::new(Mutex::new(state)), life: 0 })
    }

    /// The power fails: a random part of what was not synchronised survives. Everything opened through earlier
    /// handles answers with errors from now on; the result is the disk after the restart, without faults.
    ///
    /// # Errors
    /// When the real files cannot be written.
    pub fn crash(&self) -> io::Result<Self> {
        let mut guard = self.lock_state();
        let state = &mut *guard;
        for content in state.files.values_mut() {
            content.crash(&mut state.random)?;
        }
        state.names.crash(&mut state.random)?;
        let named: HashSet<u64> = state.names.inodes().collect();
        state.files.retain(|inode, _| named.contains(inode));
        Ok(self.restart(state))
    }

    /// The process is killed: handles die, but the page cache survives, so nothing written is lost.
    pub fn kill(&self) -> Self {
        self.restart(&mut self.lock_state())
    }

    fn restart(&self, state: &mut State) -> Self {
        state.life += 1;
        state.locks.clear();
        state.faults.clear();
        state.latency.clear();
        state.halt = None;
        Self { state: self.state.clone(), life: state.life }
    }

    /// Lets the operation fail once, after `after` more that succeed.
    pub fn fail(&self, op: DiskOp, after: u64, kind: io::ErrorKind) {
        self.lock_state().faults.insert(op, (after, kind));
    }

    /// Lets everything fail once `after` more changing operations (all but reading) were done: the moment of
    /// the power failure, to be followed by [`LossyDisk::crash`].
    pub fn halt_after(&self, after: u64) {
        self.lock_state().halt = Some(after);
    }

    /// Makes every such operation take longer.
    pub fn delay(&self, op: DiskOp, by: Duration) {
        self.lock_state().latency.insert(op, by);
    }

    /// Bytes that may still be allocated; `None` for plenty.
    pub fn set_space(&self, bytes: Option<u64>) {
        self.lock_state().space = bytes;
    }

    /// How often an operation was asked for.
    pub fn count(&self, op: DiskOp) -> u64 {
        self.lock_state().counts.get(&op).copied().unwrap_or(0)
    }

    fn lock_state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, for an operation of this life: counted, delayed, and failing if a fault is due.
    fn begin(&self, op: DiskOp) -> io::Result<(MutexGuard<'_, State>, Option<io::Error>)> {
        let delay = self.lock_state().latency.get(&op).copied();
        if let Some(delay) = delay {
            std::thread::sleep(delay);
        }
        let mut state = self.lock_state();
        if state.life != self.life || state.halt == Some(0) {
            return Err(io::Error::other("the machine went down"));
        }
        if op != DiskOp::Read
            && let Some(left) = &mut state.halt
        {
            *left -= 1;
        }
        *state.counts.entry(op).or_default() += 1;
        let fault = match state.faults.get_mut(&op) {
            Some((0, kind)) => Some(io::Error::from(*kind)),
            Some((after, _)) => {
                *after -= 1;
                None
            }
            None => None,
        };
        if fault.is_some() {
            state.faults.remove(&op);
        }
        Ok((state, fault))
    }

    fn ready(&self, op: DiskOp) -> io::Result<MutexGuard<'_, State>> {
        let (state, fault) = self.begin(op)?;
        fault.map_or(Ok(state), Err)
    }

    fn file(&self, inode: u64) -> Arc<dyn SegmentFile> {
        Arc::new(LossyFile { disk: self.clone(), inode })
    }
}

impl State {
    fn take_space(&mut self, bytes: u64) -> io::Result<()> {
        if let Some(space) = &mut self.space {
            *space = space.checked_sub(bytes).ok_or(io::ErrorKind::StorageFull)?;
        }
        Ok(())
    }
}

impl Disk for LossyDisk {
    fn create(&self, path: &Path, bytes: u64) -> io::Result<Arc<dyn SegmentFile>> {
        let mut guard = self.ready(DiskOp::Create)?;
        let state = &mut *guard;
        let inode = state.names.create(path)?;
        let content = Content::new(&state.names.store(inode))?;
        state.files.insert(inode, content);
        state.take_space(bytes)?; // as on a real disk the name stays behind
        state.files.get_mut(&inode).ok_or(io::ErrorKind::NotFound)?.allocate(bytes)?;
        Ok(self.file(inode))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        let state = self.ready(DiskOp::Read)?;
        Ok(self.file(state.names.find(path)?))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.ready(DiskOp::Read)?;
        if !dir.is_dir() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(state.names.list(dir))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.ready(DiskOp::Remove)?.names.remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ready(DiskOp::Rename)?.names.rename(from, to)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.ready(DiskOp::SyncDir)?.names.sync(dir)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let state = self.lock_state();
        if !dir.starts_with(&state.root) {
            return Err(io::Error::other("outside the simulated disk"));
        }
        std::fs::create_dir_all(dir)
    }

    fn lock(&self, dir: &Path) -> io::Result<Box<dyn Send + Sync>> {
        let mut state = self.lock_state();
        if state.life != self.life {
            return Err(io::Error::other("the machine went down"));
        }
        if !state.locks.insert(dir.to_path_buf()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Lock { disk: self.clone(), dir: dir.to_path_buf() }))
    }
}

struct Lock {
    disk: LossyDisk,
    dir: PathBuf,
}

impl Drop for Lock {
    fn drop(&mut self) {
        let mut state = self.disk.lock_state();
        if state.life == self.disk.life {
            state.locks.remove(&self.dir);
        }
    }
}

#[derive(Debug)]
struct LossyFile {
    disk: LossyDisk,
    inode: u64,
}

impl LossyFile {
    fn content<'a>(&self, state: &'a mut State) -> io::Result<&'a mut Content> {
        state.files.get_mut(&self.inode).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl SegmentFile for LossyFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let (mut state, fault) = self.disk.begin(DiskOp::Write)?;
        if let Some(e) = fault {
            let part = state.random.below(bytes.len() as u64) as usize;
            self.content(&mut state)?.write(offset, &bytes[..part]);
            return Err(e);
        }
        let growth = (offset + bytes.len() as u64).saturating_sub(self.content(&mut state)?.len());
        state.take_space(growth)?;
        self.content(&mut state)?.write(offset, bytes);
        Ok(())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let mut state = self.disk.ready(DiskOp::Read)?;
        self.content(&mut state)?.read(offset, out)
    }

    fn sync_data(&self) -> io::Result<()> {
        let (mut state, fault) = self.disk.begin(DiskOp::Sync)?;
        let content = self.content(&mut state)?;
        match fault {
            Some(e) => {
                content.lose();
                Err(e)
            }
            None => content.sync(),
        }
    }

    fn len(&self) -> io::Result<u64> {
        let mut state = self.disk.ready(DiskOp::Read)?;
        Ok(self.content(&mut state)?.len())
    }
}

/// Paths by name, used for both views of the namespace.
type Entries = BTreeMap<PathBuf, u64>;
