//! The evidence of calls, from the record to the bundle a stranger checks.

mod away;
mod faults;
mod issuing;
mod origins;
mod stopped;
mod world;
