//! A new description (OpenAPI document) of a service, handed in by its provider: read as JSON or YAML, compared with the
//! present one by operation and field, and put in its place. Reading a document is `openapi`'s.

pub mod compare;
mod replace;
pub mod text;

pub use replace::{Seen, replace, standing};
