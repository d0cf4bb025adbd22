//! Paths below a service: bringing them to one form before they are compared with access rights, refusing what
//! different servers might read differently, and the patterns of access rights themselves (UG-SS, endpoints).
//! The raw path is what is forwarded; a path accepted here means the same to whoever receives it.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::id::percent_is_sound;

/// Longest path accepted, in bytes as sent.
pub const MAX_PATH: usize = 8 * 1024;

/// Why a path is refused instead of guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathRefusal {
    /// Longer than [`MAX_PATH`].
    #[error("the path is too long")]
    TooLong,
    /// It is neither empty nor begins with `/`.
    #[error("the path does not begin with a slash")]
    NotAbsolute,
    /// A `%` without two hexadecimal digits, or bytes that are not UTF-8.
    #[error("the path is not valid percent-encoded UTF-8")]
    Encoding,
    /// A segment is `.` or `..`, plain or encoded, also when parameters follow it (`..;x`).
    #[error("the path has a segment that is \".\" or \"..\"")]
    DotSegment,
    /// Two slashes without anything between them.
    #[error("the path has an empty segment (\"//\")")]
    EmptySegment,
    /// An encoded slash, or a backslash in either form: some servers take them for a separator.
    #[error("the path has an encoded slash or a backslash")]
    HiddenSeparator,
    /// A control character, NUL included.
    #[error("the path has a control character")]
    ControlCharacter,
    /// An encoded percent sign before two hexadecimal digits: a server that decodes twice would see another path.
    #[error("the path is percent-encoded twice")]
    DoubleEncoding,
    /// A character that Unicode normalisation turns into a dot, a slash or a backslash.
    #[error("the path has a look-alike of a dot or a slash")]
    LookAlike,
    /// A character that must be encoded in a path.
    #[error("the path has a character that must be percent-encoded")]
    NotEncoded,
}

/// Brings the part of a path after the service code to the form that patterns are compared with: decoded, nothing
/// removed and nothing resolved. Borrows when there is nothing to decode.
///
/// # Errors
/// [`PathRefusal`] for whatever could be read in two ways.
pub fn normalise(raw: &str) -> Result<Cow<'_, str>, PathRefusal> {
    if raw.len() > MAX_PATH {
        return Err(PathRefusal::TooLong);
    }
    if !raw.is_empty() && !raw.starts_with('/') {
        return Err(PathRefusal::NotAbsolute);
    }
    if let Some(bad) = raw.bytes().find(|b| !is_path_byte(*b)) {
        return Err(match bad {
            b'\\' => PathRefusal::HiddenSeparator,
            b if b.is_ascii_control() => PathRefusal::ControlCharacter,
            _ => PathRefusal::NotEncoded,
        });
    }
    if !percent_is_sound(raw.as_bytes()) {
        return Err(PathRefusal::Encoding);
    }
    // The separators are those of the raw path, so segments are looked at one by one and cannot grow new ones.
    let mut segments = raw.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        check_segment(segment, segments.peek().is_none())?;
    }
    percent_decode_str(raw).decode_utf8().map_err(|_| PathRefusal::Encoding)
}

fn check_segment(raw: &str, last: bool) -> Result<(), PathRefusal> {
    if raw.is_empty() {
        return if last { Ok(()) } else { Err(PathRefusal::EmptySegment) };
    }
    let segment = percent_decode_str(raw).decode_utf8().map_err(|_| PathRefusal::Encoding)?;
    for c in segment.chars() {
        match c {
            '/' | '\\' => return Err(PathRefusal::HiddenSeparator),
            c if c.is_control() => return Err(PathRefusal::ControlCharacter),
            // Full-width and small forms, one- and two-dot leaders, and the letters whose folding holds a slash.
            '\u{ff0e}' | '\u{ff0f}' | '\u{ff3c}' | '\u{2024}' | '\u{2025}' | '\u{fe52}' | '\u{fe68}'
            | '\u{2100}' | '\u{2101}' | '\u{2105}' | '\u{2106}' => return Err(PathRefusal::LookAlike),
            _ => {}
        }
    }
    // Java servers cut ";parameters" off before they resolve dots: "..;x" is ".." to them, ";x" an empty segment.
    let bare = segment.split(';').next().unwrap_or_default();
    if bare == "." || bare == ".." {
        return Err(PathRefusal::DotSegment);
    }
    if bare.is_empty() {
        return Err(PathRefusal::EmptySegment);
    }
    let twice =
        segment.as_bytes().windows(3).any(|w| w[0] == b'%' && w[1..].iter().all(u8::is_ascii_hexdigit));
    if twice { Err(PathRefusal::DoubleEncoding) } else { Ok(()) }
}

/// The bytes a path may consist of (RFC 3986 3.3: `pchar` and `/`).
fn is_path_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/".contains(&b)
}

/// Whether a normalised path falls under a pattern. `*` stands for any characters within one segment (alone in its
/// segment: for at least one), `**` for any characters, slashes included. Everything else stands for itself.
pub fn glob_match(pattern: &str, path: &str) -> bool {
    let (p, s) = (pattern.as_bytes(), path.as_bytes());
    let (mut pi, mut si) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    let mut double: Option<(usize, usize)> = None;
    loop {
        if let Some((next, is_double)) = stars_at(p, pi) {
            if is_double {
                // Whatever came before has matched its shortest; "**" can take up any remainder.
                (double, star) = (Some((next, si)), None);
                pi = next;
                continue;
            }
            let alone = (pi == 0 || p[pi - 1] == b'/') && (next == p.len() || p[next] == b'/');
            let first = usize::from(alone);
            if first == 0 || s.get(si).is_some_and(|b| *b != b'/') {
                star = Some((next, si + first));
                (pi, si) = (next, si + first);
                continue;
            }
        } else if pi == p.len() && si == s.len() {
            return true;
        } else if pi < p.len() && si < s.len() && p[pi] == s[si] {
            (pi, si) = (pi + 1, si + 1);
            continue;
        }
        // A mismatch: let the nearest star take one more byte.
        match (star, double) {
            (Some((next, from)), _) if from < s.len() && s[from] != b'/' => {
                star = Some((next, from + 1));
                (pi, si) = (next, from + 1);
            }
            (_, Some((next, from))) if from < s.len() => {
                (star, double) = (None, Some((next, from + 1)));
                (pi, si) = (next, from + 1);
            }
            _ => return false,
        }
    }
}

/// The run of stars at `at`: where it ends, and whether it is more than one.
fn stars_at(p: &[u8], at: usize) -> Option<(usize, bool)> {
    let run = p[at..].iter().take_while(|b| **b == b'*').count();
    (run > 0).then_some((at + run, run > 1))
}

/// Whether a method falls under the method of an access right; `*` stands for all. Methods are case-sensitive.
pub fn method_match(pattern: &str, method: &str) -> bool {
    pattern == "*" || pattern == method
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_paths_stay_as_they_are() {
        for path in ["", "/", "/a", "/a/b/", "/a.b/..c/c..", "/...", "/a;v=1", "/a:b@c!$&'()*+,;=~_-"] {
            assert!(matches!(normalise(path), Ok(Cow::Borrowed(p)) if p == path), "{path}");
        }
        assert_eq!(normalise("/%41%2d%7E/h%E1%BB%99").unwrap(), "/A-~/hộ");
        assert_eq!(normalise("/100%25").unwrap(), "/100%");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        use PathRefusal::*;
        for (path, why) in [
            ("a", NotAbsolute),
            ("/..", DotSegment),
            ("/a/../b", DotSegment),
            ("/a/./b", DotSegment),
            ("/a/.", DotSegment),
            ("/%2e%2e/b", DotSegment),
            ("/%2E./b", DotSegment),
            ("/.%2e", DotSegment),
            ("/%2e", DotSegment),
            ("/..;/b", DotSegment),
            ("/..%3bx/b", DotSegment),
            ("//", EmptySegment),
            ("//a", EmptySegment),
            ("/a//b", EmptySegment),
            ("/a//", EmptySegment),
            ("/a/;x/b", EmptySegment),
            ("/a%2Fb", HiddenSeparator),
            ("/a%2fb", HiddenSeparator),
            ("/..%2f", HiddenSeparator),
            ("/..%5c", HiddenSeparator),
            ("/a\\b", HiddenSeparator),
            ("/a%00", ControlCharacter),
            ("/a%0d%0a", ControlCharacter),
            ("/a%7f", ControlCharacter),
            ("/a%c2%85", ControlCharacter),
            ("/a\u{1}", ControlCharacter),
            ("/%252e%252e/", DoubleEncoding),
            ("/%25%32%65", DoubleEncoding),
            ("/%zz", Encoding),
            ("/%2", Encoding),
            ("/%", Encoding),
            ("/%c0%ae%c0%ae", Encoding),
            ("/%ff", Encoding),
            ("/%EF%BC%8E%EF%BC%8E", LookAlike),
            ("/%E2%80%A5", LookAlike),
            ("/hộ", NotEncoded),
            ("/a b", NotEncoded),
            ("/a?b", NotEncoded),
            ("/a#b", NotEncoded),
            ("/{a}", NotEncoded),
        ] {
            assert_eq!(normalise(path), Err(why), "{path}");
        }
        assert_eq!(normalise(&format!("/{}", "a".repeat(MAX_PATH))), Err(TooLong));
    }

    #[test]
    fn patterns() {
        for (pattern, path, expected) in [
            ("/", "/", true),
            ("/", "", false),
            ("/a", "/a", true),
            ("/a", "/a/", false),
            ("/a", "/A", false),
            ("/a/*", "/a/b", true),
            ("/a/*", "/a/", false),
            ("/a/*", "/a", false),
            ("/a/*", "/a/b/c", false),
            ("/a/*", "/a/b/", false),
            ("/a/*/c", "/a/b/c", true),
            ("/a/*/c", "/a//c", false),
            ("/a/*/c", "/a/b/x/c", false),
            ("/a/b*", "/a/b", true),
            ("/a/b*d", "/a/bccd", true),
            ("/a/b*d", "/a/bc/d", false),
            ("/a/*.json", "/a/x.json", true),
            ("/*a*b/c", "/xaxaxb/c", true),
            ("/a/**", "/a/", true),
            ("/a/**", "/a/b", true),
            ("/a/**", "/a/b/c/d", true),
            ("/a/**", "/a", false),
            ("/a/**", "/ab", false),
            ("/**", "/", true),
            ("/**", "/x/y", true),
            ("/**/c", "/a/b/c", true),
            ("/**/c", "/a/b/cd", false),
            ("/**/b/*", "/a/b/b/c", true),
            ("/**/b/*/x", "/b/1/b/2/x", true),
            ("/**/b/*/x", "/b/1/c/2/x", false),
            ("/**/b/*/x", "/z/b/2/x", true),
            ("**/bar/**", "a/b/c/bar/e/f", true),
            ("**/bar/**", "a/b/c/foo/e/f", false),
            ("", "", true),
            ("", "/", false),
        ] {
            assert_eq!(glob_match(pattern, path), expected, "{pattern} {path}");
        }
        assert!(method_match("*", "PUT") && method_match("GET", "GET") && !method_match("GET", "get"));
    }

    /// The plain recursive definition, against which the fast matcher is compared.
    fn slow(p: &[u8], s: &[u8], at_segment_start: bool) -> bool {
        match stars_at(p, 0) {
            Some((n, true)) => (0..=s.len()).any(|k| slow(&p[n..], &s[k..], false)),
            Some((n, false)) => {
                let alone = at_segment_start && p.get(n).is_none_or(|b| *b == b'/');
                let reach = s.iter().take_while(|b| **b != b'/').count();
                (usize::from(alone)..=reach).any(|k| slow(&p[n..], &s[k..], false))
            }
            None if p.is_empty() => s.is_empty(),
            None => s.first() == Some(&p[0]) && slow(&p[1..], &s[1..], p[0] == b'/'),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn the_matcher_does_what_the_definition_says(pattern in "[ab/*]{0,10}", path in "[ab/]{0,10}") {
            prop_assert_eq!(glob_match(&pattern, &path), slow(pattern.as_bytes(), path.as_bytes(), true));
        }

        #[test]
        fn nothing_escapes(raw in "(/?(\\.|%2e|%2E|%25|%2f|%5c|\\\\|;|a|%c0%ae|%61)?){0,10}") {
            if let Ok(path) = normalise(&raw) {
                // Decoding as often as anyone may decode never brings a dot segment or a new separator to light.
                let mut again = path.clone().into_owned();
                for _ in 0..3 {
                    let next = percent_decode_str(&again).decode_utf8_lossy().into_owned();
                    for segment in next.split(['/', '\\']) {
                        let bare = segment.split(';').next().unwrap();
                        prop_assert!(bare != "." && bare != "..", "{} became {}", raw, next);
                    }
                    prop_assert_eq!(next.split(['/', '\\']).count(), raw.split('/').count());
                    again = next;
                }
            }
        }

        #[test]
        fn no_text_makes_it_panic(raw in "\\PC*", pattern in "\\PC*") {
            let _ = normalise(&raw);
            let _ = glob_match(&pattern, &raw);
        }
    }
}
