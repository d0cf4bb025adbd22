//! The wire of the token endpoint: reads a client-credentials request (RFC 6749 §4.4, client authentication of
//! §2.3.1) and forms its answers (§5), and the server's metadata (RFC 8414). Who the client is, is decided in
//! `grant`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::claims::parse_scopes;
use crate::identity::Secret;

/// The largest body worth reading, in bytes.
pub const MAX_BODY: u64 = 16 * 1024;

/// A well-formed request for a token.
#[derive(Debug)]
pub struct TokenRequest {
    /// Which client.
    pub client_id: String,
    /// Its secret; without one it has to prove itself by certificate (RFC 8705 §2).
    pub secret: Option<Secret>,
    /// The scopes asked for; empty means all the client has.
    pub scopes: std::collections::BTreeSet<String>,
}

/// The error codes of RFC 6749 §5.2 that can occur here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Malformed, doubled or missing parameters.
    InvalidRequest,
    /// Client authentication failed.
    InvalidClient,
    /// Another grant than client credentials.
    UnsupportedGrantType,
    /// A scope the client does not have.
    InvalidScope,
}

impl Code {
    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
        }
    }
}

/// A refusal in the RFC's form. Descriptions are ASCII, as the RFC demands, hence English only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthError {
    /// The code.
    pub code: Code,
    /// For the integrator.
    pub description: &'static str,
}

impl OAuthError {
    const fn new(code: Code, description: &'static str) -> Self {
        Self { code, description }
    }

    /// The same answer for an unknown client, a wrong secret and a revoked client.
    pub const fn invalid_client() -> Self {
        Self::new(Code::InvalidClient, "client authentication failed")
    }

    /// A scope that is malformed or not the client's.
    pub const fn invalid_scope() -> Self {
        Self::new(Code::InvalidScope, "the client does not have a scope that was asked for")
    }

    /// Status, headers and JSON body.
    pub fn answer(&self) -> Answer {
        let body = serde_json::json!({"error": self.code.as_str(), "error_description": self.description});
        let mut answer = Answer::new(StatusCode::BAD_REQUEST, body);
        if self.code == Code::InvalidClient {
            answer.status = StatusCode::UNAUTHORIZED;
            let challenge = HeaderValue::from_static("Basic realm=\"lienthong\", charset=\"UTF-8\"");
            answer.headers.push((header::WWW_AUTHENTICATE, challenge));
        }
        answer
    }
}

/// A token, in the RFC's form (§5.1).
#[derive(Debug, Clone, Serialize)]
pub struct TokenResponse {
    /// The token.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds until it ends.
    pub expires_in: u64,
    /// The scopes it carries.
    pub scope: String,
}

impl TokenResponse {
    /// Status, headers and JSON body.
    pub fn answer(&self) -> Answer {
        Answer::new(StatusCode::OK, serde_json::json!(self))
    }
}

/// What goes back, without tying the rules to a web framework.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// Headers, `no-store` among them.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// JSON.
    pub body: serde_json::Value,
}

impl Answer {
    fn new(status: StatusCode, body: serde_json::Value) -> Self {
        let headers = vec![
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::PRAGMA, HeaderValue::from_static("no-cache")),
        ];
        Self { status, headers, body }
    }
}

/// Reads a token request. The address's query is never looked at: secrets do not belong there.
///
/// # Errors
/// The answer to give.
pub fn parse(headers: &HeaderMap, body: &[u8]) -> Result<TokenRequest, OAuthError> {
    let invalid = |why| OAuthError::new(Code::InvalidRequest, why);
    if !is_form(headers) {
        return Err(invalid("the body must be application/x-www-form-urlencoded"));
    }
    let text = std::str::from_utf8(body).map_err(|_| invalid("the body is not UTF-8"))?;
    let form = Form::parse(text).ok_or_else(|| invalid("a parameter is malformed or given twice"))?;
    let (client_id, secret) = credentials(headers, &form)?;
    match form.get("grant_type") {
        Some("client_credentials") => {}
        Some(_) => {
            return Err(OAuthError::new(Code::UnsupportedGrantType, "only client_credentials is supported"));
        }
        None => return Err(invalid("grant_type is missing")),
    }
    let scopes = parse_scopes(form.get("scope").unwrap_or("")).ok_or_else(OAuthError::invalid_scope)?;
    Ok(TokenRequest { client_id, secret, scopes })
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    value
        .split(';')
        .next()
        .is_some_and(|t| t.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// By `Authorization: Basic` or in the body, never both (§2.3).
fn credentials(headers: &HeaderMap, form: &Form) -> Result<(String, Option<Secret>), OAuthError> {
    let invalid = |why| OAuthError::new(Code::InvalidRequest, why);
    let mut authorization = headers.get_all(header::AUTHORIZATION).iter();
    let (basic, second) = (authorization.next(), authorization.next());
    if second.is_some() {
        return Err(invalid("more than one Authorization header"));
    }
    match (basic, form.get("client_id"), form.get("client_secret")) {
        (Some(_), _, Some(_)) => Err(invalid("client credentials given in more than one way")),
        (Some(value), named, None) => {
            let (id, secret) = basic_credentials(value).ok_or_else(OAuthError::invalid_client)?;
            match named {
                Some(other) if other != id => Err(invalid("client_id differs from the Authorization header")),
                _ => Ok((id, Some(secret))),
            }
        }
        (None, Some(id), secret) if !id.is_empty() => Ok((id.to_owned(), secret.map(Secret::new))),
        (None, ..) => Err(OAuthError::invalid_client()),
    }
}

/// §2.3.1: both parts are form-encoded before they are joined and base64-encoded.
fn basic_credentials(value: &HeaderValue) -> Option<(String, Secret)> {
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((decode(id)?, Secret::new(decode(secret)?)))
}

struct Form(Vec<(String, String)>);

impl Form {
    /// `None` when something does not decode, a name occurs twice (§3.2) or there are absurdly many.
    fn parse(text: &str) -> Option<Self> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for part in text.split('&').filter(|p| !p.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if pairs.len() >= 32 || pairs.iter().any(|(n, _)| *n == name) {
                return None;
            }
            pairs.push((name, value));
        }
        Some(Self(pairs))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// The server's metadata (RFC 8414) for an issuer address without a trailing slash.
pub fn metadata(issuer: &str, scopes: &[&str]) -> serde_json::Value {
    serde_json::json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth2/token"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "tls_client_auth"],
        "tls_client_certificate_bound_access_tokens": true,
        "scopes_supported": scopes,
        "ui_locales_supported": ["vi", "en"],
        "service_documentation": format!("{issuer}/api/docs"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    fn read(pairs: &[(&'static str, &str)], body: &str) -> Result<TokenRequest, OAuthError> {
        parse(&headers(pairs), body.as_bytes())
    }

    fn code(pairs: &[(&'static str, &str)], body: &str) -> Code {
        read(pairs, body).unwrap_err().code
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    fn secret(request: &TokenRequest) -> Option<&str> {
        request.secret.as_ref().map(Secret::expose)
    }

    #[test]
    fn a_client_may_name_itself_alone_and_show_its_certificate() {
        let form = ("content-type", FORM);
        let request = read(&[form], "grant_type=client_credentials&client_id=one-stop").unwrap();
        assert_eq!((request.client_id.as_str(), secret(&request)), ("one-stop", None));
        assert_eq!(code(&[form], "grant_type=client_credentials&client_id="), Code::InvalidClient);
        assert_eq!(code(&[form], "grant_type=client_credentials&client_secret=x"), Code::InvalidClient);
    }

    #[test]
    fn both_ways_of_naming_the_client_are_read() {
        let by_header = read(
            &[("content-type", FORM), ("authorization", &basic("one-stop:a%3Ab%2Bc"))],
            "grant_type=client_credentials&scope=exchange+documents",
        )
        .unwrap();
        assert_eq!((by_header.client_id.as_str(), secret(&by_header)), ("one-stop", Some("a:b+c")));
        assert_eq!(by_header.scopes.len(), 2);
        let by_body = read(
            &[("content-type", "application/x-www-form-urlencoded; charset=UTF-8")],
            "grant_type=client_credentials&client_id=one-stop&client_secret=a%3Ab",
        )
        .unwrap();
        assert_eq!((by_body.client_id.as_str(), secret(&by_body)), ("one-stop", Some("a:b")));
        assert!(by_body.scopes.is_empty());
    }

    #[test]
    fn malformed_requests_get_the_rfc_s_codes() {
        let ok = basic("c:s");
        let auth = [("content-type", FORM), ("authorization", ok.as_str())];
        assert_eq!(code(&[("authorization", &ok)], "grant_type=client_credentials"), Code::InvalidRequest);
        assert_eq!(code(&[("content-type", "application/json")], "{}"), Code::InvalidRequest);
        assert_eq!(code(&auth, ""), Code::InvalidRequest);
        assert_eq!(code(&auth, "grant_type=password"), Code::UnsupportedGrantType);
        assert_eq!(code(&auth, "grant_type=client_credentials&grant_type=x"), Code::InvalidRequest);
        assert_eq!(code(&auth, "grant_type=client_credentials&scope=%22"), Code::InvalidScope);
        assert_eq!(code(&auth, "grant_type=client_credentials&scope=%ff"), Code::InvalidRequest);
        assert_eq!(code(&auth, "grant_type=client_credentials&client_secret=s"), Code::InvalidRequest);
        assert_eq!(code(&auth, "grant_type=client_credentials&client_id=other"), Code::InvalidRequest);
        let twice = [("content-type", FORM), ("authorization", ok.as_str()), ("authorization", ok.as_str())];
        assert_eq!(code(&twice, "grant_type=client_credentials"), Code::InvalidRequest);
        assert!(parse(&headers(&auth), &[0xff, 0xfe]).is_err());
    }

    #[test]
    fn missing_or_unreadable_credentials_are_invalid_client() {
        let form = ("content-type", FORM);
        for value in ["Basic", "Basic !!!", "Bearer abc", &basic("no-colon"), &basic("%ff:x")] {
            let got = code(&[form, ("authorization", value)], "grant_type=client_credentials");
            assert_eq!(got, Code::InvalidClient, "{value}");
        }
        assert_eq!(code(&[form], "grant_type=client_credentials"), Code::InvalidClient);
    }

    #[test]
    fn answers_are_never_stored_and_carry_the_challenge() {
        let refused = OAuthError::invalid_client().answer();
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(refused.body["error"], "invalid_client");
        let has = |a: &Answer, name: HeaderName| a.headers.iter().any(|(n, _)| *n == name);
        assert!(has(&refused, header::WWW_AUTHENTICATE) && has(&refused, header::CACHE_CONTROL));
        let token = TokenResponse {
            access_token: "t".into(),
            token_type: "Bearer",
            expires_in: 3600,
            scope: "exchange".into(),
        };
        assert_eq!(token.answer().status, StatusCode::OK);
        assert_eq!(token.answer().body["expires_in"], 3600);
        assert!(has(&token.answer(), header::CACHE_CONTROL) && has(&token.answer(), header::PRAGMA));
    }

    #[test]
    fn metadata_names_the_issuer_s_own_addresses() {
        let m = metadata("https://lt.example", &["exchange"]);
        assert_eq!(m["token_endpoint"], "https://lt.example/oauth2/token");
        assert_eq!(m["response_types_supported"], serde_json::json!([]));
    }
}
