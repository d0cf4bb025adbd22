//! Photographs of every page of the console, for people to look at: desktop and phone, both languages.

use std::path::PathBuf;

use anyhow::Result;

/// Where they go.
#[derive(clap::Args)]
pub struct Options {
    /// Folder for the PNG files
    #[arg(long, default_value = "target/screenshots")]
    pub to: PathBuf,
}

/// Takes them.
///
/// # Errors
/// When the demonstration or the browser cannot be started.
pub fn run(_options: &Options) -> Result<()> {
    anyhow::bail!("not yet")
}
