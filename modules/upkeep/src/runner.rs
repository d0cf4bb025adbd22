//! Makes the checks: all at the same time, each with a limit, kept for a few seconds. In the background it makes alerts
//! of what stays wrong, and clears them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use base::clock::{Stopwatch, Timestamp};
use base::i18n::Text;
use futures_util::future::join_all;
use kernel::alerts::{self, Alert, Severity};
use kernel::{Cx, Finding, Kernel, Module, Ref, Result, Told};
use tokio::sync::Mutex;

use crate::check::{Check, State};
use crate::checks::clock::Watch;
use crate::{Modules, checks, t};

/// Checks younger than this are not made anew.
const FRESH: Duration = Duration::from_secs(3);
/// Time for one check.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often checks are made without anybody asking.
const EVERY: Duration = Duration::from_secs(15);
/// Rounds in which a check must fail before it is an alert.
const ROUNDS: u32 = 2;
/// How alerts about checks are named.
const PREFIX: &str = "upkeep.check:";

/// The checks with what they gave last.
pub(crate) struct Runner {
    modules: Modules,
    last: Mutex<Option<(Stopwatch, Timestamp, Vec<Check>)>>,
    clock: Watch,
}

impl Runner {
    pub(crate) fn new(modules: Modules) -> Self {
        Self { modules, last: Mutex::default(), clock: Watch::default() }
    }

    /// Who was told of a thing, as the modules know it, the first one first.
    pub(crate) async fn told(&self, k: &Kernel, of: &Ref, cx: &Cx) -> Result<Vec<Told>> {
        let mut all = Vec::new();
        for module in self.modules.get().map(Vec::as_slice).unwrap_or_default() {
            all.extend(module.told(k, of, cx).await?);
        }
        all.sort_by_key(|t| t.at);
        Ok(all)
    }

    /// Every check, and when it was made. Who asks while checks are being made gets those.
    pub(crate) async fn look(&self, k: &Kernel) -> (Timestamp, Vec<Check>) {
        let mut last = self.last.lock().await;
        if let Some((made, at, checks)) = last.as_ref().filter(|(made, _, _)| made.elapsed() < FRESH) {
            let _ = made;
            return (*at, checks.clone());
        }
        let (at, checks) = (k.clock.now(), self.make(k).await);
        *last = Some((Stopwatch::start(), at, checks.clone()));
        (at, checks)
    }

    async fn make(&self, k: &Kernel) -> Vec<Check> {
        let own = checks::all(k, &self.clock);
        let modules = self.modules.get().map(Vec::as_slice).unwrap_or_default();
        let theirs = join_all(modules.iter().map(|m| diagnose(k, &**m)));
        let (own, theirs) = futures_util::join!(own, theirs);
        own.into_iter().chain(theirs.into_iter().flatten().map(Check::from)).collect()
    }

    /// Makes the checks until the kernel stops.
    pub(crate) async fn run(self: Arc<Self>, k: Kernel) {
        let mut stop = k.stopping();
        let mut failing: BTreeMap<String, u32> = BTreeMap::new();
        let mut told: Option<BTreeSet<String>> = None;
        loop {
            let (_, checks) = self.look(&k).await;
            failing.retain(|name, _| checks.iter().any(|c| c.name == *name && c.state != State::Good));
            for check in checks.iter().filter(|c| c.state != State::Good) {
                let rounds = failing.entry(check.name.clone()).or_default();
                *rounds = rounds.saturating_add(1);
            }
            let lasting = checks.iter().filter(|c| failing.get(&c.name).is_some_and(|n| *n >= ROUNDS));
            match tell(&k, told.as_ref(), &failing, lasting).await {
                Ok(open) => told = Some(open),
                Err(e) => {
                    tracing::warn!(error = e.chain(), "alerts about checks cannot be recorded; tried again")
                }
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                _ = stop.changed() => return,
            }
        }
    }
}

/// Raises what lasts, clears what is well. Returns the keys that are open now.
async fn tell<'c>(
    k: &Kernel,
    told: Option<&BTreeSet<String>>,
    failing: &BTreeMap<String, u32>,
    lasting: impl Iterator<Item = &'c Check>,
) -> Result<BTreeSet<String>> {
    let mut open = match told {
        Some(told) => told.clone(),
        None => alerts::open_keys(&k.db, PREFIX).await?.into_iter().collect(),
    };
    let wanted: Vec<Alert> = lasting.map(alert).collect();
    let well: Vec<String> = {
        let is_well =
            |key: &&String| key.strip_prefix(PREFIX).is_some_and(|name| !failing.contains_key(name));
        open.iter().filter(is_well).cloned().collect()
    };
    if wanted.is_empty() && well.is_empty() {
        return Ok(open);
    }
    let mut tx = k.begin(&Cx::kernel("upkeep", k.clock.now())).await?;
    for key in well {
        tx.clear(&key).await?;
        open.remove(&key);
    }
    for alert in wanted {
        tx.raise(&alert).await?;
        open.insert(alert.key);
    }
    tx.commit().await?;
    Ok(open)
}

fn alert(check: &Check) -> Alert {
    Alert {
        key: format!("{PREFIX}{}", check.name),
        severity: if check.state == State::Bad { Severity::Critical } else { Severity::Warning },
        title: check.title.clone(),
        cause: check.text.clone(),
        todo: check.todo.clone().unwrap_or_else(|| Text::both(t::todo_as_said)),
        affected: Vec::new(),
        since: None,
    }
}

async fn diagnose(k: &Kernel, module: &dyn Module) -> Vec<Finding> {
    match tokio::time::timeout(PATIENCE, module.diagnose(k)).await {
        Ok(found) => found,
        Err(_) => vec![Finding {
            check: module.name(),
            title: Text::both(|l| t::title_module(l, module.name())),
            ok: false,
            text: Text::both(|l| t::check_too_slow(l, PATIENCE.as_secs())),
        }],
    }
}

/// One of the platform's own checks, with its limit.
pub(crate) async fn limited(name: &str, title: Text, check: impl Future<Output = Check>) -> Check {
    match tokio::time::timeout(PATIENCE, check).await {
        Ok(check) => check,
        Err(_) => Check::wrong(
            name,
            title,
            State::Bad,
            Text::both(|l| t::check_too_slow(l, PATIENCE.as_secs())),
            Text::both(t::todo_too_slow),
        ),
    }
}
