//! The answer to bytes that are not an acceptable request: an RFC 9457 problem, written out whole, because the HTTP
//! library never sees such a request.

use base::i18n::Text;
use base::problem::Problem;
use http::StatusCode;
use http1::Violation;

use crate::t;

/// Why a connection is ended with an answer of the gateway's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The bytes break a framing rule.
    Violation(Violation),
    /// The head did not arrive in time.
    Timeout,
}

impl Refused {
    /// A stable word for the problem type and the counter.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Violation(violation) => violation.code(),
            Self::Timeout => "head-timeout",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Violation(violation) => {
                StatusCode::from_u16(violation.status()).unwrap_or(StatusCode::BAD_REQUEST)
            }
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
        }
    }

    /// The bytes of the answer, after which the connection is closed.
    pub(super) fn answer(self) -> Vec<u8> {
        metrics::counter!("lienthong_gateway_violations_total", "code" => self.code()).increment(1);
        let status = self.status();
        let title = Text::both(t::gateway_violation_title);
        let detail = match self {
            Self::Violation(violation) => Text::both(|l| t::gateway_violation_detail(l, violation)),
            Self::Timeout => Text::both(t::gateway_head_timeout),
        };
        let problem = Problem::new(&format!("http-{}", self.code()), status, title).detail(detail);
        let body = serde_json::to_string(&problem).unwrap_or_default();
        format!(
            "HTTP/1.1 {} {}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            status.as_u16(),
            status.canonical_reason().unwrap_or_default(),
            body.len(),
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_a_whole_http_message() {
        let answer = String::from_utf8(Refused::Violation(Violation::ObsFold).answer()).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
        assert!(
            head.contains(&format!("content-length: {}", body.len())) && head.contains("connection: close")
        );
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["type"], "urn:lienthong:problem:http-obs-fold");
        assert_eq!(Refused::Timeout.status(), 408);
        assert_eq!(Refused::Violation(Violation::HeadTooLarge).status(), 431);
    }
}
