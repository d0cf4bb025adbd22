//! JSON answers with an entity tag, so that a caller who already has the record gets 304 (RFC 9110, 13.1.2).

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;

use crate::problem::Problem;

/// `value` as JSON, or 304 when the caller's copy is the same.
pub(crate) fn json(asked: &HeaderMap, value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => json_text(asked, &text),
        Err(e) => {
            tracing::error!(error = %e, "registry simulator: an answer could not be written as JSON");
            Problem::simulated_failure().into_response()
        }
    }
}

/// JSON text as it is, or 304 when the caller's copy is the same.
pub(crate) fn json_text(asked: &HeaderMap, text: &str) -> Response {
    let tag = tag(text.as_bytes());
    let same = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok()).any(|list| {
        list.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
    });
    if same {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::ETAG, tag)];
    (headers, text.to_owned()).into_response()
}

/// FNV-1a over the bytes: enough to tell two versions of an invented record apart.
fn tag(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("\"{hash:016x}\"")
}
