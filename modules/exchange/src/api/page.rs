//! Pages of lists in the interface: `limit`, an opaque `after`, and the `next` of each answer.

use base::error::FieldError;
use base::i18n::Text;
use kernel::Error;
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::lists::{MAX_PAGE, PAGE};
use crate::t;

/// One page of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// What to send as `after` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of at most `limit` rows of one row more than was asked for.
    pub(super) fn of<R>(
        mut rows: Vec<R>,
        limit: u32,
        next: impl Fn(&R) -> String,
        item: impl Fn(R) -> T,
    ) -> Self {
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = if more { rows.last().map(next) } else { None };
        Self { items: rows.into_iter().map(item).collect(), next }
    }
}

/// The number of rows asked for, within bounds.
pub(super) fn limit(asked: Option<u32>) -> u32 {
    asked.unwrap_or(PAGE).clamp(1, MAX_PAGE)
}

/// A parameter as its type; a wrong one is told, not ignored.
pub(super) fn parsed<T: std::str::FromStr>(name: &str, value: Option<&str>) -> Result<Option<T>, Error> {
    let Some(value) = value.filter(|v| !v.is_empty()) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| wrong(name, value))
}

/// The error for a parameter that cannot be understood.
pub(super) fn wrong(name: &str, value: &str) -> Error {
    let text = Text::both(|l| t::parameter_wrong(l, crate::code::clip(value)));
    Error::Invalid(vec![FieldError { field: name.to_owned(), text }])
}
