//! The registry as the declarative file states it: members, subsystems, services, endpoints, agreements and
//! clients by their keys, without identifiers. Read from a file in `registry_file`, from the tables in
//! `store`, compared in `diff`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base::clock::Date;

use crate::agreement::{Letter, SecurityLevel};
use crate::endpoint::Route;
use crate::key::{MemberKey, ServiceKey, SubsystemKey};
use crate::quota::Quota;
use crate::service::{BaseUrl, ServiceKind, ServiceState};

/// The whole registry, or the part of it that a file states.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Registry {
    /// The X-Road instance, for example `VN`.
    pub instance: String,
    /// Whether this is everything: what is not named is to be removed.
    pub complete: bool,
    /// Members by key.
    pub members: BTreeMap<MemberKey, MemberSpec>,
    /// Subsystems by key.
    pub subsystems: BTreeMap<SubsystemKey, SubsystemSpec>,
    /// Services by key.
    pub services: BTreeMap<ServiceKey, ServiceSpec>,
    /// Agreements by number.
    pub agreements: BTreeMap<String, AgreementSpec>,
    /// Clients (credentials of subsystems) by client identifier.
    pub clients: BTreeMap<String, ClientSpec>,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberSpec {
    /// Its name in Vietnamese.
    pub name: String,
    /// Code of the agency behind it, as the agencies' directory knows it.
    pub agency: Option<String>,
    /// Line in the file; zero when it does not come from a file.
    pub line: usize,
}

/// A subsystem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubsystemSpec {
    /// Its name in Vietnamese.
    pub name: String,
    /// Line in the file; zero when it does not come from a file.
    pub line: usize,
}

/// An OpenAPI document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentSpec {
    /// SHA-256 of its bytes, lower-case hexadecimal.
    pub sha256: String,
    /// Its bytes; empty when the registry was read from the tables.
    pub bytes: Vec<u8>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSpec {
    /// Its name in Vietnamese.
    pub name: String,
    /// How it is described.
    pub kind: ServiceKind,
    /// Where it lives.
    pub base_url: BaseUrl,
    /// Where its sandbox lives, for connections that are not in production yet.
    pub sandbox_url: Option<BaseUrl>,
    /// Time the provider has to begin its answer.
    pub timeout: Duration,
    /// Whether calls pass.
    pub state: ServiceState,
    /// Its description.
    pub document: Option<DocumentSpec>,
    /// Its endpoints with what each is for.
    pub endpoints: BTreeMap<Route, String>,
    /// Line in the file; zero when it does not come from a file.
    pub line: usize,
}

/// Which part of the service an agreement opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopeSpec {
    /// Everything.
    Whole,
    /// These endpoints.
    Endpoints(BTreeSet<Route>),
}

/// Where an agreement stands when it is first entered. Later its state changes only by decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitialState {
    /// Waiting for the provider.
    Waiting,
    /// Approved by the letter it names.
    Approved,
}

/// An agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementSpec {
    /// Who may call.
    pub consumer: SubsystemKey,
    /// What may be called.
    pub service: ServiceKey,
    /// Which part of it.
    pub scope: ScopeSpec,
    /// What the data is for.
    pub purpose: String,
    /// The legal acts it rests on.
    pub legal_basis: Vec<String>,
    /// The data fields that may be used; empty means all.
    pub fields: Vec<String>,
    /// How many calls.
    pub quota: Quota,
    /// First day.
    pub valid_from: Date,
    /// Last day, included.
    pub valid_to: Date,
    /// The official letter.
    pub letter: Option<Letter>,
    /// The consumer system's security level.
    pub security: Option<SecurityLevel>,
    /// Where it stands when it is first entered.
    pub state: InitialState,
    /// Line in the file; zero when it does not come from a file.
    pub line: usize,
}

/// A credential of a subsystem. Secrets never stand in files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSpec {
    /// Whose it is.
    pub subsystem: SubsystemKey,
    /// Line in the file; zero when it does not come from a file.
    pub line: usize,
}
