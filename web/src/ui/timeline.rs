//! Everything that happened to a thing: when, who, what, with a link to the evidence.

use askama::Template;
use base::clock::Timestamp;
use base::i18n::Lang;

use super::Tone;
use super::html::markup;
use crate::t;

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Entry {
    at: Timestamp,
    who: String,
    what: String,
    detail: Option<String>,
    links: Vec<(String, String)>,
    tone: Tone,
}

impl Entry {
    /// When, who, what.
    pub fn new(at: Timestamp, who: impl Into<String>, what: impl Into<String>) -> Self {
        Self { at, who: who.into(), what: what.into(), detail: None, links: Vec::new(), tone: Tone::Neutral }
    }

    /// A sentence more, for example the reason given.
    pub fn detail(mut self, text: impl Into<String>) -> Self {
        self.detail = Some(text.into());
        self
    }

    /// Where the evidence or the document is.
    pub fn link(mut self, label: impl Into<String>, href: impl std::fmt::Display) -> Self {
        self.links.push((label.into(), href.to_string()));
        self
    }

    /// How good or bad it was.
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
}

/// What happened, newest first as the caller orders it.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/timeline.html")]
pub struct Timeline {
    lang: Lang,
    entries: Vec<Entry>,
    more: Option<String>,
}
markup!(Timeline);

impl Timeline {
    /// Nothing yet.
    pub fn new(lang: Lang) -> Self {
        Self { lang, entries: Vec::new(), more: None }
    }

    /// Adds what happened.
    pub fn entry(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    /// Where the rest is.
    pub fn more(mut self, href: Option<impl std::fmt::Display>) -> Self {
        self.more = href.map(|h| h.to_string());
        self
    }
}
