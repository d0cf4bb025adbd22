//! Examinations in progress: one of a service at a time, a few at once, each finished in the background whoever looks,
//! and then kept. The right to start one is checked here, beside the data.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::{Cx, Error, Kernel, Result, Scope};

use super::{Parts, Progress, Report, Target, examine, health_path};
use crate::ids::{DiagnosisId, ServiceId};
use crate::snapshot::Snapshot;
use crate::store::diagnoses;
use crate::store::lists::{self, ServiceRow};
use crate::viewer::Viewer;
use crate::{openapi, permissions, store};

/// Examinations at the same time.
const AT_ONCE: usize = 4;
/// Seconds after which somebody who found all places taken may ask again.
const AGAIN: u64 = 10;
/// Addresses of other providers that are handed on as witnesses of the time.
const WITNESSES: usize = 64;

/// One in progress.
#[derive(Debug, Clone)]
pub struct Run {
    /// As far as it has come.
    pub progress: Progress,
}

impl Run {
    /// As far as it has come.
    pub fn report(&self) -> Report {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Those in progress.
#[derive(Debug, Default)]
pub struct Runs(Mutex<HashMap<ServiceId, Run>>);

impl Runs {
    fn lock(&self) -> MutexGuard<'_, HashMap<ServiceId, Run>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one of a service.
    pub fn of(&self, service: ServiceId) -> Option<Run> {
        self.lock().get(&service).cloned()
    }

    /// A place for a new one; `None` when one of this service is in progress.
    fn begin(self: &Arc<Self>, service: ServiceId, report: Report) -> Result<Option<Place>> {
        let mut runs = self.lock();
        if runs.contains_key(&service) {
            return Ok(None);
        }
        if runs.len() >= AT_ONCE {
            return Err(Error::TooMany { retry_after: AGAIN });
        }
        let progress = Arc::new(Mutex::new(report));
        runs.insert(service, Run { progress: progress.clone() });
        Ok(Some(Place { runs: Arc::clone(self), service, progress }))
    }
}

/// Taken until it is dropped, also when the work panics or its runtime ends.
struct Place {
    runs: Arc<Runs>,
    service: ServiceId,
    progress: Progress,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.runs.lock().remove(&self.service);
    }
}

/// A service whose inner address concerns the reader: whoever runs the exchange, or its provider.
///
/// # Errors
/// `NotFound` for who may not know of it or only calls it.
pub(crate) async fn concerned(k: &Kernel, viewer: &Viewer, id: ServiceId) -> Result<ServiceRow> {
    let service =
        lists::service(&k.db, viewer, id).await?.ok_or(Error::NotFound { kind: ServiceId::KIND })?;
    let own = *viewer == Viewer::All || lists::subsystem(&k.db, viewer, service.subsystem).await?.is_some();
    if own { Ok(service) } else { Err(Error::NotFound { kind: ServiceId::KIND }) }
}

/// Begins to examine a service in the background. One that is in progress is enough: nothing new begins then.
///
/// # Errors
/// `NotFound` for who is not concerned with the service, `Denied` without the right over its provider, `TooMany` when
/// all places are taken.
pub async fn start(
    k: &Kernel,
    cx: &Cx,
    runs: &Arc<Runs>,
    parts: &Parts,
    snapshot: &Snapshot,
    id: ServiceId,
) -> Result<()> {
    let service = concerned(k, &Viewer::of(k, cx).await?, id).await?;
    let member = lists::member(&k.db, &Viewer::All, service.member).await?;
    let scope = member.and_then(|m| m.agency).map_or_else(Scope::province, Scope::agency);
    cx.may(permissions::EXAMINE, &scope)?;
    let target = target(k, &service, snapshot).await?;
    let at = k.clock.now();
    let Some(place) = runs.begin(id, Report::new(target.url.to_string(), at))? else { return Ok(()) };
    let mut tx = k.begin(cx).await?;
    let detail = serde_json::json!({ "address": target.url.as_str() });
    tx.audit("exchange.connection.examine", &id.to_ref(), detail).await?;
    tx.commit().await?;
    let (k, parts) = (k.clone(), parts.clone());
    tokio::spawn(async move {
        let mut stop = k.stopping();
        let report = tokio::select! {
            report = examine(&parts, &target, at, &place.progress) => report,
            _ = stop.changed() => return,
        };
        if let Err(e) = keep(&k, id, &report, parts.settings.keep).await {
            tracing::error!(error = e.chain(), "an examination of a connection could not be kept");
        }
        drop(place);
    });
    Ok(())
}

/// Keeps a run among the last of its service; tried again when PostgreSQL asks for it.
pub(crate) async fn keep(k: &Kernel, service: ServiceId, report: &Report, most: u32) -> Result<()> {
    const TRIES: u32 = 5;
    let mut tries = 1;
    loop {
        match attempt(k, service, report, most).await {
            Err(Error::Unavailable { what: "database", .. }) if tries < TRIES => {
                tokio::time::sleep(Duration::from_millis(5 << tries)).await;
                tries += 1;
            }
            other => return other,
        }
    }
}

async fn attempt(k: &Kernel, service: ServiceId, report: &Report, most: u32) -> Result<()> {
    let mut tx = k.begin(&Cx::kernel("exchange.diagnose", k.clock.now())).await?;
    let id = DiagnosisId::new(&*k.clock, &*k.random);
    diagnoses::add(&mut tx, id, service, report, most).await?;
    tx.commit().await?;
    Ok(())
}

async fn target(k: &Kernel, service: &ServiceRow, snapshot: &Snapshot) -> Result<Target> {
    let document = match &service.document {
        Some(sha256) => store::document(k, sha256).await?,
        None => None,
    };
    let health = document.and_then(|bytes| health_path(&openapi::read(&bytes).ok()?));
    let others = snapshot.contents().services.iter().map(|s| s.base_url.clone());
    let timeout = u64::try_from(service.timeout_ms).map_err(Error::internal)?;
    Ok(Target {
        url: service.base_url.clone(),
        health,
        timeout: Duration::from_millis(timeout),
        others: others.take(WITNESSES).collect(),
    })
}
