//! Keeps the snapshot in force equal to the registry: compiles it anew when a fact says that the registry
//! changed, renews it while the database answers, applies the node's own revocation list, and keeps a copy on
//! disk for when the database is away.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use base::clock::{Stopwatch, Timestamp};
use kernel::journal::Event;
use kernel::listeners::{Listener, Memory};
use kernel::{Error, Kernel, Result, Tx};
use tokio::sync::Mutex;

use crate::config::Settings;
use crate::ids::AgreementId;
use crate::quota::Meters;
use crate::snapshot::{Current, Snapshot, Standing};
use crate::{actions, announcement, events, snapshot_file, store};

/// Name of the listener that swaps the snapshot; pages wait for it after a decision.
pub const LISTENER: &str = "exchange.snapshot";
/// How often the local revocation list is looked at.
const LOOK: Duration = Duration::from_millis(400);
/// How often agreements are looked through whose last day has passed.
const SWEEP: Duration = Duration::from_secs(600);

/// The snapshot in force on this node, with what is needed to replace it.
pub struct Keeper {
    current: Current,
    meters: Arc<Meters>,
    settings: Settings,
    /// One replacement at a time; holds the revocations last applied.
    turn: Mutex<Local>,
    folder: std::sync::OnceLock<PathBuf>,
    /// Microseconds since 1970 at which the registry was last read successfully; zero before.
    renewed: AtomicU64,
}

#[derive(Debug, Default)]
struct Local {
    revoked: HashSet<AgreementId>,
    modified: Option<SystemTime>,
}

impl Keeper {
    /// A keeper whose snapshot refuses everything until it has been loaded or compiled.
    pub fn new(settings: Settings) -> Self {
        let nothing = Snapshot::empty(&settings.instance, Timestamp::default());
        Self {
            current: Arc::new(ArcSwap::from_pointee(nothing)),
            meters: Arc::default(),
            settings,
            turn: Mutex::default(),
            folder: std::sync::OnceLock::new(),
            renewed: AtomicU64::new(0),
        }
    }

    /// Where the gateway finds the snapshot in force.
    pub fn current(&self) -> Current {
        Arc::clone(&self.current)
    }

    /// The section `[exchange]`.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The counters of this node.
    pub fn meters(&self) -> Arc<Meters> {
        Arc::clone(&self.meters)
    }

    /// When the registry was last read; `None` when it has not been since the start.
    pub fn renewed_at(&self) -> Option<Timestamp> {
        let micros = i64::try_from(self.renewed.load(Ordering::Relaxed)).unwrap_or(0);
        (micros > 0).then(|| Timestamp::from_micros(micros))
    }

    fn folder(&self, k: &Kernel) -> PathBuf {
        self.folder.get_or_init(|| k.data_dir.join("exchange")).clone()
    }

    /// Puts the copy on disk into force, so that calls pass before the database answers. A missing copy is no
    /// fault; a damaged one is logged and not used; an unreadable revocation list keeps everything closed.
    pub async fn load(&self, k: &Kernel) -> Result<()> {
        let mut local = self.turn.lock().await;
        let folder = self.folder(k);
        local.modified = modified(&folder);
        local.revoked = blocking(move || snapshot_file::revoked(&folder)).await?.map_err(Error::internal)?;
        let folder = self.folder(k);
        match blocking(move || snapshot_file::load(&folder)).await? {
            Ok(snapshot) => self.current.store(Arc::new(snapshot.revoking(&local.revoked))),
            Err(snapshot_file::LoadError::Io(e)) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => tracing::error!(error = %e, "the snapshot on disk is not used"),
        }
        Ok(())
    }

    /// Compiles the registry's present state, puts it into force and keeps a copy on disk.
    ///
    /// # Errors
    /// When the database is away or contradicts itself: then the old snapshot stays in force until its end.
    pub async fn refresh(&self, k: &Kernel) -> Result<()> {
        let mut local = self.turn.lock().await;
        let lifetime = self.settings.snapshot_lifetime();
        let snapshot = store::snapshot::compile(k, &self.settings.instance, lifetime).await?;
        self.renewed.store(u64::try_from(k.clock.now().micros()).unwrap_or(0), Ordering::Relaxed);
        let settled = settled(&snapshot, &local.revoked);
        local.revoked.retain(|id| !settled.contains(id));
        let contents = snapshot.contents().clone();
        let snapshot = Arc::new(snapshot.revoking(&local.revoked));
        self.current.store(Arc::clone(&snapshot));
        let known: HashSet<_> = snapshot.contents().agreements.iter().map(|a| a.id).collect();
        self.meters.retain(|id| known.contains(&id));
        let folder = self.folder(k);
        let kept = blocking(move || {
            snapshot_file::save(&folder, &contents).map_err(snapshot_file::LoadError::from)?;
            if settled.is_empty() { Ok(()) } else { snapshot_file::settle_locally(&folder, &settled) }
        });
        if let Err(e) = kept.await? {
            // Calls are decided rightly; only a restart without the database would find an older copy.
            tracing::error!(error = %e, "the snapshot could not be kept on disk");
        }
        Ok(())
    }

    /// Applies the node's own revocation list when it has changed.
    async fn look_at_revocations(&self, k: &Kernel) -> Result<()> {
        let folder = self.folder(k);
        let mut local = self.turn.lock().await;
        let now = modified(&folder);
        if now == local.modified {
            return Ok(());
        }
        let revoked = blocking(move || snapshot_file::revoked(&folder)).await?.map_err(Error::internal)?;
        local.modified = now;
        if revoked != local.revoked {
            tracing::warn!(count = revoked.len(), "the local revocation list has changed and is in force");
            let contents = self.current.load().contents().clone();
            let compiled = blocking(move || Snapshot::compile(contents)).await?.map_err(Error::internal)?;
            self.current.store(Arc::new(compiled.revoking(&revoked)));
            local.revoked = revoked;
        }
        Ok(())
    }

    /// Renews, sweeps and looks until the kernel stops.
    pub async fn run(self: Arc<Self>, k: Kernel) {
        let mut stop = k.stopping();
        let (mut renewed, mut swept) = (Stopwatch::start(), None::<Stopwatch>);
        let renew_every = (self.settings.snapshot_lifetime() / 24).max(Duration::from_secs(60));
        loop {
            if let Err(e) = self.look_at_revocations(&k).await {
                tracing::error!(error = e.chain(), "the local revocation list cannot be read");
            }
            if renewed.elapsed() >= renew_every || self.is_half_over(&k) {
                renewed = Stopwatch::start();
                if let Err(e) = self.refresh(&k).await {
                    tracing::error!(
                        error = e.chain(),
                        "the snapshot cannot be renewed; the present one serves on"
                    );
                }
            }
            if swept.is_none_or(|s| s.elapsed() >= SWEEP) {
                swept = Some(Stopwatch::start());
                if let Err(e) = actions::expire_due(&k).await {
                    tracing::warn!(error = e.chain(), "ended agreements cannot be recorded");
                }
                let days = &self.settings.announcement.reminder_days;
                if let Err(e) = announcement::remind_due(&k, days).await {
                    tracing::warn!(error = e.chain(), "consumers cannot be reminded of announcements");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.changed() => return,
            }
        }
    }

    /// The demo's clock may be moved by months at once: do not wait for the next renewal then.
    fn is_half_over(&self, k: &Kernel) -> bool {
        let (snapshot, now) = (self.current.load(), k.clock.now());
        let half = self.settings.snapshot_lifetime() / 2;
        self.renewed_at().is_some() && snapshot.not_after().minus(half) <= now
    }
}

/// Revocations that the registry itself now states.
fn settled(snapshot: &Snapshot, revoked: &HashSet<AgreementId>) -> HashSet<AgreementId> {
    let of =
        |a: &&crate::snapshot::AgreementEntry| a.standing == Standing::Revoked && revoked.contains(&a.id);
    snapshot.contents().agreements.iter().filter(of).map(|a| a.id).collect()
}

fn modified(folder: &std::path::Path) -> Option<SystemTime> {
    std::fs::metadata(folder.join(snapshot_file::REVOKED)).and_then(|m| m.modified()).ok()
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

/// Hears that the registry changed.
pub(crate) struct SnapshotListener(pub(crate) Arc<Keeper>);

#[async_trait]
impl Listener for SnapshotListener {
    fn name(&self) -> &'static str {
        LISTENER
    }

    fn hears(&self) -> &'static [&'static str] {
        events::RECOMPILE
    }

    fn memory(&self) -> Memory {
        Memory::Process
    }

    async fn hear(&self, _k: &Kernel, _tx: &mut Tx, _event: &Event) -> Result<()> {
        // What the fact says is read from the tables: one compilation serves all facts of a batch.
        Ok(())
    }

    async fn settled(&self, k: &Kernel) -> Result<()> {
        self.0.refresh(k).await
    }
}
