//! What this part publishes.

use base::clock::Date;
use base::ids::Ref;
use serde::{Deserialize, Serialize};

use crate::journal::Fact;
use crate::orgs::UnitId;

/// `calendar.recorded`: a calendar has a newer file; ends of terms shown as a preview may be computed anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarRecorded {
    /// Its code.
    pub code: String,
    /// The file's number, counted from 1.
    pub number: i64,
}

impl Fact for CalendarRecorded {
    const KIND: &'static str = "calendar.recorded";

    fn subject(&self) -> Ref {
        Ref::new("calendar", &self.code)
    }
}

/// `calendar.used`: an agency uses another calendar from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarUsed {
    /// The agency.
    pub agency: UnitId,
    /// The calendar's code; `None`: that of the agency above it.
    pub code: Option<String>,
    /// First day.
    pub from: Date,
}

impl Fact for CalendarUsed {
    const KIND: &'static str = "calendar.used";

    fn subject(&self) -> Ref {
        self.agency.to_ref()
    }
}
