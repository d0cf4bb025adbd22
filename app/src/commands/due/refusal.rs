//! Why there is no answer, in both languages: what was typed, what the calendar file says, or what it does not know.

use kernel::i18n::Lang;
use workcalendar::{
    BadHours, BadMoment, BadPause, BadPolicy, BadTerm, Calendar, LoadError, Moment, NoAnswer, Policy,
};

use crate::t;

/// Why there is no answer.
#[derive(Debug)]
pub enum Refusal {
    Moment(BadMoment),
    Term(BadTerm),
    Pause(BadPause),
    Policy(BadPolicy),
    Hours(BadHours),
    Unreadable { file: String, why: std::io::Error },
    File { file: String, fault: LoadError },
    NoData { year: i16, first: i16, last: i16 },
    NotPublished { year: i16 },
}

macro_rules! from {
    ($($cause:ty => $variant:ident),*) => {
        $(impl From<$cause> for Refusal {
            fn from(cause: $cause) -> Self {
                Self::$variant(cause)
            }
        })*
    };
}

from!(BadMoment => Moment, BadTerm => Term, BadPause => Pause, BadPolicy => Policy, BadHours => Hours);

impl Refusal {
    /// The calendar has no answer.
    pub fn no_answer(why: NoAnswer, calendar: &Calendar) -> Self {
        let years = calendar.years();
        match why {
            NoAnswer::NoData(missing) => Self::NoData {
                year: missing.year,
                first: years.first().map_or(missing.year, |y| y.year),
                last: years.last().map_or(missing.year, |y| y.year),
            },
            NoAnswer::NotPublished { year } => Self::NotPublished { year },
            NoAnswer::Backwards(pause) => Self::Pause(BadPause::Backwards { from: pause.from, to: pause.to }),
        }
    }

    /// For programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Moment(_) => "bad-moment",
            Self::Term(_) => "bad-term",
            Self::Pause(_) => "bad-pause",
            Self::Policy(_) => "bad-policy",
            Self::Hours(_) => "bad-hours",
            Self::Unreadable { .. } => "file-unreadable",
            Self::File { .. } => "file-fault",
            Self::NoData { .. } => "no-data",
            Self::NotPublished { .. } => "not-published",
        }
    }

    /// For people.
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::Moment(BadMoment(given)) => t::bad_moment(lang, given),
            Self::Term(BadTerm::Form(given)) => t::bad_term(lang, given),
            Self::Term(BadTerm::NoHour) => t::bad_term_no_hour(lang).to_owned(),
            Self::Term(BadTerm::TooLong) => t::bad_term_too_long(lang).to_owned(),
            Self::Pause(BadPause::Form(given)) => t::bad_pause(lang, given),
            Self::Pause(BadPause::Backwards { from, to }) => backwards(lang, *from, *to),
            Self::Policy(BadPolicy { given }) => {
                t::bad_policy(lang, t::BadPolicy { given, known: Policy::CHOICES.join(", ") })
            }
            Self::Hours(BadHours::TooMany) => t::bad_hours_too_many(lang).to_owned(),
            Self::Hours(BadHours::Hour(given) | BadHours::Span(given) | BadHours::Order(given)) => {
                t::bad_hours(lang, given)
            }
            Self::Unreadable { file, why } => t::file_unreadable(lang, t::FileUnreadable { file, why }),
            Self::File { file, fault } => {
                let why = if lang == Lang::Vi { fault.vi() } else { fault.en() };
                t::file_fault(lang, t::FileFault { file, line: fault.line, why })
            }
            Self::NoData { year, first, last } => t::no_data(lang, t::NoData { first, last, year }),
            Self::NotPublished { year } => t::not_published(lang, year),
        }
    }
}

fn backwards(lang: Lang, from: Moment, to: Moment) -> String {
    t::bad_pause_backwards(lang, t::BadPauseBackwards { end: to.vn(), start: from.vn() })
}
