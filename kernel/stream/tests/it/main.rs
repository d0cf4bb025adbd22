//! One test program for the stream: what it promises, on a disk that loses power, fails and fills up.

#![allow(clippy::unwrap_used)] // helpers of tests, where a failure is the point

mod basics;
mod batching;
mod copying;
mod crash;
mod damage;
mod faults;
mod kill;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base::random::SeededRandom;
use bytes::Bytes;
use stream::simulation::LossyDisk;
use stream::{Options, Recovered, Result, Stream};

/// Small segments, no probes, no idle marks: every flush in a test is one the test caused.
pub(crate) fn options() -> Options {
    let mut options = Options::new("test", &SeededRandom::new(1));
    options.segment_bytes = 4_096;
    options.first_segment_bytes = 1_024;
    options.max_delay = Duration::from_millis(1);
    options.mark_after = Duration::from_secs(3_600);
    options.probe_flushes = 0;
    options
}

/// A stream directory on a lossy disk in a temporary directory.
pub(crate) struct Place {
    root: tempfile::TempDir,
    pub(crate) disk: LossyDisk,
}

impl Place {
    pub(crate) fn new(seed: u64) -> Self {
        let root = tempfile::tempdir().unwrap();
        let disk = LossyDisk::new(root.path(), seed).unwrap();
        Self { root, disk }
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.root.path().join("stream")
    }

    pub(crate) fn segment(&self, number: u64) -> PathBuf {
        self.dir().join(format!("{number:010}.segment"))
    }

    pub(crate) fn open(&self) -> Result<(Stream, Recovered)> {
        self.open_with(options())
    }

    pub(crate) fn open_with(&self, options: Options) -> Result<(Stream, Recovered)> {
        Stream::open(Arc::new(self.disk.clone()), self.dir(), options)
    }

    /// The power fails and comes back.
    pub(crate) fn crash(&mut self) {
        self.disk = self.disk.crash().unwrap();
    }
}

/// A payload that names itself and cannot be cut or altered unnoticed.
pub(crate) fn payload(id: u32, len: usize) -> Bytes {
    let mut out = id.to_le_bytes().to_vec();
    out.extend((0..len).map(|i| (i as u32).wrapping_mul(31).wrapping_add(id) as u8));
    out.extend((len as u32).to_le_bytes());
    Bytes::from(out)
}

/// The id in an unaltered payload.
pub(crate) fn id_of(bytes: &Bytes) -> u32 {
    let id = u32::from_le_bytes(bytes[..4].try_into().unwrap());
    assert_eq!(*bytes, payload(id, bytes.len() - 8), "altered or partial");
    id
}

/// All durable records from `from` on.
pub(crate) fn records(stream: &Stream, from: u64) -> Vec<(u64, Bytes)> {
    stream.read(from).map(Result::unwrap).collect()
}
