//! Looks once an hour for client certificates that end soon and have no successor, and keeps one alert for each.

use std::collections::BTreeSet;
use std::time::Duration;

use base::clock::Timestamp;
use base::i18n::Text;
use kernel::alerts::{self, Affected, Alert, Severity};
use kernel::identity::certificates::{self, Certificate, ENDING};
use kernel::{Cx, Kernel, Result};

use crate::snapshot::{Current, Snapshot};
use crate::t;

const PREFIX: &str = "exchange.client_certificate.ending:";
const LOOK: Duration = Duration::from_secs(3_600);
const URGENT: Duration = Duration::from_secs(7 * 86_400);

/// Looks until the kernel stops.
pub async fn run(k: Kernel, current: Current) {
    let mut stop = k.stopping();
    loop {
        if let Err(e) = look(&k, &current.load_full()).await {
            tracing::warn!(error = e.chain(), "ends of client certificates could not be looked at");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.changed() => return,
        }
    }
}

/// Raises what ends soon, clears what was renewed, revoked or is over.
///
/// # Errors
/// When the database is away.
pub async fn look(k: &Kernel, snapshot: &Snapshot) -> Result<()> {
    let now = k.clock.now();
    let mut ending = Vec::new();
    for c in certificates::ending(&k.db, now, now.plus(ENDING)).await? {
        let siblings = certificates::of_subsystem(&k.db, &c.subsystem).await?;
        let renewed = siblings
            .iter()
            .any(|s| s.client_id == c.client_id && s.serves(now) && s.not_after > now.plus(ENDING));
        if !renewed {
            ending.push(c);
        }
    }
    let keys: BTreeSet<String> = ending.iter().map(key).collect();
    let over: Vec<String> =
        alerts::open_keys(&k.db, PREFIX).await?.into_iter().filter(|open| !keys.contains(open)).collect();
    if keys.is_empty() && over.is_empty() {
        return Ok(());
    }
    let mut tx = k.begin(&Cx::kernel("certificates", now)).await?;
    for c in &ending {
        tx.raise(&alert(snapshot, c, now)).await?;
    }
    for key in &over {
        tx.clear(key).await?;
    }
    tx.commit().await?;
    Ok(())
}

fn key(c: &Certificate) -> String {
    format!("{PREFIX}{}", c.id)
}

fn alert(snapshot: &Snapshot, c: &Certificate, now: Timestamp) -> Alert {
    let system = snapshot.consumer(&c.subsystem);
    let called = system.map_or(c.subsystem.as_str(), |s| s.name.as_str());
    let name = format!("{} ({})", c.client_name, c.client_id);
    Alert {
        key: key(c),
        severity: if c.not_after <= now.plus(URGENT) { Severity::Critical } else { Severity::Warning },
        title: Text::both(|l| t::client_certificate_ending(l, called)),
        cause: Text::both(|l| {
            t::client_certificate_ends(l, t::ClientCertificateEnds { end: c.not_after.vn(), name: &name })
        }),
        todo: Text::both(t::client_certificate_todo),
        affected: system.map(|s| Affected { of: s.id.to_ref(), name: s.name.clone() }).into_iter().collect(),
        since: None,
    }
}
