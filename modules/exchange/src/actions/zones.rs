//! From where a service or an agreement may be called: the provider may keep it to the dedicated network.

use kernel::orgs::UnitId;
use kernel::{Committed, Cx, Error, Kernel, Ref, Result, Scope};
use serde_json::json;

use crate::events::ZonesChanged;
use crate::ids::{AgreementId, ServiceId};
use crate::permissions::DECIDE;
use crate::store::{lists, registry, zones};
use crate::viewer::Viewer;

/// What stands to be changed, for whoever sees it.
#[derive(Debug)]
pub struct Standing {
    /// Its name or number.
    pub name: String,
    /// Whether calls from the Internet are refused.
    pub dedicated_only: bool,
    agency: Option<UnitId>,
}

impl Standing {
    /// Whether the actor answers for its provider.
    ///
    /// # Errors
    /// `Denied` when not.
    pub fn may_change(&self, cx: &Cx) -> Result<()> {
        cx.may(DECIDE, &self.agency.map_or_else(Scope::province, Scope::agency))
    }
}

/// How a service or agreement stands.
///
/// # Errors
/// `NotFound` for who may not know of it.
pub async fn standing(k: &Kernel, cx: &Cx, of: &Ref) -> Result<Standing> {
    let viewer = Viewer::of(k, cx).await?;
    let (name, agency) = if of.kind == ServiceId::KIND {
        let row = lists::service(&k.db, &viewer, of.id.parse()?).await?;
        let row = row.ok_or(Error::NotFound { kind: ServiceId::KIND })?;
        let member = lists::member(&k.db, &Viewer::All, row.member).await?;
        (row.name, member.and_then(|m| m.agency))
    } else {
        let row = lists::agreement_row(&k.db, &viewer, k.clock.now().date(), of.id.parse()?).await?;
        let row = row.ok_or(Error::NotFound { kind: AgreementId::KIND })?;
        (row.number, row.provider_agency)
    };
    Ok(Standing { name, dedicated_only: zones::dedicated_only(&k.db, of).await?, agency })
}

/// Keeps a service or agreement to the dedicated network, or opens it to every zone in which calls are taken.
///
/// # Errors
/// As [`standing`]; `Denied` for who does not answer for its provider.
pub async fn keep_to_dedicated(k: &Kernel, cx: &Cx, of: &Ref, only: bool) -> Result<Committed> {
    standing(k, cx, of).await?.may_change(cx)?;
    let now = k.clock.now();
    let mut tx = k.begin(cx).await?;
    registry::bump(&mut tx, None, now).await?;
    zones::mark(&mut tx, of, only, now).await?;
    tx.publish(&ZonesChanged { of: of.clone(), dedicated_only: only }).await?;
    tx.audit("exchange.zones.changed", of, json!({ "dedicated_only": only })).await?;
    tx.commit().await
}
