//! Around every request: a number and a language on the way in; on the way out errors in the reader's form and the
//! headers that protect the page. Who may use a route is decided by its guard.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base::error::Error;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Uri, header};
use kernel::Kernel;
use kernel::entrance::Arrival;

use crate::address::Address;
use crate::asked::Asked;
use crate::cx::{Cx, View};
use crate::failure::Failure;
use crate::frame::Policy;
use crate::nav::Nav;
use crate::redirect::{self, Redirect, Saying};
use crate::session::{Sessions, Visitor, bearer, cookie, cookie_name};
use crate::site::Site;
use crate::{csrf, headers};

/// What the door needs.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) kernel: Kernel,
    pub(crate) site: Arc<Site>,
    pub(crate) sessions: Arc<dyn Sessions>,
    pub(crate) nav: Arc<[Nav]>,
}

/// Marks answers that must not be compressed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AsItIs;

/// The layer around everything.
pub(crate) async fn door(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let asked = Asked::of(&door.kernel, &request);
    let stranger = door.cx(&asked, request.uri(), None, None);
    request.extensions_mut().insert(asked.clone());
    let caught = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut answer =
        caught.unwrap_or_else(|_| Failure::from(Error::internal("a handler panicked")).into_response());
    if let Some(failure) = answer.extensions_mut().remove::<Failure>() {
        log(&failure, &asked.request_id);
        let cx = answer.extensions_mut().remove::<Cx>().unwrap_or(stranger);
        answer = spoken(&failure, &cx, &asked);
    }
    finish(&door.site, &asked, answer)
}

fn finish(site: &Site, asked: &Asked, mut answer: Response) -> Response {
    let policy = answer.extensions_mut().remove::<Policy>();
    let saying = answer.extensions_mut().remove::<Saying>();
    let headers = answer.headers_mut();
    if let Some(saying) = saying {
        set_cookie(headers, &saying.cookie(site.secure));
    } else if asked.said.is_some() && is_page(headers) {
        set_cookie(headers, &format!("{}=; Path=/; Max-Age=0", redirect::COOKIE));
    }
    headers::protect(site, headers, policy);
    if let Ok(value) = HeaderValue::from_str(&asked.request_id) {
        headers.insert("x-request-id", value);
    }
    answer
}

fn set_cookie(headers: &mut HeaderMap, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.append(header::SET_COOKIE, value);
    }
}

/// Only a page has shown the sentence it was given.
fn is_page(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"text/html"))
}

/// The error for its reader.
fn spoken(failure: &Failure, cx: &Cx, asked: &Asked) -> Response {
    let mut answer = match *failure.error {
        _ if asked.json => failure.json(&asked.request_id),
        Error::SignIn if asked.returns => {
            Redirect::to(Address::path("/login").with("next", cx.address())).into_response()
        }
        _ => failure.page(cx),
    };
    if let Some(seconds) = failure.retry_after() {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// Faults of ours with their causes; what people do wrong is not logged above debug.
fn log(failure: &Failure, request_id: &str) {
    let chain = failure.error.chain();
    match *failure.error {
        Error::Internal(_) => tracing::error!(request_id, error = chain, "internal fault"),
        Error::Unavailable { .. } => tracing::warn!(request_id, error = chain, "unavailable"),
        _ => tracing::debug!(request_id, error = chain, "refused"),
    }
}

impl Door {
    /// Who comes, and the session they come with. A session that is over is a stranger; a token that is not valid is
    /// an error, except where nobody needs one.
    pub(crate) async fn visitor(
        &self,
        headers: &HeaderMap,
        arrival: &Arrival,
        public: bool,
    ) -> Result<(Option<Visitor>, Option<String>), Failure> {
        if let Some(token) = bearer(headers) {
            let found = self.sessions.by_bearer(&self.kernel, token, arrival).await?;
            return if found.is_some() || public { Ok((found, None)) } else { Err(Error::SignIn.into()) };
        }
        let Some(token) = cookie(headers, cookie_name(self.site.secure)) else { return Ok((None, None)) };
        let found = self.sessions.by_cookie(&self.kernel, token).await?;
        let session = found.is_some().then(|| token.to_owned());
        Ok((found, session))
    }

    pub(crate) fn cx(&self, asked: &Asked, uri: &Uri, visitor: Option<Visitor>, session: Option<&str>) -> Cx {
        let mut cx = kernel::Cx::stranger(&asked.request_id, asked.lang, asked.at);
        cx.entrance = asked.arrival.entrance.clone();
        let mask = || base::random::bytes::<16>(&*self.kernel.random);
        let mut view = View {
            site: self.site.clone(),
            nav: self.nav.clone(),
            address: Address::of(uri),
            account: None,
            csrf: session.map(|s| csrf::token(s, mask())),
            said: asked.said.clone(),
            look: asked.look,
            narrow: asked.narrow,
            screen: String::new(),
        };
        if let Some(visitor) = visitor {
            cx.actor = visitor.actor;
            cx.grants = visitor.grants;
            cx.name = visitor.account.as_ref().map(|a| a.name.clone());
            let wished = visitor.account.as_ref().and_then(|a| a.lang).filter(|_| !asked.chosen);
            cx.lang = wished.unwrap_or(cx.lang);
            view.account = visitor.account;
        }
        Cx::new(cx, view)
    }
}
