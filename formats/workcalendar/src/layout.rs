//! Lays documents one upon another and out into days: which hours each day has, and why. Later documents win.

use std::collections::{BTreeMap, HashMap};

use toml::Spanned;

use crate::calendar::{Calendar, Cell, Noted, Reason, Year};
use crate::document::{
    Certainty, DayRow, Document, Season, Source, Words, YearRow, YearState, date, season, span, weekdays,
};
use crate::fault::{Fault, LoadError};
use crate::hours::Hours;
use crate::moment::{date_of, day_number, weekday};

const MOST_YEARS: usize = 200;

/// Hours of some weekdays, resolved.
struct Weekly {
    from: i64,
    until: i64,
    season: Option<Season>,
    days: [bool; 7],
    work: Option<Hours>,
    open: Option<Hours>,
}

/// What the documents together say, before it is laid out.
#[derive(Default)]
struct Stack {
    sources: Vec<Source>,
    holidays: BTreeMap<String, (Words, usize)>,
    weekly: Vec<Weekly>,
    years: BTreeMap<i16, (Option<YearState>, Option<usize>)>,
    noted: BTreeMap<i64, Noted>,
}

/// One calendar of documents: the first stands alone, each further one changes what is below it.
///
/// # Errors
/// The first fault, with its line in the document that has it.
pub(crate) fn lay(documents: &[&Document]) -> Result<Calendar, LoadError> {
    let mut stack = Stack::default();
    for document in documents {
        stack.add(document)?;
    }
    let (code, name) = documents.iter().rfind(|d| d.code != "given").or(documents.last()).map_or_else(
        || (String::new(), Words { vi: String::new(), en: String::new() }),
        |d| (d.code.clone(), d.name.clone()),
    );
    stack.calendar(code, name).map_err(|fault| LoadError { line: 1, fault })
}

impl Stack {
    fn add(&mut self, document: &Document) -> Result<(), LoadError> {
        self.sources.extend(document.source.iter().map(|s| s.as_ref().clone()));
        for row in &document.holiday {
            let at = |fault| document.error((row.span().start, fault));
            let holiday = row.as_ref();
            let source = self.source(&holiday.source).map_err(at)?;
            let words = Words { vi: holiday.vi.clone(), en: holiday.en.clone() };
            self.holidays.insert(holiday.id.clone(), (words, source));
        }
        for row in &document.hours {
            let at = |fault| document.error((row.span().start, fault));
            let hours = row.as_ref();
            self.source(&hours.source).map_err(at)?;
            let (from, until) = span(&hours.from, hours.until.as_ref()).map_err(at)?;
            self.weekly.push(Weekly {
                from: day_number(from),
                until: day_number(until),
                season: hours.season.as_deref().map(season).transpose().map_err(at)?,
                days: weekdays(&hours.days).map_err(at)?,
                work: hours.work.clone(),
                open: hours.open.clone(),
            });
        }
        for row in &document.year {
            self.add_year(document, row)?;
        }
        Ok(())
    }

    fn add_year(&mut self, document: &Document, row: &Spanned<YearRow>) -> Result<(), LoadError> {
        let at = |fault| document.error((row.span().start, fault));
        let year = row.as_ref();
        let source = year.source.as_deref().map(|id| self.source(id)).transpose().map_err(at)?;
        let known = self.years.entry(year.year).or_default();
        *known = (year.state.or(known.0), source.or(known.1));
        if known.0.is_none() {
            return Err(at(Fault::NoState(year.year)));
        }
        let mut here = vec![];
        for day in &year.days {
            let at = |fault| document.error((day.span().start, fault));
            for noted in self.noted(day.as_ref(), source).map_err(at)? {
                if here.contains(&noted.day) {
                    return Err(at(Fault::DayTwice { date: noted.date() }));
                }
                here.push(noted.day);
                self.noted.insert(noted.day, noted);
            }
        }
        Ok(())
    }

    /// What a line says about its day and, for a swap, about the other day.
    fn noted(&mut self, row: &DayRow, of_year: Option<usize>) -> Result<Vec<Noted>, Fault> {
        let day = day_number(date(&row.date)?);
        let mut source = row.source.as_deref().map(|id| self.source(id)).transpose()?;
        let mut other = None;
        let reason = if let Some(id) = &row.holiday {
            let (words, of_law) = self.holidays.get(id).ok_or_else(|| Fault::Holiday(id.clone()))?;
            // The year's notice says which days; without one it is the law.
            source = source.or(of_year).or(Some(*of_law));
            Reason::Holiday(words.clone())
        } else if let Some(of) = &row.compensates {
            Reason::Compensation { of: date(of)? }
        } else if let Some(worked) = &row.swapped_with {
            let worked = date(worked)?;
            other = Some((day_number(worked), Reason::SwappedWork { off: date_of(day) }));
            Reason::SwappedOff { worked }
        } else if let Some(why) = &row.closed {
            Reason::Closed(why.clone())
        } else if let Some(special) = &row.special {
            Reason::Special { why: special.why.clone(), hours: special.hours.clone() }
        } else {
            self.forget(day);
            return Ok(vec![]);
        };
        let source = source.or(of_year);
        let certainty = row.certainty.or_else(|| Some(self.sources.get(source?)?.certainty));
        let certainty = certainty.unwrap_or(Certainty::Unverified);
        let first = Noted { day, reason, certainty, source };
        let second = other.map(|(day, reason)| Noted { day, reason, certainty, source });
        Ok(std::iter::once(first).chain(second).collect())
    }

    /// The day is as usual; so is the other one of a swap.
    fn forget(&mut self, day: i64) {
        let Some(gone) = self.noted.remove(&day) else { return };
        let (Reason::SwappedOff { worked: other } | Reason::SwappedWork { off: other }) = gone.reason else {
            return;
        };
        let other = day_number(other);
        let is_other_half = self.noted.get(&other).is_some_and(|n| {
            matches!(n.reason, Reason::SwappedOff { worked: d } | Reason::SwappedWork { off: d } if day_number(d) == day)
        });
        if is_other_half {
            self.noted.remove(&other);
        }
    }

    /// Later documents' acts hide earlier ones of the same name.
    fn source(&self, id: &str) -> Result<usize, Fault> {
        self.sources.iter().rposition(|s| s.id == id).ok_or_else(|| Fault::Source(id.to_owned()))
    }

    fn weekly(
        &self,
        day: i64,
        as_weekday: usize,
        hours: impl Fn(&Weekly) -> Option<&Hours>,
    ) -> Option<&Hours> {
        let date = date_of(day);
        let today = (date.month(), date.day());
        let in_season = |(from, to): Season| {
            if from <= to { (from..=to).contains(&today) } else { today >= from || today <= to }
        };
        let rows = self.weekly.iter().rev().filter(|w| {
            (w.from..=w.until).contains(&day) && w.days[as_weekday] && w.season.is_none_or(in_season)
        });
        rows.filter_map(&hours).next()
    }

    /// Working and opening hours of a day.
    fn hours(&self, day: i64) -> (Hours, Hours) {
        let as_weekday = match self.noted.get(&day).map(|n| &n.reason) {
            None => weekday(day),
            Some(Reason::SwappedWork { off }) => weekday(day_number(*off)),
            Some(Reason::Special { hours, .. }) => return (hours.clone(), hours.clone()),
            Some(_) => return Default::default(),
        };
        let work = self.weekly(day, as_weekday, |w| w.work.as_ref()).cloned().unwrap_or_default();
        let open = self.weekly(day, as_weekday, |w| w.open.as_ref()).unwrap_or(&work).clone();
        (work, open)
    }

    fn calendar(self, code: String, name: Words) -> Result<Calendar, Fault> {
        let first = *self.years.keys().next().ok_or(Fault::NoYear)?;
        let last = *self.years.keys().next_back().ok_or(Fault::NoYear)?;
        if let Some(gap) = (first..=last).find(|year| !self.years.contains_key(year)) {
            return Err(Fault::Gap(gap));
        }
        if self.years.len() > MOST_YEARS {
            return Err(Fault::TooManyYears);
        }
        let day_one = |year: i16| jiff::civil::Date::new(year, 1, 1).map_err(|e| Fault::Date(e.to_string()));
        let (begin, end) = (day_number(day_one(first)?), day_number(day_one(last.saturating_add(1))?));
        let mut plans: Vec<Hours> = vec![];
        let mut numbers: HashMap<Hours, u32> = HashMap::new();
        let mut number = |hours: Hours| {
            *numbers.entry(hours.clone()).or_insert_with(|| {
                plans.push(hours);
                u32::try_from(plans.len() - 1).unwrap_or(u32::MAX)
            })
        };
        let mut cells = vec![];
        for day in begin..end {
            let (work, open) = self.hours(day);
            cells.push(Cell { work: number(work), open: number(open) });
        }
        let years = self.years.iter().map(|(year, (state, source))| Year {
            year: *year,
            state: state.unwrap_or(YearState::Provisional),
            source: *source,
        });
        let years = years.collect();
        let noted = self.noted.into_values().filter(|n| (begin..end).contains(&n.day)).collect();
        Ok(Calendar::of(code, name, begin, cells, plans, years, noted, self.sources))
    }
}
