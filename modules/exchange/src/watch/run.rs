//! The watch itself: whose turn it is, what came of it, and the alerts that follow. Survives a database that is away:
//! it goes on looking and tells when it can.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use base::clock::Timestamp;
use kernel::alerts::{self, Act, Alert};
use kernel::{Cx, Kernel, Result};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::tally::{CALLS_PROVE, Down, Tally};
use super::told::{self, Wrong, address};
use super::verdicts::Verdicts;
use super::{Calls, Cause, Lookups, Reached, Settings, look};
use crate::diagnose;
use crate::health::Health;
use crate::service::BaseUrl;
use crate::snapshot::{Current, Snapshot};

/// How often it is asked whose turn it is.
const TICK: Duration = Duration::from_millis(250);
/// After a look that failed the next one comes soon.
const AGAIN: Duration = Duration::from_secs(1);
/// How often a look includes the TLS handshake.
const THOROUGH: Duration = Duration::from_secs(60);
/// How often open alerts are refreshed: texts follow the registry, and "last seen" goes on.
const REFRESH: Duration = Duration::from_secs(60);
/// Looks at the same time.
const AT_ONCE: usize = 64;
/// After this time at the latest what an earlier process had raised is taken over.
const SETTLE: Duration = Duration::from_secs(20);

/// What the watch needs.
pub struct Parts {
    /// `[exchange.watch]`
    pub settings: Settings,
    /// The registry in force.
    pub snapshot: Current,
    /// How services do, for calls that prove what a look doubts.
    pub health: Arc<Health>,
    /// How calls end.
    pub calls: Arc<Calls>,
    /// As the gateway connects: the authorities it trusts.
    pub tls: TlsConnector,
    /// How what is down is examined, so that its alert says whose side it is; nothing is examined without it.
    pub examining: Option<diagnose::Parts>,
}

/// Watches until the kernel stops.
pub async fn run(k: Kernel, parts: Parts) {
    if parts.settings.seconds == 0 {
        return;
    }
    let mut stop = k.stopping();
    let mut watch = Watch::new(k, parts);
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            Some(Ok(seen)) = watch.looks.join_next() => watch.take(seen),
            Some(Ok(found)) = watch.verdicts.finished() => watch.verdicts.take(found),
            _ = tick.tick() => {
                watch.begin_looks();
                watch.tell().await;
            }
        }
    }
}

/// A look that ended.
struct Seen {
    address: String,
    thorough: bool,
    at: Timestamp,
    found: std::result::Result<Reached, Cause>,
}

/// An address of the registry.
struct Place {
    url: BaseUrl,
    tally: Tally,
    due: Instant,
    thorough_due: Instant,
    looking: bool,
    certificate_ends: Option<Timestamp>,
}

struct Watch {
    k: Kernel,
    parts: Parts,
    lookups: Lookups,
    began: Instant,
    serial: Option<u64>,
    places: HashMap<String, Place>,
    looks: JoinSet<Seen>,
    verdicts: Verdicts,
    told: Told,
}

/// What the database has been told.
#[derive(Default)]
struct Told {
    /// The open alerts; `None` until those of an earlier process have been read.
    keys: Option<BTreeSet<String>>,
    wrong: Wrong,
    serial: Option<u64>,
    at: Option<Instant>,
    /// Not before this moment again, after a failure.
    not_before: Option<Instant>,
}

impl Watch {
    fn new(k: Kernel, parts: Parts) -> Self {
        let (began, lookups) = (Instant::now(), Lookups::default());
        let (places, looks, told) = (HashMap::new(), JoinSet::new(), Told::default());
        let verdicts = Verdicts::new(k.clone(), parts.examining.clone());
        Self { k, parts, lookups, began, serial: None, places, looks, verdicts, told }
    }

    /// Between nine and eleven tenths of a pause: addresses registered together are not looked at together.
    fn jittered(&self, pause: Duration) -> Duration {
        let mut byte = [0_u8; 1];
        self.k.random.fill(&mut byte);
        pause * (900 + u32::from(byte[0]) * 200 / 255) / 1000
    }

    fn follow(&mut self, snapshot: &Snapshot) {
        if self.serial == Some(snapshot.serial()) {
            return;
        }
        self.serial = Some(snapshot.serial());
        let mut wanted: HashMap<String, &BaseUrl> = HashMap::new();
        for service in told::watched(snapshot) {
            wanted.entry(address(&service.base_url)).or_insert(&service.base_url);
        }
        self.places.retain(|at, _| wanted.contains_key(at));
        let pause = self.parts.settings.pause(wanted.len());
        let mut many = 0;
        for (at, url) in wanted {
            if self.places.contains_key(&at) {
                continue;
            }
            many += 1;
            // The first looks at a large registry are spread over one pause.
            let wait = if many > AT_ONCE { self.jittered(pause) } else { Duration::ZERO };
            let due = Instant::now() + wait;
            let place = Place {
                url: url.clone(),
                tally: Tally::default(),
                due,
                thorough_due: due,
                looking: false,
                certificate_ends: None,
            };
            self.places.insert(at, place);
        }
    }

    fn begin_looks(&mut self) {
        let snapshot = self.parts.snapshot.load_full();
        self.follow(&snapshot);
        for path in self.parts.calls.suspects() {
            let url = snapshot.service(&path).map(|s| address(&s.base_url));
            if let Some(place) = url.and_then(|at| self.places.get_mut(&at)) {
                let now = Instant::now();
                (place.due, place.thorough_due) = (now, now);
            }
        }
        let now = Instant::now();
        for (at, place) in &mut self.places {
            if self.looks.len() >= AT_ONCE {
                return;
            }
            if place.looking || place.due > now {
                continue;
            }
            place.looking = true;
            let thorough = place.url.is_https() && place.thorough_due <= now;
            let tls = thorough.then(|| self.parts.tls.clone());
            let (url, lookups, address) = (place.url.clone(), self.lookups.clone(), at.clone());
            let at = self.k.clock.now();
            self.looks.spawn(async move {
                let found = look(&url, tls.as_ref(), &lookups).await;
                Seen { address, thorough, at, found }
            });
        }
    }

    fn take(&mut self, seen: Seen) {
        let pause = self.jittered(self.parts.settings.pause(self.places.len()));
        let Some(place) = self.places.get_mut(&seen.address) else { return };
        let now = Instant::now();
        place.looking = false;
        place.tally.take(seen.found.map(|_| ()), seen.at);
        match seen.found {
            Ok(reached) => {
                if seen.thorough {
                    place.certificate_ends = reached.certificate_ends;
                    place.thorough_due = now + THOROUGH;
                }
            }
            // What failed by its certificate is only well again when a handshake says so.
            Err(_) => place.thorough_due = now,
        }
        place.due = now + if place.tally.is_doubtful() { AGAIN } else { pause };
    }

    /// What is wrong at this moment.
    fn wrong(&self, snapshot: &Snapshot, now: Timestamp) -> Wrong {
        let mut wrong = Wrong::default();
        for (at, place) in &self.places {
            if let Some(down) = place.tally.down() {
                wrong.down.insert(at.clone(), down);
            }
            let days = |end: Timestamp| (end.micros() - now.micros()).div_euclid(86_400_000_000);
            if let Some(end) = place.certificate_ends
                && days(end) < i64::from(self.parts.settings.certificate_days)
            {
                wrong.ending.insert(at.clone(), (end, days(end)));
            }
        }
        if !wrong.down.is_empty() {
            for service in told::watched(snapshot) {
                let at = address(&service.base_url);
                if wrong.down.get(&at).is_some_and(|down| self.disproved(&service.path, *down, now)) {
                    wrong.down.remove(&at);
                }
            }
        }
        // While a look has yet to confirm what calls say, nothing is said twice.
        let answers = |path: &str| {
            let url = snapshot.service(path).map(|s| address(&s.base_url));
            url.and_then(|at| self.places.get(&at)).is_some_and(|place| place.tally.is_well())
        };
        wrong.failing = self.parts.calls.failing(now).into_iter().filter(|(path, _)| answers(path)).collect();
        wrong
    }

    /// Whether a call has succeeded lately, after the first look that failed.
    fn disproved(&self, path: &str, down: Down, now: Timestamp) -> bool {
        let last = self.parts.health.report(path, now).last_success;
        last.is_some_and(|at| at > down.since.millis() && at >= now.minus(CALLS_PROVE).millis())
    }

    /// Brings the alerts up to what is known, if that has changed.
    async fn tell(&mut self) {
        let settled = self.places.values().all(|p| p.tally.is_settled());
        if self.told.keys.is_none() && !settled && self.began.elapsed() < SETTLE {
            return;
        }
        if self.told.not_before.is_some_and(|at| at > Instant::now()) {
            return;
        }
        let (snapshot, now) = (self.parts.snapshot.load_full(), self.k.clock.now());
        let mut wrong = self.wrong(&snapshot, now);
        self.verdicts.examine(&snapshot, &mut wrong);
        let is_fresh = self.told.at.is_some_and(|at| at.elapsed() < REFRESH);
        if is_fresh && wrong == self.told.wrong && self.told.serial == self.serial {
            return;
        }
        let wanted = told::alerts(&snapshot, &wrong, now);
        match self.write(&wanted, &told::acts(&snapshot, &wrong)).await {
            Ok(()) => {
                self.told.keys = Some(wanted.into_keys().collect());
                self.told.wrong = wrong;
                (self.told.serial, self.told.at) = (self.serial, Some(Instant::now()));
                self.told.not_before = None;
            }
            Err(e) => {
                tracing::warn!(error = e.chain(), "alerts about providers cannot be recorded; tried again");
                self.told.not_before = Some(Instant::now() + Duration::from_secs(2));
            }
        }
    }

    async fn write(&self, wanted: &BTreeMap<String, Alert>, acts: &BTreeMap<String, Vec<Act>>) -> Result<()> {
        let mut open = self.told.keys.clone().unwrap_or_default();
        if self.told.keys.is_none() {
            for prefix in told::PREFIXES {
                open.extend(alerts::open_keys(&self.k.db, prefix).await?);
            }
        }
        if wanted.is_empty() && open.is_empty() {
            return Ok(());
        }
        let mut tx = self.k.begin(&Cx::kernel("exchange.watch", self.k.clock.now())).await?;
        for key in open.iter().filter(|key| !wanted.contains_key(*key)) {
            tx.clear(key).await?;
        }
        for alert in wanted.values() {
            let id = tx.raise(alert).await?;
            for act in acts.get(&alert.key).into_iter().flatten() {
                tx.offer(id, act).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }
}
