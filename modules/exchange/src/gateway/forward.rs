//! Carries a permitted call to its provider and the answer back: hash while passing, evidence before effect and before
//! the end of the answer, time limits on both sides.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use aws_lc_rs::digest::{Context as Sha, SHA256};
use bytes::Bytes;
use evidence::Field;
use fieldfilter::Fields;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use xroad::hash::{Digests, RequestHash};
use xroad::message::MessageHead;
use xroad::request::{forwards_body, may_change};

use super::admit::{Asked, Plan, Target};
use super::answer::{Added, AnswerHead};
use super::body_in::{BodyTrouble, Gathered, Meter, ProviderBody, gather};
use super::body_out::{Body, Relayed};
use super::case::{BodyFacts, Case};
use super::invented;
use super::policy::SMALL;
use super::received::Received;
use super::refusal::{Refusal, Trouble};
use super::sift::{self, Sieve};
use super::upstream::{OutBody, address, trouble};

/// A call that could not be carried through, with its case.
pub(super) type Failed = (Box<Case>, Refusal);

/// What goes to the provider.
struct Outgoing {
    method: Method,
    address: Uri,
    headers: HeaderMap,
}

impl Outgoing {
    fn request(&self, body: OutBody) -> Request<OutBody> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.address.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// The message head as it travels, and the same headers for the HTTP library.
pub(super) fn travelling_head(
    case: &Case,
    received: &Received,
    asked: &Asked<'_>,
) -> (MessageHead, HeaderMap) {
    let travelling = received.travelling(&asked.nominated);
    let mut added: Vec<(&str, &[u8])> = vec![(xroad::header::REQUEST_ID, case.request_id.as_bytes())];
    if asked.headers.id.is_none() {
        added.push((xroad::header::ID, asked.message_id.as_bytes()));
    }
    let mut headers = HeaderMap::with_capacity(travelling.len() + added.len());
    let mut head = received.message_head(&travelling);
    for (name, value) in travelling.into_iter().chain(added.iter().copied()) {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value))
        {
            headers.append(name, value);
        }
    }
    for (name, value) in added {
        head.header(name, value);
    }
    (head, headers)
}

/// Reads the beginning of the body and notes what is known of it.
pub(super) async fn take_body(
    case: &mut Case,
    body: Incoming,
    hash: RequestHash,
) -> Result<Gathered, Refusal> {
    let (limit, stall) = (case.max_request_body(), case.gateway.policy.stall_timeout());
    match gather(body, hash, limit, stall).await {
        Ok(gathered) => {
            case.body = match &gathered {
                Gathered::Whole(bytes, digests) => BodyFacts::Whole(bytes.len() as u64, *digests),
                Gathered::Streaming(meter, _) => BodyFacts::Passing(meter.clone()),
            };
            Ok(gathered)
        }
        Err((why, size)) => {
            case.body = BodyFacts::Partial(size);
            Err(body_refusal(why, false))
        }
    }
}

pub(super) fn body_refusal(why: BodyTrouble, midway: bool) -> Refusal {
    match why {
        BodyTrouble::Broken(violation) => Refusal::body_broken(violation),
        BodyTrouble::Stalled => Refusal::body_stalled(),
        BodyTrouble::TooLarge(limit) => Refusal::too_large(limit, midway),
        BodyTrouble::DrainLimit => Refusal::drain_limit(),
        BodyTrouble::Refused => Refusal::provider(Trouble::Timeout),
    }
}

/// Carries the call.
pub(super) async fn forward(
    mut case: Box<Case>,
    received: &Received,
    asked: &Asked<'_>,
    plan: Plan,
    body: Incoming,
) -> Result<Response<Body>, Failed> {
    let base_url = match &plan.target {
        Target::Address(base_url) => base_url,
        Target::Invented(document) => {
            return invented::answer(case, received, asked, &plan, document.as_deref(), body).await;
        }
    };
    let Some(address) = address(base_url, asked.target.service_path, asked.target.query) else {
        return Err((case, Refusal::internal("address")));
    };
    let Ok(method) = Method::from_bytes(received.method().as_bytes()) else {
        return Err((case, Refusal::internal("method")));
    };
    let (head, headers) = travelling_head(&case, received, asked);
    let hash = RequestHash::new(head.as_bytes());
    case.private.push((Field::RequestHead, hex::encode(hash.clone().finish().head)));
    let mut outgoing = Outgoing { method, address, headers };
    if plan.fields.is_some() {
        sift::ask_plainly(&mut outgoing.headers);
    }

    let gathered = match take_body(&mut case, body, hash).await {
        Ok(gathered) => gathered,
        Err(refusal) => return Err((case, refusal)),
    };
    if may_change(received.method()) {
        case = case.open().await.map_err(|case| (case, Refusal::evidence_failed()))?;
    }
    if case.gateway.pace.is_quick() {
        case.expect_record();
    }
    match exchange(&mut case, &outgoing, gathered, plan.timeout).await {
        Ok((answer, digests)) => relay(case, answer, &digests, asked, plan.fields.as_ref()).await,
        Err(refusal) => Err((case, refusal)),
    }
}

/// Sends the request; resolves when the head of the answer is there and the whole body has been hashed.
async fn exchange(
    case: &mut Case,
    outgoing: &Outgoing,
    gathered: Gathered,
    timeout: Duration,
) -> Result<(Response<Incoming>, Digests), Refusal> {
    let policy = &case.gateway.policy;
    let (stall, drain) = (policy.stall_timeout(), policy.max_drain);
    let forwards = forwards_body(outgoing.method.as_str());
    match gathered {
        Gathered::Whole(bytes, digests) => {
            let bytes = if forwards { bytes } else { Bytes::new() };
            let answer = send_whole(case, outgoing, &bytes, timeout).await?;
            Ok((answer, digests))
        }
        Gathered::Streaming(meter, body) => {
            let answer = if forwards {
                send_streaming(case, outgoing, &meter, body, timeout).await?
            } else {
                drop(body);
                meter.complete(stall, drain).await.map_err(|why| body_refusal(why, false))?;
                send_whole(case, outgoing, &Bytes::new(), timeout).await?
            };
            meter.complete(stall, drain).await.map_err(|why| body_refusal(why, true))?;
            let digests = meter.measured().digests.ok_or_else(|| Refusal::internal("digests"))?;
            Ok((answer, digests))
        }
    }
}

/// Sends a request whose body is at hand. A call that changes nothing is sent once more when the connection ended
/// before any answer: it may have been a kept one that the provider was just closing (RFC 9112 9.3.1).
async fn send_whole(
    case: &mut Case,
    outgoing: &Outgoing,
    bytes: &Bytes,
    timeout: Duration,
) -> Result<Response<Incoming>, Refusal> {
    let mut attempts = if may_change(outgoing.method.as_str()) { 1 } else { 2 };
    loop {
        attempts -= 1;
        case.request_out = Some(case.gateway.clock.now());
        let sending = case.gateway.upstream.send(outgoing.request(Either::Left(Full::new(bytes.clone()))));
        let trouble = match tokio::time::timeout(timeout, sending).await {
            Ok(Ok(answer)) => return arrived(case, answer),
            Ok(Err(e)) => trouble(&e),
            Err(_) => Trouble::Timeout,
        };
        if trouble != Trouble::Closed || attempts == 0 {
            return Err(failed(case, trouble));
        }
    }
}

/// Sends a request whose body is still arriving; the time limit begins anew with every piece.
async fn send_streaming(
    case: &mut Case,
    outgoing: &Outgoing,
    meter: &Meter,
    body: ProviderBody,
    timeout: Duration,
) -> Result<Response<Incoming>, Refusal> {
    case.request_out = Some(case.gateway.clock.now());
    let sending = case.gateway.upstream.send(outgoing.request(Either::Right(body)));
    let trouble = tokio::select! {
        result = sending => match result {
            Ok(answer) => return arrived(case, answer),
            Err(e) => match meter.trouble() {
                Some(why) => return Err(body_refusal(why, true)),
                None => trouble(&e),
            },
        },
        () = meter.stalled(timeout) => {
            if meter.is_starving() {
                return Err(body_refusal(BodyTrouble::Stalled, true));
            }
            Trouble::Timeout
        }
    };
    Err(failed(case, trouble))
}

fn arrived(case: &mut Case, answer: Response<Incoming>) -> Result<Response<Incoming>, Refusal> {
    let now = case.gateway.clock.now();
    if let Some(out) = case.request_out {
        let took = now.since(out);
        case.gateway.pace.note(took);
        metrics::histogram!("lienthong_gateway_provider_seconds").record(took);
    }
    case.response_in = Some(now);
    case.expect_record();
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(failed(case, Trouble::Garbage));
    }
    Ok(answer)
}

fn failed(case: &mut Case, trouble: Trouble) -> Refusal {
    if matches!(trouble, Trouble::Unreachable | Trouble::UnknownHost) {
        case.request_out = None;
    }
    tracing::info!(request_id = case.request_id, trouble = trouble.rule(), "a provider failed");
    Refusal::provider(trouble)
}

/// How much of an answer is there.
enum Content {
    Whole(Bytes),
    Flowing(VecDeque<Bytes>, Sha, u64),
}

/// Passes the answer on: whole when it is small, else as it comes.
async fn relay(
    mut case: Box<Case>,
    answer: Response<Incoming>,
    digests: &Digests,
    asked: &Asked<'_>,
    fields: Option<&Arc<Fields>>,
) -> Result<Response<Body>, Failed> {
    let (mut parts, mut incoming) = answer.into_parts();
    let mut sieve = fields.map(|fields| Box::new(Sieve::new(&parts.headers, fields)));
    if sieve.is_some() {
        sift::narrow(&mut parts);
    }
    let added = Added {
        id: &asked.message_id,
        client: &asked.headers.client_as_sent,
        service: &asked.target.service.to_string(),
        request_id: &case.request_id,
        request_hash: &digests.base64(),
    };
    let head = AnswerHead::relayed(parts, &added, &case.beside);
    let idle = case.gateway.policy.answer_idle_timeout();
    let declared = incoming.size_hint().exact();
    let content = match declared {
        Some(length) if length <= SMALL as u64 => read_whole(&mut incoming, idle).await,
        Some(_) => Ok(Content::Flowing(VecDeque::new(), Sha::new(&SHA256), 0)),
        None => read_at_hand(&mut incoming).await,
    };
    let content = content.map_err(|trouble| failed(&mut case, trouble));
    let content = match &mut sieve {
        None => content,
        Some(sieve) => {
            let sifted = content.and_then(|c| c.sifted(sieve).map_err(Refusal::not_filtered));
            case.filter = Some(sieve.recorded());
            sifted
        }
    };
    match content {
        Ok(Content::Whole(bytes)) => Ok(case.answer(head, bytes).await),
        Ok(Content::Flowing(early, digest, size)) => {
            case.private.push((Field::ResponseHead, head.digest()));
            let status = head.status.as_u16();
            // How much a filter will leave is not known before the end.
            let declared = declared.filter(|_| sieve.is_none());
            let relayed = Relayed::new(case, status, incoming, declared, early, digest, size);
            Ok(head.with(Body::relayed(relayed.through(sieve))))
        }
        Err(refusal) => Err((case, refusal)),
    }
}

impl Content {
    /// What of it may leave.
    fn sifted(self, sieve: &mut Sieve) -> Result<Self, sift::Rule> {
        match self {
            Self::Whole(bytes) => {
                let bytes = sieve.pass(&bytes)?;
                sieve.finish().map(|()| Self::Whole(bytes))
            }
            Self::Flowing(pieces, ..) => {
                let (mut early, mut digest, mut size) = (VecDeque::new(), Sha::new(&SHA256), 0);
                for piece in pieces {
                    let piece = sieve.pass(&piece)?;
                    digest.update(&piece);
                    size += piece.len() as u64;
                    early.extend((!piece.is_empty()).then_some(piece));
                }
                Ok(Self::Flowing(early, digest, size))
            }
        }
    }
}

async fn read_whole(incoming: &mut Incoming, idle: Duration) -> Result<Content, Trouble> {
    let mut pieces: Vec<Bytes> = Vec::new();
    while !incoming.is_end_stream() {
        let frame = tokio::time::timeout(idle, poll_fn(|cx| Pin::new(&mut *incoming).poll_frame(cx))).await;
        match frame.map_err(|_| Trouble::Stalled)? {
            None => break,
            Some(frame) => pieces.extend(frame.map_err(|_| Trouble::Incomplete)?.into_data()),
        }
    }
    Ok(Content::Whole(match pieces.len() {
        1 => pieces.remove(0),
        _ => pieces.concat().into(),
    }))
}

/// How often the connection's own task is let go first, to hand over what has arrived together with the head.
const HAND_OVERS: u8 = 3;

/// Reads what is there without waiting, in the hope that it is all: a small answer is then written in one piece.
async fn read_at_hand(incoming: &mut Incoming) -> Result<Content, Trouble> {
    let (mut pieces, mut size, mut digest) = (VecDeque::<Bytes>::new(), 0, Sha::new(&SHA256));
    let mut patience = HAND_OVERS;
    while size <= SMALL {
        match poll_fn(|cx| Poll::Ready(Pin::new(&mut *incoming).poll_frame(cx))).await {
            Poll::Pending if patience == 0 => break,
            Poll::Pending => {
                patience -= 1;
                tokio::task::yield_now().await;
            }
            Poll::Ready(None) => {
                let whole: Vec<u8> = pieces.iter().flat_map(|p| p.iter().copied()).collect();
                return Ok(Content::Whole(whole.into()));
            }
            Poll::Ready(Some(frame)) => {
                let Ok(data) = frame.map_err(|_| Trouble::Incomplete)?.into_data() else { continue };
                patience = HAND_OVERS;
                size += data.len();
                digest.update(&data);
                pieces.push_back(data);
            }
        }
    }
    Ok(Content::Flowing(pieces, digest, size as u64))
}
