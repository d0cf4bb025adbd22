//! Refusals of the registries as RFC 9457 problem documents, Vietnamese with an English title.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::json;

/// One refusal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Problem {
    pub status: StatusCode,
    pub code: &'static str,
    pub title: &'static str,
    pub title_en: &'static str,
    pub detail: &'static str,
}

impl Problem {
    pub fn not_found(title: &'static str, title_en: &'static str) -> Self {
        let detail = "Hãy kiểm tra lại mã số đã nhập.";
        Self { status: StatusCode::NOT_FOUND, code: "not-found", title, title_en, detail }
    }

    pub fn invalid(detail: &'static str) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            code: "invalid",
            title: "Dữ liệu gửi đến chưa hợp lệ",
            title_en: "The data sent is not valid",
            detail,
        }
    }

    pub fn simulated_failure() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "simulated-failure",
            title: "Hệ thống cung cấp dữ liệu gặp lỗi (lỗi giả lập)",
            title_en: "The provider failed (simulated)",
            detail: "Hãy gửi lại yêu cầu sau ít phút.",
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": format!("urn:registries-simulator:problem:{}", self.code),
            "title": self.title,
            "title_en": self.title_en,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        (self.status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}
