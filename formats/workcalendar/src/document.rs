//! A calendar file as it is written: acts, hours, holidays of the law, years with their days off, and others' days on
//! top of it. Every fault names its line. Days are laid out in `layout`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::fault::{Fault, LoadError};
use crate::hours::Hours;
use crate::moment::{day_number, weekday};

/// Larger than any calendar file.
const MOST_BYTES: usize = 1 << 20;

/// A calendar file, read and checked in itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Document {
    /// Short name, such as `vn`.
    pub(crate) code: String,
    /// For people.
    pub(crate) name: Words,
    /// The calendar that this one stands upon.
    pub(crate) extends: Option<String>,
    #[serde(default)]
    pub(crate) source: Vec<Spanned<Source>>,
    #[serde(default)]
    pub(crate) hours: Vec<Spanned<HoursRow>>,
    #[serde(default)]
    pub(crate) holiday: Vec<Spanned<Holiday>>,
    #[serde(default)]
    pub(crate) year: Vec<Spanned<YearRow>>,
    /// Where the lines end, for faults.
    #[serde(skip)]
    breaks: Vec<usize>,
}

/// Something for people, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}

/// The act behind a line of the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Source {
    /// How lines refer to it.
    pub id: String,
    /// Number and article, as it is cited.
    pub act: String,
    /// How sure it is that the act says so.
    pub certainty: Certainty,
    /// What else is to be known.
    pub note: Option<String>,
}

/// How sure a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// An act named by its number, and independent compilations agree on what it says.
    Published,
    /// The press or one compilation says so.
    Reported,
    /// Recalled or inferred; to be checked before anybody relies on it.
    Unverified,
    /// Proposed, not decided.
    Proposed,
}

/// Working and opening hours of some weekdays from a day on; later entries win.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct HoursRow {
    pub from: toml::value::Datetime,
    pub until: Option<toml::value::Datetime>,
    /// `04-16..10-15`, every year; may pass over the turn of the year.
    pub season: Option<String>,
    /// `mon-fri`, or `tue,thu`.
    pub days: String,
    /// When the working clock runs.
    pub work: Option<Hours>,
    /// When the counter is open.
    pub open: Option<Hours>,
    pub source: String,
}

/// A holiday of the law: how many days a year, from when.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Holiday {
    pub id: String,
    pub vi: String,
    pub en: String,
    /// Days a year.
    pub days: usize,
    pub from: toml::value::Datetime,
    pub until: Option<toml::value::Datetime>,
    /// The day it is always on: `09-02`.
    pub on: Option<String>,
    pub source: String,
}

/// A year.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct YearRow {
    pub year: i16,
    /// Absent in a calendar on top of another: as there.
    pub state: Option<YearState>,
    pub source: Option<String>,
    /// Days that must be among the days off, by the lunar calendar: holiday → day.
    #[serde(default)]
    pub lunar: BTreeMap<String, toml::value::Datetime>,
    #[serde(default)]
    pub days: Vec<Spanned<DayRow>>,
}

/// Whether a year's days off are decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum YearState {
    /// Decided and published.
    Published,
    /// Not yet: the days are those proposed or those that follow from the law.
    Provisional,
}

/// A day that is not as its weekday usually is; exactly one of the middle five says why.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DayRow {
    pub date: toml::value::Datetime,
    pub holiday: Option<String>,
    pub compensates: Option<toml::value::Datetime>,
    pub swapped_with: Option<toml::value::Datetime>,
    pub closed: Option<Words>,
    pub special: Option<Special>,
    pub usual: Option<bool>,
    pub source: Option<String>,
    pub certainty: Option<Certainty>,
}

/// Other hours on one day.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Special {
    pub hours: Hours,
    pub why: Words,
}

impl Document {
    /// Reads a file and checks it in itself.
    ///
    /// # Errors
    /// The first fault, with its line.
    pub fn read(text: &str) -> Result<Self, LoadError> {
        if text.len() > MOST_BYTES {
            return Err(LoadError { line: 1, fault: Fault::TooLarge });
        }
        let breaks: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        let mut document: Self = toml::from_str(text).map_err(|e| LoadError {
            line: e.span().map_or(1, |span| line(&breaks, span.start)),
            fault: Fault::Form(e.message().to_owned()),
        })?;
        document.breaks = breaks;
        document.check().map_err(|at| document.error(at))?;
        Ok(document)
    }

    /// The fault with its line.
    pub(crate) fn error(&self, (at, fault): At) -> LoadError {
        LoadError { line: line(&self.breaks, at), fault }
    }

    /// Short name, such as `vn`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The calendar that this one stands upon.
    pub fn extends(&self) -> Option<&str> {
        self.extends.as_deref()
    }

    /// A layer that only sets the working hours of Monday to Friday.
    pub fn working_hours(hours: Hours) -> Self {
        let row = HoursRow {
            from: toml_date(Date::constant(1, 1, 1)),
            until: None,
            season: None,
            days: "mon-fri".to_owned(),
            work: Some(hours),
            open: None,
            source: "given".to_owned(),
        };
        let source = Source {
            id: "given".to_owned(),
            act: "—".to_owned(),
            certainty: Certainty::Published,
            note: None,
        };
        Self {
            code: "given".to_owned(),
            name: Words { vi: "giờ làm việc đã nêu".to_owned(), en: "the hours given".to_owned() },
            extends: None,
            source: vec![Spanned::new(0..0, source)],
            hours: vec![Spanned::new(0..0, row)],
            holiday: vec![],
            year: vec![],
            breaks: vec![],
        }
    }

    fn check(&self) -> Result<(), At> {
        let mut ids = vec![];
        for source in &self.source {
            once(&mut ids, format!("source {}", source.as_ref().id), source)?;
        }
        for row in &self.hours {
            let at = |fault| (row.span().start, fault);
            let hours = row.as_ref();
            span(&hours.from, hours.until.as_ref()).map_err(at)?;
            weekdays(&hours.days).map_err(at)?;
            hours.season.as_deref().map(season).transpose().map_err(at)?;
        }
        for row in &self.holiday {
            let at = |fault| (row.span().start, fault);
            let holiday = row.as_ref();
            span(&holiday.from, holiday.until.as_ref()).map_err(at)?;
            holiday.on.as_deref().map(month_day).transpose().map_err(at)?;
        }
        for row in &self.year {
            once(&mut ids, row.as_ref().year.to_string(), row)?;
            self.check_year(row)?;
        }
        Ok(())
    }

    fn check_year(&self, row: &Spanned<YearRow>) -> Result<(), At> {
        let year = row.as_ref();
        let mut seen = BTreeMap::new();
        for day in &year.days {
            let at = |fault| (day.span().start, fault);
            let date = date(&day.as_ref().date).map_err(at)?;
            if date.year() != year.year {
                return Err(at(Fault::OtherYear { date, year: year.year }));
            }
            if seen.insert(date, day.as_ref().holiday.as_deref()).is_some() {
                return Err(at(Fault::DayTwice { date }));
            }
            if day.as_ref().reasons() != 1 {
                return Err(at(Fault::OneReason { date }));
            }
            if let Some(worked) = &day.as_ref().swapped_with {
                let worked = self::date(worked).map_err(at)?;
                if weekday(day_number(worked)) < 5 || weekday(day_number(date)) > 4 {
                    return Err(at(Fault::Swap { date, worked }));
                }
            }
        }
        if year.state.is_some() {
            self.check_entitlements(row, &seen).map_err(|fault| (row.span().start, fault))?;
        }
        Ok(())
    }

    /// What the law gives must be what is listed: a file that contradicts itself is not guessed at.
    fn check_entitlements(
        &self,
        row: &Spanned<YearRow>,
        listed: &BTreeMap<Date, Option<&str>>,
    ) -> Result<(), Fault> {
        let year = row.as_ref();
        for holiday in self.holiday.iter().map(Spanned::as_ref) {
            let (month, day) = holiday.on.as_deref().map(month_day).transpose()?.unwrap_or((1, 1));
            let on = Date::new(year.year, month, day).map_err(|e| Fault::Date(e.to_string()))?;
            let (from, until) = span(&holiday.from, holiday.until.as_ref())?;
            if !(from..=until).contains(&on) {
                continue;
            }
            let found = listed.values().filter(|id| **id == Some(holiday.id.as_str())).count();
            if found != holiday.days {
                let (holiday, expected) = (holiday.id.clone(), holiday.days);
                return Err(Fault::Entitlement { year: year.year, holiday, expected, found });
            }
            let lunar = year.lunar.get(&holiday.id).map(date).transpose()?;
            for date in lunar.into_iter().chain(holiday.on.as_ref().map(|_| on)) {
                if listed.get(&date) != Some(&Some(holiday.id.as_str())) {
                    return Err(Fault::Missing { date, holiday: holiday.id.clone() });
                }
            }
        }
        Ok(())
    }
}

impl DayRow {
    fn reasons(&self) -> usize {
        [
            self.holiday.is_some(),
            self.compensates.is_some(),
            self.swapped_with.is_some(),
            self.closed.is_some(),
            self.special.is_some(),
            self.usual == Some(true),
        ]
        .into_iter()
        .filter(|given| *given)
        .count()
    }
}

/// Where in the text, and what.
pub(crate) type At = (usize, Fault);

fn once<T>(seen: &mut Vec<String>, id: String, row: &Spanned<T>) -> Result<(), At> {
    if seen.contains(&id) {
        return Err((row.span().start, Fault::Twice(id)));
    }
    seen.push(id);
    Ok(())
}

fn line(breaks: &[usize], at: usize) -> usize {
    breaks.partition_point(|newline| *newline < at) + 1
}

/// A day of a TOML date; times and offsets are no days.
pub(crate) fn date(value: &toml::value::Datetime) -> Result<Date, Fault> {
    let bad = || Fault::Date(value.to_string());
    let (Some(day), None, None) = (&value.date, &value.time, &value.offset) else { return Err(bad()) };
    let year = i16::try_from(day.year).map_err(|_| bad())?;
    let month = i8::try_from(day.month).map_err(|_| bad())?;
    Date::new(year, month, i8::try_from(day.day).map_err(|_| bad())?).map_err(|_| bad())
}

fn toml_date(date: Date) -> toml::value::Datetime {
    let day = toml::value::Date {
        year: u16::try_from(date.year()).unwrap_or(0),
        month: u8::try_from(date.month()).unwrap_or(1),
        day: u8::try_from(date.day()).unwrap_or(1),
    };
    toml::value::Datetime { date: Some(day), time: None, offset: None }
}

/// First and last day.
pub(crate) fn span(
    from: &toml::value::Datetime,
    until: Option<&toml::value::Datetime>,
) -> Result<(Date, Date), Fault> {
    Ok((date(from)?, until.map(date).transpose()?.unwrap_or(Date::MAX)))
}

fn month_day(text: &str) -> Result<(i8, i8), Fault> {
    let bad = || Fault::Season(text.chars().take(32).collect());
    let (month, day) = text.split_once('-').ok_or_else(bad)?;
    let (month, day) = (month.parse().map_err(|_| bad())?, day.parse().map_err(|_| bad())?);
    Date::new(2024, month, day).map_err(|_| bad())?;
    Ok((month, day))
}

/// Month and day of the first and the last day of a season.
pub(crate) type Season = ((i8, i8), (i8, i8));

/// Reads `04-16..10-15`.
pub(crate) fn season(text: &str) -> Result<Season, Fault> {
    let bad = || Fault::Season(text.chars().take(32).collect());
    let (from, to) = text.split_once("..").ok_or_else(bad)?;
    Ok((month_day(from.trim()).map_err(|_| bad())?, month_day(to.trim()).map_err(|_| bad())?))
}

/// Reads `mon-fri` or `tue,thu`: Monday first.
pub(crate) fn weekdays(text: &str) -> Result<[bool; 7], Fault> {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let bad = || Fault::Weekdays(text.chars().take(32).collect());
    let number = |name: &str| NAMES.iter().position(|n| *n == name.trim()).ok_or_else(bad);
    let mut days = [false; 7];
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (number(from)?, number(to)?);
        if from > to {
            return Err(bad());
        }
        days[from..=to].fill(true);
    }
    Ok(days)
}
