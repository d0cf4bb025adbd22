//! Vietnamese text: normalisation, folding for search, sort keys, tone placement, slugs. Plain functions on text; it
//! leaves languages of the interface to `i18n` and knows nothing of storage.

use unicode_normalization::UnicodeNormalization;

/// The letters in dictionary order; f, j, w and z stand where Latin puts them, for codes and foreign names.
const LETTERS: &str = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz";
/// The six tones in dictionary order: ngang has no mark, then huyền, hỏi, ngã, sắc, nặng.
const TONES: [char; 5] = ['\u{300}', '\u{309}', '\u{303}', '\u{301}', '\u{323}'];
const BREVE: char = '\u{306}';
const CIRCUMFLEX: char = '\u{302}';
const HORN: char = '\u{31b}';

/// Unicode Normalization Form C (UAX #15), the only form stored.
pub fn nfc(text: &str) -> String {
    text.nfc().collect()
}

/// For finding things typed without marks: lower case, no tones, no letter marks, đ as d. Letters of other scripts
/// stay, and so do spaces and punctuation. Composed and decomposed input give the same.
pub fn fold(text: &str) -> String {
    let bare = |c: char| match c {
        'đ' => 'd',
        c => c,
    };
    text.to_lowercase().nfd().filter(|c| !is_mark(*c)).map(bare).collect()
}

/// For addresses and file names: folded, ASCII letters and digits joined by single hyphens. Empty when nothing is left.
pub fn slug(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in fold(text).chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.truncate(out.trim_end_matches('-').len());
    out
}

/// A key in ASCII whose byte order is the order of a Vietnamese dictionary, the same in Rust, SQLite and PostgreSQL
/// (`COLLATE "C"`).
///
/// Syllable by syllable: first the letters (a ă â b c d đ e ê …), then the tone (ngang, huyền, hỏi, ngã, sắc, nặng),
/// then the next syllable, so that every "Ba …" comes before "Bà …". Numbers come before letters and compare by value
/// (Phường 2 before Phường 10). Case, punctuation and spacing do not count: ties are for the caller to break.
pub fn sort_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len() * 2);
    for token in tokens(text) {
        match token {
            Token::Number(digits) => push_number(&mut key, &digits),
            Token::Syllable(letters) => push_syllable(&mut key, &letters),
        }
    }
    key
}

/// A key equal for both customs of placing the tone mark (hoà and hòa, thuỷ and thủy): NFC, lower case, the mark where
/// school books before 1984 and most keyboards put it. What is not a Vietnamese syllable with one tone stays as it is.
pub fn tone_key(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut syllable = Vec::new();
    for letter in letters(text) {
        if letter.base.is_alphabetic() {
            syllable.push(letter);
        } else {
            push_placed(&mut out, &mut syllable);
            letter.write(&mut out);
        }
    }
    push_placed(&mut out, &mut syllable);
    nfc(&out)
}

/// A lower-case letter with what stands on it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Letter {
    /// The letter with the mark that makes it another letter (ă â ê ô ơ ư), without tone.
    base: char,
    /// Index into [`TONES`].
    tone: Option<usize>,
    /// Marks that mean nothing in Vietnamese, kept for `tone_key`.
    foreign: Vec<char>,
}

impl Letter {
    fn is_vowel(&self) -> bool {
        self.foreign.is_empty() && "aăâeêioôơuưy".contains(self.base)
    }

    /// ă â ê ô ơ ư: the tone always goes to such a letter.
    fn is_marked(&self) -> bool {
        "ăâêôơư".contains(self.base)
    }

    fn write(&self, out: &mut String) {
        out.push(self.base);
        out.extend(&self.foreign);
        out.extend(self.tone.and_then(|t| TONES.get(t)));
    }

    /// Takes a combining mark; the first tone wins, a second one is foreign.
    fn take(&mut self, mark: char) {
        let tone = TONES.iter().position(|t| *t == mark);
        let shaped = match (self.base, mark) {
            ('a', BREVE) => Some('ă'),
            ('a', CIRCUMFLEX) => Some('â'),
            ('e', CIRCUMFLEX) => Some('ê'),
            ('o', CIRCUMFLEX) => Some('ô'),
            ('o', HORN) => Some('ơ'),
            ('u', HORN) => Some('ư'),
            _ => None,
        };
        match (shaped, tone) {
            (Some(base), _) => self.base = base,
            (None, Some(tone)) if self.tone.is_none() => self.tone = Some(tone),
            (None, _) => self.foreign.push(mark),
        }
    }
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

fn letters(text: &str) -> Vec<Letter> {
    let mut out: Vec<Letter> = Vec::with_capacity(text.len());
    for c in text.to_lowercase().nfd() {
        match out.last_mut() {
            Some(letter) if is_mark(c) && letter.base.is_alphabetic() => letter.take(c),
            _ => out.push(Letter { base: c, tone: None, foreign: Vec::new() }),
        }
    }
    out
}

enum Token {
    Number(String),
    Syllable(Vec<Letter>),
}

fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut joined = false;
    for letter in letters(text) {
        let counts = letter.base.is_alphanumeric();
        match (out.last_mut(), letter.base.is_ascii_digit()) {
            _ if !counts => {}
            (Some(Token::Number(digits)), true) if joined => digits.push(letter.base),
            (Some(Token::Syllable(letters)), false) if joined => letters.push(letter),
            (_, true) => out.push(Token::Number(letter.base.to_string())),
            (_, false) => out.push(Token::Syllable(vec![letter])),
        }
        joined = counts;
    }
    out
}

/// `#`, then the count of digits, then the digits: numbers compare by value and before letters.
fn push_number(key: &mut String, digits: &str) {
    let digits = digits.trim_start_matches('0');
    key.push('#');
    let mut count = digits.len();
    while count >= 25 {
        key.push('Z');
        count -= 25;
    }
    key.push(char::from(b'A' + u8::try_from(count).unwrap_or(0)));
    key.push_str(digits);
}

/// One byte for each letter (above every tone), then the tones, then a space (below everything).
fn push_syllable(key: &mut String, letters: &[Letter]) {
    for letter in letters {
        match LETTERS.chars().position(|l| l == letter.base) {
            Some(at) => key.push(char::from(b'A' + u8::try_from(at).unwrap_or(0))),
            None => key.push_str(&format!("~{:06X}", u32::from(letter.base))),
        }
    }
    let tones = letters
        .iter()
        .filter_map(|l| l.tone)
        .filter_map(|t| char::from_digit(u32::try_from(t).ok()? + 2, 10));
    let before = key.len();
    key.extend(tones);
    if key.len() == before {
        key.push('1');
    }
    key.push(' ');
}

/// Writes the collected letters with their one tone in its place, and empties the collection.
fn push_placed(out: &mut String, syllable: &mut Vec<Letter>) {
    if let Some((from, to)) = tone_move(syllable) {
        let tone = syllable[from].tone.take();
        syllable[to].tone = tone;
    }
    for letter in syllable.drain(..) {
        letter.write(out);
    }
}

/// Where the only tone of a Vietnamese syllable stands, and where it belongs.
fn tone_move(letters: &[Letter]) -> Option<(usize, usize)> {
    let mut toned = letters.iter().enumerate().filter(|(_, l)| l.tone.is_some()).map(|(at, _)| at);
    let from = toned.next()?;
    if toned.next().is_some() {
        return None;
    }
    let first = letters.iter().position(Letter::is_vowel)?;
    let count = letters[first..].iter().take_while(|l| l.is_vowel()).count();
    let end = first + count;
    if letters[end..].iter().any(Letter::is_vowel) || !(first..end).contains(&from) {
        return None;
    }
    // In "quý" and "giá" the u and the i belong to the consonant.
    let swallowed = first > 0
        && count > 1
        && matches!((letters[first - 1].base, letters[first].base), ('q', 'u') | ('g', 'i'));
    let start = if swallowed { first + 1 } else { first };
    let nucleus = &letters[start..end];
    let place = match nucleus.iter().rposition(Letter::is_marked) {
        Some(marked) => marked,
        None => match (nucleus.len(), end < letters.len()) {
            (1, _) | (2, false) => 0,
            _ => 1,
        },
    };
    Some((from, start + place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nfd(text: &str) -> String {
        text.nfd().collect()
    }

    #[test]
    fn folding() {
        for (text, expected) in [
            ("Điện Biên", "dien bien"),
            ("ĐẮK LẮK", "dak lak"),
            ("Thừa Thiên – Huế", "thua thien – hue"),
            ("nguyễn thị ướm", "nguyen thi uom"),
            ("Café", "cafe"),
            ("ស្រុក", "ស្រុក"),
        ] {
            assert_eq!(fold(text), expected);
            assert_eq!(fold(&nfd(text)), expected);
        }
    }

    #[test]
    fn slugs() {
        for (text, expected) in [
            ("Uỷ ban nhân dân xã Đông Hưng", "uy-ban-nhan-dan-xa-dong-hung"),
            ("  Sở Y tế / Phòng 2 ", "so-y-te-phong-2"),
            ("--", ""),
            ("日本", ""),
            ("a—b", "a-b"),
        ] {
            assert_eq!(slug(text), expected);
        }
    }

    #[test]
    fn dictionary_order() {
        // Each line stands before the next; written down from the order of the alphabet and of the tones.
        let ordered: Vec<&str> =
            " | 1 | 2 | 2A | 007 b | 10 | a | à | á | an | An Bình | an giang | àn | ă | ăn | ắt | \
            â | ấn | b | ba | Ba Đình | ba hoa | Ba Vì | bà | Bà Rịa | bả | bã | bá | bạ | ban | \
            Bắc Giang | Bắc Ninh | băng | bằng | Bến Tre | c | Cà Mau | cả | d | dạ | đ | đa | \
            Đà Nẵng | Đắk Lắk | e | ê | f | g | Hà Nội | Huế | i | j | k | Kon Tum | l | m | n | \
            o | ô | ơ | p | Phường 1 | Phường 2 | Phường 10 | Phường 10A | Phường 100 | \
            Phường An Hội | q | Quảng Nam | Quảng Ngãi | r | s | t | Thái Bình | Thanh Hóa | u | \
            ư | v | w | x | y | z | 日"
                .split('|')
                .map(str::trim)
                .collect();
        let mut by_key = ordered.clone();
        by_key.sort_by_key(|t| sort_key(t));
        let misplaced: Vec<_> = ordered.iter().zip(&by_key).filter(|(a, b)| a != b).collect();
        assert!(misplaced.is_empty(), "{misplaced:?}");
    }

    #[test]
    fn what_does_not_count_for_order() {
        assert_eq!(sort_key("Sở Y-tế"), sort_key("SỞ Y TẾ"));
        assert_eq!(sort_key(&nfd("Uỷ ban")), sort_key("Uỷ ban"));
        assert_eq!(sort_key("Thuỷ"), sort_key("Thủy"));
        assert_eq!(sort_key("Phường 01"), sort_key("Phường 1"));
        assert_eq!(sort_key("0"), sort_key("000"));
    }

    #[test]
    fn tone_placement() {
        for (old, new) in [
            ("hòa", "hoà"),
            ("thủy", "thuỷ"),
            ("khỏe", "khoẻ"),
            ("Ủy ban", "Uỷ ban"),
            ("Hòa Bình", "Hoà Bình"),
            ("tòa án", "toà án"),
            ("lũy", "luỹ"),
        ] {
            assert_eq!(tone_key(old), tone_key(new));
            assert_eq!(tone_key(new), old.to_lowercase());
            assert_eq!(tone_key(&nfd(new)), old.to_lowercase());
        }
        let same = "quý giá già gì giếng gìn giữa quá quốc quỳnh của cửa mái mía hoàn toán thuyền khuỷu \
            ngoéo oái xoáy khuya nước người được tuần huỳnh xoòng yến ý úy đường rượu biển hươu \
            thuở huệ tuyết nguyễn";
        for same in same.split_whitespace() {
            assert_eq!(tone_key(same), same, "must not move");
        }
        assert_eq!(tone_key("qúy gía"), "quý giá");
    }

    #[test]
    fn tones_that_are_not_vietnamese_stay() {
        for same in ["résumé", "piñata", "mañana", "ápát", "über", "ńg", "a1á"] {
            assert_eq!(tone_key(same), nfc(same));
        }
    }

    fn vietnamese() -> impl Strategy<Value = String> {
        "[aăâbcdđeêghiklmnoôơpqrstuưvxyàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵA-Z0-9 .,–-]{0,40}"
    }

    proptest! {
        #[test]
        fn keys_are_ascii_and_do_not_depend_on_the_form(text in "\\PC{0,40}") {
            let key = sort_key(&text);
            prop_assert!(key.bytes().all(|b| (0x20..0x7f).contains(&b)));
            prop_assert_eq!(&key, &sort_key(&nfd(&text)));
            prop_assert_eq!(&key, &sort_key(&nfc(&text)));
        }

        #[test]
        fn case_does_not_count(text in vietnamese()) {
            prop_assert_eq!(sort_key(&text), sort_key(&text.to_uppercase()));
            prop_assert_eq!(tone_key(&text), tone_key(&text.to_uppercase()));
        }

        #[test]
        fn numbers_compare_by_value(a in any::<u128>(), b in any::<u128>(), name in "[a-z]{1,8}") {
            let key = |n: u128| sort_key(&format!("{name} {n} x"));
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
        }

        #[test]
        fn long_numbers_compare_by_length_first(a in 1usize..200, b in 1usize..200) {
            let key = |n: usize| sort_key(&"9".repeat(n));
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
        }

        #[test]
        fn a_longer_name_comes_after(text in vietnamese(), more in "[a-z0-9]{1,5}") {
            let longer = format!("{text} {more}");
            prop_assert!(sort_key(&text) < sort_key(&longer));
        }

        #[test]
        fn the_tone_decides_before_the_next_syllable(a in "[b-h]{1,4}", b in "[b-h]{1,4}") {
            let (level, falling) = (format!("ba {a}"), format!("bà {b}"));
            prop_assert!(sort_key(&level) < sort_key(&falling));
            let (letters, tone) = (format!("ba{a}"), format!("bạ {b}"));
            prop_assert!(sort_key(&letters) > sort_key(&tone), "letters decide before tones");
        }

        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once.clone());
            prop_assert_eq!(fold(&nfd(&text)), once);
        }

        #[test]
        fn tone_keys_are_stable_and_keep_letters(text in vietnamese()) {
            let key = tone_key(&text);
            prop_assert_eq!(tone_key(&key), key.clone());
            prop_assert_eq!(fold(&key), fold(&text));
            prop_assert_eq!(sort_key(&key), sort_key(&text));
        }

        #[test]
        fn slugs_are_plain(text in "\\PC{0,40}") {
            let slug = slug(&text);
            prop_assert!(slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            prop_assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"));
        }
    }
}
