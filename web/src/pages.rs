//! Puts the modules' routes behind their doors and adds what the crate serves itself.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get};
use http::Method;
use kernel::Kernel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate};

use crate::access::Access;
use crate::door::{AsItIs, Door, door};
use crate::failure::Failure;
use crate::guard::{Guard, guard};
use crate::nav::Nav;
use crate::routes::{Endpoint, Limit, Route, Routes};
use crate::session::Sessions;
use crate::site::Site;
use crate::{assets, docs, gallery, prefs};

const ASSETS: &str = "/assets/{file}";

/// A module that has pages or an API.
pub trait Pages: kernel::Module {
    /// Its addresses.
    fn routes(&self) -> Routes;
    /// Its entries in the bar of the desk.
    fn nav(&self) -> Vec<Nav> {
        Vec::new()
    }
    /// The description of its API.
    fn openapi(&self) -> Option<utoipa::openapi::OpenApi> {
        None
    }
}

/// Every endpoint of the modules and of this crate, for the coverage test. The gallery exists in the demo only.
pub fn endpoints(modules: &[Arc<dyn Pages>]) -> Vec<Endpoint> {
    let mut all: Vec<Endpoint> =
        modules.iter().flat_map(|m| m.routes().endpoints(m.name()).collect::<Vec<_>>()).collect();
    all.push(Endpoint {
        module: "web",
        method: Method::GET,
        path: ASSETS,
        access: Access::Public,
        door: None,
    });
    all.extend(own(modules, true).endpoints("web"));
    all
}

/// The routes of this crate.
fn own(modules: &[Arc<dyn Pages>], demo: bool) -> Routes {
    let routes = prefs::routes().merge(docs::routes(modules));
    if demo { routes.merge(gallery::routes()) } else { routes }
}

/// The whole site.
///
/// # Panics
///
/// When two modules claim the same address: a fault of the program found by its first test.
pub fn router(k: Kernel, site: Site, sessions: Arc<dyn Sessions>, modules: &[Arc<dyn Pages>]) -> Router {
    let site = Arc::new(site);
    let nav: Arc<[Nav]> = modules.iter().flat_map(|m| m.nav()).collect();
    let at_door = Door { kernel: k.clone(), site: site.clone(), sessions, nav };
    let routes = modules.iter().map(|m| m.routes()).chain([own(modules, site.demo)]);
    let mut app: Router<Kernel> = Router::new();
    for route in routes.flat_map(|r| r.0) {
        app = app.route(route.path, guarded(&at_door, &route));
    }
    // Behind the public door, so that people signed in see what is missing in their own frame.
    let public = Guard {
        door: at_door.clone(),
        access: Access::Public,
        limit: Limit::Streaming,
        front: None,
        screen: "",
    };
    let lost =
        any(async || Failure::no_page()).layer(from_fn_with_state(public, guard)).with_state(k.clone());
    app.route(ASSETS, get(move |request: Request| async move { asset(&site, &request) }))
        .fallback_service(lost)
        .method_not_allowed_fallback(async || Failure::method())
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(at_door, door))
        .layer(CompressionLayer::new().gzip(true).compress_when(DefaultPredicate::new().and(Compressible)))
        .with_state(k)
}

fn guarded(at: &Door, route: &Route) -> MethodRouter<Kernel> {
    let Route { access, limit, door: front, path: screen, .. } = *route;
    let guarding = Guard { door: at.clone(), access, limit, front, screen };
    route.handler.clone().route_layer(from_fn_with_state(guarding, guard))
}

fn asset(site: &Site, request: &Request) -> Response {
    assets::answer(site, request.uri().path(), request.headers())
        .unwrap_or_else(|| Failure::no_page().into_response())
}

/// Leaves streams as they are.
#[derive(Debug, Clone, Copy)]
struct Compressible;

impl Predicate for Compressible {
    fn should_compress<B: http_body::Body>(&self, answer: &http::Response<B>) -> bool {
        answer.extensions().get::<AsItIs>().is_none()
    }
}
