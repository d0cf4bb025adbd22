//! Administrative units of Viet Nam: reads the published lists and builds the dated history of every unit from
//! them, saying for each statement how sure it is. Leaves storage, rights and pages to others; opens no file.
//!
//! ```
//! let (lists, report) = adminunits::Lists::read(&adminunits::shipped::inputs());
//! assert_eq!(report.refused(), 0);
//! let (history, _) = adminunits::History::build(&lists).unwrap();
//! let day = "2025-06-30".parse().unwrap();
//! assert_eq!(history.valid("14797", day).unwrap().1.full_name, "Phường Đông Hải");
//! ```

mod code;
mod history;
mod kind;
mod lists;
mod name;
mod reader;
mod report;
mod rows;

pub mod agency_code;
pub mod shipped;

pub use code::Code;
pub use history::{BuildError, Certainty, Counts, Finding, History, Link, LinkKind, Unit, UnitNo, Version};
pub use jiff::civil::Date;
pub use kind::{Level, UnitType};
pub use lists::{Input, Lists};
pub use name::{same_spelling, split_full_name};
pub use report::{ListReport, Note, Reason, Refused, Repair, Report};
pub use rows::{
    Act, ActScope, Change, ListInfo, NewCommune, NewProvince, OldCommune, OldDistrict, OldProvince,
    ProvinceFacts, ProvinceMapping, WardMapping,
};
