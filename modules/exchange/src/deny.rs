//! Why a call may not pass: one stable word for records and programs, one sentence for people.
//! How it looks on the wire belongs to the gateway.

use base::clock::Timestamp;
use base::i18n::Text;
use kernel::entrance::Zone;

use crate::environment::Environment;
use crate::t;

/// The reason a call was refused by the rules of the exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DenyReason {
    /// The configuration at hand is older than it may be; nothing is decided on it.
    Stale {
        /// When it ceased to be good.
        since: Timestamp,
    },
    /// No agreement was ever approved between this consumer and this service.
    NoAgreement,
    /// There are agreements, but none in the environment the call names.
    NotThere {
        /// The environment it names.
        environment: Environment,
    },
    /// The call may not pass in its environment, but may in another.
    Elsewhere {
        /// Why not in its own.
        reason: Box<DenyReason>,
        /// Where it may.
        open: Environment,
    },
    /// There are agreements, but none opens this method and path.
    OutOfScope,
    /// The agreement begins later.
    NotYetValid {
        /// When it begins.
        from: Timestamp,
    },
    /// The agreement has ended.
    Expired {
        /// The first moment at which it no longer holds.
        since: Timestamp,
    },
    /// The agreement is suspended for now.
    Suspended,
    /// The agreement was revoked.
    Revoked,
    /// The call is permitted, but the provider has switched the service off.
    ServiceDisabled {
        /// The provider's notice to callers; may be empty.
        notice: String,
    },
    /// The call is permitted, but its provider has ended the service.
    Ended {
        /// Since when.
        since: Timestamp,
        /// What replaces it: `instance/class/member/subsystem/service`.
        successor: Option<String>,
    },
    /// The call would be permitted from another zone.
    Zone {
        /// Where it came from.
        zone: Zone,
        /// Who keeps it out.
        by: ZoneRule,
    },
    /// The call is permitted, but the agreement's quota is used up for now.
    QuotaUsed {
        /// Seconds after which a call may pass again.
        retry_after: u64,
    },
}

/// Who keeps calls of a zone out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneRule {
    /// The service is for the dedicated network only.
    Service,
    /// The agreement is for the dedicated network only.
    Agreement,
    /// The listener takes other agreements only.
    Listener,
}

impl ZoneRule {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Service, Self::Agreement, Self::Listener];
}

impl DenyReason {
    /// The stable word kept in records.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotThere { .. } => "no-agreement-environment",
            Self::Elsewhere { reason, .. } => reason.code(),
            Self::Stale { .. } => "snapshot-stale",
            Self::NoAgreement => "no-agreement",
            Self::OutOfScope => "out-of-scope",
            Self::NotYetValid { .. } => "agreement-not-yet-valid",
            Self::Expired { .. } => "agreement-expired",
            Self::Suspended => "agreement-suspended",
            Self::Revoked => "agreement-revoked",
            Self::ServiceDisabled { .. } => "service-disabled",
            Self::Ended { .. } => "service-ended",
            Self::Zone { by: ZoneRule::Service, .. } => "zone-service",
            Self::Zone { by: ZoneRule::Agreement, .. } => "zone-agreement",
            Self::Zone { by: ZoneRule::Listener, .. } => "zone-listener",
            Self::QuotaUsed { .. } => "quota-used",
        }
    }

    /// The sentence for people.
    pub fn text(&self) -> Text {
        Text::both(|l| match self {
            Self::Stale { since } => t::deny_stale(l, since.vn()),
            Self::NoAgreement => t::deny_no_agreement(l).to_owned(),
            Self::NotThere { environment } => t::deny_not_there(l, environment.label(l)),
            Self::Elsewhere { reason, open } => {
                let (reason, word) = (reason.text(), open.as_str());
                let hint = t::deny_elsewhere(l, t::DenyElsewhere { place: open.label(l), word });
                format!("{} {hint}", reason.get(l))
            }
            Self::OutOfScope => t::deny_out_of_scope(l).to_owned(),
            Self::NotYetValid { from } => t::deny_not_yet_valid(l, from.vn()),
            Self::Expired { since } => t::deny_expired(l, since.vn()),
            Self::Suspended => t::deny_suspended(l).to_owned(),
            Self::Revoked => t::deny_revoked(l).to_owned(),
            Self::ServiceDisabled { notice } if notice.is_empty() => t::deny_service_disabled(l).to_owned(),
            Self::ServiceDisabled { notice } => t::deny_service_disabled_notice(l, notice),
            Self::Ended { since, successor: None } => t::deny_ended(l, since.date().vn()),
            Self::Ended { since, successor: Some(path) } => t::deny_ended_successor(
                l,
                t::DenyEndedSuccessor { since: since.date().vn(), successor: path },
            ),
            Self::Zone { zone, by: ZoneRule::Service } => t::deny_zone_service(l, zone.label(l)),
            Self::Zone { zone, by: ZoneRule::Agreement } => t::deny_zone_agreement(l, zone.label(l)),
            Self::Zone { zone, by: ZoneRule::Listener } => t::deny_zone_listener(l, zone.label(l)),
            Self::QuotaUsed { retry_after } => t::deny_quota_used(l, retry_after),
        })
    }

    /// How telling a reason is: of several agreements that all fail, the caller hears the one nearest to
    /// being good.
    pub(crate) const fn nearness(&self) -> u8 {
        match self {
            Self::NoAgreement => 0,
            Self::NotThere { .. } | Self::Elsewhere { .. } => 0,
            Self::Revoked => 1,
            Self::Expired { .. } => 2,
            Self::OutOfScope => 3,
            Self::NotYetValid { .. } => 4,
            Self::Suspended => 5,
            Self::Stale { .. }
            | Self::ServiceDisabled { .. }
            | Self::Ended { .. }
            | Self::Zone { .. }
            | Self::QuotaUsed { .. } => 6,
        }
    }
}
