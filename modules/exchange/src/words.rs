//! What the words in records mean: the rule that refused or ended a call, as a sentence for people. Unknown
//! words, from later versions, are shown as they are.

use base::i18n::Lang;

use crate::t;

/// The sentence for a rule as recorded in the fault of a call (`type/rule`).
pub fn rule(word: &str, l: Lang) -> String {
    known(word, l).map_or_else(|| word.to_owned(), ToOwned::to_owned)
}

fn known(word: &str, l: Lang) -> Option<&'static str> {
    Some(match word {
        "snapshot-stale" => t::denied_stale(l),
        "no-agreement" => t::deny_no_agreement(l),
        "no-agreement-environment" => t::denied_not_there(l),
        "service-ended" => t::denied_ended(l),
        "environment" => t::rule_environment(l),
        "out-of-scope" => t::deny_out_of_scope(l),
        "agreement-not-yet-valid" => t::denied_not_yet_valid(l),
        "agreement-expired" => t::denied_expired(l),
        "agreement-suspended" => t::deny_suspended(l),
        "agreement-revoked" => t::deny_revoked(l),
        "service-disabled" => t::deny_service_disabled(l),
        "zone-service" => t::rule_zone_service(l),
        "zone-agreement" => t::rule_zone_agreement(l),
        "zone-listener" => t::rule_zone_listener(l),
        "zone-door" => t::rule_zone_door(l),
        "quota-used" => t::denied_quota_used(l),
        "protocol-version" | "target" => t::rule_target(l),
        "header" | "client-member" => t::rule_header(l),
        "method" => t::rule_method(l),
        "token-missing" => t::gateway_token_missing(l),
        "token-invalid" | "token-expired" => t::gateway_token_invalid(l),
        "token-revoked" => t::rule_token_revoked(l),
        "certificate-missing" => t::gateway_certificate_missing(l),
        "certificate-mismatch" => t::gateway_certificate_mismatch(l),
        "certificate-required" => t::gateway_certificate_required(l),
        "token-scope" => t::gateway_token_scope(l),
        "client-mismatch" => t::gateway_client_mismatch(l),
        "unknown-member" => t::rule_unknown_member(l),
        "unknown-service" => t::rule_unknown_service(l),
        "unknown-server" => t::gateway_server_unknown(l),
        "ambiguous-path" => t::rule_path(l),
        "body-too-large" => t::rule_body_too_large(l),
        "body-broken" => t::gateway_body_broken(l),
        "body-stalled" => t::gateway_body_stalled(l),
        "too-many-calls" => t::gateway_busy(l),
        "evidence-failed" => t::gateway_evidence_failed(l),
        "drain-limit" => t::gateway_drain_limit(l),
        "openapi-which" => t::gateway_openapi_which(l),
        "openapi-missing" => t::gateway_openapi_missing(l),
        "provider-unreachable" => t::gateway_provider_unreachable(l),
        "provider-unknown-host" => t::gateway_provider_unknown_host(l),
        "provider-timeout" => t::gateway_provider_timeout(l),
        "provider-closed" => t::gateway_provider_closed(l),
        "provider-garbage" => t::gateway_provider_garbage(l),
        "provider-incomplete" | "provider-stalled" => t::gateway_provider_incomplete(l),
        "connector-token-refused" => t::gateway_token_refused(l),
        "connector-token-unavailable" => t::gateway_token_unavailable(l),
        "no-sandbox" => t::gateway_no_sandbox(l),
        "answer-type" => t::gateway_answer_type(l),
        "answer-charset" => t::gateway_answer_charset(l),
        "answer-encoding" => t::gateway_answer_encoding(l),
        "answer-too-deep" | "answer-too-large" => t::gateway_answer_bounds(l),
        "answer-doctype" => t::gateway_answer_doctype(l),
        "answer-shape" => t::gateway_answer_shape(l),
        "answer-malformed" => t::gateway_answer_malformed(l),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use kernel::entrance::Zone;

    use super::*;
    use crate::deny::{DenyReason, ZoneRule};
    use crate::gateway::ports::BadCredential;
    use crate::gateway::{Refusal, Trouble};

    #[test]
    fn every_rule_that_can_be_recorded_has_a_sentence() {
        let denied = [
            DenyReason::NoAgreement,
            DenyReason::OutOfScope,
            DenyReason::Suspended,
            DenyReason::Revoked,
            DenyReason::Stale { since: Default::default() },
            DenyReason::NotYetValid { from: Default::default() },
            DenyReason::Expired { since: Default::default() },
            DenyReason::ServiceDisabled { notice: String::new() },
            DenyReason::QuotaUsed { retry_after: 1 },
        ];
        let zones = ZoneRule::ALL.map(|by| DenyReason::Zone { zone: Zone::Internet, by });
        let denied = denied.into_iter().chain(zones);
        for reason in denied {
            assert!(known(reason.code(), Lang::Vi).is_some(), "{reason:?}");
        }
        let troubles = [
            Trouble::Unreachable,
            Trouble::UnknownHost,
            Trouble::Timeout,
            Trouble::Closed,
            Trouble::Garbage,
            Trouble::Incomplete,
            Trouble::Stalled,
            Trouble::TokenRefused,
            Trouble::TokenUnavailable,
        ];
        let refusals = [
            Refusal::no_token(),
            Refusal::bad_token(BadCredential("certificate-missing")),
            Refusal::bad_token(BadCredential("certificate-mismatch")),
            Refusal::bad_token(BadCredential("unbound")),
            Refusal::token_scope(),
            Refusal::mismatch(),
            Refusal::unknown_member("x"),
            Refusal::unknown_service("x"),
            Refusal::unknown_server(),
            Refusal::too_large(1, false),
            Refusal::body_broken(None),
            Refusal::body_stalled(),
            Refusal::busy(),
            Refusal::door_closed(Zone::Internet),
            Refusal::evidence_failed(),
            Refusal::drain_limit(),
            Refusal::openapi_which(),
            Refusal::openapi_missing(),
            Refusal::no_sandbox(),
            Refusal::not_filtered("answer-type"),
            Refusal::not_filtered("answer-charset"),
            Refusal::not_filtered("answer-encoding"),
            Refusal::not_filtered(fieldfilter::Fault::Malformed.code()),
            Refusal::not_filtered(fieldfilter::Fault::TooDeep.code()),
            Refusal::not_filtered(fieldfilter::Fault::TooLarge.code()),
            Refusal::not_filtered(fieldfilter::Fault::Doctype.code()),
            Refusal::not_filtered(fieldfilter::Fault::Shape.code()),
        ];
        for refusal in refusals.into_iter().chain(troubles.map(Refusal::provider)) {
            assert!(known(refusal.rule, Lang::En).is_some(), "{}", refusal.rule);
        }
        assert_eq!(rule("something-new", Lang::Vi), "something-new");
    }
}
