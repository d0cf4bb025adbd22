//! One question of a form: label above, help before the box, error below it.

use super::html::Html;
use base::i18n::Lang;

/// How the answer is given.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// One line; the type of the input and its keyboard.
    Line {
        kind: &'static str,
        mode: &'static str,
    },
    Lines {
        rows: u8,
    },
    Select,
    Radios,
    /// Several of the options.
    Checks,
    /// One box with its label beside it.
    Check,
    File {
        accept: String,
    },
    Hidden,
}

/// A question.
#[derive(Debug, Clone)]
pub struct Field {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) kind: Kind,
    pub(crate) values: Vec<String>,
    pub(crate) options: Vec<(String, String)>,
    pub(crate) help: Option<String>,
    pub(crate) placeholder: Option<String>,
    pub(crate) required: bool,
    pub(crate) optional: bool,
    pub(crate) half: bool,
    pub(crate) mono: bool,
    pub(crate) autocomplete: &'static str,
    pub(crate) max: u32,
    pub(crate) error: Option<String>,
}

impl Field {
    fn new(name: impl Into<String>, label: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            kind,
            values: Vec::new(),
            options: Vec::new(),
            help: None,
            placeholder: None,
            required: false,
            optional: false,
            half: false,
            mono: false,
            autocomplete: "off",
            max: 1_000,
            error: None,
        }
    }

    fn line(
        name: impl Into<String>,
        label: impl Into<String>,
        kind: &'static str,
        mode: &'static str,
    ) -> Self {
        Self::new(name, label, Kind::Line { kind, mode })
    }

    /// One line of words.
    pub fn text(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::line(name, label, "text", "text")
    }

    /// An address of mail.
    pub fn email(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::line(name, label, "email", "email").autocomplete("email")
    }

    /// A password; never filled with a value.
    pub fn password(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::line(name, label, "password", "text").autocomplete("current-password")
    }

    /// A whole number.
    pub fn number(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::line(name, label, "text", "numeric")
    }

    /// A date as people write it, `dd/MM/yyyy`, whatever the browser's own language.
    pub fn date(name: impl Into<String>, label: impl Into<String>) -> Self {
        let mut field = Self::line(name, label, "text", "numeric").placeholder("dd/mm/yyyy");
        field.max = 10;
        field
    }

    /// Several lines of words.
    pub fn textarea(name: impl Into<String>, label: impl Into<String>) -> Self {
        let mut field = Self::new(name, label, Kind::Lines { rows: 4 });
        field.max = 20_000;
        field
    }

    /// One of many, as `(value, label)`.
    pub fn select(name: impl Into<String>, label: impl Into<String>, options: Vec<(String, String)>) -> Self {
        Self { options, ..Self::new(name, label, Kind::Select) }
    }

    /// One of few, all seen at once.
    pub fn radios(name: impl Into<String>, label: impl Into<String>, options: Vec<(String, String)>) -> Self {
        Self { options, ..Self::new(name, label, Kind::Radios) }
    }

    /// Any of few.
    pub fn checks(name: impl Into<String>, label: impl Into<String>, options: Vec<(String, String)>) -> Self {
        Self { options, ..Self::new(name, label, Kind::Checks) }
    }

    /// Yes or no; sends `1` or nothing.
    pub fn checkbox(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(name, label, Kind::Check)
    }

    /// A file; the form must be `multipart`.
    pub fn file(name: impl Into<String>, label: impl Into<String>, accept: impl Into<String>) -> Self {
        Self::new(name, label, Kind::File { accept: accept.into() })
    }

    /// A value sent along unseen.
    pub fn hidden(name: impl Into<String>, value: impl std::fmt::Display) -> Self {
        Self::new(name, "", Kind::Hidden).value(value)
    }

    /// What is filled in; for [`Field::checkbox`] anything but empty ticks it.
    pub fn value(mut self, value: impl std::fmt::Display) -> Self {
        self.values = vec![value.to_string()];
        self
    }

    /// What is ticked of several.
    pub fn values(mut self, values: impl IntoIterator<Item = impl std::fmt::Display>) -> Self {
        self.values = values.into_iter().map(|v| v.to_string()).collect();
        self
    }

    /// One line before the box.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// An example in the empty box; never the only explanation.
    pub fn placeholder(mut self, text: impl Into<String>) -> Self {
        self.placeholder = Some(text.into());
        self
    }

    /// Must be answered.
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Says "(không bắt buộc)" beside the label.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Half the width; two of them share a line.
    pub fn half(mut self) -> Self {
        self.half = true;
        self
    }

    /// Codes and addresses.
    pub fn mono(mut self) -> Self {
        self.mono = true;
        self
    }

    /// Lines shown of a textarea.
    pub fn rows(mut self, rows: u8) -> Self {
        self.kind = Kind::Lines { rows };
        self
    }

    /// The longest answer, in characters.
    pub fn max(mut self, characters: u32) -> Self {
        self.max = characters;
        self
    }

    /// What the browser may fill in (HTML autofill token).
    pub fn autocomplete(mut self, token: &'static str) -> Self {
        self.autocomplete = token;
        self
    }

    /// What is wrong with the answer; set by [`super::Form::errors`].
    pub fn error(mut self, text: impl Into<String>) -> Self {
        self.error = Some(text.into());
        self
    }

    pub(crate) fn grouped(&self) -> bool {
        matches!(self.kind, Kind::Radios | Kind::Checks)
    }

    pub(crate) fn first(&self) -> &str {
        match self.kind {
            Kind::Line { kind: "password", .. } => "",
            _ => self.values.first().map_or("", String::as_str),
        }
    }

    pub(crate) fn has(&self, value: &String) -> bool {
        self.values.contains(value)
    }

    pub(crate) fn ticked(&self) -> bool {
        self.values.iter().any(|v| !v.is_empty())
    }

    /// Attributes every kind of box shares.
    pub(crate) fn attributes(&self) -> Html {
        let mut text = String::new();
        if self.required {
            text.push_str(" required");
        }
        if self.error.is_some() {
            text.push_str(" aria-invalid=\"true\"");
        }
        let name = Html::escaped(&self.name);
        let mut described = Vec::new();
        if self.help.is_some() {
            described.push(format!("h-{}", name.as_str()));
        }
        if self.error.is_some() {
            described.push(format!("e-{}", name.as_str()));
        }
        if !described.is_empty() {
            text.push_str(&format!(" aria-describedby=\"{}\"", described.join(" ")));
        }
        Html::trusted(text)
    }

    pub(crate) fn optional_word(&self, lang: &Lang) -> Option<&'static str> {
        self.optional.then(|| crate::t::optional(*lang))
    }
}
