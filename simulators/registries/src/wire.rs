//! Broken answers as raw bytes, and the connection wrapper that sends them in place of what the HTTP library
//! writes, then closes.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::response::Parts;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::fault::Fault;

/// Bytes to send instead of the next answer of a connection.
pub(crate) type Script = Arc<Mutex<Option<Vec<u8>>>>;

/// The bytes of an answer broken in the given way.
pub(crate) fn broken(fault: Fault, parts: &Parts, body: &Bytes) -> Vec<u8> {
    let head = |framing: &str| {
        let kind = parts.headers.get(http::header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        format!(
            "HTTP/1.1 {} Simulated\r\ncontent-type: {}\r\n{framing}\r\n",
            parts.status.as_u16(),
            kind.unwrap_or("application/octet-stream"),
        )
    };
    let (length, half) = (body.len(), body.len() / 2);
    let with = |framing: String, body: &[u8]| [head(&framing).as_bytes(), body].concat();
    match fault {
        Fault::TooShort => with(format!("content-length: {}\r\n", length + 100), body),
        Fault::TooLong => with(format!("content-length: {half}\r\n"), body),
        Fault::TwoLengths => with(format!("content-length: {length}\r\ncontent-length: {half}\r\n"), body),
        Fault::Garbage => b"\x00\x01\xfe\xffkhong phai HTTP\r\n\r\n\x80\x81\x82".to_vec(),
        Fault::CloseMidBody => {
            let chunk = [format!("{length:x}\r\n").as_bytes(), &body[..half]].concat();
            with("transfer-encoding: chunked\r\n".to_owned(), &chunk)
        }
        Fault::CloseBeforeAnswer | Fault::Slow(_) | Fault::Hang | Fault::Fail => Vec::new(),
    }
}

/// A TCP connection that passes everything through until a script is set.
pub(crate) struct Line {
    stream: TcpStream,
    script: Script,
    sending: Option<(Vec<u8>, usize)>,
}

impl Line {
    pub fn new(stream: TcpStream, script: Script) -> Self {
        Self { stream, script, sending: None }
    }

    /// Sends the script's bytes; afterwards the connection is closed and every further write fails.
    fn poll_script(&mut self, cx: &mut Context<'_>) -> Option<Poll<io::Error>> {
        if self.sending.is_none() {
            let raw = self.script.lock().unwrap_or_else(PoisonError::into_inner).take()?;
            self.sending = Some((raw, 0));
        }
        let (raw, sent) = self.sending.as_mut()?;
        while *sent < raw.len() {
            match Pin::new(&mut self.stream).poll_write(cx, &raw[*sent..]) {
                Poll::Pending => return Some(Poll::Pending),
                Poll::Ready(Ok(n)) if n > 0 => *sent += n,
                Poll::Ready(Ok(_)) => return Some(Poll::Ready(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Err(e)) => return Some(Poll::Ready(e)),
            }
        }
        match Pin::new(&mut self.stream).poll_shutdown(cx) {
            Poll::Pending => Some(Poll::Pending),
            Poll::Ready(_) => Some(Poll::Ready(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.poll_script(cx) {
            Some(polled) => Poll::Ready(Err(ready!(polled))),
            None => Pin::new(&mut self.stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
