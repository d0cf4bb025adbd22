//! A store of files for tests: one bucket in memory that speaks the part of S3 a backup needs, checks every signature on
//! its own, and fails when asked to. Shares nothing with a client.

mod answers;
mod fault;
mod signature;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::clock::Clock;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use fault::{Fault, Op};
pub use signature::Owner;

/// Objects on one page of a list: few, so that lists have pages.
const PAGE: usize = 4;
/// Largest body of a request.
const MOST: usize = 128 << 20;

/// The bucket, being served until it is dropped.
pub struct Bucket {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: CancellationToken,
}

pub(crate) struct Shared {
    owner: Owner,
    name: String,
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
pub(crate) struct Kept {
    objects: BTreeMap<String, Bytes>,
    uploads: HashMap<String, Upload>,
    begun: u64,
    faults: Vec<(Op, Fault)>,
    asked: HashMap<Op, u64>,
}

pub(crate) struct Upload {
    key: String,
    parts: BTreeMap<u32, Bytes>,
}

impl Bucket {
    /// Serves a bucket on this machine.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn serve(name: &str, owner: Owner, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let kept = Mutex::default();
        let shared = Arc::new(Shared { owner, name: name.to_owned(), clock, kept });
        let router = axum::Router::new()
            .fallback(answers::answer)
            .layer(axum::extract::DefaultBodyLimit::max(MOST))
            .with_state(shared.clone());
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(async move {
            tokio::select! {
                () = stopped => {}
                _ = axum::serve(listener, router) => {}
            }
        });
        Ok(Self { shared, address, stop })
    }

    /// Where it is: `http://127.0.0.1:port`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request of this kind meets this fault, after those that are waiting.
    pub fn fails(&self, op: Op, fault: Fault) {
        self.shared.kept().faults.push((op, fault));
    }

    /// How often this was asked for, refused requests apart.
    pub fn asked(&self, op: Op) -> u64 {
        self.shared.kept().asked.get(&op).copied().unwrap_or_default()
    }

    /// What is kept: keys and bytes.
    pub fn objects(&self) -> BTreeMap<String, Bytes> {
        self.shared.kept().objects.clone()
    }

    /// Uploads that were begun and neither ended nor given up.
    pub fn open_uploads(&self) -> usize {
        self.shared.kept().uploads.len()
    }

    /// Puts something there without asking.
    pub fn put(&self, key: &str, bytes: impl Into<Bytes>) {
        self.shared.kept().objects.insert(key.to_owned(), bytes.into());
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Shared {
    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
