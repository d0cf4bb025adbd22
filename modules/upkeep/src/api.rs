//! The interface `/api/upkeep/v1`: the checks and alerts of the morning page for programs that watch.

use axum::Json;
use axum::extract::State;
use base::clock::Timestamp;
use base::i18n::Text;
use kernel::alerts::{self, AlertId, Occurrence};
use kernel::{Error, Kernel};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};
use web::{Access, Cx, Path, Query, Routes};

use crate::check::{Check, Standing, State as Stands};
use crate::permissions::{ACKNOWLEDGE, READ, may_read};
use crate::{Upkeep, t};

/// Most alerts of one answer.
const MOST: u32 = 200;

pub(crate) fn routes(upkeep: &Upkeep) -> Routes {
    let reads = Access::Needs(READ);
    let (u, u2) = (upkeep.clone(), upkeep.clone());
    Routes::new()
        .get("/api/upkeep/v1/checks", reads, move |k: State<Kernel>, cx: Cx| checks(u.clone(), k, cx))
        .get("/api/upkeep/v1/alerts", reads, list)
        .get("/api/upkeep/v1/alerts/{alert}", reads, one)
        .get(
            "/api/upkeep/v1/alerts/{alert}/told",
            reads,
            move |k: State<Kernel>, cx: Cx, p: Path<AlertId>| told(u2.clone(), k, cx, p),
        )
        .post("/api/upkeep/v1/alerts/{alert}/acknowledge", Access::Needs(ACKNOWLEDGE), acknowledge)
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vận hành / Upkeep",
        description = "Checks of the platform and its open alerts.",
        version = "1"
    ),
    paths(checks, list, one, told, acknowledge)
)]
struct Document;

/// The description of the interface.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// Every check, and how everything stands.
#[derive(Serialize, ToSchema)]
struct ChecksView {
    /// When the answer was given (RFC 3339).
    at: String,
    /// `well`, `watch` or `trouble`: checks and open alerts together.
    standing: String,
    /// Open alerts, at most 200.
    open_alerts: usize,
    /// The checks.
    checks: Vec<CheckView>,
}

/// One check.
#[derive(Serialize, ToSchema)]
struct CheckView {
    /// Stable name.
    check: String,
    /// What was checked.
    title: String,
    /// How it stands.
    state: Stands,
    /// What was found.
    text: String,
    /// What to do, where it is not well.
    todo: Option<String>,
}

/// One occurrence of an alert.
#[derive(Serialize, ToSchema)]
struct AlertView {
    /// Identifier of the occurrence.
    alert: String,
    /// Stable key of the fault.
    key: String,
    /// `warning` or `critical`.
    #[schema(value_type = String)]
    severity: alerts::Severity,
    /// What is wrong.
    title: String,
    /// What was found, and on whose side.
    cause: String,
    /// What to do.
    todo: String,
    /// Whom it hurts; at most 100 are named.
    affected: Vec<AffectedView>,
    /// How many it hurts.
    affected_count: i64,
    /// Since when (RFC 3339).
    since: String,
    /// When it was last found so (RFC 3339).
    seen_at: String,
    /// When it was well again (RFC 3339); absent while open.
    #[serde(skip_serializing_if = "Option::is_none")]
    cleared_at: Option<String>,
    /// When somebody took it on (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_at: Option<String>,
}

/// Somebody an alert hurts.
#[derive(Serialize, ToSchema)]
struct AffectedView {
    /// Kind of the thing, for example `exchange.subsystem`.
    kind: String,
    /// Its identifier.
    id: String,
    /// Its name.
    name: String,
}

/// Alerts, with where the next page begins.
#[derive(Serialize, ToSchema)]
struct AlertList {
    /// The alerts.
    items: Vec<AlertView>,
    /// `after` of the next page.
    next: Option<String>,
}

/// Which alerts are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    /// `open` (also without it), the most urgent first; `cleared`, the last one first.
    state: Option<String>,
    /// How many at most, 1 to 200; 50 unless given.
    limit: Option<u32>,
    /// The `next` of the page before; for `cleared` only.
    after: Option<String>,
}

/// What is said with an acknowledgement.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct NoteInput {
    /// What is being done about it, at most 500 characters.
    note: String,
}

/// Every check of the platform, made within the last seconds.
#[utoipa::path(get, path = "/api/upkeep/v1/checks", tag = "upkeep", responses((status = 200, body = ChecksView)))]
async fn checks(upkeep: Upkeep, State(k): State<Kernel>, cx: Cx) -> web::Result<Json<ChecksView>> {
    may_read(&cx)?;
    let overview = upkeep.overview(&k).await?;
    let standing = match overview.standing() {
        Standing::Well => "well",
        Standing::Watch => "watch",
        Standing::Trouble => "trouble",
    };
    let view = |c: Check| CheckView {
        check: c.name,
        title: c.title.get(cx.lang).to_owned(),
        state: c.state,
        text: c.text.get(cx.lang).to_owned(),
        todo: c.todo.map(|todo| todo.get(cx.lang).to_owned()),
    };
    Ok(Json(ChecksView {
        at: overview.at.rfc3339(),
        standing: standing.to_owned(),
        open_alerts: overview.alerts.len(),
        checks: overview.checks.into_iter().map(view).collect(),
    }))
}

/// Alerts: those that are open, or those that are over.
#[utoipa::path(get, path = "/api/upkeep/v1/alerts", tag = "upkeep", params(Asked),
    responses((status = 200, body = AlertList), (status = 422, description = "a bad parameter")))]
async fn list(State(k): State<Kernel>, cx: Cx, Query(asked): Query<Asked>) -> web::Result<Json<AlertList>> {
    may_read(&cx)?;
    let limit = asked.limit.unwrap_or(50);
    if !(1..=MOST).contains(&limit) {
        return Err(Error::field("limit", Text::both(|l| t::limit_range(l, MOST))).into());
    }
    let after = asked.after.as_deref().map(cursor).transpose()?;
    let view = |a: &Occurrence| view(&cx, a);
    match asked.state.as_deref().unwrap_or("open") {
        "open" if after.is_none() => {
            let items = alerts::open(&k.db, limit).await?.iter().map(view).collect();
            Ok(Json(AlertList { items, next: None }))
        }
        "cleared" => {
            let mut found = alerts::cleared(&k.db, after, limit + 1).await?;
            let more = found.len() > limit as usize;
            found.truncate(limit as usize);
            let last = found
                .last()
                .filter(|_| more)
                .and_then(|a| Some(format!("{}.{}", a.cleared_at?.micros(), a.id)));
            Ok(Json(AlertList { items: found.iter().map(view).collect(), next: last }))
        }
        _ => Err(Error::field("state", Text::both(t::state_unknown)).into()),
    }
}

/// One occurrence of an alert.
#[utoipa::path(get, path = "/api/upkeep/v1/alerts/{alert}", tag = "upkeep",
    params(("alert" = String, Path, description = "identifier")),
    responses((status = 200, body = AlertView), (status = 404, description = "unknown")))]
async fn one(State(k): State<Kernel>, cx: Cx, Path(id): Path<AlertId>) -> web::Result<Json<AlertView>> {
    may_read(&cx)?;
    let found = alerts::one(&k.db, id).await?.ok_or(Error::NotFound { kind: AlertId::KIND })?;
    Ok(Json(view(&cx, &found)))
}

/// Somebody who was told of an alert, or was to be.
#[derive(Serialize, ToSchema)]
struct ToldView {
    /// When it was written (RFC 3339).
    at: String,
    /// When its state changed last (RFC 3339).
    changed_at: String,
    /// Who.
    whom: String,
    /// Over which channel; absent when they have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    over: Option<String>,
    /// The address there, mostly hidden.
    masked: String,
    /// How far it is, in a word.
    state: String,
    /// Whether it arrived or was taken; absent while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    arrived: Option<bool>,
    /// What the other side said.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Who was told of an alert when over which channel, and what came back, the first one first. Empty without the right to
/// see messages.
#[utoipa::path(get, path = "/api/upkeep/v1/alerts/{alert}/told", tag = "upkeep",
    params(("alert" = String, Path, description = "identifier")),
    responses((status = 200, body = [ToldView]), (status = 404, description = "unknown")))]
async fn told(
    upkeep: Upkeep,
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AlertId>,
) -> web::Result<Json<Vec<ToldView>>> {
    may_read(&cx)?;
    alerts::one(&k.db, id).await?.ok_or(Error::NotFound { kind: AlertId::KIND })?;
    let view = |one: kernel::Told| ToldView {
        at: one.at.rfc3339(),
        changed_at: one.changed_at.rfc3339(),
        whom: one.whom,
        over: one.over.map(|o| o.get(cx.lang).to_owned()),
        masked: one.masked,
        state: one.state.get(cx.lang).to_owned(),
        arrived: one.arrived,
        reason: one.reason,
    };
    Ok(Json(upkeep.told(&k, &cx, id).await?.into_iter().map(view).collect()))
}

/// Says that the actor looks after an open alert.
#[utoipa::path(post, path = "/api/upkeep/v1/alerts/{alert}/acknowledge", tag = "upkeep",
    params(("alert" = String, Path, description = "identifier")), request_body = NoteInput,
    responses((status = 200, body = AlertView), (status = 404, description = "unknown"),
        (status = 409, description = "over, or taken on by somebody else")))]
async fn acknowledge(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<AlertId>,
    web::Json(input): web::Json<NoteInput>,
) -> web::Result<Json<AlertView>> {
    may_read(&cx)?;
    alerts::acknowledge(&k, &cx, id, &input.note).await?;
    let found = alerts::one(&k.db, id).await?.ok_or(Error::NotFound { kind: AlertId::KIND })?;
    Ok(Json(view(&cx, &found)))
}

fn cursor(text: &str) -> kernel::Result<(Timestamp, AlertId)> {
    let parse = || {
        let (at, id) = text.split_once('.')?;
        Some((Timestamp::from_micros(at.parse().ok()?), id.parse().ok()?))
    };
    parse().ok_or_else(|| Error::field("after", Text::both(t::cursor_unknown)))
}

fn view(cx: &Cx, a: &Occurrence) -> AlertView {
    let affected = |one: &alerts::Affected| AffectedView {
        kind: one.of.kind.clone(),
        id: one.of.id.clone(),
        name: one.name.clone(),
    };
    AlertView {
        alert: a.id.to_string(),
        key: a.key.clone(),
        severity: a.severity,
        title: a.title.get(cx.lang).to_owned(),
        cause: a.cause.get(cx.lang).to_owned(),
        todo: a.todo.get(cx.lang).to_owned(),
        affected: a.affected.iter().map(affected).collect(),
        affected_count: a.affected_count,
        since: a.since.rfc3339(),
        seen_at: a.seen_at.rfc3339(),
        cleared_at: a.cleared_at.map(Timestamp::rfc3339),
        acknowledged_at: a.acknowledged.as_ref().map(|by| by.at.rfc3339()),
    }
}
