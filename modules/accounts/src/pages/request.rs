//! What the pages read of a request beside its form: where it comes from, which session carries it, where to go
//! afterwards.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use kernel::i18n::Lang;
use kernel::identity::sessions::{self, Origin, Session};
use kernel::{Error, Kernel, Result};
use web::Cx;

use crate::t;

/// Where a request comes from, and the session secret it brings.
pub(crate) struct Came {
    /// The browser and address.
    pub(crate) origin: Origin,
    /// The secret of the session.
    pub(crate) token: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Came {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip());
        let agent = parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let origin = Origin { user_agent: agent.to_owned(), address: address(peer, &parts.headers) };
        let token = parts.extensions.get::<Cx>().and_then(|cx| session_token(cx, &parts.headers));
        Ok(Self { origin, token })
    }
}

/// The address of the other side. A proxy on this very machine is believed when it says whom it speaks for (the
/// last entry is the one it added itself); anybody else could invent that header. Empty when the listener does not
/// tell whom it speaks with.
fn address(peer: Option<IpAddr>, headers: &HeaderMap) -> String {
    let Some(peer) = peer.map(|p| p.to_canonical()) else { return String::new() };
    let said = headers.get_all("x-forwarded-for").iter().next_back().and_then(|v| v.to_str().ok());
    let client = said.and_then(|s| s.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
    match client {
        Some(client) if peer.is_loopback() => client.to_canonical().to_string(),
        _ => peer.to_string(),
    }
}

/// The session cookie, by the name under which `web` sets it.
fn session_token(cx: &Cx, headers: &HeaderMap) -> Option<String> {
    let (_, set) = cx.no_session_cookie();
    let name = set.to_str().ok()?.split('=').next()?.to_owned();
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    cookies.flat_map(|v| v.split(';')).find_map(|pair| {
        let (n, value) = pair.trim().split_once('=')?;
        (n == name && !value.is_empty()).then(|| value.to_owned())
    })
}

/// The session that carries this request.
///
/// # Errors
/// [`Error::SignIn`] when there is none.
pub(super) async fn session(k: &Kernel, came: &Came) -> Result<Session> {
    let token = came.token.as_deref().ok_or(Error::SignIn)?;
    sessions::by_token(&k.db, token).await?.ok_or(Error::SignIn)
}

/// The response with a cookie.
pub(super) fn with_cookie(mut response: Response, cookie: (HeaderName, HeaderValue)) -> Response {
    response.headers_mut().append(cookie.0, cookie.1);
    response
}

/// Where to go next: a path of this very site, or the start page. Never an address somebody else chose.
pub(super) fn local(next: &str) -> String {
    let next = web::local(next);
    let own = next.len() <= 2_000 && !next.starts_with("/login") && !next.starts_with("/logout");
    if own { next.to_owned() } else { "/".to_owned() }
}

/// A waiting time in words.
pub(super) fn wait(l: Lang, seconds: u64) -> String {
    let n = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    match seconds {
        0..=90 => t::wait_seconds(l, n(seconds)),
        more => t::wait_minutes(l, n(more.div_ceil(60))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_one_stays_on_this_site() {
        assert_eq!(local("/exchange/calls?q=a%20b"), "/exchange/calls?q=a%20b");
        for bad in ["", "https://evil.example/", "//evil.example", "/\\evil", "/login?next=/login", "/logout"]
        {
            assert_eq!(local(bad), "/", "{bad}");
        }
    }

    #[test]
    fn only_a_proxy_on_this_machine_speaks_for_others() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "6.6.6.6, 203.0.113.7".parse().unwrap());
        let from = |peer: &str| address(Some(peer.parse().unwrap()), &headers);
        assert_eq!(from("127.0.0.1"), "203.0.113.7");
        assert_eq!(from("::ffff:127.0.0.1"), "203.0.113.7");
        assert_eq!(from("198.51.100.9"), "198.51.100.9");
        assert_eq!(address(None, &headers), "");
        headers.append("x-forwarded-for", "nonsense".parse().unwrap());
        assert_eq!(address(Some("127.0.0.1".parse().unwrap()), &headers), "127.0.0.1");
    }
}
