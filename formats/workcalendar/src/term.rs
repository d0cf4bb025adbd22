//! Terms and pauses: how long somebody has, and when the clock stood still. When a term ends is decided in `due`.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::moment::Moment;

/// Longer than any term of the law.
const LONGEST: u32 = 100_000;

/// How long somebody has. Reads and writes `8h` (working hours), `3wd` (working days), `15d` (calendar days); `0wd` and
/// `0d` mean the same day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Term {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: Unit,
}

/// What a term is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Hours of working time (giờ làm việc).
    WorkingHours,
    /// Working days (ngày làm việc); the day of receipt is not counted.
    WorkingDays,
    /// Calendar days (ngày); the day of receipt is not counted.
    Days,
}

/// Why a text is no term.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTerm {
    /// Not a number followed by `h`, `wd` or `d`.
    #[error("{0:?} is not a term: write 8h, 3wd or 15d")]
    Form(String),
    /// No working hour at all.
    #[error("a term in hours has at least one")]
    NoHour,
    /// More than any law gives.
    #[error("a term has at most 100000 hours or days")]
    TooLong,
}

impl FromStr for Term {
    type Err = BadTerm;

    fn from_str(text: &str) -> Result<Self, BadTerm> {
        let bad = || BadTerm::Form(text.chars().take(32).collect());
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (count, unit) = text.split_at(digits);
        let unit = match unit {
            "h" => Unit::WorkingHours,
            "wd" => Unit::WorkingDays,
            "d" => Unit::Days,
            _ => return Err(bad()),
        };
        if count.is_empty() {
            return Err(bad());
        }
        let count = count.parse().ok().filter(|n| *n <= LONGEST).ok_or(BadTerm::TooLong)?;
        if count == 0 && unit == Unit::WorkingHours {
            return Err(BadTerm::NoHour);
        }
        Ok(Self { count, unit })
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::WorkingHours => "h",
            Unit::WorkingDays => "wd",
            Unit::Days => "d",
        };
        write!(f, "{}{unit}", self.count)
    }
}

impl Serialize for Term {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// A time in which the clock stood still (tạm dừng), with a legal ground that the caller keeps. Reads `FROM/TO`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Pause {
    /// When it began.
    pub from: Moment,
    /// When the clock ran again; not before the beginning.
    pub to: Moment,
}

/// Why a text is no pause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPause {
    /// Not two moments joined by a slash.
    #[error("{0:?} is not a pause: write FROM/TO, for example 2026-11-23T10:00/2026-11-25T15:00")]
    Form(String),
    /// It ends before it begins.
    #[error("the pause from {from} ends before it begins: {to}")]
    Backwards {
        /// Its beginning.
        from: Moment,
        /// Its end.
        to: Moment,
    },
}

impl Pause {
    /// A pause.
    ///
    /// # Errors
    /// [`BadPause::Backwards`].
    pub fn new(from: Moment, to: Moment) -> Result<Self, BadPause> {
        if to < from { Err(BadPause::Backwards { from, to }) } else { Ok(Self { from, to }) }
    }
}

impl FromStr for Pause {
    type Err = BadPause;

    fn from_str(text: &str) -> Result<Self, BadPause> {
        let bad = || BadPause::Form(text.chars().take(96).collect());
        // Dates may be written with slashes too: the one that parts two moments is the one with moments on both sides.
        let cuts = text.match_indices('/').map(|(at, _)| (&text[..at], &text[at + 1..]));
        let mut read = cuts.filter_map(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        let (from, to) = read.next().ok_or_else(bad)?;
        Self::new(from, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_and_written() {
        for text in ["8h", "3wd", "15d", "0wd", "0d", "100000d"] {
            assert_eq!(text.parse::<Term>().unwrap().to_string(), text);
        }
        assert_eq!(" 3wd ".parse::<Term>().unwrap(), Term { count: 3, unit: Unit::WorkingDays });
    }

    #[test]
    fn bad_terms_say_what_is_bad() {
        for text in ["", "3", "wd", "3 wd", "-3wd", "3w", "3.5d", "٣d", "3WD"] {
            assert!(matches!(text.parse::<Term>(), Err(BadTerm::Form(_))), "{text}");
        }
        assert_eq!("0h".parse::<Term>(), Err(BadTerm::NoHour));
        assert_eq!("100001d".parse::<Term>(), Err(BadTerm::TooLong));
        assert_eq!("99999999999999999999wd".parse::<Term>(), Err(BadTerm::TooLong));
    }

    #[test]
    fn pauses_are_read_in_both_ways_of_writing_dates() {
        let iso: Pause = "2026-11-23T10:00/2026-11-25T15:00".parse().unwrap();
        assert_eq!("23/11/2026 10:00/25/11/2026 15:00".parse::<Pause>().unwrap(), iso);
        assert!(matches!("2026-11-23T10:00/".parse::<Pause>(), Err(BadPause::Form(_))));
        let backwards = "2026-11-25T15:00/2026-11-23T10:00".parse::<Pause>();
        assert!(matches!(backwards, Err(BadPause::Backwards { .. })));
    }
}
