//! `admin`: what only somebody with access to the machine may do.

use std::process::ExitCode;

use anyhow::bail;

use super::block_on;
use crate::assemble::Platform;
use crate::cli::Place;
use crate::control::{self, Answer, Request};
use crate::lock::DataLock;
use crate::settings::Settings;

/// Prints a one-time link with which the first operator sets a password.
pub fn first_operator(place: &Place) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(place)?;
    let link = match control::ask(settings.data(), &Request::FirstOperator)? {
        Some(Answer::Link(link)) => link,
        Some(Answer::Failed(e)) => bail!("{e}"),
        Some(_) => bail!("the running process gave an unexpected answer"),
        None => block_on(async {
            let _lock = DataLock::take(settings.data())?;
            // Nothing is started: this may run as root, the service does not.
            let platform = Platform::open_idle(settings.clone()).await?;
            let link = platform.first_operator_link().await;
            platform.close().await;
            link
        })?,
    };
    println!("Open this address once, within 24 hours:\n  {link}");
    Ok(ExitCode::SUCCESS)
}
