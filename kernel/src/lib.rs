//! What every module may rely on: storage, facts, jobs, audit, units, people, keys. Knows no module and no page.

pub mod sealed;
pub use base::{clock, config, error, i18n, id_type, ids, problem, random, text};

pub mod alerts;
pub mod audit;
pub mod backup;
pub mod blobs;
pub mod calendar;
pub mod certificate;
pub mod crypt;
pub mod cx;
pub mod db;
pub mod entrance;
pub mod identity;
pub mod jobs;
pub mod journal;
mod kernel;
pub mod keys;
pub mod listeners;
mod migrations;
pub mod module;
pub mod notices;
pub mod offsite;
pub mod once;
mod ordered;
pub mod orgs;
pub mod tokens;

pub use crate::kernel::{Committed, Inner, Kernel, Parts, Tx, schema};
pub use cx::{
    Actor, AgencyFilter, AppointmentId, Cx, EmergencyId, Grant, Grants, Permission, PersonId, Reach, Scope,
};
pub use error::{Error, Result};
pub use ids::Ref;
pub use module::{Card, Finding, Module, Told, Trial};
