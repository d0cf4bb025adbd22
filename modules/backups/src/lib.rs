//! Backups by themselves: made at their times, verified, kept and removed by rule, copied to a second place; drills of a
//! restore with their report. How a backup is written and restored is the kernel's.

mod drill;
mod keep;
pub mod offsite;
mod pages;
pub mod permissions;
pub mod report;
pub mod retention;
pub mod schedule;
pub mod settings;
pub mod shelf;
mod status;
mod store;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use base::clock::Timestamp;
use kernel::db::Migration;
use kernel::offsite::Offsite;
use kernel::{Cx, Error, Finding, Kernel, Module, Permission, Result};
use tokio::sync::Mutex;

pub use drill::{Drilled, Tried};
pub use keep::Kept;
pub use offsite::{Far, Sent};
pub use settings::Settings;
pub use status::{ADVISORY, Status};
pub use store::{Kind, Run, RunId};

use shelf::Shelf;

/// The texts of `messages.toml`, one typed function each.
#[allow(missing_docs)]
pub mod t {
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}

/// The modules whose data is backed up, named once all are built.
pub type Modules = Arc<OnceLock<Vec<Arc<dyn Module>>>>;

/// How often it is looked whether something is due.
const EVERY: Duration = Duration::from_secs(5);
/// How long to wait before something that failed is tried again.
const AGAIN: Duration = Duration::from_secs(10 * 60);

/// The module.
#[derive(Clone)]
pub struct Backups(Arc<Inner>);

struct Inner {
    settings: Settings,
    modules: Modules,
    one: Mutex<()>,
    far: Option<Far>,
    sending: Mutex<()>,
}

impl Backups {
    /// With these settings, over the data of `modules`; nothing runs before [`Module::start`].
    pub fn new(settings: Settings, modules: Modules) -> Self {
        Self::with_copies(settings, modules, None)
    }

    /// As [`Backups::new`], with a store on another machine that gets a copy of every backup.
    pub fn with_copies(settings: Settings, modules: Modules, store: Option<Arc<dyn Offsite>>) -> Self {
        let (one, sending, far) = (Mutex::new(()), Mutex::new(()), store.map(Far::new));
        Self(Arc::new(Inner { settings, modules, one, far, sending }))
    }

    /// The store on another machine, where one is configured.
    pub fn far(&self) -> Option<&Far> {
        self.0.far.as_ref()
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The shelf, where one is configured.
    pub fn shelf(&self) -> Option<Shelf> {
        self.0.settings.directory.as_ref().map(Shelf::new)
    }

    fn modules(&self) -> &[Arc<dyn Module>] {
        self.0.modules.get().map(Vec::as_slice).unwrap_or_default()
    }

    fn shelf_or_refuse(&self) -> Result<Shelf> {
        self.shelf()
            .ok_or_else(|| Error::internal("no directory for backups is configured: set [backup] directory"))
    }

    /// Makes a backup now, on behalf of `cx`; `by` is the name to be shown. Waits while another backup or drill runs.
    ///
    /// # Errors
    /// When it could not be made; that is noted as well.
    pub async fn back_up(&self, k: &Kernel, cx: &Cx, by: &str) -> Result<Kept> {
        let shelf = self.shelf_or_refuse()?;
        let _one = self.0.one.lock().await;
        let id = store::begin(k, cx, Kind::Backup, by).await?;
        let outcome = keep::run(k, self.modules(), &self.0.settings, &shelf).await;
        let name = outcome.as_ref().map_or("", |kept| kept.name.as_str());
        let told = outcome.as_ref().map(|kept| (kept, true)).map_err(Error::chain);
        store::end(k, id, name, &told).await?;
        outcome
    }

    /// Drills a restore of the newest backup now, on behalf of `cx`; `by` is the name to be shown. Waits while another
    /// backup or drill runs.
    ///
    /// # Errors
    /// When the backup could not be restored; that is noted as well. Faults found in what was restored are no error.
    pub async fn drill(&self, k: &Kernel, cx: &Cx, by: &str) -> Result<(Run, Drilled)> {
        let shelf = self.shelf_or_refuse()?;
        let _one = self.0.one.lock().await;
        let id = store::begin(k, cx, Kind::Drill, by).await?;
        let outcome = drill::run(k, self.modules(), &self.0.settings, &shelf).await;
        let name = outcome.as_ref().map_or("", |drilled| drilled.name.as_str());
        let told = outcome.as_ref().map(|drilled| (drilled, drilled.is_well())).map_err(Error::chain);
        store::end(k, id, name, &told).await?;
        let drilled = outcome?;
        Ok((store::one(k, id).await?, drilled))
    }

    /// Copies to the store on another machine what is not there yet, on behalf of `cx`; `by` is the name to be shown.
    /// Waits while another copying goes on; backups and drills do not wait for it.
    ///
    /// # Errors
    /// When no store is configured, or it is away, refuses, or gave back something else; that is noted as well.
    pub async fn send(&self, k: &Kernel, cx: &Cx, by: &str) -> Result<Sent> {
        let shelf = self.shelf_or_refuse()?;
        let far =
            self.far().ok_or_else(|| Error::internal("no store is configured: set [offsite] bucket"))?;
        let _one = self.0.sending.lock().await;
        let id = store::begin(k, cx, Kind::Offsite, by).await?;
        let outcome = far.follow(k, &shelf, &self.0.settings).await;
        let name = outcome.as_ref().ok().and_then(|sent| sent.sent.first().cloned()).unwrap_or_default();
        let told = outcome.as_ref().map(|sent| (sent, true)).map_err(Error::chain);
        store::end(k, id, &name, &told).await?;
        outcome
    }

    /// How backups and drills stand.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn status(&self, k: &Kernel) -> Result<Status> {
        Status::of(k, &self.0.settings, self.far().is_some()).await
    }

    /// Copies what is due until the kernel stops.
    async fn watch_far(self, k: Kernel) {
        let mut stop = k.stopping();
        let mut failed: Option<Timestamp> = None;
        loop {
            let now = k.clock.now();
            if failed.is_none_or(|at| now.since(at) >= AGAIN) {
                failed = self.send_due(&k).await.err().map(|e| {
                    tracing::error!(error = e.chain(), "backups could not be copied to the store");
                    now
                });
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                _ = stop.changed() => return,
            }
        }
    }

    async fn send_due(&self, k: &Kernel) -> Result<()> {
        if self.status(k).await?.offsite_due {
            let sent = self.send(k, &Cx::kernel("backups", k.clock.now()), "").await?;
            tracing::info!(place = sent.place, bytes = sent.bytes, "backups copied to the store");
        }
        Ok(())
    }

    /// Does what is due until the kernel stops.
    async fn watch(self, k: Kernel) {
        let mut stop = k.stopping();
        let mut failed: Option<Timestamp> = None;
        loop {
            let now = k.clock.now();
            if failed.is_none_or(|at| now.since(at) >= AGAIN) {
                failed = self.due(&k).await.err().map(|e| {
                    tracing::error!(error = e.chain(), "a backup or drill that was due failed");
                    now
                });
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                _ = stop.changed() => return,
            }
        }
    }

    async fn due(&self, k: &Kernel) -> Result<()> {
        let status = self.status(k).await?;
        let cx = Cx::kernel("backups", k.clock.now());
        if status.backup_due {
            let kept = self.back_up(k, &cx, "").await?;
            tracing::info!(name = kept.name, bytes = kept.bytes, "backup made and verified");
        } else if status.drill_due {
            let (_, drilled) = self.drill(k, &cx, "").await?;
            tracing::info!(name = drilled.name, well = drilled.is_well(), "restore drilled");
        }
        Ok(())
    }
}

#[async_trait]
impl Module for Backups {
    fn name(&self) -> &'static str {
        "backups"
    }

    fn migrations(&self) -> &'static [Migration] {
        store::MIGRATIONS
    }

    fn permissions(&self) -> &'static [Permission] {
        permissions::ALL
    }

    async fn start(&self, k: &Kernel) -> Result<()> {
        store::end_interrupted(k).await?;
        if self.0.settings.directory.is_some() {
            tokio::spawn(self.clone().watch(k.clone()));
            if self.far().is_some() {
                tokio::spawn(self.clone().watch_far(k.clone()));
            }
        }
        Ok(())
    }

    async fn diagnose(&self, k: &Kernel) -> Vec<Finding> {
        match self.status(k).await {
            Ok(status) => status.findings(&self.0.settings, self.far()),
            // The database's own check tells.
            Err(_) => Vec::new(),
        }
    }
}

impl web::Pages for Backups {
    fn routes(&self) -> web::Routes {
        pages::routes(self)
    }

    fn nav(&self) -> Vec<web::Nav> {
        pages::nav()
    }
}

/// The newest runs.
///
/// # Errors
/// When the database is away.
pub async fn runs(k: &Kernel, kind: Option<Kind>, most: u32) -> Result<Vec<Run>> {
    store::newest(k, kind, most).await
}
