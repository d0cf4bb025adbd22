//! What each endpoint answers to whom. Messages, rota and templates belong to the whole province, one's ways to oneself.

use http::StatusCode;
use kernel::Reach;
use notices::permissions;

use crate::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_refuses_strangers_and_people_without_the_right() {
    for backend in testkit::backends() {
        let d = Desk::new(backend).await;
        let open = d.app.wrongly_open().await;
        assert!(open.is_empty(), "{open:#?}");
        let public: Vec<_> =
            d.app.endpoints().iter().filter(|e| e.access == web::Access::Public).map(|e| e.path).collect();
        assert_eq!(
            public.iter().filter(|p| p.contains("notices")).collect::<Vec<_>>(),
            [&"/api/notices/v1/reports/{channel}"]
        );
        d.app.t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_over_an_agency_are_none_over_the_province() {
    let d = Desk::new(testkit::backends()[0]).await;
    let agency = kernel::orgs::UnitId::new(&*d.k().clock, &*d.k().random);
    let neighbour = d.app.log_in_as(permissions::ALL, &Reach::Agencies([agency].into()));
    for path in [
        "/notices",
        "/notices/duty",
        "/notices/templates",
        "/notices/templates/plain",
        "/api/notices/v1/messages",
    ] {
        assert_eq!(neighbour.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    for path in ["/notices/retry-dead", "/notices/duty/copy", "/notices/templates/plain/reset"] {
        assert_eq!(neighbour.post_form(path, &[]).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let body = serde_json::json!({"role": "operator", "subject": "x", "text": "x"});
    let sent = neighbour.post_json("/api/notices/v1/messages", &body).await;
    assert_eq!(sent.status, StatusCode::FORBIDDEN);
    let reader = d.app.log_in_as(&[permissions::READ], &Reach::Province);
    let page = reader.get("/notices/duty").await.text();
    assert!(
        !page.contains("/remove") && !page.contains("Thêm ca trực"),
        "nobody is offered what will be refused"
    );
    d.app.t.close().await;
}
