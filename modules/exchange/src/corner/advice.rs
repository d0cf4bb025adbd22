//! What an integrator does about a call that did not succeed: on whose side the cause lies and the next step, by the rule
//! in the record. The sentence that says what happened is in `words`.

use base::i18n::Lang;

use crate::t;

/// On whose side the cause lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The calling system.
    Caller,
    /// The agreement: the two agencies.
    Agreement,
    /// The providing system.
    Provider,
    /// The platform.
    Platform,
}

impl Side {
    /// In words.
    pub fn label(self, l: Lang) -> &'static str {
        match self {
            Self::Caller => t::side_caller(l),
            Self::Agreement => t::side_agreement(l),
            Self::Provider => t::side_provider(l),
            Self::Platform => t::side_platform(l),
        }
    }
}

/// Cause and next step for a rule as recorded. Unknown rules, from later versions, are the platform's to explain.
pub fn of(rule: &str, l: Lang) -> (Side, &'static str) {
    match rule {
        "token-missing" => (Side::Caller, t::advice_token_missing(l)),
        "token-invalid" | "token-expired" => (Side::Caller, t::advice_token(l)),
        "token-revoked" => (Side::Caller, t::advice_token_revoked(l)),
        "certificate-missing" | "certificate-mismatch" | "certificate-required" => {
            (Side::Caller, t::advice_certificate(l))
        }
        "token-scope" => (Side::Caller, t::advice_token_scope(l)),
        "client-mismatch" => (Side::Caller, t::advice_mismatch(l)),
        "protocol-version" | "target" | "unknown-member" | "unknown-service" | "unknown-server" => {
            (Side::Caller, t::advice_target(l))
        }
        "header" | "client-member" => (Side::Caller, t::advice_header(l)),
        "method" | "out-of-scope" => (Side::Caller, t::advice_scope(l)),
        "ambiguous-path" => (Side::Caller, t::advice_path(l)),
        "no-agreement" | "agreement-revoked" => (Side::Agreement, t::advice_no_agreement(l)),
        "no-agreement-environment" => (Side::Caller, t::advice_environment(l)),
        "environment" => (Side::Caller, t::advice_header(l)),
        "agreement-not-yet-valid" => (Side::Agreement, t::advice_not_yet(l)),
        "agreement-expired" => (Side::Agreement, t::advice_expired(l)),
        "agreement-suspended" => (Side::Agreement, t::advice_suspended(l)),
        "zone-service" | "zone-agreement" | "zone-listener" | "zone-door" => {
            (Side::Agreement, t::advice_zone(l))
        }
        "quota-used" => (Side::Agreement, t::advice_quota(l)),
        "body-too-large" | "body-broken" | "body-stalled" => (Side::Caller, t::advice_body(l)),
        "service-ended" => (Side::Caller, t::advice_ended(l)),
        "service-disabled" => (Side::Provider, t::advice_disabled(l)),
        "provider-timeout" => (Side::Provider, t::advice_timeout(l)),
        "connector-token-refused" | "connector-token-unavailable" => (Side::Platform, t::advice_connector(l)),
        rule if rule.starts_with("provider-") || rule == "drain-limit" => {
            (Side::Provider, t::advice_provider(l))
        }
        "too-many-calls" | "snapshot-stale" | "evidence-failed" => (Side::Platform, t::advice_busy(l)),
        "openapi-which" | "openapi-missing" => (Side::Caller, t::advice_openapi(l)),
        _ => (Side::Platform, t::advice_unknown(l)),
    }
}

/// Error type and rule of a recorded fault.
pub fn split(fault: &str) -> (&str, &str) {
    fault.split_once('/').unwrap_or((fault, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::{Refusal, Trouble};

    #[test]
    fn every_refusal_says_whose_it_is() {
        for (refusal, side) in [
            (Refusal::no_token(), Side::Caller),
            (Refusal::denied(&crate::deny::DenyReason::OutOfScope), Side::Caller),
            (Refusal::denied(&crate::deny::DenyReason::NoAgreement), Side::Agreement),
            (Refusal::provider(Trouble::Stalled), Side::Provider),
            (Refusal::busy(), Side::Platform),
        ] {
            assert_eq!(of(refusal.rule, Lang::Vi).0, side, "{}", refusal.rule);
        }
        assert_eq!(split("server.x/rule"), ("server.x", "rule"));
        assert_eq!(split("server.x"), ("server.x", ""));
    }
}
