//! A month of the calendar, as written in addresses (`2026-10`).

use std::fmt;
use std::str::FromStr;

use base::clock::{Date, Timestamp};
use base::ids::BadId;

use crate::traffic::{later_month, month_start};

/// A month in UTC+7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(Date);

impl Month {
    /// The month of a day.
    pub fn of(day: Date) -> Self {
        Self(Date::new(day.year(), day.month(), 1).unwrap_or(day))
    }

    /// Its first moment.
    pub fn from(self) -> Timestamp {
        month_start(self.0)
    }

    /// The first moment after it.
    pub fn until(self) -> Timestamp {
        month_start(later_month(self.0))
    }

    /// The month before.
    pub fn before(self) -> Self {
        Self::of(self.0.plus_days(-1).unwrap_or(self.0))
    }

    /// The month after.
    pub fn after(self) -> Self {
        Self::of(later_month(self.0))
    }

    /// `10/2026`.
    pub fn vn(self) -> String {
        format!("{:02}/{:04}", self.0.month(), self.0.year())
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl FromStr for Month {
    type Err = BadId;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let day: Date = format!("{s}-01").parse().map_err(|_| BadId("month"))?;
        let month = Self::of(day);
        // Years far away have no calls, and arithmetic with them may end beyond the calendar.
        if month.to_string() == s && (2000..=2999).contains(&day.year()) {
            Ok(month)
        } else {
            Err(BadId("month"))
        }
    }
}

impl<'de> serde::Deserialize<'de> for Month {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(|_| serde::de::Error::custom("not a month (YYYY-MM)"))
    }
}

impl serde::Serialize for Month {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_read_back_and_follow_each_other() {
        let month: Month = "2026-12".parse().unwrap();
        assert_eq!((month.to_string(), month.vn()), ("2026-12".to_owned(), "12/2026".to_owned()));
        assert_eq!(
            (month.after().to_string(), month.before().to_string()),
            ("2027-01".into(), "2026-11".into())
        );
        assert_eq!(
            (month.from().vn(), month.until().vn()),
            ("01/12/2026 00:00".into(), "01/01/2027 00:00".into())
        );
        for bad in ["", "2026", "2026-13", "2026-1", "2026-10-01", "x-10", "9999-12", "1999-12"] {
            assert!(bad.parse::<Month>().is_err(), "{bad}");
        }
    }
}
