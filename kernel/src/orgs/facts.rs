//! What this part publishes. Facts carry identifiers and what happened, never names.

use base::clock::Date;
use base::ids::Ref;
use serde::{Deserialize, Serialize};

use super::UnitId;
use crate::journal::Fact;

/// `orgs.agency.changed`: an agency was created, changed, merged into, closed, or took over functions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgencyChanged {
    /// The agency; for a merger the new one.
    pub unit: UnitId,
    /// `created`, `changed`, `merged`, `closed`, `functions-received`.
    pub what: String,
    /// First day of the new state.
    pub on: Date,
    /// Predecessors whose functions passed to it.
    pub predecessors: Vec<UnitId>,
}

impl Fact for AgencyChanged {
    const KIND: &'static str = "orgs.agency.changed";

    fn subject(&self) -> Ref {
        self.unit.to_ref()
    }
}

/// `orgs.territory.imported`: lists of territories were imported and changed something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitsImported {
    /// The import.
    pub import: String,
    /// Units added.
    pub units_added: usize,
    /// Versions added.
    pub versions_added: usize,
    /// Versions replaced by corrected ones.
    pub versions_corrected: usize,
}

impl Fact for UnitsImported {
    const KIND: &'static str = "orgs.territory.imported";

    fn subject(&self) -> Ref {
        Ref::new("orgs.import", &self.import)
    }
}
