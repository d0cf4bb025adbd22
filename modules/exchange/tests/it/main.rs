//! One test program for the exchange; a module for each subject.

mod decisions;
mod diff;
mod gateway_calls;
mod gateway_evidence;
mod gateway_hostile;
mod gateway_large;
mod gateway_meta;
mod gateway_provider;
mod gateway_refusals;
mod gateway_rig;
mod keeper;
mod lists;
mod registry_file;
mod snapshot;
mod world;
