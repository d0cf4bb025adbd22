//! What people do: one function for each verb, one transaction each.

pub(crate) mod duty;
pub(crate) mod messages;
pub(crate) mod templates;
pub(crate) mod ways;

use base::error::{Error, Refusal, Result};
use base::i18n::Text;
use kernel::{Actor, Cx, PersonId};

/// The person who acts.
///
/// # Errors
/// `NotFound` for who is none: an information system has no duty and no address of its own here.
pub(crate) fn person(cx: &Cx) -> Result<PersonId> {
    match &cx.actor {
        Actor::Official { person, .. } => Ok(*person),
        _ => Err(Error::NotFound { kind: "person" }),
    }
}

fn refused(code: &'static str, text: Text) -> Error {
    Refusal::new(code, text).into()
}
