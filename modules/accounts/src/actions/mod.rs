//! What people do here: one function per verb, one transaction each, audited. Rules are in the kernel's
//! `identity`; pages and interfaces only translate.

mod appointments;
pub mod clients;
pub mod emergency;
pub mod links;
pub mod officials;
pub mod own;
mod reach;
pub mod sign_in;

use kernel::error::{FieldError, Refusal};
use kernel::i18n::{Lang, Text};
use kernel::{Cx, Error, Result};

/// What came of a request that may be sent twice.
#[derive(Debug)]
pub enum Done<T, B> {
    /// It was done now.
    Now(T),
    /// The same request was done before; what is known of its effect.
    Before(B),
}

impl<T, B> Done<T, B> {
    /// What was done now, of a request without a key.
    fn now(self) -> Result<T> {
        match self {
            Self::Now(done) => Ok(done),
            Self::Before(_) => Err(Error::internal("a request without a key was done before")),
        }
    }
}

/// A refusal with its sentence in both languages.
pub(crate) fn refused<T>(code: &'static str, say: impl Fn(Lang) -> String) -> Result<T> {
    Err(Refusal::new(code, Text::both(say)).into())
}

/// One wrong value with its sentence in both languages.
pub(crate) fn wrong<S: Into<String>>(field: &str, say: impl Fn(Lang) -> S) -> FieldError {
    FieldError { field: field.to_owned(), text: Text::both(say) }
}

/// `Invalid` if anything was found.
pub(crate) fn check(errors: Vec<FieldError>) -> Result<()> {
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

/// The person who acts, for actions on one's own account.
pub(crate) fn own_person(cx: &Cx) -> Result<kernel::PersonId> {
    match cx.actor {
        kernel::Actor::Official { person, .. } => Ok(person),
        _ => Err(Error::SignIn),
    }
}
