//! The list of endpoints, for tests that walk over all of them; and the description of APIs.

use std::sync::Arc;

use web::{Access, Pages, endpoints};

use crate::support::{READ, Things, site};

#[test]
fn every_endpoint_is_listed_with_its_access() {
    let modules: Vec<Arc<dyn Pages>> = vec![Arc::new(Things)];
    let all = endpoints(&modules);
    let find = |method: &str, path: &str| {
        all.iter().find(|e| e.method.as_str() == method && e.path == path).unwrap()
    };
    assert_eq!(
        (find("GET", "/things").access, find("GET", "/things").module),
        (Access::Needs(READ), "things")
    );
    assert_eq!(find("GET", "/things").access.name(), "things.read");
    assert_eq!(find("POST", "/raw").access, Access::Public);
    for own in [
        "/assets/{file}",
        "/language/{lang}",
        "/appearance/{look}",
        "/api/docs",
        "/api/openapi.json",
        "/gallery",
    ] {
        assert_eq!(find("GET", own).module, "web");
    }
}

#[tokio::test]
async fn the_apis_are_described() {
    let site = site().await;
    let document = site.get("/api/openapi.json").await;
    assert_eq!(document.header("content-type"), "application/json");
    assert!(document.json()["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(
        document.json()["paths"]["/api/things/v1/things"]["post"]["tags"][0],
        "things",
        "named after its module"
    );
    let page = site.get("/api/docs").await.text();
    assert!(page.contains("Giao diện lập trình (API)") && page.contains(web::assets::DOCS_JS), "{page}");
    assert!(page.contains("data-try=\"/api/things/v1/things\"") && page.contains("Makes a thing"));
}
