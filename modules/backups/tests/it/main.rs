//! Backups by themselves and drills, on both databases.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

mod coverage;
mod far;
mod story;
