//! Writing the little XML the protocol needs: escaping of text.

use std::fmt::Write;

/// Appends `<name>text</name>`; characters that XML 1.0 cannot hold are left out.
pub(crate) fn element(out: &mut String, name: &str, text: &str) {
    let _ = write!(out, "<{name}>");
    self::text(out, text);
    let _ = write!(out, "</{name}>");
}

/// Appends text; characters that XML 1.0 cannot hold are left out.
pub(crate) fn text(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(c),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
}
