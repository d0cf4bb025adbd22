//! Reads from `orgs` over which agencies an appointment at one agency reaches on a day.

use std::collections::BTreeSet;

use base::clock::Date;
use base::error::Result;

use crate::kernel::Kernel;
use crate::orgs::UnitId;

/// The agency, what is below it, and the predecessors of all these whose function was transferred, however many
/// acts ago. Empty when the agency does not exist on that day.
pub async fn reached(k: &Kernel, agency: UnitId, on: Date) -> Result<BTreeSet<UnitId>> {
    let subtree = k.orgs().subtree(agency, on).await?;
    let before = k.orgs().transferred_to(&subtree, on).await?;
    Ok(subtree.into_iter().chain(before).collect())
}
