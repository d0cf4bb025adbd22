//! Gets certificates from an authority that speaks ACME (RFC 8555), proving the names by `http-01`: an account of its own,
//! an order, the proof, a new key for each certificate. When one is due, and who uses it, is decided elsewhere.

mod obtain;
mod proof;
mod settings;

pub use obtain::{Issued, obtain};
pub use proof::Proofs;
pub use settings::{BadSettings, Settings};
