//! Versions in the interface: drafting, publishing, discarding.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use kernel::{Error, Kernel};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Cx, Path};

use super::{answer, day, if_match, repeatable, required_day, tagged};
use crate::actions;
use crate::questions;
use crate::version::{Outline, Period, Version};

/// A version.
#[derive(Serialize, ToSchema)]
pub(super) struct VersionView {
    number: i64,
    /// `draft`, `published` or `superseded`.
    state: &'static str,
    /// First day (ISO 8601).
    valid_from: String,
    /// Last day as published, included; absent when without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<String>,
    /// Last day on which it answers, after what later versions took; absent while without end. Before `valid_from`
    /// when it answers no day any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    answers_to: Option<String>,
    /// The act behind it.
    #[serde(skip_serializing_if = "String::is_empty")]
    act: String,
    /// What changed and why.
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
    rows: i64,
    /// Grows with every change of a draft.
    revision: i64,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    published_at: Option<String>,
    /// Number of the version that replaced it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded_by: Option<i64>,
}

impl From<&Version> for VersionView {
    fn from(v: &Version) -> Self {
        Self {
            number: v.number,
            state: v.state.as_str(),
            valid_from: v.from().to_string(),
            valid_to: v.outline.period.to.map(|d| d.to_string()),
            answers_to: v.last_day.map(|d| d.to_string()),
            act: v.outline.act.clone(),
            note: v.outline.note.clone(),
            rows: v.rows,
            revision: v.revision,
            published_at: v.published_at.map(|at| at.rfc3339()),
            superseded_by: v.superseded_by,
        }
    }
}

/// Versions of a catalogue, newest first; drafts only for its editors.
#[utoipa::path(get, path = "/api/catalogues/v1/catalogues/{code}/versions", tag = "versions",
    params(("code" = String, Path)), responses((status = 200, body = Vec<VersionView>), (status = 404, description = "unknown")))]
pub(super) async fn list(
    State(k): State<Kernel>,
    cx: Cx,
    Path(code): Path<String>,
) -> web::Result<Json<Vec<VersionView>>> {
    let c = questions::find(&k, &cx, &code).await?;
    Ok(Json(questions::versions_of(&k, &cx, &c).await?.iter().map(VersionView::from).collect()))
}

/// One version; its `ETag` is its revision.
#[utoipa::path(get, path = "/api/catalogues/v1/catalogues/{code}/versions/{number}", tag = "versions",
    params(("code" = String, Path), ("number" = i64, Path), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = VersionView), (status = 304, description = "not changed"),
        (status = 404, description = "unknown")))]
pub(super) async fn get(
    State(k): State<Kernel>,
    cx: Cx,
    Path((code, number)): Path<(String, i64)>,
    headers: HeaderMap,
) -> web::Result<Response> {
    let c = questions::find(&k, &cx, &code).await?;
    let v = questions::version(&k, &cx, &c, number).await?;
    // What later versions leave of it is not counted by the revision.
    let tag = match v.superseded_by {
        None => v.revision.to_string(),
        Some(by) => format!("{}-{by}", v.revision),
    };
    answer(&headers, &tag, async { Ok(VersionView::from(&v)) }).await
}

/// A draft to be begun.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DraftBody {
    /// First day (ISO 8601).
    valid_from: String,
    /// Last day, included; without end when left out.
    #[serde(default)]
    valid_to: Option<String>,
    /// The act behind it.
    #[serde(default)]
    act: String,
    /// What changes and why.
    #[serde(default)]
    note: String,
    /// Begin with the rows of the version before instead of none.
    #[serde(default)]
    copy: bool,
}

/// Begins a draft; one at a time. Honours `Idempotency-Key`.
#[utoipa::path(post, path = "/api/catalogues/v1/catalogues/{code}/versions", tag = "versions",
    params(("code" = String, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = DraftBody,
    responses((status = 201, body = VersionView), (status = 200, body = VersionView, description = "begun before"),
        (status = 404, description = "unknown"), (status = 409, description = "another draft is open"),
        (status = 422, description = "some values are not valid")))]
pub(super) async fn draft(
    State(k): State<Kernel>,
    cx: Cx,
    Path(code): Path<String>,
    headers: HeaderMap,
    web::Json(body): web::Json<DraftBody>,
) -> web::Result<Response> {
    let once = repeatable(&headers, &format!("draft {code}"), &body)?;
    let from = required_day("valid_from", Some(&body.valid_from))?;
    let to = day("valid_to", body.valid_to.as_deref())?;
    let period = Period::new(from, to).map_err(|e| Error::Invalid(vec![e]))?;
    let outline = Outline { period, act: body.act, note: body.note };
    let (made, before) = actions::draft(&k, &cx, &code, outline, body.copy, once.as_ref()).await?;
    let status = if before { StatusCode::OK } else { StatusCode::CREATED };
    let place = format!("/api/catalogues/v1/catalogues/{code}/versions/{}", made.number);
    let tag = tagged(&made.revision.to_string());
    Ok((status, tag, [(header::LOCATION, place)], Json(VersionView::from(&made))).into_response())
}

/// Publishes a draft. Cannot be undone. Honours `If-Match` with the draft's revision.
#[utoipa::path(post, path = "/api/catalogues/v1/catalogues/{code}/versions/{number}/publish", tag = "versions",
    params(("code" = String, Path), ("number" = i64, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = VersionView), (status = 404, description = "unknown"),
        (status = 409, description = "changed meanwhile, or the rules say no")))]
pub(super) async fn publish(
    State(k): State<Kernel>,
    cx: Cx,
    Path((code, number)): Path<(String, i64)>,
    headers: HeaderMap,
) -> web::Result<Response> {
    let made = actions::publish(&k, &cx, &code, number, if_match(&headers)?).await?;
    Ok((tagged(&made.revision.to_string()), Json(VersionView::from(&made))).into_response())
}

/// Takes a draft away with its rows. Honours `If-Match`.
#[utoipa::path(delete, path = "/api/catalogues/v1/catalogues/{code}/versions/{number}", tag = "versions",
    params(("code" = String, Path), ("number" = i64, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "done"), (status = 404, description = "unknown"),
        (status = 409, description = "changed meanwhile, or not a draft")))]
pub(super) async fn discard(
    State(k): State<Kernel>,
    cx: Cx,
    Path((code, number)): Path<(String, i64)>,
    headers: HeaderMap,
) -> web::Result<StatusCode> {
    actions::discard(&k, &cx, &code, number, if_match(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
