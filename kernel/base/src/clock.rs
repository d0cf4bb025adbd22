//! Moments, civil dates and the clock, which is always passed in so that tests and the demo can move it.
//! Working-time arithmetic lives elsewhere.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Vietnam has used UTC+7 without daylight saving since 1975.
const VN_OFFSET_MICROS: i64 = 7 * 3_600 * 1_000_000;
const DAY_MICROS: i64 = 86_400 * 1_000_000;

/// A moment: microseconds since 1970-01-01T00:00:00Z. Serialised as an RFC 3339 string in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch, UTC.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Midnight in Vietnam (UTC+7) at the start of `date`.
    pub fn start_of(date: Date) -> Self {
        Self(date.days_since_epoch() * DAY_MICROS - VN_OFFSET_MICROS)
    }

    /// Microseconds since the epoch, UTC.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, UTC, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Seconds since the epoch, UTC, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This moment moved forward, saturating at the end of representable time.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }

    /// This moment moved back, saturating.
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }

    /// Time passed since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// RFC 3339 in UTC with microseconds: `2026-11-22T08:14:28.123456Z`.
    pub fn rfc3339(self) -> String {
        let c = self.civil(0);
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            c.year(),
            c.month(),
            c.day(),
            c.hour(),
            c.minute(),
            c.second(),
            self.0.rem_euclid(1_000_000)
        )
    }

    /// RFC 3339 in Vietnamese time, whole seconds: `2026-11-22T15:14:28+07:00`.
    pub fn rfc3339_vn(self) -> String {
        let c = self.civil(VN_OFFSET_MICROS);
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+07:00",
            c.year(),
            c.month(),
            c.day(),
            c.hour(),
            c.minute(),
            c.second()
        )
    }

    /// For people, in Vietnamese time: `22/11/2026 15:14`.
    pub fn vn(self) -> String {
        let c = self.civil(VN_OFFSET_MICROS);
        format!("{:02}/{:02}/{:04} {:02}:{:02}", c.day(), c.month(), c.year(), c.hour(), c.minute())
    }

    /// For people who need seconds, in Vietnamese time: `22/11/2026 15:14:28`.
    pub fn vn_seconds(self) -> String {
        let c = self.civil(VN_OFFSET_MICROS);
        format!("{}:{:02}", self.vn(), c.second())
    }

    /// The civil date in Vietnam at this moment.
    pub fn date(self) -> Date {
        Date(self.civil(VN_OFFSET_MICROS).date())
    }

    fn civil(self, offset: i64) -> jiff::civil::DateTime {
        let micros = self.0.saturating_add(offset);
        let at = jiff::Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        jiff::tz::Offset::UTC.to_datetime(at)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl FromStr for Timestamp {
    type Err = jiff::Error;

    /// Reads RFC 3339 with any offset.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(Self(s.parse::<jiff::Timestamp>()?.as_microsecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A civil date of the Gregorian calendar. Serialised as ISO 8601 (`2026-11-22`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(jiff::civil::Date);

impl Date {
    /// `None` when there is no such day.
    pub fn new(year: i16, month: i8, day: i8) -> Option<Self> {
        jiff::civil::Date::new(year, month, day).ok().map(Self)
    }

    /// Reads `dd/MM/yyyy`, the form people write.
    pub fn parse_vn(s: &str) -> Option<Self> {
        let mut parts = s.trim().split('/');
        let (d, m, y) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        Self::new(y.parse().ok()?, m.parse().ok()?, d.parse().ok()?)
    }

    /// `dd/MM/yyyy`, the form people read.
    pub fn vn(self) -> String {
        format!("{:02}/{:02}/{:04}", self.0.day(), self.0.month(), self.0.year())
    }

    /// Year, for example 2026.
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// Month, 1 to 12.
    pub fn month(self) -> i8 {
        self.0.month()
    }

    /// Day of the month, 1 to 31.
    pub fn day(self) -> i8 {
        self.0.day()
    }

    /// The date `days` later (earlier when negative); `None` beyond the calendar's range.
    pub fn plus_days(self, days: i64) -> Option<Self> {
        self.0.checked_add(jiff::Span::new().try_days(days).ok()?).ok().map(Self)
    }

    /// Days since 1970-01-01.
    pub fn days_since_epoch(self) -> i64 {
        let epoch = jiff::civil::date(1970, 1, 1);
        i64::from(self.0.since(epoch).map_or(0, |span| span.get_days()))
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

impl FromStr for Date {
    type Err = jiff::Error;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.parse().map(Self)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Where moments come from.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // the one place where the machine's clock is read
    fn now(&self) -> Timestamp {
        let now = std::time::SystemTime::now();
        match now.duration_since(std::time::UNIX_EPOCH) {
            Ok(d) => Timestamp(i64::try_from(d.as_micros()).unwrap_or(i64::MAX)),
            Err(e) => Timestamp(-i64::try_from(e.duration().as_micros()).unwrap_or(i64::MAX)),
        }
    }
}

/// The machine's clock plus an offset that can be moved: for tests and the demo only.
#[derive(Debug, Default)]
pub struct MovableClock {
    offset: AtomicI64,
}

impl MovableClock {
    /// Starts at the machine's time.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts at `at` and runs on from there.
    pub fn starting_at(at: Timestamp) -> Self {
        let clock = Self::new();
        clock.set(at);
        clock
    }

    /// Makes `at` the present moment.
    pub fn set(&self, at: Timestamp) {
        self.offset.store(at.0 - SystemClock.now().0, Ordering::SeqCst);
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.offset.fetch_add(i64::try_from(by.as_micros()).unwrap_or(0), Ordering::SeqCst);
    }

    /// Microseconds between this clock and the machine's.
    pub fn offset_micros(&self) -> i64 {
        self.offset.load(Ordering::SeqCst)
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0.saturating_add(self.offset.load(Ordering::SeqCst)))
    }
}

/// Measures how long something took, on the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts now.
    #[allow(clippy::disallowed_methods)] // durations never decide what is true, only how long it took
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_and_write_in_both_zones() {
        let t: Timestamp = "2026-11-22T08:14:28.123456Z".parse().unwrap();
        assert_eq!(t.rfc3339(), "2026-11-22T08:14:28.123456Z");
        assert_eq!(t.rfc3339_vn(), "2026-11-22T15:14:28+07:00");
        assert_eq!(t.vn(), "22/11/2026 15:14");
        let late: Timestamp = "2025-06-30T17:00:00Z".parse().unwrap();
        assert_eq!(late.date(), Date::new(2025, 7, 1).unwrap(), "1 July begins at 17:00 UTC the day before");
        assert_eq!(Timestamp::start_of(Date::new(2025, 7, 1).unwrap()), late);
    }

    #[test]
    fn dates_refuse_days_that_do_not_exist() {
        assert!(Date::new(2026, 2, 29).is_none());
        assert!(Date::parse_vn("31/04/2026").is_none());
        assert_eq!(Date::parse_vn("30/04/2026").unwrap().to_string(), "2026-04-30");
        assert_eq!(Date::new(2024, 2, 28).unwrap().plus_days(1).unwrap().vn(), "29/02/2024");
    }

    #[test]
    fn extreme_moments_do_not_panic() {
        for micros in [i64::MIN, i64::MAX, 0, -1] {
            let t = Timestamp::from_micros(micros);
            let _ = (t.rfc3339(), t.rfc3339_vn(), t.vn(), t.date());
        }
    }

    #[test]
    fn the_movable_clock_moves() {
        let at: Timestamp = "2026-04-29T16:59:59Z".parse().unwrap();
        let clock = MovableClock::starting_at(at);
        assert_eq!(clock.now().date().vn(), "29/04/2026");
        clock.advance(Duration::from_secs(2));
        assert_eq!(clock.now().date().vn(), "30/04/2026");
    }
}
