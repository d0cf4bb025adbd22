//! Whether a service answers as its description says: its GET operations are called with the examples of the document,
//! at the address of the registry and nowhere else, and what comes back is compared.

use std::time::Duration;

use http::HeaderMap;
use kernel::{Error, Kernel, Result};
use serde_json::Value;

use super::described::{self, Probe};
use super::{Check, Outcome};
use crate::Exchange;
use crate::corner::reach::Own;
use crate::gateway::{Gateway, Told};
use crate::openapi;
use crate::snapshot::ServiceEntry;

/// Bytes of an answer that are read.
const READ: usize = 1 << 20;
/// The longest one call may take.
const WAIT: Duration = Duration::from_secs(10);
/// A header no careful server chokes on: it takes it or says 431.
const LARGE: usize = 16 * 1024;
/// A path no service has.
const NOWHERE: &str = "/khong-co-duong-dan-nay-lt-conformance";

pub(super) async fn checks(
    exchange: &Exchange,
    k: &Kernel,
    own: &Own,
    service: &ServiceEntry,
) -> Result<Vec<Check>> {
    let plane = exchange.plane().ok_or(Error::Unavailable { what: "gateway", source: None })?;
    let bytes = match &service.openapi {
        Some(sha256) => crate::store::document(k, sha256).await?,
        None => None,
    };
    let Some(bytes) = bytes else { return Ok(vec![Check::new("document", Outcome::Failed, "")]) };
    let read = match openapi::read(&bytes) {
        Ok(read) => read,
        Err(fault) => return Ok(vec![Check::new("document", Outcome::Failed, fault.sentence().vi)]),
    };
    let document: Value = serde_json::from_slice(&bytes)?;
    let mut checks = vec![Check::new("document", Outcome::Passed, format!("OpenAPI {}", read.version))];
    let remote = described::remote(&document);
    checks.push(Check::judged("references", remote.is_empty(), Outcome::Failed, remote.join(", ")));
    checks.push(operations(service, &read));
    let caller = Caller { gateway: &plane.gateway, own, service };
    let probes = described::probes(&document);
    let seen = probes.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
    checks.push(Check::judged("examples", !probes.is_empty(), Outcome::Warned, seen));
    let mut answers = Vec::new();
    for probe in &probes {
        let first = caller.get(&probe.path, &HeaderMap::new()).await;
        let stop = first.is_none();
        answers.push((probe, first));
        if stop {
            break;
        }
    }
    let away: Vec<&str> = answers.iter().filter(|(_, a)| a.is_none()).map(|(p, _)| p.name.as_str()).collect();
    if !answers.is_empty() {
        checks.push(Check::judged("reachable", away.is_empty(), Outcome::Failed, away.join(", ")));
    }
    let answers: Vec<(&Probe, Told)> = answers.into_iter().filter_map(|(p, a)| Some((p, a?))).collect();
    checks.extend(promised(&document, &answers));
    checks.extend(repeatable(&caller, &answers).await);
    checks.extend(hostile(&caller).await);
    Ok(checks)
}

struct Caller<'a> {
    gateway: &'a Gateway,
    own: &'a Own,
    service: &'a ServiceEntry,
}

impl Caller<'_> {
    /// The answer, if one came in time.
    async fn get(&self, path: &str, more: &HeaderMap) -> Option<Told> {
        let mut headers = more.clone();
        if let Ok(client) = self.own.path.parse() {
            headers.insert("x-road-client", client);
        }
        headers.insert("accept", http::HeaderValue::from_static("application/json"));
        let asking = self.gateway.ask_provider(&self.service.base_url, path, headers, READ);
        tokio::time::timeout(WAIT, asking).await.ok().and_then(std::result::Result::ok)
    }
}

/// The endpoints of the registry and the operations of the document are the same.
fn operations(service: &ServiceEntry, read: &openapi::Document) -> Check {
    let listed = |r: &&openapi::Operation| !service.endpoints.iter().any(|e| e.route == r.route);
    let missing = read.operations.iter().filter(listed).map(|o| format!("− {}", o.route));
    let described = service.endpoints.iter().filter(|e| !read.operations.iter().any(|o| o.route == e.route));
    let seen: Vec<String> = missing.chain(described.map(|e| format!("+ {}", e.route))).collect();
    Check::judged("operations", seen.is_empty(), Outcome::Failed, seen.join(", "))
}

fn media(told: &Told) -> &str {
    told.headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or("")
}

/// Status, media type and schema of each answer, as promised.
fn promised(document: &Value, answers: &[(&Probe, Told)]) -> Vec<Check> {
    if answers.is_empty() {
        let skipped = |code| Check::new(code, Outcome::Skipped, "");
        return ["statuses", "media-types", "schemas"].map(skipped).to_vec();
    }
    let (mut statuses, mut kinds, mut schemas) = (Vec::new(), Vec::new(), Vec::new());
    for (probe, told) in answers {
        let Some(expected) = described::expected(document, &probe.responses, told.status) else {
            statuses.push(format!("{}: {}", probe.name, told.status));
            continue;
        };
        if !told.body.is_empty() && !described::says_media(expected, media(told)) {
            kinds.push(format!("{}: {}", probe.name, media(told)));
        }
        if let Some(fault) = schema_fault(document, expected, told) {
            schemas.push(format!("{}: {fault}", probe.name));
        }
    }
    vec![
        Check::judged("statuses", statuses.is_empty(), Outcome::Failed, statuses.join("; ")),
        Check::judged("media-types", kinds.is_empty(), Outcome::Failed, kinds.join("; ")),
        Check::judged("schemas", schemas.is_empty(), Outcome::Failed, schemas.join("; ")),
    ]
}

/// Where an answer differs from its schema: the place and the keyword, never the value, which may be personal.
fn schema_fault(document: &Value, expected: &Value, told: &Told) -> Option<String> {
    let schema = described::schema(document, expected, media(told))?;
    if told.cut {
        return None;
    }
    let Ok(body) = serde_json::from_slice::<Value>(&told.body) else { return Some("JSON?".into()) };
    let Ok(validator) = jsonschema::validator_for(&schema) else { return Some("schema?".into()) };
    let fault = validator.iter_errors(&body).next()?;
    Some(format!("{} ({})", fault.instance_path(), fault.schema_path()))
}

/// A GET asked twice answers alike.
async fn repeatable(caller: &Caller<'_>, answers: &[(&Probe, Told)]) -> Option<Check> {
    let (probe, first) = answers.first()?;
    let second = caller.get(&probe.path, &HeaderMap::new()).await;
    let Some(second) = second.filter(|s| s.status == first.status) else {
        return Some(Check::new("repeatable", Outcome::Failed, &probe.name));
    };
    Some(Check::judged("repeatable", second.body == first.body, Outcome::Warned, &probe.name))
}

/// A path that does not exist is 404 in JSON; a large header is taken or refused, not fallen over.
async fn hostile(caller: &Caller<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    match caller.get(NOWHERE, &HeaderMap::new()).await {
        Some(told) => {
            let refused = (400..500).contains(&told.status);
            checks.push(Check::judged("unknown-path", refused, Outcome::Failed, told.status.to_string()));
            let json = told.body.is_empty() || media(&told).contains("json");
            checks.push(Check::judged("error-shape", json, Outcome::Warned, media(&told)));
        }
        None => checks.push(Check::new("unknown-path", Outcome::Failed, "–")),
    }
    let mut headers = HeaderMap::new();
    if let Ok(value) = "a".repeat(LARGE).parse() {
        headers.insert("x-lt-conformance", value);
    }
    let told = caller.get(NOWHERE, &headers).await;
    let seen = told.as_ref().map_or_else(|| "–".to_owned(), |t| t.status.to_string());
    let good = told.is_some_and(|t| t.status < 500);
    checks.push(Check::judged("large-header", good, Outcome::Warned, seen));
    checks
}
