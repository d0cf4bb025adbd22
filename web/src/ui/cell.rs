//! One value in a table or among facts, written as its kind is written everywhere.

use base::clock::{Date, Timestamp};
use base::i18n::Lang;

use super::html::{Html, Markup};
use super::{Badge, Fresh};
use crate::fmt;

/// A value with its way of being set.
#[derive(Debug, Clone)]
pub struct Cell {
    pub(crate) html: Html,
    pub(crate) class: &'static str,
    pub(crate) linked: bool,
}

impl Cell {
    fn new(html: Html, class: &'static str) -> Self {
        Self { html, class, linked: false }
    }

    /// Words.
    pub fn text(text: impl std::fmt::Display) -> Self {
        Self::new(Html::escaped(text), "")
    }

    /// Words with a smaller line below; one piece, so that both stay together in a card.
    pub fn with_sub(text: impl std::fmt::Display, sub: impl std::fmt::Display) -> Self {
        let html = Html::trusted(format!(
            "<span>{}<span class=\"lt-sub\">{}</span></span>",
            Html::escaped(text).as_str(),
            Html::escaped(sub).as_str()
        ));
        Self::new(html, "lt-two")
    }

    /// A legal name, marked as Vietnamese, with a smaller line below it.
    pub fn named(name: impl std::fmt::Display, below: impl std::fmt::Display) -> Self {
        let html = Html::trusted(format!(
            "<span lang=\"vi\">{}<span class=\"lt-sub\">{}</span></span>",
            Html::escaped(name).as_str(),
            Html::escaped(below).as_str()
        ));
        Self::new(html, "lt-two")
    }

    /// A link.
    pub fn link(href: impl std::fmt::Display, text: impl std::fmt::Display) -> Self {
        Self::linked(&href.to_string(), &Html::escaped(text), None, "")
    }

    /// What the row is about: the link to its page, with a smaller line below.
    pub fn titled(
        href: impl std::fmt::Display,
        title: impl std::fmt::Display,
        sub: impl std::fmt::Display,
    ) -> Self {
        let sub = Html::escaped(sub);
        Self::linked(&href.to_string(), &Html::escaped(title), Some(&sub), "lt-wide lt-titled")
    }

    fn linked(href: &str, text: &Html, sub: Option<&Html>, class: &'static str) -> Self {
        let mut html = format!("<a href=\"{}\" data-row>{}</a>", Html::escaped(href).as_str(), text.as_str());
        if let Some(sub) = sub.filter(|s| !s.is_empty()) {
            html = format!("<span>{html}<span class=\"lt-sub\">{}</span></span>", sub.as_str());
        }
        Self { html: Html::trusted(html), class, linked: true }
    }

    /// A code.
    pub fn code(text: impl std::fmt::Display) -> Self {
        Self::new(Html::escaped(text), "lt-c")
    }

    /// A whole number, right-aligned with groups of three.
    pub fn number(lang: Lang, n: i64) -> Self {
        Self::new(Html::escaped(fmt::number(lang, n)), "lt-n")
    }

    /// A number already written, right-aligned (percentages, milliseconds, amounts).
    pub fn figure(text: impl std::fmt::Display) -> Self {
        Self::new(Html::escaped(text), "lt-n")
    }

    /// A moment, `dd/MM/yyyy HH:mm`.
    pub fn time(at: Timestamp) -> Self {
        Self::new(Html::trusted(format!("<time datetime=\"{}\">{}</time>", at.rfc3339_vn(), at.vn())), "lt-t")
    }

    /// A moment that may not be known.
    pub fn opt_time(at: Option<Timestamp>) -> Self {
        at.map_or_else(Self::none, Self::time)
    }

    /// A date, `dd/MM/yyyy`.
    pub fn date(date: Date) -> Self {
        Self::new(Html::trusted(format!("<time datetime=\"{date}\">{}</time>", date.vn())), "lt-t")
    }

    /// A date that may not be known.
    pub fn opt_date(date: Option<Date>) -> Self {
        date.map_or_else(Self::none, Self::date)
    }

    /// A state.
    pub fn badge(badge: Badge) -> Self {
        Self::new(Html::of(badge), "")
    }

    /// How long ago.
    pub fn fresh(fresh: Fresh) -> Self {
        Self::new(Html::of(fresh), "lt-nowrap")
    }

    /// A component or template.
    pub fn html(markup: impl Markup) -> Self {
        Self::new(Html::of(markup), "")
    }

    /// Buttons at the end of a row.
    pub fn end(markup: impl Markup) -> Self {
        Self::new(Html::of(markup), "lt-end")
    }

    /// Nothing there.
    pub fn none() -> Self {
        Self::new(Html::trusted("<span class=\"lt-none\">–</span>"), "lt-void")
    }

    /// A legal name, shown as the law writes it: marked as Vietnamese.
    pub fn legal(name: impl std::fmt::Display) -> Self {
        Self::new(Html::trusted(format!("<span lang=\"vi\">{}</span>", Html::escaped(name).as_str())), "")
    }

    pub(crate) fn into_row_link(self, href: &str) -> Self {
        if self.linked {
            return self;
        }
        Self::linked(href, &self.html, None, self.class)
    }
}
