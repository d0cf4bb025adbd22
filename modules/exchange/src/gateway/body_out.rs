//! The body of an answer on its way to the consumer. The end of it is held back until the closed record is durable:
//! the last bytes of an answer of known length, the terminating chunk of one of unknown length.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use aws_lc_rs::digest::{Context as Sha, SHA256};
use bytes::Bytes;
use evidence::{Field, Outcome, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

use super::body_in::BodyBroken;
use super::case::{Case, Persist};
use super::policy::HELD;
use super::refusal::{Refusal, Trouble};
use super::sift::Sieve;
use super::slot::Busy;

/// What the HTTP library sends to a consumer.
pub struct Body {
    kind: Kind,
    busy: Option<Busy>,
}

enum Kind {
    Whole(Option<Bytes>),
    Relayed(Box<Relayed>),
    Pages(axum::body::Body),
}

impl Body {
    /// A body that is here whole.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self { kind: Kind::Whole(Some(bytes).filter(|b| !b.is_empty())), busy: None }
    }

    /// A provider's answer under way.
    pub(super) fn relayed(relayed: Relayed) -> Self {
        Self { kind: Kind::Relayed(Box::new(relayed)), busy: None }
    }

    /// An answer of the pages beside the gateway.
    pub(super) fn pages(body: axum::body::Body) -> Self {
        Self { kind: Kind::Pages(body), busy: None }
    }

    /// Keeps the connection busy until this body is done.
    pub(super) fn keeping(self, busy: Option<Busy>) -> Self {
        Self { busy, ..self }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyBroken>>> {
        match &mut self.kind {
            Kind::Whole(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Kind::Relayed(relayed) => relayed.poll(cx).map(|piece| piece.map(|p| p.map(Frame::data))),
            Kind::Pages(body) => Pin::new(body).poll_frame(cx).map_err(|_| BodyBroken),
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyBroken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyBroken>>> {
        let this = self.get_mut();
        let result = ready!(this.poll(cx));
        if let (Some(Err(_)), Some(busy)) = (&result, &this.busy) {
            busy.reset();
        }
        Poll::Ready(result)
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Whole(bytes) => bytes.is_none(),
            Kind::Relayed(_) => false,
            Kind::Pages(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Kind::Relayed(relayed) => relayed.declared.map_or_else(SizeHint::default, SizeHint::with_exact),
            Kind::Pages(body) => body.size_hint(),
        }
    }
}

/// A provider's answer under way.
pub(super) struct Relayed {
    incoming: Incoming,
    /// Pieces read before the answer began to flow.
    early: VecDeque<Bytes>,
    declared: Option<u64>,
    status: u16,
    digest: Sha,
    size: u64,
    held: VecDeque<Bytes>,
    idle: Duration,
    timer: Pin<Box<Sleep>>,
    waiting: bool,
    /// Lets only the agreed fields pass; `None` when all may.
    sieve: Option<Box<Sieve>>,
    case: Option<Box<Case>>,
    stage: Stage,
}

enum Stage {
    Flowing,
    /// The closed record is under way; whether the answer was whole.
    Closing(Persist, bool),
    Releasing,
    Broken,
}

impl Relayed {
    /// `early` holds what was read already; it is in `digest` and counted in `size`.
    pub(super) fn new(
        case: Box<Case>,
        status: u16,
        incoming: Incoming,
        declared: Option<u64>,
        early: VecDeque<Bytes>,
        digest: Sha,
        size: u64,
    ) -> Self {
        let idle = case.gateway.policy.answer_idle_timeout();
        Self {
            incoming,
            early,
            declared,
            status,
            digest,
            size,
            held: VecDeque::new(),
            idle,
            timer: Box::pin(sleep(idle)),
            waiting: false,
            sieve: None,
            case: Some(case),
            stage: Stage::Flowing,
        }
    }

    /// Lets the answer pass through a filter, which has seen what was read already.
    pub(super) fn through(mut self, sieve: Option<Box<Sieve>>) -> Self {
        self.sieve = sieve;
        self
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyBroken>>> {
        loop {
            match &mut self.stage {
                Stage::Flowing => {
                    if let Some(piece) = ready!(self.poll_flowing(cx)) {
                        return Poll::Ready(Some(Ok(piece)));
                    }
                }
                Stage::Closing(record, whole) => {
                    let (recorded, whole) = (ready!(Pin::new(record).poll(cx)), *whole);
                    if let Err(e) = &recorded {
                        tracing::error!(error = %e, "the closed record failed; the answer is cut off");
                    }
                    self.stage = if whole && recorded.is_ok() { Stage::Releasing } else { Stage::Broken };
                }
                Stage::Releasing => return Poll::Ready(self.held.pop_front().map(Ok)),
                Stage::Broken => {
                    self.held.clear();
                    return Poll::Ready(Some(Err(BodyBroken)));
                }
            }
        }
    }

    /// The next piece that may go at once; `None` when the answer has ended and its record is under way.
    fn poll_flowing(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(piece) = self.early.pop_front() {
            return Poll::Ready(Some(piece));
        }
        loop {
            let frame = match Pin::new(&mut self.incoming).poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    if !std::mem::replace(&mut self.waiting, true) {
                        self.timer.as_mut().reset(Instant::now() + self.idle);
                    }
                    ready!(self.timer.as_mut().poll(cx));
                    self.end(Some(Refusal::provider(Trouble::Stalled)));
                    return Poll::Ready(None);
                }
            };
            self.waiting = false;
            match frame {
                None => {
                    let whole = self.sieve.as_mut().map_or(Ok(()), |sieve| sieve.finish());
                    self.end(whole.err().map(Refusal::not_filtered));
                    return Poll::Ready(None);
                }
                Some(Err(_)) => {
                    self.end(Some(Refusal::provider(Trouble::Incomplete)));
                    return Poll::Ready(None);
                }
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    let data = match self.sieve.as_mut().map(|sieve| sieve.pass(&data)) {
                        None => data,
                        Some(Ok(data)) => data,
                        Some(Err(rule)) => {
                            self.end(Some(Refusal::not_filtered(rule)));
                            return Poll::Ready(None);
                        }
                    };
                    if let Some(piece) = self.take_in(data) {
                        return Poll::Ready(Some(piece));
                    }
                }
            }
        }
    }

    /// Hashes and counts a piece; gives back what of it may go at once.
    fn take_in(&mut self, mut data: Bytes) -> Option<Bytes> {
        self.digest.update(&data);
        let before = self.size;
        self.size += data.len() as u64;
        if let Some(declared) = self.declared {
            let free =
                usize::try_from(declared.saturating_sub(HELD).saturating_sub(before)).unwrap_or(usize::MAX);
            if free < data.len() {
                self.held.push_back(data.split_off(free));
            }
        }
        Some(data).filter(|d| !d.is_empty())
    }

    fn end(&mut self, refusal: Option<Refusal>) {
        self.note_filter();
        let Some(mut case) = self.case.take() else {
            self.stage = Stage::Broken;
            return;
        };
        case.response = Some(Response { status: self.status, size: self.size });
        let record = match &refusal {
            None => {
                let digest = std::mem::replace(&mut self.digest, Sha::new(&SHA256)).finish();
                case.private.push((Field::ResponseBody, hex::encode(digest)));
                case.settle(Outcome::Answered, None)
            }
            Some(refusal) => case.settle(refusal.outcome, Some(refusal.recorded())),
        };
        self.stage = Stage::Closing(record, refusal.is_none());
    }

    fn note_filter(&mut self) {
        if let (Some(case), Some(sieve)) = (&mut self.case, &self.sieve) {
            case.filter = Some(sieve.recorded());
        }
    }
}

impl Drop for Relayed {
    fn drop(&mut self) {
        // The consumer is gone; what it had been sent is known.
        self.note_filter();
        if let Some(case) = &mut self.case {
            case.response = Some(Response { status: self.status, size: self.size });
        }
    }
}
