//! The morning page through the front door, on every backend.

#![allow(clippy::unwrap_used)] // helpers of tests

mod coverage;
mod faults;
mod morning;
