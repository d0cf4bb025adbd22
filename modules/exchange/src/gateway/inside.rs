//! A call that begins inside the platform (the try-out page): over a pipe in memory, through the same checks, records and
//! limits as a consumer's. Only what reads raw bytes from a socket is left out; the request is made by our own library.

use std::convert::Infallible;
use std::io;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Either, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kernel::entrance::Arrival;

use super::{Gateway, upstream};
use crate::service::BaseUrl;

/// What a call from inside was answered.
#[derive(Debug, Clone)]
pub struct Told {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, or its beginning.
    pub body: Bytes,
    /// Whether the body was longer, or broke off.
    pub cut: bool,
}

impl Gateway {
    /// Makes a call and reads at most `most` bytes of the answer's body. It counts as having come in where the page was
    /// asked for, so that a page opens no way that a caller from there does not have.
    ///
    /// # Errors
    /// When no answer came at all.
    pub async fn ask(
        &self,
        request: Request<Full<Bytes>>,
        most: usize,
        arrival: Arrival,
    ) -> io::Result<Told> {
        let (here, there) = tokio::io::duplex(64 * 1024);
        let service = service_fn(|request| {
            let arrival = arrival.clone();
            async move { Ok::<_, Infallible>(self.handle(request, None, arrival, None).await) }
        });
        let serving =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(there), service);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(here)).await.map_err(io::Error::other)?;
        let asking = async {
            let answer = sender.send_request(request).await.map_err(io::Error::other)?;
            let (parts, body) = answer.into_parts();
            let (body, cut) = beginning(body, most).await;
            Ok(Told { status: parts.status.as_u16(), headers: parts.headers, body, cut })
        };
        let driving = async {
            let _ = tokio::join!(serving, connection);
        };
        tokio::pin!(asking, driving);
        tokio::select! {
            biased;
            told = &mut asking => return told,
            () = &mut driving => {}
        }
        asking.await
    }
}

impl Gateway {
    /// Asks a provider's own address, outside any call: for tests of a service. The address is the registry's, redirects
    /// are not followed, at most `most` bytes of the answer are read. The caller bounds the time.
    ///
    /// # Errors
    /// When no answer came, or the path cannot be sent.
    pub(crate) async fn ask_provider(
        &self,
        base: &BaseUrl,
        path: &str,
        headers: HeaderMap,
        most: usize,
    ) -> io::Result<Told> {
        let (path, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
        let uri = upstream::address(base, path, query).ok_or_else(|| io::Error::other("not an address"))?;
        let mut request = Request::get(uri).body(Either::Left(Full::default())).map_err(io::Error::other)?;
        *request.headers_mut() = headers;
        let answer = self.0.upstream.send(request).await.map_err(io::Error::other)?;
        let (parts, body) = answer.into_parts();
        let (body, cut) = beginning(body, most).await;
        Ok(Told { status: parts.status.as_u16(), headers: parts.headers, body, cut })
    }
}

/// The first bytes of a body, and whether there was more.
async fn beginning(mut body: hyper::body::Incoming, most: usize) -> (Bytes, bool) {
    let mut out = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return (out.freeze(), true) };
        let Ok(data) = frame.into_data() else { continue };
        let free = most - out.len();
        out.extend_from_slice(&data[..data.len().min(free)]);
        if data.len() > free {
            return (out.freeze(), true);
        }
    }
    (out.freeze(), false)
}
