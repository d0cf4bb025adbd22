//! Accounts through the front door, on every backend.

#![allow(clippy::unwrap_used)] // helpers of tests

mod account;
mod api;
mod clients;
mod coverage;
mod dates;
mod emergencies;
mod exports;
mod neighbours;
mod officials;
mod place;
mod records;
mod sign_in;
