//! Codes: the parts of which identifiers on the wire are made (instance, class, member, subsystem, service).
//! Holds what a code may look like; encoding on the wire belongs to the `xroad` crate.

use base::i18n::Text;

use crate::t;

/// Longest code accepted, in characters; longer ones do not fit the monitoring record's fields.
pub const MAX_CODE: usize = 64;

/// Characters besides letters and digits that an X-Road REST identifier may hold unencoded (PR-REST 4.1),
/// less those that file names, shells or CSV programs give a meaning to.
const MARKS: &[u8] = b"-._";

/// Checks one part of an identifier.
///
/// # Errors
/// The sentence that says what a code may look like.
pub fn check(code: &str) -> Result<(), Text> {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || MARKS.contains(b);
    let named = code.bytes().any(|b| b.is_ascii_alphanumeric());
    if code.is_empty() || code.len() > MAX_CODE || !code.as_bytes().iter().all(plain) || !named {
        return Err(Text::both(|l| t::code_form(l, t::CodeForm { given: clip(code), max: MAX_CODE })));
    }
    Ok(())
}

/// At most forty characters of a text that came from outside, for showing inside an error.
pub fn clip(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut out: String = text.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    if text.chars().count() > SHOWN {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_wire_are_plain_words() {
        for good in ["VN", "GOV", "H38", "000.00.01.H38", "mot-cua", "tra_cuu.v1"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a b", "mã", "%2e", "a\u{0}", "--", &"x".repeat(65)] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_clipped_text_is_short_and_printable() {
        assert_eq!(clip("a\nb"), "ab");
        assert_eq!(clip(&"ộ".repeat(100)).chars().count(), 41);
    }
}
