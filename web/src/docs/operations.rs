//! Reads an OpenAPI document into what a page shows of it. Pure; an odd document gives a poorer page, never a fault.

use serde_json::{Map, Value, json};

/// Deeper samples help nobody, and schemas may refer to themselves.
const MOST_DEPTH: u8 = 6;

/// Operations under one tag.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The tag; empty for operations without one.
    pub name: String,
    /// In the order of the document.
    pub operations: Vec<Operation>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Unique on the page: `op-0`, `op-1`, …
    pub id: String,
    /// In capitals.
    pub method: String,
    /// As the document writes it, with `{parameters}`.
    pub path: String,
    /// Its summary; may be empty.
    pub summary: String,
    /// Its description; may be empty.
    pub description: String,
    /// Those of the path item first.
    pub parameters: Vec<Parameter>,
    /// The first media type of its body with a sample that fits the schema.
    pub body: Option<(String, String)>,
    /// Status codes with their descriptions.
    pub answers: Vec<(String, String)>,
}

/// One parameter of an operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `path`, `query`, `header` or `cookie`.
    pub place: String,
    /// The type its schema gives.
    pub kind: String,
    /// Whether a call must carry it.
    pub required: bool,
    /// Its description; may be empty.
    pub description: String,
    /// A value to begin from; may be empty.
    pub example: String,
}

/// The operations by tag, in the order of the document.
pub fn groups(document: &Value) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (path, item) in map(&document["paths"]) {
        for (method, operation) in map(item) {
            if !matches!(method.as_str(), "get" | "post" | "put" | "patch" | "delete") {
                continue;
            }
            let name = text(&operation["tags"][0]);
            let operation = read(
                document,
                path,
                method,
                operation,
                &item["parameters"],
                groups.iter().map(|g| g.operations.len()).sum(),
            );
            match groups.iter_mut().find(|g| g.name == name) {
                Some(group) => group.operations.push(operation),
                None => groups.push(Group { name, operations: vec![operation] }),
            }
        }
    }
    groups
}

fn read(
    document: &Value,
    path: &str,
    method: &str,
    operation: &Value,
    shared: &Value,
    number: usize,
) -> Operation {
    let listed = [shared, &operation["parameters"]].into_iter().filter_map(Value::as_array).flatten();
    Operation {
        id: format!("op-{number}"),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        description: text(&operation["description"]),
        parameters: listed.map(|p| parameter(document, p)).collect(),
        body: body(document, &operation["requestBody"]),
        answers: map(&operation["responses"])
            .map(|(code, a)| (code.clone(), text(&a["description"])))
            .collect(),
    }
}

fn parameter(document: &Value, p: &Value) -> Parameter {
    let p = followed(document, p);
    let schema = followed(document, &p["schema"]);
    let example = [&p["example"], &schema["example"], &schema["default"]].into_iter().find(|v| !v.is_null());
    Parameter {
        name: text(&p["name"]),
        place: text(&p["in"]),
        kind: kind(schema),
        required: p["required"].as_bool().unwrap_or(false),
        description: text(&p["description"]),
        example: example.map_or_else(String::new, plain),
    }
}

fn body(document: &Value, request: &Value) -> Option<(String, String)> {
    let (mime, content) = map(&followed(document, request)["content"]).next()?;
    let sample = match &content["example"] {
        Value::Null => sample(document, &content["schema"], 0),
        given => given.clone(),
    };
    let shown = match &sample {
        Value::String(s) => s.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    Some((mime.clone(), shown))
}

/// A document that fits the schema, to begin from.
fn sample(document: &Value, schema: &Value, depth: u8) -> Value {
    let schema = followed(document, schema);
    for given in ["example", "default", "const"] {
        if !schema[given].is_null() {
            return schema[given].clone();
        }
    }
    if let Some(first) = schema["enum"].as_array().and_then(|e| e.first()) {
        return first.clone();
    }
    if depth >= MOST_DEPTH {
        return Value::Null;
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let merged = parts.iter().map(|p| sample(document, p, depth + 1));
        return merged.fold(json!({}), joined);
    }
    for choice in ["oneOf", "anyOf"] {
        let choices = schema[choice].as_array().into_iter().flatten();
        if let Some(first) = choices.into_iter().find(|c| c["type"] != "null") {
            return sample(document, first, depth + 1);
        }
    }
    match kind(schema).as_str() {
        "array" => json!([sample(document, &schema["items"], depth + 1)]),
        "integer" | "number" => json!(0),
        "boolean" => json!(false),
        "string" => json!(by_format(&text(&schema["format"]))),
        _ => {
            let fields = map(&schema["properties"]).map(|(n, s)| (n.clone(), sample(document, s, depth + 1)));
            Value::Object(fields.collect())
        }
    }
}

fn joined(mut all: Value, part: Value) -> Value {
    if let (Value::Object(all), Value::Object(part)) = (&mut all, part) {
        all.extend(part);
    }
    all
}

fn by_format(format: &str) -> &'static str {
    match format {
        "date" => "2026-01-31",
        "date-time" => "2026-01-31T08:00:00Z",
        "uuid" => "00000000-0000-7000-8000-000000000000",
        "uri" => "https://example.vn",
        _ => "",
    }
}

/// The first type that is not null.
fn kind(schema: &Value) -> String {
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|k| *k != "null").map_or_else(String::new, text),
        other => text(other),
    }
}

/// What a reference within the document means; a chain of them is cut.
fn followed<'v>(document: &'v Value, value: &'v Value) -> &'v Value {
    let mut value = value;
    for _ in 0..8 {
        let Some(target) = value["$ref"].as_str().and_then(|r| r.strip_prefix('#')) else { return value };
        value = document.pointer(target).unwrap_or(&Value::Null);
    }
    &Value::Null
}

fn map(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_read_with_its_sample() {
        let document = json!({
            "paths": { "/api/exchange/v1/members/{id}": {
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" } }],
                "put": {
                    "tags": ["exchange"], "summary": "Replace",
                    "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Member" } } } },
                    "responses": { "200": { "description": "Done" } }
                }
            } },
            "components": { "schemas": { "Member": { "type": "object", "properties": {
                "name": { "type": ["string", "null"] }, "since": { "type": "string", "format": "date" },
                "parent": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Member" }] },
                "tags": { "type": "array", "items": { "enum": ["a", "b"] } }, "n": { "type": "integer" }
            } } } }
        });
        let groups = groups(&document);
        let operation = &groups[0].operations[0];
        assert_eq!((groups[0].name.as_str(), operation.method.as_str()), ("exchange", "PUT"));
        assert_eq!(
            (operation.parameters[0].kind.as_str(), operation.parameters[0].required),
            ("string", true)
        );
        let (mime, body) = operation.body.clone().unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            (mime.as_str(), &body["since"], &body["tags"], &body["name"]),
            ("application/json", &json!("2026-01-31"), &json!(["a"]), &json!(""))
        );
        assert!(body["parent"]["parent"].is_object(), "a schema that refers to itself ends somewhere");
    }

    #[test]
    fn odd_documents_give_a_poorer_page() {
        for document in
            [json!(null), json!({}), json!({"paths": []}), json!({"paths": {"/a": {"get": null, "x": 1}}})]
        {
            let _shown = groups(&document);
        }
        let circle =
            json!({"paths": {"/a": {"post": {"requestBody": {"$ref": "#/paths/~1a/post/requestBody"}}}}});
        assert_eq!(groups(&circle)[0].operations[0].body, None);
    }
}
