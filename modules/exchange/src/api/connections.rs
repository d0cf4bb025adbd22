//! Requests for connections in the interface: begin, write, attach, send, take back. Creates and sends honour
//! `Idempotency-Key`, writes `If-Match`; what the provider does is in `agreements`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::clock::Date;
use base::error::FieldError;
use base::i18n::Text;
use http::{HeaderMap, StatusCode, header};
use kernel::once::{self, Once};
use kernel::{Error, Kernel};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Access, Cx, Path, Query, Routes};

use super::page::wrong;
use crate::connection::deadline::{self, Due};
use crate::connection::file::MAX_BYTES;
use crate::connection::store::{self, Attachment, Request};
use crate::connection::{Draft, Kind, actions as verbs};
use crate::endpoint::Route;
use crate::ids::{AgreementId, ServiceId, SubsystemId};
use crate::quota::Quota;
use crate::store::lists;
use crate::viewer::Viewer;
use crate::{permissions, t};

pub(super) fn routes() -> Routes {
    let asks = Access::Needs(permissions::ASK);
    Routes::new()
        .get("/api/exchange/v1/connections", Access::SignedIn, list)
        .post("/api/exchange/v1/connections", asks, begin)
        .get("/api/exchange/v1/connections/{id}", Access::SignedIn, get)
        .put("/api/exchange/v1/connections/{id}", asks, write)
        .post("/api/exchange/v1/connections/{id}/files", asks, attach)
        .limit(MAX_BYTES + 64 * 1024)
        .post("/api/exchange/v1/connections/{id}/submit", asks, submit)
        .post("/api/exchange/v1/connections/{id}/withdraw", asks, withdraw)
}

/// What is asked for; everything may still be empty while it is a draft.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DraftBody {
    /// Endpoints (`GET /cong-dan/*`); none means the whole service.
    endpoints: Vec<String>,
    /// Paths of fields (`ho_ten`, `dia_chi.tinh`, `danh_sach[].ma`).
    fields: Vec<String>,
    purpose: String,
    legal_basis: Vec<String>,
    per_minute: Option<u32>,
    per_day: Option<u32>,
    /// First day (ISO 8601).
    valid_from: Option<String>,
    /// Last day, included (ISO 8601).
    valid_to: Option<String>,
    letter_number: String,
    /// ISO 8601.
    letter_date: Option<String>,
    /// 1 to 5.
    security_level: Option<u8>,
    security_decision: String,
    contact_name: String,
    contact_phone: String,
    /// Whether data of people is among it.
    personal: bool,
}

/// A new request.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBody {
    /// Identifier of the subsystem that would call.
    consumer: String,
    /// Identifier of the service.
    service: String,
    #[serde(default)]
    draft: DraftBody,
}

/// A request in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct Listed {
    /// Also that of its agreement once it is sent.
    id: String,
    number: String,
    consumer: String,
    /// The consumer's name.
    consumer_name: String,
    service: String,
    /// The service's name.
    service_name: String,
    /// `draft`, or the state of its agreement.
    state: &'static str,
    /// `sandbox`, `test` or `production` once it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'static str>,
    published: bool,
    /// `consumer`, `provider` or `nobody`.
    turn: &'static str,
    /// When the next step is due (RFC 3339), where a term runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    /// Whether that has passed.
    overdue: bool,
    /// Version of the draft.
    version: u32,
    /// RFC 3339.
    changed_at: String,
}

impl Listed {
    fn new(r: &Request, due: Option<Due>) -> Self {
        Self {
            due: due.map(|d| d.at.rfc3339()),
            overdue: due.is_some_and(|d| d.left.late),
            id: r.id.to_string(),
            number: r.number.clone(),
            consumer: r.consumer.to_string(),
            consumer_name: r.consumer_name.clone(),
            service: r.service.to_string(),
            service_name: r.service_name.clone(),
            state: match (r.discarded_at, r.stands) {
                (Some(_), _) => "discarded",
                (None, None) => "draft",
                (None, Some((state, ..))) => state.as_str(),
            },
            environment: r.stands.map(|(_, place, _)| place.as_str()),
            published: r.stands.is_some_and(|(.., published)| published),
            turn: match r.turn() {
                crate::connection::Turn::Consumer => "consumer",
                crate::connection::Turn::Provider => "provider",
                crate::connection::Turn::Nobody => "nobody",
            },
            version: r.version,
            changed_at: r.changed_at.rfc3339(),
        }
    }
}

/// A file of a request.
#[derive(Serialize, ToSchema)]
pub(super) struct FileBody {
    id: String,
    /// `letter`, `security`, `personal` or `other`.
    kind: &'static str,
    name: String,
    media_type: String,
    size: i64,
}

impl From<Attachment> for FileBody {
    fn from(a: Attachment) -> Self {
        let Attachment { id, kind, name, media_type, size, .. } = a;
        Self { id: id.to_string(), kind: kind.as_str(), name, media_type, size }
    }
}

/// A request with its draft.
#[derive(Serialize, ToSchema)]
pub(super) struct Full {
    #[serde(flatten)]
    listed: Listed,
    draft: DraftBody,
    /// What is still missing before it can be sent.
    missing: Vec<String>,
    files: Vec<FileBody>,
}

/// Requests in which the caller takes part, the newest first; drafts of one's own agencies only.
#[utoipa::path(get, path = "/api/exchange/v1/connections", tag = "exchange", responses((status = 200, body = Vec<Listed>)))]
pub(super) async fn list(State(k): State<Kernel>, cx: Cx) -> web::Result<Json<Vec<Listed>>> {
    let viewer = Viewer::of(&k, &cx).await?;
    let all = store::list(&k.db, &viewer, k.clock.now()).await?;
    let due = deadline::of(&k, &all).await?;
    Ok(Json(all.iter().zip(due).map(|(r, due)| Listed::new(r, due)).collect()))
}

/// One request.
#[utoipa::path(get, path = "/api/exchange/v1/connections/{id}", tag = "exchange", params(("id" = String, Path)),
    responses((status = 200, body = Full)))]
pub(super) async fn get(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
) -> web::Result<Response> {
    full(&k, &cx, id).await
}

async fn full(k: &Kernel, cx: &Cx, id: AgreementId) -> web::Result<Response> {
    let viewer = Viewer::of(k, cx).await?;
    let r = store::find(&k.db, &viewer, k.clock.now(), id).await?;
    let files = store::attachments(&k.db, id).await?;
    let beside = verbs::beside(k, &r, &files).await?;
    let routes = lists::endpoints(&k.db, r.service).await?;
    let list = r.draft.checklist(&beside, k.clock.now().date());
    let word = |item| serde_json::to_value(item).ok().and_then(|v| v.as_str().map(ToOwned::to_owned));
    let missing = list.into_iter().filter(|(_, done)| !done).filter_map(|(item, _)| word(item)).collect();
    let d = r.draft.clone();
    let draft = DraftBody {
        endpoints: routes
            .iter()
            .filter(|e| d.endpoints.contains(&e.id))
            .map(|e| e.route.to_string())
            .collect(),
        fields: d.fields,
        purpose: d.purpose,
        legal_basis: d.legal_basis,
        per_minute: d.quota.per_minute,
        per_day: d.quota.per_day,
        valid_from: d.valid_from.map(|x| x.to_string()),
        valid_to: d.valid_to.map(|x| x.to_string()),
        letter_number: d.letter_number,
        letter_date: d.letter_date.map(|x| x.to_string()),
        security_level: d.security_level,
        security_decision: d.security_decision,
        contact_name: d.contact_name,
        contact_phone: d.contact_phone,
        personal: d.personal,
    };
    let tag = format!("\"{}\"", r.version);
    let files = files.into_iter().map(FileBody::from).collect();
    let due = deadline::of(k, std::slice::from_ref(&r)).await?.into_iter().next().flatten();
    let body = Full { listed: Listed::new(&r, due), draft, missing, files };
    Ok(([(header::ETAG, tag)], Json(body)).into_response())
}

async fn draft(k: &Kernel, service: ServiceId, body: DraftBody) -> Result<Draft, Error> {
    let mut faults = Vec::new();
    let mut say = |field: &str, text: Text| faults.push(FieldError { field: field.to_owned(), text });
    let mut date = |name: &str, text: Option<&String>| {
        let text = text?;
        let read = text.parse::<Date>().ok();
        if read.is_none() {
            say(name, Text::both(|l| t::parameter_wrong(l, crate::code::clip(text))));
        }
        read
    };
    let valid_from = date("valid_from", body.valid_from.as_ref());
    let valid_to = date("valid_to", body.valid_to.as_ref());
    let letter_date = date("letter_date", body.letter_date.as_ref());
    let known = lists::endpoints(&k.db, service).await?;
    let mut endpoints = std::collections::BTreeSet::new();
    for text in &body.endpoints {
        let found = text.parse::<Route>().ok().and_then(|route| known.iter().find(|e| e.route == route));
        match found {
            Some(e) => drop(endpoints.insert(e.id)),
            None => say("endpoints", Text::both(|l| t::endpoint_unknown(l, crate::code::clip(text)))),
        }
    }
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    Ok(Draft {
        endpoints,
        fields: body.fields,
        purpose: body.purpose,
        legal_basis: body.legal_basis,
        quota: Quota { per_minute: body.per_minute, per_day: body.per_day },
        valid_from,
        valid_to,
        letter_number: body.letter_number,
        letter_date,
        security_level: body.security_level,
        security_decision: body.security_decision,
        contact_name: body.contact_name,
        contact_phone: body.contact_phone,
        personal: body.personal,
    })
}

/// The request's `Idempotency-Key`.
fn key(headers: &HeaderMap, asked: &str) -> Result<Option<Once>, Error> {
    let given = headers.get(once::HEADER).map(|v| v.to_str().unwrap_or_default().trim().to_owned());
    given.map(|key| Once::new(&key, asked)).transpose()
}

fn seen(headers: &HeaderMap) -> Result<Option<u32>, Error> {
    match headers.get(header::IF_MATCH).map(|v| v.to_str().unwrap_or_default().trim().to_owned()).as_deref() {
        None | Some("*") => Ok(None),
        Some(tag) => tag.trim_matches('"').parse().map(Some).map_err(|_| Error::Conflict),
    }
}

/// Begins a request for a system of one's own agency.
#[utoipa::path(post, path = "/api/exchange/v1/connections", tag = "exchange",
    params(("Idempotency-Key" = Option<String>, Header)), request_body = NewBody, responses((status = 201, body = Full)))]
pub(super) async fn begin(
    State(k): State<Kernel>,
    cx: Cx,
    headers: HeaderMap,
    web::Json(body): web::Json<NewBody>,
) -> web::Result<Response> {
    let once = key(&headers, &format!("begin\n{}", serde_json::to_string(&body).map_err(Error::internal)?))?;
    let consumer: SubsystemId = body.consumer.parse().map_err(|_| wrong("consumer", &body.consumer))?;
    let service: ServiceId = body.service.parse().map_err(|_| wrong("service", &body.service))?;
    let draft = draft(&k, service, body.draft).await?;
    let id = verbs::begin(&k, &cx, consumer, service, draft, once.as_ref()).await?;
    Ok((StatusCode::CREATED, full(&k, &cx, id).await?).into_response())
}

/// Writes the draft; `If-Match` says which one was seen.
#[utoipa::path(put, path = "/api/exchange/v1/connections/{id}", tag = "exchange",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)), request_body = DraftBody,
    responses((status = 200, body = Full)))]
pub(super) async fn write(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    headers: HeaderMap,
    web::Json(body): web::Json<DraftBody>,
) -> web::Result<Response> {
    let viewer = Viewer::of(&k, &cx).await?;
    let found = store::find(&k.db, &viewer, k.clock.now(), id).await?;
    let draft = draft(&k, found.service, body).await?;
    verbs::write(&k, &cx, id, draft, seen(&headers)?).await?;
    full(&k, &cx, id).await
}

/// What a file is and is called.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FileAsked {
    /// `letter`, `security`, `personal` or `other`.
    kind: String,
    /// Its name.
    name: String,
}

/// Attaches a file (PDF, PNG, JPEG, DOCX; at most 10 MiB), sent as the body.
#[utoipa::path(post, path = "/api/exchange/v1/connections/{id}/files", tag = "exchange",
    params(("id" = String, Path), FileAsked), request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Full)))]
pub(super) async fn attach(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    Query(asked): Query<FileAsked>,
    body: axum::body::Bytes,
) -> web::Result<Response> {
    let kind = Kind::from_word(&asked.kind).ok_or_else(|| wrong("kind", &asked.kind))?;
    verbs::attach(&k, &cx, id, kind, &asked.name, body).await?;
    Ok((StatusCode::CREATED, full(&k, &cx, id).await?).into_response())
}

/// Sends the request to the provider, for the first time or completed.
#[utoipa::path(post, path = "/api/exchange/v1/connections/{id}/submit", tag = "exchange",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = Full)))]
pub(super) async fn submit(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    headers: HeaderMap,
) -> web::Result<Response> {
    let once = key(&headers, &format!("submit\n{id}"))?;
    verbs::submit(&k, &cx, id, seen(&headers)?, once.as_ref()).await?;
    full(&k, &cx, id).await
}

/// Takes the request back: a draft is thrown away, a sent one withdrawn.
#[utoipa::path(post, path = "/api/exchange/v1/connections/{id}/withdraw", tag = "exchange",
    params(("id" = String, Path)), responses((status = 200, body = Full)))]
pub(super) async fn withdraw(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
) -> web::Result<Response> {
    verbs::withdraw(&k, &cx, id).await?;
    full(&k, &cx, id).await
}
