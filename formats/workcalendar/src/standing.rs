//! In which column of a report something stands: done early, on time or late, or open. Reports compare days, not hours.

use jiff::civil::Date;
use serde::Serialize;

/// Where something stands at the end of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Finished on a day before the day it was due (trước hạn).
    DoneEarly,
    /// Finished on the day it was due, or never due (đúng hạn).
    DoneOnTime,
    /// Finished later (quá hạn).
    DoneLate,
    /// Not finished, and the day it is due has not passed, or it is never due (đang giải quyết trong hạn).
    OpenInTime,
    /// Not finished, and that day has passed (đang giải quyết quá hạn).
    OpenLate,
}

impl Standing {
    /// Where something stands at the end of `day`; what is finished later counts as open.
    pub fn on(day: Date, due: Option<Date>, finished: Option<Date>) -> Self {
        match (finished.filter(|f| *f <= day), due) {
            (Some(finished), Some(due)) if finished < due => Self::DoneEarly,
            (Some(finished), Some(due)) if finished > due => Self::DoneLate,
            (Some(_), _) => Self::DoneOnTime,
            (None, Some(due)) if due < day => Self::OpenLate,
            (None, _) => Self::OpenInTime,
        }
    }
}
