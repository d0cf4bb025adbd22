//! Names of agencies as this module shows them: always as of a day, for an ended appointment its last.

use kernel::clock::Date;
use kernel::identity::Appointment;
use kernel::orgs::{Tree, UnitId, Version};
use kernel::{AgencyFilter, Kernel, Result};

/// The agency's full name on a day; `None` when there is no such agency on that day.
pub async fn name(k: &Kernel, unit: UnitId, on: Date) -> Result<Option<String>> {
    let version = k.orgs().version_at(unit, on).await?;
    Ok(version.filter(|v| v.tree == Tree::Agency).map(|v| v.full_name))
}

/// The agency of an appointment, named as it was on the day nearest to `today` within the appointment.
pub async fn of(k: &Kernel, appointment: &Appointment, today: Date) -> Result<Option<String>> {
    let Some(unit) = appointment.agency else { return Ok(None) };
    let last = appointment.period.until.map_or(today, |until| until.min(today));
    let day = appointment.ended_at.map_or(last, |at| last.min(at.date())).max(appointment.period.from);
    match name(k, unit, day).await? {
        Some(name) => Ok(Some(name)),
        // Its agency ended before the appointment did: the name it had when the appointment began.
        None => name(k, unit, appointment.period.from).await,
    }
}

/// Agencies that exist on a day and lie within a filter, in Vietnamese order.
pub async fn all(k: &Kernel, within: &AgencyFilter, on: Date) -> Result<Vec<Version>> {
    let mut units = Vec::new();
    for root in k.orgs().roots(Tree::Agency, on).await? {
        units.extend(k.orgs().subtree(root.unit, on).await?);
    }
    units.retain(|u| within.includes(*u));
    let mut versions = k.orgs().versions_at(&units, on).await?;
    versions.sort_by_cached_key(|v| kernel::text::sort_key(&v.full_name));
    Ok(versions)
}
