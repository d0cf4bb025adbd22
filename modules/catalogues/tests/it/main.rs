//! Catalogues and mappings on every backend: their rules with storage, the interface, the pages, and who is answered
//! what.

#![allow(clippy::unwrap_used)] // helpers of tests

mod api;
mod coverage;
mod journey;
mod pages;
mod units;
mod world;
