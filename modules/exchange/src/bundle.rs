//! Issuing the evidence of a call to whoever may have it, as a file and as public tiles of the log.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use evidence::{Bundle, Field};
use http::{HeaderValue, header};
use kernel::{Cx, Error, Kernel, Result};

use crate::evidence::{AtRest, Evidence};
use crate::{Exchange, disclosure};

/// The evidence of this process; away while the data plane is not running (upkeep, some tests).
pub(crate) fn running(exchange: &Exchange) -> Result<&Evidence> {
    let plane = exchange.plane().ok_or(Error::Unavailable { what: "evidence", source: None })?;
    Ok(&plane.evidence)
}

/// The evidence of a call with the values of these fields, whoever asks.
///
/// # Errors
/// `NotFound` when there is no such call; `Unavailable` while the log is behind, or was when a copy was made.
pub(crate) async fn of_call(
    exchange: &Exchange,
    k: &Kernel,
    request_id: &str,
    fields: &[Field],
) -> Result<Bundle> {
    match exchange.plane() {
        Some(plane) => plane.evidence.bundles().for_request(request_id, fields).await,
        // A restored copy to look at has no data plane; its logs are whole all the same.
        None => AtRest::new(k).for_request(request_id, fields).await,
    }
}

/// The evidence of a call for this reader; with `personal`, also the personal values they have a right to.
///
/// # Errors
/// `NotFound` also for calls in which the reader has no part; `Denied` for personal values without the right;
/// `Unavailable` while the log is behind.
pub(crate) async fn issue(
    exchange: &Exchange,
    k: &Kernel,
    cx: &Cx,
    request_id: &str,
    personal: bool,
) -> Result<Bundle> {
    // A call that has just ended may not be in the tables yet; issuing waits for it. Nothing of this leaves before
    // the right to it is known.
    let plain = of_call(exchange, k, request_id, &[]).await?;
    let (_, standing) = disclosure::seen(k, cx, request_id).await?;
    let fields = disclosure::fields(standing, personal)?;
    if fields.is_empty() {
        return Ok(plain);
    }
    if personal && standing.discloses {
        disclosure::record(k, cx, request_id, "bundle").await?;
    }
    of_call(exchange, k, request_id, &fields).await
}

/// The file to be kept.
pub(crate) fn file(request_id: &str, bundle: &Bundle) -> Response {
    let safe: String =
        request_id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect();
    let name = format!("attachment; filename=\"chung-cu-{safe}.lienthong-evidence.json\"");
    let mut answer = Body::from(bundle.to_bytes()).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    answer
}
