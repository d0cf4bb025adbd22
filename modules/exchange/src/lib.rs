//! The exchange: members connect their systems, agreements say who may call what, the gateway carries the
//! calls and the evidence proves them. People, agencies, storage and tokens belong to the kernel.

pub mod actions;
mod agencies;
pub mod agreement;
pub mod announcement;
mod api;
mod bundle;
pub mod code;
pub mod config;
pub mod conformance;
pub mod connection;
pub mod corner;
pub mod deny;
pub mod description;
pub mod diagnose;
pub mod diff;
pub mod disclosure;
pub mod endpoint;
pub mod environment;
pub mod events;
pub mod evidence;
pub mod gateway;
pub mod health;
pub mod ids;
pub mod key;
pub mod listen;
pub mod member;
mod monitoring;
pub mod national;
pub mod openapi;
mod outage;
mod pages;
pub mod permissions;
pub mod plane;
pub mod proof;
pub mod proposal;
pub mod quota;
pub mod registry;
pub mod registry_file;
pub mod report;
pub mod schema;
pub mod sections;
pub mod service;
pub mod snapshot;
pub mod snapshot_file;
pub mod store;
pub mod subsystem;
pub mod traffic;
pub mod upstream;
pub mod viewer;
pub mod watch;
pub mod words;

mod module;

pub use module::Exchange;

/// The texts of `messages.toml`, one typed function each.
#[allow(missing_docs)]
pub mod t {
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}
