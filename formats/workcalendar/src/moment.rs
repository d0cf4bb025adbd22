//! Moments and days as Viet Nam's clocks show them. UTC+7 without daylight saving since 1975, so a moment is one
//! whole number; zones and the present time are left to others.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use serde::{Serialize, Serializer};

/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// Viet Nam's offset from UTC in seconds.
const OFFSET: i64 = 7 * 3_600;

/// A moment: seconds since 1970-01-01T00:00 in Viet Nam. Parts of a second do not count in terms.
///
/// Reads `2026-11-20T16:00`, with seconds or an offset if wanted, and `20/11/2026 16:00`. Written (also by serde) as
/// RFC 3339 with `+07:00`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

/// What stands there is no moment: neither `yyyy-mm-ddThh:mm` nor `dd/MM/yyyy HH:mm`, or no such day or hour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such moment: {0:?}")]
pub struct BadMoment(pub String);

impl Moment {
    /// From seconds since 1970-01-01T00:00:00Z.
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds.saturating_add(OFFSET))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn unix(self) -> i64 {
        self.0.saturating_sub(OFFSET)
    }

    /// `time` seconds after midnight of `date`.
    pub fn at(date: Date, time: u32) -> Self {
        Self::on(day_number(date), time)
    }

    /// The day in Viet Nam.
    pub fn date(self) -> Date {
        self.civil().date()
    }

    /// Seconds since midnight in Viet Nam.
    pub const fn time(self) -> u32 {
        self.0.rem_euclid(DAY) as u32
    }

    /// This moment and `seconds` of calendar time.
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Calendar seconds from `earlier` to this moment; negative if it is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// For people: `26/11/2026 16:00`.
    pub fn vn(self) -> String {
        let c = self.civil();
        format!("{:02}/{:02}/{:04} {:02}:{:02}", c.day(), c.month(), c.year(), c.hour(), c.minute())
    }

    pub(crate) const fn on(day: i64, time: u32) -> Self {
        Self(day.saturating_mul(DAY).saturating_add(time as i64))
    }

    pub(crate) const fn day(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    fn civil(self) -> DateTime {
        let end = if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        Offset::UTC.to_datetime(jiff::Timestamp::from_second(self.0).unwrap_or(end))
    }
}

/// Days since 1970-01-01.
pub(crate) fn day_number(date: Date) -> i64 {
    date.duration_since(Date::constant(1970, 1, 1)).as_secs().div_euclid(DAY)
}

/// The date `day` days after 1970-01-01.
pub(crate) fn date_of(day: i64) -> Date {
    Moment::on(day, 0).date()
}

/// Monday 0 to Sunday 6.
pub(crate) const fn weekday(day: i64) -> usize {
    (day + 3).rem_euclid(7) as usize
}

impl FromStr for Moment {
    type Err = BadMoment;

    fn from_str(text: &str) -> Result<Self, BadMoment> {
        let bad = || BadMoment(text.chars().take(64).collect());
        let text = text.trim();
        if let Some((day, time)) = text.split_once(' ').filter(|(day, _)| day.contains('/')) {
            let date = vietnamese_date(day).ok_or_else(bad)?;
            let time = crate::hours::time_of_day(time.trim()).map_err(|_| bad())?;
            return Ok(Self::at(date, time));
        }
        let (_, time) =
            text.split_once(['T', 't', ' ']).filter(|(_, time)| time.contains(':')).ok_or_else(bad)?;
        if time.contains(['Z', 'z', '+', '-']) {
            let at: jiff::Timestamp = text.parse().map_err(|_| bad())?;
            return Ok(Self::from_unix(at.as_second()));
        }
        let civil: DateTime = text.parse().map_err(|_| bad())?;
        let time = civil.time();
        let seconds = u32::try_from(time.hour()).unwrap_or(0) * 3_600
            + u32::try_from(time.minute()).unwrap_or(0) * 60
            + u32::try_from(time.second()).unwrap_or(0);
        Ok(Self::at(civil.date(), seconds))
    }
}

fn vietnamese_date(text: &str) -> Option<Date> {
    let mut parts = text.split('/');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.civil();
        write!(f, "{:04}-{:02}-{:02}T", c.year(), c.month(), c.day())?;
        write!(f, "{:02}:{:02}:{:02}+07:00", c.hour(), c.minute(), c.second())
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, as_: &str) {
        assert_eq!(text.parse::<Moment>().unwrap().to_string(), as_);
    }

    #[test]
    fn moments_are_read_in_the_forms_people_and_systems_write() {
        reads("2026-11-20T16:00", "2026-11-20T16:00:00+07:00");
        reads(" 2026-11-20 16:00:30 ", "2026-11-20T16:00:30+07:00");
        reads("2026-11-20T16:00:30.999", "2026-11-20T16:00:30+07:00");
        reads("2026-11-20T16:00:00+07:00", "2026-11-20T16:00:00+07:00");
        reads("2026-11-20T17:30:00Z", "2026-11-21T00:30:00+07:00");
        reads("20/11/2026 16:00", "2026-11-20T16:00:00+07:00");
        reads("1969-12-31T23:59", "1969-12-31T23:59:00+07:00");
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "x",
            "2026-11-20",
            "2026-02-29T10:00",
            "2026-11-20T24:01",
            "31/04/2026 10:00",
            "1/2/26 10:00",
            "20/11/2026 25:00",
            "20/11/2026",
            "2026-11-20T16",
            "T",
            "٢٠٢٦-11-20T16:00",
        ] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    #[test]
    fn days_and_weekdays_agree_with_the_civil_calendar() {
        let mut date = Date::constant(1999, 12, 1);
        for _ in 0..12_000 {
            let day = day_number(date);
            assert_eq!(date_of(day), date);
            assert_eq!(weekday(day) as i8, date.weekday().to_monday_zero_offset(), "{date}");
            date = date.tomorrow().unwrap();
        }
    }

    #[test]
    fn every_civil_date_has_a_number() {
        assert!(day_number(Date::MAX) > day_number(Date::constant(9999, 12, 30)));
        assert!(day_number(Date::MIN) < day_number(Date::constant(-9999, 1, 2)));
    }

    #[test]
    fn extreme_moments_do_not_panic() {
        for seconds in [i64::MIN, i64::MAX, 0] {
            let moment = Moment::from_unix(seconds);
            let _ = (moment.to_string(), moment.vn(), moment.date(), moment.time(), moment.unix());
        }
    }
}
