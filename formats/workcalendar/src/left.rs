//! What is left of a term, or by how much it is late, in days and a rest: "còn 1 ngày 3 giờ làm việc".

use serde::Serialize;

use crate::calendar::{Calendar, NoData};
use crate::moment::{DAY, Moment};
use crate::term::Unit;

/// What is left, or by how much it is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Left {
    /// Whether the end has passed.
    pub late: bool,
    /// Whole days, of working or of calendar time as the term counts.
    pub days: u32,
    /// Seconds beyond them, likewise.
    pub seconds: i64,
}

impl Calendar {
    /// What is left at `now` of a term that ends at `due`; when that has passed, what has gone by since. `days` and
    /// `seconds` together lead from the earlier moment to the later by the very rules of terms: so many working days
    /// at the same hour, then so much working time.
    ///
    /// # Errors
    /// [`NoData`].
    pub fn left(&self, now: Moment, due: Moment, unit: Unit) -> Result<Left, NoData> {
        let late = now > due;
        let (from, to) = if late { (due, now) } else { (now, due) };
        if unit == Unit::Days {
            let seconds = to.since(from);
            return Ok(Left { late, days: (seconds / DAY) as u32, seconds: seconds % DAY });
        }
        let (days, from) = self.whole_days(from, to)?;
        Ok(Left { late, days, seconds: self.working_seconds(from, to)?.max(0) })
    }

    /// The most working days at the same hour that fit between two moments, and where they end.
    fn whole_days(&self, from: Moment, to: Moment) -> Result<(u32, Moment), NoData> {
        // From outside working time the days count from the next opening, as for a receipt.
        let begin = self.next_working(from)?;
        let (start, time, last) = (self.index(begin.day())?, begin.time(), self.index(to.day())?);
        // The last working day up to `to` at that hour, or, when that is too late, the one before.
        let most = self.working_days_after(start, last);
        for days in [most, most.saturating_sub(1)].into_iter().filter(|days| *days > 0) {
            let index = self.nth_working_day(start, days)?;
            let end = Moment::on(self.day(index), self.work(index).fit(time).unwrap_or(time));
            if end <= to {
                return Ok((days, end));
            }
        }
        Ok((0, from))
    }
}
