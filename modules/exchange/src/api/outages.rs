//! Interruptions of services in the interface: which there are, telling the consumers of one, and that it is over. The
//! same action as the page's button; whoever is told and how is decided in `outage`.

use axum::Json;
use axum::extract::State;
use base::clock::Timestamp;
use base::i18n::Text;
use http::StatusCode;
use kernel::{Error, Kernel};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Access, Cx, Path, Query, Routes};

use super::page::{Page, limit, parsed, wrong};
use crate::ids::ServiceId;
use crate::outage::{self, Outage, OutageId, Typed};
use crate::store::outages::{self, Listed};
use crate::viewer::Viewer;
use crate::{permissions, t};

pub(super) fn routes() -> Routes {
    let operates = Access::Needs(permissions::OPERATE);
    Routes::new()
        .get("/api/exchange/v1/outages", Access::SignedIn, list)
        .get("/api/exchange/v1/outages/{outage}", Access::SignedIn, get)
        .post("/api/exchange/v1/services/{id}/outage", operates, announce)
        .post("/api/exchange/v1/services/{id}/outage/end", operates, end)
}

/// Which interruptions are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// `open` or `ended`; both without it.
    state: Option<String>,
    /// Rows per page, at most 200.
    limit: Option<u32>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// An interruption of which consumers were told.
#[derive(Serialize, ToSchema)]
pub(super) struct OutageView {
    id: String,
    /// Identifier of the service.
    service: String,
    service_name: String,
    /// `open` or `ended`.
    state: &'static str,
    /// When it began (RFC 3339).
    since: String,
    /// What is known of it, as consumers were told.
    known: String,
    /// When it is expected to be over, in words; absent when that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    /// When consumers were told (RFC 3339).
    told_at: String,
    /// When they were told that it is over (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
}

impl From<Outage> for OutageView {
    fn from(o: Outage) -> Self {
        Self {
            id: o.id.to_string(),
            service: o.service.to_string(),
            service_name: o.service_name,
            state: if o.ended_at.is_some() { "ended" } else { "open" },
            since: o.since.rfc3339(),
            known: o.known,
            expected: Some(o.expected).filter(|e| !e.is_empty()),
            told_at: o.told_at.rfc3339(),
            ended_at: o.ended_at.map(Timestamp::rfc3339),
        }
    }
}

/// What consumers are told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Told {
    /// When it began (RFC 3339); told to the minute. Now unless given.
    since: Option<String>,
    /// What is known of it, at most 1,000 characters; the prepared sentence unless given.
    known: Option<String>,
    /// When it is expected to be over, in words.
    #[serde(default)]
    expected: String,
}

/// How many were told.
#[derive(Serialize, ToSchema)]
pub(super) struct Count {
    /// Consumers told.
    consumers: i64,
}

/// Interruptions of services that the caller's systems consume or provide, the last one first; operators see all.
#[utoipa::path(get, path = "/api/exchange/v1/outages", tag = "exchange", params(Asked),
    responses((status = 200, description = "items, next", body = [OutageView])))]
pub(super) async fn list(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<Asked>,
) -> web::Result<Json<Page<OutageView>>> {
    let viewer = Viewer::of(&k, &cx).await?;
    let is_open = match asked.state.as_deref().filter(|s| !s.is_empty()) {
        None => None,
        Some("open") => Some(true),
        Some("ended") => Some(false),
        Some(other) => return Err(wrong("state", other).into()),
    };
    let limit = limit(asked.limit);
    let after = parsed::<OutageId>("after", asked.after.as_deref())?;
    let wanted = Listed { id: None, is_open, after, limit: limit + 1 };
    let rows = outages::list(&k.db, &viewer, &wanted).await?;
    Ok(Json(Page::of(rows, limit, |o| o.id.to_string(), OutageView::from)))
}

/// One interruption.
#[utoipa::path(get, path = "/api/exchange/v1/outages/{outage}", tag = "exchange",
    params(("outage" = String, Path, description = "identifier")),
    responses((status = 200, body = OutageView), (status = 404, description = "unknown, or not the caller's matter")))]
pub(super) async fn get(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<OutageId>,
) -> web::Result<Json<OutageView>> {
    let viewer = Viewer::of(&k, &cx).await?;
    let wanted = Listed { id: Some(id), is_open: None, after: None, limit: 1 };
    let found = outages::list(&k.db, &viewer, &wanted).await?.into_iter().next();
    Ok(Json(found.ok_or(Error::NotFound { kind: OutageId::KIND })?.into()))
}

/// Tells the consumers of a service that it is interrupted.
#[utoipa::path(post, path = "/api/exchange/v1/services/{id}/outage", tag = "exchange",
    params(("id" = String, Path, description = "service")), request_body = Told,
    responses((status = 201, body = Count), (status = 409, description = "told already, or nobody to tell")))]
pub(super) async fn announce(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
    web::Json(told): web::Json<Told>,
) -> web::Result<(StatusCode, Json<Count>)> {
    let since = match &told.since {
        None => k.clock.now(),
        Some(text) => text.parse().map_err(|_| Error::field("since", Text::both(t::outage_bad_since)))?,
    };
    let shown = since.vn();
    let (date, time) = shown.split_once(' ').unwrap_or((&shown, ""));
    let typed = Typed {
        since_date: date.to_owned(),
        since_time: time.to_owned(),
        known: told.known.unwrap_or_else(|| t::outage_prepared(cx.lang).to_owned()),
        expected: told.expected,
    };
    let consumers = outage::announce(&k, &cx, id, &typed).await?;
    Ok((StatusCode::CREATED, Json(Count { consumers })))
}

/// Tells those who were told that the service is back.
#[utoipa::path(post, path = "/api/exchange/v1/services/{id}/outage/end", tag = "exchange",
    params(("id" = String, Path, description = "service")),
    responses((status = 200, body = Count), (status = 409, description = "no interruption is open")))]
pub(super) async fn end(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
) -> web::Result<Json<Count>> {
    Ok(Json(Count { consumers: outage::end(&k, &cx, id).await? }))
}
