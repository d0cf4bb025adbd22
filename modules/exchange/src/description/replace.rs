//! Putting a new description in the place of the old one: the document, the endpoints it adds, those it takes away, in one
//! transaction. What breaks consumers is for the provider's officer to put in place, not for the engineer alone.

use base::error::Refusal;
use base::i18n::Text;
use kernel::orgs::UnitId;
use kernel::{Committed, Cx, Error, Kernel, Result, Scope, Tx, params};
use serde_json::json;

use super::compare::{self, Change};
use crate::endpoint::Route;
use crate::ids::{EndpointId, ServiceId};
use crate::openapi;
use crate::permissions::{DECIDE, INTEGRATE};
use crate::registry::DocumentSpec;
use crate::service::ServiceKind;
use crate::store::documents;
use crate::store::registry::{self, Retired};
use crate::{events, t};

/// What somebody is to the description of a service.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Answers for the provider's data: may also put in place what breaks consumers.
    pub decides: bool,
    /// SHA-256 of the present document.
    pub present: Option<String>,
}

/// What the actor may do with the description of a service.
///
/// # Errors
/// `NotFound` for who neither integrates its system nor answers for its provider; `Denied` for who does neither anywhere.
pub async fn standing(k: &Kernel, cx: &Cx, service: ServiceId) -> Result<Seen> {
    cx.may_somewhere(INTEGRATE).or_else(|_| cx.may_somewhere(DECIDE))?;
    let sql = "SELECT v.document, s.code, m.agency_id FROM exchange_service v
               JOIN exchange_subsystem s ON s.id = v.subsystem_id JOIN exchange_member m ON m.id = s.member_id
               WHERE v.id = $1 AND v.retired_at IS NULL";
    let hidden = Error::NotFound { kind: ServiceId::KIND };
    let Some(row) = k.db.query_opt(sql, params![service]).await? else { return Err(hidden) };
    let agency: Option<UnitId> = row.opt_id("agency_id")?;
    let decides = cx.holds(DECIDE, &Scope { agency, field: None });
    if !decides && !cx.holds(INTEGRATE, &Scope { agency, field: Some(row.text("code")?) }) {
        return Err(hidden);
    }
    Ok(Seen { decides, present: row.opt_text("document")? })
}

/// Puts a document in place. `seen` is the digest of the document it was compared with.
///
/// # Errors
/// As [`standing`]; `Invalid` for a document that cannot be accepted; `Conflict` when another was put in place meanwhile;
/// a refusal for what breaks consumers without the right to decide, or takes away what a standing agreement names.
pub async fn replace(
    k: &Kernel,
    cx: &Cx,
    service: ServiceId,
    bytes: Vec<u8>,
    seen: Option<&str>,
) -> Result<(Vec<Change>, Committed)> {
    let standing = standing(k, cx, service).await?;
    if standing.present.as_deref() != seen {
        return Err(Error::Conflict);
    }
    let fault = |f: openapi::Fault| Error::field("document", f.sentence());
    let old = match &standing.present {
        Some(sha256) => crate::store::document(k, sha256).await?,
        None => None,
    };
    let changes = compare::compare(old.as_deref(), &bytes).map_err(fault)?;
    if !standing.decides && changes.iter().any(|c| c.what.breaks()) {
        return Err(
            Refusal::new("breaking-change", Text::both(|l| t::description_breaks(l).to_owned())).into()
        );
    }
    let new = openapi::read(&bytes).map_err(fault)?;
    let gone: Vec<Route> = old
        .and_then(|bytes| openapi::read(&bytes).ok())
        .map(|old| old.operations.into_iter().map(|o| o.route).collect::<Vec<_>>())
        .unwrap_or_default()
        .into_iter()
        .filter(|route| !new.operations.iter().any(|o| o.route == *route))
        .collect();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
    let document = DocumentSpec { sha256: hex::encode(digest), bytes };
    let kept = documents::keep(k, [&document]).await?;
    let blobs = k.blobs().await?;
    let now = k.clock.now();
    let mut tx = k.begin(cx).await?;
    registry::bump(&mut tx, None, now).await?;
    let sql = "SELECT document FROM exchange_service WHERE id = $1 {for_update}";
    let row = tx.query_opt(sql, params![service]).await?.ok_or(Error::NotFound { kind: ServiceId::KIND })?;
    if row.opt_text("document")?.as_deref() != seen {
        return Err(Error::Conflict);
    }
    let stored = Some((document.sha256.as_str(), kept[&document.sha256]));
    documents::assign(&mut tx, blobs, service, stored, now).await?;
    let sql = "UPDATE exchange_service SET document = $2, kind = $3, changed_at = $4 WHERE id = $1";
    tx.execute(sql, params![service, &document.sha256, ServiceKind::OpenApi3.as_str(), now]).await?;
    for operation in &new.operations {
        let id = endpoint(&mut tx, service, &operation.route).await?;
        let id = id.unwrap_or_else(|| EndpointId::new(&*k.clock, &*k.random));
        registry::put_endpoint(&mut tx, id, service, &operation.route, &operation.summary).await?;
    }
    for route in &gone {
        if let Some(id) = endpoint(&mut tx, service, route).await? {
            not_agreed(&mut tx, id, route).await?;
            registry::retire(&mut tx, Retired::Endpoint(id), now).await?;
        }
    }
    documents::drop_unused(&mut tx).await?;
    let breaking = changes.iter().filter(|c| c.what.breaks()).count();
    let said = events::DescriptionReplaced { service, sha256: document.sha256.clone(), breaking };
    tx.publish(&said).await?;
    let detail =
        json!({ "before": seen, "after": document.sha256, "changes": changes.len(), "breaking": breaking });
    tx.audit("exchange.description.replaced", &service.to_ref(), detail).await?;
    Ok((changes, tx.commit().await?))
}

async fn endpoint(tx: &mut Tx, service: ServiceId, route: &Route) -> Result<Option<EndpointId>> {
    let sql = "SELECT id FROM exchange_endpoint WHERE service_id = $1 AND method = $2 AND path = $3";
    let row = tx.query_opt(sql, params![service, route.method.as_str(), route.path.as_str()]).await?;
    row.map(|r| r.id("id")).transpose()
}

/// Nothing is taken away from under an agreement that stands.
async fn not_agreed(tx: &mut Tx, id: EndpointId, route: &Route) -> Result<()> {
    let sql = "SELECT a.number FROM exchange_agreement a JOIN exchange_scope s ON s.agreement_id = a.id
               WHERE s.endpoint_id = $1 AND a.state IN ('waiting', 'approved', 'suspended') ORDER BY a.number LIMIT 1";
    let Some(row) = tx.query_opt(sql, params![id]).await? else { return Ok(()) };
    let (number, route) = (row.text("number")?, route.to_string());
    let text =
        Text::both(|l| t::description_agreed(l, t::DescriptionAgreed { number: &number, route: &route }));
    Err(Refusal::new("endpoint-agreed", text).into())
}
