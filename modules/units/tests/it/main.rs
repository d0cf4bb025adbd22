//! Looking up units through the front door, on every backend.

#![allow(clippy::unwrap_used)] // helpers of tests

mod api;
mod coverage;
mod door;
mod import;
mod pages;
