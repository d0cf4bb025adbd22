//! A second, slow way to the same answers: it looks at every single minute. It shares with the crate only the types of
//! questions; its days come from the same random choices, not from the calendar.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;
use workcalendar::{
    AfterHours, Calendar, Date, DayEnd, Document, Moment, MovedEnd, Pause, Policy, Question, Supplement,
    Term, Unit,
};

pub const MINUTE: i64 = 60;
const DAY: i64 = 1_440;

/// First and last day of a random calendar.
pub const FIRST: Date = Date::constant(2025, 1, 1);
const DAYS: i64 = 730;

/// Random choices from which both the calendar and the plain model are made.
#[derive(Debug, Clone)]
pub struct Choices {
    /// Hours of Monday to Friday, in minutes.
    pub weekday: Vec<(i64, i64)>,
    /// Hours of Saturday.
    saturday: Vec<(i64, i64)>,
    /// Hours of Monday to Friday from 15 April to 15 October.
    summer: Option<Vec<(i64, i64)>>,
    /// Closed days, by number from the first.
    closed: Vec<i64>,
    /// Weeks in which Wednesday is off and the Sunday before is worked.
    swapped: Vec<i64>,
    /// Days with other hours.
    special: Vec<(i64, Vec<(i64, i64)>)>,
}

fn spans() -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop_oneof![
        4 => Just(vec![(420, 690), (810, 1020)]),
        1 => Just(vec![(0, 1439)]),
        3 => proptest::collection::btree_set(1_i64..95, 2..7).prop_map(|cuts| {
            let cuts: Vec<i64> = cuts.into_iter().map(|quarter| quarter * 15).collect();
            cuts.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
        }),
    ]
}

/// Random calendars; with `uniform` every working day has the same hours.
pub fn choices(uniform: bool) -> impl Strategy<Value = Choices> {
    let days = || proptest::collection::vec(0..DAYS, 0..40);
    let special = proptest::collection::vec((0..DAYS, spans()), 0..8);
    let saturday = prop_oneof![Just(vec![]), Just(vec![(450, 660)])];
    let summer = proptest::option::of(spans());
    (spans(), saturday, summer, days(), proptest::collection::vec(1_i64..100, 0..5), special).prop_map(
        move |(weekday, saturday, summer, closed, swapped, special)| {
            let mut choices = Choices { weekday, saturday, summer, closed, swapped, special };
            if uniform {
                choices.saturday.clear();
                choices.summer = None;
                choices.special.clear();
            }
            choices
        },
    )
}

fn written(spans: &[(i64, i64)]) -> String {
    let clock = |m: i64| format!("{:02}:{:02}", m / 60, m % 60);
    let spans: Vec<String> = spans.iter().map(|(a, b)| format!("{}-{}", clock(*a), clock(*b))).collect();
    spans.join(",")
}

fn date(day: i64) -> Date {
    Moment::at(FIRST, 0).plus(day * 86_400).date()
}

/// Monday 0; the first day is a Wednesday.
fn weekday(day: i64) -> i64 {
    (day + 2).rem_euclid(7)
}

/// Sunday and Wednesday of a week, by number of the days.
fn swap(week: i64) -> (i64, i64) {
    (week * 7 - 3, week * 7)
}

impl Choices {
    /// What is special about a day, the later word winning; both ways use this.
    fn marks(&self) -> BTreeMap<i64, Mark> {
        let mut marks = BTreeMap::new();
        for (day, hours) in &self.special {
            marks.insert(*day, Mark::Special(hours.clone()));
        }
        for day in &self.closed {
            marks.insert(*day, Mark::Closed);
        }
        for week in &self.swapped {
            let (sunday, wednesday) = swap(*week);
            if !marks.contains_key(&sunday) && !marks.contains_key(&wednesday) {
                marks.insert(wednesday, Mark::Off(sunday));
                marks.insert(sunday, Mark::Worked);
            }
        }
        marks
    }

    /// The calendar file.
    pub fn file(&self) -> String {
        let mut file = "code = 'x'\nname = { vi = 'x', en = 'x' }\n[[source]]\nid = 's'\nact = 'a'\n\
            certainty = 'published'\n"
            .to_owned();
        let mut hours = |days: &str, season: &str, work: &[(i64, i64)]| {
            let work = written(work);
            let _ = write!(
                file,
                "[[hours]]\nfrom = 2020-01-01\ndays = '{days}'\n{season}work = '{work}'\nsource = 's'\n"
            );
        };
        hours("mon-fri", "", &self.weekday);
        hours("sat", "", &self.saturday);
        if let Some(summer) = &self.summer {
            hours("mon-fri", "season = '04-15..10-15'\n", summer);
        }
        for year in [2025_i16, 2026] {
            let _ = write!(file, "[[year]]\nyear = {year}\nstate = 'published'\nsource = 's'\ndays = [\n");
            for (day, mark) in self.marks().iter().filter(|(day, _)| date(**day).year() == year) {
                let date_ = date(*day);
                let _ = match mark {
                    Mark::Closed => {
                        writeln!(file, "{{ date = {date_}, closed = {{ vi = 'x', en = 'x' }} }},")
                    }
                    Mark::Off(worked) => {
                        writeln!(file, "{{ date = {date_}, swapped-with = {} }},", date(*worked))
                    }
                    Mark::Worked => Ok(()),
                    Mark::Special(hours) => writeln!(
                        file,
                        "{{ date = {date_}, special = {{ hours = '{}', why = {{ vi = 'x', en = 'x' }} }} }},",
                        written(hours)
                    ),
                };
            }
            file.push_str("]\n");
        }
        file
    }

    /// The calendar under test, through its file.
    pub fn calendar(&self) -> Calendar {
        let file = self.file();
        let read = Document::read(&file).and_then(|document| Calendar::of_documents(&[&document]));
        read.unwrap_or_else(|e| panic!("{e}\n{file}"))
    }

    /// The plain model.
    pub fn plain(&self) -> Plain {
        let marks = self.marks();
        let usual = |day: i64, as_weekday: i64| {
            let (month, of_month) = (date(day).month(), date(day).day());
            let in_summer = (month, of_month) >= (4, 15) && (month, of_month) <= (10, 15);
            match (as_weekday, &self.summer) {
                (0..=4, Some(summer)) if in_summer => summer.clone(),
                (0..=4, _) => self.weekday.clone(),
                (5, _) => self.saturday.clone(),
                _ => vec![],
            }
        };
        let days = (0..DAYS).map(|day| match marks.get(&day) {
            Some(Mark::Closed | Mark::Off(_)) => vec![],
            Some(Mark::Worked) => usual(day, 2),
            Some(Mark::Special(hours)) => hours.clone(),
            None => usual(day, weekday(day)),
        });
        Plain { days: days.collect() }
    }
}

#[derive(Debug, Clone)]
enum Mark {
    Closed,
    /// Off, worked on that day.
    Off(i64),
    Worked,
    Special(Vec<(i64, i64)>),
}

/// Hours of each day; all moments in minutes from the first day's midnight.
pub struct Plain {
    days: Vec<Vec<(i64, i64)>>,
}

/// Off the end of the days.
pub struct Unknown;

impl Plain {
    fn hours(&self, day: i64) -> Result<&[(i64, i64)], Unknown> {
        Ok(usize::try_from(day).ok().and_then(|day| self.days.get(day)).ok_or(Unknown)?)
    }

    /// Both ends of a span are working time.
    pub fn inside(&self, minute: i64) -> Result<bool, Unknown> {
        let time = minute.rem_euclid(DAY);
        Ok(self.hours(minute.div_euclid(DAY))?.iter().any(|(from, to)| (*from..=*to).contains(&time)))
    }

    /// Whether the minute that begins here is worked.
    fn worked(&self, minute: i64) -> Result<bool, Unknown> {
        let time = minute.rem_euclid(DAY);
        Ok(self.hours(minute.div_euclid(DAY))?.iter().any(|(from, to)| (*from..*to).contains(&time)))
    }

    fn working_day(&self, day: i64) -> Result<bool, Unknown> {
        Ok(!self.hours(day)?.is_empty())
    }

    /// Where it counts from, and whether on a later day.
    fn begin(&self, received: i64, policy: &Policy) -> Result<(i64, bool), Unknown> {
        let day = received.div_euclid(DAY);
        let late = policy.cut_off.is_some_and(|hour| received.rem_euclid(DAY) * MINUTE > i64::from(hour));
        let mut at = received;
        if late && self.working_day(day)? {
            at = (day + 1) * DAY;
        }
        while !self.inside(at)? {
            at += 1;
        }
        Ok((at, at.div_euclid(DAY) != day))
    }

    /// The last working minute of the day not after `time`, or its first.
    fn fit(&self, day: i64, time: i64) -> Result<i64, Unknown> {
        let minutes = (day * DAY..=day * DAY + DAY).filter(|m| {
            let time = m - day * DAY;
            self.days[usize::try_from(day).unwrap()].iter().any(|(from, to)| (*from..=*to).contains(&time))
        });
        self.hours(day)?;
        let minutes: Vec<i64> = minutes.collect();
        let before = minutes.iter().rfind(|m| *m - day * DAY <= time);
        Ok(*before.unwrap_or(&minutes[0]))
    }

    fn walk(&self, mut at: i64, mut minutes: i64) -> Result<i64, Unknown> {
        while minutes > 0 {
            minutes -= i64::from(self.worked(at)?);
            at += 1;
        }
        Ok(at)
    }

    fn settle(&self, raw: i64, closing: bool, policy: &Policy) -> Result<i64, Unknown> {
        let (mut day, time) = (raw.div_euclid(DAY), raw.rem_euclid(DAY));
        let first = day;
        while !self.working_day(day)? {
            day += 1;
        }
        if day != first && policy.moved_end == MovedEnd::Opening && policy.day_end == DayEnd::SameHour {
            self.fit(day, 0)
        } else if closing {
            self.fit(day, DAY)
        } else {
            self.fit(day, time)
        }
    }

    /// The end of a term without pauses: raw and fitted, and whether it ends at closing.
    fn first_end(
        &self,
        received: i64,
        term: Term,
        policy: &Policy,
    ) -> Result<(i64, i64, i64, bool), Unknown> {
        let (start, later) = self.begin(received, policy)?;
        let (mut count, day) = (i64::from(term.count), start.div_euclid(DAY));
        if term.unit == Unit::WorkingHours {
            let end = self.walk(start, count * 60)?;
            return Ok((start, end, end, false));
        }
        let day_one = later && policy.after_hours == AfterHours::DayOne;
        let closing = day_one || count == 0 || policy.day_end == DayEnd::Closing;
        count -= i64::from(day_one && count > 0);
        let mut last = day;
        if term.unit == Unit::Days {
            last += count;
        } else {
            while count > 0 {
                last += 1;
                count -= i64::from(self.working_day(last)?);
            }
        }
        let raw = last * DAY + if closing { DAY - 1 } else { start.rem_euclid(DAY) };
        Ok((start, raw, self.settle(raw, closing, policy)?, closing))
    }

    /// The end of a term.
    pub fn due(
        &self,
        received: i64,
        term: Term,
        pauses: &[(i64, i64)],
        policy: &Policy,
    ) -> Result<i64, Unknown> {
        let (start, mut raw, mut end, mut closing) = self.first_end(received, term, policy)?;
        let mut fitted = term.unit == Unit::WorkingHours;
        let mut paused = vec![];
        for (from, to) in pauses {
            paused.extend(*from..*to);
        }
        paused.sort_unstable();
        paused.dedup();
        let mut runs: Vec<(i64, i64)> = vec![];
        for minute in paused {
            match runs.last_mut() {
                Some(run) if run.1 == minute => run.1 += 1,
                _ => runs.push((minute, minute + 1)),
            }
        }
        for (from, to) in runs {
            let from = from.max(start);
            if from >= to || from >= end {
                continue;
            }
            if policy.supplement == Supplement::Restart {
                (_, raw, end, closing) = self.first_end(to, term, policy)?;
                continue;
            }
            if term.unit == Unit::Days {
                raw += to - from;
                end = self.settle(raw, closing, policy)?;
                continue;
            }
            let mut minutes = 0;
            for minute in from..to {
                minutes += i64::from(self.worked(minute)?);
            }
            raw = self.walk(if fitted { raw } else { end }, minutes)?;
            fitted = true;
            end = if closing { self.fit(raw.div_euclid(DAY), DAY)? } else { raw };
        }
        Ok(end)
    }

    /// Working minutes between two moments.
    pub fn between(&self, from: i64, to: i64) -> Result<i64, Unknown> {
        let mut minutes = 0;
        for minute in from..to {
            minutes += i64::from(self.worked(minute)?);
        }
        Ok(minutes)
    }
}

/// A minute as the crate's moment.
pub fn moment(minute: i64) -> Moment {
    Moment::at(FIRST, 0).plus(minute * MINUTE)
}

/// The crate's answer in minutes; `None` without data.
pub fn minutes(
    calendar: &Calendar,
    received: i64,
    term: Term,
    pauses: &[(i64, i64)],
    policy: Policy,
) -> Option<i64> {
    let pauses: Vec<Pause> =
        pauses.iter().map(|(from, to)| Pause::new(moment(*from), moment(*to)).unwrap()).collect();
    let due = calendar.due(&Question { received: moment(received), term, pauses: &pauses, policy });
    due.ok().map(|due| due.at.since(moment(0)).div_euclid(MINUTE))
}
