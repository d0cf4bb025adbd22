//! What goes wrong, for people and for programs.

use http::StatusCode;

use crate::support::site;

const ENGLISH: (&str, &str) = ("accept-language", "en");

#[tokio::test]
async fn people_get_pages_and_programs_get_problems() {
    let site = site().await;
    let page = site.get("/nowhere").await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (StatusCode::NOT_FOUND, "text/html; charset=utf-8")
    );
    assert!(page.text().contains("<html lang=\"vi\"") && page.text().contains(page.header("x-request-id")));
    for line in ["GET /api/nowhere", "GET /nowhere"] {
        let problem = site.send(line, &[("accept", "application/json")], "").await;
        assert_eq!(
            (problem.status, problem.header("content-type")),
            (StatusCode::NOT_FOUND, "application/problem+json")
        );
        let body = problem.json();
        assert_eq!(
            (&body["type"], &body["status"]),
            (&"urn:lienthong:problem:not-found".into(), &404.into())
        );
        assert_eq!(body["instance"], problem.header("x-request-id"));
    }
}

#[tokio::test]
async fn causes_stay_in_the_log() {
    let site = site().await;
    for (path, status) in [
        ("/broken", StatusCode::INTERNAL_SERVER_ERROR),
        ("/panics", StatusCode::INTERNAL_SERVER_ERROR),
        ("/away", StatusCode::SERVICE_UNAVAILABLE),
    ] {
        for accept in ["text/html", "application/json"] {
            let answer = site.send(&format!("GET {path}"), &[("accept", accept)], "").await;
            assert_eq!(answer.status, status, "{path}");
            let text = answer.text();
            for secret in ["secret cause", "on purpose", "gone", "database"] {
                assert!(!text.contains(secret), "{path} tells {secret:?}");
            }
        }
    }
    assert_eq!(site.get("/away").await.header("retry-after"), "30");
}

#[tokio::test]
async fn people_signed_in_see_errors_in_their_own_frame() {
    let site = site().await;
    assert!(site.get_as("reader", "/nowhere").await.text().contains("Trần Thị Hà"));
    let denied = site.get_as("reader", "/things/new").await.text();
    assert!(denied.contains("Trần Thị Hà") && denied.contains("things.write"));
    assert!(!site.get("/nowhere").await.text().contains("lt-desk"));
}

#[tokio::test]
async fn wrong_requests_are_told_what_is_wrong() {
    let site = site().await;
    let token = ("authorization", "Bearer t-system");
    let post = async |kind: &str, body: &'static str| {
        site.send("POST /api/things/v1/things", &[token, ("content-type", kind)], body).await
    };
    let half = post("application/json", "{\"name\":").await;
    assert_eq!(
        (half.status, half.json()["errors"][0]["field"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("body"))
    );
    assert_eq!(post("application/json", "{}").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(post("text/plain", "x").await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let method = site.send("DELETE /api/things/v1/things", &[token], "").await;
    assert_eq!(
        (method.status, method.json()["type"].as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, Some("urn:lienthong:problem:method-not-allowed"))
    );
    assert_eq!(site.get_as("reader", "/things/not-a-number").await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get_as("reader", "/things/7").await.text(), "7");
}

#[tokio::test]
async fn a_session_that_ended_loses_nothing_typed() {
    let site = site().await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    let post = site.send("POST /things", &[("cookie", "lienthong=s-over"), form], "name=x").await;
    assert_eq!(post.status, StatusCode::UNAUTHORIZED, "no redirect, so that going back brings the form");
    assert!(post.text().contains("href=\"/login\""));
    let live = site.send("GET /things", &[("hx-request", "true")], "").await;
    assert_eq!(live.status, StatusCode::UNAUTHORIZED, "a live part must not swallow the sign-in page");
}

#[tokio::test]
async fn every_kind_of_error_has_its_page_in_both_languages() {
    let site = site().await;
    for kind in
        ["denied", "refused", "conflict", "too-many", "too-large", "unavailable", "internal", "not-found"]
    {
        let path = format!("GET /gallery/errors/{kind}");
        let vi = site.send(&path, &[], "").await;
        let en = site.send(&path, &[ENGLISH], "").await;
        assert!(vi.status.is_client_error() || vi.status.is_server_error(), "{kind}");
        for (answer, words) in
            [(vi, ["Dữ liệu", "Cần làm gì", "Mã yêu cầu"]), (en, ["Your data", "What to do", "Request code"])]
        {
            let text = answer.text();
            assert!(words.iter().all(|w| text.contains(w)), "{kind}");
            assert!(text.contains(answer.header("x-request-id")), "{kind}");
        }
    }
}

#[tokio::test]
async fn every_page_leads_to_a_report_that_knows_the_page_and_nothing_of_what_was_searched() {
    let site = site().await;
    for (path, known) in [
        ("/open?q=Nguyen", "screen=%2Fopen"),
        ("/broken", "fault=urn%3Alienthong%3Aproblem%3Ainternal"),
        ("/nowhere?q=Nguyen", "fault=urn%3Alienthong%3Aproblem%3Anot-found"),
    ] {
        let page = site.get(path).await.text();
        let link = page.split("href=\"").find(|part| part.starts_with("/report?")).unwrap();
        let link = link.split('"').next().unwrap();
        assert!(
            link.contains(known) && link.contains("request=") && !link.contains("Nguyen"),
            "{path}: {link}"
        );
    }
    let denied = site.get_as("reader", "/things/new").await.text();
    assert!(denied.contains("screen=%2Fthings%2Fnew%20things.write"), "{denied}");
}
