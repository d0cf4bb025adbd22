//! Agreements in the interface: lists, single ones with their history, and the provider's decisions.
//! `ETag` carries the version; `If-Match` and `Idempotency-Key` are honoured by every decision.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::clock::Date;
use base::error::FieldError;
use base::i18n::Text;
use http::{HeaderMap, HeaderValue, header};
use kernel::once::{self, Once};
use kernel::{Error, Kernel};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Access, Cx, Path, Query, Routes};

use super::page::{Page, limit, parsed};
use crate::actions::{self, Decision, Request};
use crate::agreement::{Approval, Letter, Reason, Scope, State as Stands};
use crate::endpoint::Route;
use crate::ids::{AgreementId, EndpointId, ServiceId};
use crate::quota::Quota;
use crate::store::agreements::{self, HistoryEntry};
use crate::store::lists::{self, After, AgreementFilter, AgreementRow};
use crate::viewer::Viewer;
use crate::{permissions, t};

pub(super) fn routes() -> Routes {
    let decides = Access::Needs(permissions::DECIDE);
    Routes::new()
        .get("/api/exchange/v1/agreements", Access::SignedIn, list)
        .get("/api/exchange/v1/agreements/{id}", Access::SignedIn, get)
        .get("/api/exchange/v1/agreements/{id}/history", Access::SignedIn, history)
        .post("/api/exchange/v1/agreements/{id}/approve", decides, approve)
        .post("/api/exchange/v1/agreements/{id}/refuse", decides, refuse)
        .post("/api/exchange/v1/agreements/{id}/suspend", decides, suspend)
        .post("/api/exchange/v1/agreements/{id}/resume", decides, resume)
        .post("/api/exchange/v1/agreements/{id}/revoke", decides, revoke)
        .post("/api/exchange/v1/agreements/{id}/return", decides, return_for_more)
        .post("/api/exchange/v1/agreements/{id}/test", Access::Needs(permissions::READ), test)
        .post("/api/exchange/v1/agreements/{id}/produce", decides, produce)
        .post("/api/exchange/v1/agreements/{id}/publish", decides, publish)
}

/// Which agreements are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// `waiting`, `returned`, `approved`, `suspended`, `expired`, `revoked`, `refused` or `withdrawn`.
    state: Option<String>,
    /// Only those of this consumer (subsystem identifier).
    consumer: Option<String>,
    /// Only those for this service.
    service: Option<String>,
    /// Words that must occur in number or purpose.
    q: Option<String>,
    /// Rows per page, at most 200.
    limit: Option<u32>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// An agreement in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct Listed {
    id: String,
    number: String,
    /// Where it stands today.
    state: &'static str,
    version: u32,
    /// `class/member/subsystem` of the consumer.
    consumer: String,
    /// `class/member/subsystem/service`.
    service: String,
    /// First day (ISO 8601).
    valid_from: String,
    /// Last day, included (ISO 8601).
    valid_to: String,
    /// When its last step was taken (RFC 3339).
    changed_at: String,
}

impl From<AgreementRow> for Listed {
    fn from(a: AgreementRow) -> Self {
        Self {
            id: a.id.to_string(),
            number: a.number,
            state: a.state.as_str(),
            version: a.version,
            consumer: a.consumer_key,
            service: a.service_key,
            valid_from: a.valid_from.to_string(),
            valid_to: a.valid_to.to_string(),
            changed_at: a.changed_at.rfc3339(),
        }
    }
}

/// An official letter.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LetterBody {
    /// Number and sign.
    number: String,
    /// Its date (ISO 8601).
    date: String,
}

/// The consumer system's information-security level.
#[derive(Serialize, ToSchema)]
pub(super) struct SecurityBody {
    /// 1 to 5.
    level: u8,
    /// The decision that approved it.
    decision: String,
}

/// The terms of an agreement.
#[derive(Serialize, ToSchema)]
pub(super) struct TermsBody {
    /// The endpoints that are open; absent when the whole service is.
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoints: Option<Vec<String>>,
    /// What the data is for.
    purpose: String,
    /// The legal acts it rests on.
    legal_basis: Vec<String>,
    /// The data fields that may be used; empty means all.
    fields: Vec<String>,
    /// Calls in a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    per_minute: Option<u32>,
    /// Calls in a day of Vietnamese time.
    #[serde(skip_serializing_if = "Option::is_none")]
    per_day: Option<u32>,
    /// First day (ISO 8601).
    valid_from: String,
    /// Last day, included (ISO 8601).
    valid_to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    letter: Option<LetterBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    security: Option<SecurityBody>,
}

/// An agreement with its terms.
#[derive(Serialize, ToSchema)]
pub(super) struct Full {
    #[serde(flatten)]
    listed: Listed,
    terms: TermsBody,
    /// Where its calls go: `sandbox`, `test` or `production`.
    environment: &'static str,
    /// When it was named in the catalogue (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    published_at: Option<String>,
}

/// A step an agreement took.
#[derive(Serialize, ToSchema)]
pub(super) struct StepBody {
    /// The agreement's version after the step.
    version: u32,
    /// When (RFC 3339).
    at: String,
    /// `ask`, `approve`, `refuse`, `suspend`, `resume`, `revoke`, `expire`, `amend`, `return`, `resubmit`, `withdraw`,
    /// `test`, `produce` or `publish`.
    step: &'static str,
    /// Where it stood.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'static str>,
    /// Where it stood afterwards.
    to: &'static str,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// The reason given.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The conformance run on which it rests.
    #[serde(skip_serializing_if = "Option::is_none")]
    tested: Option<TestedBody>,
}

impl From<HistoryEntry> for StepBody {
    fn from(h: HistoryEntry) -> Self {
        Self {
            version: h.version,
            at: h.at.rfc3339(),
            step: h.step.as_str(),
            from: h.from.map(Stands::as_str),
            to: h.to.as_str(),
            by: h.actor_name,
            reason: h.reason,
            tested: h.tested.map(|t| TestedBody { run: t.run.to_string(), at: t.at.rfc3339(), by: t.by }),
        }
    }
}

/// Agreements with the caller as a party, newest step first.
#[utoipa::path(get, path = "/api/exchange/v1/agreements", tag = "exchange", params(Asked),
    responses((status = 200, body = Page<Listed>)))]
pub(super) async fn list(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<Asked>,
) -> web::Result<Json<Page<Listed>>> {
    let viewer = Viewer::of(&k, &cx).await?;
    let filter = AgreementFilter {
        state: parsed("state", asked.state.as_deref())?,
        consumer: parsed("consumer", asked.consumer.as_deref())?,
        service: parsed("service", asked.service.as_deref())?,
        member: None,
        search: asked.q.unwrap_or_default(),
        after: parsed("after", asked.after.as_deref())?,
        limit: limit(asked.limit) + 1,
    };
    let rows = lists::agreements(&k.db, &viewer, k.clock.now().date(), &filter).await?;
    let next = |r: &AgreementRow| After { at: r.changed_at, id: r.id }.to_string();
    Ok(Json(Page::of(rows, limit(asked.limit), next, Listed::from)))
}

/// One agreement; its `ETag` is its version.
#[utoipa::path(get, path = "/api/exchange/v1/agreements/{id}", tag = "exchange", params(("id" = String, Path)),
    responses((status = 200, body = Full)))]
pub(super) async fn get(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    headers: HeaderMap,
) -> web::Result<Response> {
    let answer = full(&k, &cx, id).await?;
    let tag = etag(answer.listed.version);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|t| t.trim().trim_start_matches("W/") == tag)) {
        return Ok((http::StatusCode::NOT_MODIFIED, tagged(&tag)).into_response());
    }
    Ok((tagged(&tag), Json(answer)).into_response())
}

/// The steps of an agreement, oldest first.
#[utoipa::path(get, path = "/api/exchange/v1/agreements/{id}/history", tag = "exchange",
    params(("id" = String, Path)), responses((status = 200, body = Vec<StepBody>)))]
pub(super) async fn history(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
) -> web::Result<Json<Vec<StepBody>>> {
    row(&k, &cx, id).await?;
    let steps = agreements::history(&k.db, id).await?;
    Ok(Json(steps.into_iter().map(StepBody::from).collect()))
}

async fn row(k: &Kernel, cx: &Cx, id: AgreementId) -> Result<AgreementRow, Error> {
    let viewer = Viewer::of(k, cx).await?;
    let found = lists::agreement_row(&k.db, &viewer, k.clock.now().date(), id).await?;
    found.ok_or(Error::NotFound { kind: AgreementId::KIND })
}

async fn full(k: &Kernel, cx: &Cx, id: AgreementId) -> Result<Full, Error> {
    let row = row(k, cx, id).await?;
    let agreement = agreements::get(&k.db, id).await?.ok_or(Error::NotFound { kind: AgreementId::KIND })?;
    let routes = lists::endpoints(&k.db, agreement.service).await?;
    let named = |ids: &BTreeSet<EndpointId>| {
        routes.iter().filter(|e| ids.contains(&e.id)).map(|e| e.route.to_string()).collect()
    };
    let (environment, published_at) = (agreement.environment.as_str(), agreement.published_at);
    let published_at = published_at.map(|at| at.rfc3339());
    let terms = agreement.terms;
    let endpoints = match &terms.scope {
        Scope::Whole => None,
        Scope::Endpoints(ids) => Some(named(ids)),
    };
    let terms = TermsBody {
        endpoints,
        purpose: terms.purpose,
        legal_basis: terms.legal_basis,
        fields: terms.fields,
        per_minute: terms.quota.per_minute,
        per_day: terms.quota.per_day,
        valid_from: terms.valid_from.to_string(),
        valid_to: terms.valid_to.to_string(),
        letter: terms.letter.map(|l| LetterBody { number: l.number, date: l.date.to_string() }),
        security: terms.security.map(|s| SecurityBody { level: s.level, decision: s.decision }),
    };
    Ok(Full { listed: Listed { version: agreement.version, ..row.into() }, terms, environment, published_at })
}

/// A body that must be a JSON object: a list would otherwise be read as the fields in their order, and an empty
/// one as an approval of everything.
type Object = serde_json::Map<String, serde_json::Value>;

fn typed<T: serde::de::DeserializeOwned>(body: Object) -> Result<T, Error> {
    serde_json::from_value(serde_json::Value::Object(body))
        .map_err(|e| super::page::wrong("body", &e.to_string()))
}

/// What the provider approves; what is left out stays as asked.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ApproveBody {
    /// Fewer endpoints (`GET /cong-dan/*`).
    endpoints: Option<Vec<String>>,
    /// Fewer data fields.
    fields: Option<Vec<String>>,
    /// Fewer calls in a minute; together with `per_day` it replaces what was asked.
    per_minute: Option<u32>,
    /// Fewer calls in a day of Vietnamese time.
    per_day: Option<u32>,
    /// An earlier last day (ISO 8601).
    valid_to: Option<String>,
    /// The letter by which the provider agrees.
    letter: Option<LetterBody>,
}

/// Why.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonBody {
    /// At most 1,000 characters.
    reason: String,
}

/// The record of a test.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordBody {
    /// Number and date of the record, or what was tested; at most 1,000 characters.
    reason: String,
    /// Lets the record stand in for a passed conformance run.
    #[serde(default)]
    without_run: bool,
}

/// The conformance run on which a step rests.
#[derive(Serialize, ToSchema)]
pub(super) struct TestedBody {
    /// The run.
    run: String,
    /// When it was made (RFC 3339).
    at: String,
    /// Who pressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// The provider says yes, perhaps to less than was asked.
#[utoipa::path(post, path = "/api/exchange/v1/agreements/{id}/approve", tag = "exchange",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = ApproveBody, responses((status = 200, body = Full)))]
pub(super) async fn approve(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    headers: HeaderMap,
    web::Json(body): web::Json<Object>,
) -> web::Result<Response> {
    let body: ApproveBody = typed(body)?;
    let request = request(&headers, "approve", id, &body)?;
    let approval = approval(&k, id, body).await?;
    decided(&k, &cx, id, Decision::Approve(approval), request).await
}

/// The provider says no.
#[utoipa::path(post, path = "/api/exchange/v1/agreements/{id}/refuse", tag = "exchange",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = ReasonBody, responses((status = 200, body = Full)))]
pub(super) async fn refuse(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    headers: HeaderMap,
    web::Json(body): web::Json<Object>,
) -> web::Result<Response> {
    let body: ReasonBody = typed(body)?;
    let request = request(&headers, "refuse", id, &body)?;
    decided(&k, &cx, id, Decision::Refuse(reason(&body)?), request).await
}

/// Stopped for now.
#[utoipa::path(post, path = "/api/exchange/v1/agreements/{id}/suspend", tag = "exchange",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = ReasonBody, responses((status = 200, body = Full)))]
pub(super) async fn suspend(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    headers: HeaderMap,
    web::Json(body): web::Json<Object>,
) -> web::Result<Response> {
    let body: ReasonBody = typed(body)?;
    let request = request(&headers, "suspend", id, &body)?;
    decided(&k, &cx, id, Decision::Suspend(reason(&body)?), request).await
}

/// In force again.
#[utoipa::path(post, path = "/api/exchange/v1/agreements/{id}/resume", tag = "exchange",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = Full)))]
pub(super) async fn resume(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    headers: HeaderMap,
) -> web::Result<Response> {
    let request = request(&headers, "resume", id, &())?;
    decided(&k, &cx, id, Decision::Resume, request).await
}

/// Taken back for good.
#[utoipa::path(post, path = "/api/exchange/v1/agreements/{id}/revoke", tag = "exchange",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = ReasonBody, responses((status = 200, body = Full)))]
pub(super) async fn revoke(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    headers: HeaderMap,
    web::Json(body): web::Json<Object>,
) -> web::Result<Response> {
    let body: ReasonBody = typed(body)?;
    let request = request(&headers, "revoke", id, &body)?;
    decided(&k, &cx, id, Decision::Revoke(reason(&body)?), request).await
}

/// The provider asks for more, saying what.
#[utoipa::path(post, path = "/api/exchange/v1/agreements/{id}/return", tag = "exchange",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = ReasonBody, responses((status = 200, body = Full)))]
pub(super) async fn return_for_more(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    headers: HeaderMap,
    web::Json(body): web::Json<Object>,
) -> web::Result<Response> {
    let body: ReasonBody = typed(body)?;
    let request = request(&headers, "return", id, &body)?;
    decided(&k, &cx, id, Decision::Return(reason(&body)?), request).await
}

/// From the sandbox to the test; the consumer may say so, too.
#[utoipa::path(post, path = "/api/exchange/v1/agreements/{id}/test", tag = "exchange",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = Full)))]
pub(super) async fn test(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    headers: HeaderMap,
) -> web::Result<Response> {
    let request = request(&headers, "test", id, &())?;
    decided(&k, &cx, id, Decision::Test, request).await
}

/// From the test to production, which needs a conformance run that passed since the test began; the reason is the record
/// of the test.
#[utoipa::path(post, path = "/api/exchange/v1/agreements/{id}/produce", tag = "exchange",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = RecordBody, responses((status = 200, body = Full)))]
pub(super) async fn produce(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    headers: HeaderMap,
    web::Json(body): web::Json<Object>,
) -> web::Result<Response> {
    let body: RecordBody = typed(body)?;
    let request = request(&headers, "produce", id, &body)?;
    let record = Reason::new(&body.reason).map_err(|e| Error::Invalid(vec![e]))?;
    let decision = Decision::Produce { record, without_run: body.without_run };
    decided(&k, &cx, id, decision, request).await
}

/// Named in the catalogue as a connection that runs.
#[utoipa::path(post, path = "/api/exchange/v1/agreements/{id}/publish", tag = "exchange",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = Full)))]
pub(super) async fn publish(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AgreementId>,
    headers: HeaderMap,
) -> web::Result<Response> {
    let request = request(&headers, "publish", id, &())?;
    decided(&k, &cx, id, Decision::Publish, request).await
}

async fn decided(
    k: &Kernel,
    cx: &Cx,
    id: AgreementId,
    decision: Decision,
    request: Request,
) -> web::Result<Response> {
    actions::decide(k, cx, id, &decision, &request).await?;
    let answer = full(k, cx, id).await?;
    let tag = etag(answer.listed.version);
    Ok((tagged(&tag), Json(answer)).into_response())
}

fn reason(body: &ReasonBody) -> Result<Reason, Error> {
    Reason::new(&body.reason).map_err(|e| Error::Invalid(vec![e]))
}

async fn approval(k: &Kernel, id: AgreementId, body: ApproveBody) -> Result<Approval, Error> {
    let mut wrong = Vec::new();
    let mut say = |field: &str, text: Text| wrong.push(FieldError { field: field.to_owned(), text });
    let mut date = |field: &str, text: &str| -> Option<Date> {
        let read = text.parse().ok();
        if read.is_none() {
            say(field, Text::both(|l| t::parameter_wrong(l, crate::code::clip(text))));
        }
        read
    };
    let valid_to = body.valid_to.as_deref().and_then(|d| date("valid_to", d));
    let letter =
        body.letter.and_then(|l| Some(Letter { date: date("letter.date", &l.date)?, number: l.number }));
    if letter.as_ref().is_some_and(|l| l.number.trim().is_empty() || l.number.chars().count() > 200) {
        say("letter.number", Text::both(|l| t::text_too_long(l, 200)));
    }
    let scope = match (body.endpoints, agreements::get(&k.db, id).await?) {
        (Some(listed), Some(agreement)) => match endpoints(k, agreement.service, &listed).await? {
            Ok(ids) => Some(Scope::Endpoints(ids)),
            Err(text) => {
                say("endpoints", text);
                None
            }
        },
        _ => None,
    };
    if wrong.is_empty() {
        let quota = (body.per_minute.is_some() || body.per_day.is_some())
            .then_some(Quota { per_minute: body.per_minute, per_day: body.per_day });
        Ok(Approval { scope, fields: body.fields, quota, valid_to, letter })
    } else {
        Err(Error::Invalid(wrong))
    }
}

async fn endpoints(
    k: &Kernel,
    service: ServiceId,
    listed: &[String],
) -> Result<Result<BTreeSet<EndpointId>, Text>, Error> {
    let known = lists::endpoints(&k.db, service).await?;
    let find = |text: &String| {
        let route: Route = text.parse()?;
        let found = known.iter().find(|e| e.route == route).map(|e| e.id);
        found.ok_or_else(|| Text::both(|l| t::endpoint_unknown(l, crate::code::clip(text))))
    };
    Ok(listed.iter().map(find).collect())
}

fn etag(version: u32) -> String {
    format!("\"{version}\"")
}

fn tagged(tag: &str) -> [(http::HeaderName, HeaderValue); 1] {
    [(header::ETAG, HeaderValue::from_str(tag).unwrap_or_else(|_| HeaderValue::from_static("\"0\"")))]
}

/// What the headers say about the version seen and about repeating.
fn request(
    headers: &HeaderMap,
    verb: &str,
    id: AgreementId,
    body: &impl Serialize,
) -> Result<Request, Error> {
    let text =
        |name: http::HeaderName| headers.get(name).map(|v| v.to_str().unwrap_or_default().trim().to_owned());
    let expected = match text(header::IF_MATCH).as_deref() {
        None | Some("*") => None,
        Some(tag) => {
            let version =
                tag.strip_prefix('"').and_then(|t| t.strip_suffix('"')).and_then(|t| t.parse().ok());
            // A tag we never gave cannot match.
            Some(version.ok_or(Error::Conflict)?)
        }
    };
    let once = match text(http::HeaderName::from_static(once::HEADER)) {
        None => None,
        Some(key) => Some(Once::new(&key, &format!("{verb}\n{id}\n{}", serde_json::to_string(body)?))?),
    };
    Ok(Request { expected, once })
}
