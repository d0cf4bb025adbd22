//! Identification codes of agencies and organisations (QĐ 20/2020/QĐ-TTg, amended by QĐ 09/2025/QĐ-TTg) and the older
//! padded form (QCVN 102:2016/BTTTT). Both appear in live data, so both are read and compared by one canonical form.
//! Which code belongs to whom is not known here.

use std::fmt;

/// Longest code the decision allows.
const LIMIT: usize = 35;

/// How a code is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `H37.02.02`: level 1 first, no padding.
    LeftToRight,
    /// `000.00.06.H56`: level 1 last, absent levels as zeros.
    Padded,
}

/// A code in canonical form: level 1 first, levels below it separated by dots, no trailing zero levels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgencyCode(String);

/// The text is not an identification code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAgencyCode {
    /// Empty, or longer than 35 characters.
    #[error("an identification code has 1 to 35 characters")]
    Length,
    /// No group letter with two digits at either end.
    #[error("an identification code begins or ends with a level-1 code such as H56 or G09")]
    NoLevelOne,
    /// A level that is not two or three digits or letters.
    #[error("each level below the first has two or three digits or capital letters")]
    Level,
}

impl AgencyCode {
    /// Reads either form.
    ///
    /// # Errors
    /// When the text is no such code.
    pub fn parse(text: &str) -> Result<(Self, Style), BadAgencyCode> {
        let text = text.trim();
        if text.is_empty() || text.len() > LIMIT {
            return Err(BadAgencyCode::Length);
        }
        let mut levels: Vec<&str> = text.split('.').collect();
        let padded = levels.len() > 1 && levels.last().is_some_and(|l| is_level_one(l));
        if padded {
            levels.reverse();
        }
        let (first, below) = levels.split_first().ok_or(BadAgencyCode::NoLevelOne)?;
        if !is_level_one(first) {
            return Err(BadAgencyCode::NoLevelOne);
        }
        if !below.iter().all(|l| is_lower_level(l)) {
            return Err(BadAgencyCode::Level);
        }
        // Only levels at the end are padding: 002.00.20.H13 has an empty level between two real ones.
        let used = below.iter().rposition(|l| l.bytes().any(|b| b != b'0')).map_or(0, |at| at + 1);
        let mut canonical = (*first).to_owned();
        for level in below.iter().take(used) {
            canonical.push('.');
            canonical.push_str(level);
        }
        Ok((Self(canonical), if padded { Style::Padded } else { Style::LeftToRight }))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The level-1 code: `H56`.
    pub fn level_one(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }

    /// The code one level up; `None` at level 1.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('.').map(|(up, _)| Self(up.trim_end_matches(".00").to_owned()))
    }

    /// The padded form of QCVN 102:2016, for systems that expect it; `None` when the code is too deep or its levels
    /// do not fit (level 4 has three digits, the others two).
    pub fn padded(&self) -> Option<String> {
        let mut levels = self.0.split('.');
        let first = levels.next()?;
        let two = levels.next().unwrap_or("00");
        let three = levels.next().unwrap_or("00");
        let four = levels.next().unwrap_or("000");
        let fits = levels.next().is_none() && two.len() == 2 && three.len() == 2 && four.len() == 3;
        fits.then(|| format!("{four}.{three}.{two}.{first}"))
    }
}

impl fmt::Display for AgencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A group letter (A to K) and two digits.
fn is_level_one(level: &str) -> bool {
    matches!(level.as_bytes(), [b'A'..=b'K', a, b] if a.is_ascii_digit() && b.is_ascii_digit())
}

fn is_lower_level(level: &str) -> bool {
    matches!(level.len(), 2 | 3) && level.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_forms_are_one_code() {
        for (text, canonical, style) in [
            ("000.00.00.H56", "H56", Style::Padded),
            ("H56", "H56", Style::LeftToRight),
            ("000.00.06.H56", "H56.06", Style::Padded),
            ("H56.06", "H56.06", Style::LeftToRight),
            ("H37.02.02", "H37.02.02", Style::LeftToRight),
            ("002.00.20.H13", "H13.20.00.002", Style::Padded),
            ("28.22.H17", "H17.22.28", Style::Padded),
            ("01.02.G22", "G22.02.01", Style::Padded),
            (" G09.20 ", "G09.20", Style::LeftToRight),
        ] {
            let (code, found) = AgencyCode::parse(text).unwrap();
            assert_eq!((code.as_str(), found), (canonical, style), "{text}");
        }
    }

    #[test]
    fn what_is_no_code() {
        for text in ["", "vxp.saas.03", "H5", "L12", "H56.1", "H56..02", "H56.02.", "h56", "000.00.00"] {
            assert!(AgencyCode::parse(text).is_err(), "{text}");
        }
        assert_eq!(AgencyCode::parse(&"H56.".repeat(20)).unwrap_err(), BadAgencyCode::Length);
    }

    #[test]
    fn levels_up() {
        let (code, _) = AgencyCode::parse("002.00.20.H13").unwrap();
        let up = code.parent().unwrap();
        assert_eq!(up.as_str(), "H13.20", "an empty level is no agency");
        assert_eq!(up.parent().unwrap().as_str(), "H13");
        assert_eq!(up.parent().unwrap().parent(), None);
        assert_eq!(code.level_one(), "H13");
    }

    proptest! {
        #[test]
        fn padding_and_reading_returns_the_same(one in "[A-K][0-9]{2}", two in "[0-9]{2}", three in "[0-9]{2}", four in "[0-9]{3}") {
            let text = format!("{four}.{three}.{two}.{one}");
            let (code, _) = AgencyCode::parse(&text).unwrap();
            prop_assert_eq!(code.padded().unwrap(), text);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,50}") {
            let _ = AgencyCode::parse(&text);
        }
    }
}
