//! Forms: what is wrong is said on top with links to the fields, and nothing typed is lost.

use askama::Template;
use base::error::FieldError;
use base::i18n::Lang;

use super::field::{Field, Kind};
use super::html::{Html, markup};
use super::{Action, Icon};
use crate::cx::Cx;
use crate::t;

/// A form.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/form.html")]
pub struct Form {
    lang: Lang,
    action: String,
    csrf: Html,
    parts: Vec<Part>,
    errors: Vec<(Option<String>, String)>,
    submit: Option<String>,
    danger: bool,
    cancel: Option<String>,
    multipart: bool,
    beside: Vec<Action>,
}
markup!(Form);

#[derive(Debug, Clone)]
enum Part {
    Field(Box<Field>),
    Heading(String, Option<String>),
}

impl Form {
    /// A form that changes something.
    pub fn post(cx: &Cx, action: impl std::fmt::Display) -> Self {
        Self {
            lang: cx.lang,
            action: action.to_string(),
            csrf: cx.csrf_field(),
            parts: Vec::new(),
            errors: Vec::new(),
            submit: None,
            danger: false,
            cancel: None,
            multipart: false,
            beside: Vec::new(),
        }
    }

    /// What was wrong with the last attempt. May be called before or after the fields are added.
    pub fn errors(mut self, errors: &[FieldError]) -> Self {
        let lang = self.lang;
        self.errors.extend(errors.iter().map(|e| (Some(e.field.clone()), e.text.get(lang).to_owned())));
        self
    }

    /// What was wrong as a whole, for example a wrong password.
    pub fn error(mut self, text: impl Into<String>) -> Self {
        self.errors.push((None, text.into()));
        self
    }

    /// Adds a question.
    pub fn field(mut self, field: Field) -> Self {
        self.multipart |= matches!(field.kind, Kind::File { .. });
        self.parts.push(Part::Field(Box::new(field)));
        self
    }

    /// Begins a group of questions.
    pub fn section(mut self, title: impl Into<String>, help: Option<&str>) -> Self {
        self.parts.push(Part::Heading(title.into(), help.map(str::to_owned)));
        self
    }

    /// The verb on the button.
    pub fn submit(mut self, label: impl Into<String>) -> Self {
        self.submit = Some(label.into());
        self
    }

    /// The button takes something away.
    pub fn danger(mut self) -> Self {
        self.danger = true;
        self
    }

    /// Where one gets without doing it.
    pub fn cancel(mut self, href: impl std::fmt::Display) -> Self {
        self.cancel = Some(href.to_string());
        self
    }

    /// A further link beside the buttons.
    pub fn beside(mut self, action: Action) -> Self {
        self.beside.push(action);
        self
    }

    /// The fields with their errors, in order.
    fn shown(&self) -> Vec<Part> {
        let mut parts = self.parts.clone();
        for part in &mut parts {
            if let Part::Field(field) = part {
                let found = self.errors.iter().find(|(name, _)| name.as_deref() == Some(field.name.as_str()));
                if let Some((_, text)) = found {
                    field.error = Some(text.clone());
                }
            }
        }
        parts
    }

    /// The only fault, when it concerns no field.
    fn whole(&self) -> Option<&str> {
        match self.errors.as_slice() {
            [(None, text)] => Some(text),
            _ => None,
        }
    }

    fn error_count(&self) -> i64 {
        i64::try_from(self.errors.len()).unwrap_or(i64::MAX)
    }

    /// Whether the summary can link to the field.
    fn has_field(&self, name: &str) -> bool {
        self.parts.iter().any(|p| matches!(p, Part::Field(f) if f.name == name))
    }
}
