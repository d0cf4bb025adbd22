//! When a term ends, and why: the one rule of this crate, with every choice named in [`Policy`] and every turn
//! recorded as a [`Step`].

use jiff::civil::Date;
use serde::{Serialize, Serializer};

use crate::calendar::{Calendar, NoData};
use crate::hours::Span;
use crate::moment::Moment;
use crate::policy::{AfterHours, DayEnd, MovedEnd, Policy, Provisional, Supplement};
use crate::term::{Pause, Term, Unit};

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// When it was received.
    pub received: Moment,
    /// How long.
    pub term: Term,
    /// When the clock stood still, in any order.
    pub pauses: &'a [Pause],
    /// How it is counted.
    pub policy: Policy,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The last moment in time.
    pub at: Moment,
    /// The moment from which the term counts.
    pub counts_from: Moment,
    /// A year whose days off are not yet published, if the term touches one: the end may still change.
    pub provisional: Option<i16>,
    /// How it came about.
    pub steps: Vec<Step>,
}

/// One turn of the reasoning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum Step {
    /// Received.
    Received {
        /// When.
        at: Moment,
    },
    /// It counts from another moment than the receipt.
    CountsFrom {
        /// From when.
        at: Moment,
        /// Why.
        because: Because,
    },
    /// The term was counted off.
    Counted {
        /// The term.
        term: Term,
        /// Its beginning.
        from: Moment,
        /// The day of its end, before anything below.
        #[serde(serialize_with = "iso")]
        last: Date,
        /// Whether the first working day counted as day one, because of a late receipt.
        day_one: bool,
    },
    /// The end fell on a day off.
    Moved {
        /// There.
        #[serde(serialize_with = "iso")]
        from: Date,
        /// The next working day.
        #[serde(serialize_with = "iso")]
        to: Date,
    },
    /// The term ends, unless a pause below moves it.
    Ends {
        /// When.
        at: Moment,
        /// How the hour came about.
        hour: Hour,
    },
    /// The clock stood still.
    Paused {
        /// The pause.
        pause: Pause,
        /// Seconds it added: of working time, or of calendar time for a term in calendar days.
        seconds: i64,
    },
    /// The pause adds nothing: it lies before the beginning or after the end of the term.
    PauseWithoutEffect {
        /// The pause.
        pause: Pause,
    },
    /// The whole term began anew after a pause.
    Restarted {
        /// The pause.
        pause: Pause,
    },
    /// The days off of a year that matters here are not yet published.
    NotPublished {
        /// The year.
        year: i16,
    },
}

/// Why something counts from another moment than its receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// Before the opening of the day.
    BeforeOpening,
    /// In the break at noon.
    Break,
    /// After closing.
    AfterClosing,
    /// On a day off.
    DayOff,
    /// After the cut-off hour.
    CutOff,
}

/// How the hour of an end came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hour {
    /// Working time was counted off.
    Counted,
    /// The clock hour from which the term counts.
    Same,
    /// That hour is none of the last day's working hours: the nearest one before it, or else the opening.
    Fitted,
    /// The opening of the day moved to.
    Opening,
    /// The closing of the last day.
    Closing,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The term reaches into a year the calendar does not know.
    #[error(transparent)]
    NoData(#[from] NoData),
    /// The term reaches into a year not yet published, and the policy refuses that.
    #[error("the days off of {year} are not yet published, and the policy does not allow a provisional end")]
    NotPublished {
        /// The year.
        year: i16,
    },
    /// A pause ends before it begins.
    #[error("the pause from {} ends before it begins: {}", .0.from, .0.to)]
    Backwards(Pause),
}

/// Where a term begins.
#[derive(Clone, Copy)]
struct Start {
    at: Moment,
    /// On a later day than the receipt.
    later_day: bool,
}

/// An end before it is fitted into working time.
#[derive(Clone, Copy)]
struct Raw {
    at: Moment,
    /// It is the end of its day that matters, not the hour.
    closing: bool,
    /// Counted off in working time, so that it lies within.
    counted: bool,
}

impl Calendar {
    /// When the term ends.
    ///
    /// # Errors
    /// [`NoAnswer`]; never a guess.
    pub fn due(&self, question: &Question<'_>) -> Result<Due, NoAnswer> {
        let mut steps = Vec::with_capacity(5);
        steps.push(Step::Received { at: question.received });
        let mut course = Course { calendar: self, question, steps, start: question.received };
        let at = course.run()?;
        let (mut steps, counts_from) = (course.steps, course.start);
        let provisional = self.provisional_year(question.received, at);
        if let Some(year) = provisional {
            if question.policy.provisional == Provisional::Refuse {
                return Err(NoAnswer::NotPublished { year });
            }
            steps.push(Step::NotPublished { year });
        }
        Ok(Due { at, counts_from, provisional, steps })
    }
}

/// One computation on its way.
struct Course<'a> {
    calendar: &'a Calendar,
    question: &'a Question<'a>,
    steps: Vec<Step>,
    start: Moment,
}

impl Course<'_> {
    fn run(&mut self) -> Result<Moment, NoAnswer> {
        let start = self.begin(self.question.received)?;
        self.start = start.at;
        let mut raw = self.count(start)?;
        let mut end = self.settle(raw)?;
        for pause in merged(self.question.pauses)? {
            let from = pause.from.max(self.start);
            if from >= pause.to || from >= end {
                self.steps.push(Step::PauseWithoutEffect { pause });
                continue;
            }
            raw = if self.question.policy.supplement == Supplement::Restart {
                self.steps.push(Step::Restarted { pause });
                let start = self.begin(pause.to)?;
                self.count(start)?
            } else {
                self.extend(raw, end, pause, from)?
            };
            end = self.settle(raw)?;
        }
        Ok(end)
    }

    /// Where the term begins for what arrives at `at`.
    fn begin(&mut self, at: Moment) -> Result<Start, NoData> {
        let (calendar, time) = (self.calendar, at.time());
        let today = calendar.index(at.day())?;
        let hours = calendar.work(today);
        let late = self.question.policy.cut_off.is_some_and(|hour| time > hour);
        if !late && hours.covers(time) {
            return Ok(Start { at, later_day: false });
        }
        let (start, because) = match hours.bounds() {
            None => (self.opening(calendar.nth_working_day(today, 0)?), Because::DayOff),
            Some(day) if late || time > day.to => {
                let because = if time > day.to { Because::AfterClosing } else { Because::CutOff };
                (self.opening(calendar.nth_working_day(today, 1)?), because)
            }
            Some(day) => {
                let because = if time < day.from { Because::BeforeOpening } else { Because::Break };
                let beginning = hours.next_beginning(time).unwrap_or(day.from);
                (Moment::on(at.day(), beginning), because)
            }
        };
        self.steps.push(Step::CountsFrom { at: start, because });
        Ok(Start { at: start, later_day: start.day() != at.day() })
    }

    fn count(&mut self, start: Start) -> Result<Raw, NoData> {
        let (calendar, policy, term) = (self.calendar, self.question.policy, self.question.term);
        let in_days = term.unit != Unit::WorkingHours;
        let day_one = in_days && start.later_day && policy.after_hours == AfterHours::DayOne;
        let days = if day_one { term.count.saturating_sub(1) } else { term.count };
        let closing = in_days && (day_one || term.count == 0 || policy.day_end == DayEnd::Closing);
        let time = if closing { LAST } else { start.at.time() };
        let at = match term.unit {
            Unit::WorkingHours => calendar.advance(start.at, i64::from(term.count) * 3_600)?,
            Unit::WorkingDays => {
                let today = calendar.index(start.at.day())?;
                Moment::on(calendar.day(calendar.nth_working_day(today, days)?), time)
            }
            Unit::Days => Moment::on(start.at.day() + i64::from(days), time),
        };
        self.steps.push(Step::Counted { term, from: start.at, last: at.date(), day_one });
        Ok(Raw { at, closing, counted: !in_days })
    }

    /// The end after a pause that began at `from`, as far as it concerns this term.
    fn extend(&mut self, raw: Raw, end: Moment, pause: Pause, from: Moment) -> Result<Raw, NoData> {
        let in_calendar_days = self.question.term.unit == Unit::Days;
        let seconds = if in_calendar_days {
            pause.to.since(from)
        } else {
            self.calendar.working_seconds(from, pause.to)?
        };
        self.steps.push(Step::Paused { pause, seconds });
        if in_calendar_days {
            return Ok(Raw { at: raw.at.plus(seconds), ..raw });
        }
        let at = if raw.counted { raw.at } else { end };
        let at = if seconds > 0 { self.calendar.advance(at, seconds)? } else { at };
        Ok(Raw { at, counted: true, ..raw })
    }

    /// Fits an end into working time: off a day off, and to an hour of the day it is on.
    fn settle(&mut self, raw: Raw) -> Result<Moment, NoData> {
        let calendar = self.calendar;
        let index = calendar.index(raw.at.day())?;
        let day = calendar.nth_working_day(index, 0)?;
        let moved = day != index;
        if moved {
            let to = Moment::on(calendar.day(day), 0).date();
            self.steps.push(Step::Moved { from: raw.at.date(), to });
        }
        let (hours, wanted) = (calendar.work(day), raw.at.time());
        let bounds = hours.bounds().unwrap_or(Span { from: 0, to: 0 });
        let policy = self.question.policy;
        let (time, hour) =
            if moved && policy.moved_end == MovedEnd::Opening && policy.day_end == DayEnd::SameHour {
                // Before closings by day one: whatever moves to this day ends at one hour, so the order is kept.
                (bounds.from, Hour::Opening)
            } else if raw.closing {
                (bounds.to, Hour::Closing)
            } else if raw.counted {
                (wanted, Hour::Counted)
            } else {
                let time = hours.fit(wanted).unwrap_or(bounds.from);
                (time, if time == wanted { Hour::Same } else { Hour::Fitted })
            };
        let at = Moment::on(calendar.day(day), time);
        self.steps.push(Step::Ends { at, hour });
        Ok(at)
    }

    fn opening(&self, index: usize) -> Moment {
        let time = self.calendar.work(index).bounds().map_or(0, |day| day.from);
        Moment::on(self.calendar.day(index), time)
    }
}

/// The last second of a day: before it is fitted, the closing.
const LAST: u32 = 86_399;

/// In order, those that overlap or touch as one.
fn merged(pauses: &[Pause]) -> Result<Vec<Pause>, NoAnswer> {
    if let Some(backwards) = pauses.iter().find(|p| p.to < p.from) {
        return Err(NoAnswer::Backwards(*backwards));
    }
    let mut sorted = pauses.to_vec();
    sorted.sort_unstable_by_key(|p| p.from);
    let mut out: Vec<Pause> = Vec::with_capacity(sorted.len());
    for pause in sorted {
        match out.last_mut() {
            Some(last) if pause.from <= last.to => last.to = last.to.max(pause.to),
            _ => out.push(pause),
        }
    }
    Ok(out)
}

fn iso<S: Serializer>(date: &Date, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(date)
}
