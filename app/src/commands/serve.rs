//! `serve`: the platform in production.

use std::process::ExitCode;

use anyhow::bail;

use super::block_on;
use crate::assemble::{Platform, start_logging};
use crate::cli::Place;
use crate::lock::DataLock;
use crate::settings::Settings;
use crate::{notify, server};

/// Runs until a signal asks it to stop.
pub fn run(place: &Place) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(place)?;
    start_logging(&settings.log)?;
    let _lock = DataLock::take(settings.data())?;
    if super::beside::is_copy(settings.data()) {
        bail!("this data is a restored copy to look at: use `lienthong view`, or restore without --beside");
    }
    block_on(async {
        let platform = Platform::open(settings).await?;
        if platform.kernel.setting("demo").await?.is_some() {
            bail!("this data belongs to a demonstration, which can never become production");
        }
        crate::operations::recorder();
        let stop = platform.kernel.stopping();
        server::run(platform, async |address| {
            tracing::info!(%address, "ready");
            notify::say("READY=1");
            tokio::spawn(notify::stay_alive(stop));
            Ok(())
        })
        .await?;
        Ok(ExitCode::SUCCESS)
    })
}
