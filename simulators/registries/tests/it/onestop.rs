//! The one-stop client against a small front door of our own, which checks every header as the platform would.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use base::clock::SystemClock;
use http::{HeaderMap, StatusCode};
use registries::onestop::{self, Config, Errand, Kind};
use registries::{Population, Register};

/// What the front door has seen.
#[derive(Default)]
struct Door {
    tokens: AtomicU64,
    calls: AtomicU64,
    /// After how many calls the first token stops working.
    expire_after: u64,
}

async fn token(State(door): State<Arc<Door>>, headers: HeaderMap, body: String) -> Response {
    // "kiosk:secret" in base64
    if headers.get("authorization").is_none_or(|v| v != "Basic a2lvc2s6c2VjcmV0") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    assert_eq!(body, "grant_type=client_credentials");
    let n = door.tokens.fetch_add(1, Ordering::SeqCst) + 1;
    axum::Json(
        serde_json::json!({"access_token": format!("t{n}"), "token_type": "Bearer", "expires_in": 3600}),
    )
    .into_response()
}

async fn call(State(door): State<Arc<Door>>, request: Request) -> Response {
    let n = door.calls.fetch_add(1, Ordering::SeqCst) + 1;
    let headers = request.headers();
    let good = format!("Bearer t{}", door.tokens.load(Ordering::SeqCst));
    if headers["authorization"].to_str().unwrap() != good || (n > door.expire_after && good == "Bearer t1") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    assert_eq!(headers["x-road-client"], "VN/GOV/H56/motcua");
    assert!(headers["x-road-userid"].to_str().unwrap().starts_with("VN/CB-"));
    let echo = [("x-road-id", headers["x-road-id"].clone()), ("x-road-request-id", "r".parse().unwrap())];
    let path = request.uri().path();
    if path.starts_with("/r1/VN/GOV/H56/dancu/persons/persons/") {
        (echo, "{}").into_response()
    } else if path.starts_with("/r1/VN/GOV/H56/dkkd/extract/enterprises/") {
        (StatusCode::INTERNAL_SERVER_ERROR, [("x-road-error", "server.serverproxy.access_denied")])
            .into_response()
    } else if path.starts_with("/r1/VN/GOV/H56/dkkd/enterprises/enterprises") {
        (StatusCode::INTERNAL_SERVER_ERROR, [("x-road-error", "server.serverproxy.service_failed")])
            .into_response()
    } else {
        panic!("unexpected path {path}")
    }
}

async fn door(expire_after: u64) -> (Arc<Door>, String) {
    let door = Arc::new(Door { expire_after, ..Door::default() });
    let router =
        Router::new().route("/token", post(token)).route("/r1/{*rest}", any(call)).with_state(door.clone());
    let listener = tokio::net::TcpListener::bind(crate::ANY).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (door, url)
}

fn config(url: &str, errands: &[(&str, Kind)]) -> Config {
    Config {
        front_door: url.to_owned(),
        token_url: format!("{url}/token"),
        client_id: "kiosk".to_owned(),
        client_secret: "secret".to_owned(),
        client: "VN/GOV/H56/motcua".to_owned(),
        errands: errands
            .iter()
            .map(|(service, kind)| Errand { service: (*service).to_owned(), kind: *kind, weight: 1 })
            .collect(),
        rate: 500.0,
        daily_rhythm: false,
        people: Arc::new(Population::invent(1, 20, &[])),
        enterprises: Arc::new(Register::invent(1, 20, &[])),
        seed: 1,
        root: None,
    }
}

async fn until(mut done: impl FnMut() -> bool) {
    for _ in 0..500 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("did not happen within 10 s");
}

#[tokio::test]
async fn answers_refusals_and_errors_are_told_apart() {
    let (_, url) = door(u64::MAX).await;
    let client = onestop::start(
        config(
            &url,
            &[
                ("VN/GOV/H56/dancu/persons", Kind::Person),
                ("VN/GOV/H56/dancu/persons", Kind::Verify),
                ("VN/GOV/H56/dkkd/extract", Kind::Extract),
                ("VN/GOV/H56/dkkd/enterprises", Kind::Search),
            ],
        ),
        Arc::new(SystemClock),
    )
    .unwrap();
    until(|| {
        let c = client.counts();
        c.answers > 5 && c.refusals > 5 && c.errors > 5
    })
    .await;
    assert!(client.last_trouble().unwrap().contains("server.serverproxy."));
    client.shutdown().await;
}

#[tokio::test]
async fn a_refused_token_is_fetched_again_and_no_call_is_lost() {
    let (door, url) = door(10).await;
    let config = config(&url, &[("VN/GOV/H56/dancu/persons", Kind::Person)]);
    let client = onestop::start(config, Arc::new(SystemClock)).unwrap();
    until(|| client.counts().answers > 30).await;
    assert!(door.tokens.load(Ordering::SeqCst) >= 2);
    assert_eq!(client.counts().errors + client.counts().refusals, 0, "{:?}", client.last_trouble());
    client.shutdown().await;
}

#[tokio::test]
async fn a_platform_that_is_away_is_counted_and_does_not_stop_the_client() {
    let config = config("http://127.0.0.1:9", &[("VN/GOV/H56/dancu/persons", Kind::Person)]);
    let client = onestop::start(config, Arc::new(SystemClock)).unwrap();
    until(|| client.counts().errors > 3).await;
    client.shutdown().await;
}

#[tokio::test]
async fn nothing_to_do_is_said_at_the_start() {
    let clock = || Arc::new(SystemClock);
    assert!(onestop::start(config("http://127.0.0.1:9", &[]), clock()).is_err());
    let mut never = config("http://127.0.0.1:9", &[("VN/GOV/H56/dancu/persons", Kind::Person)]);
    never.rate = 0.0;
    assert!(onestop::start(never, clock()).is_err());
}
