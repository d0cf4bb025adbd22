//! Cards with a heading, responsive columns, and the two columns of a thing's page.

use askama::Template;

use super::html::{Html, Markup, markup};
use super::{Action, Timeline};

/// A card with a heading.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/section.html")]
pub struct Section {
    title: String,
    id: Option<String>,
    help: Option<String>,
    actions: Vec<Action>,
    body: Html,
    flush: bool,
}
markup!(Section);

impl Section {
    /// A card with its heading and content.
    pub fn new(title: impl Into<String>, body: impl Markup) -> Self {
        let body = Html::of(body);
        Self { title: title.into(), id: None, help: None, actions: Vec::new(), body, flush: false }
    }

    /// The content reaches the edges: tables.
    pub fn flush(mut self) -> Self {
        self.flush = true;
        self
    }

    /// One line that explains the heading.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// An act beside the heading.
    pub fn action(mut self, action: Action) -> Self {
        self.actions.push(action.small());
        self
    }

    /// An anchor for links.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }
}

/// Columns that fold into one on a phone.
#[derive(Debug, Clone, Default, Template)]
#[template(
    source = "<div class=\"lt-grid{{ class }}\">{% for part in parts %}{{ part }}{% endfor %}</div>",
    ext = "html"
)]
pub struct Grid {
    class: &'static str,
    parts: Vec<Html>,
}
markup!(Grid);

impl Grid {
    /// As many columns as fit, about four on a wide screen.
    pub fn new() -> Self {
        Self::default()
    }

    /// At most so many columns: 2, 3 or 4.
    pub fn columns(mut self, most: u8) -> Self {
        self.class = match most {
            2 => " lt-grid-2",
            3 => " lt-grid-3",
            _ => "",
        };
        self
    }

    /// Adds a part.
    #[expect(clippy::should_implement_trait, reason = "a builder's verb, not arithmetic")]
    pub fn add(mut self, part: impl Markup) -> Self {
        self.parts.push(Html::of(part));
        self
    }
}

/// The page of a thing: content on the left, facts on the right, everything that happened below.
#[derive(Debug, Clone, Template)]
#[template(
    source = "<div class=\"lt-thing\"><div>{{ content }}{% if let Some(body) = timeline %}{{ body }}{% endif %}</div>\
        <div class=\"lt-side\">{% for part in side %}{{ part }}{% endfor %}</div></div>",
    ext = "html"
)]
pub struct Thing {
    content: Html,
    side: Vec<Html>,
    timeline: Option<Html>,
}
markup!(Thing);

impl Thing {
    /// The content on the left.
    pub fn new(content: impl Markup) -> Self {
        Self { content: Html::of(content), side: Vec::new(), timeline: None }
    }

    /// A card on the right.
    pub fn side(mut self, title: impl Into<String>, body: impl Markup) -> Self {
        self.side.push(Html::of(Section::new(title, body)));
        self
    }

    /// What happened, below the content.
    pub fn timeline(mut self, title: impl Into<String>, timeline: Timeline) -> Self {
        self.timeline = Some(Html::of(Section::new(title, timeline)));
        self
    }
}
