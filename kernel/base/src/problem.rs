//! Errors as programs read them: RFC 9457 problem details, in Vietnamese and English.

use http::StatusCode;
use serde::Serialize;

use crate::error::{Error, FieldError};
use crate::i18n::Text;

/// An RFC 9457 problem document (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable: `urn:lienthong:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Vietnamese title.
    pub title: String,
    /// English title.
    pub title_en: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened here, Vietnamese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What happened here, English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail_en: Option<String>,
    /// The request number to quote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Wrong values, if any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// A problem with its code, status and title.
    pub fn new(code: &str, status: StatusCode, title: Text) -> Self {
        Self {
            kind: format!("urn:lienthong:problem:{code}"),
            title: title.vi,
            title_en: title.en,
            status: status.as_u16(),
            detail: None,
            detail_en: None,
            instance: None,
            errors: Vec::new(),
        }
    }

    /// Adds what happened here.
    pub fn detail(mut self, text: Text) -> Self {
        self.detail = Some(text.vi);
        self.detail_en = Some(text.en);
        self
    }

    /// Adds the request number.
    pub fn instance(mut self, request_id: impl Into<String>) -> Self {
        self.instance = Some(request_id.into());
        self
    }
}

/// Shorthand for a fixed bilingual text of this file.
fn both(vi: &str, en: &str) -> Text {
    Text { vi: vi.to_owned(), en: en.to_owned() }
}

/// What a person may learn of an error; internal causes stay in the log.
impl From<&Error> for Problem {
    fn from(e: &Error) -> Self {
        match e {
            Error::NotFound { .. } => Self::new(
                "not-found",
                StatusCode::NOT_FOUND,
                both("Không tìm thấy nội dung này", "Not found"),
            ),
            Error::Denied { permission } => Self::new(
                "denied",
                StatusCode::FORBIDDEN,
                both(
                    "Tài khoản chưa được cấp quyền thực hiện việc này",
                    "You do not have the right to do this",
                ),
            )
            .detail(both(
                &format!("Quyền cần có: {permission}"),
                &format!("Permission needed: {permission}"),
            )),
            Error::SignIn => {
                Self::new("sign-in", StatusCode::UNAUTHORIZED, both("Cần đăng nhập", "Sign in first"))
            }
            Error::Refused(r) => {
                Self::new(r.code, StatusCode::CONFLICT, both("Không thực hiện được", "This cannot be done"))
                    .detail(r.text.clone())
            }
            Error::Invalid(fields) => {
                let mut p = Self::new(
                    "invalid",
                    StatusCode::UNPROCESSABLE_ENTITY,
                    both("Thông tin chưa hợp lệ", "Some values are not valid"),
                );
                p.errors.clone_from(fields);
                p
            }
            Error::Conflict => Self::new(
                "changed-meanwhile",
                StatusCode::PRECONDITION_FAILED,
                both("Nội dung vừa được người khác thay đổi", "Somebody else changed this meanwhile"),
            )
            .detail(both(
                "Mở lại để xem bản mới nhất rồi thực hiện lại.",
                "Open it again to see the latest version, then repeat.",
            )),
            Error::TooLarge { limit } => {
                Self::new("too-large", StatusCode::PAYLOAD_TOO_LARGE, both("Dữ liệu quá lớn", "Too large"))
                    .detail(both(&format!("Giới hạn: {limit} byte"), &format!("Limit: {limit} bytes")))
            }
            Error::TooMany { retry_after } => Self::new(
                "too-many",
                StatusCode::TOO_MANY_REQUESTS,
                both("Có quá nhiều yêu cầu", "Too many requests"),
            )
            .detail(both(
                &format!("Vui lòng thử lại sau {retry_after} giây."),
                &format!("Try again in {retry_after} seconds."),
            )),
            Error::Unavailable { .. } => Self::new(
                "unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                both("Hệ thống tạm thời chưa phục vụ được", "Temporarily unavailable"),
            )
            .detail(both(
                "Dữ liệu đã ghi nhận vẫn an toàn. Vui lòng thử lại sau ít phút.",
                "What was accepted is safe. Try again in a few minutes.",
            )),
            Error::Internal(_) => Self::new(
                "internal",
                StatusCode::INTERNAL_SERVER_ERROR,
                both("Hệ thống gặp lỗi", "Something went wrong on our side"),
            )
            .detail(both(
                "Việc vừa làm chưa được ghi nhận. Vui lòng báo mã yêu cầu cho quản trị viên.",
                "What you just did was not recorded. Quote the request number to your administrator.",
            )),
        }
    }
}
