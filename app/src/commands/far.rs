//! Backups in the store on another machine: listed, and brought here to be restored.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use backups::Far;
use backups::shelf::{Shelved, is_name};
use kernel::clock::Timestamp;
use kernel::keys::Keys;

use super::block_on;
use crate::settings::Settings;

/// Below the directory that is restored into: what was brought, until the restore has ended well.
const BROUGHT: &str = ".brought";

/// A backup that was brought here.
pub struct Brought {
    /// Its directory.
    pub dir: PathBuf,
    /// The list of erasures that stood beside the backups.
    pub erasures: Option<PathBuf>,
    place: PathBuf,
}

impl Brought {
    /// Removes it. Until then a restore that failed does not bring everything again.
    pub fn remove(self) -> anyhow::Result<()> {
        std::fs::remove_dir_all(&self.place)
            .with_context(|| format!("{} can be removed by hand", self.place.display()))
    }
}

/// Whether a backup is named by the address of a store.
pub fn is_far(backup: &Path) -> bool {
    backup.to_str().is_some_and(|text| text.starts_with("s3://"))
}

/// The store of `[offsite]`, with bucket and path of the address if one is given; and the name at its end.
fn store(settings: &Settings, address: Option<&str>) -> anyhow::Result<(Far, Option<String>)> {
    let mut section: objects::Settings = settings.config.section("offsite")?;
    let mut name = None;
    if let Some(address) = address {
        let (bucket, path) = objects::bucket_and_prefix(address)
            .with_context(|| format!("{address} is not an address such as s3://BUCKET/PATH"))?;
        let (prefix, last) = path.rsplit_once('/').unwrap_or(("", path));
        name = Some(last.to_owned()).filter(|last| is_name(last));
        section.bucket = bucket.to_owned();
        section.prefix = if name.is_some() { prefix } else { path }.to_owned();
    }
    let store = objects::store(&section)?.context("no store is configured: set [offsite] bucket")?;
    Ok((Far::new(store), name))
}

/// Brings the named backup of a store, or its newest until a moment, below `into`.
pub fn bring(
    address: &Path,
    settings: &Settings,
    keys: &Keys,
    into: &Path,
    until: Timestamp,
) -> anyhow::Result<Brought> {
    let address = address.to_str().context("the address is not a text")?;
    let (far, name) = store(settings, Some(address))?;
    let place = into.join(BROUGHT);
    block_on(async {
        let name = match name {
            Some(name) => name,
            None => match far.newest_until(keys, until).await? {
                Some(newest) => newest.name,
                None => bail!("{} has no usable backup made until {}", far.place(), until.vn_seconds()),
            },
        };
        let dir = place.join(&name);
        println!("Bringing {name} from {} …", far.place());
        let erasures = far.fetch(keys, &name, &dir, &tokio::sync::watch::channel(false).1).await?;
        Ok(Brought { dir, erasures, place: place.clone() })
    })
}

/// What the store has.
pub fn list(settings: &Settings, keys: &Keys) -> anyhow::Result<(String, Vec<Shelved>)> {
    let (far, _) = store(settings, None)?;
    block_on(async { Ok((far.place().to_owned(), far.list(keys).await?)) })
}

/// Tells what was copied.
pub fn say_sent(sent: &backups::Sent) {
    println!("  {}: {} copied and read back, {} bytes", sent.place, sent.sent.len(), sent.bytes);
}
