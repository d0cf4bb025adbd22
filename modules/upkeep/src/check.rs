//! What a check says, and the whole picture: the same for the page, the interface and the command line.

use base::clock::Timestamp;
use base::i18n::Text;
use kernel::Finding;
use kernel::alerts::{AlertId, Occurrence, Severity};
use serde::{Deserialize, Serialize};

/// Most open alerts told at once.
pub(crate) const MOST_ALERTS: u32 = 200;

/// How it stands with one checked thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Good,
    /// Somebody should look in working time.
    Warning,
    /// Something does not work, or soon will not.
    Bad,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Stable name.
    pub name: String,
    /// What was checked.
    pub title: Text,
    /// How it stands.
    pub state: State,
    /// What was found.
    pub text: Text,
    /// What to do, where it is not well.
    pub todo: Option<Text>,
}

impl Check {
    /// As it should be.
    pub(crate) fn good(name: &str, title: Text, text: Text) -> Self {
        Self { name: name.to_owned(), title, state: State::Good, text, todo: None }
    }

    /// Not as it should be.
    pub(crate) fn wrong(name: &str, title: Text, state: State, text: Text, todo: Text) -> Self {
        Self { name: name.to_owned(), title, state, text, todo: Some(todo) }
    }
}

/// A module's finding; its text says the next step.
impl From<Finding> for Check {
    fn from(f: Finding) -> Self {
        let state = if f.ok { State::Good } else { State::Bad };
        Self { name: f.check.to_owned(), title: f.title, state, text: f.text, todo: None }
    }
}

/// An open alert, as told to programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Which occurrence.
    pub alert: AlertId,
    /// Under which key.
    pub key: String,
    /// How urgent.
    pub severity: Severity,
    /// What is wrong.
    pub title: Text,
    /// What was found.
    pub cause: Text,
    /// What to do.
    pub todo: Text,
    /// Since when.
    pub since: Timestamp,
    /// Whether somebody looks after it.
    pub acknowledged: bool,
}

impl From<Occurrence> for Trouble {
    fn from(o: Occurrence) -> Self {
        Self {
            alert: o.id,
            key: o.key,
            severity: o.severity,
            title: o.title,
            cause: o.cause,
            todo: o.todo,
            since: o.since,
            acknowledged: o.acknowledged.is_some(),
        }
    }
}

/// How everything stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nothing to do.
    Well,
    /// Something should be looked at.
    Watch,
    /// Somebody is hurt, or something does not work.
    Trouble,
}

/// The whole picture at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// When the checks were made.
    pub at: Timestamp,
    /// Every check.
    pub checks: Vec<Check>,
    /// Every open alert, the most urgent first.
    pub alerts: Vec<Trouble>,
}

impl Overview {
    /// How everything stands.
    pub fn standing(&self) -> Standing {
        let worst = self.checks.iter().map(|c| c.state).max().unwrap_or(State::Good);
        let critical = self.alerts.iter().any(|a| a.severity == Severity::Critical);
        match worst {
            _ if critical => Standing::Trouble,
            State::Bad => Standing::Trouble,
            State::Warning => Standing::Watch,
            State::Good if !self.alerts.is_empty() => Standing::Watch,
            State::Good => Standing::Well,
        }
    }
}
