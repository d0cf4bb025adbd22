//! What is down is examined once, step by step, so that its alert says whose side it is; the run is kept beside those
//! that people asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::clock::Timestamp;
use kernel::Kernel;
use tokio::task::{JoinError, JoinSet};

use super::told::{Wrong, address, watched};
use crate::diagnose::{self, Fault, Parts, Report, Target, examine};
use crate::service::{BaseUrl, DEFAULT_TIMEOUT};
use crate::snapshot::{ServiceEntry, Snapshot};

/// Examinations at the same time.
const AT_ONCE: usize = 4;
/// Other providers handed on as witnesses of the time.
const WITNESSES: usize = 64;
/// Longest wait for an answer: what is down is not waited for as long as a call would.
const PATIENCE: Duration = Duration::from_secs(10);

/// One that ended: of what, since when that is down, and what was found.
pub(super) struct Found {
    key: String,
    since: Timestamp,
    fault: Option<Fault>,
}

/// What was found of each thing that is down at present.
pub(super) struct Verdicts {
    k: Kernel,
    parts: Option<Parts>,
    running: JoinSet<Found>,
    /// By address or service path; without a verdict while one is being looked for.
    known: BTreeMap<String, (Timestamp, Option<Fault>)>,
}

impl Verdicts {
    pub(super) fn new(k: Kernel, parts: Option<Parts>) -> Self {
        Self { k, parts, running: JoinSet::new(), known: BTreeMap::new() }
    }

    /// The next that ends.
    pub(super) async fn finished(&mut self) -> Option<Result<Found, JoinError>> {
        self.running.join_next().await
    }

    pub(super) fn take(&mut self, found: Found) {
        if let Some((since, verdict)) = self.known.get_mut(&found.key)
            && *since == found.since
        {
            *verdict = found.fault;
        }
    }

    /// Examines what has newly gone down, and adds to `wrong` what is known of the rest.
    pub(super) fn examine(&mut self, snapshot: &Snapshot, wrong: &mut Wrong) {
        let Some(parts) = self.parts.clone() else { return };
        let is_down = |key: &String| wrong.down.get(key).or_else(|| wrong.failing.get(key));
        self.known.retain(|key, (since, _)| is_down(key).is_some_and(|down| down.since == *since));
        for service in watched(snapshot) {
            let at = address(&service.base_url);
            let subject = match (wrong.down.get(&at), wrong.failing.get(&service.path)) {
                (Some(down), _) => (at, down.since),
                (None, Some(down)) => (service.path.clone(), down.since),
                (None, None) => continue,
            };
            if self.running.len() < AT_ONCE && !self.known.contains_key(&subject.0) {
                self.known.insert(subject.0.clone(), (subject.1, None));
                let target = target(snapshot, service);
                let (k, parts, id) = (self.k.clone(), parts.clone(), service.id);
                self.running.spawn(async move {
                    let at = k.clock.now();
                    let progress = Arc::new(Mutex::new(Report::new(target.url.to_string(), at)));
                    let report = examine(&parts, &target, at, &progress).await;
                    if let Err(e) = diagnose::keep(&k, id, &report, parts.settings.keep).await {
                        tracing::warn!(error = e.chain(), "an examination could not be kept");
                    }
                    Found { key: subject.0, since: subject.1, fault: report.fault }
                });
            }
        }
        let found = self.known.iter().filter_map(|(key, (_, fault))| Some((key.clone(), fault.clone()?)));
        wrong.verdicts = found.collect();
    }
}

fn target(snapshot: &Snapshot, service: &ServiceEntry) -> Target {
    let others = snapshot.contents().services.iter().map(|s| s.base_url.clone());
    let others: Vec<BaseUrl> = others.filter(|u| *u != service.base_url).take(WITNESSES).collect();
    Target { url: service.base_url.clone(), health: None, timeout: DEFAULT_TIMEOUT.min(PATIENCE), others }
}
