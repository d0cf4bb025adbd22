//! Metadata services: `listClients`, `listMethods`, `allowedMethods`, `getOpenAPI` (PR-META, PR-MREST). Answered from
//! the snapshot; descriptions are given out without the addresses at which services really live.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use xroad::id::{ClientId, MemberId, ServiceId, SubsystemId};
use xroad::metadata::{ANONYMOUS_URL, Client, ClientKey, ClientList, Endpoint, MethodList, ServiceMethods};

use super::admit::Asked;
use super::answer::{Added, AnswerHead};
use super::body_in::Gathered;
use super::body_out::Body;
use super::case::{BodyFacts, Case};
use super::forward::{Failed, take_body, travelling_head};
use super::received::Received;
use super::refusal::Refusal;
use crate::endpoint::Route;
use crate::snapshot::Snapshot;
use hyper::body::Incoming;
use xroad::hash::RequestHash;

const JSON: &str = "application/json; charset=utf-8";

/// Answers a metadata service of a subsystem.
pub(super) async fn serve(
    mut case: Box<Case>,
    received: &Received,
    asked: &Asked<'_>,
    snapshot: &Snapshot,
    body: Incoming,
) -> Result<Response<Body>, Failed> {
    let (head, _) = travelling_head(&case, received, asked);
    let hash = RequestHash::new(head.as_bytes());
    case.private.push((evidence::Field::RequestHead, hex::encode(hash.clone().finish().head)));
    let digests = match take_body(&mut case, body, hash).await {
        Ok(Gathered::Whole(_, digests)) => digests,
        Ok(Gathered::Streaming(meter, _)) => {
            case.body = BodyFacts::Partial(meter.measured().size);
            return Err((case, Refusal::too_large(super::policy::SMALL as u64, false)));
        }
        Err(refusal) => return Err((case, refusal)),
    };
    let text = match answer(&case, asked, snapshot).await {
        Ok(text) => text,
        Err(refusal) => return Err((case, refusal)),
    };
    let added = Added {
        id: &asked.message_id,
        client: &asked.headers.client_as_sent,
        service: &asked.target.service.to_string(),
        request_id: &case.request_id,
        request_hash: &digests.base64(),
    };
    let head = AnswerHead::own(JSON, &added);
    Ok(case.answer(head, text).await)
}

async fn answer(case: &Case, asked: &Asked<'_>, snapshot: &Snapshot) -> Result<Bytes, Refusal> {
    let provider = asked.target.service.provider();
    match asked.target.service.code() {
        "getOpenAPI" => open_api(case, &provider, asked.target.query, snapshot).await,
        code => methods(case, asked, &provider, code == "allowedMethods", snapshot),
    }
}

fn methods(
    case: &Case,
    asked: &Asked<'_>,
    provider: &SubsystemId,
    allowed_only: bool,
    snapshot: &Snapshot,
) -> Result<Bytes, Refusal> {
    let unknown = |path: &str| Refusal::unknown_member(path);
    let entry = snapshot.consumer(provider.path()).ok_or_else(|| unknown(provider.path()))?;
    let client = asked.headers.client.path();
    let consumer = snapshot.consumer(client).ok_or_else(|| unknown(client))?;
    let now = case.gateway.clock.now();
    let endpoint = |route: &Route| Endpoint {
        method: route.method.as_str().to_owned(),
        path: route.path.as_str().to_owned(),
    };
    let mut list = MethodList { service: Vec::new() };
    for service in snapshot.services_of(entry) {
        let endpoints: Vec<Endpoint> = if allowed_only {
            match snapshot.allowed(consumer, service, now) {
                Some(routes) => routes.into_iter().map(endpoint).collect(),
                None => continue,
            }
        } else {
            service.endpoints.iter().map(|e| endpoint(&e.route)).collect()
        };
        let id = ServiceId::new([
            provider.instance(),
            provider.class(),
            provider.member(),
            provider.subsystem(),
            &service.code,
        ]);
        let id = id.map_err(|_| Refusal::internal("service-code"))?;
        list.service.push(ServiceMethods::new(&id, service.kind.as_str(), endpoints));
    }
    json(&list)
}

fn json(value: &impl serde::Serialize) -> Result<Bytes, Refusal> {
    serde_json::to_vec(value).map(Bytes::from).map_err(|_| Refusal::internal("metadata"))
}

async fn open_api(
    case: &Case,
    provider: &SubsystemId,
    query: Option<&str>,
    snapshot: &Snapshot,
) -> Result<Bytes, Refusal> {
    let code =
        parameter(query, "serviceCode").filter(|c| !c.is_empty()).ok_or_else(Refusal::openapi_which)?;
    let path = format!("{}/{code}", provider.path());
    let service = snapshot.service(&path).ok_or_else(|| Refusal::unknown_service(&path))?;
    let reference = service.openapi.as_deref().ok_or_else(Refusal::openapi_missing)?;
    let document = match case.gateway.documents.document(reference).await {
        Ok(Some(document)) => document,
        Ok(None) => return Err(Refusal::openapi_missing()),
        Err(e) => {
            tracing::error!(request_id = case.request_id, error = e.chain(), "a description cannot be read");
            return Err(Refusal::internal("document"));
        }
    };
    let mut value: Value = serde_json::from_slice(&document).map_err(|_| Refusal::internal("document"))?;
    anonymise(&mut value);
    json(&value)
}

/// Replaces the addresses of servers wherever an OpenAPI document may state them: for the whole, for a path, for an
/// operation, and for the target of a link or callback.
fn anonymise(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                match (name.as_str(), inner) {
                    ("servers", Value::Array(servers)) => servers.iter_mut().for_each(anonymise_server),
                    ("server", server @ Value::Object(_)) => anonymise_server(server),
                    // Data, not structure: a member called "servers" in an example is nobody's address.
                    ("example" | "examples" | "default" | "enum" | "const", _) => {}
                    (_, inner) => anonymise(inner),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(anonymise),
        _ => {}
    }
}

fn anonymise_server(server: &mut Value) {
    if let Value::Object(map) = server {
        if map.contains_key("url") {
            map.insert("url".to_owned(), Value::from(ANONYMOUS_URL));
        }
        // They only fill in templates of the address, and their values name hosts.
        map.remove("variables");
    }
}

/// The value of a query parameter, decoded; the last one counts.
fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    query?
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .filter_map(|(_, value)| {
            percent_decode_str(&value.replace('+', " ")).decode_utf8().ok().map(Into::into)
        })
        .next_back()
}

/// The answer of `listClients`.
pub(super) fn list_clients(received: &Received, snapshot: &Snapshot) -> Response<Body> {
    let query = received.target().split_once('?').map(|(_, query)| query);
    let instance = parameter(query, "xRoadInstance").filter(|i| !i.trim().is_empty());
    let here = instance.is_none_or(|i| i == snapshot.instance());
    let list = ClientList { member: if here { members(snapshot) } else { Vec::new() } };
    let (content_type, text) = if ClientList::wants_json(received.values("accept")) {
        (JSON, serde_json::to_vec(&list).unwrap_or_default())
    } else {
        ("text/xml; charset=utf-8", list.to_xml().into_bytes())
    };
    let mut response = Response::new(Body::whole(text.into()));
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Members, each followed by its subsystems.
fn members(snapshot: &Snapshot) -> Vec<Client> {
    let mut list = Vec::new();
    for member in &snapshot.contents().members {
        let Ok(id) = MemberId::new([snapshot.instance(), &member.class, &member.code]) else { continue };
        let key = ClientKey::from(&ClientId::Member(id));
        list.push(Client { id: key, name: member.name.clone(), subsystem_name: None });
        for subsystem in snapshot.subsystems().iter().filter(|s| s.member == member.id) {
            let parts = [snapshot.instance(), &member.class, &member.code, &subsystem.code];
            let Ok(id) = SubsystemId::new(parts) else { continue };
            let key = ClientKey::from(&ClientId::Subsystem(id));
            list.push(Client {
                id: key,
                name: member.name.clone(),
                subsystem_name: Some(subsystem.name.clone()),
            });
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_are_taken_out_wherever_they_stand() {
        let mut document = json!({
            "openapi": "3.1.0",
            "servers": [{"url": "http://10.0.0.1/{v}", "variables": {"v": {"default": "10.0.0.2"}}}],
            "paths": {"/a": {
                "servers": [{"url": "http://10.0.0.3"}],
                "get": {"servers": [{"url": "http://10.0.0.4", "description": "x"}],
                        "responses": {"200": {"links": {"n": {"server": {"url": "http://10.0.0.5"}}}}}},
            }},
            "components": {"schemas": {"S": {"example": {"servers": [{"url": "kept"}]}}}},
        });
        anonymise(&mut document);
        let text = document.to_string();
        assert!(!text.contains("10.0.0."), "{text}");
        assert_eq!(document["paths"]["/a"]["get"]["servers"][0]["url"], ANONYMOUS_URL);
        assert_eq!(document["components"]["schemas"]["S"]["example"]["servers"][0]["url"], "kept");
    }

    #[test]
    fn parameters_are_decoded() {
        assert_eq!(parameter(Some("a=1&serviceCode=tra%2Dcuu"), "serviceCode").as_deref(), Some("tra-cuu"));
        assert_eq!(parameter(Some("servicecode=x&serviceCode=y+z"), "serviceCode").as_deref(), Some("y z"));
        assert_eq!(parameter(Some("serviceCode"), "serviceCode"), None);
        assert_eq!(parameter(Some("serviceCode=%ff"), "serviceCode"), None);
        assert_eq!(parameter(None, "serviceCode"), None);
    }
}
