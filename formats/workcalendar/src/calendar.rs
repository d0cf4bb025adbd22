//! A calendar laid out: for each day its hours, with running sums, so that any question about working time is a
//! look-up and a binary search. It answers only for the years it has data for.

use jiff::civil::Date;

use crate::document::{Certainty, Document, Source, Words, YearState};
use crate::fault::LoadError;
use crate::hours::Hours;
use crate::layout;
use crate::moment::{Moment, date_of, day_number};

/// Which days are worked and when, for a run of years, with the acts behind it.
#[derive(Debug, Clone)]
pub struct Calendar {
    code: String,
    name: Words,
    /// Number of the first day.
    first: i64,
    cells: Vec<Cell>,
    plans: Vec<Hours>,
    /// Working seconds before each day, and after the last.
    worked_before: Vec<i64>,
    /// Working days before each day, and after the last.
    working_before: Vec<u32>,
    /// Days of years not yet published before each day, and after the last.
    provisional_before: Vec<u32>,
    /// The working days.
    working_days: Vec<u32>,
    years: Vec<Year>,
    noted: Vec<Noted>,
    sources: Vec<Source>,
}

/// Hours of one day, by number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub work: u32,
    pub open: u32,
}

/// A year of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Year {
    /// Which.
    pub year: i16,
    /// Whether its days off are decided.
    pub state: YearState,
    pub(crate) source: Option<usize>,
}

/// A day that is not as its weekday usually is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    pub(crate) day: i64,
    /// Why.
    pub reason: Reason,
    /// How sure.
    pub certainty: Certainty,
    pub(crate) source: Option<usize>,
}

/// Why a day is not as its weekday usually is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A holiday of the law (nghỉ lễ, tết).
    Holiday(Words),
    /// Off for a holiday that fell on a weekly day off (nghỉ bù).
    Compensation {
        /// That day.
        of: Date,
    },
    /// Off, and worked on another day instead (hoán đổi ngày làm việc).
    SwappedOff {
        /// That day.
        worked: Date,
    },
    /// A weekly day off that is worked instead of another day (làm bù).
    SwappedWork {
        /// That day.
        off: Date,
    },
    /// The office is closed.
    Closed(Words),
    /// The office works at other hours.
    Special {
        /// Why.
        why: Words,
        /// These.
        hours: Hours,
    },
}

impl Noted {
    /// The day.
    pub fn date(&self) -> Date {
        date_of(self.day)
    }

    /// Whether nobody works.
    pub fn is_off(&self) -> bool {
        match &self.reason {
            Reason::SwappedWork { .. } => false,
            Reason::Special { hours, .. } => hours.is_empty(),
            _ => true,
        }
    }
}

/// The calendar knows nothing of the year: it must be extended by the year's notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the calendar has no data for the year {year}")]
pub struct NoData {
    /// The year.
    pub year: i16,
}

impl Calendar {
    /// One calendar of documents: the first stands alone, each further one changes what is below it.
    ///
    /// # Errors
    /// The first fault, with its line.
    pub fn of_documents(documents: &[&Document]) -> Result<Self, LoadError> {
        layout::lay(documents)
    }

    #[allow(clippy::too_many_arguments)] // called in one place, with what was just laid out
    pub(crate) fn of(
        code: String,
        name: Words,
        first: i64,
        cells: Vec<Cell>,
        plans: Vec<Hours>,
        years: Vec<Year>,
        noted: Vec<Noted>,
        sources: Vec<Source>,
    ) -> Self {
        let provisional = |day: i64| {
            let year = date_of(day).year();
            years.iter().any(|y| y.year == year && y.state == YearState::Provisional)
        };
        let (mut worked, mut working, mut unsure) = (vec![0], vec![0], vec![0]);
        let (mut seconds, mut count, mut open_years) = (0, 0, 0);
        let mut working_days = vec![];
        let (mut number, mut day) = (0_u32, first);
        for cell in &cells {
            let length = plans.get(cell.work as usize).map_or(0, Hours::seconds);
            if length > 0 {
                working_days.push(number);
                count += 1;
            }
            seconds += length;
            open_years += u32::from(provisional(day));
            worked.push(seconds);
            working.push(count);
            unsure.push(open_years);
            number += 1;
            day += 1;
        }
        Self {
            code,
            name,
            first,
            cells,
            plans,
            worked_before: worked,
            working_before: working,
            provisional_before: unsure,
            working_days,
            years,
            noted,
            sources,
        }
    }

    /// Short name, such as `vn`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// For people.
    pub fn name(&self) -> &Words {
        &self.name
    }

    /// The years it knows, in order.
    pub fn years(&self) -> &[Year] {
        &self.years
    }

    /// The act behind a year.
    pub fn source_of_year(&self, year: i16) -> Option<&Source> {
        self.sources.get(self.years.iter().find(|y| y.year == year)?.source?)
    }

    /// The act behind a day.
    pub fn source_of(&self, day: &Noted) -> Option<&Source> {
        self.sources.get(day.source?)
    }

    /// The days from `from` to `to`, both included, that are not as their weekday usually is.
    pub fn noted(&self, from: Date, to: Date) -> &[Noted] {
        let (from, to) = (day_number(from), day_number(to));
        let begin = self.noted.partition_point(|n| n.day < from);
        let end = self.noted.partition_point(|n| n.day <= to);
        self.noted.get(begin..end).unwrap_or_default()
    }

    /// Working hours of a day; none on a day off.
    ///
    /// # Errors
    /// [`NoData`].
    pub fn hours(&self, date: Date) -> Result<&Hours, NoData> {
        Ok(self.work(self.index(day_number(date))?))
    }

    /// When the counter is open on a day: as the working hours unless the calendar says otherwise.
    ///
    /// # Errors
    /// [`NoData`].
    pub fn opening_hours(&self, date: Date) -> Result<&Hours, NoData> {
        Ok(self.open(self.index(day_number(date))?))
    }

    /// Working days from `from` to `to`, both included; none when `to` is earlier.
    ///
    /// # Errors
    /// [`NoData`].
    pub fn working_days(&self, from: Date, to: Date) -> Result<u32, NoData> {
        let (from, to) = (self.index(day_number(from))?, self.index(day_number(to))?);
        Ok(self.working_before[to + 1].saturating_sub(self.working_before[from]))
    }

    /// Working seconds from `from` to `to`; negative when `to` is earlier.
    ///
    /// # Errors
    /// [`NoData`].
    pub fn working_seconds(&self, from: Moment, to: Moment) -> Result<i64, NoData> {
        Ok(self.worked(to)? - self.worked(from)?)
    }

    /// Whether the working clock runs; both ends of a span count as working time.
    ///
    /// # Errors
    /// [`NoData`].
    pub fn is_working(&self, at: Moment) -> Result<bool, NoData> {
        Ok(self.work(self.index(at.day())?).covers(at.time()))
    }

    /// Whether the counter is open.
    ///
    /// # Errors
    /// [`NoData`].
    pub fn is_open(&self, at: Moment) -> Result<bool, NoData> {
        Ok(self.open(self.index(at.day())?).covers(at.time()))
    }

    /// `at`, or the next moment at which the working clock runs.
    ///
    /// # Errors
    /// [`NoData`] when that is in a year without data.
    pub fn next_working(&self, at: Moment) -> Result<Moment, NoData> {
        if self.is_working(at)? {
            return Ok(at);
        }
        let today = self.index(at.day())?;
        if let Some(time) = self.work(today).next_beginning(at.time()) {
            return Ok(Moment::on(at.day(), time));
        }
        let next = self.nth_working_day(today, u32::from(!self.work(today).is_empty()))?;
        Ok(Moment::on(self.day(next), self.work(next).bounds().map_or(0, |day| day.from)))
    }

    /// `at`, or the next moment at which the counter opens.
    ///
    /// # Errors
    /// [`NoData`] when that is in a year without data.
    pub fn next_open(&self, at: Moment) -> Result<Moment, NoData> {
        if self.is_open(at)? {
            return Ok(at);
        }
        let today = self.index(at.day())?;
        if let Some(time) = self.open(today).next_beginning(at.time()) {
            return Ok(Moment::on(at.day(), time));
        }
        let later = (today + 1..self.cells.len()).find_map(|i| Some((i, self.open(i).bounds()?.from)));
        let (index, time) = later.ok_or_else(|| self.after_last())?;
        Ok(Moment::on(self.day(index), time))
    }

    /// The first year between two moments whose days off are not yet published.
    pub fn provisional_year(&self, from: Moment, to: Moment) -> Option<i16> {
        let (from, to) = (self.index(from.day()).ok()?, self.index(to.day()).ok()?);
        let before = *self.provisional_before.get(from)?;
        if *self.provisional_before.get(to + 1)? == before {
            return None;
        }
        let first = self.provisional_before.partition_point(|n| *n <= before).checked_sub(1)?;
        Some(date_of(self.day(first)).year())
    }

    // ------------------------------------------------------------------------------------- by number of the day

    pub(crate) fn index(&self, day: i64) -> Result<usize, NoData> {
        usize::try_from(day - self.first)
            .ok()
            .filter(|i| *i < self.cells.len())
            .ok_or_else(|| NoData { year: date_of(day).year() })
    }

    pub(crate) fn day(&self, index: usize) -> i64 {
        self.first + i64::try_from(index).unwrap_or(i64::MAX)
    }

    pub(crate) fn work(&self, index: usize) -> &Hours {
        &self.plans[self.cells[index].work as usize]
    }

    fn open(&self, index: usize) -> &Hours {
        &self.plans[self.cells[index].open as usize]
    }

    pub(crate) fn worked(&self, at: Moment) -> Result<i64, NoData> {
        let index = self.index(at.day())?;
        Ok(self.worked_before[index] + self.work(index).before(at.time()))
    }

    /// The first moment with `seconds` (at least one) more working time behind it than `from`.
    pub(crate) fn advance(&self, from: Moment, seconds: i64) -> Result<Moment, NoData> {
        let goal = self.worked(from)?.saturating_add(seconds);
        let index = self.worked_before.partition_point(|w| *w < goal).saturating_sub(1);
        if index >= self.cells.len() {
            return Err(self.after_last());
        }
        let time = self.work(index).after(goal - self.worked_before[index]);
        Ok(Moment::on(self.day(index), time))
    }

    /// The `count`-th working day after `index`; with 0, `index` itself or the next working day.
    pub(crate) fn nth_working_day(&self, index: usize, count: u32) -> Result<usize, NoData> {
        let before = if count == 0 { self.working_before[index] } else { self.working_before[index + 1] };
        let rank = before as usize + count.saturating_sub(1) as usize;
        self.working_days.get(rank).map(|i| *i as usize).ok_or_else(|| self.after_last())
    }

    /// Working days after day `from` up to day `to`, included.
    pub(crate) fn working_days_after(&self, from: usize, to: usize) -> u32 {
        self.working_before[to + 1].saturating_sub(self.working_before[from + 1])
    }

    pub(crate) fn after_last(&self) -> NoData {
        NoData { year: date_of(self.day(self.cells.len())).year() }
    }
}
