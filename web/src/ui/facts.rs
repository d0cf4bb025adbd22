//! What is known of a thing, as pairs of name and value.

use askama::Template;

use super::Cell;
use super::html::markup;

/// Names and values.
#[derive(Debug, Clone, Default, Template)]
#[template(
    source = "<dl class=\"lt-facts\">{% for (label, cell) in rows %}<dt>{{ label }}</dt>\
        <dd class=\"{{ cell.class }}\">{{ cell.html }}</dd>{% endfor %}</dl>",
    ext = "html"
)]
pub struct Facts {
    rows: Vec<(String, Cell)>,
}
markup!(Facts);

impl Facts {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A name with its value.
    pub fn row(mut self, label: impl Into<String>, cell: Cell) -> Self {
        self.rows.push((label.into(), cell));
        self
    }

    /// A name with its value, left out when there is none.
    pub fn maybe(self, label: impl Into<String>, cell: Option<Cell>) -> Self {
        match cell {
            Some(cell) => self.row(label, cell),
            None => self,
        }
    }
}
