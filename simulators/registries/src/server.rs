//! Serves a router over HTTP/1.1 with believable delays and, where the switch says so, puts a failure on the wire
//! byte by byte, which no well-behaved HTTP library would send.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::dice::Dice;
use crate::fault::{self, Fault, Faults};
use crate::problem::Problem;
use crate::wire::{Line, Script};

/// More open connections than this wait to be accepted.
const MAX_CONNECTIONS: usize = 512;

/// How long an answer takes: usually `typical`, a little more or less, sometimes much longer.
#[derive(Debug, Clone, Copy)]
pub struct Latency {
    /// The middle of most answers.
    pub typical: Duration,
}

impl Latency {
    /// As a registry over a provincial network: around 12 ms, one in a hundred ten times that.
    pub fn realistic() -> Self {
        Self { typical: Duration::from_millis(12) }
    }

    /// At once, for tests and measurements.
    pub fn none() -> Self {
        Self { typical: Duration::ZERO }
    }

    fn draw(self, dice: &Dice) -> Duration {
        let tail = if dice.chance(1, 100) { 10.0 } else { 1.0 };
        self.typical.mul_f64((0.5 + dice.unit()) * tail)
    }
}

/// A running registry. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The switch for failures.
    pub faults: Faults,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Running {
    /// The base URL without a trailing slash.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Stops listening, closes every connection and waits for their end.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Listens on `listen` (port 0 picks a free one) and serves `router`.
///
/// # Errors
/// When the address cannot be bound.
pub(crate) async fn start(
    listen: SocketAddr,
    router: Router,
    latency: Latency,
    seed: u64,
) -> io::Result<Running> {
    let listener = TcpListener::bind(listen).await?;
    let addr = listener.local_addr()?;
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let shared = Arc::new(Shared {
        router,
        latency,
        faults: Faults::none(seed),
        dice: Dice::new(seed ^ 0x6a69_7474),
        stop: stop.clone(),
    });
    let faults = shared.faults.clone();
    let accepting = accept(listener, shared, stop.clone(), tasks.clone());
    tasks.spawn(accepting);
    tasks.close();
    Ok(Running { addr, faults, stop, tasks })
}

struct Shared {
    router: Router,
    latency: Latency,
    faults: Faults,
    dice: Dice,
    stop: CancellationToken,
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken, tasks: TaskTracker) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let shared = shared.clone();
                tasks.spawn(async move {
                    connection(stream, shared).await;
                    drop(place);
                });
            }
            Err(e) => {
                tracing::warn!(error = %e, "registry simulator: a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    if let Err(e) = stream.set_nodelay(true) {
        tracing::debug!(error = %e, "registry simulator: no TCP_NODELAY");
    }
    let script: Script = Arc::new(Mutex::new(None));
    let line = TokioIo::new(Line::new(stream, script.clone()));
    let (stop, answering) = (shared.stop.clone(), shared);
    let service = service_fn(move |request| {
        let (shared, script) = (answering.clone(), script.clone());
        async move { Ok::<_, Infallible>(answer(&shared, &script, request).await) }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(30))
        .serve_connection(line, service);
    tokio::select! {
        () = stop.cancelled() => {}
        result = serving => {
            if let Err(e) = result {
                tracing::debug!(error = %e, "registry simulator: connection ended");
            }
        }
    }
}

async fn answer(shared: &Shared, script: &Script, request: Request<Incoming>) -> Response {
    let asked = request.headers().get(fault::HEADER).and_then(|v| v.to_str().ok()?.parse().ok());
    let fault: Option<Fault> = asked.or_else(|| shared.faults.draw());
    tokio::time::sleep(shared.latency.draw(&shared.dice)).await;
    match fault {
        None => right_answer(shared, request).await,
        Some(Fault::Slow(by)) => {
            tokio::time::sleep(by).await;
            right_answer(shared, request).await
        }
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Fail) => Problem::simulated_failure().into_response(),
        Some(other) => {
            let (parts, body) = right_answer(shared, request).await.into_parts();
            let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_else(|_| Bytes::new());
            let raw = crate::wire::broken(other, &parts, &body);
            *script.lock().unwrap_or_else(PoisonError::into_inner) = Some(raw);
            Response::new(Body::empty())
        }
    }
}

async fn right_answer(shared: &Shared, request: Request<Incoming>) -> Response {
    let Ok(response) = shared.router.clone().oneshot(request.map(Body::new)).await;
    response
}
