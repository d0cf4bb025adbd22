//! The kernel's promises, on every backend.

mod db;
mod jobs;
mod journal;
