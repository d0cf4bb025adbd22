//! The text of a description as it is kept: JSON. YAML is turned into it; both are refused with line and reason when they
//! cannot be read.

use serde_yaml_ng::Value as Yaml;

use crate::openapi::{Fault, MAX_BYTES};
use crate::{code, t};
use base::i18n::Text;

/// The document as JSON.
///
/// # Errors
/// The first fault of a YAML text with its line; faults of JSON are found by [`crate::openapi::read`].
pub fn as_json(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
    // What is too large is told so by the reader of JSON; nothing so large is read as YAML.
    if matches!(first, None | Some(b'{' | b'[')) || bytes.len() > MAX_BYTES {
        return Ok(bytes.to_vec());
    }
    let unread = |place: String, why: String| {
        Fault::new(place, Text::both(|l| t::description_yaml(l, code::clip(&why))))
    };
    // Its own value first: it refuses names that appear twice, and aliases that multiply without end.
    let yaml: Yaml = serde_yaml_ng::from_slice(bytes).map_err(|e| {
        let place = e.location().map_or_else(String::new, |at| format!("{}:{}", at.line(), at.column()));
        unread(place, e.to_string())
    })?;
    serde_json::to_vec_pretty(&yaml).map_err(|e| unread(String::new(), e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_and_json_are_the_same_document() {
        let yaml = "openapi: 3.0.3\ninfo:\n  title: Dân cư\n  version: '1'\npaths:\n  /a:\n    get:\n      responses:\n        200:\n          description: Có\n";
        let json = as_json(yaml.as_bytes()).unwrap();
        assert_eq!(crate::openapi::read(&json).unwrap().title, "Dân cư");
        assert!(String::from_utf8(json).unwrap().contains("\"200\""), "numbers as keys are status codes");
        assert_eq!(as_json(b" {\"a\": 1}").unwrap(), b" {\"a\": 1}");
    }

    #[test]
    fn careless_and_hostile_yaml_is_refused_with_its_line() {
        let fault = as_json(b"openapi: 3.0.3\ninfo:\n  title: [a\n").unwrap_err();
        assert!(fault.place.contains(':') && !fault.text.vi.is_empty(), "{fault:?}");
        assert!(as_json(b"a: 1\na: 2\n").is_err(), "a name twice");
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n";
        assert!(as_json(bomb.as_bytes()).is_err(), "aliases do not multiply without end");
        assert!(as_json(format!("a: {}", "[".repeat(10_000)).as_bytes()).is_err());
    }
}
