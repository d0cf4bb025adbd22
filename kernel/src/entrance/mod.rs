//! Where a request came in: the listener with its zone (mạng truyền số liệu chuyên dùng or Internet), which front doors are
//! open there and how much may pass, and the certificate the other side proved. Listening itself is the application's.

mod settings;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use base::i18n::Lang;
use serde::{Deserialize, Serialize};

pub use settings::{Listener, Listening, Server, Tls};

/// The network a listener stands in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Zone {
    /// The dedicated data network of Party and State bodies.
    #[default]
    Dedicated,
    /// The Internet.
    Internet,
}

impl Zone {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Dedicated, Self::Internet];

    /// As written in configurations and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dedicated => "dedicated",
            Self::Internet => "internet",
        }
    }

    /// What people call it.
    pub const fn label(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::Dedicated, Lang::Vi) => "Mạng truyền số liệu chuyên dùng",
            (Self::Dedicated, Lang::En) => "Dedicated state network",
            (Self::Internet, _) => "Internet",
        }
    }
}

/// What can be open at a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FrontDoor {
    /// Signing in, and pages and interfaces for officials.
    Console,
    /// Calls between systems: X-Road REST, and interfaces for systems with a token.
    Calls,
    /// The token endpoint with its keys and metadata.
    Token,
    /// What anybody may read.
    Public,
    /// Health and metrics.
    Operations,
}

impl FrontDoor {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Console, Self::Calls, Self::Token, Self::Public, Self::Operations];
}

/// Whether a listener asks the other side for a certificate (TLS client authentication).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificate {
    /// It does not ask.
    #[default]
    None,
    /// It asks; without one the connection goes on.
    Optional,
    /// Without one there is no connection, and calls need a token bound to it.
    Required,
}

/// A listener's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrance {
    /// The listener's name, for logs and metrics.
    pub name: String,
    /// Its zone.
    pub zone: Zone,
    /// The front doors open there.
    pub open: BTreeSet<FrontDoor>,
    /// Roles whose holders may use the console there; empty for all.
    pub roles: BTreeSet<String>,
    /// Numbers of the agreements that may be used there; empty for all.
    pub agreements: BTreeSet<String>,
    /// Most connections at the same time; absent for the gateway's own limit.
    pub max_connections: Option<usize>,
    /// Most calls at the same time; absent for the gateway's own limit.
    pub max_calls: Option<usize>,
    /// Largest request body of a call, in bytes; absent for the gateway's own limit.
    pub max_request_body: Option<u64>,
    /// Whether it asks for certificates.
    pub client_certificate: ClientCertificate,
}

impl Default for Entrance {
    fn default() -> Self {
        Self {
            name: "main".to_owned(),
            zone: Zone::Dedicated,
            open: FrontDoor::ALL.into(),
            roles: BTreeSet::new(),
            agreements: BTreeSet::new(),
            max_connections: None,
            max_calls: None,
            max_request_body: None,
            client_certificate: ClientCertificate::None,
        }
    }
}

impl Entrance {
    /// The one of an installation with a single listener: the dedicated network, everything open.
    pub fn usual() -> Arc<Self> {
        static USUAL: OnceLock<Arc<Entrance>> = OnceLock::new();
        Arc::clone(USUAL.get_or_init(Arc::default))
    }

    /// Whether a front door is open here.
    pub fn opens(&self, door: FrontDoor) -> bool {
        self.open.contains(&door)
    }

    /// Whether a holder of these roles may use the console here.
    pub fn takes_roles(&self, held: &[String]) -> bool {
        self.roles.is_empty() || held.iter().any(|role| self.roles.contains(role))
    }

    /// Whether calls under this agreement may come in here.
    pub fn takes_agreement(&self, number: &str) -> bool {
        self.agreements.is_empty() || self.agreements.contains(number)
    }
}

/// The certificate the other side of a connection proved to hold the key of. That it chains to an authority the listener
/// trusts and was in its time at the handshake is sure; whose it is, and whether it was revoked, is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCertificate(Arc<Held>);

#[derive(Debug, PartialEq, Eq)]
struct Held {
    der: Vec<u8>,
    thumbprint: [u8; 32],
}

impl PeerCertificate {
    /// From its DER encoding.
    pub fn new(der: Vec<u8>) -> Self {
        let mut thumbprint = [0; 32];
        thumbprint.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der).as_ref());
        Self(Arc::new(Held { der, thumbprint }))
    }

    /// SHA-256 of its DER encoding (RFC 8705 §3.1).
    pub fn thumbprint(&self) -> &[u8; 32] {
        &self.0.thumbprint
    }

    /// Its DER encoding.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }
}

/// How a request came in. A request without one came over the usual entrance, without a certificate.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The listener's policy.
    pub entrance: Arc<Entrance>,
    /// What the other side proved.
    pub certificate: Option<PeerCertificate>,
}

impl Default for Arrival {
    fn default() -> Self {
        Self { entrance: Entrance::usual(), certificate: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_means_all_and_any_other_only_what_it_names() {
        let open = Entrance::default();
        assert!(FrontDoor::ALL.iter().all(|door| open.opens(*door)));
        assert!(open.takes_roles(&[]) && open.takes_agreement("CT-1"));
        let narrow = Entrance {
            roles: ["integrator".to_owned()].into(),
            agreements: ["CT-2".to_owned()].into(),
            ..Entrance::default()
        };
        assert!(narrow.takes_roles(&["auditor".into(), "integrator".into()]));
        assert!(!narrow.takes_roles(&["auditor".into()]) && !narrow.takes_roles(&[]));
        assert!(narrow.takes_agreement("CT-2") && !narrow.takes_agreement("CT-20"));
    }
}
