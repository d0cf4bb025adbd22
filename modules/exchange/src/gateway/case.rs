//! One call from its arrival to its record: collects the facts as they become known and makes sure that exactly one
//! closed record follows, also when the consumer disappears and the call's future is simply dropped.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use base::clock::{Stopwatch, Timestamp};
use base::i18n::Lang;
use evidence::{Body, Call, Field, Outcome, Request, Response};
use futures_util::future::BoxFuture;
use kernel::entrance::Arrival;
use tlog::Hash;
use tokio::sync::OwnedSemaphorePermit;
use xroad::error::Format;
use xroad::hash::Digests;
use xroad::header::RequestHeaders;
use xroad::opmon::{Record, ServerType};
use xroad::request::RestTarget;

use super::beside::Beside;
use super::body_in::{Measured, Meter};
use super::inner::{Inner, Permit};
use super::ports::{ClosedCall, EvidenceFailed, Expected, OpenedCall};
use crate::proof;

/// What is known of the request's body.
pub(super) enum BodyFacts {
    None,
    /// So much had arrived when the call ended; more was to come.
    Partial(u64),
    Whole(u64, Digests),
    Passing(Meter),
}

/// The call.
pub(super) struct Case {
    pub gateway: Arc<Inner>,
    /// `x-road-request-id`.
    pub request_id: String,
    /// The language the caller reads.
    pub lang: Lang,
    /// How the call came in.
    pub arrival: Arrival,
    /// The form of error the caller reads.
    pub format: Format,
    /// Who calls what; `None` while that is not known, and then nothing is recorded.
    pub call: Option<Call>,
    /// `X-Road-Id`, sent or made.
    pub message_id: Option<String>,
    /// Personal values.
    pub private: Vec<(Field, String)>,
    pub body: BodyFacts,
    pub request_out: Option<Timestamp>,
    pub response_in: Option<Timestamp>,
    pub response: Option<Response>,
    /// The filter the provider's answer went through.
    pub filter: Option<evidence::Filter>,
    /// What the answer says beside its content.
    pub beside: Beside,
    /// Whether the caller has proven who it is.
    pub proven: bool,
    /// `REST` or `OPENAPI3`, once the service is known.
    pub service_kind: Option<&'static str>,
    arrived: Timestamp,
    taken: Stopwatch,
    opened: Option<Hash>,
    expected: Option<Expected>,
    represented: Option<xroad::id::RepresentedParty>,
    settled: bool,
    _permit: Option<Permit>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Case {
    /// A call has arrived.
    pub(super) fn begin(gateway: &Arc<Inner>, lang: Lang, format: Format, arrival: Arrival) -> Box<Self> {
        Box::new(Self {
            gateway: Arc::clone(gateway),
            request_id: base::ids::uuid_v4(&*gateway.random).hyphenated().to_string(),
            lang,
            arrival,
            format,
            call: None,
            message_id: None,
            private: Vec::new(),
            body: BodyFacts::None,
            request_out: None,
            response_in: None,
            response: None,
            filter: None,
            beside: Beside::default(),
            proven: false,
            service_kind: None,
            arrived: gateway.clock.now(),
            taken: Stopwatch::start(),
            opened: None,
            expected: None,
            represented: None,
            settled: false,
            _permit: None,
            _place: None,
        })
    }

    /// Holds a place among the calls at the same time, of the gateway and of the listener.
    pub(super) fn hold(&mut self, permit: Permit, place: Option<OwnedSemaphorePermit>) {
        self._permit = Some(permit);
        self._place = place;
    }

    /// The largest request body: the stricter of the gateway's and the listener's limit.
    pub(super) fn max_request_body(&self) -> Option<u64> {
        let limits = [self.gateway.policy.max_request_body, self.arrival.entrance.max_request_body];
        limits.into_iter().flatten().min()
    }

    /// It is known who claims to call what.
    pub(super) fn identify(
        &mut self,
        target: &RestTarget<'_>,
        headers: &RequestHeaders,
        method: &str,
        message_id: &str,
    ) {
        let mut personal = |field, value: Option<&str>| {
            if let Some(value) = value.filter(|v| !v.is_empty()) {
                self.private.push((field, value.to_owned()));
            }
        };
        personal(Field::UserId, headers.user_id.as_deref());
        personal(Field::Issue, headers.issue.as_deref());
        personal(Field::Path, Some(target.service_path));
        personal(Field::Query, target.query);
        self.represented.clone_from(&headers.represented_party);
        if let Some(party) = &headers.represented_party {
            self.private.push((Field::RepresentedParty, party.to_string()));
        }
        self.message_id = Some(message_id.to_owned());
        self.call = Some(Call {
            request_id: self.request_id.clone(),
            message_id: message_id.to_owned(),
            client: headers.client.path().to_owned(),
            service: target.service.path().to_owned(),
            agreement: None,
            snapshot: 0,
            consumer_auth: proof::recorded("none", self.arrival.entrance.zone),
            method: method.to_owned(),
            endpoint: None,
            request_in: self.arrived.micros(),
            environment: None,
        });
    }

    /// Adds to what is recorded of the parties and the right.
    pub(super) fn learn(&mut self, add: impl FnOnce(&mut Call)) {
        if let Some(call) = &mut self.call {
            add(call);
        }
    }

    /// Says that the closed record will follow soon.
    pub(super) fn expect_record(&mut self) {
        if self.expected.is_none() && !self.settled {
            self.expected = Some(self.gateway.evidence.expect());
        }
    }

    /// Makes the opened record durable. Should the caller give up meanwhile, the call is still closed properly.
    pub(super) fn open(self: Box<Self>) -> Opening {
        let opening = self
            .call
            .clone()
            .map(|call| self.gateway.evidence.opened(OpenedCall { call, private: self.private.clone() }));
        Opening { future: opening, case: Some(self) }
    }

    fn opened_with(
        mut self: Box<Self>,
        result: Result<Hash, EvidenceFailed>,
    ) -> Result<Box<Self>, Box<Self>> {
        match result {
            Ok(hash) => {
                self.opened = Some(hash);
                Ok(self)
            }
            Err(e) => {
                tracing::error!(request_id = self.request_id, error = %e, "the opened record failed");
                Err(self)
            }
        }
    }

    /// Ends the call: counts it and makes the closed record durable. Only the first ending counts.
    pub(super) fn settle(&mut self, outcome: Outcome, fault: Option<String>) -> Persist {
        if std::mem::replace(&mut self.settled, true) {
            return Persist::nothing();
        }
        let expected = self.expected.take();
        self.count(outcome, fault.as_deref());
        let Some(call) = self.call.take() else {
            if outcome != Outcome::Answered {
                self.gateway.monitor.unrecorded();
            }
            return Persist::nothing();
        };
        self.monitor(&call, outcome, fault.as_deref());
        if !self.proven && !self.gateway.strangers.admit() {
            self.gateway.monitor.unrecorded();
            return Persist::nothing();
        }
        let mut private = std::mem::take(&mut self.private);
        let request = self.request_facts(&mut private);
        let closed = ClosedCall {
            call,
            private,
            request_out: self.request_out.map(Timestamp::micros),
            response_in: self.response_in.map(Timestamp::micros),
            request,
            response: self.response,
            outcome,
            fault,
            filter: self.filter,
            opened: self.opened,
        };
        let future = self.gateway.evidence.closed(closed, expected);
        Persist { future: Some(future), gateway: Some(Arc::clone(&self.gateway)) }
    }

    fn request_facts(&self, private: &mut Vec<(Field, String)>) -> Request {
        let measured = match &self.body {
            BodyFacts::None => return Request { body: Body::None, size: 0 },
            BodyFacts::Partial(size) => Measured { size: *size, complete: false, digests: None },
            BodyFacts::Whole(size, digests) => {
                Measured { size: *size, complete: true, digests: Some(*digests) }
            }
            BodyFacts::Passing(meter) => meter.measured(),
        };
        match (measured.complete, measured.digests.and_then(|d| d.body)) {
            (true, None) => Request { body: Body::None, size: 0 },
            (true, Some(digest)) => {
                private.push((Field::RequestBody, hex::encode(digest)));
                Request { body: Body::Complete, size: measured.size }
            }
            (false, _) => Request { body: Body::Partial, size: measured.size },
        }
    }

    fn request_size(&self) -> u64 {
        match &self.body {
            BodyFacts::None => 0,
            BodyFacts::Partial(size) | BodyFacts::Whole(size, _) => *size,
            BodyFacts::Passing(meter) => meter.measured().size,
        }
    }

    /// Counters and histograms; no label holds anything personal, and services are those of the registry.
    fn count(&self, outcome: Outcome, fault: Option<&str>) {
        let service = match (&self.call, self.service_kind) {
            (Some(call), Some(_)) => call.service.clone(),
            _ => String::new(),
        };
        metrics::counter!("lienthong_gateway_calls_total", "service" => service.clone(), "outcome" => outcome.name())
            .increment(1);
        metrics::histogram!("lienthong_gateway_call_seconds", "service" => service)
            .record(self.taken.elapsed());
        metrics::counter!("lienthong_gateway_request_bytes_total").increment(self.request_size());
        metrics::counter!("lienthong_gateway_response_bytes_total")
            .increment(self.response.map_or(0, |r| r.size));
        if let Some(filter) = &self.filter {
            metrics::counter!("lienthong_gateway_filtered_answers_total").increment(1);
            metrics::counter!("lienthong_gateway_removed_fields_total").increment(filter.removed);
        }
        if let Some((_, rule)) = fault.and_then(|f| f.split_once('/')) {
            metrics::counter!("lienthong_gateway_faults_total", "rule" => rule.to_owned()).increment(1);
        }
    }

    fn monitor(&self, call: &Call, outcome: Outcome, fault: Option<&str>) {
        let now = self.gateway.clock.now();
        let mut record = Record::new(ServerType::Client, self.arrived.millis(), now.millis());
        record.parties(&call.client, &call.service);
        if let Some(party) = &self.represented {
            record.represented_party(party);
        }
        record.request_out_ts = self.request_out.map(Timestamp::millis);
        record.response_in_ts = self.response_in.map(Timestamp::millis);
        record.rest_method = Some(call.method.clone());
        record.message_id = Some(xroad::opmon::clip(&call.message_id, xroad::opmon::MAX_STRING));
        record.message_protocol_version = Some("1".to_owned());
        record.request_size = Some(self.request_size());
        record.request_attachment_count = Some(0);
        record.response_size = self.response.map(|r| r.size);
        record.response_attachment_count = Some(0);
        record.status_code = self.response.map(|r| r.status);
        record.service_type = self.service_kind.map(str::to_owned);
        record.succeeded = outcome == Outcome::Answered && self.response.is_some_and(|r| r.status < 400);
        record.removed_field_count = self.filter.map(|filter| filter.removed);
        if let Some(fault) = fault {
            let (code, rule) = fault.split_once('/').unwrap_or((fault, ""));
            record.fault(code, rule);
        }
        self.gateway.monitor.record(record);
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        if self.settled || self.call.is_none() {
            return;
        }
        // Nobody waits for an answer any more. Dropping the future of the record lets it finish on its own.
        let outcome = if std::thread::panicking() { Outcome::GatewayFailed } else { Outcome::ConsumerGone };
        drop(self.settle(outcome, None));
    }
}

/// Resolves when the opened record is durable, to the case; to the case as an error when that failed.
pub(super) struct Opening {
    future: Option<BoxFuture<'static, Result<Hash, EvidenceFailed>>>,
    case: Option<Box<Case>>,
}

impl Future for Opening {
    type Output = Result<Box<Case>, Box<Case>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = match &mut self.future {
            Some(future) => std::task::ready!(future.as_mut().poll(cx)),
            None => Err(EvidenceFailed("the call is not identified".to_owned())),
        };
        self.future = None;
        match self.case.take() {
            Some(case) => Poll::Ready(case.opened_with(result)),
            None => Poll::Pending,
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        let (Some(future), Some(case)) = (self.future.take(), self.case.take()) else { return };
        let gateway = Arc::clone(&case.gateway);
        gateway.finish_alone(Box::pin(async move {
            let result = future.await;
            // Dropping the case closes it; the closed record then names the opened one.
            drop(case.opened_with(result));
            Ok(())
        }));
    }
}

/// Resolves when a record is durable. Dropped before, it goes on by itself: a record is never given up.
pub(super) struct Persist {
    future: Option<BoxFuture<'static, Result<(), EvidenceFailed>>>,
    gateway: Option<Arc<Inner>>,
}

impl Persist {
    fn nothing() -> Self {
        Self { future: None, gateway: None }
    }
}

impl Future for Persist {
    type Output = Result<(), EvidenceFailed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = &mut self.future else { return Poll::Ready(Ok(())) };
        let result = future.as_mut().poll(cx);
        if result.is_ready() {
            self.future = None;
        }
        result
    }
}

impl Drop for Persist {
    fn drop(&mut self) {
        let (Some(future), Some(gateway)) = (self.future.take(), self.gateway.take()) else { return };
        gateway.finish_alone(future);
    }
}
