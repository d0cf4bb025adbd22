//! One check of a run: its code, how it came out, and what was seen. Sentences are made when it is read, in the reader's
//! language; what was seen is figures, operations and codes only.

use base::i18n::Lang;
use serde::{Deserialize, Serialize};

use crate::t;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should be.
    Passed,
    /// Works, but should be looked at.
    Warned,
    /// Not as it should be: the run does not pass.
    Failed,
    /// Could not be tested.
    Skipped,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Which check; stable.
    pub code: String,
    /// How it came out.
    pub outcome: Outcome,
    /// What was seen.
    pub seen: String,
}

impl Check {
    /// A check with what was seen.
    pub fn new(code: &str, outcome: Outcome, seen: impl Into<String>) -> Self {
        let mut seen: String = seen.into();
        if seen.chars().count() > 400 {
            seen = seen.chars().take(400).chain(['…']).collect();
        }
        Self { code: code.to_owned(), outcome, seen }
    }

    /// Passed when `good`, else `otherwise`.
    pub fn judged(code: &str, good: bool, otherwise: Outcome, seen: impl Into<String>) -> Self {
        Self::new(code, if good { Outcome::Passed } else { otherwise }, seen)
    }
}

/// What a check asks, in words; unknown codes, of later versions, as they are.
pub fn code_label(code: &str, l: Lang) -> String {
    words(code, l).map_or_else(|| code.to_owned(), |(label, _)| label.to_owned())
}

/// What to do when it does not pass.
pub fn code_todo(code: &str, l: Lang) -> &'static str {
    words(code, l).map_or("", |(_, todo)| todo)
}

fn words(code: &str, l: Lang) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "calls" => (t::conf_calls(l), t::conf_calls_todo(l)),
        "own-token" => (t::conf_own_token(l), t::conf_own_token_todo(l)),
        "token-errors" => (t::conf_token_errors(l), t::conf_token_errors_todo(l)),
        "headers" => (t::conf_headers(l), t::conf_headers_todo(l)),
        "own-number" => (t::conf_own_number(l), t::conf_own_number_todo(l)),
        "within-agreement" => (t::conf_within(l), t::conf_within_todo(l)),
        "back-off" => (t::conf_back_off(l), t::conf_back_off_todo(l)),
        "reads-whole" => (t::conf_reads_whole(l), t::conf_reads_whole_todo(l)),
        "deprecated" => (t::conf_deprecated(l), t::conf_deprecated_todo(l)),
        "document" => (t::conf_document(l), t::conf_document_todo(l)),
        "references" => (t::conf_references(l), t::conf_references_todo(l)),
        "operations" => (t::conf_operations(l), t::conf_operations_todo(l)),
        "examples" => (t::conf_examples(l), t::conf_examples_todo(l)),
        "reachable" => (t::conf_reachable(l), t::conf_reachable_todo(l)),
        "statuses" => (t::conf_statuses(l), t::conf_statuses_todo(l)),
        "media-types" => (t::conf_media(l), t::conf_media_todo(l)),
        "schemas" => (t::conf_schemas(l), t::conf_schemas_todo(l)),
        "repeatable" => (t::conf_repeatable(l), t::conf_repeatable_todo(l)),
        "unknown-path" => (t::conf_unknown_path(l), t::conf_unknown_path_todo(l)),
        "error-shape" => (t::conf_error_shape(l), t::conf_error_shape_todo(l)),
        "large-header" => (t::conf_large_header(l), t::conf_large_header_todo(l)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_bounded_and_unknown_codes_are_shown_as_they_are() {
        let check = Check::judged("x", false, Outcome::Warned, "a".repeat(1_000));
        assert_eq!((check.outcome, check.seen.chars().count()), (Outcome::Warned, 401));
        assert_eq!((code_label("x", Lang::Vi).as_str(), code_todo("x", Lang::Vi)), ("x", ""));
        assert!(!code_todo("schemas", Lang::En).is_empty());
    }
}
