//! The statistics office's codes: two digits for a province, three for a district, five for a commune
//! (QĐ 124/2004/QĐ-TTg, QĐ 19/2025/QĐ-TTg). A code alone names no unit: codes are used again, so a date belongs to it.

use std::fmt;

use crate::kind::Level;

/// Two, three or five digits; leading zeros count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    digits: [u8; 5],
    len: u8,
}

impl Code {
    /// Reads a code of the given level; `None` unless it is exactly that many ASCII digits.
    pub fn parse(text: &str, level: Level) -> Option<Self> {
        Self::read(text).filter(|c| c.level() == level)
    }

    /// Reads a code of any level.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !matches!(bytes.len(), 2 | 3 | 5) || !bytes.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut digits = [b'0'; 5];
        digits.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Some(Self { digits, len: u8::try_from(bytes.len()).ok()? })
    }

    /// The level, which the number of digits tells.
    pub fn level(self) -> Level {
        match self.len {
            2 => Level::Province,
            3 => Level::District,
            _ => Level::Commune,
        }
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        let bytes = self.digits.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_of_the_right_number() {
        assert_eq!(Code::parse("01", Level::Province).unwrap().as_str(), "01");
        assert_eq!(Code::parse("00004", Level::Commune).unwrap().to_string(), "00004");
        for (text, level) in [
            ("1", Level::Province),
            ("0001", Level::Commune),
            ("14797", Level::District),
            ("1479x", Level::Commune),
            ("１４", Level::Province),
            ("", Level::Province),
        ] {
            assert!(Code::parse(text, level).is_none(), "{text}");
        }
    }
}
