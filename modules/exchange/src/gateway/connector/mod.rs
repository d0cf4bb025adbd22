//! A way to a national platform, by configuration only: calls of services whose address lies below it carry the
//! platform's access token (RFC 6749 4.4), fetched once, kept until shortly before its end and fetched anew when it is
//! refused; also further headers, a certificate of ours, other paths. Secrets are read from files and never told.

mod settings;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::Incoming;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::refusal::Trouble;
use super::upstream::{Failure, OutBody, Pool};

use settings::secret;
pub use settings::{Credentials, Mapping, Secret, Settings, TokenSettings};

/// Most that is read of a token endpoint's answer.
const MOST_ANSWER: usize = 64 * 1024;
/// Longest token accepted.
const MOST_TOKEN: usize = 8 * 1024;
/// A token without a stated life (RFC 6749 5.1 only recommends one).
const USUAL_LIFE: u64 = 300;
const SHORTEST_LIFE: u64 = 1;
const LONGEST_LIFE: u64 = 86_400;
/// A token is fetched anew this long before its end, or a tenth of its life.
const AHEAD: Duration = Duration::from_secs(30);
/// After a failure the token endpoint is left alone for this long.
const REST: Duration = Duration::from_secs(1);

/// A token that is kept.
struct Kept {
    value: HeaderValue,
    /// From then on it is fetched anew.
    stale: Instant,
    /// Told apart from its successors.
    number: u64,
}

#[derive(Default)]
struct Tokens {
    kept: Option<Kept>,
    number: u64,
    failed: Option<(Instant, Trouble)>,
}

/// One way.
pub(super) struct Connector {
    settings: Settings,
    headers: HeaderMap,
    pool: Pool,
    tokens: Mutex<Tokens>,
}

impl Connector {
    /// With its own connections.
    ///
    /// # Errors
    /// When a file it names cannot be read.
    pub(super) fn new(settings: Settings, pool: Pool) -> io::Result<Arc<Self>> {
        let mut headers = HeaderMap::new();
        for (name, value) in &settings.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(io::Error::other)?;
            let mut value = HeaderValue::from_str(&value.read()?).map_err(io::Error::other)?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        if let Some(token) = &settings.token {
            secret(&token.client_secret_file)?;
        }
        Ok(Arc::new(Self { settings, headers, pool, tokens: Mutex::default() }))
    }

    /// How specific it is for an address; `None` when the address does not lie below it.
    pub(super) fn covers(&self, uri: &Uri) -> Option<usize> {
        let base = &self.settings.base_url;
        let scheme = if base.is_https() { "https" } else { "http" };
        let same = uri.scheme_str() == Some(scheme)
            && uri.authority().is_some_and(|a| a.as_str() == base.authority());
        let path = base.path();
        let below =
            uri.path().strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        (same && below).then_some(path.len())
    }

    /// Sends a request through here. One that was refused for its token is sent once more with a new one, if its body
    /// is at hand: what was refused has had no effect.
    pub(super) async fn send(&self, mut request: Request<OutBody>) -> Result<Response<Incoming>, Failure> {
        self.prepare(&mut request);
        let Some(token) = &self.settings.token else { return self.pool.request(request).await };
        let again = repeated(&request);
        let number = self.authorize(&mut request, token, None).await.map_err(Failure::Token)?;
        let answer = self.pool.request(request).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let Some(mut request) = again else {
            self.forget(number).await;
            return Err(Failure::Token(Trouble::TokenRefused));
        };
        drop(answer);
        self.authorize(&mut request, token, Some(number)).await.map_err(Failure::Token)?;
        let answer = self.pool.request(request).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            tracing::warn!(connector = self.settings.name, "a fresh token was refused");
            return Err(Failure::Token(Trouble::TokenRefused));
        }
        Ok(answer)
    }

    /// Headers and path as they are there.
    fn prepare(&self, request: &mut Request<OutBody>) {
        for (name, value) in &self.headers {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        if let Some(uri) = self.mapped(request.uri()) {
            *request.uri_mut() = uri;
        }
    }

    fn mapped(&self, uri: &Uri) -> Option<Uri> {
        let base = self.settings.base_url.path();
        let rest = uri.path().strip_prefix(base)?;
        let is_below = |m: &&Mapping| {
            rest.strip_prefix(m.from.trim_end_matches('/'))
                .is_some_and(|r| r.is_empty() || r.starts_with('/'))
        };
        let mapping = self.settings.path.iter().filter(is_below).max_by_key(|m| m.from.len())?;
        let rest = rest.strip_prefix(mapping.from.trim_end_matches('/'))?;
        let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
        let path = format!("{base}{}{rest}", mapping.to.trim_end_matches('/'));
        let text = if path.is_empty() { format!("/{query}") } else { format!("{path}{query}") };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
        Uri::from_parts(parts).ok()
    }

    /// Puts a token into the request; not the one with this number. Returns the number of the one that was put in.
    async fn authorize(
        &self,
        request: &mut Request<OutBody>,
        settings: &TokenSettings,
        not: Option<u64>,
    ) -> Result<u64, Trouble> {
        // While one call fetches a token, the others wait for it.
        let mut tokens = self.tokens.lock().await;
        let now = Instant::now();
        let good = tokens.kept.as_ref().is_some_and(|k| k.stale > now && not.is_none_or(|n| k.number > n));
        if !good {
            if let Some((_, trouble)) = tokens.failed.filter(|(at, _)| now.duration_since(*at) < REST) {
                return Err(trouble);
            }
            match self.fetch(settings).await {
                Ok((value, life)) => {
                    tokens.number += 1;
                    let early = AHEAD.min(life / 10);
                    let stale = Instant::now() + life.saturating_sub(early);
                    tokens.kept = Some(Kept { value, stale, number: tokens.number });
                    tokens.failed = None;
                    self.count("fetched");
                }
                Err(trouble) => {
                    tokens.kept = None;
                    tokens.failed = Some((Instant::now(), trouble));
                    self.count("failed");
                    return Err(trouble);
                }
            }
        }
        let kept = tokens.kept.as_ref().ok_or(Trouble::TokenUnavailable)?;
        request.headers_mut().insert(AUTHORIZATION, kept.value.clone());
        Ok(kept.number)
    }

    fn count(&self, outcome: &'static str) {
        let name = self.settings.name.clone();
        metrics::counter!("lienthong_connector_tokens_total", "connector" => name, "outcome" => outcome)
            .increment(1);
    }

    async fn forget(&self, number: u64) {
        let mut tokens = self.tokens.lock().await;
        if tokens.kept.as_ref().is_some_and(|k| k.number == number) {
            tokens.kept = None;
        }
    }

    /// Asks for a token. What is logged names neither secret nor token.
    async fn fetch(&self, settings: &TokenSettings) -> Result<(HeaderValue, Duration), Trouble> {
        let name = &self.settings.name;
        let request = token_request(settings).map_err(|e| {
            tracing::error!(connector = name, error = %e, "a token cannot be asked for");
            Trouble::TokenUnavailable
        })?;
        let asking = async {
            let answer = self.pool.request(request).await.map_err(|_| Trouble::TokenUnavailable)?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), MOST_ANSWER).collect().await;
            let body = body.map_err(|_| Trouble::TokenUnavailable)?.to_bytes();
            if matches!(status.as_u16(), 400 | 401 | 403) {
                let code = refusal(&body);
                tracing::warn!(connector = name, %status, code, "the token endpoint refuses us");
                return Err(Trouble::TokenRefused);
            }
            if !status.is_success() {
                tracing::warn!(connector = name, %status, "the token endpoint failed");
                return Err(Trouble::TokenUnavailable);
            }
            read(&body).ok_or_else(|| {
                tracing::warn!(connector = name, "the token endpoint's answer holds no bearer token");
                Trouble::TokenUnavailable
            })
        };
        let patience = Duration::from_millis(settings.timeout_ms);
        tokio::time::timeout(patience, asking).await.unwrap_or_else(|_| {
            tracing::warn!(connector = name, "the token endpoint does not answer in time");
            Err(Trouble::TokenUnavailable)
        })
    }
}

/// The same request again, if its body is at hand.
fn repeated(request: &Request<OutBody>) -> Option<Request<OutBody>> {
    let Either::Left(body) = request.body() else { return None };
    let mut again = Request::new(Either::Left(body.clone()));
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    Some(again)
}

fn token_request(settings: &TokenSettings) -> io::Result<Request<OutBody>> {
    let secret = secret(&settings.client_secret_file)?;
    let mut form = "grant_type=client_credentials".to_owned();
    let encoded = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    if let Some(scope) = &settings.scope {
        form.push_str(&format!("&scope={}", encoded(scope)));
    }
    let mut request = Request::post(settings.url.as_str());
    match settings.credentials {
        Credentials::Form => {
            form.push_str(&format!(
                "&client_id={}&client_secret={}",
                encoded(&settings.client_id),
                encoded(&secret)
            ));
        }
        Credentials::Basic => {
            use base64::Engine as _;
            let both = format!("{}:{}", encoded(&settings.client_id), encoded(&secret));
            let value = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(both));
            let mut value = HeaderValue::from_str(&value).map_err(io::Error::other)?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
    }
    request
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("accept", "application/json")
        .body(Either::Left(Full::new(Bytes::from(form))))
        .map_err(io::Error::other)
}

/// The error code of a refusal (RFC 6749 5.2), if it is one: it names no secret.
fn refusal(body: &[u8]) -> String {
    let code = serde_json::from_slice::<serde_json::Value>(body).ok();
    let code = code.as_ref().and_then(|v| v.get("error")?.as_str()).unwrap_or("unknown");
    code.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).take(64).collect()
}

/// The token of a success (RFC 6749 5.1) as a header, and its life.
fn read(body: &[u8]) -> Option<(HeaderValue, Duration)> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    let token = answer.get("access_token")?.as_str()?;
    let kind = answer.get("token_type").and_then(|k| k.as_str()).unwrap_or("Bearer");
    if token.is_empty() || token.len() > MOST_TOKEN || !kind.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let life = match answer.get("expires_in") {
        None => USUAL_LIFE,
        // Some platforms send it as text.
        Some(life) => life.as_u64().or_else(|| life.as_str()?.parse().ok())?,
    };
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some((value, Duration::from_secs(life.clamp(SHORTEST_LIFE, LONGEST_LIFE))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_as_platforms_send_them() {
        let life = |body: &str| read(body.as_bytes()).map(|(_, life)| life.as_secs());
        assert_eq!(life(r#"{"access_token":"a","token_type":"bearer","expires_in":3600}"#), Some(3600));
        assert_eq!(life(r#"{"access_token":"a","expires_in":"60"}"#), Some(60));
        assert_eq!(life(r#"{"access_token":"a"}"#), Some(USUAL_LIFE));
        assert_eq!(life(r#"{"access_token":"a","expires_in":0}"#), Some(SHORTEST_LIFE));
        for bad in [
            "",
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":"a\nb"}"#,
            r#"{"access_token":"a","token_type":"mac"}"#,
        ] {
            assert_eq!(life(bad), None, "{bad}");
        }
        assert_eq!(refusal(br#"{"error":"invalid_client"}"#), "invalid_client");
        assert_eq!(refusal(b"<html>"), "unknown");
    }
}
