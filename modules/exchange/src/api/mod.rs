//! The JSON interface at `/api/exchange/v1`: translation only. Officials see what their rights show, systems
//! what they take part in; both are decided in the queries themselves.

mod agreements;
mod announcements;
mod calls;
mod catalogue;
mod connections;
mod corner;
mod examinations;
mod monitoring;
mod outages;
mod page;
mod proposals;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use kernel::Kernel;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use web::{Access, Cx, Routes};

use crate::Exchange;
use crate::listen::Keeper;
use crate::permissions;
use crate::viewer::Viewer;

/// The routes.
pub(crate) fn routes(exchange: &Exchange) -> Routes {
    let keeper = Arc::clone(exchange.keeper());
    let at_snapshot = move |k: State<Kernel>, cx: Cx| snapshot(Arc::clone(&keeper), k, cx);
    catalogue::routes()
        .merge(agreements::routes())
        .merge(announcements::routes())
        .merge(proposals::routes())
        .merge(connections::routes())
        .merge(calls::routes(exchange))
        .merge(monitoring::routes(exchange))
        .merge(corner::routes(exchange))
        .merge(outages::routes())
        .merge(examinations::routes(exchange))
        .get("/api/exchange/v1/snapshot", Access::Needs(permissions::READ), at_snapshot)
}

/// The description of the interface.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Trục liên thông / Data exchange",
        description = "Members, systems, services, agreements, calls and their evidence.",
        version = "1"
    ),
    paths(
        catalogue::members,
        catalogue::member,
        catalogue::subsystems,
        catalogue::subsystem,
        catalogue::services,
        catalogue::service,
        catalogue::endpoints,
        catalogue::document,
        connections::list,
        connections::begin,
        connections::get,
        connections::write,
        connections::attach,
        connections::submit,
        connections::withdraw,
        agreements::list,
        agreements::get,
        agreements::history,
        agreements::approve,
        agreements::refuse,
        agreements::suspend,
        agreements::resume,
        agreements::revoke,
        agreements::return_for_more,
        agreements::test,
        agreements::produce,
        agreements::publish,
        proposals::list,
        proposals::get,
        proposals::propose,
        proposals::approve,
        proposals::refuse,
        proposals::withdraw,
        announcements::list,
        announcements::get,
        announcements::announce,
        announcements::acknowledge,
        announcements::confirm,
        announcements::withdraw,
        calls::list,
        calls::get,
        calls::evidence,
        monitoring::operational_data,
        monitoring::health_data,
        outages::list,
        outages::get,
        outages::announce,
        outages::end,
        examinations::list,
        examinations::start,
        examinations::get,
        corner::systems,
        corner::reason,
        corner::runs,
        corner::run,
        corner::one,
        snapshot
    )
)]
pub(crate) struct ApiDoc;

/// The configuration in force on the answering node.
#[derive(Serialize, ToSchema)]
struct SnapshotState {
    /// Grows by one with every change of the registry.
    serial: u64,
    /// The X-Road instance.
    instance: String,
    /// When it was compiled (RFC 3339).
    compiled_at: String,
    /// The first moment at which nothing is decided on it any more (RFC 3339).
    not_after: String,
    /// Whether that moment has passed.
    stale: bool,
    /// Members in it.
    members: usize,
    /// Subsystems in it.
    subsystems: usize,
    /// Services in it.
    services: usize,
    /// Agreements in it, also suspended and revoked ones.
    agreements: usize,
}

/// The configuration in force on the answering node.
#[utoipa::path(get, path = "/api/exchange/v1/snapshot", tag = "exchange", responses((status = 200, body = SnapshotState)))]
async fn snapshot(keeper: Arc<Keeper>, State(k): State<Kernel>, cx: Cx) -> web::Result<Json<SnapshotState>> {
    if Viewer::of(&k, &cx).await? != Viewer::All {
        return Err(kernel::Error::Denied { permission: permissions::READ.name }.into());
    }
    let current = keeper.current();
    let s = current.load();
    let contents = s.contents();
    Ok(Json(SnapshotState {
        serial: s.serial(),
        instance: s.instance().to_owned(),
        compiled_at: s.compiled_at().rfc3339(),
        not_after: s.not_after().rfc3339(),
        stale: s.is_stale(k.clock.now()),
        members: contents.members.len(),
        subsystems: contents.subsystems.len(),
        services: contents.services.len(),
        agreements: contents.agreements.len(),
    }))
}
