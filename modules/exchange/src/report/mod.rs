//! The report of a month: what the exchange carried, how reliably, what went wrong and what was refused. Computed from the
//! figures of calls, the registry and the alerts; fixed when somebody closes the month. How it looks belongs to the pages.

mod closed;
mod figures;
mod incidents;
mod month;

pub use closed::{Closed, close, closed, closed_months};
pub use figures::{Figures, Incident, Line, ServiceLine, Totals, compute};
pub use month::Month;
