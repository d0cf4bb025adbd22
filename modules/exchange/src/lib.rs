//! The exchange: members connect their systems, agreements say who may call what, the gateway carries the
//! calls and the evidence proves them. People, agencies, storage and tokens belong to the kernel.

pub mod code;
pub mod deny;
pub mod endpoint;
pub mod ids;
pub mod quota;
pub mod service;
pub mod snapshot;

/// The texts of `messages.toml`, one typed function each.
#[allow(missing_docs)]
pub mod t {
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}
