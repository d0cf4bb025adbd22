//! The interface gives the same answers to programs, and insists on a day.

use http::StatusCode;
use serde_json::Value;
use testkit::on_both;

use crate::door::{get, imported, modules, router};

async fn json(app: &axum::Router, uri: &str) -> (StatusCode, Value) {
    let (status, text) = get(app, uri).await;
    (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{uri}: {text}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_days_and_successors() {
    on_both(&modules(), |t| async move {
        imported(&t).await;
        let app = router(&t);
        let (_, old) = json(&app, "/api/units/v1/codes/14797?on=2025-06-30").await;
        let (_, new) = json(&app, "/api/units/v1/codes/14797?on=2025-07-01").await;
        assert_eq!(
            (&old["full_name"], &new["full_name"]),
            (&"Phường Đông Hải".into(), &"Phường Hạc Thành".into())
        );
        assert_ne!(old["id"], new["id"]);
        assert_eq!(old["above"], serde_json::json!(["Thành phố Thanh Hóa", "Tỉnh Thanh Hóa"]));
        assert_eq!((&old["valid_to"], &old["from_known"]), (&"2025-07-01".into(), &false.into()));
        assert_eq!((&new["type"], &new["act"]), (&"ward".into(), &"1686/NQ-UBTVQH15".into()));

        let (_, became) = json(&app, "/api/units/v1/codes/14758/became?on=2025-06-30&until=2026-11-22").await;
        assert_eq!(became["ambiguous"], true);
        assert_eq!(became["now"].as_array().unwrap().len(), 2);
        assert_eq!(became["steps"][0]["kind"], "split");
        assert!(
            became["steps"][0]["share"].is_null() && became["steps"][0]["functions_transferred"].is_null()
        );
        let (_, same) = json(&app, "/api/units/v1/codes/14797/became?on=2025-07-01").await;
        assert_eq!((&same["ambiguous"], same["steps"].as_array().unwrap().len()), (&false.into(), 0));

        let id = new["id"].as_str().unwrap();
        let (_, unit) = json(&app, &format!("/api/units/v1/units/{id}?on=2026-01-01")).await;
        assert_eq!(unit["code"], "14797");
        let (status, _) = json(&app, &format!("/api/units/v1/units/{id}?on=2025-06-30")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "it did not exist yet");
        let (_, province) = json(&app, "/api/units/v1/codes/38?on=2026-01-01").await;
        let id = province["id"].as_str().unwrap();
        let (_, children) = json(&app, &format!("/api/units/v1/units/{id}/children?on=2026-01-01")).await;
        assert_eq!(children["items"].as_array().unwrap().len(), 166);

        let (_, found) = json(&app, "/api/units/v1/units?q=tan%20tien&on=2025-07-01&limit=5").await;
        assert_eq!((found["items"].as_array().unwrap().len(), &found["more"]), (5, &true.into()));
        let (_, states) = json(&app, "/api/units/v1/states").await;
        assert_eq!(states[1], serde_json::json!({"from": "2025-07-01", "from_known": true}));
        assert_eq!(states[0]["from_known"], false);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_without_a_day_are_refused() {
    on_both(&modules(), |t| async move {
        let app = router(&t);
        for uri in [
            "/api/units/v1/codes/14797",
            "/api/units/v1/codes/14797?on=",
            "/api/units/v1/codes/14797?on=31-06-2025",
            "/api/units/v1/codes/14797/became?on=2025-06-30&until=hom-nay",
            "/api/units/v1/units?q=a",
            "/api/units/v1/units?q=a&on=2025-07-01&limit=0",
            "/api/units/v1/units?q=a&on=2025-07-01&limit=201",
        ] {
            let (status, problem) = json(&app, uri).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{uri}");
            assert!(problem["type"].as_str().unwrap().starts_with("urn:lienthong:problem:"), "{problem}");
        }
        let (status, _) = json(&app, "/api/units/v1/codes/14797?on=2025-06-30").await;
        assert_eq!(status, StatusCode::NOT_FOUND, "nothing is imported");
    })
    .await;
}

#[test]
fn every_route_of_the_interface_is_described() {
    use web::Pages;
    let document = serde_json::to_value(units::Units.openapi().unwrap()).unwrap();
    let described: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    let modules: Vec<std::sync::Arc<dyn Pages>> = vec![std::sync::Arc::new(units::Units)];
    let routes = web::endpoints(&modules);
    let routes: Vec<&str> = routes.iter().map(|e| e.path).filter(|p| p.starts_with("/api/units/")).collect();
    assert_eq!(routes.len(), described.len());
    assert!(routes.iter().all(|r| described.iter().any(|d| d == r)), "{described:?}");
}
