//! `check`: reads everything, changes nothing; each line says what was found and what to do.

use std::process::ExitCode;

use kernel::keys::Keys;

use super::block_on;
use crate::assemble::Platform;
use crate::cli::Place;
use crate::settings::Settings;

/// Checks configuration, key, database and schema.
pub fn run(place: &Place) -> anyhow::Result<ExitCode> {
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
    for (name, file) in
        [("certificate", &settings.server.tls_certificate), ("TLS key", &settings.server.tls_key)]
    {
        if let Some(file) = file {
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
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
