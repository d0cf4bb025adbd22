//! A small strict reader over a parsed TOML document: every value is asked for by name and kind, every fault
//! is kept with its line, and names nobody asked for are faults too. What the values mean is `registry_file`'s
//! matter.

use std::collections::BTreeSet;

use base::clock::Date;
use base::i18n::Text;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::code::clip;
use crate::t;

/// A fault in a file and where it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// Line, from one; zero when the fault is of the file as a whole.
    pub line: usize,
    /// What is wrong and what to write instead.
    pub text: Text,
}

impl Fault {
    /// A fault at a line.
    pub fn new(line: usize, text: Text) -> Self {
        Self { line, text }
    }

    /// One sentence with the line.
    pub fn sentence(&self) -> Text {
        if self.line == 0 {
            return self.text.clone();
        }
        Text::both(|l| t::file_fault(l, t::FileFault { line: self.line, what: self.text.get(l) }))
    }
}

/// Most faults told at once; a file with more has something more general wrong with it.
pub const MAX_FAULTS: usize = 100;

/// Collects faults while a file is read.
#[derive(Debug)]
pub struct Faults {
    /// Offsets at which lines end.
    ends: Vec<usize>,
    list: Vec<Fault>,
}

impl Faults {
    /// For faults in `input`.
    pub fn new(input: &str) -> Self {
        let ends = input.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at).collect();
        Self { ends, list: Vec::new() }
    }

    /// The line on which byte `offset` stands.
    pub fn line(&self, offset: usize) -> usize {
        self.ends.partition_point(|end| *end < offset) + 1
    }

    /// Adds a fault.
    pub fn add(&mut self, line: usize, text: Text) {
        if self.list.len() < MAX_FAULTS {
            self.list.push(Fault { line, text });
        }
    }

    /// Whether there are none so far.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them in the order of the file.
    pub fn finish(mut self) -> Vec<Fault> {
        self.list.sort_by_key(|f| f.line);
        self.list
    }
}

/// One table of the document.
pub struct Section<'t, 'i> {
    table: &'t DeTable<'i>,
    /// Line on which the table begins.
    pub line: usize,
    asked: BTreeSet<&'static str>,
}

impl<'t, 'i> Section<'t, 'i> {
    /// A table that begins at `line`.
    pub fn new(table: &'t DeTable<'i>, line: usize) -> Self {
        Self { table, line, asked: BTreeSet::new() }
    }

    fn take(&mut self, name: &'static str) -> Option<&'t Spanned<DeValue<'i>>> {
        self.asked.insert(name);
        self.table.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value)
    }

    /// An optional text.
    pub fn text(&mut self, name: &'static str, faults: &mut Faults) -> Option<At<String>> {
        let value = self.take(name)?;
        let line = faults.line(value.span().start);
        match value.get_ref() {
            DeValue::String(s) => Some(At { value: base::text::nfc(s), line }),
            _ => {
                faults.add(line, Text::both(|l| t::file_wants_text(l, name)));
                None
            }
        }
    }

    /// A text that must be there and not be blank.
    pub fn need_text(&mut self, name: &'static str, faults: &mut Faults) -> Option<At<String>> {
        let present = self.table.iter().any(|(key, _)| key.get_ref() == name);
        let found = self.text(name, faults);
        if !present || found.as_ref().is_some_and(|f| f.value.trim().is_empty()) {
            let line = found.map_or(self.line, |f| f.line);
            faults.add(line, Text::both(|l| t::file_missing(l, name)));
            return None;
        }
        found
    }

    /// A text that must be there and reads as a `T`.
    pub fn need<T: std::str::FromStr<Err = Text>>(
        &mut self,
        name: &'static str,
        faults: &mut Faults,
    ) -> Option<At<T>> {
        let text = self.need_text(name, faults)?;
        parsed(text, faults)
    }

    /// An optional text that reads as a `T`.
    pub fn maybe<T: std::str::FromStr<Err = Text>>(
        &mut self,
        name: &'static str,
        faults: &mut Faults,
    ) -> Option<At<T>> {
        let text = self.text(name, faults)?;
        parsed(text, faults)
    }

    /// An optional whole number.
    pub fn integer(&mut self, name: &'static str, faults: &mut Faults) -> Option<At<i64>> {
        let value = self.take(name)?;
        let line = faults.line(value.span().start);
        let read = match value.get_ref() {
            DeValue::Integer(i) => i64::from_str_radix(&i.as_str().replace('_', ""), i.radix()).ok(),
            _ => None,
        };
        if read.is_none() {
            faults.add(line, Text::both(|l| t::file_wants_integer(l, name)));
        }
        read.map(|value| At { value, line })
    }

    /// An optional yes or no.
    pub fn boolean(&mut self, name: &'static str, faults: &mut Faults) -> Option<bool> {
        let value = self.take(name)?;
        let read = value.get_ref().as_bool();
        if read.is_none() {
            let line = faults.line(value.span().start);
            faults.add(line, Text::both(|l| t::file_wants_boolean(l, name)));
        }
        read
    }

    /// A date, written as `2026-01-31` or `"31/01/2026"`.
    pub fn date(&mut self, name: &'static str, faults: &mut Faults) -> Option<At<Date>> {
        let value = self.take(name)?;
        let line = faults.line(value.span().start);
        let read = match value.get_ref() {
            DeValue::Datetime(d) if d.time.is_none() && d.offset.is_none() => d.to_string().parse().ok(),
            DeValue::String(s) => s.parse().ok().or_else(|| Date::parse_vn(s)),
            _ => None,
        };
        if read.is_none() {
            faults.add(line, Text::both(|l| t::file_wants_date(l, name)));
        }
        read.map(|value| At { value, line })
    }

    /// A date that must be there.
    pub fn need_date(&mut self, name: &'static str, faults: &mut Faults) -> Option<At<Date>> {
        if !self.table.iter().any(|(key, _)| key.get_ref() == name) {
            faults.add(self.line, Text::both(|l| t::file_missing(l, name)));
        }
        self.date(name, faults)
    }

    /// An optional list of texts.
    pub fn texts(&mut self, name: &'static str, faults: &mut Faults) -> Option<Vec<At<String>>> {
        let value = self.take(name)?;
        let line = faults.line(value.span().start);
        let Some(items) = value.get_ref().as_array() else {
            faults.add(line, Text::both(|l| t::file_wants_texts(l, name)));
            return None;
        };
        let mut out = Vec::new();
        for item in items.iter() {
            let line = faults.line(item.span().start);
            match item.get_ref().as_str() {
                Some(s) => out.push(At { value: base::text::nfc(s), line }),
                None => faults.add(line, Text::both(|l| t::file_wants_texts(l, name))),
            }
        }
        Some(out)
    }

    /// An optional table.
    pub fn table(&mut self, name: &'static str, faults: &mut Faults) -> Option<Section<'t, 'i>> {
        let value = self.take(name)?;
        let line = faults.line(value.span().start);
        match value.get_ref() {
            DeValue::Table(table) => Some(Section::new(table, line)),
            _ => {
                faults.add(line, Text::both(|l| t::file_wants_table(l, name)));
                None
            }
        }
    }

    /// A list of tables (`[[name]]`), empty when absent.
    pub fn tables(&mut self, name: &'static str, faults: &mut Faults) -> Vec<Section<'t, 'i>> {
        let Some(value) = self.take(name) else { return Vec::new() };
        let line = faults.line(value.span().start);
        let Some(items) = value.get_ref().as_array() else {
            faults.add(line, Text::both(|l| t::file_wants_tables(l, name)));
            return Vec::new();
        };
        let mut out = Vec::new();
        for item in items.iter() {
            let line = faults.line(item.span().start);
            match item.get_ref() {
                DeValue::Table(table) => out.push(Section::new(table, line)),
                _ => faults.add(line, Text::both(|l| t::file_wants_tables(l, name))),
            }
        }
        out
    }

    /// Names in the table that nobody asked for are faults: a misspelt name must not be ignored.
    pub fn finish(self, faults: &mut Faults) {
        for (key, _) in self.table.iter().filter(|(key, _)| !self.asked.contains(key.get_ref().as_ref())) {
            let line = faults.line(key.span().start);
            let known = self.asked.iter().copied().collect::<Vec<_>>().join(", ");
            faults.add(
                line,
                Text::both(|l| {
                    t::file_unknown_name(l, t::FileUnknownName { given: clip(key.get_ref()), known: &known })
                }),
            );
        }
    }
}

/// A value and the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its line.
    pub line: usize,
}

fn parsed<T: std::str::FromStr<Err = Text>>(text: At<String>, faults: &mut Faults) -> Option<At<T>> {
    match text.value.parse() {
        Ok(value) => Some(At { value, line: text.line }),
        Err(wrong) => {
            faults.add(text.line, wrong);
            None
        }
    }
}
