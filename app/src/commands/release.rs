//! `settings` and `upgrade-check`: what this release is configured by, and what changes on the way to another one.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use kernel::backup;
use serde::Serialize;

use super::block_on;
use crate::assemble::Platform;
use crate::cli::Place;
use crate::described::{Release, Setting, configuration};
use crate::settings::Settings;

/// Rows a step reads or writes in a second, low on purpose.
const ROWS_A_SECOND: i64 = 100_000;

/// Prints every setting: as an example configuration, or as JSON together with the schema.
pub fn settings(json: bool) -> anyhow::Result<ExitCode> {
    match json {
        true => println!("{}", serde_json::to_string_pretty(&this()?)?),
        false => print!("{}", configuration(|_, _| None)?),
    }
    Ok(ExitCode::SUCCESS)
}

/// This release, without any data.
fn this() -> anyhow::Result<Release> {
    Release::this(&Platform::listed()?)
}

/// What another release changes.
#[derive(Debug, Serialize)]
struct Changes {
    from: String,
    to: String,
    added: Vec<String>,
    removed: Vec<String>,
    changed: Vec<String>,
    /// Settings of the configuration in use that the other release does not know.
    refused: Vec<String>,
    steps: Vec<Ahead>,
    seconds: i64,
    database_bytes: u64,
    free_bytes: u64,
    last_backup: Option<String>,
    /// The release before runs on the schema after it.
    way_back: bool,
}

/// A step that is ahead.
#[derive(Debug, Serialize)]
struct Ahead {
    step: String,
    rows: i64,
    breaks: Vec<String>,
}

/// Compares this release, its configuration and its data with another release.
pub fn upgrade_check(to: &Path, json: bool, place: &Place) -> anyhow::Result<ExitCode> {
    let (from, to) = (this()?, described(to)?);
    let configured = Settings::load(place)?;
    let mut found = compare(&from, &to);
    let known = |s: &str, k: &str| to.settings.iter().any(|n| n.section == s && n.key == k);
    found.refused = from
        .settings
        .iter()
        .filter(|s| !known(&s.section, &s.key) && configured.config.is_set(&s.section, &s.key))
        .map(named)
        .collect();
    block_on(ahead(configured, &to, &mut found))?;
    match json {
        true => println!("{}", serde_json::to_string_pretty(&found)?),
        false => say(&found),
    }
    let room = found.free_bytes > found.database_bytes;
    let fine = found.refused.is_empty() && found.way_back && found.last_backup.is_some() && room;
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a release says of itself: a description that was saved, or the program asked for it.
fn described(path: &Path) -> anyhow::Result<Release> {
    let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    if let Ok(release) = serde_json::from_slice(&bytes) {
        return Ok(release);
    }
    let output = Command::new(std::path::absolute(path)?).args(["settings", "--json"]).output();
    let output =
        output.with_context(|| format!("{} is neither a description nor a program", path.display()))?;
    if !output.status.success() {
        bail!(
            "{} does not describe itself: {}",
            path.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{} describes itself in another form", path.display()))
}

fn named(s: &Setting) -> String {
    format!("[{}] {}", s.section, s.key)
}

fn compare(from: &Release, to: &Release) -> Changes {
    let map = |r: &Release| -> BTreeMap<String, String> {
        r.settings.iter().map(|s| (named(s), s.default.clone())).collect()
    };
    let (old, new) = (map(from), map(to));
    let changed = old.iter().filter_map(|(name, before)| {
        let after = new.get(name).filter(|after| *after != before)?;
        Some(format!("{name}: {before} → {after}"))
    });
    Changes {
        from: from.version.clone(),
        to: to.version.clone(),
        added: new.iter().filter(|(n, _)| !old.contains_key(*n)).map(|(n, d)| format!("{n} = {d}")).collect(),
        removed: old.keys().filter(|n| !new.contains_key(*n)).cloned().collect(),
        changed: changed.collect(),
        refused: Vec::new(),
        steps: Vec::new(),
        seconds: 0,
        database_bytes: 0,
        free_bytes: 0,
        last_backup: None,
        way_back: true,
    }
}

/// Looks at the data: which steps are ahead, how many rows they touch, whether there is room and a backup.
async fn ahead(settings: Settings, to: &Release, found: &mut Changes) -> anyhow::Result<()> {
    let disk = rustix::fs::statvfs(settings.data())
        .with_context(|| format!("{} cannot be looked at", settings.data().display()))?;
    found.free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
    let file = settings.database_url().strip_prefix("sqlite:").map(std::path::PathBuf::from);
    if let Some(file) = file {
        let there = std::fs::metadata(&file);
        found.database_bytes =
            there.with_context(|| format!("there is no database {}", file.display()))?.len();
    }
    let platform = Platform::open_bare(settings).await?;
    let k = &platform.kernel;
    let done = k.db.query("SELECT module, name FROM kernel_migration", vec![]).await?;
    let done = done.iter().map(|r| Ok(format!("{}/{}", r.text("module")?, r.text("name")?)));
    let done = done.collect::<kernel::Result<Vec<_>>>()?;
    for step in to.schema.iter().filter(|step| !done.contains(&step.name)) {
        let mut rows = 0;
        for table in step.touches.iter().filter(|t| t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
        {
            // A table of an earlier step that is ahead as well is not there yet, and empty.
            let counted = k.db.query_opt(&format!("SELECT COUNT(*) AS n FROM {table}"), vec![]).await;
            rows += counted.ok().flatten().map_or(0, |row| row.int("n").unwrap_or(0));
        }
        found.seconds += rows / ROWS_A_SECOND + 1;
        found.way_back &= step.breaks.is_empty();
        found.steps.push(Ahead { step: step.name.clone(), rows, breaks: step.breaks.clone() });
    }
    found.last_backup = backup::last(k).await?.map(|at| at.vn());
    platform.close().await;
    Ok(())
}

fn say(c: &Changes) {
    println!("From {} to {}", c.from, c.to);
    let list = |title: &str, all: &[String]| {
        if !all.is_empty() {
            println!("{title}:");
            all.iter().for_each(|one| println!("  {one}"));
        }
    };
    list("New settings", &c.added);
    list("Settings that are gone", &c.removed);
    list("Settings with another default", &c.changed);
    list("FAIL Set here, but not known to the new release (remove them, or it refuses to start)", &c.refused);
    println!("Schema: {} steps ahead, about {} s while nothing is served", c.steps.len(), c.seconds);
    for step in &c.steps {
        println!("  {} ({} rows)", step.step, step.rows);
        list("    FAIL the release before does not run after it", &step.breaks);
    }
    let mib = |bytes: u64| bytes >> 20;
    let room = if c.free_bytes > c.database_bytes { "ok  " } else { "FAIL" };
    println!("{room} disk: {} MiB free, the database has {} MiB", mib(c.free_bytes), mib(c.database_bytes));
    match &c.last_backup {
        Some(at) => println!("ok   last backup: {at}; make one more right before: lienthong backup now"),
        None => println!("FAIL there is no backup: make one first"),
    }
    println!(
        "{}",
        if c.way_back {
            "Way back: stop, put the old program back, start. It runs on the new schema; the new columns stay empty."
        } else {
            "Way back: only by restoring the backup made before; what was done since is lost."
        }
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::described::Step;

    fn release(version: &str, settings: &[(&str, &str)]) -> Release {
        let one = |(key, default): &(&str, &str)| Setting {
            section: "a".into(),
            key: (*key).into(),
            default: (*default).into(),
            vi: String::new(),
            en: String::new(),
        };
        Release { version: version.into(), settings: settings.iter().map(one).collect(), schema: vec![] }
    }

    #[test]
    fn settings_are_compared_by_name_and_default() {
        let (old, new) = (release("1", &[("x", "1"), ("y", "2")]), release("2", &[("y", "3"), ("z", "4")]));
        let found = compare(&old, &new);
        assert_eq!(found.added, ["[a] z = 4"]);
        assert_eq!(found.removed, ["[a] x"]);
        assert_eq!(found.changed, ["[a] y: 2 → 3"]);
    }

    /// The schema that releases ran on; what comes after it may only add.
    const RELEASED: &str = include_str!("../../released-schema.txt");

    #[test]
    fn no_step_since_the_last_release_takes_anything_from_the_one_before() {
        let now = this().unwrap();
        let released: Vec<&str> = RELEASED.lines().filter(|l| !l.starts_with('#')).collect();
        for name in &released {
            assert!(now.schema.iter().any(|s| s.name == *name), "{name} was released and is gone");
        }
        let breaking: Vec<&Step> = now
            .schema
            .iter()
            .filter(|s| !released.contains(&s.name.as_str()) && !s.breaks.is_empty())
            .collect();
        assert!(breaking.is_empty(), "expand first, contract a release later: {breaking:#?}");
    }
}
