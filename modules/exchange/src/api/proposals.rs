//! New services in the interface: hand in, read, decide, take back.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::{Error, Kernel};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Access, Cx, Path, Routes};

use super::page::wrong;
use crate::agreement::Reason;
use crate::ids::{ProposalId, SubsystemId};
use crate::openapi::MAX_BYTES;
use crate::permissions::{DECIDE, OPERATE};
use crate::proposal::{self, New, Proposal, actions, fetch};
use crate::viewer::Viewer;

pub(super) fn routes() -> Routes {
    let (decides, operates) = (Access::Needs(DECIDE), Access::Needs(OPERATE));
    Routes::new()
        .get("/api/exchange/v1/proposals", Access::SignedIn, list)
        .post("/api/exchange/v1/proposals", decides, propose)
        .limit(MAX_BYTES as u64 * 2)
        .get("/api/exchange/v1/proposals/{id}", Access::SignedIn, get)
        .post("/api/exchange/v1/proposals/{id}/approve", operates, approve)
        .post("/api/exchange/v1/proposals/{id}/refuse", operates, refuse)
        .post("/api/exchange/v1/proposals/{id}/withdraw", decides, withdraw)
}

/// A new service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBody {
    /// Identifier of the subsystem that provides it.
    system: String,
    /// Its code within the system.
    code: String,
    name: String,
    /// Where it lives.
    base_url: String,
    /// The OpenAPI document, JSON or YAML, as text; or `url`.
    document: Option<String>,
    /// An address on the operator's list from which to fetch it.
    url: Option<String>,
    /// Paths of fields that are personal, besides those the document marks.
    #[serde(default)]
    personal: Vec<String>,
}

/// A proposal.
#[derive(Serialize, ToSchema)]
pub(super) struct Listed {
    id: String,
    /// Identifier of the subsystem.
    system: String,
    /// `class/member/subsystem`.
    system_key: String,
    code: String,
    name: String,
    base_url: String,
    /// SHA-256 of the description.
    sha256: String,
    personal: Vec<String>,
    /// `waiting`, `approved`, `refused` or `withdrawn`.
    state: &'static str,
    /// RFC 3339.
    proposed_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Identifier of the service it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
}

impl From<Proposal> for Listed {
    fn from(p: Proposal) -> Self {
        Self {
            id: p.id.to_string(),
            system: p.subsystem.to_string(),
            system_key: p.subsystem_key,
            code: p.code,
            name: p.name,
            base_url: p.base_url.as_str().to_owned(),
            sha256: p.sha256,
            personal: p.personal.into_iter().collect(),
            state: p.state.as_str(),
            proposed_at: p.proposed.0.rfc3339(),
            reason: p.reason,
            service: p.service.map(|id| id.to_string()),
        }
    }
}

async fn one(k: &Kernel, cx: &Cx, id: ProposalId) -> Result<Json<Listed>, Error> {
    Ok(Json(proposal::find(&k.db, &Viewer::of(k, cx).await?, id).await?.into()))
}

/// Proposals of the caller's agencies, waiting ones first.
#[utoipa::path(get, path = "/api/exchange/v1/proposals", tag = "exchange", responses((status = 200, body = Vec<Listed>)))]
pub(super) async fn list(State(k): State<Kernel>, cx: Cx) -> web::Result<Json<Vec<Listed>>> {
    let all = proposal::list(&k.db, &Viewer::of(&k, &cx).await?).await?;
    Ok(Json(all.into_iter().map(Listed::from).collect()))
}

/// One proposal.
#[utoipa::path(get, path = "/api/exchange/v1/proposals/{id}", tag = "exchange", params(("id" = String, Path)),
    responses((status = 200, body = Listed)))]
pub(super) async fn get(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ProposalId>,
) -> web::Result<Json<Listed>> {
    Ok(one(&k, &cx, id).await?)
}

/// Hands in a new service of one's own system; the operator decides.
#[utoipa::path(post, path = "/api/exchange/v1/proposals", tag = "exchange", request_body = NewBody,
    responses((status = 201, body = Listed)))]
pub(super) async fn propose(
    State(k): State<Kernel>,
    cx: Cx,
    web::Json(body): web::Json<serde_json::Value>,
) -> web::Result<Response> {
    let body: NewBody = serde_json::from_value(body).map_err(|e| wrong("body", &e.to_string()))?;
    let subsystem: SubsystemId = body.system.parse().map_err(|_| wrong("system", &body.system))?;
    actions::may_propose(&k, &cx, subsystem).await?;
    let base_url = body.base_url.parse().map_err(|text| Error::field("base_url", text))?;
    let document = match (&body.document, &body.url) {
        (Some(text), _) => text.clone().into_bytes(),
        (None, Some(url)) => fetch::fetch(&k, url).await?,
        (None, None) => return Err(wrong("document", "").into()),
    };
    let source = if body.document.is_none() { body.url } else { None };
    let personal = body.personal.into_iter().collect();
    let new = New { subsystem, code: body.code, name: body.name, base_url, document, source, personal };
    let id = actions::propose(&k, &cx, new).await?;
    Ok((StatusCode::CREATED, one(&k, &cx, id).await?).into_response())
}

/// Registers the service.
#[utoipa::path(post, path = "/api/exchange/v1/proposals/{id}/approve", tag = "exchange", params(("id" = String, Path)),
    responses((status = 200, body = Listed)))]
pub(super) async fn approve(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ProposalId>,
) -> web::Result<Json<Listed>> {
    actions::approve(&k, &cx, id).await?;
    Ok(one(&k, &cx, id).await?)
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhyBody {
    /// At most 1,000 characters.
    reason: String,
}

/// Says no.
#[utoipa::path(post, path = "/api/exchange/v1/proposals/{id}/refuse", tag = "exchange", params(("id" = String, Path)),
    request_body = WhyBody, responses((status = 200, body = Listed)))]
pub(super) async fn refuse(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ProposalId>,
    web::Json(body): web::Json<WhyBody>,
) -> web::Result<Json<Listed>> {
    let reason = Reason::new(&body.reason).map_err(|e| Error::Invalid(vec![e]))?;
    actions::refuse(&k, &cx, id, &reason).await?;
    Ok(one(&k, &cx, id).await?)
}

/// Takes it back.
#[utoipa::path(post, path = "/api/exchange/v1/proposals/{id}/withdraw", tag = "exchange", params(("id" = String, Path)),
    responses((status = 200, body = Listed)))]
pub(super) async fn withdraw(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ProposalId>,
) -> web::Result<Json<Listed>> {
    actions::withdraw(&k, &cx, id).await?;
    Ok(one(&k, &cx, id).await?)
}
