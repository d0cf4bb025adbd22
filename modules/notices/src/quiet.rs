//! Quiet hours: when somebody is not to be told what can wait. Pure; minutes of the day, UTC+7.

use base::clock::Timestamp;
use kernel::alerts::Severity;

const DAY: i64 = 24 * 60;
const MINUTE: i64 = 60_000_000;

/// From a minute of the day until before another one; over midnight when it begins later than it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quiet {
    pub from: i64,
    pub until: i64,
}

impl Quiet {
    /// From `hh:mm` and `hh:mm`; `None` if they are not, or are the same.
    pub fn parse(from: &str, until: &str) -> Option<Self> {
        let quiet = Self { from: minute(from)?, until: minute(until)? };
        (quiet.from != quiet.until).then_some(quiet)
    }

    fn holds(self, minute: i64) -> bool {
        if self.from < self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        }
    }

    /// When somebody may be told what comes up `now`. What is critical is told at once.
    pub fn earliest(self, severity: Severity, now: Timestamp) -> Timestamp {
        let of_day = now.micros() - Timestamp::start_of(now.date()).micros();
        let minute = of_day.div_euclid(MINUTE);
        if severity == Severity::Critical || !self.holds(minute) {
            return now;
        }
        let wait = (self.until - minute).rem_euclid(DAY);
        Timestamp::from_micros(now.micros() - of_day.rem_euclid(MINUTE) + wait * MINUTE)
    }
}

/// `07:30` as a minute of the day.
pub(crate) fn minute(text: &str) -> Option<i64> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let number = |s: &str, most: i64| {
        let digits = (1..=2).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| s.parse::<i64>().ok()).flatten().filter(|n| *n < most)
    };
    Some(number(hours, 24)? * 60 + number(minutes, 60)?)
}

/// A minute of the day as `07:30`.
pub(crate) fn shown(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use base::clock::Date;

    use super::*;

    fn at(day: i8, minute: i64) -> Timestamp {
        let midnight = Timestamp::start_of(Date::new(2026, 11, day).unwrap());
        Timestamp::from_micros(midnight.micros() + minute * MINUTE)
    }

    #[test]
    fn what_can_wait_waits_until_the_morning_and_what_is_critical_does_not() {
        let night = Quiet::parse("22:00", "6:30").unwrap();
        let warn = |day, minute| night.earliest(Severity::Warning, at(day, minute));
        assert_eq!(warn(22, 23 * 60), at(23, 390));
        assert_eq!(warn(23, 60), at(23, 390));
        assert_eq!(warn(23, 390), at(23, 390));
        assert_eq!(warn(23, 720), at(23, 720));
        assert_eq!(night.earliest(Severity::Critical, at(23, 60)), at(23, 60));
        let noon = Quiet::parse("11:30", "13:00").unwrap();
        assert_eq!(noon.earliest(Severity::Warning, at(22, 700)), at(22, 780));
        assert_eq!(noon.earliest(Severity::Warning, at(22, 690 + 90)), at(22, 780));
        let later = Timestamp::from_micros(at(22, 700).micros() + 31_000_000);
        assert_eq!(noon.earliest(Severity::Warning, later), at(22, 780), "to the minute");
    }

    #[test]
    fn hours_are_written_as_on_a_clock() {
        assert_eq!((minute("7:05"), minute("23:59"), minute(" 00:00 ")), (Some(425), Some(1439), Some(0)));
        for bad in ["", "24:00", "7", "7:60", "-1:00", "7:+5", "07:005", "a:b"] {
            assert_eq!(minute(bad), None, "{bad}");
        }
        assert_eq!(shown(425), "07:05");
        assert_eq!(Quiet::parse("8:00", "08:00"), None);
    }
}
