//! The title line of every page: code, title, state, the one next step, further acts.

use askama::Template;
use base::i18n::Lang;

use super::html::markup;
use super::{Action, Badge, Icon};
use crate::t;

/// The head of a page; carries its only `h1`.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/head.html")]
pub struct Head {
    lang: Lang,
    title: String,
    foreign: bool,
    code: Option<String>,
    badges: Vec<Badge>,
    sub: Option<String>,
    primary: Option<Action>,
    actions: Vec<Action>,
}
markup!(Head);

impl Head {
    /// A head with its title.
    pub fn new(lang: Lang, title: impl Into<String>) -> Self {
        Self {
            lang,
            title: title.into(),
            foreign: false,
            code: None,
            badges: Vec::new(),
            sub: None,
            primary: None,
            actions: Vec::new(),
        }
    }

    /// The title is a legal name, shown as the law writes it: marked as Vietnamese.
    pub fn legal_name(mut self) -> Self {
        self.foreign = self.lang != Lang::Vi;
        self
    }

    /// The code of the thing.
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// A state.
    pub fn badge(mut self, badge: Badge) -> Self {
        self.badges.push(badge);
        self
    }

    /// One sentence below the title.
    #[expect(clippy::should_implement_trait, reason = "short for subtitle, not arithmetic")]
    pub fn sub(mut self, text: impl Into<String>) -> Self {
        self.sub = Some(text.into());
        self
    }

    /// The one next step.
    pub fn primary(mut self, action: Action) -> Self {
        self.primary = Some(action.primary());
        self
    }

    /// Another act; from the third on they fold into a menu.
    pub fn action(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }

    fn shown(&self) -> &[Action] {
        if self.actions.len() <= 2 { &self.actions } else { &[] }
    }

    fn folded(&self) -> &[Action] {
        if self.actions.len() <= 2 { &[] } else { &self.actions }
    }
}
