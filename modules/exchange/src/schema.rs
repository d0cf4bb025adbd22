//! The fields a service gives, read from its OpenAPI document: the properties of its JSON answers as a tree of paths with
//! their descriptions, for people who choose some, and an invented answer for those who try out. References are
//! followed within the document only; what is too deep or too much is left out.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::endpoint::Route;
use crate::openapi;

/// Most fields told.
const MAX_FIELDS: usize = 400;
/// Deepest field told.
const MAX_DEPTH: usize = 8;

/// A field of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaField {
    /// Its path, as agreements name it.
    pub path: String,
    /// What the document says it is.
    pub description: String,
    /// How deep it stands, from zero.
    pub depth: usize,
    /// Whether the document marks it as personal (`x-personal-data: true`), itself or one it stands in.
    pub personal: bool,
}

/// The fields of all successful JSON answers, parents before children, each path once.
pub fn fields(document: &[u8]) -> Vec<SchemaField> {
    let Some(root) = root(document) else { return Vec::new() };
    let mut found = Collected { root: &root, list: Vec::new(), seen: BTreeSet::new() };
    for (_, _, operation) in operations(&root) {
        if let Some(media) = answer(&root, operation) {
            found.walk(media.get("schema").unwrap_or(&Value::Null), "", 0, false, 0);
        }
    }
    found.list
}

/// An invented answer for a call: the document's own example, or one made from its schema.
pub fn example(document: &[u8], method: &str, path: &str) -> Option<Value> {
    let root = root(document)?;
    let fits = |template: &str, verb: &str| {
        let pattern = openapi::pattern_of(template).ok()?;
        let route = Route { method: verb.to_ascii_uppercase().parse().ok()?, path: pattern };
        route.covers(method, path).then_some(template.contains('{'))
    };
    let mut candidates: Vec<_> =
        operations(&root).filter_map(|(template, verb, op)| Some((fits(template, verb)?, op))).collect();
    // A path that is written out stands before one with parameters.
    candidates.sort_by_key(|(with_parameters, _)| *with_parameters);
    let media = answer(&root, candidates.first()?.1)?;
    if let Some(given) = media.get("example") {
        return Some(given.clone());
    }
    let named = media.get("examples").and_then(Value::as_object);
    if let Some(given) = named.and_then(|e| e.values().find_map(|e| e.get("value"))) {
        return Some(given.clone());
    }
    Some(invented(&root, media.get("schema")?, "", 0))
}

fn root(document: &[u8]) -> Option<Value> {
    openapi::read(document).ok()?;
    serde_json::from_slice(document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document)).ok()
}

fn operations(root: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = root.get("paths").and_then(Value::as_object);
    paths.into_iter().flatten().flat_map(|(template, item)| {
        let verbs = item.as_object().into_iter().flatten();
        let known = |verb: &str| ["get", "post", "put", "patch", "delete"].contains(&verb);
        verbs.filter(move |(verb, _)| known(verb)).map(|(verb, op)| (template.as_str(), verb.as_str(), op))
    })
}

/// The JSON media type of the first successful answer.
fn answer<'r>(root: &'r Value, operation: &'r Value) -> Option<&'r Value> {
    let answers = operation.get("responses")?.as_object()?;
    let (_, answer) = answers.iter().find(|(status, _)| status.starts_with('2'))?;
    let content = resolve(root, answer)?.get("content")?.as_object()?;
    content
        .iter()
        .find(|(kind, _)| fieldfilter::Kind::of(kind) == Ok(fieldfilter::Kind::Json))
        .map(|(_, m)| m)
}

fn resolve<'r>(root: &'r Value, value: &'r Value) -> Option<&'r Value> {
    let mut at = value;
    for _ in 0..MAX_DEPTH {
        let Some(reference) = at.get("$ref").and_then(Value::as_str) else { return Some(at) };
        at = root.pointer(reference.strip_prefix('#')?)?;
    }
    None
}

/// The properties of an object schema, those of `allOf`, `oneOf` and `anyOf` among them.
fn properties<'r>(root: &'r Value, schema: &'r Value, depth: usize, out: &mut Vec<(&'r str, &'r Value)>) {
    if depth > MAX_DEPTH {
        return;
    }
    if let Some(own) = schema.get("properties").and_then(Value::as_object) {
        out.extend(own.iter().map(|(name, s)| (name.as_str(), s)));
    }
    for word in ["allOf", "oneOf", "anyOf"] {
        for part in schema.get(word).and_then(Value::as_array).into_iter().flatten() {
            if let Some(part) = resolve(root, part) {
                properties(root, part, depth + 1, out);
            }
        }
    }
}

struct Collected<'r> {
    root: &'r Value,
    list: Vec<SchemaField>,
    seen: BTreeSet<String>,
}

impl<'r> Collected<'r> {
    fn walk(&mut self, schema: &'r Value, path: &str, depth: usize, personal: bool, nested: usize) {
        if nested > MAX_DEPTH {
            return;
        }
        let Some(schema) = resolve(self.root, schema) else { return };
        if let Some(items) = schema.get("items") {
            return self.walk(items, &format!("{path}[]"), depth, personal, nested + 1);
        }
        let mut members = Vec::new();
        properties(self.root, schema, 0, &mut members);
        for (name, given) in members {
            let Some(member) = resolve(self.root, given) else { continue };
            let name = escaped(name);
            let path = if path.is_empty() { name } else { format!("{path}.{name}") };
            let marked = |s: &Value| s.get("x-personal-data") == Some(&Value::Bool(true));
            let personal = personal || marked(given) || marked(member);
            let description = given.get("description").or_else(|| member.get("description"));
            if self.list.len() < MAX_FIELDS && self.seen.insert(path.clone()) {
                let description = description.and_then(Value::as_str).unwrap_or_default();
                let description = description.chars().filter(|c| !c.is_control()).take(300).collect();
                self.list.push(SchemaField { path: path.clone(), description, depth, personal });
            }
            self.walk(member, &path, depth + 1, personal, nested + 1);
        }
    }
}

/// A name as a step of a path.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if ".[]{}@*\\".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A value that fits the schema; names of people and their numbers are such as nobody has.
fn invented(root: &Value, schema: &Value, name: &str, depth: usize) -> Value {
    let Some(schema) = resolve(root, schema).filter(|_| depth <= MAX_DEPTH) else { return Value::Null };
    let first = |word: &str| schema.get(word).and_then(Value::as_array).and_then(|a| a.first()).cloned();
    let given =
        schema.get("const").or_else(|| schema.get("example")).or_else(|| schema.get("default")).cloned();
    if let Some(given) = given.or_else(|| first("examples")).or_else(|| first("enum")) {
        return given;
    }
    if let Some(items) = schema.get("items") {
        return json!([invented(root, items, name, depth + 1)]);
    }
    let mut members = Vec::new();
    properties(root, schema, 0, &mut members);
    if !members.is_empty() {
        let made = members.iter().map(|(n, s)| ((*n).to_owned(), invented(root, s, n, depth + 1)));
        return Value::Object(made.collect::<Map<_, _>>());
    }
    let kind = schema.get("type").map(|t| t.as_array().and_then(|a| a.first()).unwrap_or(t));
    match kind.and_then(Value::as_str) {
        Some("boolean") => Value::Bool(true),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("array") => json!([]),
        Some("object") => json!({}),
        Some("string") | None => Value::String(text(schema, name)),
        Some(_) => Value::Null,
    }
}

fn text(schema: &Value, name: &str) -> String {
    match schema.get("format").and_then(Value::as_str) {
        Some("date") => return "1990-01-01".to_owned(),
        Some("date-time") => return "1990-01-01T00:00:00+07:00".to_owned(),
        Some("email") => return "nguoi.gia.dinh@example.vn".to_owned(),
        Some("uuid") => return "00000000-0000-4000-8000-000000000000".to_owned(),
        Some("uri") => return "https://example.vn/".to_owned(),
        _ => {}
    }
    let folded = base::text::fold(name).replace(['_', '-'], "");
    match folded.as_str() {
        "hoten" | "hovaten" | "tennguoi" | "fullname" => "Nguyễn Văn Giả Định".to_owned(),
        n if n.contains("dinhdanh") || n.contains("cccd") => "999190000001".to_owned(),
        n if n.contains("dienthoai") || n.contains("phone") => "0000000000".to_owned(),
        _ => "Giả định".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r##"{
      "openapi": "3.1.0", "info": { "title": "x", "version": "1" },
      "paths": {
        "/nguoi/{so}": { "get": { "responses": { "404": {}, "200": { "content": {
            "application/json": { "schema": { "$ref": "#/components/schemas/Nguoi" } } } } } } },
        "/nguoi/mau": { "get": { "responses": { "200": { "content": {
            "application/json": { "example": { "ten": "Mẫu" } } } } } } },
        "/ds": { "post": { "responses": { "201": { "content": { "application/json": { "schema": {
            "type": "array", "items": { "$ref": "#/components/schemas/Nguoi" } } } } } } } }
      },
      "components": { "schemas": {
        "Nguoi": { "type": "object", "properties": {
          "ho_ten": { "type": "string", "description": "Họ tên", "x-personal-data": true },
          "gia_lap": { "const": true },
          "a.b": { "type": "integer" },
          "cha": { "$ref": "#/components/schemas/Nguoi" },
          "noi": { "allOf": [{ "type": "object", "properties": { "tinh": { "type": "string", "format": "date" } } }] }
        } }
      } }
    }"##;

    #[test]
    fn the_fields_are_told_as_paths_with_their_descriptions() {
        let all = fields(DOCUMENT.as_bytes());
        let at = |path: &str| all.iter().find(|f| f.path == path);
        assert_eq!(
            at("ho_ten").map(|f| (f.description.as_str(), f.personal, f.depth)),
            Some(("Họ tên", true, 0))
        );
        assert_eq!(at("noi.tinh").map(|f| (f.personal, f.depth)), Some((false, 1)));
        assert!(at(r"a\.b").is_some() && at("[].ho_ten").is_some() && at("cha.cha.ho_ten").is_some());
        assert!(
            all.len() <= MAX_FIELDS && all.iter().all(|f| f.path.parse::<fieldfilter::FieldPath>().is_ok())
        );
        assert!(fields(b"{}").is_empty());
    }

    #[test]
    fn an_example_is_the_documents_own_or_made_of_its_schema() {
        let document = DOCUMENT.as_bytes();
        assert_eq!(example(document, "GET", "/nguoi/mau"), Some(json!({ "ten": "Mẫu" })));
        let made = example(document, "GET", "/nguoi/079").unwrap();
        assert_eq!(
            (&made["ho_ten"], &made["gia_lap"], &made["noi"]["tinh"]),
            (&json!("Nguyễn Văn Giả Định"), &json!(true), &json!("1990-01-01"))
        );
        assert!(example(document, "POST", "/ds").unwrap().is_array());
        assert_eq!(example(document, "GET", "/khac"), None);
    }
}
