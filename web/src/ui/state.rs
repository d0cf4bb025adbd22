//! Pieces that say how things stand: notices, empty places, questions before an official act, help.

use askama::Template;
use base::i18n::Lang;

use super::html::{Html, markup};
use super::{Action, Field, Form, Icon, Tone};
use crate::cx::Cx;

/// A sentence the page begins with.
#[derive(Debug, Clone, Template)]
#[template(
    source = "<div class=\"alert {{ tone.class() }}\"{% if live %} role=\"status\"{% endif %}>{{ tone.icon() }}\
        <div class=\"alert-body\">{% if let Some(title) = title %}<h2>{{ title }}</h2>{% endif %}\
        <div class=\"lt-alert-text\">{{ text }}</div>\
        {% if !actions.is_empty() %}<div class=\"lt-actions\">{% for a in actions %}{{ a }}{% endfor %}</div>{% endif %}\
        </div></div>",
    ext = "html"
)]
pub struct Notice {
    tone: Tone,
    title: Option<String>,
    text: String,
    actions: Vec<Action>,
    live: bool,
}
markup!(Notice);

impl Notice {
    /// A sentence.
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, title: None, text: text.into(), actions: Vec::new(), live: false }
    }

    /// A few words before it.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// What to do about it.
    pub fn action(mut self, action: Action) -> Self {
        self.actions.push(action.small());
        self
    }

    /// Read out when the page comes: what has just been done.
    pub fn live(mut self) -> Self {
        self.live = true;
        self
    }
}

/// What will be here, and the first step.
#[derive(Debug, Clone, Template)]
#[template(
    source = "<div class=\"lt-empty\">{{ icon.large() }}<h2>{{ title }}</h2><p>{{ text }}</p>\
        {% if !actions.is_empty() %}<div class=\"lt-actions\">{% for a in actions %}{{ a }}{% endfor %}</div>{% endif %}\
        </div>",
    ext = "html"
)]
pub struct Empty {
    icon: Icon,
    title: String,
    text: String,
    actions: Vec<Action>,
}
markup!(Empty);

impl Empty {
    /// What will be here.
    pub fn new(icon: Icon, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { icon, title: title.into(), text: text.into(), actions: Vec::new() }
    }

    /// The first step.
    pub fn action(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }
}

/// The question before a destructive or official act: its consequence in one sentence.
#[derive(Debug, Clone, Template)]
#[template(
    source = "<div class=\"lt-confirm\"><div class=\"card\"><div class=\"card-body\">\
        <p class=\"lt-consequence\">{{ consequence }}</p>{{ form }}</div></div></div>",
    ext = "html"
)]
pub struct Confirm {
    consequence: String,
    form: Form,
}
markup!(Confirm);

impl Confirm {
    /// Asks; the button says the act as a verb.
    pub fn post(
        cx: &Cx,
        action: impl std::fmt::Display,
        consequence: impl Into<String>,
        button: impl Into<String>,
    ) -> Self {
        Self { consequence: consequence.into(), form: Form::post(cx, action).submit(button) }
    }

    /// The act takes something away.
    pub fn danger(mut self) -> Self {
        self.form = self.form.danger();
        self
    }

    /// Where one gets without doing it.
    pub fn cancel(mut self, href: impl std::fmt::Display) -> Self {
        self.form = self.form.cancel(href);
        self
    }

    /// Something to be said with the act, for example its reason.
    pub fn field(mut self, field: Field) -> Self {
        self.form = self.form.field(field);
        self
    }

    /// A hidden value sent along.
    pub fn hidden(self, name: impl Into<String>, value: impl std::fmt::Display) -> Self {
        self.field(Field::hidden(name, value))
    }

    /// The reason, which must be given.
    pub fn reason(self, name: impl Into<String>, label: impl Into<String>) -> Self {
        self.field(Field::textarea(name, label).rows(3).required())
    }

    /// What was wrong with the last attempt.
    pub fn errors(mut self, errors: &[base::error::FieldError]) -> Self {
        self.form = self.form.errors(errors);
        self
    }
}

/// Help inside the page: what is this, what next, who may.
#[derive(Debug, Clone, Template)]
#[template(
    source = "<details class=\"lt-fold lt-help\"><summary>{{ Icon::ChevronRight.small() }}{{ title }}</summary>\
        <div class=\"lt-fold-body lt-text\">{% for p in paragraphs %}<p>{{ p }}</p>{% endfor %}</div></details>",
    ext = "html"
)]
pub struct Help {
    title: String,
    paragraphs: Vec<String>,
}
markup!(Help);

impl Help {
    /// Foldable help; an empty line in the text begins a paragraph.
    pub fn new(title: impl Into<String>, text: &str) -> Self {
        Self { title: title.into(), paragraphs: text.split("\n\n").map(str::to_owned).collect() }
    }
}

/// Text to be copied: a command, a key, a document.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/code.html")]
pub struct Code {
    lang: Lang,
    id: String,
    title: String,
    text: String,
    short: bool,
}
markup!(Code);

impl Code {
    /// Text to be copied.
    pub fn new(lang: Lang, text: impl Into<String>) -> Self {
        let text = text.into();
        let id = format!("code-{:08x}", fnv(text.as_bytes()));
        Self { lang, id, title: String::new(), text, short: false }
    }

    /// What it is.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self.id = format!("{}-{:08x}", self.id, fnv(self.title.as_bytes()));
        self
    }

    /// Breaks long lines instead of scrolling: keys and fingerprints.
    pub fn wrapped(mut self) -> Self {
        self.short = true;
        self
    }
}

/// FNV-1a, only to give equal texts equal anchors.
fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |h, b| (h ^ u32::from(*b)).wrapping_mul(0x0100_0193))
}

/// Where a step of a path stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Behind us.
    Done,
    /// Where we are.
    Now,
    /// Still to come.
    Later,
}

/// The path of a request.
#[derive(Debug, Clone, Default, Template)]
#[template(
    source = "<ol class=\"lt-steps\">{% for (label, state, note) in steps %}<li class=\"{{ Self::class(state) }}\"\
        {% if *state == StepState::Now %} aria-current=\"step\"{% endif %}>{{ label }}\
        {% if let Some(note) = note %}<small>{{ note }}</small>{% endif %}</li>{% endfor %}</ol>",
    ext = "html"
)]
pub struct Steps {
    steps: Vec<(String, StepState, Option<String>)>,
}
markup!(Steps);

impl Steps {
    /// No step yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a step, with a note such as its date.
    pub fn step(mut self, label: impl Into<String>, state: StepState, note: Option<String>) -> Self {
        self.steps.push((label.into(), state, note));
        self
    }

    fn class(state: &StepState) -> &'static str {
        match state {
            StepState::Done => "lt-done",
            StepState::Now => "lt-now",
            StepState::Later => "lt-later",
        }
    }
}

/// Re-fetches its own part of the page every few seconds; says so when it cannot.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/live.html")]
pub struct Live {
    lang: Lang,
    id: String,
    href: String,
    seconds: u32,
    body: Html,
}
markup!(Live);

impl Live {
    /// The part `id` of the page at `href`, fetched anew every `seconds` (at least 2).
    pub fn new(
        lang: Lang,
        id: impl Into<String>,
        href: impl std::fmt::Display,
        seconds: u32,
        body: impl super::Markup,
    ) -> Self {
        Self { lang, id: id.into(), href: href.to_string(), seconds: seconds.max(2), body: Html::of(body) }
    }
}
