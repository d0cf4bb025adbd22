//! Importing the lists: those shipped with the program, with files of an operator's folder in their place or beside
//! them. Tells counts, refused rows and differences; the writing is the kernel's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use adminunits::{History, Input, shipped};
use kernel::clock::Stopwatch;
use kernel::error::Refusal;
use kernel::i18n::{Lang, Text};
use kernel::orgs::import::{self as orgs, Outcome, Reading};
use kernel::{Cx, Error, Kernel, Result};

use crate::t;

/// No real list is larger.
const MOST_MIB: u64 = 32;
/// More files than any set of lists has.
const MOST_FILES: usize = 200;

/// Which lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lists {
    /// Those shipped with the program.
    Shipped,
    /// Those shipped, with the files of a folder in their place or beside them.
    With(PathBuf),
}

/// What an import did.
#[derive(Debug, Clone)]
pub struct Imported {
    /// What was read.
    pub reading: Reading,
    /// What changed, or would change.
    pub outcome: Outcome,
    /// First days of the states, `dd/mm/yyyy`.
    pub states: Vec<String>,
    /// How long reading and writing took.
    pub took: Duration,
    /// Nothing was written.
    pub dry_run: bool,
}

/// Reads the lists and imports them. A dry run only tells what would change.
///
/// # Errors
/// [`Error::Denied`] without the right; [`Error::Refused`] when the folder cannot be read or no history can be built.
/// Refused rows are no error: they are told, and the rest is imported.
pub async fn import(k: &Kernel, cx: &Cx, lists: Lists, dry_run: bool) -> Result<Imported> {
    let watch = Stopwatch::start();
    let built = tokio::task::spawn_blocking(move || build(&lists)).await.map_err(Error::internal)?;
    let (history, reading) = built?;
    let outcome = match dry_run {
        true => orgs::preview(k, &history).await?,
        false => orgs::import(k, cx, &history, &reading).await?,
    };
    let states =
        history.states.iter().map(|d| format!("{:02}/{:02}/{:04}", d.day(), d.month(), d.year())).collect();
    Ok(Imported { reading, outcome, states, took: watch.elapsed(), dry_run })
}

fn build(lists: &Lists) -> Result<(History, Reading)> {
    let given = match lists {
        Lists::Shipped => Vec::new(),
        Lists::With(dir) => files(dir)?,
    };
    let mut inputs = shipped::inputs();
    for (list, bytes) in &given {
        inputs.retain(|i| i.list != list);
        inputs.push(Input { list, bytes });
    }
    let (lists, report) = adminunits::Lists::read(&inputs);
    let (history, findings) = History::build(&lists)
        .map_err(|e| refused("units-not-built", Text::both(|l| t::import_not_built(l, e.to_string()))))?;
    Ok((history, Reading::of(&report, &findings)))
}

/// The lists in a folder, by name.
fn files(dir: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let shown = dir.display();
    let no_dir = |e: std::io::Error| {
        refused(
            "units-no-folder",
            Text::both(|l| t::import_no_dir(l, t::ImportNoDir { dir: &shown, error: e.to_string() })),
        )
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(no_dir)? {
        paths.push(entry.map_err(no_dir)?.path());
    }
    paths.sort();
    let known = |path: &PathBuf| {
        let stem = path.file_stem()?.to_str()?;
        let csv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
        let list = adminunits::Lists::NAMES.contains(&stem) || stem.starts_with("changes_");
        (csv && list).then(|| stem.to_owned())
    };
    let mut out = Vec::new();
    for path in paths.iter().take(MOST_FILES) {
        if let Some(list) = known(path) {
            out.push((list, read(path)?));
        }
    }
    if out.is_empty() {
        return Err(refused("units-no-lists", Text::both(|l| t::import_no_lists(l, &shown))));
    }
    Ok(out)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let file = path.display();
    let no_file = |e: std::io::Error| {
        refused(
            "units-no-file",
            Text::both(|l| t::import_no_file(l, t::ImportNoFile { error: e.to_string(), file: &file })),
        )
    };
    if std::fs::metadata(path).map_err(no_file)?.len() > MOST_MIB << 20 {
        return Err(refused(
            "units-large-file",
            Text::both(|l| t::import_large_file(l, t::ImportLargeFile { file: &file, max: MOST_MIB })),
        ));
    }
    std::fs::read(path).map_err(no_file)
}

fn refused(code: &'static str, text: Text) -> Error {
    Refusal::new(code, text).into()
}

impl Imported {
    /// The report for a terminal.
    pub fn text(&self, l: Lang) -> String {
        let (r, o) = (&self.reading, &self.outcome);
        let mut lines = vec![
            t::import_read(
                l,
                t::ImportRead {
                    accepted: n(l, r.accepted),
                    lists: r.lists.len(),
                    refused: n(l, r.refused),
                    repaired: n(l, r.repaired),
                    rows: n(l, r.rows),
                },
            ),
            t::import_states(l, self.states.join(", ")),
        ];
        for row in &r.refusals {
            lines.push(t::import_refused_row(
                l,
                t::ImportRefusedRow { line: row.line, list: &row.list, reason: row.reason(l) },
            ));
        }
        for (vi, en) in &r.findings {
            lines.push(t::import_finding(l, if l == Lang::Vi { vi } else { en }));
        }
        for d in &o.differences {
            let (before, after) = (or_dash(&d.before), or_dash(&d.after));
            lines.push(t::import_difference(
                l,
                t::ImportDifference {
                    after,
                    before,
                    code: &d.code,
                    name: &d.name,
                    on: d.valid_from.vn(),
                    what: &d.what,
                },
            ));
        }
        lines.push(if o.changes_anything() { changes(l, o) } else { t::import_unchanged(l).to_owned() });
        if self.dry_run {
            lines.push(t::import_dry(l).to_owned());
        }
        let seconds = web::fmt::decimal(l, self.took.as_secs_f64(), 2);
        lines.push(t::import_time(l, seconds));
        lines.join("\n")
    }
}

/// What changed, in two sentences.
pub(crate) fn changes(l: Lang, o: &Outcome) -> String {
    let units = t::import_changed_units(
        l,
        t::ImportChangedUnits {
            corrected: n(l, o.versions_corrected),
            same: n(l, o.versions_same),
            units: n(l, o.units_added),
            versions: n(l, o.versions_added),
            withdrawn: n(l, o.versions_withdrawn),
        },
    );
    let (corrected, same) = (n(l, o.successions_corrected), n(l, o.successions_same));
    let links = t::import_changed_links(
        l,
        t::ImportChangedLinks { absent: n(l, o.absent), corrected, links: n(l, o.successions_added), same },
    );
    format!("{units} {links}")
}

fn n(l: Lang, count: usize) -> String {
    web::fmt::number(l, i64::try_from(count).unwrap_or(i64::MAX))
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "–" } else { text }
}
