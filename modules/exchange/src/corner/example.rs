//! A call to begin from: the first operation an agreement opens, filled with the examples of the service's description.
//! Pure; without a description the agreed path pattern serves.

use serde_json::Value;
use web::docs::{Operation, groups};

use crate::endpoint::Route;

/// A call with its values filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The verb.
    pub method: String,
    /// Path below the service, with its query.
    pub path: String,
    /// JSON to send.
    pub body: Option<String>,
}

/// The simplest call among those `allowed`; nothing when nothing is.
pub fn of(document: Option<&Value>, allowed: &[&Route]) -> Option<Example> {
    let operations = document.map(groups).unwrap_or_default().into_iter().flat_map(|g| g.operations);
    let open = operations.filter(|o| allowed.iter().any(|r| r.covers(&o.method, bare(&o.path).as_str())));
    let simplest = open.min_by_key(|o| (o.method != "GET", required(o), o.path.len()));
    simplest.as_ref().map(filled).or_else(|| allowed.first().map(|r| by_route(r)))
}

/// An operation with the examples of its parameters.
pub fn filled(o: &Operation) -> Example {
    let mut path = o.path.clone();
    let mut query = Vec::new();
    for p in &o.parameters {
        let value = if p.example.is_empty() { p.name.as_str() } else { p.example.as_str() };
        match p.place.as_str() {
            "path" => path = path.replace(&format!("{{{}}}", p.name), &web::encoded(value).to_string()),
            "query" if p.required => query.push(format!("{}={}", web::encoded(&p.name), web::encoded(value))),
            _ => {}
        }
    }
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    Example { method: o.method.clone(), path, body: o.body.as_ref().map(|(_, sample)| sample.clone()) }
}

fn required(o: &Operation) -> usize {
    o.parameters.iter().filter(|p| p.required && p.example.is_empty()).count()
}

/// A template as a path that an agreed pattern can be compared with.
fn bare(template: &str) -> String {
    template.replace(['{', '}'], "")
}

fn by_route(r: &Route) -> Example {
    let method = r.method.to_string();
    let method = if method.chars().all(|c| c.is_ascii_uppercase()) { method } else { "GET".to_owned() };
    Example { method, path: r.path.as_str().replace("**", "1").replace('*', "1"), body: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        json!({ "paths": {
            "/tim-kiem": { "post": { "requestBody": { "content": { "application/json": { "example": { "ten": "A" } } } } } },
            "/cong-dan/{so}": { "get": { "parameters": [
                { "name": "so", "in": "path", "required": true, "example": "038 1" },
                { "name": "ngay", "in": "query", "required": true, "schema": { "example": "2026-01-01" } }
            ] } }
        } })
    }

    #[test]
    fn the_simplest_permitted_operation_is_filled_with_examples() {
        let all: Route = "GET /cong-dan/*".parse().unwrap();
        let found = of(Some(&document()), &[&all]).unwrap();
        assert_eq!(
            (found.method.as_str(), found.path.as_str()),
            ("GET", "/cong-dan/038%201?ngay=2026-01-01")
        );
        let post: Route = "POST /tim-kiem".parse().unwrap();
        let found = of(Some(&document()), &[&post]).unwrap();
        assert!(found.body.unwrap().contains("\"ten\""));
        assert_eq!(of(None, &[&all]).unwrap().path, "/cong-dan/1");
        assert_eq!(of(Some(&document()), &[]), None);
    }
}
