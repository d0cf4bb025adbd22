//! The shipped lists, read and built, against the facts known about them.

#![allow(clippy::unwrap_used)] // helpers of tests

mod hostile;
mod shipped;
