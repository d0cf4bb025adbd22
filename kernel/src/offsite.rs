//! The port of a store on another machine that keeps files under keys: for copies of backups. Knows neither backups nor
//! any protocol; an adapter speaks it, `app` connects one.

use std::path::Path;

use async_trait::async_trait;
use base::error::Result;
use tokio::sync::watch;

/// Something the store keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its key, relative to the place.
    pub key: String,
    /// Its bytes.
    pub bytes: u64,
}

/// A store of files. Errors are sentences for the operator: they name the place and never a secret.
#[async_trait]
pub trait Offsite: Send + Sync {
    /// Where it is, for people: `s3://bucket/prefix`.
    fn place(&self) -> &str;

    /// Everything it keeps.
    ///
    /// # Errors
    /// When the store is away, refuses, or has no such place.
    async fn list(&self) -> Result<Vec<Kept>>;

    /// Keeps a file under a key; it appears whole or not at all. `progress` is a file that remembers how far a large
    /// upload has come: called again with it, sending goes on where it ended.
    ///
    /// # Errors
    /// As [`Offsite::list`]; faults of the disk; when `stop` becomes true.
    async fn send(&self, file: &Path, key: &str, progress: &Path, stop: &watch::Receiver<bool>)
    -> Result<()>;

    /// Gives up a large upload that `progress` remembers, and removes that file.
    ///
    /// # Errors
    /// As [`Offsite::list`].
    async fn abandon(&self, progress: &Path) -> Result<()>;

    /// At most `most` bytes from the byte `from` on; fewer at the end.
    ///
    /// # Errors
    /// As [`Offsite::list`]; when there is nothing under the key.
    async fn read(&self, key: &str, from: u64, most: u64) -> Result<Vec<u8>>;

    /// Removes what is under the key, if anything is.
    ///
    /// # Errors
    /// As [`Offsite::list`].
    async fn remove(&self, key: &str) -> Result<()>;
}
