//! For tests of every crate: throw-away databases, a movable clock, a disk that loses what was not synced.

#[cfg(feature = "app")]
mod app;
#[cfg(feature = "app")]
mod coverage;
mod database;
mod disk;

#[cfg(feature = "app")]
pub use app::{Answer, App, Client, always};
#[cfg(feature = "app")]
pub use coverage::{Cast, Expect, Ground, Line, rights};
pub use database::{TestKernel, backends, fresh, on_both, skip};
pub use disk::{DiskOp, LossyDisk, TempDisk};
