//! Territories and agencies with their history. A unit is opaque; names, types, parents and codes are its dated
//! versions, each with the moment it was recorded. There is no "current": every question takes a date.
//!
//! A merger makes a new unit even where the code is used again; a change of name, type or parent keeps the unit.
//! *Territory* and *agency* are two trees, joined by dated competence. Who may change them is said in
//! `permissions`; pages are the module `units`.

mod agencies;
mod ask;
mod became;
mod codes;
mod competence;
mod facts;
pub mod import;
mod kind;
mod model;
pub mod permissions;
mod search;
mod store;
mod tree;
mod units;

pub use agencies::{AgencyChange, Merger, NewAgency};
pub use ask::Ask;
pub use became::{Became, Step};
pub use competence::Competence;
pub use facts::{AgencyChanged, UnitsImported};
pub use kind::{AgencyKind, Kind, Tree};
pub use model::{Act, Certainty, CodeSystem, CodeUse, Details, Succession, SuccessionKind, Version};
pub use search::Hit;

use crate::db::{Db, Migration};
use crate::kernel::{Kernel, Tx};

base::id_type!(
    /// A territory or agency, opaque: names, types, parents and codes are its dated versions.
    UnitId, "unit");
crate::id_value!(UnitId);

/// Tables of this part.
pub const MIGRATIONS: &[Migration] = &[Migration { name: "0001_orgs", sql: include_str!("schema.sql") }];

/// Questions about units, asked of committed data or inside an action. Borrow it where it is needed:
/// `k.orgs().version_at(unit, date)`.
pub struct Orgs<Q>(Q);

impl Kernel {
    /// Questions about units, of committed data.
    pub fn orgs(&self) -> Orgs<&Db> {
        Orgs(&self.db)
    }
}

impl Tx {
    /// Questions about units, seeing what this action has written.
    pub fn orgs(&mut self) -> Orgs<&mut Self> {
        Orgs(self)
    }
}
