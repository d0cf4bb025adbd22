//! Text that must not appear in logs and is wiped from memory when dropped: passwords and one-time secrets.

use std::fmt;

use base::text;
use zeroize::Zeroizing;

/// A secret text. `Debug` shows nothing of it; the bytes are wiped on drop.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text as it is (client secrets, link tokens).
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// A password as typed: normalised to NFC, so that the same letters typed on Windows, macOS or a phone
    /// (some send `ế` as one code point, some as three) are the same password.
    pub fn password(typed: &str) -> Self {
        Self(Zeroizing::new(text::nfc(typed)))
    }

    /// The secret itself. Do not log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self::new(String::deserialize(d)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print_themselves() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
    }

    #[test]
    fn the_same_letters_are_the_same_password() {
        let one = Secret::password("bu\u{1ed5}i s\u{e1}ng \u{1edf} ch\u{1ee3}");
        let three = Secret::password("bu\u{6f}\u{302}\u{309}i sa\u{301}ng o\u{31b}\u{309} cho\u{31b}\u{323}");
        assert_eq!(one.expose(), three.expose());
    }
}
