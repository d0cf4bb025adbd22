//! Calls in the interface. Nothing personal is given here; the bundle of a call discloses what the caller may
//! see of it.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::clock::{Date, Timestamp};
use kernel::{Error, Kernel};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Access, Cx, Path, Query, Routes};

use super::page::{Page, limit, parsed, wrong};
use crate::store::lists::{self, CallAfter, CallFilter, CallRow, Ending};
use crate::viewer::Viewer;
use crate::{Exchange, bundle};

pub(super) fn routes(exchange: &Exchange) -> Routes {
    let exchange = exchange.clone();
    let bundle = move |k: State<Kernel>, cx: Cx, id: Path<String>, q: Query<Wanted>| {
        evidence(exchange.clone(), k, cx, id, q)
    };
    Routes::new()
        .get("/api/exchange/v1/calls", Access::SignedIn, list)
        .get("/api/exchange/v1/calls/{request_id}", Access::SignedIn, get)
        .get("/api/exchange/v1/calls/{request_id}/evidence", Access::SignedIn, bundle)
}

/// Which calls are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Only calls that arrived from this moment on (RFC 3339, or a date in Vietnam).
    from: Option<String>,
    /// Only calls that arrived before this moment (RFC 3339, or a date in Vietnam).
    until: Option<String>,
    /// Only calls by this subsystem (`instance/class/member/subsystem`).
    client: Option<String>,
    /// Only calls of this service (`instance/class/member/subsystem/service`).
    service: Option<String>,
    /// Only calls under this agreement.
    agreement: Option<String>,
    /// `answered`, `refused`, `failed`, `broken`, `unknown` or `running`.
    ending: Option<String>,
    /// Only the call with this number: `x-road-request-id` or `X-Road-Id`.
    number: Option<String>,
    /// Rows per page, at most 200.
    limit: Option<u32>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// One call.
#[derive(Serialize, ToSchema)]
pub(super) struct Call {
    /// The gateway's number (`x-road-request-id`).
    request_id: String,
    /// The consumer's number (`X-Road-Id`).
    message_id: String,
    client: String,
    service: String,
    /// The agreement that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement_version: Option<i64>,
    /// Number of the configuration by which the call was decided.
    snapshot: i64,
    method: String,
    /// The agreed path pattern, never the path itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    /// When the head of the request had arrived (RFC 3339, here and below).
    request_in: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_out: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_in: Option<String>,
    /// When the record of the end was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_size: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_size: Option<i64>,
    /// HTTP status given to the consumer.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<i64>,
    /// `answered`, `refused`, `failed`, `broken`, `unknown` or `running`.
    ending: &'static str,
    /// How it ended, as recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    /// The fault told to the consumer.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// `sandbox` or `test` when the call did not go to production.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    /// SHA-256 of the agreed fields, in byte order and each followed by a line feed, when only those left.
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    /// How many other fields were taken out of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed_fields: Option<i64>,
}

impl From<CallRow> for Call {
    fn from(c: CallRow) -> Self {
        let ending = c.ending().as_str();
        Self {
            request_id: c.request_id,
            message_id: c.message_id,
            client: c.client,
            service: c.service,
            agreement: c.agreement.map(|a| a.to_string()),
            agreement_version: c.agreement_version,
            snapshot: c.snapshot,
            method: c.method,
            endpoint: c.endpoint,
            request_in: c.request_in.rfc3339(),
            request_out: c.request_out.map(Timestamp::rfc3339),
            response_in: c.response_in.map(Timestamp::rfc3339),
            closed_at: c.closed_at.map(Timestamp::rfc3339),
            request_size: c.request_size,
            response_size: c.response_size,
            status: c.status,
            ending,
            outcome: c.outcome,
            fault: c.fault,
            environment: c.environment,
            removed_fields: c.filter.as_ref().map(|(_, removed)| *removed),
            filter: c.filter.map(|(fields, _)| fields),
        }
    }
}

/// A moment, or a date that stands for its beginning in Vietnam.
fn moment(name: &str, value: Option<&str>) -> Result<Option<Timestamp>, Error> {
    let Some(value) = value.filter(|v| !v.is_empty()) else { return Ok(None) };
    if let Ok(at) = value.parse::<Timestamp>() {
        return Ok(Some(at));
    }
    value.parse::<Date>().map(|d| Some(Timestamp::start_of(d))).map_err(|_| wrong(name, value))
}

/// Calls in which the caller takes part, newest first.
#[utoipa::path(get, path = "/api/exchange/v1/calls", tag = "exchange", params(Asked),
    responses((status = 200, body = Page<Call>)))]
pub(super) async fn list(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<Asked>,
) -> web::Result<Json<Page<Call>>> {
    let paths = Viewer::of(&k, &cx).await?.paths(&k).await?;
    let ending = match asked.ending.as_deref().filter(|e| !e.is_empty()) {
        None => None,
        Some(word) => Some(Ending::from_word(word).ok_or_else(|| wrong("ending", word))?),
    };
    let filter = CallFilter {
        from: moment("from", asked.from.as_deref())?,
        until: moment("until", asked.until.as_deref())?,
        client: asked.client.filter(|v| !v.is_empty()),
        service: asked.service.filter(|v| !v.is_empty()),
        agreement: parsed("agreement", asked.agreement.as_deref())?,
        ending,
        number: asked.number.filter(|v| !v.is_empty()),
        after: parsed("after", asked.after.as_deref())?,
        limit: limit(asked.limit) + 1,
        ..CallFilter::default()
    };
    let rows = lists::calls(&k.db, paths.as_deref(), &filter).await?;
    let next = |r: &CallRow| CallAfter { at: r.request_in, request_id: r.request_id.clone() }.to_string();
    Ok(Json(Page::of(rows, limit(asked.limit), next, Call::from)))
}

/// One call.
#[utoipa::path(get, path = "/api/exchange/v1/calls/{request_id}", tag = "exchange",
    params(("request_id" = String, Path)), responses((status = 200, body = Call)))]
pub(super) async fn get(
    State(k): State<Kernel>,
    cx: Cx,
    Path(request_id): Path<String>,
) -> web::Result<Json<Call>> {
    let paths = Viewer::of(&k, &cx).await?.paths(&k).await?;
    let found = lists::call(&k.db, paths.as_deref(), &request_id).await?;
    Ok(Json(found.ok_or(Error::NotFound { kind: "exchange.call" })?.into()))
}

/// What of a call is to be disclosed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// `personal`: also path, query and the person asking, for officers with that right. Each time is recorded.
    disclose: Option<String>,
}

/// The evidence of a call: a file that `lienthong verify` checks without a network. Systems get it for calls in
/// which they are consumer or provider.
#[utoipa::path(get, path = "/api/exchange/v1/calls/{request_id}/evidence", tag = "exchange",
    params(("request_id" = String, Path), Wanted), responses((status = 200, content_type = "application/json")))]
pub(super) async fn evidence(
    exchange: Exchange,
    State(k): State<Kernel>,
    cx: Cx,
    Path(request_id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> web::Result<Response> {
    let personal = match wanted.disclose.as_deref() {
        None | Some("") => false,
        Some("personal") => true,
        Some(other) => return Err(wrong("disclose", other).into()),
    };
    let bundle = bundle::issue(&exchange, &k, &cx, &request_id, personal).await?;
    Ok(bundle::file(&request_id, &bundle))
}
