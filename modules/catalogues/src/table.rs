//! Rows as they come in files: CSV in UTF-8, with or without byte order mark, separated by `;`, `,` or tabs. Every line
//! becomes a row or a refusal with its reason; none is passed over.

use std::collections::HashMap;

use base::clock::Date;
use base::i18n::Text;
use base::text;
use serde::Serialize;

use crate::catalogue::clip;
use crate::t;

/// Most rows of a version.
pub const MAX_ROWS: usize = 50_000;
/// Largest file, in bytes.
pub const MAX_BYTES: u64 = 8 << 20;

/// A row with the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<T> {
    /// From 1; the heading is line 1.
    pub line: u64,
    /// What it says.
    pub row: T,
}

/// A row that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// From 1; the heading is line 1.
    pub line: u64,
    /// Why.
    pub reason: Text,
    /// The beginning of what it said.
    pub given: String,
}

/// What a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading<T> {
    /// Rows that are taken, in order.
    pub rows: Vec<Line<T>>,
    /// Rows that are not.
    pub refused: Vec<Refused>,
}

impl<T> Default for Reading<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), refused: Vec::new() }
    }
}

impl<T> Reading<T> {
    /// Rows numbered from 1: what did not come in a file.
    pub fn of(rows: impl IntoIterator<Item = T>) -> Self {
        let rows = rows.into_iter().zip(1..).map(|(row, line)| Line { line, row }).collect();
        Self { rows, refused: Vec::new() }
    }

    /// Moves the rows for which there is a reason to the refused ones.
    pub fn sift(mut self, reason: impl Fn(&Line<T>) -> Option<Text>, given: impl Fn(&T) -> String) -> Self {
        let mut kept = Vec::with_capacity(self.rows.len());
        for line in self.rows {
            match reason(&line) {
                None => kept.push(line),
                Some(reason) => {
                    let given = clip(&given(&line.row));
                    self.refused.push(Refused { line: line.line, reason, given });
                }
            }
        }
        self.rows = kept;
        self.refused.sort_by_key(|r| r.line);
        self
    }
}

/// One line of a file by the names of its columns.
pub struct Fields<'a> {
    names: &'a [String],
    values: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    /// The value of a column, trimmed; empty when there is no such column.
    pub fn get(&self, column: &str) -> &'a str {
        let at = self.names.iter().position(|n| n == column);
        at.and_then(|i| self.values.get(i)).map_or("", |v| plain(v))
    }

    /// Columns whose names are not among `known`, with their values.
    pub fn others<'s>(&'s self, known: &'s [&str]) -> impl Iterator<Item = (&'s str, &'a str)> + 's {
        let all = self.names.iter().zip(&self.values);
        all.filter(|(n, _)| !known.contains(&n.as_str())).map(|(n, v)| (n.as_str(), plain(v)))
    }

    /// A date, `yyyy-mm-dd` or `dd/mm/yyyy`.
    ///
    /// # Errors
    /// The reason for refusing the row.
    pub fn date(&self, column: &str) -> Result<Option<Date>, Text> {
        date(self.get(column))
    }
}

/// A value as meant: our own exports put an apostrophe before what a spreadsheet would take for a formula.
fn plain(value: &str) -> &str {
    let value = value.trim();
    value.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(value)
}

/// A date as people and programs write it; empty is none.
///
/// # Errors
/// The reason for refusing it.
pub fn date(given: &str) -> Result<Option<Date>, Text> {
    let given = given.trim();
    if given.is_empty() {
        return Ok(None);
    }
    let iso = || given.parse().ok().filter(|_| given.len() == 10);
    // Dates are compared as ISO text, and other years are slips of the keyboard.
    let found = Date::parse_vn(given).or_else(iso).filter(|d| (1900..=2999).contains(&d.year()));
    found.map(Some).ok_or_else(|| Text::both(|l| t::date_malformed(l, clip(given))))
}

/// Reads a file. `names` gives the columns' own names by what people may write over them; `needed` must be there.
///
/// # Errors
/// Why the file as a whole cannot be read.
pub fn read<T>(
    bytes: &[u8],
    names: &[(&str, &[&str])],
    needed: &[&str],
    row: impl Fn(&Fields<'_>) -> Result<T, Text>,
) -> Result<Reading<T>, Text> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(bytes))
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes);
    let mut lines = reader.byte_records();
    let heading = match lines.next() {
        Some(Ok(heading)) => heading,
        _ => return Err(Text::both(t::file_empty)),
    };
    let heading = columns(&heading, names)?;
    for column in needed {
        if !heading.iter().any(|h| h == column) {
            return Err(Text::both(|l| t::column_missing(l, column)));
        }
    }
    let mut reading = Reading::default();
    for record in lines {
        let record = record.map_err(|e| Text::both(|l| t::file_unreadable(l, e.to_string())))?;
        let line = record.position().map_or(0, csv::Position::line);
        if reading.rows.len() + reading.refused.len() >= MAX_ROWS {
            return Err(Text::both(|l| t::too_many_rows(l, MAX_ROWS)));
        }
        match one(&record, &heading, &row) {
            Ok(row) => reading.rows.push(Line { line, row }),
            Err(reason) => {
                let parts: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
                reading.refused.push(Refused { line, reason, given: clip(&parts.join(" | ")) });
            }
        }
    }
    Ok(reading)
}

fn one<T>(
    record: &csv::ByteRecord,
    heading: &[String],
    row: impl Fn(&Fields<'_>) -> Result<T, Text>,
) -> Result<T, Text> {
    let values: Result<Vec<&str>, _> = record.iter().map(std::str::from_utf8).collect();
    let values = values.map_err(|_| Text::both(t::row_not_utf8))?;
    if values.len() != heading.len() {
        let say = |l| t::row_width(l, t::RowWidth { columns: heading.len(), given: values.len() });
        return Err(Text::both(say));
    }
    row(&Fields { names: heading, values })
}

/// The names of the columns: ours where the heading is known, as written otherwise.
fn columns(heading: &csv::ByteRecord, names: &[(&str, &[&str])]) -> Result<Vec<String>, Text> {
    let mut out: Vec<String> = Vec::new();
    for cell in heading {
        let cell = std::str::from_utf8(cell).map_err(|_| Text::both(t::row_not_utf8))?;
        let written = text::nfc(cell.trim());
        let plain = text::fold(&written).replace(['_', '-'], " ");
        let known = names.iter().find(|(own, others)| {
            own.replace('_', " ") == plain || others.iter().any(|other| *other == plain)
        });
        let name = known.map_or(written, |(own, _)| (*own).to_owned());
        if name.is_empty() || out.contains(&name) {
            return Err(Text::both(|l| t::column_twice(l, clip(&name))));
        }
        out.push(name);
    }
    Ok(out)
}

/// What most often separates the cells of the heading.
fn separator(bytes: &[u8]) -> u8 {
    let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
    let heading = &bytes[..end];
    let count = |c: u8| heading.iter().filter(|b| **b == c).count();
    *b",;\t".iter().max_by_key(|c| (count(**c), **c == b',')).unwrap_or(&b',')
}

/// Line of the first row with each key, for naming it when the key comes again.
pub fn first_lines<'a, T>(rows: &'a [Line<T>], key: impl Fn(&'a T) -> String) -> HashMap<String, u64> {
    let mut first = HashMap::new();
    for line in rows {
        first.entry(key(&line.row)).or_insert(line.line);
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[(&str, &[&str])] = &[("code", &["ma"]), ("name", &["ten"])];

    fn codes(file: &[u8]) -> Result<Reading<String>, Text> {
        read(file, NAMES, &["code", "name"], |f| match f.get("code") {
            "" => Err(Text::both(|_| "no code")),
            code => Ok(format!("{code}={}", f.get("name"))),
        })
    }

    fn rows(file: &[u8]) -> Vec<String> {
        codes(file).unwrap().rows.into_iter().map(|l| l.row).collect()
    }

    #[test]
    fn marks_separators_and_vietnamese_headings_are_understood() {
        for file in [
            "\u{feff}code,name\n01,Hà Nội\n",
            "Mã;Tên\r\n01;Hà Nội\r\n",
            "MÃ\tTÊN\n01\tHà Nội",
            "\"Mã\",\"Tên\"\n\"01\",\"Hà Nội\"",
        ] {
            assert_eq!(rows(file.as_bytes()), ["01=Hà Nội"], "{file:?}");
        }
        assert_eq!(rows(b"code,name\n'-1,'=x\n'a,'\n"), ["-1==x", "'a='"], "apostrophes of our own exports");
        assert_eq!(rows("code,name\n\"a\",\"x, \"\"y\"\"\nz\"\n".as_bytes()), ["a=x, \"y\"\nz"]);
    }

    #[test]
    fn every_line_is_a_row_or_a_refusal() {
        let file = b"code;name\n01;a\n;b\n03\n04;\xff\n05;e\n;\n";
        let read = codes(file).unwrap();
        assert_eq!(read.rows.iter().map(|l| l.line).collect::<Vec<_>>(), [2, 6]);
        assert_eq!(read.refused.iter().map(|r| r.line).collect::<Vec<_>>(), [3, 4, 5, 7]);
        assert!(read.refused[1].reason.en.contains('2') && read.refused[2].reason.en.contains("UTF-8"));
    }

    #[test]
    fn files_that_cannot_be_read_say_why() {
        for (file, word) in [
            (&b""[..], "empty"),
            (b"code\n1", "name"),
            (b"code,code,name\n", "code"),
            (b"code,,name\n", "twice"),
            (b"\xff,name\n", "UTF-8"),
        ] {
            let said = codes(file).unwrap_err();
            assert!(said.en.contains(word), "{file:?}: {said:?}");
        }
        let many = format!("code,name\n{}", "1,a\n".repeat(MAX_ROWS + 1));
        assert!(codes(many.as_bytes()).is_err());
    }

    #[test]
    fn dates_in_both_forms() {
        for given in ["2025-07-01", "01/07/2025", " 1/7/2025 "] {
            assert_eq!(date(given).unwrap().unwrap().to_string(), "2025-07-01");
        }
        assert_eq!(date(" "), Ok(None));
        for bad in ["2025-02-30", "31/04/2025", "2025", "01/07/25"] {
            assert!(date(bad).is_err(), "{bad}");
        }
    }
}
