//! What makes a password acceptable: long rather than complicated, not the owner's name, not a common one.
//! Says which rule is broken; the sentence for the person belongs to the page. Hashing is in `hashing`.

use std::collections::HashSet;

use base::text;

/// Fewest characters. A sentence of four or five words passes; symbols are welcome and never demanded.
pub const MIN_CHARS: usize = 12;
/// Most bytes, so that hashing work is bounded.
pub const MAX_BYTES: usize = 512;

/// Letters that must remain once common words, names and digits are taken away.
const MIN_OWN_CHARS: usize = 6;

/// Folded beginnings of the passwords found most often in leaked lists, Vietnamese ones included.
/// Rows of the keyboard count as words.
const COMMON: &[&str] = &[
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "administrator",
    "qwerty",
    "asdfgh",
    "zxcvbn",
    "1qaz2wsx",
    "qazwsx",
    "password",
    "passwd",
    "passw0rd",
    "p4ssword",
    "matkhau",
    "mat khau",
    "letmein",
    "welcome",
    "login",
    "admin",
    "root",
    "guest",
    "user",
    "test",
    "demo",
    "default",
    "changeme",
    "secret",
    "abcdef",
    "abc123",
    "iloveyou",
    "anhyeuem",
    "emyeuanh",
    "yeuem",
    "yeuanh",
    "vietnam",
    "viet nam",
    "hanoi",
    "saigon",
    "lienthong",
    "lien thong",
    "chinhphu",
    "ubnd",
    "congchuc",
    "canbo",
    "vanthu",
    "daiduong",
    "khongbiet",
    "batman",
    "dragon",
    "monkey",
    "master",
    "football",
    "superman",
    "sunshine",
    "princess",
    "starwars",
    "motconvit",
    "xoehaicaicanh",
];

/// Why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// Fewer than [`MIN_CHARS`] characters.
    TooShort,
    /// More than [`MAX_BYTES`] bytes.
    TooLong,
    /// Little more than the person's name or sign-in name.
    OwnName,
    /// Little more than words and rows of keys everybody tries first.
    Common,
    /// A few characters over and over, or a plain sequence.
    Monotonous,
}

/// Accepts or refuses `password` for the person with this sign-in name and full name.
pub fn check(password: &str, username: &str, full_name: &str) -> Result<(), Weakness> {
    if password.len() > MAX_BYTES {
        return Err(Weakness::TooLong);
    }
    if password.chars().count() < MIN_CHARS {
        return Err(Weakness::TooShort);
    }
    let folded = squeeze(password);
    if monotonous(password) || monotonous(&folded) {
        return Err(Weakness::Monotonous);
    }
    if mostly_name(&folded, username, full_name) {
        return Err(Weakness::OwnName);
    }
    if mostly_common(&folded) {
        return Err(Weakness::Common);
    }
    Ok(())
}

/// Lower case without tones, blanks and punctuation; symbols commonly used in place of letters read as letters.
fn squeeze(s: &str) -> String {
    text::fold(s)
        .chars()
        .map(|c| match c {
            '@' => 'a',
            '$' => 's',
            '!' => 'i',
            other => other,
        })
        .filter(|c| c.is_alphanumeric())
        .collect()
}

/// Few different characters, one short piece repeated, or neighbours all along (`abcdef…`, `987654…`).
fn monotonous(s: &str) -> bool {
    let chars: Vec<char> = s.chars().collect();
    if chars.len() < 2 {
        return true;
    }
    let different: HashSet<char> = chars.iter().copied().collect();
    let repeated =
        (1..=4).any(|n| chars.len() > 2 * n && chars.iter().skip(n).zip(&chars).all(|(a, b)| a == b));
    let steps = chars.windows(2).filter(|w| u32::from(w[0]).abs_diff(u32::from(w[1])) <= 1).count();
    different.len() < 5 || repeated || steps * 10 >= (chars.len() - 1) * 8
}

fn mostly_name(folded: &str, username: &str, full_name: &str) -> bool {
    let (username, whole) = (squeeze(username), squeeze(full_name));
    let mut names = vec![username.clone(), whole.clone()];
    if [&username, &whole].iter().any(|n| n.chars().count() >= 4 && folded.contains(n.as_str())) {
        return true;
    }
    names.extend(full_name.split_whitespace().map(squeeze));
    names.retain(|n| n.chars().count() >= 2);
    names.sort_by_key(|n| std::cmp::Reverse(n.len()));
    // Without any part of the name in it, what remains is the password itself, which other rules judge.
    let rest = without(folded, names.iter().map(String::as_str));
    rest.len() != folded.len() && own_chars(&rest) < MIN_OWN_CHARS
}

fn mostly_common(folded: &str) -> bool {
    let rest = without(folded, COMMON.iter().copied());
    own_chars(&rest) < MIN_OWN_CHARS
}

fn without<'a>(s: &str, words: impl Iterator<Item = &'a str>) -> String {
    words.filter(|w| !w.is_empty()).fold(s.to_owned(), |rest, word| rest.replace(word, ""))
}

/// Letters count; digits only where they are not the usual tail of years and counting.
fn own_chars(rest: &str) -> usize {
    let letters = rest.chars().filter(|c| c.is_alphabetic()).count();
    let digits: HashSet<char> = rest.chars().filter(char::is_ascii_digit).collect();
    if letters == 0 { digits.len().saturating_sub(4) } else { letters + digits.len() / 3 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(password: &str) -> Result<(), Weakness> {
        check(password, "tranthibinh", "Trần Thị Bình")
    }

    #[test]
    fn long_own_sentences_pass() {
        for good in [
            "chợ huyện sáng thứ bảy mưa",
            "correct horse battery staple",
            "7 con mèo nằm trên mái",
            "Xk9#vQ2m!pLw",
            "tôi thích phở bò tái gầu",
        ] {
            assert_eq!(judge(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn weak_ones_are_refused_with_the_reason() {
        for (bad, why) in [
            ("ngắn quá", Weakness::TooShort),
            ("aaaaaaaaaaaaaaaa", Weakness::Monotonous),
            ("abcabcabcabcabc", Weakness::Monotonous),
            ("123456789012", Weakness::Monotonous),
            ("abcdefghijklmnop", Weakness::Monotonous),
            ("Password@2026", Weakness::Common),
            ("P@ssword123456", Weakness::Common),
            ("Mật khẩu 123456", Weakness::Common),
            ("matkhau@12345678", Weakness::Common),
            ("qwertyuiop123", Weakness::Common),
            ("LienThong@2026!", Weakness::Common),
            ("admin@ubnd2026", Weakness::Common),
            ("tranthibinh1990", Weakness::OwnName),
            ("Trần Thị Bình 90", Weakness::OwnName),
            ("binhthitran!!99", Weakness::OwnName),
        ] {
            assert_eq!(judge(bad), Err(why), "{bad}");
        }
        assert_eq!(judge(&"chợ huyện ".repeat(60)), Err(Weakness::TooLong));
    }

    #[test]
    fn a_short_sign_in_name_does_not_forbid_ordinary_words() {
        assert_eq!(check("chợ an khánh họp phiên sớm", "an", "Lê An"), Ok(()));
    }
}
