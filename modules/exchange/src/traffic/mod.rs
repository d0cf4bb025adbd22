//! Figures of calls by hour, day and month: of everything, of each service, consumer, agreement and endpoint, of each
//! fault. Written by the indexer of the evidence in the transaction of its rows, so that a figure and its rows agree;
//! read by pages and reports, which never count rows.
//!
//! A call is counted once it has ended, in the hour in which it arrived.

mod counts;
mod histogram;
mod keep;
mod period;
mod read;
mod series;
mod span;
mod write;

use kernel::db::Migration;

pub use counts::{Counts, Side};
pub use histogram::{ERROR_PERCENT, Histogram};
pub(crate) use keep::prune;
pub use period::Period;
pub use read::{By, Of, What, called, kept_from, most, parts, points, recent, services, sum};
pub use series::{Ended, Kind, Names, Series, provider};
pub use span::{HOUR, Span, later_month, month_start};
pub(crate) use write::{Additions, reached, uncounted};

/// The tables of figures.
pub const TRAFFIC: Migration =
    Migration { name: "0020_traffic", sql: include_str!("../../migrations/0020_traffic.sql") };
