//! For tests of every crate: throw-away databases, a movable clock, a disk that loses what was not synced.

mod database;
mod disk;

pub use database::{TestKernel, backends, fresh, on_both, skip};
pub use disk::{DiskOp, LossyDisk, TempDisk};
