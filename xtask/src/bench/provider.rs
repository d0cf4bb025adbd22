//! The provider behind the large-body measurement: sends or takes any number of bytes of a known pattern and says
//! how many arrived and whether they were the right ones.

use std::net::SocketAddr;

use anyhow::Result;
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::Path;
use axum::http::header::{CONTENT_LENGTH, HeaderName};
use axum::routing::{get, post};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

/// Bytes in one piece.
const PIECE: usize = 64 * 1024;

/// Starts it on the loopback interface; it runs until the runtime ends.
///
/// # Errors
/// When no port is free.
pub async fn start() -> Result<SocketAddr> {
    let router = Router::new()
        .route("/send/{bytes}", get(send))
        .route("/chunks/{bytes}", get(in_chunks))
        .route("/take", post(take));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    tokio::spawn(async move {
        axum::serve(listener, router.layer(axum::extract::DefaultBodyLimit::disable())).await
    });
    Ok(addr)
}

/// `bytes` bytes of the pattern: byte n is n modulo 251, which no power of two divides.
pub fn pattern(bytes: u64) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    let table: Bytes = (0..PIECE + 251).map(|n| (n % 251) as u8).collect();
    stream::unfold(0u64, move |at| {
        let piece = usize::try_from((bytes - at).min(PIECE as u64)).unwrap_or(PIECE);
        let from = (at % 251) as usize;
        let out = table.slice(from..from + piece);
        async move { (piece > 0).then(|| (Ok(out), at + piece as u64)) }
    })
}

/// Counts bytes and notices the first that is not of the pattern.
#[derive(Debug, Default)]
pub struct Check {
    /// Bytes seen.
    pub bytes: u64,
    /// Position of the first wrong one.
    pub wrong_at: Option<u64>,
}

impl Check {
    /// Takes the next bytes.
    pub fn feed(&mut self, piece: &[u8]) {
        let mut expected = (self.bytes % 251) as u8;
        for (n, byte) in piece.iter().enumerate() {
            if *byte != expected && self.wrong_at.is_none() {
                self.wrong_at = Some(self.bytes + n as u64);
            }
            expected = if expected == 250 { 0 } else { expected + 1 };
        }
        self.bytes += piece.len() as u64;
    }
}

async fn send(Path(bytes): Path<u64>) -> ([(HeaderName, String); 1], Body) {
    ([(CONTENT_LENGTH, bytes.to_string())], Body::from_stream(pattern(bytes)))
}

/// The same in chunks, its length untold.
async fn in_chunks(Path(bytes): Path<u64>) -> Body {
    Body::from_stream(pattern(bytes))
}

async fn take(body: Body) -> String {
    let announced = body.size_hint().exact();
    let mut check = Check::default();
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => check.feed(&piece),
            Err(e) => return format!("broken after {} bytes: {e}", check.bytes),
        }
    }
    match check.wrong_at {
        None => format!("{} bytes, all right, announced {announced:?}", check.bytes),
        Some(at) => format!("{} bytes, wrong from {at}", check.bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn the_pattern_is_recognised_and_a_wrong_byte_found() {
        let mut check = Check::default();
        let pieces: Vec<_> = pattern(200_000).collect().await;
        for piece in pieces {
            check.feed(&piece.unwrap());
        }
        assert_eq!((check.bytes, check.wrong_at), (200_000, None));
        check.feed(&[255]);
        assert_eq!(check.wrong_at, Some(200_000));
    }
}
