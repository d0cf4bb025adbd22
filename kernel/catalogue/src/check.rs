//! Reads the file strictly into messages and collects every fault with its place. It writes no code.

use crate::pattern::{Pattern, is_identifier, is_keyword};
use std::collections::BTreeSet;
use toml::{Table, Value};

/// A fault in a messages file: where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    file: String,
    line: usize,
    text: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.text)
    }
}

/// English has two forms at most; Vietnamese nouns have one.
#[derive(Debug)]
pub(crate) enum English {
    Same(Pattern),
    Plural { one: Pattern, other: Pattern },
}

/// A message that passed every check.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) function: String,
    pub(crate) vi: Pattern,
    pub(crate) en: English,
    /// The texts as written, for the doc comment.
    pub(crate) written: Vec<(&'static str, String)>,
}

pub(crate) fn messages(file: &str, text: &str) -> Result<Vec<Message>, Vec<Problem>> {
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(e) => return Err(vec![syntax(file, text, &e)]),
    };
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for (key, value) in &table {
        match message(key, value) {
            Ok(message) => found.push(message),
            Err(what) => problems.push(Problem {
                file: file.into(),
                line: line_of(text, key),
                text: format!("[{key}] {what}"),
            }),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn syntax(file: &str, text: &str, error: &toml::de::Error) -> Problem {
    let at = error.span().map_or(0, |s| s.start.min(text.len()));
    let line = text.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
    Problem { file: file.into(), line, text: error.message().to_owned() }
}

/// The line of the table's heading; a heading written in another way is shown as line 1.
fn line_of(text: &str, key: &str) -> usize {
    let (plain, quoted) = (format!("[{key}]"), format!("[\"{key}\"]"));
    let is_heading = |line: &str| {
        let line = line.trim();
        line.starts_with(&plain) || line.starts_with(&quoted)
    };
    text.lines().position(is_heading).map_or(1, |n| n + 1)
}

fn message(key: &str, value: &Value) -> Result<Message, String> {
    let function = key.replace('-', "_");
    if key.contains('_') || !is_identifier(&function) {
        return Err("is not a message name: use lower-case words joined by hyphens".into());
    }
    if is_keyword(&function) {
        return Err("is a word of Rust: choose a longer name".into());
    }
    let table = value.as_table().ok_or("must be a table with vi and en")?;
    if let Some(other) = table.keys().find(|k| !matches!(k.as_str(), "vi" | "en")) {
        return Err(format!("has an unknown key \"{other}\": only vi and en are known"));
    }
    let vi = table.get("vi").ok_or("has no text in Vietnamese: add vi = \"…\"")?;
    let en = table.get("en").ok_or("has no text in English: add en = \"…\"")?;
    let mut written = Vec::new();
    let vi = pattern("vi", vi, &mut written)?;
    let en = english(en, &mut written)?;
    agree(&vi, &en)?;
    Ok(Message { function, vi, en, written })
}

fn pattern(
    name: &'static str,
    value: &Value,
    written: &mut Vec<(&'static str, String)>,
) -> Result<Pattern, String> {
    let text = value.as_str().ok_or_else(|| format!("{name} must be a text"))?;
    let pattern = Pattern::read(text).map_err(|what| format!("{name} {what}"))?;
    written.push((name, text.to_owned()));
    Ok(pattern)
}

fn english(value: &Value, written: &mut Vec<(&'static str, String)>) -> Result<English, String> {
    let Some(forms) = value.as_table() else {
        return pattern("en", value, written).map(English::Same);
    };
    if let Some(other) = forms.keys().find(|k| !matches!(k.as_str(), "one" | "other")) {
        return Err(format!("has an unknown key \"en.{other}\": only one and other are known"));
    }
    let (Some(one), Some(other)) = (forms.get("one"), forms.get("other")) else {
        return Err("en needs both one and other".into());
    };
    Ok(English::Plural { one: pattern("en.one", one, written)?, other: pattern("en.other", other, written)? })
}

fn agree(vi: &Pattern, en: &English) -> Result<(), String> {
    let wanted = vi.arguments();
    let main = match en {
        English::Same(pattern) => pattern,
        English::Plural { other, .. } => other,
    };
    if wanted != main.arguments() {
        return Err(format!(
            "has different arguments: Vietnamese has {}, English has {}",
            list(&wanted),
            list(&main.arguments())
        ));
    }
    if let English::Plural { one, .. } = en {
        if !wanted.contains("count") {
            return Err("has a plural but no {count} to decide it".into());
        }
        if let Some(extra) = one.arguments().difference(&wanted).next() {
            return Err(format!("en.one uses {{{extra}}}, which the other texts do not"));
        }
    }
    Ok(())
}

fn list(names: &BTreeSet<&str>) -> String {
    if names.is_empty() {
        return "none".into();
    }
    names.iter().map(|n| format!("{{{n}}}")).collect::<Vec<_>>().join(", ")
}
