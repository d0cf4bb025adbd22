//! A state as a word, a mark and a colour; the colour alone never says anything.

use askama::Template;

use super::Icon;
use super::html::markup;

/// How good or bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Neither: drafts, ended things.
    #[default]
    Neutral,
    /// Worth knowing: waiting, in progress.
    Info,
    /// As it should be.
    Good,
    /// Needs a look.
    Warn,
    /// Needs an act.
    Bad,
}

impl Tone {
    /// Every tone, from calm to urgent.
    pub const ALL: [Self; 5] = [Self::Neutral, Self::Info, Self::Good, Self::Warn, Self::Bad];

    /// The class in the sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Neutral => "lt-neutral",
            Self::Info => "lt-info",
            Self::Good => "lt-good",
            Self::Warn => "lt-warn",
            Self::Bad => "lt-bad",
        }
    }

    /// The mark that says the same without colour.
    pub const fn icon(self) -> Icon {
        match self {
            Self::Neutral => Icon::CircleMinus,
            Self::Info => Icon::InfoCircle,
            Self::Good => Icon::CircleCheck,
            Self::Warn => Icon::AlertTriangle,
            Self::Bad => Icon::AlertOctagon,
        }
    }
}

/// A state.
#[derive(Debug, Clone, Template)]
#[template(
    source = "<span class=\"badge {{ tone.class() }}\">{{ icon.small() }}{{ word }}</span>",
    ext = "html"
)]
pub struct Badge {
    tone: Tone,
    icon: Icon,
    word: String,
}
markup!(Badge);

impl Badge {
    /// A state as a word.
    pub fn new(tone: Tone, word: impl Into<String>) -> Self {
        Self { tone, icon: tone.icon(), word: word.into() }
    }

    /// Another mark than the tone's.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = icon;
        self
    }
}
