//! Stands between an accepted connection and the HTTP library: bytes reach the library only after the strict framing
//! checker found the request head sound, and one request at a time. Hands over the raw head, answers violations
//! itself, and keeps the times for heads, idle connections and stalled writing. Knows nothing of paths or callers.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use http1::{Checker, Event, Limits};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::io::poll_read_buf;

use super::slot::Slot;
use super::stream::Reset;
use super::violation::Refused;

/// The times a tap keeps.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// For a request head to arrive.
    pub head: Duration,
    /// For a connection to lie unused.
    pub idle: Duration,
    /// For the peer to take bytes.
    pub stall: Duration,
}

/// Bytes read at once: for heads, and within bodies.
const READ: usize = 16 * 1024;
const READ_BODY: usize = 64 * 1024;
/// After a refusal so much of what the peer still sends is thrown away, so that it reads the refusal.
const LINGER_BYTES: usize = 256 * 1024;
const LINGER_TIME: Duration = Duration::from_secs(1);

/// How far the end of the connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    Refusal(usize),
    Transport,
    Linger(usize),
    Done,
}

/// The wrapper.
pub struct Tap<S: Reset> {
    io: S,
    slot: Arc<Slot>,
    checker: Checker,
    times: Times,
    buf: BytesMut,
    /// So many bytes at the front of `buf` may be handed out.
    cleared: usize,
    /// As much may wait in `buf`.
    capacity: usize,
    http2: bool,
    served: bool,
    refused: Option<Refused>,
    refusal: Vec<u8>,
    closing: Closing,
    timer: Pin<Box<Sleep>>,
    timing: Option<Timing>,
    writing: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timing {
    Head,
    Idle,
}

impl<S: AsyncRead + AsyncWrite + Reset + Unpin> Tap<S> {
    /// Wraps a connection from its first byte on.
    pub fn new(io: S, slot: Arc<Slot>, limits: Limits, times: Times) -> Self {
        Self {
            io,
            slot,
            checker: Checker::new(limits),
            times,
            buf: BytesMut::new(),
            cleared: 0,
            capacity: limits.head.max(READ),
            http2: false,
            served: false,
            refused: None,
            refusal: Vec::new(),
            closing: Closing::Refusal(0),
            timer: Box::pin(sleep(times.head)),
            timing: None,
            writing: None,
        }
    }

    /// Waits until it is known which protocol the peer speaks; `true` for HTTP/2.
    ///
    /// # Errors
    /// When the connection fails or ends before.
    pub async fn speaks_http2(&mut self) -> io::Result<bool> {
        std::future::poll_fn(|cx| self.poll_clear(cx)).await?;
        Ok(self.http2)
    }

    /// Works until bytes may be handed out, or the input is at its end (`cleared` stays zero).
    fn poll_clear(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.cleared == 0 {
            if self.refused.is_some() {
                // The answer to the request before comes first.
                return if self.slot.is_busy(cx) { Poll::Pending } else { Poll::Ready(Ok(())) };
            }
            if self.checker.is_between_requests() && !self.http2 && self.slot.is_busy(cx) {
                if !ready!(self.poll_wait_for_end(cx))? {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            let in_body = !self.checker.is_between_requests();
            match self.checker.next(&self.buf) {
                Ok(Event::NeedMore) => {
                    if !ready!(self.poll_more(cx))? {
                        return Poll::Ready(Ok(()));
                    }
                }
                Ok(Event::End) => {}
                Ok(Event::Data(n) | Event::Framing(n)) => self.cleared = n,
                Ok(Event::Http2(n)) => {
                    self.http2 = true;
                    self.cleared = n;
                }
                Ok(Event::Head(head)) => {
                    self.cleared = head.raw().len();
                    self.served = true;
                    self.timing = None;
                    self.slot.begin(head);
                }
                // The service is already at work: its body breaks off, and it answers.
                Err(violation) if in_body => {
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, violation)));
                }
                Err(violation) => self.refuse(Refused::Violation(violation)),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn refuse(&mut self, refused: Refused) {
        self.refusal = refused.answer();
        self.refused = Some(refused);
    }

    /// While an answer is under way: takes in what a hasty peer sends, and notices when the peer leaves. `false` at
    /// the end of the input.
    fn poll_wait_for_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.buf.len() >= self.capacity {
            return Poll::Pending;
        }
        self.poll_fill(cx).map_ok(|n| n > 0)
    }

    /// Reads more under the times for heads and idle connections. `false` at the end of the input.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if let Poll::Ready(n) = self.poll_fill(cx)? {
            return Poll::Ready(Ok(n > 0));
        }
        if !self.checker.is_between_requests() {
            return Poll::Pending;
        }
        let timing = if self.buf.is_empty() && self.served { Timing::Idle } else { Timing::Head };
        if self.timing != Some(timing) {
            self.timing = Some(timing);
            let time = if timing == Timing::Idle { self.times.idle } else { self.times.head };
            self.timer.as_mut().reset(Instant::now() + time);
        }
        ready!(self.timer.as_mut().poll(cx));
        if timing == Timing::Head && !self.buf.is_empty() {
            self.refuse(Refused::Timeout);
            return Poll::Ready(Ok(true));
        }
        Poll::Ready(Ok(false))
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let between = self.checker.is_between_requests();
        self.buf.reserve(if between { READ } else { READ_BODY });
        let result = poll_read_buf(Pin::new(&mut self.io), cx, &mut self.buf);
        if between && result.is_pending() && self.buf.is_empty() {
            // An idle connection holds next to nothing.
            self.buf = BytesMut::new();
        }
        result
    }

    fn poll_refusal(&mut self, cx: &mut Context<'_>, mut sent: usize) -> Poll<io::Result<()>> {
        while sent < self.refusal.len() {
            let n = ready!(Pin::new(&mut self.io).poll_write(cx, &self.refusal[sent..]))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            sent += n;
            self.closing = Closing::Refusal(sent);
        }
        Poll::Ready(Ok(()))
    }

    /// Throws away what the peer still sends, within bounds.
    fn poll_linger(&mut self, cx: &mut Context<'_>, mut left: usize) -> Poll<()> {
        while left > 0 {
            self.buf.clear();
            match self.poll_fill(cx) {
                Poll::Ready(Ok(n)) if n > 0 => left = left.saturating_sub(n),
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => {
                    self.closing = Closing::Linger(left);
                    return self.timer.as_mut().poll(cx);
                }
            }
        }
        Poll::Ready(())
    }

    /// Whether the peer may still be sending something that nobody will read.
    fn has_unread_input(&self) -> bool {
        !self.http2
            && (!self.refusal.is_empty() || !self.checker.is_between_requests() || !self.buf.is_empty())
    }

    /// Watches that the peer takes what is written.
    fn watch_write<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.writing = None;
            return result;
        }
        let time = self.times.stall;
        let timer = self.writing.get_or_insert_with(|| Box::pin(sleep(time)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer takes no bytes")))
    }
}

impl<S: AsyncRead + AsyncWrite + Reset + Unpin> AsyncRead for Tap<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.http2 && this.buf.is_empty() {
            return Pin::new(&mut this.io).poll_read(cx, out);
        }
        ready!(this.poll_clear(cx))?;
        let n = this.cleared.min(out.remaining());
        out.put_slice(&this.buf[..n]);
        this.buf.advance(n);
        this.cleared -= n;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Reset + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.io).poll_write(cx, buf);
        this.watch_write(cx, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.io).poll_write_vectored(cx, bufs);
        this.watch_write(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.io).poll_flush(cx);
        this.watch_write(cx, result)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match this.closing {
                Closing::Refusal(sent) => {
                    let result = this.poll_refusal(cx, sent);
                    ready!(this.watch_write(cx, result))?;
                    this.closing = Closing::Transport;
                }
                Closing::Transport => {
                    let result = Pin::new(&mut this.io).poll_shutdown(cx);
                    ready!(this.watch_write(cx, result))?;
                    this.timer.as_mut().reset(Instant::now() + LINGER_TIME);
                    this.closing =
                        if this.has_unread_input() { Closing::Linger(LINGER_BYTES) } else { Closing::Done };
                }
                Closing::Linger(left) => {
                    ready!(this.poll_linger(cx, left));
                    this.closing = Closing::Done;
                }
                Closing::Done => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl<S: Reset> Drop for Tap<S> {
    fn drop(&mut self) {
        if self.slot.must_reset() {
            self.io.reset();
        }
    }
}
