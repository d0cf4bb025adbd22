//! Saved views of a list, with counts, each at its own address.

use askama::Template;
use base::i18n::Lang;

use super::html::markup;
use crate::{fmt, t};

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    shown: u64,
    more: bool,
}

impl Count {
    /// Counted to the end.
    pub fn exact(n: u64) -> Self {
        Self { shown: n, more: false }
    }

    /// Counted up to a limit: `upto(1001, 1000)` reads "1.000+".
    pub fn upto(n: u64, limit: u64) -> Self {
        Self { shown: n.min(limit), more: n > limit }
    }

    /// As written in the language.
    pub fn text(self, lang: Lang) -> String {
        let number = fmt::number(lang, i64::try_from(self.shown).unwrap_or(i64::MAX));
        if self.more { format!("{number}+") } else { number }
    }
}

/// Saved views.
#[derive(Debug, Clone, Template)]
#[template(
    source = "<nav aria-label=\"{{ label }}\"><ul class=\"nav-tabs\">{% for tab in tabs %}<li><a href=\"{{ tab.href }}\"\
        {% if tab.active %} aria-current=\"page\"{% endif %}>{{ tab.label }}{% if let Some(count) = tab.count %}\
        <span class=\"lt-count\">{{ count.text(*lang) }}</span>{% endif %}</a></li>{% endfor %}</ul></nav>",
    ext = "html"
)]
pub struct Tabs {
    lang: Lang,
    label: String,
    tabs: Vec<Tab>,
}
markup!(Tabs);

#[derive(Debug, Clone)]
struct Tab {
    label: String,
    href: String,
    count: Option<Count>,
    active: bool,
}

impl Tabs {
    /// No tab yet.
    pub fn new(lang: Lang) -> Self {
        Self { lang, label: t::views(lang).to_owned(), tabs: Vec::new() }
    }

    /// Another name for assistive technology than "views".
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds a view.
    pub fn tab(
        mut self,
        label: impl Into<String>,
        href: impl std::fmt::Display,
        count: Option<Count>,
        active: bool,
    ) -> Self {
        self.tabs.push(Tab { label: label.into(), href: href.to_string(), count, active });
        self
    }
}
