//! Two descriptions of a service compared by operation and field: what is new, what is gone, what breaks a consumer that
//! was written for the older one. Pure; bounded; references are followed within each document.

use std::collections::{BTreeMap, BTreeSet};

use base::i18n::Lang;
use serde_json::Value;

use crate::openapi;
use crate::t;

/// Changes that are listed.
pub const MOST: usize = 500;
/// Deepest nesting of fields that is compared.
const DEEP: u8 = 8;
/// Fields of one body that are compared.
const FIELDS: usize = 1_000;

/// What kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// An operation is gone.
    OperationGone,
    /// A parameter must now be sent.
    ParameterNeeded,
    /// A parameter is gone.
    ParameterGone,
    /// A field of a body must now be sent.
    FieldNeeded,
    /// A field of an answer is gone, or may now be absent.
    AnswerFieldGone,
    /// Something has another type.
    TypeChanged,
    /// An answer is no longer described.
    AnswerGone,
    /// An operation is called deprecated now.
    Deprecated,
    /// An operation is new.
    OperationNew,
    /// A parameter may be sent.
    ParameterNew,
    /// A field of a body may be sent, or no longer needs to be.
    FieldFree,
    /// A field of an answer is new.
    AnswerFieldNew,
    /// An answer is described.
    AnswerNew,
}

impl What {
    /// Whether consumers written for the older description may stop working.
    pub const fn breaks(self) -> bool {
        matches!(
            self,
            Self::OperationGone
                | Self::ParameterNeeded
                | Self::ParameterGone
                | Self::FieldNeeded
                | Self::AnswerFieldGone
                | Self::TypeChanged
                | Self::AnswerGone
        )
    }

    /// In words.
    pub fn label(self, l: Lang) -> &'static str {
        match self {
            Self::OperationGone => t::change_operation_gone(l),
            Self::ParameterNeeded => t::change_parameter_needed(l),
            Self::ParameterGone => t::change_parameter_gone(l),
            Self::FieldNeeded => t::change_field_needed(l),
            Self::AnswerFieldGone => t::change_answer_field_gone(l),
            Self::TypeChanged => t::change_type(l),
            Self::AnswerGone => t::change_answer_gone(l),
            Self::Deprecated => t::change_deprecated(l),
            Self::OperationNew => t::change_operation_new(l),
            Self::ParameterNew => t::change_parameter_new(l),
            Self::FieldFree => t::change_field_free(l),
            Self::AnswerFieldNew => t::change_answer_field_new(l),
            Self::AnswerNew => t::change_answer_new(l),
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What kind; breaking ones come first.
    pub what: What,
    /// `GET /cong-dan/*`.
    pub operation: String,
    /// Parameter, field or status; empty for the operation itself.
    pub place: String,
    /// What it was and is, for types.
    pub detail: String,
}

/// A value that is sent or answered.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    kind: String,
    required: bool,
}

type Fields = BTreeMap<String, Field>;

#[derive(Debug, Default)]
struct Operation {
    deprecated: bool,
    parameters: Fields,
    body: Fields,
    answers: BTreeMap<String, Fields>,
}

/// What changes from one document to another, breaking changes first; at most [`MOST`].
///
/// # Errors
/// When the newer document cannot be accepted, the fault with its place. Without an older one everything is new.
pub fn compare(old: Option<&[u8]>, new: &[u8]) -> Result<Vec<Change>, openapi::Fault> {
    let old = old.and_then(|bytes| operations(bytes).ok()).unwrap_or_default();
    let new = operations(new)?;
    let mut out = Vec::new();
    for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let mut say = |what, place: &str, detail: &str| {
            let (operation, place, detail) = (name.clone(), place.to_owned(), detail.to_owned());
            out.push(Change { what, operation, place, detail });
        };
        match (old.get(name), new.get(name)) {
            (Some(_), None) => say(What::OperationGone, "", ""),
            (None, Some(_)) => say(What::OperationNew, "", ""),
            (Some(a), Some(b)) => between(a, b, &mut say),
            (None, None) => {}
        }
    }
    out.sort();
    out.truncate(MOST);
    Ok(out)
}

type Say<'s> = dyn FnMut(What, &str, &str) + 's;

fn between(a: &Operation, b: &Operation, say: &mut Say<'_>) {
    if b.deprecated && !a.deprecated {
        say(What::Deprecated, "", "");
    }
    sent(
        &a.parameters,
        &b.parameters,
        (What::ParameterNeeded, What::ParameterNew, Some(What::ParameterGone)),
        say,
    );
    sent(&a.body, &b.body, (What::FieldNeeded, What::FieldFree, None), say);
    for status in a.answers.keys().chain(b.answers.keys()).collect::<BTreeSet<_>>() {
        match (a.answers.get(status), b.answers.get(status)) {
            (Some(_), None) => say(What::AnswerGone, status, ""),
            (None, Some(_)) => say(What::AnswerNew, status, ""),
            (Some(a), Some(b)) => answered(status, a, b, say),
            (None, None) => {}
        }
    }
}

/// What consumers send: more demands break them.
fn sent(a: &Fields, b: &Fields, (needed, free, gone): (What, What, Option<What>), say: &mut Say<'_>) {
    for (name, now) in b {
        match a.get(name) {
            None => say(if now.required { needed } else { free }, name, &now.kind),
            Some(before) if before.kind != now.kind => {
                say(What::TypeChanged, name, &format!("{} → {}", before.kind, now.kind));
            }
            Some(before) if now.required && !before.required => say(needed, name, &now.kind),
            Some(before) if before.required && !now.required => say(free, name, &now.kind),
            Some(_) => {}
        }
    }
    if let Some(gone) = gone {
        a.keys().filter(|name| !b.contains_key(*name)).for_each(|name| say(gone, name, ""));
    }
}

/// What consumers read: less of it breaks them.
fn answered(status: &str, a: &Fields, b: &Fields, say: &mut Say<'_>) {
    for (name, before) in a {
        let place = format!("{status} {name}");
        match b.get(name) {
            None => say(What::AnswerFieldGone, &place, ""),
            Some(now) if before.kind != now.kind => {
                say(What::TypeChanged, &place, &format!("{} → {}", before.kind, now.kind));
            }
            Some(now) if before.required && !now.required => say(What::AnswerFieldGone, &place, &now.kind),
            Some(_) => {}
        }
    }
    for (name, now) in b.iter().filter(|(name, _)| !a.contains_key(*name)) {
        say(What::AnswerFieldNew, &format!("{status} {name}"), &now.kind);
    }
}

fn operations(bytes: &[u8]) -> Result<BTreeMap<String, Operation>, openapi::Fault> {
    let read = openapi::read(bytes)?;
    let document: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let one = |o: &openapi::Operation| {
        let item = &document["paths"][&o.template];
        let verb = o.route.method.to_string().to_ascii_lowercase();
        (o.route.to_string(), operation(&document, item, &item[verb]))
    };
    Ok(read.operations.iter().map(one).collect())
}

fn operation(document: &Value, item: &Value, operation: &Value) -> Operation {
    let mut out =
        Operation { deprecated: operation["deprecated"] == Value::Bool(true), ..Operation::default() };
    let parameters =
        [&item["parameters"], &operation["parameters"]].into_iter().filter_map(Value::as_array).flatten();
    for p in parameters.take(FIELDS).map(|p| follow(document, p)) {
        let word = |key: &str| p[key].as_str().unwrap_or_default();
        // Names of path parameters are the provider's own; their place in the path is what counts.
        if word("in") != "path" {
            let field = Field { kind: kind(follow(document, &p["schema"])), required: p["required"] == true };
            out.parameters.insert(format!("{} ({})", word("name"), word("in")), field);
        }
    }
    let body = follow(document, &operation["requestBody"]);
    fields(document, content(body), "", body["required"] == true, DEEP, &mut out.body);
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        let mut found = Fields::new();
        fields(document, content(follow(document, answer)), "", true, DEEP, &mut found);
        out.answers.insert(status.clone(), found);
    }
    out
}

/// The schema of the first media type.
fn content(of: &Value) -> &Value {
    of["content"].as_object().and_then(|c| c.values().next()).map_or(&Value::Null, |c| &c["schema"])
}

/// Every field below a schema by its path.
fn fields(document: &Value, schema: &Value, at: &str, required: bool, depth: u8, out: &mut Fields) {
    let schema = follow(document, schema);
    if schema.is_null() || depth == 0 || out.len() >= FIELDS {
        return;
    }
    for part in ["allOf", "oneOf", "anyOf"] {
        let sure = required && part == "allOf";
        for one in schema[part].as_array().into_iter().flatten() {
            fields(document, one, at, sure, depth - 1, out);
        }
    }
    if !at.is_empty() {
        out.entry(at.to_owned()).or_insert(Field { kind: kind(schema), required });
    }
    let needed: BTreeSet<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, one) in schema["properties"].as_object().into_iter().flatten() {
        let sure = required && needed.contains(name.as_str());
        fields(document, one, &format!("{at}/{name}"), sure, depth - 1, out);
    }
    fields(document, &schema["items"], &format!("{at}[]"), required, depth - 1, out);
}

fn kind(schema: &Value) -> String {
    let mut kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        Value::String(kind) => vec![kind],
        _ if schema["properties"].is_object() => vec!["object"],
        _ => vec![],
    };
    if schema["nullable"] == Value::Bool(true) {
        kinds.push("null");
    }
    kinds.sort_unstable();
    kinds.join("|")
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
    use serde_json::json;

    fn document(paths: Value) -> Vec<u8> {
        json!({ "openapi": "3.1.0", "info": { "title": "x", "version": "1" }, "paths": paths })
            .to_string()
            .into_bytes()
    }

    fn answer(schema: Value) -> Value {
        json!({ "/a/{so}": { "get": { "responses": { "200": { "content": { "application/json": { "schema": schema } } } } } } })
    }

    fn changes(old: Value, new: Value) -> Vec<(What, String)> {
        let found = compare(Some(&document(old)), &document(new)).unwrap();
        found.into_iter().map(|c| (c.what, c.place)).collect()
    }

    #[test]
    fn what_consumers_read_may_grow_and_not_shrink() {
        let old = answer(
            json!({ "required": ["ten"], "properties": { "ten": { "type": "string" }, "tuoi": { "type": "integer" } } }),
        );
        let more = answer(
            json!({ "required": ["ten"], "properties": { "ten": { "type": "string" }, "tuoi": { "type": "integer" }, "que": {} } }),
        );
        assert_eq!(changes(old.clone(), more), [(What::AnswerFieldNew, "200 /que".to_owned())]);
        let less =
            answer(json!({ "properties": { "ten": { "type": "string" }, "tuoi": { "type": "string" } } }));
        assert_eq!(
            changes(old.clone(), less),
            [(What::AnswerFieldGone, "200 /ten".to_owned()), (What::TypeChanged, "200 /tuoi".to_owned())]
        );
        assert!(changes(old.clone(), old).is_empty(), "the same is the same");
    }

    #[test]
    fn what_consumers_send_may_become_less_and_not_more() {
        let with = |parameters: Value, body: Value| {
            json!({ "/a": { "post": { "parameters": parameters, "responses": {},
                "requestBody": { "required": true, "content": { "application/json": { "schema": body } } } } } })
        };
        let p = |required: bool| json!([{ "name": "q", "in": "query", "required": required, "schema": { "type": "string" } }]);
        let needs = json!({ "required": ["so"], "properties": { "so": { "type": "string" } } });
        let free = json!({ "properties": { "so": { "type": "string" } } });
        let found = changes(with(p(false), free.clone()), with(p(true), needs.clone()));
        assert_eq!(
            found,
            [(What::ParameterNeeded, "q (query)".to_owned()), (What::FieldNeeded, "/so".to_owned())]
        );
        let back = changes(with(p(true), needs), with(json!([]), free));
        assert_eq!(
            back,
            [(What::ParameterGone, "q (query)".to_owned()), (What::FieldFree, "/so".to_owned())]
        );
    }

    #[test]
    fn operations_come_and_go_and_renaming_a_path_parameter_is_nothing() {
        let (a, b) = (json!({ "/a/{x}": { "get": {} } }), json!({ "/a/{y}": { "get": {} } }));
        assert!(changes(a.clone(), b).is_empty());
        let found = changes(a.clone(), json!({ "/b": { "get": {} } }));
        assert_eq!(found.iter().map(|(w, _)| w.breaks()).collect::<Vec<_>>(), [true, false]);
        let old = changes(a, json!({ "/a/{x}": { "get": { "deprecated": true } } }));
        assert_eq!(old, [(What::Deprecated, String::new())]);
        assert_eq!(compare(None, &document(json!({ "/a": { "get": {} } }))).unwrap().len(), 1);
        assert!(compare(None, b"{}").is_err());
    }

    #[test]
    fn schemas_that_refer_to_themselves_end() {
        let circle = json!({ "openapi": "3.1.0", "info": { "title": "x", "version": "1" },
            "components": { "schemas": { "N": { "properties": { "con": { "type": "array", "items": { "$ref": "#/components/schemas/N" } } } } } },
            "paths": { "/a": { "get": { "responses": { "200": { "content": { "application/json": { "schema":
                { "$ref": "#/components/schemas/N" } } } } } } } } });
        let bytes = circle.to_string().into_bytes();
        assert!(compare(Some(&bytes), &bytes).unwrap().is_empty());
    }
}
