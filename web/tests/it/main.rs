//! The crate through its front door: a site of one small module, asked as browsers and programs ask.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod budget;
mod contrast;
mod coverage;
mod door;
mod errors;
mod exports;
mod gallery;
mod look;
mod support;
