//! The data plane: takes X-Road REST calls from consumers, decides them by the snapshot, carries them to providers and
//! leaves evidence of each. Answers metadata services. The control plane, pages and storage are elsewhere.
//!
//! Order of one call: framing (`tap`) → address, headers, authentication, agreement (`admit`) → opened record, for
//! calls that may change something → provider (`forward`) → closed record → the end of the answer (`body_out`).

mod admit;
mod answer;
mod beside;
mod body_in;
mod body_out;
mod case;
pub mod connector;
mod forward;
mod inner;
mod inside;
mod invented;
mod meta;
mod policy;
pub mod ports;
mod received;
mod refusal;
mod server;
mod sift;
mod slot;
mod stream;
mod tap;
mod upstream;
mod violation;

use std::io;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use kernel::entrance::{Arrival, FrontDoor};
use tokio::sync::Semaphore;
use xroad::error::Format;
use xroad::request::RestTarget;

pub use beside::ENVIRONMENT;
pub use body_in::BodyBroken;
pub use body_out::Body;
pub use inside::Told;
pub use policy::{HELD, Policy, SMALL};
pub use refusal::{Refusal, Trouble};
pub use server::{Door, serve};
pub(crate) use upstream::{authorities, tls_config};

use admit::Admitted;
use body_out::Body as OutBody;
use case::{BodyFacts, Case};
use inner::Inner;
use received::Received;
use slot::{Busy, Slot};

/// The gateway. Cheap to clone; one per process.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

impl Gateway {
    /// Builds the gateway; call it inside the runtime that will serve.
    ///
    /// # Errors
    /// When the policy is out of range or its file of authorities cannot be read.
    pub fn new(parts: ports::Parts) -> io::Result<Self> {
        Inner::new(parts).map(|inner| Self(Arc::new(inner)))
    }

    /// What the gateway permits.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// How many calls are in progress.
    pub fn calls(&self) -> usize {
        self.0.calls()
    }

    /// Whether a path belongs to the gateway and not to pages.
    pub fn answers(path: &str) -> bool {
        RestTarget::looks_like_one(path) || path == "/listClients"
    }

    /// Waits until the records of calls whose consumers went away are durable. Call it after the last connection.
    pub async fn finish(&self) {
        self.0.tracker.close();
        self.0.tracker.wait().await;
    }

    /// Serves one request. `slot` carries the raw head on HTTP/1 connections, `calls` the places at its listener.
    pub(super) async fn handle(
        &self,
        request: Request<Incoming>,
        slot: Option<&Arc<Slot>>,
        arrival: Arrival,
        calls: Option<&Arc<Semaphore>>,
    ) -> Response<OutBody> {
        let (raw, busy) = match slot.map(Slot::take) {
            None => (None, None),
            Some(Some((head, busy))) => (Some(head), Some(busy)),
            // The library saw a request the tap did not let through: impossible, and not to be guessed about.
            Some(None) => return Self::desynchronised(None),
        };
        let (parts, body) = request.into_parts();
        match Received::new(raw, parts) {
            Some(received) => {
                let answer = self.answer(received, body, arrival, calls).await;
                answer.map(|body| body.keeping(busy))
            }
            None => Self::desynchronised(busy),
        }
    }

    fn desynchronised(busy: Option<Busy>) -> Response<OutBody> {
        tracing::error!("the raw head and the parsed request differ");
        let mut response = Response::new(OutBody::whole(bytes::Bytes::new()).keeping(busy));
        *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        response.headers_mut().insert("connection", http::HeaderValue::from_static("close"));
        response
    }

    async fn answer(
        &self,
        received: Received,
        body: Incoming,
        arrival: Arrival,
        calls: Option<&Arc<Semaphore>>,
    ) -> Response<OutBody> {
        let format = Format::from_accept(received.values("accept"));
        let mut case = Case::begin(&self.0, received.lang(), format, arrival);
        // Before anything is read of the call: a closed door costs nothing and leaves no record.
        if !case.arrival.entrance.opens(FrontDoor::Calls) {
            let zone = case.arrival.entrance.zone;
            return case.refuse(Refusal::door_closed(zone)).await;
        }
        let place = calls.map(|calls| Arc::clone(calls).try_acquire_owned());
        match (self.0.permit(), place.transpose()) {
            (Some(permit), Ok(place)) => case.hold(permit, place),
            _ => return case.refuse(Refusal::busy()).await,
        }
        if received.target().split('?').next() == Some("/listClients") {
            return self.list_clients(case, &received).await;
        }
        case.body =
            if http_body::Body::is_end_stream(&body) { BodyFacts::None } else { BodyFacts::Partial(0) };
        match self.call(case, &received, body).await {
            Ok(response) => response,
            Err((case, refusal)) => case.refuse(refusal).await,
        }
    }

    async fn call(
        &self,
        mut case: Box<Case>,
        received: &Received,
        body: Incoming,
    ) -> Result<Response<OutBody>, forward::Failed> {
        let snapshot = self.0.snapshot.load_full();
        let asked = match admit::read(&mut case, received, snapshot.instance()) {
            Ok(asked) => asked,
            Err(refusal) => return Err((case, refusal)),
        };
        match admit::admit(&mut case, received, &asked, &snapshot) {
            Ok(Admitted::Forward(plan)) => {
                // A long call must not keep an old configuration in memory.
                drop(snapshot);
                forward::forward(case, received, &asked, plan, body).await
            }
            Ok(Admitted::Meta) => meta::serve(case, received, &asked, &snapshot, body).await,
            Err(refusal) => Err((case, refusal)),
        }
    }

    async fn list_clients(&self, mut case: Box<Case>, received: &Received) -> Response<OutBody> {
        let now = self.0.clock.now();
        if received.method() != "GET" {
            return case.refuse(Refusal::method(received.method())).await;
        }
        if !self.0.policy.open_list_clients
            && let Err(refusal) =
                admit::authenticate(&mut case, received, now).and_then(|p| admit::meant_for_calls(&p))
        {
            return case.refuse(refusal).await;
        }
        let _ = case.settle(evidence::Outcome::Answered, None).await;
        meta::list_clients(received, &self.0.snapshot.load())
    }
}
