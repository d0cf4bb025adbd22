//! Why a provider is called down: found by a look at its address, or by calls that ended badly. Always on the
//! provider's side or on the way to it, never the consumer's.

use base::i18n::Lang;
use rustls::CertificateError;

use crate::t;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// Its name is not known.
    UnknownName,
    /// Nothing listens there, or a firewall says no.
    Refused,
    /// There is no way to it.
    NoRoute,
    /// No connection in time.
    TimedOut,
    /// Its certificate has ended.
    CertificateExpired,
    /// Its certificate does not hold yet: one of the clocks is wrong.
    CertificateNotYet,
    /// Its certificate is for another name.
    CertificateName,
    /// Its certificate is by an authority that this machine does not trust.
    CertificateUntrusted,
    /// Something listens there, but does not speak TLS as it should.
    NoTls,
    /// Calls get no answer in time.
    Silent,
    /// Calls end without an answer, or within it.
    Broken,
    /// What comes back is not HTTP.
    Garbage,
    /// It answers that it is not available (502, 503, 504).
    Unavailable,
    /// The national platform in between refuses this exchange.
    TokenRefused,
    /// The national platform in between gives no token.
    TokenUnavailable,
}

impl Cause {
    /// What the TLS library said.
    pub(super) fn of_tls(e: &std::io::Error) -> Self {
        let Some(tls) = e.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) else {
            return Self::NoTls;
        };
        match tls {
            rustls::Error::InvalidCertificate(why) => match why {
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    Self::CertificateExpired
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    Self::CertificateNotYet
                }
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    Self::CertificateName
                }
                _ => Self::CertificateUntrusted,
            },
            _ => Self::NoTls,
        }
    }

    /// What the rule of a failed call means ([`crate::gateway::Trouble::rule`]).
    pub(super) fn of_rule(rule: &str) -> Option<Self> {
        Some(match rule {
            "provider-unreachable" => Self::Refused,
            "provider-unknown-host" => Self::UnknownName,
            "provider-timeout" => Self::Silent,
            "provider-closed" | "provider-incomplete" | "provider-stalled" => Self::Broken,
            "provider-garbage" => Self::Garbage,
            "connector-token-refused" => Self::TokenRefused,
            "connector-token-unavailable" => Self::TokenUnavailable,
            _ => return None,
        })
    }

    /// What is wrong, to be read after a colon.
    pub fn text(self, l: Lang) -> &'static str {
        match self {
            Self::UnknownName => t::cause_unknown_name(l),
            Self::Refused => t::cause_refused(l),
            Self::NoRoute => t::cause_no_route(l),
            Self::TimedOut => t::cause_timed_out(l),
            Self::CertificateExpired => t::cause_certificate_expired(l),
            Self::CertificateNotYet => t::cause_certificate_not_yet(l),
            Self::CertificateName => t::cause_certificate_name(l),
            Self::CertificateUntrusted => t::cause_certificate_untrusted(l),
            Self::NoTls => t::cause_no_tls(l),
            Self::Silent => t::cause_silent(l),
            Self::Broken => t::cause_broken(l),
            Self::Garbage => t::cause_garbage(l),
            Self::Unavailable => t::cause_unavailable(l),
            Self::TokenRefused => t::cause_token_refused(l),
            Self::TokenUnavailable => t::cause_token_unavailable(l),
        }
    }

    /// What to do about it.
    pub fn todo(self, l: Lang) -> &'static str {
        match self {
            Self::UnknownName => t::todo_name(l),
            Self::Refused | Self::NoRoute | Self::TimedOut => t::todo_connection(l),
            Self::CertificateExpired
            | Self::CertificateName
            | Self::CertificateUntrusted
            | Self::CertificateNotYet => t::todo_certificate(l),
            Self::NoTls | Self::Garbage => t::todo_protocol(l),
            Self::Silent | Self::Broken | Self::Unavailable => t::todo_calls(l),
            Self::TokenRefused | Self::TokenUnavailable => t::todo_token(l),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Trouble;

    #[test]
    fn every_trouble_of_a_call_has_its_cause() {
        for trouble in [
            Trouble::Unreachable,
            Trouble::UnknownHost,
            Trouble::Timeout,
            Trouble::Closed,
            Trouble::Garbage,
            Trouble::Incomplete,
            Trouble::Stalled,
            Trouble::TokenRefused,
            Trouble::TokenUnavailable,
        ] {
            assert!(Cause::of_rule(trouble.rule()).is_some(), "{trouble:?}");
        }
        assert_eq!(Cause::of_rule("no-agreement"), None);
    }
}
