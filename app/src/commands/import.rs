//! `import`: the shipped or newer lists of units, or a registry file; with `--dry-run` the difference only.

use std::path::Path;
use std::process::ExitCode;

use exchange::actions;
use exchange::diff::Diff;
use kernel::i18n::Lang;
use kernel::{Cx, Kernel};

use super::block_on;
use crate::assemble::Platform;
use crate::cli::Place;
use crate::lock::DataLock;
use crate::settings::Settings;

/// Imports what is named.
pub fn run(
    what: &Path,
    dir: Option<&Path>,
    dry_run: bool,
    lang: &str,
    place: &Place,
) -> anyhow::Result<ExitCode> {
    let lang = Lang::from_tag(lang).unwrap_or_default();
    let settings = Settings::load(place)?;
    let _lock = DataLock::take(settings.data())?;
    block_on(async {
        let platform = Platform::open(settings).await?;
        let outcome = match what.to_str() {
            Some("units") => units(&platform.kernel, dir, dry_run, lang).await,
            _ => registry(&platform.kernel, what, dry_run, lang).await,
        };
        platform.close().await;
        outcome
    })
}

async fn units(k: &Kernel, dir: Option<&Path>, dry_run: bool, lang: Lang) -> anyhow::Result<ExitCode> {
    let cx = Cx::kernel("import", k.clock.now());
    let lists = dir.map_or(units::Lists::Shipped, |dir| units::Lists::With(dir.to_path_buf()));
    let imported = units::import(k, &cx, lists, dry_run).await?;
    print!("{}", imported.text(lang));
    Ok(ExitCode::SUCCESS)
}

async fn registry(k: &Kernel, file: &Path, dry_run: bool, lang: Lang) -> anyhow::Result<ExitCode> {
    let bytes = std::fs::read(file)?;
    let dir = file.parent().unwrap_or(Path::new("."));
    let registry = match exchange::registry_file::read(&bytes, &|name| std::fs::read(dir.join(name))) {
        Ok(registry) => registry,
        Err(faults) => {
            for fault in faults {
                println!("{}:{}: {}", file.display(), fault.line, fault.text.get(lang));
            }
            println!("Nothing was changed.");
            return Ok(ExitCode::FAILURE);
        }
    };
    let cx = Cx::kernel("import", k.clock.now());
    if dry_run {
        let plan = actions::plan(k, &cx, &registry).await?;
        print(&plan.diff, lang);
        return Ok(ExitCode::SUCCESS);
    }
    let imported = actions::import_registry(k, &cx, &registry).await?;
    print(&imported.diff, lang);
    for client in imported.clients {
        println!("client {} ({}): secret {}", client.client_id, client.subsystem, client.secret.expose());
    }
    Ok(ExitCode::SUCCESS)
}

fn print(diff: &Diff, lang: Lang) {
    if diff.is_empty() {
        println!("Nothing changes.");
    }
    for change in &diff.changes {
        println!("{} {}: {}", change.kind.label(lang), change.thing.label(lang), change.key);
        for f in &change.fields {
            let (before, after) = (f.before.as_deref().unwrap_or("—"), f.after.as_deref().unwrap_or("—"));
            println!("    {}: {before} → {after}", f.field);
        }
    }
    for note in &diff.notes {
        println!("  {}", note.get(lang));
    }
}
