//! The sub-commands, one file each.

pub mod admin;
pub mod backup;
pub mod bench;
pub mod beside;
pub mod check;
pub mod due;
pub mod far;
pub mod fill;
pub mod import;
pub mod live;
pub mod migrate;
pub mod release;
pub mod serve;
pub mod shelf;
pub mod verify;

use std::future::Future;

/// Runs asynchronous work on a new runtime.
pub fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
