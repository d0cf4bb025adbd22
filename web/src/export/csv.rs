//! CSV as RFC 4180 writes it, opened by spreadsheets without harm: a byte order mark says UTF-8, and words that a
//! spreadsheet would take for a formula begin with an apostrophe.

use super::Value;

/// The byte order mark and the line of headings.
pub(super) fn begin(columns: &[String]) -> Vec<u8> {
    let mut out = String::from('\u{feff}');
    line(&mut out, columns.iter().map(|c| words(c)));
    out.into_bytes()
}

/// One line for each row.
pub(super) fn lines(rows: &[Vec<Value>]) -> Vec<u8> {
    let mut out = String::new();
    for row in rows {
        line(&mut out, row.iter().map(written));
    }
    out.into_bytes()
}

fn line(out: &mut String, fields: impl Iterator<Item = String>) {
    for (at, field) in fields.enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&field);
    }
    out.push_str("\r\n");
}

fn written(value: &Value) -> String {
    match value {
        Value::Text(text) => words(text),
        Value::Whole(n) => n.to_string(),
        Value::Time(at) => at.vn_seconds(),
        Value::Date(date) => date.vn(),
        Value::None => String::new(),
    }
}

/// Words, made harmless and quoted where the form asks for it.
fn words(text: &str) -> String {
    let safe = if formula(text) { format!("'{text}") } else { text.to_owned() };
    if safe.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}

/// Whether a spreadsheet would calculate these words: the signs of OWASP's list, full-width forms included, also
/// behind spaces.
fn formula(text: &str) -> bool {
    text.starts_with(['\t', '\r', '\n'])
        || text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::clock::{Date, Timestamp};

    fn text(rows: &[Vec<Value>]) -> String {
        String::from_utf8(lines(rows)).unwrap()
    }

    #[test]
    fn the_file_says_its_encoding_and_quotes_what_must_be() {
        assert_eq!(begin(&["Tên, mã".into(), "Số".into()]), "\u{feff}\"Tên, mã\",Số\r\n".as_bytes());
        let row = vec!["Sở \"A\"".into(), 1_234_567_i64.into(), Value::None, "hai\ndòng".into()];
        assert_eq!(text(&[row]), "\"Sở \"\"A\"\"\",1234567,,\"hai\ndòng\"\r\n");
        let at = Timestamp::from_micros(1_795_335_268_000_000);
        let day = Date::new(2026, 9, 1).unwrap();
        assert_eq!(text(&[vec![at.into(), day.into()]]), format!("{},01/09/2026\r\n", at.vn_seconds()));
    }

    #[test]
    fn words_never_become_formulas() {
        for bad in
            ["=1+1", "+84", "-2", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "=HYPERLINK(\"http://x\")"]
        {
            let out = text(&[vec![bad.into()]]);
            assert!(out.starts_with('\'') || out.starts_with("\"'"), "{bad:?} became {out:?}");
        }
        assert_eq!(text(&[vec![Value::Whole(-2), "a=1".into()]]), "-2,a=1\r\n", "numbers stay numbers");
    }
}
