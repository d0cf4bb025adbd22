//! Drives the built program as a stranger would: starts it, reads its contract, calls it, stops or kills it.
//! Stories live in `tests/it`; the benchmarks and the fault harness use the same driver.

pub mod browser;
pub mod call;
pub mod contract;
pub mod extra_service;
pub mod faults;
pub mod log;
pub mod pages;
pub mod person;
pub mod platform;
pub mod process;
pub mod tools;
pub mod visitor;

pub use call::{Answer, Caller};
pub use contract::Contract;
pub use person::Person;
pub use platform::{Options, Platform};
