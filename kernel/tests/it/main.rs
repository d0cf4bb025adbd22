//! The kernel's promises, on every backend.

mod backup;
mod db;
mod jobs;
mod journal;
mod sealed;
