//! Hours, days and months of UTC+7, by which calls are added up.

use base::clock::{Date, Timestamp};

/// Microseconds in an hour.
pub const HOUR: i64 = 3_600_000_000;

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Span {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A month of the calendar.
    Month,
}

impl Span {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Month];

    /// As kept in the tables.
    pub const fn number(self) -> i64 {
        match self {
            Self::Hour => 1,
            Self::Day => 2,
            Self::Month => 3,
        }
    }

    /// The beginning of the span in which a moment lies.
    pub fn start(self, at: Timestamp) -> Timestamp {
        match self {
            // The offset of UTC+7 is whole hours.
            Self::Hour => Timestamp::from_micros(at.micros() - at.micros().rem_euclid(HOUR)),
            Self::Day => Timestamp::start_of(at.date()),
            Self::Month => month_start(at.date()),
        }
    }

    /// The beginning of the next one.
    pub fn next(self, start: Timestamp) -> Timestamp {
        match self {
            Self::Hour => Timestamp::from_micros(start.micros() + HOUR),
            Self::Day => Timestamp::from_micros(start.micros() + 24 * HOUR),
            Self::Month => month_start(later_month(start.date())),
        }
    }

    /// The beginnings of all spans from the one of `from` on that begin before `until`.
    pub fn starts(self, from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
        let mut at = self.start(from);
        let mut out = Vec::new();
        while at < until && out.len() < MOST {
            out.push(at);
            at = self.next(at);
        }
        out
    }
}

/// More points nobody could tell apart.
const MOST: usize = 800;

/// The beginning of a day's month.
pub fn month_start(day: Date) -> Timestamp {
    Timestamp::start_of(Date::new(day.year(), day.month(), 1).unwrap_or(day))
}

/// Some day of the month after a day's.
pub fn later_month(day: Date) -> Date {
    let (year, month) =
        if day.month() == 12 { (day.year().saturating_add(1), 1) } else { (day.year(), day.month() + 1) };
    Date::new(year, month, 1).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_begin_where_vietnam_says() {
        // 31/12/2026 23:30 in Vietnam.
        let at: Timestamp = "2026-12-31T16:30:00Z".parse().unwrap();
        assert_eq!(Span::Hour.start(at).vn(), "31/12/2026 23:00");
        assert_eq!(Span::Day.start(at).vn(), "31/12/2026 00:00");
        assert_eq!(Span::Month.start(at).vn(), "01/12/2026 00:00");
        assert_eq!(Span::Month.next(Span::Month.start(at)).vn(), "01/01/2027 00:00");
        let days = Span::Day.starts(Span::Month.start(at), Span::Month.next(Span::Month.start(at)));
        assert_eq!((days.len(), days[30].vn()), (31, "31/12/2026 00:00".to_owned()));
        let hour = Span::Hour.start(at);
        assert_eq!(Span::Hour.starts(hour, hour), []);
    }
}
