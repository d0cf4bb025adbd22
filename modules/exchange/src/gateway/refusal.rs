//! Why a call is not answered by its provider: the error on the wire, the rule that spoke, the sentence for people,
//! and what the record says of it. Building the answer's bytes is left to `answer`.

use base::i18n::Text;
use evidence::Outcome;
use http1::Violation;
use kernel::entrance::Zone;
use xroad::error::{Code, Fault, Layer, Style};
use xroad::header::HeaderError;
use xroad::path::PathRefusal;
use xroad::request::TargetError;

use super::ports::BadCredential;
use crate::deny::DenyReason;
use crate::t;

/// A call that ends with the gateway's own answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The error type.
    pub fault: Fault,
    /// The rule that spoke; stable, for records and counters.
    pub rule: &'static str,
    /// The sentence.
    pub text: Text,
    /// The status, where HTTP knows a better one than the protocol's own rule.
    pub status: Option<u16>,
    /// Seconds after which the call may be repeated.
    pub retry_after: Option<u64>,
    /// Whether the caller is asked to authenticate.
    pub challenge: bool,
    /// What the record says.
    pub outcome: Outcome,
}

impl Refusal {
    fn new(layer: Layer, code: Code, rule: &'static str, text: Text) -> Self {
        Self {
            fault: Fault::new(layer, code),
            rule,
            text,
            status: None,
            retry_after: None,
            challenge: false,
            outcome: Outcome::Refused,
        }
    }

    fn ended(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }

    fn status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    /// The status of the answer.
    pub fn status_code(&self) -> u16 {
        self.status.unwrap_or_else(|| self.fault.status())
    }

    /// What the record keeps: the error type, a slash, the rule.
    pub fn recorded(&self) -> String {
        format!("{}/{}", self.fault.code(Style::Snake), self.rule)
    }

    /// The address is not that of a REST call.
    pub fn target(e: &TargetError) -> Self {
        match e {
            TargetError::Version | TargetError::UnsupportedVersion(_) => {
                let text = Text::both(|l| t::gateway_version(l).to_owned());
                Self::new(Layer::Client, Code::InvalidProtocolVersion, "protocol-version", text)
            }
            TargetError::Form | TargetError::Service(_) => {
                Self::new(Layer::Client, Code::BadRequest, "target", Text::both(|l| t::gateway_target(l, e)))
            }
        }
    }

    /// A header is wrong.
    pub fn header(e: &HeaderError) -> Self {
        let code = match e {
            HeaderError::MissingClient | HeaderError::Client(_) => Code::InvalidClientIdentifier,
            HeaderError::SecurityServer(_) => Code::InvalidSecurityServer,
            _ => Code::BadRequest,
        };
        let text = match e {
            HeaderError::MissingClient => Text::both(|l| t::gateway_client_missing(l).to_owned()),
            _ => Text::both(|l| t::gateway_header(l, e)),
        };
        Self::new(Layer::Client, code, "header", text)
    }

    /// A header of the protocol is named by `Connection`, which would take it out on the way.
    pub fn nominated(name: &str) -> Self {
        let why = format!("Connection: {name}");
        Self::new(Layer::Client, Code::BadRequest, "header", Text::both(|l| t::gateway_header(l, &why)))
    }

    /// The environment it names is none, or it names two.
    pub fn environment(word: &str) -> Self {
        let text = Text::both(|l| t::gateway_environment(l, crate::code::clip(word)));
        Self::new(Layer::Client, Code::BadRequest, "environment", text)
    }

    /// A member instead of a subsystem calls.
    pub fn member_calls() -> Self {
        let text = Text::both(|l| t::gateway_client_member(l).to_owned());
        Self::new(Layer::Client, Code::InvalidClientIdentifier, "client-member", text)
    }

    /// The method is none of the protocol's.
    pub fn method(method: &str) -> Self {
        let text = Text::both(|l| t::gateway_method(l, crate::code::clip(method)));
        Self::new(Layer::Client, Code::InvalidHttpMethod, "method", text)
    }

    /// There is no bearer token.
    pub fn no_token() -> Self {
        let text = Text::both(|l| t::gateway_token_missing(l).to_owned());
        let refusal = Self::new(Layer::Client, Code::SslAuthenticationFailed, "token-missing", text);
        Self { challenge: true, ..refusal }.status(401)
    }

    /// The bearer token is not accepted.
    pub fn bad_token(why: BadCredential) -> Self {
        let rule = match why.0 {
            "expired" => "token-expired",
            "revoked" => "token-revoked",
            "certificate-missing" => "certificate-missing",
            "certificate-mismatch" => "certificate-mismatch",
            "unbound" => "certificate-required",
            _ => "token-invalid",
        };
        let text = Text::both(|l| {
            match rule {
                "certificate-missing" => t::gateway_certificate_missing(l),
                "certificate-mismatch" => t::gateway_certificate_mismatch(l),
                "certificate-required" => t::gateway_certificate_required(l),
                _ => t::gateway_token_invalid(l),
            }
            .to_owned()
        });
        let refusal = Self::new(Layer::Client, Code::SslAuthenticationFailed, rule, text);
        Self { challenge: true, ..refusal }.status(401)
    }

    /// The token is sound, but was issued for something else than calls.
    pub fn token_scope() -> Self {
        let text = Text::both(|l| t::gateway_token_scope(l).to_owned());
        let refusal = Self::new(Layer::Client, Code::AccessDenied, "token-scope", text);
        Self { challenge: true, ..refusal }.status(403)
    }

    /// Another subsystem is named than the one that proved who it is.
    pub fn mismatch() -> Self {
        let text = Text::both(|l| t::gateway_client_mismatch(l).to_owned());
        Self::new(Layer::Client, Code::SslAuthenticationFailed, "client-mismatch", text)
    }

    /// The subsystem is not (or no longer) on the exchange.
    pub fn unknown_member(path: &str) -> Self {
        let text = Text::both(|l| t::gateway_unknown_member(l, crate::code::clip(path)));
        Self::new(Layer::ClientProxy, Code::UnknownMember, "unknown-member", text)
    }

    /// The provider has no such service.
    pub fn unknown_service(path: &str) -> Self {
        let text = Text::both(|l| t::gateway_unknown_service(l, crate::code::clip(path)));
        Self::new(Layer::ServerProxy, Code::UnknownService, "unknown-service", text)
    }

    /// A server of another instance is named.
    pub fn unknown_server() -> Self {
        let text = Text::both(|l| t::gateway_server_unknown(l).to_owned());
        Self::new(Layer::ClientProxy, Code::InvalidSecurityServer, "unknown-server", text)
    }

    /// The path below the service could be read in two ways.
    pub fn path(why: PathRefusal) -> Self {
        let text = Text::both(|l| t::gateway_path(l, why));
        Self::new(Layer::Client, Code::BadRequest, "ambiguous-path", text)
    }

    /// The rules of the exchange say no.
    pub fn denied(why: &DenyReason) -> Self {
        let (layer, code) = match why {
            DenyReason::Stale { .. } => (Layer::ClientProxy, Code::GlobalConfOutdated),
            DenyReason::ServiceDisabled { .. } => (Layer::ServerProxy, Code::ServiceDisabled),
            DenyReason::QuotaUsed { .. } => (Layer::Client, Code::AccessDenied),
            _ => (Layer::ServerProxy, Code::AccessDenied),
        };
        let refusal = Self::new(layer, code, why.code(), why.text());
        match why {
            DenyReason::QuotaUsed { retry_after } => {
                Self { retry_after: Some(*retry_after), ..refusal }.status(429)
            }
            DenyReason::Zone { .. } => refusal.status(403),
            _ => refusal,
        }
    }

    /// The body is larger than the node's policy permits; `midway` when that showed only while it was forwarded.
    pub fn too_large(limit: u64, midway: bool) -> Self {
        let text = Text::both(|l| t::gateway_body_too_large(l, limit));
        let outcome = if midway { Outcome::Stopped } else { Outcome::Refused };
        Self::new(Layer::Client, Code::InvalidBody, "body-too-large", text).status(413).ended(outcome)
    }

    /// The body broke off, or breaks the framing rules.
    pub fn body_broken(violation: Option<Violation>) -> Self {
        let text = Text::both(|l| t::gateway_body_broken(l).to_owned());
        let rule = violation.map_or("body-broken", Violation::code);
        Self::new(Layer::Client, Code::InvalidBody, rule, text).ended(Outcome::RequestIncomplete)
    }

    /// The caller stopped sending.
    pub fn body_stalled() -> Self {
        let text = Text::both(|l| t::gateway_body_stalled(l).to_owned());
        Self::new(Layer::Client, Code::InvalidBody, "body-stalled", text)
            .status(408)
            .ended(Outcome::RequestIncomplete)
    }

    /// Calls are not taken at this listener at all.
    pub fn door_closed(zone: Zone) -> Self {
        let text = Text::both(|l| t::gateway_door_closed(l, zone.label(l)));
        Self::new(Layer::ClientProxy, Code::AccessDenied, "zone-door", text).status(403)
    }

    /// Too many calls at the same time.
    pub fn busy() -> Self {
        let text = Text::both(|l| t::gateway_busy(l).to_owned());
        let refusal = Self::new(Layer::ClientProxy, Code::InternalError, "too-many-calls", text);
        Self { retry_after: Some(2), ..refusal }.status(503)
    }

    /// A record could not be made durable.
    pub fn evidence_failed() -> Self {
        let text = Text::both(|l| t::gateway_evidence_failed(l).to_owned());
        Self::new(Layer::ClientProxy, Code::LoggingFailed, "evidence-failed", text)
            .ended(Outcome::GatewayFailed)
    }

    /// The provider answered early and too much of the body is left to be hashed.
    pub fn drain_limit() -> Self {
        let text = Text::both(|l| t::gateway_drain_limit(l).to_owned());
        Self::new(Layer::ServiceFailed, Code::IoError, "drain-limit", text).ended(Outcome::Stopped)
    }

    /// A fault of the gateway's own.
    pub fn internal(rule: &'static str) -> Self {
        let text = Text::both(|l| t::gateway_internal(l).to_owned());
        Self::new(Layer::ClientProxy, Code::InternalError, rule, text).ended(Outcome::GatewayFailed)
    }

    /// `getOpenAPI` without saying of what.
    pub fn openapi_which() -> Self {
        let text = Text::both(|l| t::gateway_openapi_which(l).to_owned());
        Self::new(Layer::ServerProxy, Code::InvalidRequest, "openapi-which", text)
    }

    /// `getOpenAPI` of a service without a description.
    pub fn openapi_missing() -> Self {
        let text = Text::both(|l| t::gateway_openapi_missing(l).to_owned());
        Self::new(Layer::ServerProxy, Code::ServiceType, "openapi-missing", text)
    }

    /// The agreement names the fields that may leave, and the answer cannot be held against them.
    pub fn not_filtered(rule: &'static str) -> Self {
        let text = Text::both(|l| {
            match rule {
                "answer-type" => t::gateway_answer_type(l),
                "answer-charset" => t::gateway_answer_charset(l),
                "answer-encoding" => t::gateway_answer_encoding(l),
                "answer-too-deep" | "answer-too-large" => t::gateway_answer_bounds(l),
                "answer-doctype" => t::gateway_answer_doctype(l),
                "answer-shape" => t::gateway_answer_shape(l),
                _ => t::gateway_answer_malformed(l),
            }
            .to_owned()
        });
        let code = match rule {
            "answer-type" | "answer-charset" | "answer-encoding" => Code::InvalidContentType,
            _ => Code::InvalidBody,
        };
        Self::new(Layer::ServiceFailed, code, rule, text).ended(Outcome::Stopped)
    }

    /// The connection is not in production, and the service has neither a sandbox nor a description to invent from.
    pub fn no_sandbox() -> Self {
        let text = Text::both(|l| t::gateway_no_sandbox(l).to_owned());
        Self::new(Layer::ServerProxy, Code::ServiceMissingUrl, "no-sandbox", text)
    }

    /// The provider failed.
    pub fn provider(trouble: Trouble) -> Self {
        let text = Text::both(|l| {
            match trouble {
                Trouble::Unreachable => t::gateway_provider_unreachable(l),
                Trouble::UnknownHost => t::gateway_provider_unknown_host(l),
                Trouble::Timeout => t::gateway_provider_timeout(l),
                Trouble::Closed => t::gateway_provider_closed(l),
                Trouble::Garbage => t::gateway_provider_garbage(l),
                Trouble::Incomplete | Trouble::Stalled => t::gateway_provider_incomplete(l),
                Trouble::TokenRefused => t::gateway_token_refused(l),
                Trouble::TokenUnavailable => t::gateway_token_unavailable(l),
            }
            .to_owned()
        });
        let code = match trouble {
            Trouble::UnknownHost => Code::UnknownHost,
            Trouble::Garbage => Code::HttpError,
            Trouble::Incomplete | Trouble::Stalled => Code::IoError,
            _ => Code::NetworkError,
        };
        Self::new(Layer::ServiceFailed, code, trouble.rule(), text).ended(trouble.outcome())
    }
}

/// What went wrong at the provider's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No connection.
    Unreachable,
    /// No such host.
    UnknownHost,
    /// No answer in time.
    Timeout,
    /// The connection ended before an answer.
    Closed,
    /// What came is not HTTP.
    Garbage,
    /// The answer broke off, or is shorter than announced.
    Incomplete,
    /// The answer paused for too long.
    Stalled,
    /// The national platform in between does not know this exchange, or refuses a fresh token.
    TokenRefused,
    /// The national platform in between gives no token at present.
    TokenUnavailable,
}

impl Trouble {
    /// Stable, for records and counters.
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Unreachable => "provider-unreachable",
            Self::UnknownHost => "provider-unknown-host",
            Self::Timeout => "provider-timeout",
            Self::Closed => "provider-closed",
            Self::Garbage => "provider-garbage",
            Self::Incomplete => "provider-incomplete",
            Self::Stalled => "provider-stalled",
            Self::TokenRefused => "connector-token-refused",
            Self::TokenUnavailable => "connector-token-unavailable",
        }
    }

    /// What the record says.
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Incomplete | Self::Stalled => Outcome::UpstreamIncomplete,
            _ => Outcome::UpstreamFailed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_names_the_type_and_the_rule() {
        let refusal = Refusal::denied(&DenyReason::Revoked);
        assert_eq!(refusal.recorded(), "server.serverproxy.access_denied/agreement-revoked");
        assert_eq!((refusal.status_code(), refusal.outcome), (500, Outcome::Refused));
        let quota = Refusal::denied(&DenyReason::QuotaUsed { retry_after: 7 });
        assert_eq!((quota.status_code(), quota.retry_after), (429, Some(7)));
        assert_eq!(Refusal::bad_token(BadCredential("revoked")).rule, "token-revoked");
        assert_eq!(Refusal::no_token().status_code(), 401);
        let hang = Refusal::provider(Trouble::Timeout);
        assert_eq!(hang.recorded(), "server.serverproxy.service_failed.network_error/provider-timeout");
        assert_eq!(hang.outcome, Outcome::UpstreamFailed);
    }
}
