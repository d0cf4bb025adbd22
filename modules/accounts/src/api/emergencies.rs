//! Emergency rights as JSON: the same acts as on the pages.

use axum::Json;
use axum::extract::{Extension, State};
use http::StatusCode;
use kernel::clock::Timestamp;
use kernel::identity::emergency::Emergency;
use kernel::orgs::UnitId;
use kernel::{EmergencyId, Error, Kernel};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Cx, Json as Body, Path, Query};

use super::{Items, page_size};
use crate::actions::emergency::{self as acts, Asking};
use crate::actions::wrong;
use crate::{Accounts, t};

/// An emergency right.
#[derive(Serialize, ToSchema)]
pub(super) struct EmergencyView {
    /// Identifier.
    id: String,
    /// `asked`, `lapsed`, `refused`, `withdrawn`, `running`, `over` or `reviewed`.
    state: &'static str,
    /// Code of what was asked for.
    right: String,
    /// Over which agency; absent for the province.
    #[serde(skip_serializing_if = "Option::is_none")]
    agency: Option<String>,
    /// Who asked.
    person: String,
    /// Why.
    reason: String,
    /// For how many minutes.
    minutes: u32,
    /// When it was asked for (RFC 3339).
    asked_at: String,
    /// Who answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    /// When (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_at: Option<String>,
    /// When it ends or has ended (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    over_at: Option<String>,
    /// Until when it must be reviewed (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    review_due: Option<String>,
    /// Who reviewed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reviewed_by: Option<String>,
    /// Whether what was done was found justified.
    #[serde(skip_serializing_if = "Option::is_none")]
    justified: Option<bool>,
}

fn view(e: &Emergency, now: Timestamp) -> EmergencyView {
    EmergencyView {
        id: e.id.to_string(),
        state: e.standing(now).name(),
        right: e.right.clone(),
        agency: e.agency.map(|unit| unit.to_string()),
        person: e.person.to_string(),
        reason: e.reason.clone(),
        minutes: e.minutes,
        asked_at: e.asked_at.rfc3339(),
        decided_by: e.decided.as_ref().map(|d| d.by.to_string()),
        decided_at: e.decided.as_ref().map(|d| d.at.rfc3339()),
        over_at: e.over_at().map(Timestamp::rfc3339),
        review_due: e.review_due().map(Timestamp::rfc3339),
        reviewed_by: e.reviewed.as_ref().map(|r| r.by.to_string()),
        justified: e.reviewed.as_ref().map(|r| r.justified),
    }
}

/// Which are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Rows per page, at most 200.
    limit: Option<u32>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// A request.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AskBody {
    /// Code of the right, for example `operator`.
    right: String,
    /// Over which agency, where the right is over one.
    agency: Option<String>,
    /// Why, 10 to 1,000 characters.
    reason: String,
    /// For how many minutes, 15 to 240.
    minutes: u32,
}

/// What is said with an answer.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Words {
    /// At most 1,000 characters.
    words: String,
}

/// A review.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReviewBody {
    /// Whether everything done under it was justified.
    justified: bool,
    /// What was found, 10 to 1,000 characters.
    words: String,
}

/// Emergency rights: all for who reads over the province, otherwise one's own; the last one first.
#[utoipa::path(get, path = "/api/accounts/v1/emergencies", tag = "accounts", params(Asked),
    responses((status = 200, description = "items, next", body = [EmergencyView])))]
pub(super) async fn list(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<Asked>,
) -> web::Result<Json<Items<EmergencyView>>> {
    let limit = page_size(asked.limit);
    let before = match asked.after.as_deref().map(str::parse::<EmergencyId>).transpose() {
        Ok(before) => before,
        Err(e) => return Err(e.into()),
    };
    let now = k.clock.now();
    let rows = acts::list(&k, &cx, before, limit + 1).await?;
    let views = rows.iter().map(|e| view(e, now)).collect();
    Ok(Json(Items::new(views, limit, |v: &EmergencyView| v.id.clone())))
}

/// Asks for a right for a few hours. Somebody else must grant it.
#[utoipa::path(post, path = "/api/accounts/v1/emergencies", tag = "accounts", request_body = AskBody,
    responses((status = 201, body = EmergencyView), (status = 409, description = "one waits or runs already")))]
pub(super) async fn ask(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Body(body): Body<AskBody>,
) -> web::Result<(StatusCode, Json<EmergencyView>)> {
    let agency = body.agency.as_deref().map(str::parse::<UnitId>).transpose();
    let agency = agency.map_err(|_| Error::Invalid(vec![wrong("agency", t::emergency_needs_agency)]))?;
    let asking = Asking { right: body.right, agency, reason: body.reason, minutes: body.minutes };
    let id = acts::ask(&a, &k, &cx, &asking).await?;
    Ok((StatusCode::CREATED, shown(&k, &cx, id).await?))
}

async fn shown(k: &Kernel, cx: &Cx, id: EmergencyId) -> web::Result<Json<EmergencyView>> {
    Ok(Json(view(&acts::get(k, cx, id).await?, k.clock.now())))
}

/// One emergency right.
#[utoipa::path(get, path = "/api/accounts/v1/emergencies/{emergency}", tag = "accounts",
    params(("emergency" = String, Path, description = "identifier")),
    responses((status = 200, body = EmergencyView), (status = 404, description = "unknown, or somebody else's")))]
pub(super) async fn get(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<EmergencyId>,
) -> web::Result<Json<EmergencyView>> {
    shown(&k, &cx, id).await
}

/// Grants a request of somebody else: in force at once, ended by itself.
#[utoipa::path(post, path = "/api/accounts/v1/emergencies/{emergency}/grant", tag = "accounts",
    params(("emergency" = String, Path, description = "identifier")), request_body = Words,
    responses((status = 200, body = EmergencyView), (status = 409, description = "not waiting, or not by this person")))]
pub(super) async fn grant(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<EmergencyId>,
    Body(said): Body<Words>,
) -> web::Result<Json<EmergencyView>> {
    acts::grant(&a, &k, &cx, id, &said.words).await?;
    shown(&k, &cx, id).await
}

/// Refuses a request of somebody else.
#[utoipa::path(post, path = "/api/accounts/v1/emergencies/{emergency}/refuse", tag = "accounts",
    params(("emergency" = String, Path, description = "identifier")), request_body = Words,
    responses((status = 200, body = EmergencyView), (status = 409, description = "not waiting, or not by this person")))]
pub(super) async fn refuse(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<EmergencyId>,
    Body(said): Body<Words>,
) -> web::Result<Json<EmergencyView>> {
    acts::refuse(&a, &k, &cx, id, &said.words).await?;
    shown(&k, &cx, id).await
}

/// Takes one's own request back.
#[utoipa::path(post, path = "/api/accounts/v1/emergencies/{emergency}/withdraw", tag = "accounts",
    params(("emergency" = String, Path, description = "identifier")),
    responses((status = 200, body = EmergencyView), (status = 409, description = "not waiting")))]
pub(super) async fn withdraw(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<EmergencyId>,
) -> web::Result<Json<EmergencyView>> {
    acts::withdraw(&a, &k, &cx, id).await?;
    shown(&k, &cx, id).await
}

/// Ends a running one early.
#[utoipa::path(post, path = "/api/accounts/v1/emergencies/{emergency}/end", tag = "accounts",
    params(("emergency" = String, Path, description = "identifier")),
    responses((status = 200, body = EmergencyView), (status = 409, description = "not running")))]
pub(super) async fn end(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<EmergencyId>,
) -> web::Result<Json<EmergencyView>> {
    acts::end(&a, &k, &cx, id).await?;
    shown(&k, &cx, id).await
}

/// Says what a third person found of one that is over.
#[utoipa::path(post, path = "/api/accounts/v1/emergencies/{emergency}/review", tag = "accounts",
    params(("emergency" = String, Path, description = "identifier")), request_body = ReviewBody,
    responses((status = 200, body = EmergencyView), (status = 409, description = "not over, or not by this person")))]
pub(super) async fn review(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    Path(id): Path<EmergencyId>,
    Body(said): Body<ReviewBody>,
) -> web::Result<Json<EmergencyView>> {
    acts::review(&a, &k, &cx, id, said.justified, &said.words).await?;
    shown(&k, &cx, id).await
}
