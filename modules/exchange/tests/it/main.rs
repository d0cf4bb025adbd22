//! One test program for the exchange; a module for each subject.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod announcements;
mod connection;
mod connections;
mod corner;
mod coverage;
mod dates;
mod decisions;
mod description;
mod diagnose;
mod diff;
mod documents;
mod evidence;
mod exports;
mod gateway_beside;
mod gateway_calls;
mod gateway_connector;
mod gateway_evidence;
mod gateway_fields;
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
mod mutual_tls;
mod national;
mod outages;
mod proposals;
mod registry_file;
mod report;
mod site;
mod snapshot;
mod traffic;
mod watch;
mod world;
mod zones;
