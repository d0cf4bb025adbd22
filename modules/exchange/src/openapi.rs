//! OpenAPI documents (3.0 and 3.1, as JSON): read strictly and within bounds, for their list of operations.
//! References are not followed and schemas not judged; the document is kept as it was handed in.

use std::fmt;

use base::i18n::Text;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::code::clip;
use crate::endpoint::{Method, Pattern, Route};
use crate::t;

/// Largest document accepted, in bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Most operations accepted.
pub const MAX_OPERATIONS: usize = 2_000;
/// Deepest nesting accepted.
const MAX_DEPTH: usize = 64;

/// An operation of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Method, and path with each `{parameter}` turned into `*`.
    pub route: Route,
    /// The path as the document writes it.
    pub template: String,
    /// Its summary, or its operation id, or nothing.
    pub summary: String,
}

/// What was read from a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// `3.0.x` or `3.1.x`.
    pub version: String,
    /// The API's title.
    pub title: String,
    /// Its operations in the order of the document.
    pub operations: Vec<Operation>,
}

/// Why a document was not accepted, and where: a JSON pointer (RFC 6901), or line and column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The place.
    pub place: String,
    /// What is wrong there.
    pub text: Text,
}

impl Fault {
    pub(crate) fn new(place: impl Into<String>, text: Text) -> Self {
        Self { place: place.into(), text }
    }

    /// One sentence with the place.
    pub fn sentence(&self) -> Text {
        Text::both(|l| t::openapi_fault(l, t::OpenapiFault { place: &self.place, what: self.text.get(l) }))
    }
}

/// Reads a document.
///
/// # Errors
/// The first fault with its place.
pub fn read(bytes: &[u8]) -> Result<Document, Fault> {
    if bytes.len() > MAX_BYTES {
        return Err(Fault::new("", Text::both(|l| t::openapi_too_large(l, MAX_BYTES / 1024))));
    }
    let value = parse(bytes)?;
    let root = object(&value, "")?;
    let version = string(root, "openapi", "")?;
    if !is_version_3(version) {
        return Err(Fault::new("/openapi", Text::both(|l| t::openapi_version(l, clip(version)))));
    }
    let info = object(member(root, "info", "")?, "/info")?;
    let title = string(info, "title", "/info")?;
    string(info, "version", "/info")?;
    let operations = match root.get("paths") {
        Some(paths) => operations(object(paths, "/paths")?)?,
        // 3.1 permits a document of webhooks or components only; there is nothing to call then.
        None => return Err(Fault::new("/paths", Text::both(t::openapi_no_paths))),
    };
    if operations.is_empty() {
        return Err(Fault::new("/paths", Text::both(t::openapi_no_paths)));
    }
    Ok(Document { version: version.to_owned(), title: title.to_owned(), operations })
}

/// The document with its server addresses taken out, as the `getOpenAPI` metadata service gives it.
///
/// # Errors
/// When the document cannot be read.
pub fn anonymised(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    read(bytes)?;
    let mut value = parse(bytes)?;
    strip_servers(&mut value);
    serde_json::to_vec(&value).map_err(|e| Fault::new("", broken(&e.to_string())))
}

/// Removes `servers` where the specification gives it a meaning: root, path item, operation, link.
fn strip_servers(value: &mut Value) {
    const PLACE: &str = "http://example.org/xroad-endpoint";
    let Some(root) = value.as_object_mut() else { return };
    root.insert("servers".to_owned(), serde_json::json!([{ "url": PLACE }]));
    let Some(paths) = root.get_mut("paths").and_then(Value::as_object_mut) else { return };
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        item.shift_remove("servers");
        for operation in item.values_mut().filter_map(Value::as_object_mut) {
            operation.shift_remove("servers");
        }
    }
}

fn operations(paths: &Map<String, Value>) -> Result<Vec<Operation>, Fault> {
    let mut found: Vec<Operation> = Vec::new();
    for (template, item) in paths.iter().filter(|(name, _)| !name.starts_with("x-")) {
        let place = format!("/paths/{}", escape(template));
        let path = pattern_of(template).map_err(|text| Fault::new(&place, text))?;
        let item = object(item, &place)?;
        if item.contains_key("$ref") {
            return Err(Fault::new(format!("{place}/$ref"), Text::both(t::openapi_path_ref)));
        }
        for (key, operation) in item {
            let Some(method) = verb(key) else {
                known_item_field(key).then_some(()).ok_or_else(|| {
                    Fault::new(
                        format!("{place}/{}", escape(key)),
                        Text::both(|l| t::openapi_verb(l, clip(key))),
                    )
                })?;
                continue;
            };
            let place = format!("{place}/{key}");
            let operation = object(operation, &place)?;
            let route = Route { method, path: path.clone() };
            if found.iter().any(|o| o.route == route) {
                return Err(Fault::new(place, Text::both(|l| t::openapi_route_twice(l, route.to_string()))));
            }
            if found.len() == MAX_OPERATIONS {
                return Err(Fault::new(place, Text::both(|l| t::openapi_too_many(l, MAX_OPERATIONS))));
            }
            let summary = optional(operation, "summary", &place)?;
            let id = optional(operation, "operationId", &place)?;
            found.push(Operation {
                route,
                template: template.clone(),
                summary: clip_long(summary.or(id).unwrap_or("")),
            });
        }
    }
    Ok(found)
}

fn clip_long(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(crate::member::MAX_NAME).collect()
}

/// `/cong-dan/{so}/ho-khau` becomes `/cong-dan/*/ho-khau`.
pub(crate) fn pattern_of(template: &str) -> Result<Pattern, Text> {
    let refuse = || Text::both(|l| t::openapi_path(l, clip(template)));
    if !template.starts_with('/') || template.contains('*') {
        return Err(refuse());
    }
    let mut out = String::with_capacity(template.len());
    for (at, segment) in template.split('/').enumerate() {
        if at > 0 {
            out.push('/');
        }
        match (segment.find('{'), segment.rfind('}')) {
            (None, None) => out.push_str(segment),
            (Some(open), Some(close)) if open < close => out.push('*'),
            _ => return Err(refuse()),
        }
    }
    out.parse().map_err(|_: Text| refuse())
}

fn verb(key: &str) -> Option<Method> {
    let lower = key.bytes().all(|b| b.is_ascii_lowercase());
    lower.then(|| key.to_ascii_uppercase().parse().ok()).flatten()
}

fn known_item_field(key: &str) -> bool {
    matches!(key, "summary" | "description" | "servers" | "parameters") || key.starts_with("x-")
}

fn is_version_3(version: &str) -> bool {
    let mut parts = version.split('.');
    let number = |p: Option<&str>| {
        p.is_some_and(|p| !p.is_empty() && p.len() <= 3 && p.bytes().all(|b| b.is_ascii_digit()))
    };
    parts.next() == Some("3")
        && matches!(parts.next(), Some("0" | "1"))
        && number(parts.next())
        && parts.next().is_none()
}

fn member<'v>(map: &'v Map<String, Value>, key: &str, place: &str) -> Result<&'v Value, Fault> {
    map.get(key).ok_or_else(|| Fault::new(format!("{place}/{key}"), Text::both(t::openapi_missing)))
}

fn object<'v>(value: &'v Value, place: &str) -> Result<&'v Map<String, Value>, Fault> {
    value.as_object().ok_or_else(|| Fault::new(place, Text::both(t::openapi_not_object)))
}

fn string<'v>(map: &'v Map<String, Value>, key: &str, place: &str) -> Result<&'v str, Fault> {
    let value = member(map, key, place)?;
    value.as_str().ok_or_else(|| Fault::new(format!("{place}/{key}"), Text::both(t::openapi_not_text)))
}

fn optional<'v>(map: &'v Map<String, Value>, key: &str, place: &str) -> Result<Option<&'v str>, Fault> {
    if map.contains_key(key) { string(map, key, place).map(Some) } else { Ok(None) }
}

/// A key as part of a JSON pointer.
fn escape(key: &str) -> String {
    clip(key).replace('~', "~0").replace('/', "~1")
}

fn broken(message: &str) -> Text {
    Text::both(|l| t::openapi_not_json(l, clip(message)))
}

/// JSON with two refusals that `serde_json` does not make by itself: names that appear twice in an object
/// (each reader would see another document), and nesting beyond [`MAX_DEPTH`].
fn parse(bytes: &[u8]) -> Result<Value, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let strict = Strict { depth: 0 };
    strict.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value)).map_err(|e| {
        let place = format!("{}:{}", e.line(), e.column());
        let message = e.to_string();
        let text = match message.split_once(TWICE) {
            Some((_, rest)) => {
                let name = rest.rsplit_once(" at line").map_or(rest, |(name, _)| name);
                Text::both(|l| t::openapi_twice(l, clip(name)))
            }
            None if message.contains(DEEP) => Text::both(|l| t::openapi_deep(l, MAX_DEPTH)),
            None => broken(&message),
        };
        Fault::new(place, text)
    })
}

const TWICE: &str = "name appears twice: ";
const DEEP: &str = "nested too deeply";

struct Strict {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let depth = deeper(self.depth)?;
        let mut out = Vec::new();
        while let Some(value) = seq.next_element_seed(Strict { depth })? {
            out.push(value);
        }
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let depth = deeper(self.depth)?;
        let mut out = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if out.contains_key(&key) {
                return Err(A::Error::custom(format_args!("{TWICE}{}", clip(&key))));
            }
            out.insert(key, map.next_value_seed(Strict { depth })?);
        }
        Ok(Value::Object(out))
    }
}

fn deeper<E: serde::de::Error>(depth: usize) -> Result<usize, E> {
    if depth >= MAX_DEPTH { Err(E::custom(DEEP)) } else { Ok(depth + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{
      "openapi": "3.1.0",
      "info": { "title": "Tra cứu dân cư", "version": "1.0" },
      "servers": [{ "url": "http://10.0.0.1/" }],
      "paths": {
        "/cong-dan/{soDinhDanh}": {
          "parameters": [],
          "get": { "summary": "Tra cứu một công dân", "servers": [{ "url": "http://10.0.0.2/" }], "responses": {} }
        },
        "/cong-dan": { "post": { "operationId": "timKiem", "responses": {} } }
      }
    }"#;

    #[track_caller]
    fn refused(text: &str, place: &str) {
        let fault = read(text.as_bytes()).expect_err("must be refused");
        assert_eq!(fault.place, place, "{}", fault.text.en);
        assert!(!fault.text.vi.is_empty());
    }

    #[test]
    fn operations_are_listed_with_their_patterns() {
        let doc = read(GOOD.as_bytes()).unwrap();
        let routes: Vec<_> = doc.operations.iter().map(|o| o.route.to_string()).collect();
        assert_eq!(routes, ["GET /cong-dan/*", "POST /cong-dan"]);
        assert_eq!(doc.operations[1].summary, "timKiem");
        assert_eq!(doc.title, "Tra cứu dân cư");
    }

    #[test]
    fn the_public_form_tells_no_addresses() {
        let public = String::from_utf8(anonymised(GOOD.as_bytes()).unwrap()).unwrap();
        assert!(!public.contains("10.0.0."), "{public}");
        assert!(public.contains("http://example.org/xroad-endpoint"));
    }

    #[test]
    fn malformed_documents_name_the_place() {
        refused("", "1:0");
        refused("{", "1:1");
        refused("openapi: 3.0.0", "1:1");
        refused("[]", "");
        refused("{}", "/openapi");
        refused(r#"{"openapi":3}"#, "/openapi");
        refused(r#"{"openapi":"2.0"}"#, "/openapi");
        refused(r#"{"openapi":"3.0.0"}"#, "/info");
        refused(r#"{"openapi":"3.0.0","info":[]}"#, "/info");
        refused(r#"{"openapi":"3.0.0","info":{"title":"x"}}"#, "/info/version");
        let doc = |paths: &str| {
            format!(r#"{{"openapi":"3.0.3","info":{{"title":"x","version":"1"}},"paths":{paths}}}"#)
        };
        refused(&doc("[]"), "/paths");
        refused(&doc("{}"), "/paths");
        refused(&doc(r#"{"a":{"get":{}}}"#), "/paths/a");
        refused(&doc(r#"{"/a/../b":{"get":{}}}"#), "/paths/~1a~1..~1b");
        refused(&doc(r#"{"/a/{x":{"get":{}}}"#), "/paths/~1a~1{x");
        refused(&doc(r#"{"/a":null}"#), "/paths/~1a");
        refused(&doc(r##"{"/a":{"$ref":"http://evil.example/x"}}"##), "/paths/~1a/$ref");
        refused(&doc(r#"{"/a":{"GET":{}}}"#), "/paths/~1a/GET");
        refused(&doc(r#"{"/a":{"get":1}}"#), "/paths/~1a/get");
        refused(&doc(r#"{"/a":{"get":{"summary":1}}}"#), "/paths/~1a/get/summary");
        refused(&doc(r#"{"/a/{x}":{"get":{}},"/a/{y}":{"get":{}}}"#), "/paths/~1a~1{y}/get");
    }

    #[test]
    fn names_that_appear_twice_are_refused() {
        let fault = read(br#"{"openapi":"3.0.0","openapi":"3.0.1"}"#).unwrap_err();
        assert!(fault.text.en.contains("openapi") && fault.place.starts_with("1:"), "{fault:?}");
    }

    #[test]
    fn bounds_hold() {
        assert!(read(&vec![b' '; MAX_BYTES + 1]).is_err());
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(read(deep.as_bytes()).is_err());
        let bomb = "[".repeat(1_000_000);
        assert!(read(bomb.as_bytes()).is_err());
        let paths: Vec<_> = (0..=MAX_OPERATIONS).map(|n| format!(r#""/p{n}":{{"get":{{}}}}"#)).collect();
        let many = format!(
            r#"{{"openapi":"3.0.3","info":{{"title":"x","version":"1"}},"paths":{{{}}}}}"#,
            paths.join(",")
        );
        assert!(read(many.as_bytes()).is_err());
    }
}
