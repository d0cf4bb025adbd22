//! What a description promises of its answers: which status codes, media types and schemas. Pure. References are followed
//! within the document only; one that leads elsewhere is named, never fetched.

use serde_json::{Map, Value, json};
use web::docs::groups;

use crate::corner::example;
use crate::openapi;

/// Operations called in one run.
pub(super) const MOST: usize = 8;

/// An operation that can be called by its own examples.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Probe {
    /// `GET /cong-dan/{so}`.
    pub name: String,
    /// Path below the service, with its query.
    pub path: String,
    /// Its responses by status code.
    pub responses: Value,
}

/// GET operations whose required parameters all have an example, in the order of the document.
pub(super) fn probes(document: &Value) -> Vec<Probe> {
    let operations = groups(document).into_iter().flat_map(|g| g.operations);
    let callable = operations.filter(|o| {
        o.method == "GET"
            && o.parameters.iter().all(|p| !p.example.is_empty() || !(p.required || p.place == "path"))
    });
    let probe = |o: web::docs::Operation| {
        let responses = document["paths"][&o.path]["get"]["responses"].clone();
        Probe { name: format!("GET {}", o.path), path: example::filled(&o).path, responses }
    };
    callable.map(probe).take(MOST).collect()
}

/// What the description says of a status; `None` when it says nothing.
pub(super) fn expected<'v>(document: &'v Value, responses: &'v Value, status: u16) -> Option<&'v Value> {
    let keys = [status.to_string(), format!("{}XX", status / 100), "default".to_owned()];
    let found = keys.iter().find_map(|key| responses.get(key))?;
    Some(follow(document, found))
}

/// The schema of a response in a media type, made self-contained.
pub(super) fn schema(document: &Value, response: &Value, media: &str) -> Option<Value> {
    let content = response["content"].as_object()?;
    let schema = content.iter().find(|(name, _)| same_media(name, media)).map(|(_, c)| &c["schema"])?;
    if schema.is_null() {
        return None;
    }
    let old = document["openapi"].as_str().is_some_and(|v| v.starts_with("3.0"));
    let mut whole = json!({ "allOf": [schema], "components": document["components"] });
    if old {
        modern(&mut whole);
    }
    Some(whole)
}

/// Whether a response says that it comes in this media type.
pub(super) fn says_media(response: &Value, media: &str) -> bool {
    response["content"].as_object().is_none_or(|c| c.keys().any(|name| same_media(name, media)))
}

fn same_media(one: &str, other: &str) -> bool {
    let bare = |m: &str| m.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    bare(one) == bare(other) || bare(one) == "*/*"
}

/// OpenAPI 3.0 writes some things otherwise than JSON Schema 2020-12: `nullable`, and bounds that are exclusive by a flag.
fn modern(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(modern),
        Value::Object(map) => {
            if map.shift_remove("nullable") == Some(Value::Bool(true)) {
                nullable(map);
            }
            for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
                if map.get(flag).is_some_and(Value::is_boolean) {
                    let exclusive = map.shift_remove(flag) == Some(Value::Bool(true));
                    if let (true, Some(limit)) = (exclusive, map.shift_remove(bound)) {
                        map.insert(flag.to_owned(), limit);
                    }
                }
            }
            map.values_mut().for_each(modern);
        }
        _ => {}
    }
}

fn nullable(map: &mut Map<String, Value>) {
    if let Some(Value::String(kind)) = map.get("type").cloned() {
        map.insert("type".to_owned(), json!([kind, "null"]));
    }
    if let Some(Value::Array(values)) = map.get_mut("enum") {
        values.push(Value::Null);
    }
}

/// References that lead out of the document.
pub(super) fn remote(value: &Value) -> Vec<String> {
    let mut out = Vec::new();
    collect(value, &mut out);
    out
}

fn collect(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|v| collect(v, out)),
        Value::Object(map) => {
            for (key, v) in map {
                match v.as_str() {
                    Some(target) if key == "$ref" && !target.starts_with('#') && out.len() < 5 => {
                        out.push(target.chars().take(100).collect());
                    }
                    _ => collect(v, out),
                }
            }
        }
        _ => {}
    }
}

/// Operations the description calls deprecated, as records name them: `GET /cong-dan/*`.
pub(super) fn deprecated(bytes: &[u8]) -> Vec<String> {
    let (Ok(read), Ok(value)) = (openapi::read(bytes), serde_json::from_slice::<Value>(bytes)) else {
        return Vec::new();
    };
    let marked = |o: &&openapi::Operation| {
        let verb = o.route.method.to_string().to_ascii_lowercase();
        value["paths"][&o.template][verb]["deprecated"] == Value::Bool(true)
    };
    read.operations.iter().filter(marked).map(|o| o.route.to_string()).collect()
}

fn follow<'v>(document: &'v Value, mut value: &'v Value) -> &'v Value {
    for _ in 0..8 {
        let Some(target) = value["$ref"].as_str().and_then(|r| r.strip_prefix('#')) else { return value };
        value = document.pointer(target).unwrap_or(&Value::Null);
    }
    &Value::Null
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({
            "openapi": "3.0.3", "info": { "title": "x", "version": "1" },
            "paths": { "/a/{so}": { "get": { "deprecated": true,
                "parameters": [{ "name": "so", "in": "path", "required": true, "example": "1" }],
                "responses": {
                    "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/A" } } } },
                    "4XX": { "$ref": "#/components/responses/No" } } } },
                "/b/{so}": { "get": { "parameters": [{ "name": "so", "in": "path", "required": true }], "responses": {} } } },
            "components": {
                "responses": { "No": { "content": { "application/problem+json": {} } } },
                "schemas": { "A": { "type": "object", "required": ["n"], "properties": {
                    "n": { "type": "integer", "nullable": true, "minimum": 0, "exclusiveMinimum": true } } } } }
        })
    }

    #[test]
    fn what_can_be_called_and_what_is_promised() {
        let document = document();
        let probes = probes(&document);
        assert_eq!(probes.len(), 1, "the other has no example");
        assert_eq!((probes[0].name.as_str(), probes[0].path.as_str()), ("GET /a/{so}", "/a/1"));
        let no = expected(&document, &probes[0].responses, 404).unwrap();
        assert!(says_media(no, "application/problem+json; charset=utf-8") && !says_media(no, "text/html"));
        assert!(expected(&document, &probes[0].responses, 500).is_none());
        assert_eq!(deprecated(document.to_string().as_bytes()), ["GET /a/*"]);
    }

    #[test]
    fn schemas_of_the_older_version_mean_the_same() {
        let document = document();
        let probe = &probes(&document)[0];
        let ok = expected(&document, &probe.responses, 200).unwrap();
        let schema = schema(&document, ok, "application/json").unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for (good, body) in [
            (true, json!({ "n": 1 })),
            (true, json!({ "n": null })),
            (false, json!({ "n": 0 })),
            (false, json!({})),
        ] {
            assert_eq!(validator.is_valid(&body), good, "{body}");
        }
    }

    #[test]
    fn references_that_lead_elsewhere_are_named() {
        assert!(remote(&document()).is_empty());
        let evil = json!({ "a": [{ "$ref": "http://169.254.169.254/x" }, { "$ref": "other.json#/a" }] });
        assert_eq!(remote(&evil).len(), 2);
    }
}
