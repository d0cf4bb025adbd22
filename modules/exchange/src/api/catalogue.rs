//! Members, subsystems, services and endpoints in the interface. Read only: they change by the declarative file.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use kernel::{Error, Kernel};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Access, Cx, Path, Query, Routes};

use super::page::{Page, limit, parsed};
use crate::ids::{MemberId, ServiceId, SubsystemId};
use crate::store::lists::{self, CatalogueFilter, MemberRow, ServiceRow, SubsystemRow};
use crate::viewer::Viewer;

pub(super) fn routes() -> Routes {
    let access = Access::SignedIn;
    Routes::new()
        .get("/api/exchange/v1/members", access, members)
        .get("/api/exchange/v1/members/{id}", access, member)
        .get("/api/exchange/v1/subsystems", access, subsystems)
        .get("/api/exchange/v1/subsystems/{id}", access, subsystem)
        .get("/api/exchange/v1/services", access, services)
        .get("/api/exchange/v1/services/{id}", access, service)
        .get("/api/exchange/v1/services/{id}/endpoints", access, endpoints)
        .get("/api/exchange/v1/services/{id}/openapi", access, document)
}

/// Which part of a list is asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Words that must occur in name or code.
    q: Option<String>,
    /// Only things of this member.
    member: Option<String>,
    /// Only services of this subsystem.
    subsystem: Option<String>,
    /// Rows per page, at most 200.
    limit: Option<u32>,
    /// The `next` of the page before.
    after: Option<String>,
}

impl Asked {
    fn filter(&self) -> Result<CatalogueFilter, Error> {
        Ok(CatalogueFilter {
            reach: None,
            at: None,
            search: self.q.clone().unwrap_or_default(),
            member: parsed("member", self.member.as_deref())?,
            subsystem: parsed("subsystem", self.subsystem.as_deref())?,
            after: parsed::<base::ids::Uuid>("after", self.after.as_deref())?
                .map(|id| id.hyphenated().to_string()),
            limit: limit(self.limit) + 1,
        })
    }
}

/// A member.
#[derive(Serialize, ToSchema)]
pub(super) struct Member {
    id: String,
    /// Member class, for example `GOV`.
    class: String,
    /// Code within the class.
    code: String,
    /// Name in Vietnamese.
    name: String,
    /// The agency behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    agency: Option<String>,
    /// How many subsystems it has.
    subsystems: i64,
    /// How many services it provides.
    services: i64,
}

impl From<MemberRow> for Member {
    fn from(m: MemberRow) -> Self {
        Self {
            id: m.id.to_string(),
            class: m.class,
            code: m.code,
            name: m.name,
            agency: m.agency.map(|a| a.to_string()),
            subsystems: m.subsystems,
            services: m.services,
        }
    }
}

/// A subsystem.
#[derive(Serialize, ToSchema)]
pub(super) struct Subsystem {
    id: String,
    /// `class/member/subsystem`.
    key: String,
    /// Name in Vietnamese.
    name: String,
    /// Whose it is.
    member: String,
    /// How many services it provides.
    services: i64,
}

impl From<SubsystemRow> for Subsystem {
    fn from(s: SubsystemRow) -> Self {
        Self {
            id: s.id.to_string(),
            key: s.key,
            name: s.name,
            member: s.member.to_string(),
            services: s.services,
        }
    }
}

/// A service.
#[derive(Serialize, ToSchema)]
pub(super) struct Service {
    id: String,
    /// `class/member/subsystem/service`.
    key: String,
    /// Name in Vietnamese.
    name: String,
    /// The subsystem that provides it.
    subsystem: String,
    /// `REST` or `OPENAPI3`.
    kind: &'static str,
    /// Seconds the provider has to begin its answer.
    timeout_seconds: f64,
    /// Whether calls pass.
    enabled: bool,
    /// The provider's notice while they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
    /// SHA-256 of its OpenAPI document.
    #[serde(skip_serializing_if = "Option::is_none")]
    openapi_sha256: Option<String>,
    /// How many endpoints it declares.
    endpoints: i64,
}

impl From<ServiceRow> for Service {
    fn from(s: ServiceRow) -> Self {
        Self {
            id: s.id.to_string(),
            key: s.key,
            name: s.name,
            subsystem: s.subsystem.to_string(),
            kind: s.kind.as_str(),
            timeout_seconds: s.timeout_ms as f64 / 1000.0,
            enabled: s.state.notice().is_none(),
            notice: s.state.notice().filter(|n| !n.is_empty()).map(ToOwned::to_owned),
            openapi_sha256: s.document,
            endpoints: s.endpoints,
        }
    }
}

/// An endpoint of a service.
#[derive(Serialize, ToSchema)]
pub(super) struct Endpoint {
    id: String,
    /// The method, or `*`.
    method: &'static str,
    /// The path pattern.
    path: String,
    /// What it is for.
    name: String,
}

fn missing(kind: &'static str) -> Error {
    Error::NotFound { kind }
}

/// Members in the order of their names.
#[utoipa::path(get, path = "/api/exchange/v1/members", tag = "exchange", params(Asked),
    responses((status = 200, body = Page<Member>)))]
pub(super) async fn members(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<Asked>,
) -> web::Result<Json<Page<Member>>> {
    let viewer = Viewer::of(&k, &cx).await?;
    let rows = lists::members(&k.db, &viewer, &asked.filter()?).await?;
    Ok(Json(Page::of(rows, limit(asked.limit), |r| r.id.to_string(), Member::from)))
}

/// One member.
#[utoipa::path(get, path = "/api/exchange/v1/members/{id}", tag = "exchange", params(("id" = String, Path)),
    responses((status = 200, body = Member)))]
pub(super) async fn member(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<MemberId>,
) -> web::Result<Json<Member>> {
    let viewer = Viewer::of(&k, &cx).await?;
    let row = lists::member(&k.db, &viewer, id).await?;
    Ok(Json(row.ok_or(missing(MemberId::KIND))?.into()))
}

/// Subsystems in the order of their names.
#[utoipa::path(get, path = "/api/exchange/v1/subsystems", tag = "exchange", params(Asked),
    responses((status = 200, body = Page<Subsystem>)))]
pub(super) async fn subsystems(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<Asked>,
) -> web::Result<Json<Page<Subsystem>>> {
    let viewer = Viewer::of(&k, &cx).await?;
    let rows = lists::subsystems(&k.db, &viewer, &asked.filter()?).await?;
    Ok(Json(Page::of(rows, limit(asked.limit), |r| r.id.to_string(), Subsystem::from)))
}

/// One subsystem.
#[utoipa::path(get, path = "/api/exchange/v1/subsystems/{id}", tag = "exchange", params(("id" = String, Path)),
    responses((status = 200, body = Subsystem)))]
pub(super) async fn subsystem(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<SubsystemId>,
) -> web::Result<Json<Subsystem>> {
    let viewer = Viewer::of(&k, &cx).await?;
    let row = lists::subsystem(&k.db, &viewer, id).await?;
    Ok(Json(row.ok_or(missing(SubsystemId::KIND))?.into()))
}

/// Services in the order of their names.
#[utoipa::path(get, path = "/api/exchange/v1/services", tag = "exchange", params(Asked),
    responses((status = 200, body = Page<Service>)))]
pub(super) async fn services(
    State(k): State<Kernel>,
    cx: Cx,
    Query(asked): Query<Asked>,
) -> web::Result<Json<Page<Service>>> {
    let viewer = Viewer::of(&k, &cx).await?;
    let rows = lists::services(&k.db, &viewer, &asked.filter()?).await?;
    Ok(Json(Page::of(rows, limit(asked.limit), |r| r.id.to_string(), Service::from)))
}

/// One service.
#[utoipa::path(get, path = "/api/exchange/v1/services/{id}", tag = "exchange", params(("id" = String, Path)),
    responses((status = 200, body = Service)))]
pub(super) async fn service(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
) -> web::Result<Json<Service>> {
    Ok(Json(seen(&k, &cx, id).await?.into()))
}

/// The endpoints of a service.
#[utoipa::path(get, path = "/api/exchange/v1/services/{id}/endpoints", tag = "exchange",
    params(("id" = String, Path)), responses((status = 200, body = Vec<Endpoint>)))]
pub(super) async fn endpoints(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
) -> web::Result<Json<Vec<Endpoint>>> {
    seen(&k, &cx, id).await?;
    let endpoint = |e: lists::EndpointRow| Endpoint {
        id: e.id.to_string(),
        method: e.route.method.as_str(),
        path: e.route.path.as_str().to_owned(),
        name: e.name,
    };
    Ok(Json(lists::endpoints(&k.db, id).await?.into_iter().map(endpoint).collect()))
}

/// The OpenAPI document of a service, without the provider's addresses.
#[utoipa::path(get, path = "/api/exchange/v1/services/{id}/openapi", tag = "exchange",
    params(("id" = String, Path)), responses((status = 200, content_type = "application/json")))]
pub(super) async fn document(
    State(k): State<Kernel>,
    cx: Cx,
    Path(id): Path<ServiceId>,
) -> web::Result<Response> {
    let sha256 = seen(&k, &cx, id).await?.document.ok_or(missing("openapi"))?;
    let bytes = crate::store::document(&k, &sha256).await?.ok_or(missing("openapi"))?;
    let public = crate::openapi::anonymised(&bytes).map_err(|f| Error::internal(f.sentence().en))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], public).into_response())
}

async fn seen(k: &Kernel, cx: &Cx, id: ServiceId) -> Result<ServiceRow, Error> {
    let viewer = Viewer::of(k, cx).await?;
    lists::service(&k.db, &viewer, id).await?.ok_or(missing(ServiceId::KIND))
}
