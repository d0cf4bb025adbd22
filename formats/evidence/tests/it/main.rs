//! Tests of evidence bundles: what holds, what is refused, and whether another program agrees.

#![allow(clippy::unwrap_used)] // helpers of tests stand outside #[test]

mod independent;
mod log;
mod records;
mod reports;
mod tampers;
mod verifying;
