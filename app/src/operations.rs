//! Addresses for machines that watch the platform - alive, ready, metrics - and the way from `/` to the first page.

use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use exchange::Exchange;
use http::{HeaderMap, StatusCode, header};
use kernel::entrance::FrontDoor;
use kernel::{Kernel, Module};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde::Deserialize;
use serde_json::json;
use web::{Access, Pages, Redirect, Routes};

use crate::measures;

/// `[operations]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Who scrapes metrics presents this as a bearer token; without it metrics are not served.
    pub metrics_token: Option<String>,
}

/// The module.
pub struct Operations {
    modules: Arc<OnceLock<Vec<Arc<dyn Module>>>>,
    exchange: Arc<Exchange>,
}

impl Operations {
    /// Checks readiness by the diagnostics of `modules`, which are named once all are built.
    pub fn new(modules: Arc<OnceLock<Vec<Arc<dyn Module>>>>, exchange: Arc<Exchange>) -> Self {
        Self { modules, exchange }
    }
}

impl Module for Operations {
    fn name(&self) -> &'static str {
        "operations"
    }
}

impl Pages for Operations {
    fn routes(&self) -> Routes {
        let (modules, exchange) = (self.modules.clone(), self.exchange.clone());
        Routes::new()
            .get("/", Access::Public, async |cx: web::Cx| Redirect::to(start(&cx)))
            .door(None)
            .get("/healthz", Access::Public, async || "ok\n")
            .door(Some(FrontDoor::Operations))
            .get("/readyz", Access::Public, async move |State(k): State<Kernel>| readyz(&k, &modules).await)
            .door(Some(FrontDoor::Operations))
            .get("/metrics", Access::Public, async move |k: State<Kernel>, request: Request| {
                metrics(k, &exchange, request).await
            })
            .door(Some(FrontDoor::Operations))
    }
}

/// The first page of whoever comes: the exchange, for who may see it or is to sign in; else what everybody may read.
fn start(cx: &kernel::Cx) -> &'static str {
    if !cx.entrance.opens(FrontDoor::Console) {
        return "/units";
    }
    let may = !cx.signed_in() || cx.may_somewhere(exchange::permissions::READ).is_ok();
    if may { "/exchange" } else { "/catalogues" }
}

/// Ready means: the database answers and every module's checks are well, apart from those about content.
async fn readyz(k: &Kernel, modules: &OnceLock<Vec<Arc<dyn Module>>>) -> Response {
    let database = k.db.query("SELECT 1 AS one", vec![]).await.is_ok();
    let mut failing = Vec::new();
    for module in modules.get().into_iter().flatten() {
        failing.extend(module.diagnose(k).await.into_iter().filter(|f| !f.ok).map(|f| f.check));
        let advisory = [
            accounts::ADVISORY,
            catalogues::ADVISORY,
            notices::ADVISORY,
            backups::ADVISORY,
            crate::renewal::ADVISORY,
            support::ADVISORY,
        ];
        failing.retain(|check| !advisory.iter().any(|own| own.contains(check)));
    }
    // The gateway serves from its snapshot while the database is away; pages do not. Say both.
    let ready = database && failing.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(json!({"ready": ready, "database": database, "failing": failing}))).into_response()
}

/// The process-wide recorder of metrics.
pub fn recorder() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = measures::builder().unwrap_or_else(|e| {
            tracing::error!(error = %e, "latencies are not kept as histograms");
            PrometheusBuilder::new()
        });
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        match metrics::set_global_recorder(recorder) {
            Ok(()) => measures::describe(),
            Err(_) => tracing::warn!("metrics are recorded elsewhere"),
        }
        handle
    })
}

async fn metrics(State(k): State<Kernel>, exchange: &Exchange, request: Request) -> Response {
    let wanted = k.config.section::<Settings>("operations").unwrap_or_default().metrics_token;
    match wanted {
        Some(token) if bearer(request.headers()).is_some_and(|given| same(given, &token)) => {
            measures::observe(&k, exchange).await;
            let text = recorder().render();
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// Compares without telling by its time how much was right.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |d, (x, y)| d | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn tokens_are_compared_whole() {
        assert!(same("abc", "abc"));
        assert!(!same("abc", "abd") && !same("abc", "ab") && !same("", "a"));
    }
}
