//! Evidence of an exchange: the record that enters the log, the file that carries its proof to a stranger,
//! the check, and the plain words for what the check has shown. Pure: no network, no files, no clock.
//! README.md is the specification, written so that others can build a verifier from it alone.

mod bounds;
mod bundle;
mod commitment;
mod json;
mod json_write;
mod leaf;
mod members;
mod record;
mod refusal;
mod report;
mod verify;
mod words;

pub use bundle::{Bundle, Disclosure, Entry, FORMAT, MAX_BUNDLE_BYTES};
pub use commitment::{Commitments, Field, Private, SALT_BYTES, commit, commit_all};
pub use json::{JsonError, MAX_INTEGER};
pub use leaf::{LeafError, MAX_LEAF_BYTES, MAX_TEXT_BYTES};
pub use record::{
    Agreement, Body, Call, Closed, Environment, Filter, Kind, Opened, Origin, Outcome, Previous, Reason,
    Record, Request, Response,
};
pub use refusal::Refusal;
pub use report::{Fact, Lang, Report};
pub use verify::{Disclosed, Proven, Verified, verify};
