//! tmp
use anyhow::Result;
/// tmp
#[derive(clap::Args)]
pub struct Options {}
/// tmp
pub fn run(_o: &Options) -> Result<()> {
    anyhow::bail!("not yet")
}
