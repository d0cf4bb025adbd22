//! The small words everybody shares: time, randomness, identifiers, Vietnamese text, bilingual messages,
//! errors and configuration. Leaves storage, people and HTTP to the crates above it.

pub mod clock;
pub mod config;
pub mod error;
pub mod i18n;
pub mod ids;
pub mod problem;
pub mod random;
pub mod text;
