//! The client-facing side of the X-Road message protocols, REST version 1 and SOAP version 4 (in `soap`): identifiers, request lines, headers,
//! the request hash, errors, access-right patterns, metadata answers and the monitoring record. Opens no
//! connection, reads no clock; who may call what is decided elsewhere. "Speaks the X-Road message protocol";
//! not affiliated with its makers.

pub mod error;
pub mod hash;
pub mod header;
pub mod health;
pub mod id;
pub mod message;
pub mod metadata;
pub mod opmon;
pub mod path;
pub mod request;
pub mod soap;

mod xml;
