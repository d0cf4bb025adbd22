//! One test program for the exchange; a module for each subject.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod corner;
mod coverage;
mod dates;
mod decisions;
mod diff;
mod documents;
mod evidence;
mod exports;
mod gateway_calls;
mod gateway_evidence;
mod gateway_hostile;
mod gateway_large;
mod gateway_meta;
mod gateway_provider;
mod gateway_refusals;
mod gateway_rig;
mod gateway_tls;
mod keeper;
mod lists;
mod monitoring;
mod outages;
mod registry_file;
mod site;
mod snapshot;
mod watch;
mod world;
