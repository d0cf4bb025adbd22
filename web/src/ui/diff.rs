//! Before and after, field by field; what stayed the same is folded away.

use askama::Template;
use base::i18n::Lang;

use super::Icon;
use super::html::markup;
use crate::t;

/// Before and after.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/diff.html")]
pub struct Diff {
    lang: Lang,
    changed: Vec<Line>,
    same: Vec<Line>,
}
markup!(Diff);

#[derive(Debug, Clone)]
struct Line {
    field: String,
    before: String,
    after: String,
}

impl Diff {
    /// Nothing yet.
    pub fn new(lang: Lang) -> Self {
        Self { lang, changed: Vec::new(), same: Vec::new() }
    }

    /// A field with its values; an empty text means there was or is none.
    pub fn row(
        mut self,
        field: impl Into<String>,
        before: impl Into<String>,
        after: impl Into<String>,
    ) -> Self {
        let line = Line { field: field.into(), before: before.into(), after: after.into() };
        if line.before == line.after {
            self.same.push(line)
        } else {
            self.changed.push(line)
        }
        self
    }

    fn same_count(&self) -> i64 {
        i64::try_from(self.same.len()).unwrap_or(i64::MAX)
    }

    /// How many fields changed.
    pub fn changes(&self) -> usize {
        self.changed.len()
    }
}
