//! The error every action returns. A rule that says no is a [`Refusal`], not a fault of the system. The
//! person gets a calm sentence; the operator gets the whole chain of causes from [`Error::Internal`].

use crate::i18n::Text;

/// Result of an action.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What may go wrong in an action.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or the reader may not know that there is.
    #[error("no such {kind}")]
    NotFound {
        /// The kind of thing looked for.
        kind: &'static str,
    },
    /// The person is known but lacks the permission.
    #[error("permission {permission} is missing")]
    Denied {
        /// The permission that would be needed.
        permission: &'static str,
    },
    /// Nobody is signed in.
    #[error("not signed in")]
    SignIn,
    /// A rule of the domain says no.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// The request's values are wrong.
    #[error("{} invalid values", .0.len())]
    Invalid(Vec<FieldError>),
    /// Somebody else changed the thing first (stale version or `If-Match`).
    #[error("changed by somebody else meanwhile")]
    Conflict,
    /// The request is larger than allowed.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Too many requests; try again later.
    #[error("too many requests")]
    TooMany {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// Something needed is away for now.
    #[error("{what} is unavailable")]
    Unavailable {
        /// What is away, in the operator's words.
        what: &'static str,
        /// Why.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A fault of the system.
    #[error("internal fault")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A rule's "no": a stable code for programs, a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {}", text.en)]
pub struct Refusal {
    /// Stable, for example `agreement-not-waiting`.
    pub code: &'static str,
    /// The sentence.
    pub text: Text,
}

impl Refusal {
    /// A refusal with its code and sentence.
    pub fn new(code: &'static str, text: Text) -> Self {
        Self { code, text }
    }
}

/// One wrong value.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// The field's name in the form or JSON document.
    pub field: String,
    /// What to put right.
    pub text: Text,
}

impl Error {
    /// Wraps a fault of the system, keeping its chain of causes.
    pub fn internal(e: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(e.into())
    }

    /// Something is away, with the cause.
    pub fn unavailable(what: &'static str, e: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable { what, source: Some(e.into()) }
    }

    /// One wrong value.
    pub fn field(field: impl Into<String>, text: Text) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), text }])
    }

    /// The whole chain of causes on one line, for logs.
    pub fn chain(&self) -> String {
        let mut out = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(e) = cause {
            out.push_str(": ");
            out.push_str(&e.to_string());
            cause = e.source();
        }
        out
    }
}

impl From<Refusal> for Error {
    fn from(r: Refusal) -> Self {
        Self::Refused(r)
    }
}

impl From<serde_json::Error> for Error {
    fn from(e: serde_json::Error) -> Self {
        Self::internal(e)
    }
}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Self {
        Self::internal(e)
    }
}

impl From<crate::ids::BadId> for Error {
    fn from(e: crate::ids::BadId) -> Self {
        Self::NotFound { kind: e.0 }
    }
}
