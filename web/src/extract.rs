//! What handlers take from a request, with our errors instead of axum's plain texts.

use axum::extract::{FromRequest, FromRequestParts, Request};
use base::error::{Error, FieldError};
use base::i18n::Text;
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::t;

/// The limit of the route, for the error that names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimit(pub(crate) u64);

/// Parts of the path; a bad one is a page that does not exist.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

/// Parameters of the query.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

/// A form (`application/x-www-form-urlencoded`).
#[derive(Debug, Clone, Copy)]
pub struct Form<T>(pub T);

/// A JSON document. For answers use `axum::Json`.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

/// A form as pairs, for questions with several answers of one name.
#[derive(Debug, Clone, Default)]
pub struct Answers(Vec<(String, String)>);

impl Answers {
    /// The first answer of that name, trimmed; empty when there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim())
    }

    /// All answers of that name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let found = axum::extract::Path::from_request_parts(parts, state).await;
        found.map(|axum::extract::Path(value)| Self(value)).map_err(|_| Failure::no_page())
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let found = axum::extract::Query::from_request_parts(parts, state).await;
        found.map(|axum::extract::Query(value)| Self(value)).map_err(|e| unreadable("query", &e.body_text()))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let limit = limit(&request);
        let found = axum::extract::Form::from_request(request, state).await;
        found
            .map(|axum::extract::Form(value)| Self(value))
            .map_err(|e| bad_body(e.status(), &e.body_text(), limit))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let limit = limit(&request);
        let found = axum::extract::Json::from_request(request, state).await;
        found
            .map(|axum::extract::Json(value)| Self(value))
            .map_err(|e| bad_body(e.status(), &e.body_text(), limit))
    }
}

impl<S: Send + Sync> FromRequest<S> for Answers {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        Form::from_request(request, state).await.map(|Form(pairs)| Self(pairs))
    }
}

fn limit(request: &Request) -> u64 {
    request.extensions().get::<BodyLimit>().map_or(0, |l| l.0)
}

fn bad_body(status: StatusCode, detail: &str, limit: u64) -> Failure {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge { limit }.into(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Failure::media(),
        _ => unreadable("body", detail),
    }
}

/// The detail is serde's, in English and about our own field names; it helps integrators and says nothing secret.
fn unreadable(field: &str, detail: &str) -> Failure {
    let text = Text::both(|l| t::unreadable_request(l, detail));
    Error::Invalid(vec![FieldError { field: field.to_owned(), text }]).into()
}
