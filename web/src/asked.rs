//! What a request says before anybody is asked who they are: its number, language, wishes of the browser.

use axum::extract::Request;
use base::clock::Timestamp;
use base::i18n::Lang;
use base::ids;
use http::{HeaderMap, header};
use kernel::Kernel;
use kernel::entrance::Arrival;

use crate::cx::Look;
use crate::redirect::{self, Saying};
use crate::session::cookie;
use crate::{language, prefs};

/// The readable part of a request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) request_id: String,
    pub(crate) at: Timestamp,
    pub(crate) lang: Lang,
    /// Chosen on this browser, which goes before the account's choice.
    pub(crate) chosen: bool,
    /// Programs get problem details instead of pages.
    pub(crate) json: bool,
    /// Navigation that may be sent to sign in and come back.
    pub(crate) returns: bool,
    pub(crate) said: Option<String>,
    pub(crate) look: Look,
    pub(crate) narrow: bool,
    /// How the request came in.
    pub(crate) arrival: Arrival,
}

impl Asked {
    pub(crate) fn of(k: &Kernel, request: &Request) -> Self {
        let headers = request.headers();
        let chosen = language::chosen(headers);
        Self {
            request_id: given_id(headers)
                .unwrap_or_else(|| ids::uuid_v7(&*k.clock, &*k.random).hyphenated().to_string()),
            at: k.clock.now(),
            lang: chosen.unwrap_or_else(|| language::preferred(headers)),
            chosen: chosen.is_some(),
            json: wants_json(request.uri().path(), headers),
            returns: request.method().is_safe() && !headers.contains_key("hx-request"),
            said: cookie(headers, redirect::COOKIE).and_then(Saying::read),
            look: cookie(headers, prefs::LOOK).and_then(Look::from_name).unwrap_or_default(),
            narrow: cookie(headers, prefs::BAR) == Some("narrow"),
            arrival: request.extensions().get::<Arrival>().cloned().unwrap_or_default(),
        }
    }
}

/// The number a proxy in front has given, if it is one: it ends up in logs and on pages.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-request-id")?.to_str().ok()?;
    let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (plain && (8..=64).contains(&id.len())).then(|| id.to_owned())
}

fn wants_json(path: &str, headers: &HeaderMap) -> bool {
    if path.starts_with("/api/") && path != "/api/docs" {
        return true;
    }
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    accept.contains("json") && !accept.contains("text/html")
}
