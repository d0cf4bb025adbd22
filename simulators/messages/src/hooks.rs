//! A gateway of text messages as such gateways usually are, with delivery reports, and a receiver of chat messages.

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use crate::fault::{Fault, Faults};
use crate::{Arrived, Mailbox, Reports};

/// Largest request, in bytes.
const MAX_BODY: usize = 64 << 10;

/// What the gateway of text messages is sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsBody {
    /// Telephone number.
    pub phone: String,
    /// The text.
    pub message: String,
    /// By what a repetition is known.
    pub request_id: String,
}

/// What the chat is sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatBody {
    /// Which chat.
    pub chat_id: String,
    /// The text.
    pub text: String,
}

#[derive(Clone)]
struct Shared {
    mailbox: Mailbox,
    faults: Faults,
    secret: String,
    reports: Reports,
    client: reqwest::Client,
}

pub(crate) fn router(mailbox: Mailbox, faults: Faults, secret: String, reports: Reports) -> Router {
    let client =
        reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap_or_default();
    let shared = Shared { mailbox, faults, secret, reports, client };
    Router::new()
        .route("/sms", post(sms))
        .route("/chat", post(chat))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(shared)
}

fn is_known(shared: &Shared, headers: &HeaderMap) -> bool {
    let said = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    shared.secret.is_empty() || said == shared.secret
}

/// What goes wrong with this message; `Err` is the answer then.
async fn trouble(shared: &Shared) -> Result<Option<Fault>, Response> {
    let fault = shared.faults.draw();
    Err(match fault {
        Some(Fault::Refuse) => (StatusCode::UNPROCESSABLE_ENTITY, "not allowed").into_response(),
        Some(Fault::Greylist) => (StatusCode::SERVICE_UNAVAILABLE, "later").into_response(),
        Some(Fault::TooMany(seconds)) => {
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds.to_string())]).into_response()
        }
        Some(Fault::FalseYes) => Json(json!({"code": "quota", "message": "no credit"})).into_response(),
        Some(Fault::Close) => {
            let body = axum::body::Body::from_stream(broken());
            ([(header::CONTENT_LENGTH, "1000")], body).into_response()
        }
        Some(Fault::Slow(by)) => {
            tokio::time::sleep(by).await;
            return Ok(fault);
        }
        Some(Fault::ReportTwice | Fault::ReportFailure) | None => return Ok(fault),
    })
}

async fn sms(State(shared): State<Shared>, headers: HeaderMap, Json(body): Json<SmsBody>) -> Response {
    if !is_known(&shared, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let fault = match trouble(&shared).await {
        Ok(fault) => fault,
        Err(answer) => return answer,
    };
    let reference = format!("sms-{}", body.request_id);
    let (to, text, key) = (body.phone, body.message, body.request_id);
    let at = shared.mailbox.now();
    shared.mailbox.put(Arrived { at, channel: "sms", to, subject: String::new(), text, key });
    if let Some(url) = shared.reports.url.clone() {
        tokio::spawn(report(shared, url, reference.clone(), fault));
    }
    Json(json!({"code": "0", "message_id": reference})).into_response()
}

/// Reports the delivery, a moment after the message was taken as gateways do; again while nobody listens.
async fn report(shared: Shared, url: String, reference: String, fault: Option<Fault>) {
    let body = json!({"reference": reference, "delivered": fault != Some(Fault::ReportFailure)});
    let mut left = if fault == Some(Fault::ReportTwice) { 2 } else { 1 };
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let request = shared.client.post(&url).header("x-report-secret", &shared.reports.secret).json(&body);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => left -= 1,
            Ok(answer) => tracing::debug!(status = %answer.status(), "message simulator: report not taken"),
            Err(e) => tracing::debug!(error = %e, "message simulator: report not taken"),
        }
        if left == 0 {
            return;
        }
    }
}

async fn chat(State(shared): State<Shared>, headers: HeaderMap, Json(body): Json<ChatBody>) -> Response {
    if !is_known(&shared, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if let Err(answer) = trouble(&shared).await {
        return answer;
    }
    let key = headers.get("x-request-id").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let at = shared.mailbox.now();
    let arrived =
        Arrived { at, channel: "chat", to: body.chat_id, subject: String::new(), text: body.text, key };
    shared.mailbox.put(arrived);
    Json(json!({"ok": true})).into_response()
}

/// A body that breaks off.
fn broken() -> impl futures_util::Stream<Item = std::io::Result<&'static str>> {
    let parts = [Ok("{\"code\":"), Err(std::io::Error::other("breaks off"))];
    futures_util::stream::iter(parts)
}
