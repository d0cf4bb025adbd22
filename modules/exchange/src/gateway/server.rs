//! Accepts connections and serves them: TLS, the tap, HTTP/1 or HTTP/2, the gateway and the pages beside it, and an
//! orderly end. Which addresses are listened on, and with which certificate, the application decides.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use kernel::entrance::{Arrival, Entrance, PeerCertificate};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::Gateway;
use super::body_out::Body;
use super::slot::Slot;
use super::stream::Stream;
use super::tap::{Tap, Times};

/// What answers at an address.
#[derive(Clone)]
pub struct Door {
    /// Calls of the exchange.
    pub gateway: Gateway,
    /// Everything else; without it other paths are told the form of a call.
    pub pages: Option<axum::Router>,
    /// TLS; protocols to negotiate (`h2`, `http/1.1`) are part of its configuration.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// The policy of this address.
    pub entrance: Arc<Entrance>,
}

/// How long calls in progress may go on after the signal to stop.
const GRACE: Duration = Duration::from_secs(20);

/// Serves until `stop` becomes true, then lets calls in progress end.
///
/// # Errors
/// When the listener cannot be used at all.
pub async fn serve(listener: TcpListener, door: Door, mut stop: watch::Receiver<bool>) -> io::Result<()> {
    let most = door.gateway.policy().max_connections;
    let places = Arc::new(Semaphore::new(door.entrance.max_connections.map_or(most, |own| own.min(most))));
    let calls = door.entrance.max_calls.map(|own| Arc::new(Semaphore::new(own)));
    let connections = TaskTracker::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((tcp, _)) => {
                let (door, stop, calls) = (door.clone(), stop.clone(), calls.clone());
                connections.spawn(async move {
                    metrics::gauge!("lienthong_gateway_connections").increment(1.0);
                    if let Err(e) = connection(tcp, &door, calls, stop).await {
                        tracing::debug!(error = %e, "a connection ended with an error");
                    }
                    metrics::gauge!("lienthong_gateway_connections").decrement(1.0);
                    drop(place);
                });
            }
            // Out of file handles and the like: waiting helps, giving up does not.
            Err(e) => {
                tracing::warn!(error = %e, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(GRACE, connections.wait()).await.is_err() {
        tracing::warn!("some connections did not end in time and are cut off");
    }
    Ok(())
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A connection's door: what answers there, how it came in, and the places for calls at its listener.
#[derive(Clone)]
struct Opened {
    door: Door,
    arrival: Arrival,
    calls: Option<Arc<Semaphore>>,
}

async fn connection(
    tcp: TcpStream,
    door: &Door,
    calls: Option<Arc<Semaphore>>,
    stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let policy = door.gateway.policy();
    tcp.set_nodelay(true)?;
    let peer = tcp.peer_addr()?;
    let mut certificate = None;
    let stream = match &door.tls {
        None => Stream::Plain(tcp),
        Some(tls) => {
            let accepting = TlsAcceptor::from(Arc::clone(tls)).accept(tcp);
            let tls = tokio::time::timeout(policy.head_timeout(), accepting).await??;
            let chain = tls.get_ref().1.peer_certificates().unwrap_or_default();
            certificate = chain.first().map(|leaf| PeerCertificate::new(leaf.to_vec()));
            Stream::Tls(Box::new(tls.into()))
        }
    };
    let arrival = Arrival { entrance: Arc::clone(&door.entrance), certificate };
    let opened = Opened { door: door.clone(), arrival, calls };
    let times =
        Times { head: policy.head_timeout(), idle: policy.idle_timeout(), stall: policy.stall_timeout() };
    let slot = Arc::new(Slot::default());
    let mut tap = Tap::new(stream, Arc::clone(&slot), policy.limits(), times);
    let http2 = tokio::select! {
        http2 = tap.speaks_http2() => http2?,
        // Nothing was asked yet.
        () = until(stop.clone()) => return Ok(()),
    };
    if http2 {
        serve_http2(tap, &opened, peer, stop).await
    } else {
        serve_http1(tap, slot, &opened, peer, stop).await
    }
}

async fn serve_http1(
    tap: Tap<Stream>,
    slot: Arc<Slot>,
    opened: &Opened,
    peer: SocketAddr,
    stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let service = service_fn(|request| respond(opened.clone(), peer, request, Some(Arc::clone(&slot))));
    let policy = opened.door.gateway.policy();
    let mut builder = http1::Builder::new();
    // The tap keeps the times and limits; the library's own are set so that they never speak first.
    builder.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(policy.max_head.max(64 * 1024));
    builder.max_headers(policy.max_headers + 1);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(tap), service));
    let graceful = until(stop);
    tokio::select! {
        result = serving.as_mut() => return Ok(result?),
        () = graceful => serving.as_mut().graceful_shutdown(),
    }
    Ok(serving.await?)
}

async fn serve_http2(
    tap: Tap<Stream>,
    opened: &Opened,
    peer: SocketAddr,
    stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let policy = opened.door.gateway.policy();
    let service = service_fn(|request| respond(opened.clone(), peer, request, None));
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .max_header_list_size(u32::try_from(policy.max_head).unwrap_or(32 * 1024))
        .initial_stream_window_size(256 * 1024)
        .initial_connection_window_size(1024 * 1024)
        .max_send_buf_size(256 * 1024)
        .keep_alive_interval(Some(policy.idle_timeout()))
        .keep_alive_timeout(policy.head_timeout());
    let mut serving = pin!(builder.serve_connection(TokioIo::new(tap), service));
    tokio::select! {
        result = serving.as_mut() => return Ok(result?),
        () = until(stop) => serving.as_mut().graceful_shutdown(),
    }
    Ok(serving.await?)
}

/// Resolves at the signal to stop; never when the sender is gone without one.
async fn until(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn respond(
    opened: Opened,
    peer: SocketAddr,
    request: Request<Incoming>,
    slot: Option<Arc<Slot>>,
) -> Result<Response<Body>, Infallible> {
    let Opened { door, arrival, calls } = opened;
    let pages = match door.pages {
        Some(pages) if !Gateway::answers(request.uri().path()) => pages,
        _ => return Ok(door.gateway.handle(request, slot.as_ref(), arrival, calls.as_ref()).await),
    };
    let busy = slot.as_ref().and_then(Slot::take).map(|(_, busy)| busy);
    let mut request = request.map(axum::body::Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(arrival);
    let response = pages.oneshot(request).await?;
    Ok(response.map(|body| Body::pages(body).keeping(busy)))
}
