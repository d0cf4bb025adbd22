//! One file of the lossy disk: what is durable lies in a real file, what was written since lies here.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::Dice;

const SECTOR: u64 = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cached {
    /// May reach the disk at any time.
    Dirty,
    /// Can be read but will never be written: a flush of it failed.
    Lost,
    /// Is on the disk; kept because it hides lost bytes.
    Clean,
}

#[derive(Debug)]
struct Write {
    offset: u64,
    bytes: Vec<u8>,
    state: Cached,
}

#[derive(Debug)]
pub(super) struct Content {
    durable: File,
    cache: Vec<Write>,
}

impl Content {
    pub fn new(store: &Path) -> io::Result<Self> {
        let durable = OpenOptions::new().read(true).write(true).create_new(true).open(store)?;
        Ok(Self { durable, cache: Vec::new() })
    }

    pub fn adopt(store: &Path) -> io::Result<Self> {
        Ok(Self { durable: OpenOptions::new().read(true).write(true).open(store)?, cache: Vec::new() })
    }

    /// Durable zeros up to `bytes`.
    pub fn allocate(&mut self, bytes: u64) -> io::Result<()> {
        self.durable.set_len(bytes)
    }

    pub fn len(&self) -> u64 {
        let durable = self.durable.metadata().map_or(0, |m| m.len());
        self.cache.iter().map(|w| w.offset + w.bytes.len() as u64).fold(durable, u64::max)
    }

    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        self.cache.push(Write { offset, bytes: bytes.to_vec(), state: Cached::Dirty });
    }

    pub fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let wanted = (self.len().saturating_sub(offset)).min(out.len() as u64) as usize;
        let out = &mut out[..wanted];
        out.fill(0);
        let mut done = 0;
        while done < out.len() {
            match self.durable.read_at(&mut out[done..], offset + done as u64)? {
                0 => break,
                n => done += n,
            }
        }
        for write in &self.cache {
            let (from, to) = (
                write.offset.max(offset),
                (write.offset + write.bytes.len() as u64).min(offset + wanted as u64),
            );
            if from < to {
                let source = &write.bytes[(from - write.offset) as usize..(to - write.offset) as usize];
                out[(from - offset) as usize..(to - offset) as usize].copy_from_slice(source);
            }
        }
        Ok(wanted)
    }

    pub fn sync(&mut self) -> io::Result<()> {
        for write in self.cache.iter_mut().filter(|w| w.state == Cached::Dirty) {
            self.durable.write_all_at(&write.bytes, write.offset)?;
            write.state = Cached::Clean;
        }
        if self.cache.iter().all(|w| w.state == Cached::Clean) {
            self.cache.clear();
        }
        Ok(())
    }

    /// A flush failed: the pages stay readable and count as clean.
    pub fn lose(&mut self) {
        for write in self.cache.iter_mut().filter(|w| w.state == Cached::Dirty) {
            write.state = Cached::Lost;
        }
    }

    /// Of each sector some prefix of its writes reaches the disk, the next one perhaps torn.
    pub fn crash(&mut self, dice: &mut Dice) -> io::Result<()> {
        let mut sectors: BTreeMap<u64, Vec<(u64, &[u8])>> = BTreeMap::new();
        for write in self.cache.iter().filter(|w| w.state == Cached::Dirty) {
            let (mut at, mut rest) = (write.offset, &write.bytes[..]);
            while !rest.is_empty() {
                let here = (SECTOR - at % SECTOR).min(rest.len() as u64) as usize;
                sectors.entry(at / SECTOR).or_default().push((at, &rest[..here]));
                (at, rest) = (at + here as u64, &rest[here..]);
            }
        }
        for writes in sectors.values() {
            let whole = dice.below(writes.len() as u64 + 1) as usize;
            for (at, bytes) in &writes[..whole] {
                self.durable.write_all_at(bytes, *at)?;
            }
            if let Some((at, bytes)) = writes.get(whole)
                && dice.below(5) == 0
            {
                let torn = dice.below(bytes.len() as u64) as usize;
                self.durable.write_all_at(&bytes[..torn], *at)?;
            }
        }
        self.cache.clear();
        Ok(())
    }
}
