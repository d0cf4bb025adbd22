//! `check`: reads everything, changes nothing; each line says what was found and what to do.

use std::process::ExitCode;

use anyhow::bail;
use kernel::blobs::{self, Report};
use kernel::keys::Keys;

use super::block_on;
use crate::assemble::Platform;
use crate::cli::Place;
use crate::control::{self, Answer, Request};
use crate::lock::DataLock;
use crate::settings::Settings;

/// How to look at the content store.
#[derive(Debug, Clone, Copy)]
pub struct Content {
    /// Also decrypt everything.
    pub deep: bool,
}

/// Checks configuration, key, database and schema; the content store if asked to.
pub fn run(place: &Place, content: Option<Content>) -> anyhow::Result<ExitCode> {
    let mut failed = false;
    let mut say = |ok: bool, what: &str, text: &str| {
        println!("{} {what}: {text}", if ok { "ok  " } else { "FAIL" });
        failed |= !ok;
    };
    let settings = match Settings::load(place) {
        Ok(settings) => settings,
        Err(e) => {
            say(false, "configuration", &e.to_string());
            return Ok(ExitCode::FAILURE);
        }
    };
    match Platform::check_sections(&settings) {
        Ok(()) => say(true, "configuration", "all sections are understood"),
        Err(e) => say(false, "configuration", &e.to_string()),
    }
    let key = settings.master_key();
    match Keys::load(&key, None) {
        Ok(_) => say(true, "master key", &key.display().to_string()),
        Err(e) => {
            say(false, "master key", &format!("{}; `lienthong serve` makes one at first start", e.chain()))
        }
    }
    match settings.server.listeners() {
        Ok(all) => {
            for one in &all {
                let (address, policy) = (one.address, &one.entrance);
                let scheme = if one.tls.is_some() { "https" } else { "http" };
                let open: Vec<String> = policy.open.iter().map(|d| format!("{d:?}").to_lowercase()).collect();
                let (zone, open) = (policy.zone.as_str(), open.join(", "));
                say(
                    true,
                    "listener",
                    &format!("{} at {scheme}://{address}, zone {zone}: {open}", policy.name),
                );
            }
        }
        Err(faults) => faults.iter().for_each(|fault| say(false, "listener", fault)),
    }
    for tls in settings.server.listeners().unwrap_or_default().into_iter().filter_map(|l| l.tls) {
        for (name, file) in [("certificate", &tls.certificate), ("TLS key", &tls.key)] {
            let readable = std::fs::metadata(file);
            let text = readable
                .as_ref()
                .map_or_else(|e| format!("{}: {e}", file.display()), |_| file.display().to_string());
            say(readable.is_ok(), name, &text);
        }
    }
    let url = settings.database_url();
    let absent = url.strip_prefix("sqlite:").is_some_and(|p| !std::path::Path::new(p).exists());
    if absent {
        say(true, "database", "none yet; it is made at first start");
    } else {
        let outcome = block_on(async {
            let platform = Platform::open_bare(settings.clone()).await?;
            let steps = kernel::db::pending(&platform.kernel.db, &kernel::schema(&platform.modules())).await;
            platform.kernel.db.close().await;
            Ok(steps?)
        });
        match outcome {
            Ok(steps) if steps.is_empty() => {
                say(true, "database", "reachable, safe settings, schema up to date")
            }
            Ok(steps) => say(
                true,
                "database",
                &format!("reachable; {} schema steps are applied at next start", steps.len()),
            ),
            Err(e) => say(false, "database", &crate::chain(&e)),
        }
    }
    if let Some(content) = content {
        match report(&settings, content) {
            Ok(Some(report)) => failed |= !say_content(&report),
            Ok(None) => println!("ok   content: none yet"),
            Err(e) => {
                println!("FAIL content: {}", crate::chain(&e));
                failed = true;
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Compares content and tables, in the running process if there is one; `None` when there is no content yet.
fn report(settings: &Settings, Content { deep }: Content) -> anyhow::Result<Option<Report>> {
    match control::ask(settings.data(), &Request::CheckContent { deep })? {
        Some(Answer::Content(report)) => return Ok(Some(report)),
        Some(Answer::Failed(e)) => bail!("{e}"),
        Some(_) => bail!("the running process gave an unexpected answer"),
        None if !settings.data().join(blobs::DIR).exists() => return Ok(None),
        None => {}
    }
    let _lock = DataLock::take(settings.data())?;
    block_on(async {
        let platform = Platform::open_bare(settings.clone()).await?;
        let found = control::content(&platform.kernel, deep).await;
        platform.close().await;
        Ok(Some(found?))
    })
}

/// Prints what a comparison found. Returns whether all is well.
pub fn say_content(report: &Report) -> bool {
    let Report { objects, bytes, unreferenced, orphans, .. } = report;
    println!(
        "{} content: {objects} objects, {bytes} bytes; {unreferenced} nobody refers to and {orphans} stored bytes \
         without a record, which the collector takes after a day",
        if report.is_sound() { "ok  " } else { "FAIL" }
    );
    for id in &report.missing {
        println!("     {id} is recorded, its bytes are gone: restore it from a backup");
    }
    for id in &report.damaged {
        println!("     {id} is not what was recorded: restore it from a backup");
    }
    for (id, by) in &report.dangling {
        println!("     {id} is referred to by {} {}, but not recorded", by.kind, by.id);
    }
    if let Some(why) = &report.packs_damaged {
        println!("     the packs cannot be read to the end: {why}");
    }
    report.is_sound()
}
