//! Times of day in Vietnam, and which of them came last before a moment. Pure.

use std::time::Duration;

use base::clock::{Date, Timestamp};

/// A time of day, to the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    minutes: u16,
}

impl TimeOfDay {
    /// `HH:MM`, 00:00 to 23:59.
    pub fn parse(text: &str) -> Option<Self> {
        let (hours, minutes) = text.trim().split_once(':')?;
        let number = |s: &str, below: u16| {
            let digits = s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit());
            s.parse::<u16>().ok().filter(|n| digits && *n < below)
        };
        Some(Self { minutes: number(hours, 24)? * 60 + number(minutes, 60)? })
    }

    fn on(self, day: Date) -> Timestamp {
        Timestamp::start_of(day).plus(Duration::from_secs(u64::from(self.minutes) * 60))
    }
}

/// Times at which something is due, every day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    times: Vec<TimeOfDay>,
}

impl Schedule {
    /// At these times; `None` when there are none.
    pub fn new(mut times: Vec<TimeOfDay>) -> Option<Self> {
        times.sort_unstable();
        times.dedup();
        (!times.is_empty()).then_some(Self { times })
    }

    /// The last due moment at or before `now`.
    pub fn last(&self, now: Timestamp) -> Option<Timestamp> {
        let today = now.date();
        let days = [Some(today), today.plus_days(-1)];
        let due = days.into_iter().flatten().flat_map(|day| self.times.iter().map(move |t| t.on(day)));
        due.filter(|at| *at <= now).max()
    }

    /// The first due moment after `now`.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let today = now.date();
        let days = [Some(today), today.plus_days(1)];
        let due = days.into_iter().flatten().flat_map(|day| self.times.iter().map(move |t| t.on(day)));
        due.filter(|at| *at > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_those_of_vietnam() {
        let times = ["13:30", "01:30", "13:30"].map(|t| TimeOfDay::parse(t).unwrap());
        let schedule = Schedule::new(times.to_vec()).unwrap();
        // 01:30 in Vietnam is 18:30 UTC of the day before.
        assert_eq!(schedule.last(at("2026-11-21T18:30:00Z")), Some(at("2026-11-21T18:30:00Z")));
        assert_eq!(schedule.last(at("2026-11-21T18:29:59Z")), Some(at("2026-11-21T06:30:00Z")));
        assert_eq!(schedule.next(at("2026-11-21T18:30:00Z")), Some(at("2026-11-22T06:30:00Z")));
        assert_eq!(schedule.next(at("2026-12-31T06:30:00Z")), Some(at("2026-12-31T18:30:00Z")));
        assert_eq!(Schedule::new(vec![]), None);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for wrong in ["", "24:00", "12:60", "1:30", "01:3", "-1:30", "0130", "01:30:00", "+1:30"] {
            assert_eq!(TimeOfDay::parse(wrong), None, "{wrong}");
        }
        assert!(TimeOfDay::parse("00:00") < TimeOfDay::parse("23:59"));
    }
}
