//! `migrate`: the schema, shown or brought up to date.

use std::process::ExitCode;

use super::block_on;
use crate::assemble::Platform;
use crate::cli::Place;
use crate::lock::DataLock;
use crate::settings::Settings;

/// Lists or applies the missing steps.
pub fn run(place: &Place, dry_run: bool) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(place)?;
    let _lock = DataLock::take(settings.data())?;
    let steps = block_on(async {
        let platform = Platform::open_bare(settings).await?;
        let modules = platform.modules();
        let steps = match dry_run {
            true => kernel::db::pending(&platform.kernel.db, &kernel::schema(&modules)).await?,
            false => platform.kernel.migrate(&modules).await?,
        };
        platform.close().await;
        Ok(steps)
    })?;
    match steps.as_slice() {
        [] => println!("The schema is up to date."),
        some => {
            println!("{}", if dry_run { "Would apply:" } else { "Applied:" });
            some.iter().for_each(|step| println!("  {step}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
