//! The body of a request on its way to the provider: counted and hashed as it passes, never kept. Because the answer
//! carries the hash of the whole request, whatever the provider leaves unread is still read here, within bounds.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http1::Violation;
use hyper::body::Incoming;
use tokio::time::{Instant, sleep_until};
use xroad::hash::{Digests, RequestHash};

use super::policy::SMALL;

/// Why a body did not pass whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyTrouble {
    /// It broke off, or broke a framing rule.
    Broken(Option<Violation>),
    /// The consumer sent nothing for too long.
    Stalled,
    /// It is larger than permitted.
    TooLarge(u64),
    /// The provider answered early and too much was left to read.
    DrainLimit,
    /// The provider took no more of it for too long.
    Refused,
}

/// Error of a body, as the HTTP library wants one.
#[derive(Debug, thiserror::Error)]
#[error("the body broke off")]
pub struct BodyBroken;

/// Observes a body that passes to the provider.
#[derive(Clone)]
pub(super) struct Meter(Arc<Mutex<State>>);

struct State {
    prefix: VecDeque<Bytes>,
    incoming: Option<Incoming>,
    hash: Option<RequestHash>,
    size: u64,
    limit: u64,
    end: Option<Result<(), BodyTrouble>>,
    /// The provider's connection no longer wants the body.
    released: bool,
    /// The last poll found nothing from the consumer.
    starving: bool,
    progress: Instant,
    observer: Option<Waker>,
}

/// What is known of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measured {
    pub size: u64,
    pub complete: bool,
    /// Present once the body is complete.
    pub digests: Option<Digests>,
}

/// A body's beginning, read before anything is decided on it.
pub(super) enum Gathered {
    /// All of it, at most [`SMALL`] bytes.
    Whole(Bytes, Digests),
    /// More is to come.
    Streaming(Meter, ProviderBody),
}

/// Reads up to [`SMALL`] bytes of a body; what is longer will stream.
pub(super) async fn gather(
    mut incoming: Incoming,
    mut hash: RequestHash,
    limit: Option<u64>,
    stall: Duration,
) -> Result<Gathered, (BodyTrouble, u64)> {
    let limit = limit.unwrap_or(u64::MAX);
    let declared = incoming.size_hint().exact();
    if declared.is_some_and(|n| n > limit) {
        return Err((BodyTrouble::TooLarge(limit), 0));
    }
    let mut prefix = VecDeque::new();
    let mut size = 0;
    let streams = declared.is_some_and(|n| n > SMALL as u64);
    while !streams && size <= SMALL as u64 {
        let frame = tokio::time::timeout(stall, poll_fn(|cx| poll_data(&mut incoming, cx))).await;
        match frame.map_err(|_| (BodyTrouble::Stalled, size))? {
            Some(Ok(data)) => {
                size += data.len() as u64;
                if size > limit {
                    return Err((BodyTrouble::TooLarge(limit), size));
                }
                hash.update(&data);
                prefix.push_back(data);
            }
            Some(Err(violation)) => return Err((BodyTrouble::Broken(violation), size)),
            None => return Ok(Gathered::Whole(join(prefix), hash.finish())),
        }
    }
    let state = State {
        prefix,
        incoming: Some(incoming),
        hash: Some(hash),
        size,
        limit,
        end: None,
        released: false,
        starving: false,
        progress: Instant::now(),
        observer: None,
    };
    let meter = Meter(Arc::new(Mutex::new(state)));
    Ok(Gathered::Streaming(meter.clone(), ProviderBody { meter, declared }))
}

/// The next piece of content; trailers end here. An error carries the framing rule that was broken, if one was.
fn poll_data(
    incoming: &mut Incoming,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Bytes, Option<Violation>>>> {
    loop {
        match ready!(Pin::new(&mut *incoming).poll_frame(cx)) {
            None => return Poll::Ready(None),
            Some(Err(e)) => return Poll::Ready(Some(Err(violation_in(&e)))),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if !data.is_empty() => return Poll::Ready(Some(Ok(data))),
                _ => {}
            },
        }
    }
}

fn violation_in(e: &hyper::Error) -> Option<Violation> {
    let mut cause = std::error::Error::source(e);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return io.get_ref().and_then(|inner| inner.downcast_ref::<Violation>()).copied();
        }
        cause = inner.source();
    }
    None
}

fn join(mut pieces: VecDeque<Bytes>) -> Bytes {
    match pieces.len() {
        0 => Bytes::new(),
        1 => pieces.pop_front().unwrap_or_default(),
        _ => pieces.iter().flat_map(|p| p.iter().copied()).collect::<Vec<u8>>().into(),
    }
}

impl State {
    /// The next piece for the provider, counted and hashed.
    fn pull(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyBroken>>> {
        if let Some(piece) = self.prefix.pop_front() {
            self.progress = Instant::now();
            return Poll::Ready(Some(Ok(piece)));
        }
        let (None, Some(incoming)) = (&self.end, &mut self.incoming) else {
            return Poll::Ready(match self.end {
                Some(Ok(())) => None,
                _ => Some(Err(BodyBroken)),
            });
        };
        let result = poll_data(incoming, cx);
        self.starving = result.is_pending();
        let piece = ready!(result);
        self.progress = Instant::now();
        match piece {
            None => {
                self.finish(Ok(()));
                Poll::Ready(None)
            }
            Some(Ok(data)) => {
                self.size += data.len() as u64;
                if self.size > self.limit {
                    self.finish(Err(BodyTrouble::TooLarge(self.limit)));
                    return Poll::Ready(Some(Err(BodyBroken)));
                }
                if let Some(hash) = &mut self.hash {
                    hash.update(&data);
                }
                Poll::Ready(Some(Ok(data)))
            }
            Some(Err(violation)) => {
                self.finish(Err(BodyTrouble::Broken(violation)));
                Poll::Ready(Some(Err(BodyBroken)))
            }
        }
    }

    fn finish(&mut self, end: Result<(), BodyTrouble>) {
        self.end.get_or_insert(end);
        self.incoming = None;
        self.starving = false;
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(observer) = self.observer.take() {
            observer.wake();
        }
    }
}

impl Meter {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has passed so far.
    pub(super) fn measured(&self) -> Measured {
        let state = self.state();
        let complete = state.end == Some(Ok(()));
        let digests = if complete { state.hash.clone().map(RequestHash::finish) } else { None };
        Measured { size: state.size, complete, digests }
    }

    /// Why the body did not pass, when that is known.
    pub(super) fn trouble(&self) -> Option<BodyTrouble> {
        self.state().end.and_then(Result::err)
    }

    /// Whether it is the consumer who is being waited for.
    pub(super) fn is_starving(&self) -> bool {
        self.state().starving
    }

    /// Resolves when nothing has moved for `time`.
    pub(super) async fn stalled(&self, time: Duration) {
        loop {
            let due = self.state().progress + time;
            if due <= Instant::now() {
                return;
            }
            sleep_until(due).await;
        }
    }

    /// Resolves when the body has passed; reads on itself when the provider has had enough.
    pub(super) async fn complete(&self, stall: Duration, drain: u64) -> Result<(), BodyTrouble> {
        let mut left = drain;
        tokio::select! {
            end = poll_fn(|cx| self.poll_complete(cx, &mut left)) => end,
            () = self.stalled(stall) => {
                let why = if self.is_starving() { BodyTrouble::Stalled } else { BodyTrouble::Refused };
                self.state().finish(Err(why));
                Err(why)
            }
        }
    }

    fn poll_complete(&self, cx: &mut Context<'_>, left: &mut u64) -> Poll<Result<(), BodyTrouble>> {
        let mut state = self.state();
        while state.end.is_none() {
            if !state.released {
                state.observer = Some(cx.waker().clone());
                return Poll::Pending;
            }
            if let Some(Ok(data)) = ready!(state.pull(cx)) {
                *left = left.saturating_sub(data.len() as u64);
                if *left == 0 {
                    state.finish(Err(BodyTrouble::DrainLimit));
                }
            }
        }
        Poll::Ready(state.end.unwrap_or(Err(BodyTrouble::Broken(None))))
    }
}

/// The body as the provider's connection sees it.
pub(super) struct ProviderBody {
    meter: Meter,
    declared: Option<u64>,
}

impl Body for ProviderBody {
    type Data = Bytes;
    type Error = BodyBroken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyBroken>>> {
        let piece = ready!(self.meter.state().pull(cx));
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        self.declared.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Drop for ProviderBody {
    fn drop(&mut self) {
        let mut state = self.meter.state();
        state.released = true;
        state.wake();
    }
}
