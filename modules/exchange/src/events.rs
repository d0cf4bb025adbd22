//! The facts the exchange publishes. They carry identifiers and what changed, never purposes, reasons or
//! people's details: who needs those asks with rights of their own.

use kernel::Ref;
use kernel::identity::clients::ClientId;
use kernel::journal::Fact;
use serde::{Deserialize, Serialize};

use crate::agreement::Agreement;
use crate::announcement::Kind;
use crate::ids::{AgreementId, AnnouncementId, ConformanceId, ServiceId, SubsystemId};

/// What every fact about an agreement says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which agreement.
    pub agreement: AgreementId,
    /// Its number.
    pub number: String,
    /// Its version after the step.
    pub version: u32,
    /// Who may call.
    pub consumer: SubsystemId,
    /// What may be called.
    pub service: ServiceId,
}

impl From<&Agreement> for Step {
    fn from(a: &Agreement) -> Self {
        Self {
            agreement: a.id,
            number: a.number.clone(),
            version: a.version,
            consumer: a.consumer,
            service: a.service,
        }
    }
}

macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)*) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Step);

        impl Fact for $name {
            const KIND: &'static str = $kind;

            fn subject(&self) -> Ref {
                self.0.agreement.to_ref()
            }
        })*

        /// Kinds of all facts after which the snapshot is compiled anew.
        pub const RECOMPILE: &[&str] = &[RegistryImported::KIND, DescriptionReplaced::KIND, ServiceAnnounced::KIND, ServiceRegistered::KIND, ZonesChanged::KIND, $($kind),*];
    };
}

steps! {
    /// An agreement was asked for.
    AgreementAsked = "exchange.agreement.asked";
    /// The provider said yes.
    AgreementApproved = "exchange.agreement.approved";
    /// The provider said no.
    AgreementRefused = "exchange.agreement.refused";
    /// It was stopped for now.
    AgreementSuspended = "exchange.agreement.suspended";
    /// It is in force again.
    AgreementResumed = "exchange.agreement.resumed";
    /// It was taken back.
    AgreementRevoked = "exchange.agreement.revoked";
    /// Its last day has passed.
    AgreementExpired = "exchange.agreement.expired";
    /// Its terms were changed by the declarative file.
    AgreementAmended = "exchange.agreement.amended";
    /// The provider asked for more.
    AgreementReturned = "exchange.agreement.returned";
    /// The consumer completed its request.
    AgreementResubmitted = "exchange.agreement.resubmitted";
    /// The consumer took its request back.
    AgreementWithdrawn = "exchange.agreement.withdrawn";
    /// It went on to the test or to production.
    AgreementMoved = "exchange.agreement.moved";
    /// It was named in the catalogue.
    AgreementPublished = "exchange.agreement.published";
}

/// The declarative file was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryImported {
    /// The registry's number afterwards.
    pub serial: i64,
    /// Things added.
    pub added: usize,
    /// Things changed.
    pub changed: usize,
    /// Things removed.
    pub removed: usize,
}

impl Fact for RegistryImported {
    const KIND: &'static str = "exchange.registry.imported";

    fn subject(&self) -> Ref {
        Ref::new("exchange.registry", "1")
    }
}

/// What every fact about a credential says. Never a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Which credential.
    pub client: ClientId,
    /// Its name on the wire.
    pub client_id: String,
    /// The subsystem it acts for.
    pub subsystem: SubsystemId,
}

macro_rules! credentials {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)*) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Credential);

        impl Fact for $name {
            const KIND: &'static str = $kind;

            fn subject(&self) -> Ref {
                self.0.client.to_ref()
            }
        })*
    };
}

credentials! {
    /// A credential was made by its system's integrator.
    CredentialCreated = "exchange.credential.created";
    /// It has a new secret.
    CredentialRotated = "exchange.credential.rotated";
    /// It was given a last day, or lost it.
    CredentialEndSet = "exchange.credential.end_set";
    /// It was given a certificate.
    CredentialCertified = "exchange.credential.certified";
    /// It was revoked.
    CredentialRevoked = "exchange.credential.revoked";
}

/// A conformance run passed: of a system as a consumer, or of one of its services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConformancePassed {
    /// The run.
    pub run: ConformanceId,
    /// Whose system.
    pub subsystem: SubsystemId,
    /// The service; absent when the system was tested as a consumer.
    pub service: Option<ServiceId>,
}

impl Fact for ConformancePassed {
    const KIND: &'static str = "exchange.conformance.passed";

    fn subject(&self) -> Ref {
        self.run.to_ref()
    }
}

/// What a provider announced of a service, or that it was confirmed or taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceAnnounced {
    /// The announcement.
    pub announcement: AnnouncementId,
    /// Of which service.
    pub service: ServiceId,
    /// What kind.
    pub kind: Kind,
}

impl Fact for ServiceAnnounced {
    const KIND: &'static str = "exchange.service.announced";

    fn subject(&self) -> Ref {
        self.announcement.to_ref()
    }
}

/// A service its provider had handed in is registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRegistered {
    /// Which service.
    pub service: ServiceId,
    /// SHA-256 of its document.
    pub sha256: String,
}

impl Fact for ServiceRegistered {
    const KIND: &'static str = "exchange.service.registered";

    fn subject(&self) -> Ref {
        self.service.to_ref()
    }
}

/// A service has another description; its endpoints may be others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescriptionReplaced {
    /// Which service.
    pub service: ServiceId,
    /// SHA-256 of the new document.
    pub sha256: String,
    /// Changes that may stop consumers.
    pub breaking: usize,
}

impl Fact for DescriptionReplaced {
    const KIND: &'static str = "exchange.description.replaced";

    fn subject(&self) -> Ref {
        self.service.to_ref()
    }
}

/// A service or agreement may be called from other zones than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZonesChanged {
    /// Which.
    pub of: Ref,
    /// Whether calls from the Internet are refused.
    pub dedicated_only: bool,
}

impl Fact for ZonesChanged {
    const KIND: &'static str = "exchange.zones.changed";

    fn subject(&self) -> Ref {
        self.of.clone()
    }
}
