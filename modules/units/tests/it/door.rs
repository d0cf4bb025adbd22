//! The module behind the real door, asked by strangers: units are public.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use kernel::{Cx, Kernel, Module};
use testkit::TestKernel;
use tower::ServiceExt;
use units::{Lists, Units};
use web::{Pages, Sessions, Site, Visitor};

/// Nobody is signed in.
struct Nobody;

#[async_trait]
impl Sessions for Nobody {
    async fn by_cookie(&self, _: &Kernel, _: &str) -> kernel::Result<Option<Visitor>> {
        Ok(None)
    }
    async fn by_bearer(
        &self,
        _: &Kernel,
        _: &str,
        _: &kernel::entrance::Arrival,
    ) -> kernel::Result<Option<Visitor>> {
        Ok(None)
    }
}

pub fn modules() -> Vec<Arc<dyn Module>> {
    vec![Arc::new(Units)]
}

pub fn router(t: &TestKernel) -> Router {
    let pages: Vec<Arc<dyn Pages>> = vec![Arc::new(Units)];
    let site = Site::from_config(&t.kernel.config).unwrap();
    web::router(t.kernel.clone(), site, Arc::new(Nobody), &pages)
}

/// The shipped lists, imported.
pub async fn imported(t: &TestKernel) -> units::Imported {
    let k = &t.kernel;
    units::import(k, &Cx::kernel("test", k.clock.now()), Lists::Shipped, false).await.unwrap()
}

pub async fn get_as(router: &Router, uri: &str, lang: &str) -> (StatusCode, String) {
    let request = Request::get(uri)
        .header(header::HOST, "127.0.0.1:8080")
        .header(header::ACCEPT_LANGUAGE, lang)
        .body(Body::empty())
        .unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

pub async fn get(router: &Router, uri: &str) -> (StatusCode, String) {
    get_as(router, uri, "vi").await
}
