//! Stories across the whole platform, told through its public surface against the built program.
//! One program, one file for each story.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

mod approved_fields;
mod backup;
mod browser;
mod due;
mod durability;
mod first_call;
mod integrator;
mod kept;
mod keyboard;
mod kill_rounds;
mod outage;
mod pages;
mod report;
