//! The kernel's promises, on every backend.

mod backup;
mod blobs;
mod db;
mod identity;
mod jobs;
mod journal;
mod orgs;
mod sealed;
mod tokens;
