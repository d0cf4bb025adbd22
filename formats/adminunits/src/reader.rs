//! Reads one list line by line (RFC 4180 without line breaks inside fields, which these lists never have), so that a
//! stray quotation mark spoils one row and not the rest of the file.

use crate::name::tidy;
use crate::report::{ListReport, Note, Reason, Refused, Repair};

/// No real list is larger.
const LIST_LIMIT: usize = 32 << 20;
/// No real row is larger.
const ROW_LIMIT: usize = 64 << 10;

/// One row: the needed fields, tidied, in the order asked for.
pub(crate) struct Record {
    fields: Vec<String>,
    columns: &'static [&'static str],
    pub(crate) line: usize,
    pub(crate) repairs: Vec<Repair>,
}

impl Record {
    /// A field, possibly empty.
    pub(crate) fn opt(&self, at: usize) -> Option<&str> {
        self.fields.get(at).map(String::as_str).filter(|f| !f.is_empty())
    }

    /// A field that must not be empty.
    pub(crate) fn get(&self, at: usize) -> Result<&str, Reason> {
        self.opt(at).ok_or_else(|| Reason::Empty(self.column(at)))
    }

    /// A field read by `read`.
    pub(crate) fn parse<T>(&self, at: usize, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Reason> {
        let value = self.get(at)?;
        read(value).ok_or_else(|| self.bad(at, value))
    }

    /// A field that may be empty, read by `read`.
    pub(crate) fn parse_opt<T>(
        &self,
        at: usize,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Reason> {
        self.opt(at).map(|value| read(value).ok_or_else(|| self.bad(at, value))).transpose()
    }

    /// The name of a column.
    pub(crate) fn column(&self, at: usize) -> &'static str {
        self.columns.get(at).copied().unwrap_or("?")
    }

    pub(crate) fn bad(&self, at: usize, value: &str) -> Reason {
        Reason::Bad { column: self.column(at), value: excerpt(value) }
    }
}

/// Reads a list that has at least `columns`; `row` accepts or refuses each row.
pub(crate) fn read<T>(
    list: &str,
    bytes: &[u8],
    columns: &'static [&'static str],
    mut row: impl FnMut(&mut Record) -> Result<T, Reason>,
) -> (Vec<T>, ListReport) {
    let mut report = ListReport { list: list.to_owned(), ..ListReport::default() };
    let mut out = Vec::new();
    let mut lines = lines(bytes);
    let header = lines.next().map(|(_, line)| header(line, columns));
    let positions = match header {
        _ if bytes.len() > LIST_LIMIT => Err(Reason::TooLong { limit: LIST_LIMIT }),
        None => Err(Reason::NoHeader),
        Some(found) => found,
    };
    match positions {
        Err(fault) => {
            report.rows = lines.count();
            report.fault = Some(fault);
        }
        Ok((positions, width)) => {
            for (line, bytes) in lines {
                report.rows += 1;
                let made = record(line, bytes, columns, &positions, width).and_then(|mut r| {
                    let made = row(&mut r)?;
                    Ok((made, r.repairs))
                });
                match made {
                    Ok((made, repairs)) => {
                        out.push(made);
                        report.notes.extend(repairs.into_iter().map(|what| Note { line, what }));
                    }
                    Err(reason) => {
                        let text = excerpt(&String::from_utf8_lossy(bytes));
                        report.refused.push(Refused { line, reason, text });
                    }
                }
            }
            report.accepted = out.len();
        }
    }
    (out, report)
}

/// Non-empty lines with their numbers, without line ends and byte order mark.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = bytes.split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l));
    (1..).zip(lines).filter(|(_, l)| !l.is_empty())
}

/// Where each needed column stands, and how many columns there are.
fn header(line: &[u8], columns: &'static [&'static str]) -> Result<(Vec<usize>, usize), Reason> {
    let names = split(std::str::from_utf8(line).map_err(|_| Reason::NotUtf8)?)?;
    let at = |column: &&'static str| {
        names.iter().position(|n| n.trim() == *column).ok_or(Reason::MissingColumn(column))
    };
    Ok((columns.iter().map(at).collect::<Result<_, _>>()?, names.len()))
}

fn record(
    line: usize,
    bytes: &[u8],
    columns: &'static [&'static str],
    positions: &[usize],
    width: usize,
) -> Result<Record, Reason> {
    if bytes.len() > ROW_LIMIT {
        return Err(Reason::TooLong { limit: ROW_LIMIT });
    }
    let all = split(std::str::from_utf8(bytes).map_err(|_| Reason::NotUtf8)?)?;
    if all.len() != width {
        return Err(Reason::Fields { expected: width, found: all.len() });
    }
    let mut repairs = Vec::new();
    let mut fields = Vec::with_capacity(positions.len());
    for at in positions {
        let (field, repaired) = tidy(all.get(*at).map_or("", String::as_str));
        if repaired && repairs.is_empty() {
            repairs.push(Repair::Blanks);
        }
        fields.push(field);
    }
    Ok(Record { fields, columns, line, repairs })
}

/// The fields of one line.
fn split(line: &str) -> Result<Vec<String>, Reason> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => plain_field(rest)?,
        };
        fields.push(field);
        match after {
            Some(after) => rest = after,
            None => return Ok(fields),
        }
    }
}

fn plain_field(rest: &str) -> Result<(String, Option<&str>), Reason> {
    let (field, after) = rest.split_once(',').map_or((rest, None), |(f, a)| (f, Some(a)));
    if field.contains('"') { Err(Reason::Quotes) } else { Ok((field.to_owned(), after)) }
}

/// After the opening quotation mark: up to the closing one; two in a row stand for one.
fn quoted_field(rest: &str) -> Result<(String, Option<&str>), Reason> {
    let mut field = String::new();
    let mut rest = rest;
    loop {
        let (part, after) = rest.split_once('"').ok_or(Reason::Quotes)?;
        field.push_str(part);
        match after.chars().next() {
            None => return Ok((field, None)),
            Some(',') => return Ok((field, after.get(1..))),
            Some('"') => {
                field.push('"');
                rest = after.get(1..).unwrap_or_default();
            }
            Some(_) => return Err(Reason::Quotes),
        }
    }
}

fn excerpt(text: &str) -> String {
    let mut out: String = text.chars().take(120).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_pairs(text: &[u8]) -> (Vec<(String, String)>, ListReport) {
        read("t", text, &["b", "a"], |r| Ok((r.get(0)?.to_owned(), r.opt(1).unwrap_or("").to_owned())))
    }

    #[test]
    fn columns_are_found_by_name_and_fields_unquoted() {
        let (rows, report) = read_pairs("\u{feff}a,x,b\r\n1,,\"hai, \"\"ba\"\"\"\r\n\r\n,,2 \r\n".as_bytes());
        assert_eq!(rows, [("hai, \"ba\"".into(), "1".into()), ("2".into(), String::new())]);
        assert_eq!((report.rows, report.accepted), (2, 2));
        assert_eq!(report.notes, [Note { line: 4, what: Repair::Blanks }]);
    }

    #[test]
    fn a_bad_row_is_named_and_the_next_one_is_read() {
        let text = b"a,b\n1,\"open\n2,x\n3\n\xff,y\n4,\"a\"b\n5,\n6,z";
        let (rows, report) = read_pairs(text);
        assert_eq!(rows, [("x".into(), "2".into()), ("z".into(), "6".into())]);
        let refused: Vec<_> = report.refused.iter().map(|r| (r.line, r.reason.clone())).collect();
        assert_eq!(
            refused,
            [
                (2, Reason::Quotes),
                (4, Reason::Fields { expected: 2, found: 1 }),
                (5, Reason::NotUtf8),
                (6, Reason::Quotes),
                (7, Reason::Empty("b")),
            ]
        );
        assert_eq!(report.rows, report.accepted + report.refused_rows());
    }

    #[test]
    fn a_list_without_its_columns_is_refused_whole_and_counted() {
        let (rows, report) = read_pairs(b"a,c\n1,2\n3,4\n");
        assert!(rows.is_empty());
        assert_eq!(report.fault, Some(Reason::MissingColumn("b")));
        assert_eq!(report.refused_rows(), 2);
        assert_eq!(read_pairs(b"").1.fault, Some(Reason::NoHeader));
    }

    #[test]
    fn an_endless_row_is_refused() {
        let text = format!("a,b\n1,{}\n2,x\n", "y".repeat(ROW_LIMIT));
        let (rows, report) = read_pairs(text.as_bytes());
        assert_eq!(rows.len(), 1);
        assert_eq!(report.refused[0].reason, Reason::TooLong { limit: ROW_LIMIT });
        assert!(report.refused[0].text.len() < 200);
    }

    proptest! {
        #[test]
        fn every_row_is_accounted_for(text in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut bytes = b"a,b\n".to_vec();
            bytes.extend(text);
            let (rows, report) = read_pairs(&bytes);
            prop_assert_eq!(rows.len(), report.accepted);
            prop_assert_eq!(report.rows, report.accepted + report.refused_rows());
        }

        #[test]
        fn what_was_written_is_read(fields in proptest::collection::vec("[a-zà-ỹ\", ]{1,12}", 2)) {
            let quoted: Vec<_> = fields.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect();
            prop_assert_eq!(split(&quoted.join(",")).unwrap(), fields);
        }
    }
}
