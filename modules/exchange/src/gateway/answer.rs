//! Building answers: the provider's with the protocol's headers, the gateway's own errors, and their digests.

use aws_lc_rs::digest::{SHA256, digest};
use base::i18n::Lang;
use bytes::Bytes;
use evidence::{Field, Outcome, Response as Recorded};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use hyper::ext::ReasonPhrase;
use xroad::error::{ErrorBody, Format};
use xroad::header as names;
use xroad::message::MessageHead;

use super::beside::Beside;
use super::body_out::Body;
use super::case::Case;
use super::refusal::Refusal;

/// The headers the gateway adds to every answer of a call, in the protocol's order.
pub(super) struct Added<'a> {
    /// `X-Road-Id`, sent or made.
    pub id: &'a str,
    /// `X-Road-Client` as sent.
    pub client: &'a str,
    /// The called service as printed on the wire.
    pub service: &'a str,
    /// `x-road-request-id`.
    pub request_id: &'a str,
    /// `x-road-request-hash`.
    pub request_hash: &'a str,
}

impl Added<'_> {
    fn all(&self) -> [(&'static str, &str); 5] {
        [
            (names::ID, self.id),
            (names::CLIENT, self.client),
            (names::SERVICE, self.service),
            (names::REQUEST_ID, self.request_id),
            (names::REQUEST_HASH, self.request_hash),
        ]
    }
}

/// The head of an answer: the provider's status and travelling headers, then the gateway's.
pub(super) struct AnswerHead {
    pub status: StatusCode,
    pub reason: Option<ReasonPhrase>,
    pub headers: HeaderMap,
}

impl AnswerHead {
    /// From what the provider sent; headers it names in `Connection` concern its own hop only.
    pub(super) fn relayed(parts: http::response::Parts, added: &Added<'_>, beside: &Beside) -> Self {
        let nominated: Vec<String> = parts
            .headers
            .get_all("connection")
            .iter()
            .filter_map(|v| v.to_str().ok())
            .flat_map(|v| v.split(',').map(|n| n.trim().to_ascii_lowercase()))
            .collect();
        let mut headers = HeaderMap::with_capacity(parts.headers.len() + 5);
        for (name, value) in &parts.headers {
            if names::response_travels(name.as_str()) && !nominated.iter().any(|n| n == name.as_str()) {
                headers.append(name.clone(), value.clone());
            }
        }
        add(&mut headers, added);
        beside.add_to(&mut headers);
        let reason = parts.extensions.get::<ReasonPhrase>().cloned();
        Self { status: parts.status, reason, headers }
    }

    /// An answer the gateway makes itself.
    pub(super) fn own(content_type: &'static str, added: &Added<'_>) -> Self {
        let mut headers = HeaderMap::with_capacity(6);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        add(&mut headers, added);
        Self { status: StatusCode::OK, reason: None, headers }
    }

    /// SHA-256 of the stored form of the head, in hexadecimal digits.
    pub(super) fn digest(&self) -> String {
        let canonical = || self.status.canonical_reason().unwrap_or_default().into();
        let reason = self.reason.as_ref().map_or_else(canonical, |r| String::from_utf8_lossy(r.as_bytes()));
        let mut head = MessageHead::response(self.status.as_u16(), &reason);
        for (name, value) in &self.headers {
            head.header(name.as_str(), value.as_bytes());
        }
        hex::encode(digest(&SHA256, head.as_bytes()))
    }

    /// The answer with its body.
    pub(super) fn with(self, body: Body) -> Response<Body> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        if let Some(reason) = self.reason {
            response.extensions_mut().insert(reason);
        }
        response
    }
}

fn add(headers: &mut HeaderMap, added: &Added<'_>) {
    for (name, value) in added.all() {
        // Everything here was read from a header, or made of its characters.
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
}

impl Case {
    /// Answers with an error of the gateway's own, once the record is durable.
    pub(super) async fn refuse(mut self: Box<Self>, refusal: Refusal) -> Response<Body> {
        let mut answer = self.error(&refusal);
        if let Err(e) = self.settle(refusal.outcome, Some(refusal.recorded())).await {
            tracing::error!(request_id = self.request_id, error = %e, "the closed record failed");
            answer = self.error(&Refusal::evidence_failed());
        }
        answer
    }

    /// Answers with a whole body, once the record is durable; with an error when it cannot be made so.
    pub(super) async fn answer(mut self: Box<Self>, head: AnswerHead, body: Bytes) -> Response<Body> {
        self.private.push((Field::ResponseHead, head.digest()));
        self.private.push((Field::ResponseBody, hex::encode(digest(&SHA256, &body))));
        self.response = Some(Recorded { status: head.status.as_u16(), size: body.len() as u64 });
        match self.settle(Outcome::Answered, None).await {
            Ok(()) => head.with(Body::whole(body)),
            Err(e) => {
                tracing::error!(request_id = self.request_id, error = %e, "the closed record failed");
                self.error(&Refusal::evidence_failed())
            }
        }
    }

    /// The error as the caller reads it.
    fn error(&mut self, refusal: &Refusal) -> Response<Body> {
        let style = self.gateway.policy.error_style;
        let kind = refusal.fault.code(style);
        let message = refusal.text.get(self.lang).to_owned();
        let body = ErrorBody { kind: kind.clone(), message, detail: self.request_id.clone() };
        let body = Bytes::from(body.render(self.format));
        self.response = Some(Recorded { status: refusal.status_code(), size: body.len() as u64 });
        // The provider's answer, if there was one, did not leave.
        let mut response = plain_error(refusal, &kind, self.format, self.lang, body);
        let headers = response.headers_mut();
        self.beside.add_to(headers);
        for (name, value) in
            [(names::ID, self.message_id.as_deref()), (names::REQUEST_ID, Some(&*self.request_id))]
        {
            if let Some(Ok(value)) = value.map(|v| HeaderValue::from_bytes(v.as_bytes())) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

fn plain_error(refusal: &Refusal, kind: &str, format: Format, lang: Lang, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::whole(body));
    *response.status_mut() =
        StatusCode::from_u16(refusal.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert("content-language", HeaderValue::from_static(if lang == Lang::En { "en" } else { "vi" }));
    if let Ok(kind) = HeaderValue::from_str(kind) {
        headers.insert(HeaderName::from_static(names::ERROR), kind);
    }
    if let Some(seconds) = refusal.retry_after {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    if refusal.challenge {
        let challenge = match refusal.rule {
            "token-missing" => "Bearer",
            // RFC 6750, section 3.1.
            "token-scope" => "Bearer error=\"insufficient_scope\", scope=\"exchange\"",
            _ => "Bearer error=\"invalid_token\"",
        };
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}
