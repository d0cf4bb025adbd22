//! What a registry file would change: compares it with what is stored, field by field, and says what stands
//! in the way. Applying the difference belongs to `actions`.

use std::collections::BTreeMap;
use std::fmt::Display;

use base::clock::Date;
use base::i18n::{Lang, Text};
use serde::Serialize;

use crate::agreement::State;
use crate::registry::{
    AgreementSpec, ClientSpec, InitialState, MemberSpec, Registry, ScopeSpec, ServiceSpec, SubsystemSpec,
};
use crate::sections::Fault;
use crate::service::ServiceState;
use crate::t;

/// The kinds of things a registry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Thing {
    /// A member.
    Member,
    /// A subsystem.
    Subsystem,
    /// A service.
    Service,
    /// An endpoint of a service.
    Endpoint,
    /// An agreement.
    Agreement,
    /// A client.
    Client,
}

impl Thing {
    /// The word people read.
    pub fn label(self, lang: Lang) -> &'static str {
        match self {
            Self::Member => t::thing_member(lang),
            Self::Subsystem => t::thing_subsystem(lang),
            Self::Service => t::thing_service(lang),
            Self::Endpoint => t::thing_endpoint(lang),
            Self::Agreement => t::thing_agreement(lang),
            Self::Client => t::thing_client(lang),
        }
    }
}

/// What happens to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It is new.
    Added,
    /// Some of its fields change.
    Changed,
    /// It is taken out; its records stay.
    Removed,
}

impl Kind {
    /// The word people read.
    pub fn label(self, lang: Lang) -> &'static str {
        match self {
            Self::Added => t::diff_added(lang),
            Self::Changed => t::diff_changed(lang),
            Self::Removed => t::diff_removed(lang),
        }
    }
}

/// One field, before and after; `None` means that there was or will be nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The field's name in the file.
    pub field: &'static str,
    /// What is stored.
    pub before: Option<String>,
    /// What the file says.
    pub after: Option<String>,
}

/// One thing that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What kind of thing.
    pub thing: Thing,
    /// Its key.
    pub key: String,
    /// What happens to it.
    pub kind: Kind,
    /// Its fields that change; for a new thing all that are given.
    pub fields: Vec<FieldChange>,
}

/// The difference between a file and what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Diff {
    /// What changes, in the order members, subsystems, services, endpoints, agreements, clients.
    pub changes: Vec<Change>,
    /// What the reader should know although it changes nothing.
    pub notes: Vec<Text>,
}

impl Diff {
    /// Whether applying it would change nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many things change in a way.
    pub fn count(&self, kind: Kind) -> usize {
        self.changes.iter().filter(|c| c.kind == kind).count()
    }
}

/// What is stored: the registry, and where each agreement stands today.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// The registry, without documents' bytes.
    pub registry: Registry,
    /// States by number, as of today.
    pub states: BTreeMap<String, State>,
}

/// Compares a file with what is stored.
///
/// # Errors
/// Everything that stands in the way of applying the file; then nothing of it may be applied.
pub fn compare(file: &Registry, stored: &Stored, today: Date) -> Result<Diff, Vec<Fault>> {
    let mut out = Comparison { diff: Diff::default(), faults: Vec::new(), complete: file.complete };
    let old = &stored.registry;
    if !old.instance.is_empty() && old.instance != file.instance {
        out.faults.push(Fault::new(
            0,
            Text::both(|l| {
                t::import_instance(l, t::ImportInstance { given: &file.instance, stored: &old.instance })
            }),
        ));
    }
    out.table(Thing::Member, &file.members, &old.members, member_fields);
    out.table(Thing::Subsystem, &file.subsystems, &old.subsystems, subsystem_fields);
    out.table(Thing::Service, &file.services, &old.services, service_fields);
    out.endpoints(file, old);
    out.agreements(file, stored, today);
    out.clients(&file.clients, &old.clients);
    out.removals(file, stored);
    if out.faults.is_empty() { Ok(out.diff) } else { Err(out.faults) }
}

type Fields = Vec<(&'static str, Option<String>)>;

struct Comparison {
    diff: Diff,
    faults: Vec<Fault>,
    complete: bool,
}

impl Comparison {
    fn push(&mut self, thing: Thing, key: String, kind: Kind, fields: Vec<FieldChange>) {
        self.diff.changes.push(Change { thing, key, kind, fields });
    }

    fn table<K: Ord + Display, V>(
        &mut self,
        thing: Thing,
        new: &BTreeMap<K, V>,
        old: &BTreeMap<K, V>,
        fields: impl Fn(&V) -> Fields,
    ) {
        for (key, value) in new {
            let (kind, changed) = match old.get(key) {
                None => (Kind::Added, changed(Vec::new(), fields(value))),
                Some(before) => (Kind::Changed, changed(fields(before), fields(value))),
            };
            if kind == Kind::Added || !changed.is_empty() {
                self.push(thing, key.to_string(), kind, changed);
            }
        }
        if self.complete {
            for (key, value) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
                self.push(thing, key.to_string(), Kind::Removed, changed(fields(value), Vec::new()));
            }
        }
    }

    /// Clients are only added by a file: who holds a secret is revoked or moved by a person's decision.
    fn clients(&mut self, new: &BTreeMap<String, ClientSpec>, old: &BTreeMap<String, ClientSpec>) {
        for (id, spec) in new {
            match old.get(id) {
                None => {
                    let fields = changed(Vec::new(), vec![("subsystem", Some(spec.subsystem.to_string()))]);
                    self.push(Thing::Client, id.clone(), Kind::Added, fields);
                }
                Some(before) if before.subsystem != spec.subsystem => {
                    let owner = before.subsystem.to_string();
                    self.faults.push(Fault::new(
                        spec.line,
                        Text::both(|l| {
                            t::import_client_moved(l, t::ImportClientMoved { client: id, owner: &owner })
                        }),
                    ));
                }
                Some(_) => {}
            }
        }
        for id in old.keys().filter(|id| self.complete && !new.contains_key(*id)) {
            self.diff.notes.push(Text::both(|l| t::import_client_stays(l, id)));
        }
    }

    /// Endpoints belong wholly to their service: what the file does not name of a named service is removed.
    fn endpoints(&mut self, file: &Registry, old: &Registry) {
        for (service, spec) in &file.services {
            let none = BTreeMap::new();
            let before = old.services.get(service).map_or(&none, |s| &s.endpoints);
            for (route, name) in &spec.endpoints {
                let after = vec![("name", non_empty(name))];
                let (kind, fields) = match before.get(route) {
                    None => (Kind::Added, changed(Vec::new(), after)),
                    Some(name) => (Kind::Changed, changed(vec![("name", non_empty(name))], after)),
                };
                if kind == Kind::Added || !fields.is_empty() {
                    self.push(Thing::Endpoint, format!("{service} {route}"), kind, fields);
                }
            }
            for route in before.keys().filter(|r| !spec.endpoints.contains_key(*r)) {
                self.push(Thing::Endpoint, format!("{service} {route}"), Kind::Removed, Vec::new());
            }
        }
    }

    fn agreements(&mut self, file: &Registry, stored: &Stored, today: Date) {
        for (number, spec) in &file.agreements {
            let Some(old) = stored.registry.agreements.get(number) else {
                if spec.state == InitialState::Approved && spec.valid_to < today {
                    let last = spec.valid_to.vn();
                    self.faults.push(Fault::new(
                        spec.line,
                        Text::both(|l| t::import_over(l, t::ImportOver { last: &last, number })),
                    ));
                }
                let mut fields = agreement_fields(spec);
                fields.push(("state", Some(initial(spec.state).as_str().to_owned())));
                self.push(Thing::Agreement, number.clone(), Kind::Added, changed(Vec::new(), fields));
                continue;
            };
            let state = stored.states.get(number).copied().unwrap_or(State::Waiting);
            if old.consumer != spec.consumer || old.service != spec.service {
                self.faults.push(Fault::new(spec.line, Text::both(|l| t::import_parties(l, number))));
                continue;
            }
            let fields = changed(agreement_fields(old), agreement_fields(spec));
            let over = state.is_final();
            if !fields.is_empty() && over {
                self.faults.push(Fault::new(
                    spec.line,
                    Text::both(|l| t::import_final(l, t::ImportFinal { number, state: state.label(l) })),
                ));
            } else if !fields.is_empty() {
                self.push(Thing::Agreement, number.clone(), Kind::Changed, fields);
            }
            if state != initial(spec.state) {
                self.diff.notes.push(Text::both(|l| {
                    t::import_state_kept(
                        l,
                        t::ImportStateKept {
                            given: initial(spec.state).label(l),
                            number,
                            stored: state.label(l),
                        },
                    )
                }));
            }
        }
    }

    /// Nothing is taken away from under an agreement that still stands.
    fn removals(&mut self, file: &Registry, stored: &Stored) {
        for (number, a) in &stored.registry.agreements {
            let state = stored.states.get(number).copied().unwrap_or(State::Waiting);
            if state.is_final() {
                continue;
            }
            if self.complete && !file.agreements.contains_key(number) {
                let line = Text::both(|l| {
                    t::import_agreement_left_out(
                        l,
                        t::ImportAgreementLeftOut { number, state: state.label(l) },
                    )
                });
                self.faults.push(Fault::new(0, line));
                continue;
            }
            let Some(service) = file.services.get(&a.service) else { continue };
            let scope = file.agreements.get(number).map_or(&a.scope, |f| &f.scope);
            let ScopeSpec::Endpoints(routes) = scope else { continue };
            for route in routes.iter().filter(|r| !service.endpoints.contains_key(*r)) {
                let text = Text::both(|l| {
                    t::import_endpoint_used(l, t::ImportEndpointUsed { number, route: route.to_string() })
                });
                self.faults.push(Fault::new(service.line, text));
            }
        }
    }
}

fn initial(state: InitialState) -> State {
    match state {
        InitialState::Waiting => State::Waiting,
        InitialState::Approved => State::Approved,
    }
}

fn changed(before: Fields, after: Fields) -> Vec<FieldChange> {
    let mut out: Vec<FieldChange> = Vec::new();
    for (field, value) in &after {
        let old = before.iter().find(|(name, _)| name == field).and_then(|(_, v)| v.clone());
        if old != *value {
            out.push(FieldChange { field, before: old, after: value.clone() });
        }
    }
    for (field, value) in before.into_iter().filter(|(_, value)| value.is_some()) {
        if !after.iter().any(|(name, _)| *name == field) {
            out.push(FieldChange { field, before: value, after: None });
        }
    }
    out
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn lines(list: &[String]) -> Option<String> {
    (!list.is_empty()).then(|| list.join("; "))
}

fn member_fields(m: &MemberSpec) -> Fields {
    vec![("name", Some(m.name.clone())), ("agency", m.agency.clone())]
}

fn subsystem_fields(s: &SubsystemSpec) -> Fields {
    vec![("name", Some(s.name.clone()))]
}

fn service_fields(s: &ServiceSpec) -> Fields {
    let notice = match &s.state {
        ServiceState::Enabled => None,
        ServiceState::Disabled { notice } => non_empty(notice),
    };
    vec![
        ("name", Some(s.name.clone())),
        ("kind", Some(s.kind.to_string())),
        ("base_url", Some(s.base_url.to_string())),
        ("sandbox_url", s.sandbox_url.as_ref().map(ToString::to_string)),
        ("timeout_seconds", Some(s.timeout.as_secs().to_string())),
        ("enabled", Some((s.state == ServiceState::Enabled).to_string())),
        ("notice", notice),
        ("openapi", s.document.as_ref().map(|d| format!("sha256:{}", d.sha256))),
    ]
}

fn agreement_fields(a: &AgreementSpec) -> Fields {
    let scope = match &a.scope {
        ScopeSpec::Whole => "*".to_owned(),
        ScopeSpec::Endpoints(routes) => routes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    };
    vec![
        ("consumer", Some(a.consumer.to_string())),
        ("service", Some(a.service.to_string())),
        ("endpoints", Some(scope)),
        ("purpose", Some(a.purpose.clone())),
        ("legal_basis", lines(&a.legal_basis)),
        ("fields", lines(&a.fields)),
        ("per_minute", a.quota.per_minute.map(|n| n.to_string())),
        ("per_day", a.quota.per_day.map(|n| n.to_string())),
        ("valid_from", Some(a.valid_from.to_string())),
        ("valid_to", Some(a.valid_to.to_string())),
        ("letter", a.letter.as_ref().map(|l| format!("{} ({})", l.number, l.date))),
        ("security", a.security.as_ref().map(|s| format!("{}: {}", s.level, s.decision))),
    ]
}
