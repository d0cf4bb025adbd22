//! Lines, and what may stand in them: the character rules of RFC 9110 5 and the line rules of RFC 9112 2.2.

use crate::Violation;

/// A character of a token (RFC 9110 5.6.2).
pub(crate) fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

/// A character of a field value (RFC 9110 5.5), spaces, tabs and bytes above ASCII included.
fn is_value_byte(b: u8) -> bool {
    b == b'\t' || (b >= b' ' && b != 0x7f)
}

/// Finds the end of the line that begins at `from`: the position of its CR. `scanned` is how far earlier calls have
/// looked; it is moved on, so that a line arriving byte by byte is read only once.
///
/// Returns `None` while the line is unfinished and shorter than `limit` (CRLF included).
pub(crate) fn line_end(
    buf: &[u8],
    from: usize,
    scanned: &mut usize,
    limit: usize,
    too_long: Violation,
) -> Result<Option<usize>, Violation> {
    let bound = buf.len().min(from.saturating_add(limit));
    for at in (*scanned).max(from)..bound {
        match buf[at] {
            b'\n' if at > from && buf[at - 1] == b'\r' => return Ok(Some(at - 1)),
            b'\n' => return Err(Violation::BareLf),
            _ if at > from && buf[at - 1] == b'\r' => return Err(Violation::BareCr),
            _ => {}
        }
    }
    *scanned = bound;
    if bound == from.saturating_add(limit) { Err(too_long) } else { Ok(None) }
}

/// Splits a header or trailer line (without CRLF) into the end of its name and the range of its value, both relative
/// to the line; the value without surrounding spaces and tabs.
pub(crate) fn split(line: &[u8]) -> Result<(usize, std::ops::Range<usize>), Violation> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(Violation::ObsFold);
    }
    let name = line.iter().take_while(|b| is_token_byte(**b)).count();
    match line.get(name) {
        Some(b':') if name > 0 => {}
        Some(b' ' | b'\t') if line[name..].trim_ascii_start().first() == Some(&b':') => {
            return Err(Violation::SpaceBeforeColon);
        }
        _ => return Err(Violation::HeaderName),
    }
    let value = &line[name + 1..];
    if !value.iter().all(|b| is_value_byte(*b)) {
        return Err(Violation::HeaderValue);
    }
    let is_space = |b: &u8| matches!(b, b' ' | b'\t');
    let leading = value.iter().take_while(|b| is_space(b)).count();
    let trailing = value[leading..].iter().rev().take_while(|b| is_space(b)).count();
    Ok((name, name + 1 + leading..line.len() - trailing))
}
