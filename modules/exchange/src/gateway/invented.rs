//! Answers for connections that are not in production, of services without a sandbox of their own: made from the service's
//! description, about people nobody is. They take the same way as a provider's answer: filter, evidence, headers.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use hyper::body::Incoming;
use xroad::hash::RequestHash;

use super::admit::{Asked, Plan};
use super::answer::{Added, AnswerHead};
use super::body_in::Gathered;
use super::body_out::Body;
use super::case::Case;
use super::forward::{Failed, body_refusal, take_body, travelling_head};
use super::received::Received;
use super::refusal::Refusal;
use super::sift::Sieve;
use crate::schema;

/// Reads the request as a provider would, and answers.
pub(super) async fn answer(
    mut case: Box<Case>,
    received: &Received,
    asked: &Asked<'_>,
    plan: &Plan,
    document: Option<&str>,
    body: Incoming,
) -> Result<Response<Body>, Failed> {
    let (head, _) = travelling_head(&case, received, asked);
    let gathered = match take_body(&mut case, body, RequestHash::new(head.as_bytes())).await {
        Ok(gathered) => gathered,
        Err(refusal) => return Err((case, refusal)),
    };
    let digests = match gathered {
        Gathered::Whole(_, digests) => digests,
        Gathered::Streaming(meter, unread) => {
            drop(unread);
            let (stall, drain) = (case.gateway.policy.stall_timeout(), case.gateway.policy.max_drain);
            if let Err(why) = meter.complete(stall, drain).await {
                return Err((case, body_refusal(why, false)));
            }
            match meter.measured().digests {
                Some(digests) => digests,
                None => return Err((case, Refusal::internal("digests"))),
            }
        }
    };
    let made = match made(&case, received.method(), &plan.path, document).await {
        Ok(made) => made,
        Err(refusal) => return Err((case, refusal)),
    };
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let (mut parts, ()) = response.into_parts();
    let content = match &plan.fields {
        None => made,
        Some(fields) => {
            let mut sieve = Sieve::new(&parts.headers, fields);
            super::sift::narrow(&mut parts);
            let sifted = sieve.pass(&made).and_then(|out| sieve.finish().map(|()| out));
            case.filter = Some(sieve.recorded());
            match sifted {
                Ok(out) => out,
                Err(rule) => return Err((case, Refusal::not_filtered(rule))),
            }
        }
    };
    let added = Added {
        id: &asked.message_id,
        client: &asked.headers.client_as_sent,
        service: &asked.target.service.to_string(),
        request_id: &case.request_id,
        request_hash: &digests.base64(),
    };
    let head = AnswerHead::relayed(parts, &added, &case.beside);
    Ok(case.answer(head, content).await)
}

async fn made(case: &Case, method: &str, path: &str, document: Option<&str>) -> Result<Bytes, Refusal> {
    let Some(reference) = document else { return Err(Refusal::no_sandbox()) };
    let found = case.gateway.documents.document(reference).await;
    let bytes = found.map_err(|_| Refusal::internal("document"))?.ok_or_else(Refusal::no_sandbox)?;
    let (method, path) = (method.to_owned(), path.to_owned());
    let making = tokio::task::spawn_blocking(move || schema::example(&bytes, &method, &path));
    let made = making.await.map_err(|_| Refusal::internal("example"))?;
    made.map(|value| Bytes::from(value.to_string())).ok_or_else(Refusal::no_sandbox)
}
