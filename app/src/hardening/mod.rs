//! How the installation is protected, line by line: passed, failed, or not to be seen from here; why, and what to do. Looks
//! at this machine and the configuration only, changes nothing, needs no running platform.

mod access;
mod files;
mod machine;
mod unit;

use std::path::Path;
use std::process::ExitCode;

use kernel::clock::{Clock, SystemClock};
use kernel::i18n::{Lang, Text};
use serde::Serialize;

use crate::cli::Place;
use crate::settings::Settings;
use crate::t;

/// How a line came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Result {
    /// As it should be.
    Passed,
    /// Not as it should be.
    Failed,
    /// A person must look: it cannot be seen from here.
    Unknown,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Stable name.
    pub check: &'static str,
    /// What was looked at.
    pub title: Text,
    /// How it came out.
    pub result: Result,
    /// What was found.
    pub why: Text,
    /// What to do; none when it passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<Text>,
}

/// A text by language, from the messages.
type Say = fn(Lang) -> &'static str;

impl Line {
    fn passed(check: &'static str, title: Say, why: Text) -> Self {
        Self { check, title: Text::both(title), result: Result::Passed, why, remedy: None }
    }

    fn failed(check: &'static str, title: Say, why: Text, remedy: Say) -> Self {
        let remedy = Some(Text::both(remedy));
        Self { check, title: Text::both(title), result: Result::Failed, why, remedy }
    }

    fn unknown(check: &'static str, title: Say, why: Text, remedy: Say) -> Self {
        Self { result: Result::Unknown, ..Self::failed(check, title, why, remedy) }
    }
}

/// Looks at everything. `config` is the file of the configuration, if there is one.
pub fn examine(settings: &Settings, config: Option<&Path>) -> Vec<Line> {
    let mut lines = files::lines(settings, config);
    lines.extend(access::lines(settings));
    lines.push(unit::line());
    lines.extend(machine::lines(settings));
    lines
}

/// Prints the report; fails when a line failed.
pub fn run(json: bool, lang: &str, place: &Place) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(place)?;
    let lines = examine(&settings, place.config.as_deref());
    let lang = if lang == "en" { Lang::En } else { Lang::Vi };
    match json {
        true => println!("{}", serde_json::to_string_pretty(&lines)?),
        false => print!("{}", text(lang, &settings, &lines)),
    }
    let failed = lines.iter().any(|line| line.result == Result::Failed);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The report as text to be kept and printed.
pub fn text(lang: Lang, settings: &Settings, lines: &[Line]) -> String {
    let count = |result| lines.iter().filter(|line| line.result == result).count();
    let mut out = format!("{}\n", t::hardening_title(lang).to_uppercase());
    let (name, at) = (&settings.platform.name, SystemClock.now().vn());
    let release = env!("CARGO_PKG_VERSION");
    out.push_str(&t::hardening_of(lang, t::HardeningOf { at, name, release }));
    out.push('\n');
    let counts = t::HardeningCounts {
        failed: count(Result::Failed),
        passed: count(Result::Passed),
        unknown: count(Result::Unknown),
    };
    out.push_str(&format!("{}\n\n", t::hardening_counts(lang, counts)));
    for line in lines {
        let mark = match line.result {
            Result::Passed => t::hardening_passed(lang),
            Result::Failed => t::hardening_failed(lang),
            Result::Unknown => t::hardening_unknown(lang),
        };
        out.push_str(&format!("[{mark}] {}: {}\n", line.title.get(lang), line.why.get(lang)));
        if let Some(remedy) = &line.remedy {
            out.push_str(&format!("     → {}\n", remedy.get(lang)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use kernel::config::Config;

    use super::*;

    #[test]
    fn every_line_of_a_fresh_directory_has_its_reason_and_what_failed_its_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let text_of = format!("[platform]\ndata = {:?}\n", dir.path());
        let settings = Settings::from_config(Config::from_text(None, text_of, []).unwrap()).unwrap();
        let lines = examine(&settings, None);
        assert!(lines.len() >= 12, "{lines:#?}");
        for line in &lines {
            assert!(!line.why.vi.is_empty() && !line.why.en.is_empty(), "{line:?}");
            assert_eq!(line.remedy.is_some(), line.result != Result::Passed, "{line:?}");
        }
        let result = |check: &str| lines.iter().find(|l| l.check == check).unwrap().result;
        assert_eq!(result("backups.scheduled"), Result::Failed);
        assert_eq!(result("server.addresses"), Result::Passed, "the default listens here only");
        let said = text(Lang::Vi, &settings, &lines);
        assert!(said.contains("CHƯA ĐẠT") && said.contains("→"), "{said}");
        let mut names: Vec<_> = lines.iter().map(|l| l.check).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), lines.len(), "names are stable and single");
    }
}
