//! The addresses OAuth clients use: token endpoint (RFC 6749), keys (RFC 7517), metadata (RFC 8414). What they
//! say is decided in the kernel's `tokens`.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use kernel::Kernel;
use kernel::entrance::{Arrival, FrontDoor};
use kernel::tokens::oauth::{self, Answer};
use web::{Access, Cx};

use crate::Accounts;
use crate::mount::Mount;
use crate::pages::request::Came;

pub(crate) fn routes(a: &Accounts) -> web::Routes {
    Mount::new(a)
        .post("/oauth2/token", Access::Public, token)
        .limit(oauth::MAX_BODY)
        .door(FrontDoor::Token)
        .get("/.well-known/jwks.json", Access::Public, jwks)
        .door(FrontDoor::Token)
        .get("/.well-known/oauth-authorization-server", Access::Public, metadata)
        .door(FrontDoor::Token)
        .done()
}

async fn token(
    State(k): State<Kernel>,
    Extension(a): Extension<Accounts>,
    cx: Cx,
    came: Came,
    arrival: Option<Extension<Arrival>>,
    headers: HeaderMap,
    body: Bytes,
) -> web::Result<Response> {
    let request = match oauth::parse(&headers, &body) {
        Ok(request) => request,
        Err(refusal) => return Ok(response(refusal.answer())),
    };
    let shown = arrival.as_ref().and_then(|Extension(arrival)| arrival.certificate.as_ref());
    Ok(response(match a.door.grant(&k, &a.issuer, &cx, &request, &came.origin.address, shown).await? {
        Ok(given) => given.answer(),
        Err(refusal) => refusal.answer(),
    }))
}

fn response(answer: Answer) -> Response {
    let mut response = (answer.status, answer.body.to_string()).into_response();
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value);
    }
    response
}

async fn jwks(Extension(a): Extension<Accounts>) -> Response {
    public(&a.issuer.jwks())
}

async fn metadata(Extension(a): Extension<Accounts>) -> Response {
    public(&a.issuer.metadata())
}

/// Public and slow to change: a new key is announced a day before it signs.
fn public(body: &serde_json::Value) -> Response {
    let mut response = body.to_string().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
