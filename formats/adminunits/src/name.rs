//! When two spellings are the same name: the lists place tone marks by both customs (Hòa, Hoà) and vary letter case,
//! hyphens and blanks. The official string is kept for print; these keys only compare.

use unicode_normalization::UnicodeNormalization;

use crate::kind::{Level, UnitType};

const TONES: [char; 5] = ['\u{300}', '\u{301}', '\u{303}', '\u{309}', '\u{323}'];

/// Whether two names differ at most in tone placement, letter case, blanks and hyphens.
pub fn same_spelling(a: &str, b: &str) -> bool {
    a == b || spelling_key(a) == spelling_key(b)
}

/// Splits a full name into its type and its name.
pub fn split_full_name(full_name: &str, level: Level) -> Option<(UnitType, &str)> {
    UnitType::of_full_name(full_name, level)
}

/// Lower case; each syllable's tone written after its letters; only letters and digits, syllables joined by one blank.
pub(crate) fn spelling_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    let mut tones = Vec::new();
    for c in text.to_lowercase().nfd() {
        if TONES.contains(&c) {
            tones.push(c);
        } else if c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c) {
            key.push(c);
        } else {
            end_syllable(&mut key, &mut tones);
        }
    }
    end_syllable(&mut key, &mut tones);
    key.truncate(key.trim_end().len());
    key
}

fn end_syllable(key: &mut String, tones: &mut Vec<char>) {
    key.extend(tones.drain(..));
    if !key.is_empty() && !key.ends_with(' ') {
        key.push(' ');
    }
}

/// Letters and digits only, without any mark: for finding a name inside a longer text.
pub(crate) fn bare_key(text: &str) -> String {
    text.to_lowercase()
        .nfd()
        .filter(|c| c.is_alphanumeric())
        .map(|c| if c == 'đ' { 'd' } else { c })
        .collect()
}

/// NFC, no-break blanks made plain, outer blanks removed, inner ones single. Tells whether anything changed.
pub(crate) fn tidy(field: &str) -> (String, bool) {
    if field.is_ascii() && !field.contains(|c: char| c.is_ascii_whitespace()) {
        return (field.to_owned(), false);
    }
    let mut tidied = String::with_capacity(field.len());
    for word in field.split_whitespace() {
        if !tidied.is_empty() {
            tidied.push(' ');
        }
        tidied.extend(word.nfc());
    }
    let changed = tidied != field;
    (tidied, changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_and_not_the_same() {
        for (a, b) in [
            ("Tỉnh Thanh Hóa", "Tỉnh Thanh Hoá"),
            ("Xã Thuận Hòa", "Xã Thuận Hoà"),
            ("xã Bắc Sơn", "Xã Bắc Sơn"),
            ("Phường Văn Miếu - Quốc Tử Giám", "Phường Văn Miếu Quốc Tử Giám"),
            ("Xã Thuỵ Hùng", "Xã Thụy Hùng"),
            ("Xã Ea H'leo", "Xã Ea H'Leo"),
        ] {
            assert!(same_spelling(a, b), "{a} / {b}");
        }
        for (a, b) in [
            ("Xã Phó Bảng", "Xã Phố Bảng"),
            ("Xã Lộc Ninh", "Phường Lộc Ninh"),
            ("Hoa Lư", "Hòa Lư"),
            ("Xã Đak Lua", "Xã Dak Lua"),
        ] {
            assert!(!same_spelling(a, b), "{a} / {b}");
        }
    }

    #[test]
    fn tidying_tells() {
        assert_eq!(tidy("Xã Ngư Thủy "), ("Xã Ngư Thủy".into(), true));
        assert_eq!(tidy("a\u{a0}b"), ("a b".into(), true));
        assert_eq!(tidy("Xã A"), ("Xã A".into(), false));
    }
}
