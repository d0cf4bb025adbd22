//! The hours of one day: spans such as 07:00–11:30 and 13:30–17:00. Which day has which hours is left to the calendar.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::moment::DAY;

/// More spans in a day than any office has.
const MOST_SPANS: usize = 8;

/// The spans of a day in which the clock runs, in order, apart from each other. May be empty: a day off.
///
/// Reads and writes `07:00-11:30,13:30-17:00`. The last hour is 23:59: an end at 24:00 would stand on the next day, which
/// may be a day off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Hours(Vec<Span>);

/// From (included) to (excluded) in seconds since midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// Beginning.
    pub from: u32,
    /// End, later than the beginning, on the same day.
    pub to: u32,
}

/// Why a text is no list of hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHours {
    /// Not `HH:MM`, or no such hour.
    #[error("{0:?} is not an hour of the form HH:MM")]
    Hour(String),
    /// Not two hours joined by a hyphen.
    #[error("{0:?} is not a span of the form HH:MM-HH:MM")]
    Span(String),
    /// The end is not after the beginning, or not after the span before.
    #[error("{0:?} does not come after what stands before it")]
    Order(String),
    /// More than eight spans.
    #[error("more than 8 spans in a day")]
    TooMany,
}

impl Hours {
    /// The spans, in order.
    pub fn spans(&self) -> &[Span] {
        &self.0
    }

    /// No hour at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of it in seconds.
    pub fn seconds(&self) -> i64 {
        self.0.iter().map(|s| i64::from(s.to - s.from)).sum()
    }

    /// When it begins and ends.
    pub fn bounds(&self) -> Option<Span> {
        Some(Span { from: self.0.first()?.from, to: self.0.last()?.to })
    }

    /// Seconds of these hours before `time`.
    pub(crate) fn before(&self, time: u32) -> i64 {
        self.0.iter().map(|s| i64::from(time.clamp(s.from, s.to) - s.from)).sum()
    }

    /// The first time of day with `seconds` of these hours behind it; the end if there are not so many.
    pub(crate) fn after(&self, mut seconds: i64) -> u32 {
        let mut end = 0;
        for span in &self.0 {
            let length = i64::from(span.to - span.from);
            if seconds <= length {
                return span.from + u32::try_from(seconds).unwrap_or(0);
            }
            seconds -= length;
            end = span.to;
        }
        end
    }

    /// Within a span, both ends included: who comes at the stroke of closing has come in time.
    pub(crate) fn covers(&self, time: u32) -> bool {
        self.0.iter().any(|s| (s.from..=s.to).contains(&time))
    }

    /// The first beginning of a span at or after `time`.
    pub(crate) fn next_beginning(&self, time: u32) -> Option<u32> {
        self.0.iter().map(|s| s.from).find(|from| *from >= time)
    }

    /// The last time within these hours not after `time`; their beginning if there is none.
    pub(crate) fn fit(&self, time: u32) -> Option<u32> {
        let span = self.0.iter().rev().find(|s| s.from <= time).or_else(|| self.0.first())?;
        Some(time.clamp(span.from, span.to))
    }
}

/// Seconds since midnight of `HH:MM` or `HH:MM:SS`.
///
/// # Errors
/// [`BadHours::Hour`].
pub fn time_of_day(text: &str) -> Result<u32, BadHours> {
    let bad = || BadHours::Hour(text.chars().take(32).collect());
    let mut parts = [0_u32; 3];
    let mut count = 0;
    for part in text.trim().split(':') {
        let digits = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        *parts.get_mut(count).filter(|_| digits).ok_or_else(bad)? = part.parse().map_err(|_| bad())?;
        count += 1;
    }
    let [hour, minute, second] = parts;
    let seconds = hour * 3_600 + minute * 60 + second;
    if count < 2 || minute > 59 || second > 59 || i64::from(seconds) >= DAY {
        return Err(bad());
    }
    Ok(seconds)
}

/// `HH:MM`, or `HH:MM:SS` where seconds matter.
pub(crate) fn clock(seconds: u32) -> String {
    let (h, m, s) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if s == 0 { format!("{h:02}:{m:02}") } else { format!("{h:02}:{m:02}:{s:02}") }
}

impl FromStr for Hours {
    type Err = BadHours;

    fn from_str(text: &str) -> Result<Self, BadHours> {
        let mut spans: Vec<Span> = vec![];
        if text.trim().is_empty() {
            return Ok(Self(spans));
        }
        for part in text.split(',') {
            let shown = || part.trim().chars().take(32).collect::<String>();
            let (from, to) = part.split_once(['-', '–']).ok_or_else(|| BadHours::Span(shown()))?;
            let span = Span { from: time_of_day(from)?, to: time_of_day(to)? };
            if span.to <= span.from || spans.last().is_some_and(|last| span.from <= last.to) {
                return Err(BadHours::Order(shown()));
            }
            spans.push(span);
            if spans.len() > MOST_SPANS {
                return Err(BadHours::TooMany);
            }
        }
        Ok(Self(spans))
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, span) in self.0.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            write!(f, "{comma}{}-{}", clock(span.from), clock(span.to))?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Hours {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Hours {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office() -> Hours {
        "07:00-11:30,13:30-17:00".parse().unwrap()
    }

    #[test]
    fn hours_are_read_and_written() {
        assert_eq!(office().to_string(), "07:00-11:30,13:30-17:00");
        assert_eq!(office().seconds(), 8 * 3_600);
        assert_eq!(" 7:00 – 11:30 , 13:30 - 17:00 ".parse::<Hours>().unwrap(), office());
        assert!("".parse::<Hours>().unwrap().is_empty());
    }

    #[test]
    fn bad_hours_say_what_is_bad() {
        let bad = |text: &str| text.parse::<Hours>().unwrap_err();
        assert_eq!(bad("07:00"), BadHours::Span("07:00".into()));
        assert_eq!(bad("07:00-25:00"), BadHours::Hour("25:00".into()));
        assert_eq!(bad("00:00-24:00"), BadHours::Hour("24:00".into()));
        assert_eq!(bad("07:60-08:00"), BadHours::Hour("07:60".into()));
        assert_eq!(bad("07:00-x"), BadHours::Hour("x".into()));
        assert_eq!(bad("11:30-07:00"), BadHours::Order("11:30-07:00".into()));
        assert_eq!(bad("07:00-11:30,11:30-12:00"), BadHours::Order("11:30-12:00".into()));
        let many: Vec<String> = (0..9).map(|h| format!("{h:02}:00-{h:02}:30")).collect();
        assert_eq!(bad(&many.join(",")), BadHours::TooMany);
    }

    #[test]
    fn time_of_day_and_worked_seconds_are_inverse() {
        let hours = office();
        let at = |text: &str| time_of_day(text).unwrap();
        assert_eq!(hours.before(at("12:00")), 4 * 3_600 + 1_800);
        assert_eq!(hours.after(4 * 3_600 + 1_800), at("11:30"), "the earliest moment, not the afternoon");
        assert_eq!(hours.after(4 * 3_600 + 1_801), at("13:30:01"));
        assert_eq!(hours.after(99 * 3_600), at("17:00"));
        for seconds in (1..=8 * 3_600).step_by(61) {
            assert_eq!(hours.before(hours.after(seconds)), seconds);
        }
    }

    #[test]
    fn an_hour_is_fitted_into_the_day() {
        let fit = |text: &str| clock(office().fit(time_of_day(text).unwrap()).unwrap());
        assert_eq!(fit("05:00"), "07:00");
        assert_eq!(fit("09:15"), "09:15");
        assert_eq!(fit("12:00"), "11:30");
        assert_eq!(fit("23:00"), "17:00");
        assert!(Hours::default().fit(0).is_none());
    }
}
