//! The kernel's promises, on every backend.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod alerts;
mod backup;
mod backup_content;
mod blobs;
mod calendar;
mod certificates;
mod db;
mod identity;
mod jobs;
mod journal;
mod orgs;
mod sealed;
mod tokens;
