//! Where the calls of an agreement go. Which provider address that means is in `snapshot`.

use std::fmt;
use std::str::FromStr;

use base::i18n::Lang;
use serde::{Deserialize, Serialize};

use crate::t;

/// The places a connection passes through, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// Invented data, never the provider's production.
    Sandbox,
    /// As in the sandbox, for the test both sides sign off.
    Test,
    /// The provider's real data.
    Production,
}

impl Environment {
    /// All, in their order.
    pub const ALL: [Self; 3] = [Self::Sandbox, Self::Test, Self::Production];

    /// As stored and written in interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Test => "test",
            Self::Production => "production",
        }
    }

    /// The word people read.
    pub fn label(self, lang: Lang) -> &'static str {
        match self {
            Self::Sandbox => t::environment_sandbox(lang),
            Self::Test => t::environment_test(lang),
            Self::Production => t::environment_production(lang),
        }
    }

    /// As the evidence names it; `None` for production.
    pub const fn recorded(self) -> Option<evidence::Environment> {
        match self {
            Self::Sandbox => Some(evidence::Environment::Sandbox),
            Self::Test => Some(evidence::Environment::Test),
            Self::Production => None,
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = UnknownEnvironment;

    fn from_str(s: &str) -> Result<Self, UnknownEnvironment> {
        Self::ALL.into_iter().find(|e| e.as_str() == s).ok_or_else(|| UnknownEnvironment(s.to_owned()))
    }
}

/// The text names no environment.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no environment is called {0:?}")]
pub struct UnknownEnvironment(pub String);
