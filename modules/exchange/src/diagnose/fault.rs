//! What an examination can find wrong, and on whose side. One fault is one sentence and one next step, both in
//! `words`.

use base::clock::Timestamp;
use serde::{Deserialize, Serialize};

/// Who has to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Whoever runs the provider's system.
    Provider,
    /// Whoever runs this platform, or its entry in the registry.
    Platform,
    /// The network in between.
    Line,
    /// What was seen does not tell.
    Unclear,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub enum Fault {
    /// A name server says that there is no such name.
    UnknownName {
        /// The name.
        host: String,
        /// The server that said so.
        server: String,
    },
    /// No name server of this machine answers as it should.
    NameServers {
        /// The name that could not be looked up.
        host: String,
    },
    /// Nothing listens at the address, or a firewall says no.
    Refused {
        /// Address and port.
        address: String,
    },
    /// The address is silent: packets are dropped on the way, or the machine is off.
    Filtered {
        /// Address and port.
        address: String,
        /// Seconds waited.
        seconds: u64,
    },
    /// This machine knows no way to the address.
    NoRoute {
        /// Address and port.
        address: String,
    },
    /// The certificate has ended.
    CertificateExpired {
        /// When.
        since: Timestamp,
        /// Whom it is for.
        subject: String,
    },
    /// The certificate does not hold yet.
    CertificateNotYet {
        /// From when.
        from: Timestamp,
    },
    /// The certificate is for other names.
    CertificateName {
        /// The host of the registry.
        wanted: String,
        /// The names it is for.
        names: String,
    },
    /// The certificate is by an authority that is not trusted here.
    CertificateUntrusted {
        /// The authority.
        issuer: String,
    },
    /// The certificate cannot be used for another reason.
    CertificateBad {
        /// As the TLS library says it.
        why: String,
    },
    /// What listens does not speak TLS.
    NoTls,
    /// The TLS of the provider and ours do not come together, or it demands a certificate of the caller.
    TlsRefused {
        /// As the TLS library says it.
        why: String,
    },
    /// The address speaks TLS, but the registry says `http`.
    SpeaksTls,
    /// What comes back is not HTTP, or its framing contradicts itself.
    Garbage,
    /// The connection ends before the answer is complete.
    Broken,
    /// No answer in time.
    Silent {
        /// Seconds waited.
        seconds: u64,
    },
    /// It answers that it is not available (502, 503, 504).
    Unavailable {
        /// The status.
        status: u16,
    },
    /// Its own health address answers with an error of the server.
    Unhealthy {
        /// The status.
        status: u16,
    },
    /// The answer begins late.
    Slow {
        /// Milliseconds to its first byte.
        took_ms: u64,
        /// Milliseconds that are still well.
        limit_ms: u64,
    },
    /// The provider's clock is wrong; other providers agree with this machine.
    ProviderClock {
        /// Seconds by which it is ahead; negative: behind.
        seconds: i64,
    },
    /// This machine's clock is wrong; providers agree with each other.
    OurClock {
        /// Seconds by which this machine is ahead; negative: behind.
        seconds: i64,
        /// How many providers agree.
        providers: i64,
    },
    /// The two clocks differ, and nobody else could be asked.
    ClocksDiffer {
        /// Seconds by which the provider is ahead; negative: behind.
        seconds: i64,
    },
}

impl Fault {
    /// Whose turn it is.
    pub fn side(&self) -> Side {
        match self {
            Self::NameServers { .. } | Self::NoRoute { .. } | Self::OurClock { .. } | Self::SpeaksTls => {
                Side::Platform
            }
            Self::Filtered { .. } => Side::Line,
            Self::ClocksDiffer { .. } => Side::Unclear,
            _ => Side::Provider,
        }
    }

    /// Whether calls still pass.
    pub fn is_warning(&self) -> bool {
        matches!(
            self,
            Self::Slow { .. }
                | Self::ProviderClock { .. }
                | Self::OurClock { .. }
                | Self::ClocksDiffer { .. }
        )
    }

    /// Its stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::UnknownName { .. } => "unknown-name",
            Self::NameServers { .. } => "name-servers",
            Self::Refused { .. } => "refused",
            Self::Filtered { .. } => "filtered",
            Self::NoRoute { .. } => "no-route",
            Self::CertificateExpired { .. } => "certificate-expired",
            Self::CertificateNotYet { .. } => "certificate-not-yet",
            Self::CertificateName { .. } => "certificate-name",
            Self::CertificateUntrusted { .. } => "certificate-untrusted",
            Self::CertificateBad { .. } => "certificate-bad",
            Self::NoTls => "no-tls",
            Self::TlsRefused { .. } => "tls-refused",
            Self::SpeaksTls => "speaks-tls",
            Self::Garbage => "garbage",
            Self::Broken => "broken",
            Self::Silent { .. } => "silent",
            Self::Unavailable { .. } => "unavailable",
            Self::Unhealthy { .. } => "unhealthy",
            Self::Slow { .. } => "slow",
            Self::ProviderClock { .. } => "provider-clock",
            Self::OurClock { .. } => "our-clock",
            Self::ClocksDiffer { .. } => "clocks-differ",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_is_named_as_told() {
        let faults = [
            Fault::NoTls,
            Fault::Slow { took_ms: 4_000, limit_ms: 3_000 },
            Fault::CertificateUntrusted { issuer: "CN=x".into() },
            Fault::ClocksDiffer { seconds: -3600 },
        ];
        for fault in faults {
            let stored = serde_json::to_value(&fault).unwrap();
            assert_eq!(stored["fault"], fault.name());
            assert_eq!(serde_json::from_value::<Fault>(stored).unwrap(), fault);
        }
    }
}
