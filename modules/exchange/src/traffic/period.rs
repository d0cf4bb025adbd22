//! The periods people ask about: an hour, a day, a week, a month, or their own days; each with the one before it, and
//! with the steps in which it is drawn.

use base::clock::{Date, Timestamp};

use super::{HOUR, Span};

/// Days of the longest period of one's own.
const MOST_DAYS: i64 = 366;

/// A period, and how it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its name in the address.
    pub word: &'static str,
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// The step it is drawn in; `None` draws the last hour from the calls themselves.
    pub step: Option<Span>,
}

impl Period {
    /// The names of those that end now.
    pub const WORDS: [&'static str; 4] = ["hour", "day", "week", "month"];

    /// The period asked for; a word nobody knows means the last 24 hours.
    pub fn asked(word: &str, own: (Option<Date>, Option<Date>), now: Timestamp) -> Self {
        let next_hour = Timestamp::from_micros(Span::Hour.start(now).micros() + HOUR);
        let tomorrow = Timestamp::from_micros(Span::Day.start(now).micros() + 24 * HOUR);
        let back = |end: Timestamp, hours: i64| Timestamp::from_micros(end.micros() - hours * HOUR);
        let days = |word, n: i64| Self {
            word,
            from: back(tomorrow, 24 * n),
            until: tomorrow,
            step: Some(Span::Day),
        };
        match (word, own) {
            ("own", (Some(first), Some(last))) if first <= last => {
                let from = Timestamp::start_of(first);
                let until = Timestamp::from_micros(Timestamp::start_of(last).micros() + 24 * HOUR);
                let until = until.min(Timestamp::from_micros(from.micros() + MOST_DAYS * 24 * HOUR));
                let short = until.micros() - from.micros() <= 2 * 24 * HOUR;
                Self { word: "own", from, until, step: Some(if short { Span::Hour } else { Span::Day }) }
            }
            ("hour", _) => {
                let until = Timestamp::from_micros(now.micros() + 1);
                Self { word: "hour", from: back(until, 1), until, step: None }
            }
            ("week", _) => days("week", 7),
            ("month", _) => days("month", 30),
            _ => Self { word: "day", from: back(next_hour, 24), until: next_hour, step: Some(Span::Hour) },
        }
    }

    /// The one of the same length that ends where this one begins.
    pub fn before(self) -> Self {
        let length = self.until.micros() - self.from.micros();
        Self { from: Timestamp::from_micros(self.from.micros() - length), until: self.from, ..self }
    }

    /// The beginnings of its points.
    pub fn points(self) -> Vec<Timestamp> {
        match self.step {
            Some(span) => span.starts(self.from, self.until),
            None => (0..12).map(|n| Timestamp::from_micros(self.from.micros() + n * HOUR / 12)).collect(),
        }
    }

    /// The first moment after the point that begins at `start`.
    pub fn after(self, start: Timestamp) -> Timestamp {
        match self.step {
            Some(span) => span.next(start),
            None => Timestamp::from_micros(start.micros() + HOUR / 12),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_end_now_and_have_one_before() {
        let now: Timestamp = "2026-11-22T03:20:00Z".parse().unwrap();
        let at = |word| Period::asked(word, (None, None), now);
        assert_eq!((at("day").points().len(), at("day").from.vn()), (24, "21/11/2026 11:00".into()));
        assert_eq!((at("week").points().len(), at("week").from.vn()), (7, "16/11/2026 00:00".into()));
        assert_eq!(at("month").before().until, at("month").from);
        assert_eq!((at("hour").points().len(), at("hour").step), (12, None));
        assert_eq!(at("nonsense"), at("day"));
        let date = |d| Date::new(2026, 10, d);
        let own = Period::asked("own", (date(1), date(31)), now);
        assert_eq!((own.points().len(), own.after(own.from).vn()), (31, "02/10/2026 00:00".into()));
        assert_eq!(Period::asked("own", (date(2), date(1)), now).word, "day", "the wrong way round");
        let long = Period::asked("own", (Date::new(1970, 1, 1), date(1)), now);
        assert_eq!(long.points().len(), 366);
    }
}
