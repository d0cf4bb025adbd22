//! What a person can do: a link, or a form of one button. An act that is not allowed is shown with its reason.

use askama::Template;

use super::Icon;
use super::html::{Html, markup};
use crate::cx::Cx;

/// A button or link.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/action.html")]
pub struct Action {
    label: String,
    target: Target,
    class: &'static str,
    icon: Option<Icon>,
    hidden: Vec<(String, String)>,
    denied: Option<String>,
    small: bool,
}
markup!(Action);

#[derive(Debug, Clone)]
enum Target {
    Link(String),
    Post { action: String, csrf: Html },
}

impl Action {
    /// Goes to a page.
    pub fn link(label: impl Into<String>, href: impl std::fmt::Display) -> Self {
        Self::new(label.into(), Target::Link(href.to_string()))
    }

    /// Changes something: a form of one button.
    pub fn post(cx: &Cx, label: impl Into<String>, action: impl std::fmt::Display) -> Self {
        Self::new(label.into(), Target::Post { action: action.to_string(), csrf: cx.csrf_field() })
    }

    fn new(label: String, target: Target) -> Self {
        Self { label, target, class: "", icon: None, hidden: Vec::new(), denied: None, small: false }
    }

    /// The one next step of a page.
    pub fn primary(mut self) -> Self {
        self.class = " btn-primary";
        self
    }

    /// Takes something away.
    pub fn danger(mut self) -> Self {
        self.class = " btn-danger";
        self
    }

    /// Without a frame.
    pub fn ghost(mut self) -> Self {
        self.class = " btn-ghost";
        self
    }

    /// Smaller, for cards and rows.
    pub fn small(mut self) -> Self {
        self.small = true;
        self
    }

    /// An icon before the word.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }

    /// A hidden value sent along.
    pub fn hidden(mut self, name: impl Into<String>, value: impl std::fmt::Display) -> Self {
        self.hidden.push((name.into(), value.to_string()));
        self
    }

    /// Shown, but not to be pressed, for this reason.
    pub fn denied(mut self, reason: impl Into<String>) -> Self {
        self.denied = Some(reason.into());
        self
    }
}
