//! The interface `/api/notices/v1`: messages, sending them again, having one sent; and the delivery reports of gateways.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::error::Error;
use base::i18n::Text;
use http::{HeaderMap, StatusCode, header};
use kernel::alerts::Severity;
use kernel::notices::Channel;
use kernel::once::{self, Once};
use kernel::{Kernel, Scope};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};
use web::{Access, Cx, Path, Query, Routes};

use crate::actions::messages as acts;
use crate::message::{Message, MessageId, State as Stands};
use crate::office::Office;
use crate::permissions::{OPERATE, READ, SEND};
use crate::store::messages::{self, Filter};
use crate::t;

/// Most messages of one answer.
const MOST: u32 = 200;
/// Header in which a gateway proves a report to be its own.
const PROOF: &str = "x-report-secret";
/// Largest delivery report, in bytes.
const MAX_REPORT: u64 = 16 << 10;

pub(crate) fn routes(o: &Arc<Office>) -> Routes {
    let office = o.clone();
    Routes::new()
        .get("/api/notices/v1/messages", Access::Needs(READ), list)
        .post("/api/notices/v1/messages", Access::Needs(SEND), send)
        .get("/api/notices/v1/messages/{message}", Access::Needs(READ), one)
        .post("/api/notices/v1/messages/{message}/retry", Access::Needs(OPERATE), retry)
        .post("/api/notices/v1/reports/{channel}", Access::Public, move |k, p, h, b| {
            report(office.clone(), k, p, h, b)
        })
        .limit(MAX_REPORT)
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tin báo / Notices",
        description = "Messages to people, their delivery, and having one sent.",
        version = "1"
    ),
    paths(list, send, one, retry, report)
)]
struct Document;

/// The description of the interface.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// A message. Addresses are masked, people are named by their identifier.
#[derive(Serialize, ToSchema)]
struct MessageView {
    /// Identifier.
    message: String,
    /// Which template it was written by.
    template: String,
    /// `email`, `sms`, `chat`; none when there was no address.
    channel: Option<String>,
    /// The address, masked.
    to: String,
    /// Whose it is: a person's identifier.
    person: Option<String>,
    /// Whose it is: a body or system.
    recipient: Option<String>,
    /// The subject.
    subject: String,
    /// `waiting`, `sent`, `delivered`, `refused`, `dead`, `withdrawn` or `unreached`.
    state: String,
    /// Why the last attempt failed.
    reason: Option<String>,
    /// Attempts so far.
    attempts: i64,
    /// When it was written.
    created_at: String,
    /// When its state changed last.
    changed_at: String,
}

/// A page of messages.
#[derive(Serialize, ToSchema)]
struct MessageList {
    /// The messages, the newest first.
    items: Vec<MessageView>,
    /// `after` of the next page.
    next: Option<String>,
}

/// A message with its text and attempts.
#[derive(Serialize, ToSchema)]
struct WholeView {
    /// The message.
    #[serde(flatten)]
    message: MessageView,
    /// The text as it was sent; codes are left out.
    text: String,
    /// Every attempt and report, the last one first.
    history: Vec<AttemptView>,
}

/// One attempt or report.
#[derive(Serialize, ToSchema)]
struct AttemptView {
    /// Counted from 1.
    number: i64,
    /// When.
    at: String,
    /// `sent`, `later`, `refused`, `dead`, `delivered`.
    outcome: String,
    /// What the gateway said.
    reason: Option<String>,
}

/// Which messages are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    /// Only those in this state.
    state: Option<String>,
    /// How many at most, 1 to 200; 50 unless given.
    limit: Option<u32>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// What is to be sent, and to whom.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SendInput {
    /// Code of the role whose holders are told.
    role: String,
    /// Identifier of the agency at which they hold it; everywhere without it.
    #[serde(default)]
    agency: Option<String>,
    /// One line, at most 150 characters.
    subject: String,
    /// At most 5000 characters.
    text: String,
    /// Told at any hour.
    #[serde(default)]
    critical: bool,
}

/// A notice that will be sent.
#[derive(Serialize, ToSchema)]
struct SentView {
    /// Identifier of the notice.
    notice: String,
}

/// A delivery report.
#[derive(Debug, Deserialize, ToSchema)]
struct ReportInput {
    /// The reference given when the message was taken.
    reference: String,
    /// Whether it arrived.
    delivered: bool,
}

fn view(m: &Message) -> MessageView {
    MessageView {
        message: m.id.to_string(),
        template: m.template.clone(),
        channel: m.channel.map(|c| c.name().to_owned()),
        to: m.masked.clone(),
        person: m.person.map(|p| p.to_string()),
        recipient: Some(m.recipient.clone()).filter(|r| !r.is_empty()),
        subject: m.subject.clone(),
        state: m.state.name().to_owned(),
        reason: m.reason.clone(),
        attempts: m.attempts,
        created_at: m.created_at.rfc3339(),
        changed_at: m.changed_at.rfc3339(),
    }
}

/// Messages, the newest first.
#[utoipa::path(get, path = "/api/notices/v1/messages", tag = "notices", params(Asked),
    responses((status = 200, body = MessageList), (status = 422, description = "a bad parameter")))]
async fn list(State(k): State<Kernel>, cx: Cx, Query(asked): Query<Asked>) -> web::Result<Json<MessageList>> {
    cx.may(READ, &Scope::province())?;
    let limit = asked.limit.unwrap_or(50);
    if !(1..=MOST).contains(&limit) {
        return Err(Error::field("limit", Text::both(|l| t::limit_range(l, MOST))).into());
    }
    let bad = |field: &str| Error::field(field, Text::both(t::parameter_unknown));
    let state = match asked.state.as_deref() {
        None => None,
        Some(name) => Some(Stands::from_name(name).ok_or_else(|| bad("state"))?),
    };
    let after = match asked.after.as_deref() {
        None => None,
        Some(id) => Some(id.parse().map_err(|_| bad("after"))?),
    };
    let mut found =
        messages::list(&k.db, &Filter { state, after, limit: limit + 1, ..Filter::default() }).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|m| m.id.to_string());
    Ok(Json(MessageList { items: found.iter().map(view).collect(), next }))
}

/// One message with its text and every attempt.
#[utoipa::path(get, path = "/api/notices/v1/messages/{message}", tag = "notices",
    params(("message" = String, Path, description = "identifier")),
    responses((status = 200, body = WholeView), (status = 404, description = "unknown")))]
async fn one(State(k): State<Kernel>, cx: Cx, Path(id): Path<MessageId>) -> web::Result<Json<WholeView>> {
    cx.may(READ, &Scope::province())?;
    let m = messages::one(&k.db, id).await?.ok_or(Error::NotFound { kind: MessageId::KIND })?;
    let history = messages::attempts(&k.db, id).await?;
    let attempt = |a: crate::message::Attempt| AttemptView {
        number: a.number,
        at: a.at.rfc3339(),
        outcome: a.outcome,
        reason: a.reason,
    };
    Ok(Json(WholeView {
        message: view(&m),
        text: m.body.clone(),
        history: history.into_iter().map(attempt).collect(),
    }))
}

/// Sends a refused or dead message again.
#[utoipa::path(post, path = "/api/notices/v1/messages/{message}/retry", tag = "notices",
    params(("message" = String, Path, description = "identifier")),
    responses((status = 204, description = "it waits again"), (status = 404, description = "unknown"),
        (status = 409, description = "it has not failed")))]
async fn retry(State(k): State<Kernel>, cx: Cx, Path(id): Path<MessageId>) -> web::Result<StatusCode> {
    acts::retry(&k, &cx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has a message sent to everybody who holds a role. Honours `Idempotency-Key`.
#[utoipa::path(post, path = "/api/notices/v1/messages", tag = "notices", request_body = SendInput,
    responses((status = 201, body = SentView), (status = 200, body = SentView, description = "the same request again"),
        (status = 409, description = "the key was used for another request"), (status = 422, description = "bad values")))]
async fn send(
    State(k): State<Kernel>,
    cx: Cx,
    headers: HeaderMap,
    web::Json(input): web::Json<SendInput>,
) -> web::Result<Response> {
    let once = match headers.get(once::HEADER).map(|v| v.to_str().unwrap_or_default()) {
        None => None,
        Some(key) => {
            let asked = serde_json::to_string(&input).map_err(Error::internal)?;
            Some(Once::new(key, &format!("POST messages {asked}"))?)
        }
    };
    let bad = |_| Error::field("agency", Text::both(t::parameter_unknown));
    let agency = input.agency.as_deref().map(str::parse).transpose().map_err(bad)?;
    let severity = if input.critical { Severity::Critical } else { Severity::Warning };
    let wanted =
        acts::Wanted { role: input.role, agency, subject: input.subject, text: input.text, severity };
    let (notice, fresh) = acts::send(&k, &cx, &wanted, once.as_ref()).await?;
    let status = if fresh { StatusCode::CREATED } else { StatusCode::OK };
    let location = [(header::LOCATION, "/api/notices/v1/messages".to_owned())];
    Ok((status, location, Json(SentView { notice: notice.to_string() })).into_response())
}

/// Takes in a gateway's delivery report, proved by the secret in `X-Report-Secret`. A repetition changes nothing.
#[utoipa::path(post, path = "/api/notices/v1/reports/{channel}", tag = "notices", request_body = ReportInput,
    params(("channel" = String, Path, description = "`sms` or `chat`")),
    responses((status = 204, description = "taken in"), (status = 403, description = "not the gateway's"),
        (status = 422, description = "not a report")))]
async fn report(
    o: Arc<Office>,
    State(k): State<Kernel>,
    Path(channel): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> web::Result<StatusCode> {
    let proof = headers.get(PROOF).map(|v| v.as_bytes()).unwrap_or_default();
    let gateway = Channel::from_name(&channel).and_then(|c| o.gateway(c));
    // Proved first: nothing is told to who is not the gateway, not even whether the channel exists.
    let Some(gateway) = gateway.filter(|g| g.proves(proof)) else {
        return Err(Error::Denied { permission: "notices.report" }.into());
    };
    let input: ReportInput =
        serde_json::from_slice(&body).map_err(|_| Error::field("body", Text::both(t::parameter_unknown)))?;
    acts::report(&k, gateway.channel(), &input.reference, input.delivered).await?;
    Ok(StatusCode::NO_CONTENT)
}
