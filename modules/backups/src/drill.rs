//! A drill: the newest backup is restored into a scratch directory as it would be after a loss, counted, compared, and
//! samples of it are proved by the modules. Production is only read. What is restored is removed again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::clock::{Stopwatch, Timestamp};
use base::i18n::Text;
use kernel::backup::{self, Restored};
use kernel::blobs::erasures;
use kernel::db::Db;
use kernel::{Error, Kernel, Module, Parts, Result};
use serde::{Deserialize, Serialize};

use crate::keep::{blocking, millis, refuse_without_room};
use crate::settings::Settings;
use crate::shelf::Shelf;

/// Below the shelf; removed when the drill ends, and by the next one if it was killed.
const SCRATCH: &str = ".making-drill";

/// How a drill went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drilled {
    /// The backup that was restored.
    pub name: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The release that made it.
    pub release: String,
    /// Its bytes on disk.
    pub bytes: u64,
    /// Rows restored; equal to what the backup counts, or the drill would have failed.
    pub rows: u64,
    /// Tables restored.
    pub tables: u64,
    /// Files of content restored.
    pub files: u64,
    /// Objects of the content store, compared with the tables.
    pub objects: u64,
    /// Whether content and tables agree.
    pub content_sound: bool,
    /// Keys destroyed again.
    pub erased: u64,
    /// Whether a list of erasures was there.
    pub erasures_known: bool,
    /// Milliseconds to check every byte, restore and compare.
    pub restore_ms: u64,
    /// What modules proved.
    pub trials: Vec<Tried>,
}

/// Samples one module proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// What was proved.
    pub what: Text,
    /// How many.
    pub checked: u64,
    /// Those that could not be, at most twenty.
    pub faults: Vec<String>,
}

impl Drilled {
    /// Whether everything held.
    pub fn is_well(&self) -> bool {
        self.content_sound && self.trials.iter().all(|t| t.faults.is_empty())
    }
}

/// Drills. Only one runs at a time: the caller sees to that.
pub(crate) async fn run(
    k: &Kernel,
    modules: &[Arc<dyn Module>],
    settings: &Settings,
    shelf: &Shelf,
) -> Result<Drilled> {
    let _held = {
        let at = shelf.clone();
        blocking(move || at.hold()).await?
    };
    let (at, keys) = (shelf.clone(), k.keys.clone());
    let newest = blocking(move || Ok(at.list(&keys)?.into_iter().find(|s| s.manifest.is_ok()))).await?;
    let newest = newest.ok_or_else(|| Error::internal("there is no backup to restore"))?;
    // Tables are written to the log of the database and from there to its file.
    refuse_without_room(shelf, newest.bytes.saturating_mul(3), settings.leave_free())?;
    let scratch = shelf.dir().join(SCRATCH);
    std::fs::create_dir_all(&scratch)?;
    let place = Place { from: shelf.path(&newest.name), scratch: scratch.clone(), list: list(k, shelf) };
    let outcome = on_own_thread(k.clone(), modules.to_vec(), settings.drill_samples, place).await;
    blocking(move || Ok(std::fs::remove_dir_all(&scratch)?)).await?;
    let (restored, trials, restore_ms) = outcome?;
    let manifest = restored.manifest;
    Ok(Drilled {
        name: newest.name,
        made_at: manifest.made_at,
        release: manifest.release,
        bytes: newest.bytes,
        rows: manifest.rows.values().sum(),
        tables: manifest.rows.len() as u64,
        files: manifest.content.values().map(|c| c.files).sum(),
        objects: restored.content.objects,
        content_sound: restored.content.is_sound(),
        erased: restored.erased,
        erasures_known: restored.erasures_known,
        restore_ms,
        trials,
    })
}

struct Place {
    from: PathBuf,
    scratch: PathBuf,
    list: Option<PathBuf>,
}

/// The list of erasures: that of the running platform, or the copy beside the backups.
fn list(k: &Kernel, shelf: &Shelf) -> Option<PathBuf> {
    Some(k.data_dir.join(erasures::FILE)).filter(|own| own.exists()).or_else(|| shelf.erasures())
}

/// Restoring decrypts and parses for minutes: it must not share the threads of calls.
async fn on_own_thread(
    k: Kernel,
    modules: Vec<Arc<dyn Module>>,
    samples: u32,
    place: Place,
) -> Result<(Restored, Vec<Tried>, u64)> {
    let runtime = tokio::runtime::Handle::current();
    blocking(move || runtime.block_on(restore(&k, &modules, samples, &place))).await
}

async fn restore(
    k: &Kernel,
    modules: &[Arc<dyn Module>],
    samples: u32,
    place: &Place,
) -> Result<(Restored, Vec<Tried>, u64)> {
    let watch = Stopwatch::start();
    let copy = beside(k, &place.scratch).await?;
    let stopper = tokio::spawn({
        let (copy, mut stop) = (copy.clone(), k.stopping());
        async move {
            let _ = stop.wait_for(|stopping| *stopping).await;
            copy.stop();
        }
    });
    let outcome = async {
        let restored = backup::restore(&copy, modules, &place.from, place.list.as_deref()).await?;
        let restore_ms = millis(&watch);
        Ok((restored, try_modules(&copy, modules, samples).await?, restore_ms))
    }
    .await;
    stopper.abort();
    copy.close().await;
    outcome
}

async fn try_modules(copy: &Kernel, modules: &[Arc<dyn Module>], samples: u32) -> Result<Vec<Tried>> {
    const MOST_FAULTS: usize = 20;
    let mut tried = Vec::new();
    for module in modules {
        if let Some(mut trial) = module.trial(copy, samples).await? {
            trial.faults.truncate(MOST_FAULTS);
            tried.push(Tried { what: trial.what, checked: trial.checked, faults: trial.faults });
        }
    }
    Ok(tried)
}

/// A kernel over an empty directory with a database of its own, under the same master key.
async fn beside(k: &Kernel, dir: &Path) -> Result<Kernel> {
    Ok(Kernel::new(Parts {
        db: Db::sqlite(&dir.join("lienthong.db")).await?,
        clock: k.clock.clone(),
        random: k.random.clone(),
        keys: k.keys.clone(),
        config: k.config.clone(),
        data_dir: dir.to_path_buf(),
    }))
}
