//! The compiled configuration of the exchange, by which every call is decided: immutable, swapped whole,
//! looked up without locks or allocation. How it decides is in `decide`; how it is compiled from the tables belongs to
//! `listen`, how it is kept on disk to `snapshot_file`.

mod decide;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::clock::Timestamp;
use fieldfilter::Fields;
use serde::{Deserialize, Serialize};

use crate::deny::DenyReason;
use crate::endpoint::Route;
use crate::environment::Environment;
use crate::ids::{AgreementId, AnnouncementId, EndpointId, MemberId, ServiceId, SubsystemId};
use crate::quota::Quota;
use crate::service::{BaseUrl, ServiceKind};

/// How long a snapshot may serve without being renewed, unless configured otherwise.
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// A member, as `listClients` names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberEntry {
    /// The member.
    pub id: MemberId,
    /// Member class, for example `GOV`.
    pub class: String,
    /// Member code within the class.
    pub code: String,
    /// Its name in Vietnamese.
    pub name: String,
}

/// A subsystem: a consumer of services, a provider of them, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubsystemEntry {
    /// The subsystem.
    pub id: SubsystemId,
    /// Whose it is.
    pub member: MemberId,
    /// Its code within the member.
    pub code: String,
    /// Its name in Vietnamese.
    pub name: String,
    /// `instance/class/member/subsystem`; filled in when the snapshot is compiled.
    #[serde(skip)]
    pub path: String,
    /// Where the member stands in [`Snapshot::members`]; filled in when the snapshot is compiled.
    #[serde(skip)]
    pub member_at: usize,
}

/// An endpoint of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointEntry {
    /// The endpoint.
    pub id: EndpointId,
    /// Its method and path pattern.
    #[serde(flatten)]
    pub route: Route,
}

/// A service, with everything needed to forward a call to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEntry {
    /// The service.
    pub id: ServiceId,
    /// The subsystem that provides it.
    pub provider: SubsystemId,
    /// Its code within the subsystem.
    pub code: String,
    /// Its name in Vietnamese.
    pub name: String,
    /// How it is described.
    pub kind: ServiceKind,
    /// Where it lives.
    pub base_url: BaseUrl,
    /// Where its sandbox lives; without one, answers are made from its description.
    pub sandbox_url: Option<BaseUrl>,
    /// Milliseconds the provider has to begin its answer.
    pub timeout_ms: u64,
    /// The provider's notice when it has switched the service off (may be empty); `None` when calls pass.
    pub disabled: Option<String>,
    /// What its provider has announced of its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<Announced>,
    /// Whether calls from the Internet are refused.
    #[serde(default)]
    pub dedicated_only: bool,
    /// Blob reference of the OpenAPI document.
    pub openapi: Option<String>,
    /// The declared endpoints.
    pub endpoints: Vec<EndpointEntry>,
    /// `instance/class/member/subsystem/service`; filled in when the snapshot is compiled.
    #[serde(skip)]
    pub path: String,
    /// Where the provider stands in [`Snapshot::subsystems`]; filled in when the snapshot is compiled.
    #[serde(skip)]
    pub provider_at: usize,
}

impl ServiceEntry {
    /// Time the provider has to begin its answer.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

/// That a service is deprecated or ends, as far as calls need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// The announcement.
    pub id: AnnouncementId,
    /// Since when it should no longer be built upon; may lie ahead.
    pub deprecated_at: Timestamp,
    /// The first moment at which it is no longer offered.
    pub ends_at: Option<Timestamp>,
    /// Whether calls are refused from then on: the provider has confirmed it.
    pub refuses: bool,
    /// What replaces it: `instance/class/member/subsystem/service`.
    pub successor: Option<String>,
}

/// What an agreement opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScopeEntry {
    /// Everything below the service's address.
    Whole,
    /// These endpoints only.
    Endpoints(Vec<Route>),
}

impl ScopeEntry {
    /// Whether a call with this verb and normalised path is opened.
    pub fn covers(&self, method: &str, path: &str) -> bool {
        match self {
            Self::Whole => true,
            Self::Endpoints(routes) => routes.iter().any(|r| r.covers(method, path)),
        }
    }
}

/// What the provider's decision about an agreement is at present; its dates are looked at separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Approved.
    InForce,
    /// Suspended for now.
    Suspended,
    /// Revoked for good.
    Revoked,
}

/// An agreement, as far as calls need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementEntry {
    /// The agreement.
    pub id: AgreementId,
    /// Its number, as written in the letter.
    pub number: String,
    /// The version of its terms.
    pub version: u32,
    /// Who may call.
    pub consumer: SubsystemId,
    /// What may be called.
    pub service: ServiceId,
    /// Which part of it.
    pub scope: ScopeEntry,
    /// The only fields of an answer that may leave; empty when all may.
    pub fields: Vec<String>,
    /// The same made ready; filled in when the snapshot is compiled.
    #[serde(skip)]
    pub filter: Filter,
    /// Where its calls go.
    pub environment: Environment,
    /// Whether calls from the Internet are refused.
    #[serde(default)]
    pub dedicated_only: bool,
    /// How much of it.
    pub quota: Quota,
    /// The first moment at which it holds.
    pub valid_from: Timestamp,
    /// The first moment at which it no longer holds.
    pub valid_until: Timestamp,
    /// The provider's present decision.
    pub standing: Standing,
}

impl AgreementEntry {
    /// Whether the agreement stands behind a call at `now`, whatever the endpoint.
    fn holds(&self, now: Timestamp) -> Result<(), DenyReason> {
        match self.standing {
            Standing::Revoked => Err(DenyReason::Revoked),
            _ if now >= self.valid_until => Err(DenyReason::Expired { since: self.valid_until }),
            Standing::Suspended => Err(DenyReason::Suspended),
            Standing::InForce if now < self.valid_from => {
                Err(DenyReason::NotYetValid { from: self.valid_from })
            }
            Standing::InForce => Ok(()),
        }
    }
}

/// Fields made ready for the gateway. Two are equal: they follow from the names beside them.
#[derive(Debug, Clone, Default)]
pub struct Filter(Option<Arc<Fields>>);

impl PartialEq for Filter {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Filter {}

impl Filter {
    /// The fields; `None` when all may leave.
    pub fn fields(&self) -> Option<&Arc<Fields>> {
        self.0.as_ref()
    }

    /// A name that is none opens nothing: what cannot be read must not open more.
    fn of(names: &[String]) -> Self {
        let paths = names.iter().filter_map(|name| name.parse().ok());
        Self((!names.is_empty()).then(|| Arc::new(Fields::new(paths))))
    }
}

/// What a snapshot is compiled from, and the form in which it is kept on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Grows by one with every change of the configuration.
    pub serial: u64,
    /// When it was compiled.
    pub compiled_at: Timestamp,
    /// The first moment at which nothing may be decided on it any more.
    pub not_after: Timestamp,
    /// The X-Road instance, for example `VN`.
    pub instance: String,
    /// The members.
    pub members: Vec<MemberEntry>,
    /// Their subsystems.
    pub subsystems: Vec<SubsystemEntry>,
    /// Their services.
    pub services: Vec<ServiceEntry>,
    /// The agreements that were ever approved and are not long over.
    pub agreements: Vec<AgreementEntry>,
}

/// The contents do not fit together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// Something points to a thing that is not there.
    #[error("{what} points to {target}, which is not in the snapshot")]
    Dangling {
        /// What points.
        what: String,
        /// Where it points.
        target: String,
    },
    /// Two things have the same name.
    #[error("{0} appears twice")]
    Twice(String),
}

/// The compiled configuration. Cheap to share (`Arc`), never changed.
#[derive(Debug)]
pub struct Snapshot {
    contents: Contents,
    clients: HashMap<Box<str>, u32>,
    services: HashMap<Box<str>, u32>,
    /// Consumer and service to a range of `contents.agreements`, which is sorted by that pair.
    agreements: HashMap<(u32, u32), (u32, u32)>,
    /// For each subsystem the services it provides, in the order of their codes.
    provided: Vec<Vec<u32>>,
    subsystem_at: HashMap<SubsystemId, u32>,
    members: HashMap<Box<str>, u32>,
}

/// Where the gateway finds the snapshot in force; replaced whole by `listen`.
pub type Current = Arc<arc_swap::ArcSwap<Snapshot>>;

impl Snapshot {
    /// A snapshot of nothing, which refuses every call: what a node has before its first configuration.
    pub fn empty(instance: &str, now: Timestamp) -> Self {
        let contents = Contents {
            serial: 0,
            compiled_at: now,
            not_after: now,
            instance: instance.to_owned(),
            members: Vec::new(),
            subsystems: Vec::new(),
            services: Vec::new(),
            agreements: Vec::new(),
        };
        Self {
            contents,
            clients: HashMap::new(),
            services: HashMap::new(),
            agreements: HashMap::new(),
            provided: Vec::new(),
            subsystem_at: HashMap::new(),
            members: HashMap::new(),
        }
    }

    /// Builds the look-ups.
    ///
    /// # Errors
    /// When the contents do not fit together; nothing is left out silently.
    pub fn compile(mut contents: Contents) -> Result<Self, CompileError> {
        let member_at = positions(&contents.members, |m| m.id);
        let subsystem_at = positions(&contents.subsystems, |s| s.id);
        let service_at = positions(&contents.services, |s| s.id);

        let mut members = HashMap::with_capacity(contents.members.len());
        for (at, m) in contents.members.iter().enumerate() {
            enter(&mut members, format!("{}/{}/{}", contents.instance, m.class, m.code), at)?;
        }
        let mut clients = HashMap::with_capacity(contents.subsystems.len());
        for (at, s) in contents.subsystems.iter_mut().enumerate() {
            s.member_at = find(&member_at, &s.member, || format!("subsystem {}", s.code))? as usize;
            let m = &contents.members[s.member_at];
            s.path = format!("{}/{}/{}/{}", contents.instance, m.class, m.code, s.code);
            enter(&mut clients, s.path.clone(), at)?;
        }
        let mut services = HashMap::with_capacity(contents.services.len());
        let mut provided = vec![Vec::new(); contents.subsystems.len()];
        for (at, s) in contents.services.iter_mut().enumerate() {
            s.provider_at = find(&subsystem_at, &s.provider, || format!("service {}", s.code))? as usize;
            s.path = format!("{}/{}", contents.subsystems[s.provider_at].path, s.code);
            enter(&mut services, s.path.clone(), at)?;
            provided[s.provider_at].push(narrow(at));
        }
        for list in &mut provided {
            list.sort_by(|a, b| {
                contents.services[*a as usize].code.cmp(&contents.services[*b as usize].code)
            });
        }
        let mut pairs = Vec::with_capacity(contents.agreements.len());
        for a in contents.agreements.drain(..) {
            let consumer = find(&subsystem_at, &a.consumer, || format!("agreement {}", a.number))?;
            let service = find(&service_at, &a.service, || format!("agreement {}", a.number))?;
            pairs.push(((consumer, service), a));
        }
        pairs.sort_by(|(p, a), (q, b)| p.cmp(q).then_with(|| a.id.cmp(&b.id)));
        let mut agreements: HashMap<(u32, u32), (u32, u32)> = HashMap::with_capacity(pairs.len());
        for (at, (pair, a)) in pairs.into_iter().enumerate() {
            let at = narrow(at);
            agreements.entry(pair).and_modify(|range| range.1 = at + 1).or_insert((at, at + 1));
            let filter = Filter::of(&a.fields);
            contents.agreements.push(AgreementEntry { filter, ..a });
        }
        Ok(Self { contents, clients, services, agreements, provided, subsystem_at, members })
    }

    /// The same snapshot with these agreements treated as revoked (the node's local revocation list).
    pub fn revoking(mut self, revoked: &std::collections::HashSet<AgreementId>) -> Self {
        for a in self.contents.agreements.iter_mut().filter(|a| revoked.contains(&a.id)) {
            a.standing = Standing::Revoked;
        }
        self
    }

    /// What it was compiled from.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Grows by one with every change of the configuration; zero before the first one.
    pub fn serial(&self) -> u64 {
        self.contents.serial
    }

    /// When it was compiled.
    pub fn compiled_at(&self) -> Timestamp {
        self.contents.compiled_at
    }

    /// The first moment at which nothing may be decided on it any more.
    pub fn not_after(&self) -> Timestamp {
        self.contents.not_after
    }

    /// Whether it is too old to decide on.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        now >= self.contents.not_after
    }

    /// The X-Road instance identifier.
    pub fn instance(&self) -> &str {
        &self.contents.instance
    }

    /// All members, in the order of the configuration.
    pub fn members(&self) -> &[MemberEntry] {
        &self.contents.members
    }

    /// All subsystems, in the order of the configuration.
    pub fn subsystems(&self) -> &[SubsystemEntry] {
        &self.contents.subsystems
    }

    /// The member at `instance/class/member` (decoded codes).
    pub fn member(&self, path: &str) -> Option<&MemberEntry> {
        self.members.get(path).map(|at| &self.contents.members[*at as usize])
    }

    /// The member that owns a subsystem.
    pub fn member_of(&self, subsystem: &SubsystemEntry) -> &MemberEntry {
        &self.contents.members[subsystem.member_at]
    }

    /// The subsystem at `instance/class/member/subsystem` (decoded codes).
    pub fn consumer(&self, path: &str) -> Option<&SubsystemEntry> {
        self.clients.get(path).map(|at| &self.contents.subsystems[*at as usize])
    }

    /// The subsystem with this identifier.
    pub fn subsystem(&self, id: SubsystemId) -> Option<&SubsystemEntry> {
        self.subsystem_at.get(&id).map(|at| &self.contents.subsystems[*at as usize])
    }

    /// The service at `instance/class/member/subsystem/service` (decoded codes).
    pub fn service(&self, path: &str) -> Option<&ServiceEntry> {
        self.services.get(path).map(|at| &self.contents.services[*at as usize])
    }

    /// The subsystem that provides a service.
    pub fn provider_of(&self, service: &ServiceEntry) -> &SubsystemEntry {
        &self.contents.subsystems[service.provider_at]
    }

    /// The services a subsystem provides, ordered by code (`listMethods`).
    pub fn services_of(&self, provider: &SubsystemEntry) -> impl Iterator<Item = &ServiceEntry> {
        let list = self.subsystem_at.get(&provider.id).map(|at| self.provided[*at as usize].as_slice());
        list.unwrap_or_default().iter().map(|at| &self.contents.services[*at as usize])
    }
}

/// Positions fit in 32 bits: four thousand million members would not fit in memory anyway.
fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn positions<T, K: std::hash::Hash + Eq>(list: &[T], key: impl Fn(&T) -> K) -> HashMap<K, u32> {
    list.iter().enumerate().map(|(at, x)| (key(x), narrow(at))).collect()
}

fn find<K: std::hash::Hash + Eq + std::fmt::Debug>(
    map: &HashMap<K, u32>,
    key: &K,
    what: impl FnOnce() -> String,
) -> Result<u32, CompileError> {
    map.get(key).copied().ok_or_else(|| CompileError::Dangling { what: what(), target: format!("{key:?}") })
}

fn enter(map: &mut HashMap<Box<str>, u32>, path: String, at: usize) -> Result<(), CompileError> {
    if map.contains_key(path.as_str()) {
        return Err(CompileError::Twice(path));
    }
    map.insert(path.into_boxed_str(), narrow(at));
    Ok(())
}
