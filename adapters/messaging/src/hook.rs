//! Text messages and chats: one `POST` to the configured address for each message, redirections not followed. What a
//! message brings along stands in texts of the body only; it cannot change its shape.

use std::time::Duration;

use async_trait::async_trait;
use kernel::notices::{Channel, Failure, Gateway, Outgoing, Receipt, Standing};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::Value;

use crate::reason::cut;
use crate::settings::{BadSettings, Format, Http, patience, secret};

/// Largest answer read, in bytes.
const MAX_ANSWER: usize = 64 << 10;
/// Longest a gateway may ask us to wait, in seconds.
const LONGEST_WAIT: u64 = 3_600;

/// The way to one gateway.
pub struct Hook {
    channel: Channel,
    client: Client,
    url: Url,
    settings: Http,
    key_header: Option<HeaderName>,
    headers: HeaderMap,
    report_secret: Option<String>,
    standing: Standing,
}

impl Hook {
    /// From its section; nothing is connected yet.
    ///
    /// # Errors
    /// What is wrong with the section.
    pub fn new(channel: Channel, s: &Http) -> Result<Self, BadSettings> {
        let bad = |what: String| BadSettings(format!("{}: {what}", channel.name()));
        let url = Url::parse(&s.url).map_err(|e| bad(format!("url is not an address: {e}")))?;
        let host = url.host_str().ok_or_else(|| bad("url names no host".to_owned()))?.to_owned();
        let local = matches!(host.as_str(), "127.0.0.1" | "localhost" | "[::1]");
        if url.scheme() != "https" && !(url.scheme() == "http" && local) {
            return Err(bad("url is https, or http on this machine".to_owned()));
        }
        if s.format == Format::Form && !s.body.is_object() {
            return Err(bad("a form has a table of fields as its body".to_owned()));
        }
        let name = |n: &str| n.parse::<HeaderName>().map_err(|e| bad(format!("header {n}: {e}")));
        let value =
            |v: &str| v.parse::<HeaderValue>().map_err(|_| bad("a header has a bad value".to_owned()));
        let mut headers = HeaderMap::new();
        for (n, v) in &s.headers {
            headers.insert(name(n)?, value(v)?);
        }
        if let Some(secret) = secret(s.secret_file.as_deref())? {
            let mut secret = value(&secret)?;
            secret.set_sensitive(true);
            headers.insert(name(s.secret_header.as_deref().unwrap_or("authorization"))?, secret);
        }
        let key_header = s.key_header.as_deref().map(name).transpose()?;
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(patience(s.seconds)?)
            .build()
            .map_err(|e| bad(format!("no HTTP client: {e}")))?;
        let port = url.port_or_known_default().unwrap_or_default();
        let standing = Standing { host: format!("{host}:{port}"), encrypted: url.scheme() == "https" };
        let report_secret = secret(s.report_secret_file.as_deref())?;
        Ok(Self { channel, client, url, settings: s.clone(), key_header, headers, report_secret, standing })
    }

    fn request(&self, m: Outgoing<'_>) -> reqwest::RequestBuilder {
        let body = filled(&self.settings.body, m);
        let mut request = self.client.post(self.url.clone()).headers(self.headers.clone());
        if let (Some(header), Ok(key)) = (&self.key_header, m.key.parse::<HeaderValue>()) {
            request = request.header(header.clone(), key);
        }
        match self.settings.format {
            Format::Json => {
                request.header(CONTENT_TYPE, "application/json; charset=utf-8").body(body.to_string())
            }
            Format::Form => {
                let fields: Vec<(String, String)> = body
                    .as_object()
                    .map(|o| o.iter().map(|(k, v)| (k.clone(), text_of(v))).collect())
                    .unwrap_or_default();
                request.form(&fields)
            }
        }
    }

    /// What the body of a good status says.
    fn told(&self, body: &[u8]) -> Result<Receipt, Failure> {
        let parsed: Option<Value> = serde_json::from_slice(body).ok();
        if let Some(success) = &self.settings.success {
            let said = parsed.as_ref().and_then(|v| v.pointer(&success.pointer)).map(text_of);
            match said {
                Some(said) if said == success.equals => {}
                Some(said) if success.never.contains(&said) => {
                    return Err(Failure::Refused(cut(&format!("the gateway says {said}"))));
                }
                Some(said) => return Err(later(format!("the gateway says {said}"))),
                None => return Err(later("the gateway's answer does not say whether it took it".to_owned())),
            }
        }
        let reference = self.settings.reference.as_ref();
        let reference = reference.and_then(|at| parsed.as_ref()?.pointer(at)).map(text_of);
        Ok(Receipt { reference: reference.filter(|r| !r.is_empty() && r.len() <= 200) })
    }
}

fn later(reason: String) -> Failure {
    Failure::Later { reason: cut(&reason), after: None }
}

fn text_of(v: &Value) -> String {
    v.as_str().map_or_else(|| v.to_string(), str::to_owned)
}

/// The body with the message's words in its texts. Each text is gone through once: what a word brings along is not
/// looked at again.
fn filled(body: &Value, m: Outgoing<'_>) -> Value {
    match body {
        Value::String(s) => Value::String(fill(s, m)),
        Value::Array(all) => Value::Array(all.iter().map(|v| filled(v, m)).collect()),
        Value::Object(all) => Value::Object(all.iter().map(|(k, v)| (k.clone(), filled(v, m))).collect()),
        other => other.clone(),
    }
}

fn fill(template: &str, m: Outgoing<'_>) -> String {
    let words = [("{to}", m.to), ("{subject}", m.subject), ("{text}", m.text), ("{key}", m.key)];
    let mut out = String::with_capacity(template.len() + m.text.len());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match words.iter().find(|(mark, _)| rest.starts_with(mark)) {
            Some((mark, word)) => {
                out.push_str(word);
                rest = &rest[mark.len()..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn asked_to_wait(answer: &Response) -> Option<Duration> {
    let seconds: u64 = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(LONGEST_WAIT)))
}

async fn body(mut answer: Response) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if out.len() + chunk.len() <= MAX_ANSWER => out.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(later("the gateway's answer is too large".to_owned())),
            Ok(None) => return Ok(out),
            Err(e) => return Err(later(format!("the gateway's answer broke off: {}", plain(&e)))),
        }
    }
}

/// The error without the address called, which may carry a token of the gateway's.
fn plain(e: &reqwest::Error) -> String {
    let mut said = if e.is_timeout() { "no answer in time".to_owned() } else { String::new() };
    let mut cause = std::error::Error::source(e);
    while let Some(e) = cause {
        if !said.is_empty() {
            said.push_str(": ");
        }
        said.push_str(&e.to_string());
        cause = e.source();
    }
    said
}

#[async_trait]
impl Gateway for Hook {
    fn channel(&self) -> Channel {
        self.channel
    }

    fn standing(&self) -> Standing {
        self.standing.clone()
    }

    async fn send(&self, m: Outgoing<'_>) -> Result<Receipt, Failure> {
        let answer = self.request(m).send().await.map_err(|e| later(plain(&e)))?;
        let status = answer.status();
        if status.is_success() {
            return self.told(&body(answer).await?);
        }
        let reason = format!("HTTP {}", status.as_u16());
        match status {
            StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::GONE
            | StatusCode::UNPROCESSABLE_ENTITY => Err(Failure::Refused(reason)),
            // Everything else may be mended: a wrong secret, a wrong address, too much at once, a fault over there.
            _ => Err(Failure::Later { reason, after: asked_to_wait(&answer) }),
        }
    }

    async fn reach(&self) -> Result<(), String> {
        let port = self.url.port_or_known_default().unwrap_or(443);
        let host = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let connecting = tokio::net::TcpStream::connect((host, port));
        match tokio::time::timeout(Duration::from_secs(4), connecting).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(e)) => Err(cut(&e.to_string())),
            Err(_) => Err("no connection in time".to_owned()),
        }
    }

    fn proves(&self, secret: &[u8]) -> bool {
        self.report_secret.as_ref().is_some_and(|own| same(own.as_bytes(), secret))
    }
}

/// Compares without telling by its time where the difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |d, (x, y)| d | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<'a>(to: &'a str, text: &'a str) -> Outgoing<'a> {
        Outgoing { key: "k-1", to, subject: "s", text }
    }

    #[test]
    fn words_stand_in_texts_only_and_are_not_looked_at_again() {
        let body = serde_json::json!({"phone": "{to}", "m": ["{text} {key}"], "n": 1, "{to}": "{other} {"});
        let m = message("{text}", "\"}, {to}\n");
        let expected =
            serde_json::json!({"phone": "{text}", "m": ["\"}, {to}\n k-1"], "n": 1, "{to}": "{other} {"});
        assert_eq!(filled(&body, m), expected);
    }

    #[test]
    fn only_https_or_this_machine_is_called() {
        let settings = |url: &str| Http {
            url: url.to_owned(),
            body: serde_json::json!({}),
            format: Format::Json,
            headers: Default::default(),
            secret_header: None,
            secret_file: None,
            key_header: None,
            success: None,
            reference: None,
            report_secret_file: None,
            seconds: 5,
        };
        for good in ["https://sms.example.vn/send", "http://127.0.0.1:1/x"] {
            assert!(Hook::new(Channel::Sms, &settings(good)).is_ok(), "{good}");
        }
        for bad in ["http://sms.example.vn/", "file:///etc/passwd", "ftp://127.0.0.1/", "x"] {
            assert!(Hook::new(Channel::Sms, &settings(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_report_is_proved_by_the_whole_secret() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd") && !same(b"abc", b"ab") && !same(b"", b"a"));
    }
}
