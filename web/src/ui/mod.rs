//! The components: each pattern of the pages once. They are values with builders, write finished HTML and know no
//! module, no database and no request beyond [`crate::Cx`].

mod action;
mod badge;
mod cell;
pub mod chart;
mod diff;
mod facts;
mod field;
mod figure;
mod filters;
mod form;
mod head;
mod html;
mod icon;
mod section;
mod state;
mod table;
mod tabs;
mod timeline;

pub use crate::address::Address;
pub use action::Action;
pub use badge::{Badge, Tone};
pub use cell::Cell;
pub use diff::Diff;
pub use facts::Facts;
pub use field::Field;
pub use figure::{Figure, Fresh, Source, ago};
pub use filters::Filters;
pub use form::Form;
pub use head::Head;
pub use html::{Html, Markup};
pub use icon::Icon;
pub use section::{Grid, Section, Thing};
pub use state::{Code, Confirm, Empty, Help, Live, Notice, StepState, Steps};
pub use table::{Column, Row, Table};
pub use tabs::{Count, Tabs};
pub use timeline::{Entry, Timeline};
