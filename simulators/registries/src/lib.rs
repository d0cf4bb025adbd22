//! Two provider registries and one consumer, as small real HTTP programs for the demonstration and for tests.
//! All people and enterprises are invented. They share no type with the platform and know it only by its wire.

pub mod business;
pub mod dice;
pub mod enterprise;
pub mod extract;
pub mod fault;
pub mod names;
pub mod onestop;
pub mod person;
pub mod place;
pub mod population;
mod problem;
mod reply;
pub mod server;
mod wire;

pub use enterprise::{Enterprise, Register};
pub use fault::{Fault, Faults};
pub use person::{Person, Population};
pub use place::Commune;
pub use server::{Latency, Running};
