//! `bench fill`: invented content and rows of a given size, so that a backup of that size can be measured.

use std::process::ExitCode;

use kernel::blobs::{AccessClass, PutOptions};
use kernel::random::{Random, SeededRandom};
use kernel::{Cx, Kernel, Ref};
use tokio::task::JoinSet;

use super::block_on;
use crate::assemble::Platform;
use crate::cli::Place;
use crate::lock::DataLock;
use crate::settings::Settings;

/// Most of it lies in files, a fifth in packs, a tenth in tables.
const LARGE: usize = 1 << 20;
const SMALL: usize = 20 << 10;
const ROW: usize = 1 << 10;
const AT_ONCE: u64 = 32;

/// Fills the data of a platform that does not run.
pub fn run(mebibytes: u64, place: &Place) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(place)?;
    let _lock = DataLock::take(settings.data())?;
    block_on(async {
        let platform = Platform::open_idle(settings).await?;
        let bytes = mebibytes << 20;
        contents(&platform.kernel, LARGE, bytes / 10 * 7 / LARGE as u64).await?;
        contents(&platform.kernel, SMALL, bytes / 10 * 2 / SMALL as u64).await?;
        rows(&platform.kernel, bytes / 10 / ROW as u64).await?;
        platform.close().await;
        Ok(ExitCode::SUCCESS)
    })
}

async fn contents(k: &Kernel, size: usize, count: u64) -> anyhow::Result<()> {
    let mut begun = 0;
    while begun < count {
        let mut some = JoinSet::new();
        for n in begun..count.min(begun + AT_ONCE) {
            let k = k.clone();
            some.spawn(async move { content(&k, size, n).await });
        }
        begun += AT_ONCE;
        while let Some(done) = some.join_next().await {
            done??;
        }
    }
    Ok(())
}

async fn content(k: &Kernel, size: usize, n: u64) -> kernel::Result<()> {
    let subject = Ref::new("bench", format!("{size}-{n}"));
    let mut bytes = vec![0; size];
    SeededRandom::new(n ^ ((size as u64) << 32)).fill(&mut bytes);
    let options = PutOptions {
        class: AccessClass::Personal,
        subject: subject.clone(),
        keep_until: None,
        max_bytes: size as u64,
    };
    let blobs = k.blobs().await?;
    let id = blobs.put(bytes, &options).await?;
    let mut tx = k.begin(&Cx::kernel("bench", k.clock.now())).await?;
    blobs.reference(&mut tx, &id, &subject).await?;
    tx.commit().await?;
    Ok(())
}

async fn rows(k: &Kernel, count: u64) -> anyhow::Result<()> {
    const IN_ONE: u64 = 500;
    let random = SeededRandom::new(7);
    let mut begun = 0;
    while begun < count {
        let mut tx = k.begin(&Cx::kernel("bench", k.clock.now())).await?;
        for n in begun..count.min(begun + IN_ONE) {
            let mut noise = [0; ROW / 2];
            random.fill(&mut noise);
            let text: String = noise.iter().map(|b| format!("{b:02x}")).collect();
            tx.audit("bench.fill", &Ref::new("bench", n.to_string()), serde_json::json!({"noise": text}))
                .await?;
        }
        tx.commit().await?;
        begun += IN_ONE;
    }
    Ok(())
}
