//! Working calendars and the arithmetic of terms: when a term ends, how much of it is left, and why. All law is data
//! with acts and dates; a year without data has no answer. Pure: no files, no network, no clock.
//!
//! ```
//! use workcalendar::{Policy, Question, shipped};
//! let calendar = shipped::vn().unwrap();
//! let due = calendar
//!     .due(&Question {
//!         received: "2026-11-20T16:00".parse().unwrap(),
//!         term: "3wd".parse().unwrap(),
//!         pauses: &[],
//!         policy: Policy::default(),
//!     })
//!     .unwrap();
//! assert_eq!(due.at.to_string(), "2026-11-26T16:00:00+07:00"); // Tuesday 24 November is Vietnam Culture Day
//! ```

mod calendar;
mod document;
mod due;
mod fault;
mod hours;
mod layout;
mod left;
mod moment;
mod policy;
mod standing;
mod term;

pub mod shipped;

pub use calendar::{Calendar, NoData, Noted, Reason, Year};
pub use document::{Certainty, Document, Source, Words, YearState};
pub use due::{Because, Due, Hour, NoAnswer, Question, Step};
pub use fault::{Fault, LoadError};
pub use hours::{BadHours, Hours, Span, time_of_day};
pub use jiff::civil::Date;
pub use left::Left;
pub use moment::{BadMoment, Moment};
pub use policy::{AfterHours, BadPolicy, DayEnd, MovedEnd, Policy, Provisional, Supplement};
pub use standing::Standing;
pub use term::{BadPause, BadTerm, Pause, Term, Unit};
