//! Conformance: does a system use the exchange as it should, and does a service answer as its description says. One press
//! runs every check; runs are kept. Other parts read the newest run ([`latest`]) or hear [`crate::events::ConformancePassed`].

mod check;
mod consumer;
mod described;
mod provider;
mod store;

pub use check::{Check, Outcome, code_label, code_todo};
pub use store::{MIGRATION, Run, latest, latest_since, one, runs};

use kernel::{Cx, Error, Kernel, Result};
use serde_json::json;

use crate::corner::reach::Own;
use crate::ids::{ConformanceId, ServiceId};
use crate::{Exchange, events};

/// Tests a system: as a consumer by its calls of the last days, or, with `service`, one of its services by calling it.
///
/// # Errors
/// `NotFound` for a service of another system; `Unavailable` while the gateway does not run.
pub async fn run(
    exchange: &Exchange,
    k: &Kernel,
    cx: &Cx,
    own: &Own,
    service: Option<ServiceId>,
) -> Result<ConformanceId> {
    let checks = match service {
        None => consumer::checks(exchange, k, own).await?,
        Some(id) => {
            let snapshot = exchange.keeper().current().load_full();
            let service = snapshot.contents().services.iter().find(|s| s.id == id && s.provider == own.id);
            let service = service.cloned().ok_or(Error::NotFound { kind: ServiceId::KIND })?;
            provider::checks(exchange, k, own, &service).await?
        }
    };
    let passed = checks.iter().all(|c| c.outcome != Outcome::Failed);
    let id = ConformanceId::new(&*k.clock, &*k.random);
    let mut tx = k.begin(cx).await?;
    store::add(&mut tx, k, cx, id, own.id, service, passed, &checks).await?;
    if passed {
        tx.publish(&events::ConformancePassed { run: id, subsystem: own.id, service }).await?;
    }
    let detail = json!({ "subsystem": own.path, "service": service, "passed": passed });
    tx.audit("exchange.conformance.run", &id.to_ref(), detail).await?;
    tx.commit().await?;
    Ok(id)
}
