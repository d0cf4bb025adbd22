//! The alerts that should be open, from what is known of the providers: which side is down, why, whom it hurts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base::clock::Timestamp;
use base::i18n::{Lang, Text};
use kernel::alerts::{Act, Affected, Alert, Severity};

use super::tally::Down;
use crate::diagnose::Fault;
use crate::ids::{ServiceId, SubsystemId};
use crate::service::BaseUrl;
use crate::snapshot::{ServiceEntry, Snapshot, Standing, SubsystemEntry};
use crate::t;

/// A provider's address does not answer.
pub(crate) const DOWN: &str = "exchange.provider.down:";
/// A provider answers, but calls of one of its services fail.
pub(crate) const FAILING: &str = "exchange.service.failing:";
/// A provider's certificate ends soon.
pub(super) const ENDING: &str = "exchange.certificate.ending:";
/// All of them.
pub(super) const PREFIXES: [&str; 3] = [DOWN, FAILING, ENDING];

/// Days before the end of a certificate from which on it is urgent.
const URGENT_DAYS: i64 = 7;
/// Names in a sentence; the others are counted.
const NAMED: usize = 5;

/// What is known to be wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Addresses that do not answer, by [`address`].
    pub down: BTreeMap<String, Down>,
    /// Services whose calls fail, by their path.
    pub failing: BTreeMap<String, Down>,
    /// Addresses whose certificate ends soon, with the days left.
    pub ending: BTreeMap<String, (Timestamp, i64)>,
    /// What examinations of these addresses and services have found.
    pub verdicts: BTreeMap<String, Fault>,
}

/// What looks are made at: scheme, host and port.
pub(super) fn address(url: &BaseUrl) -> String {
    format!("{}{}", if url.is_https() { "https://" } else { "http://" }, url.authority())
}

/// Services that callers are let through to.
pub(super) fn watched(snapshot: &Snapshot) -> impl Iterator<Item = &ServiceEntry> {
    snapshot.contents().services.iter().filter(|s| s.disabled.is_none())
}

/// The alerts, by their keys.
pub(super) fn alerts(snapshot: &Snapshot, wrong: &Wrong, now: Timestamp) -> BTreeMap<String, Alert> {
    let mut found = BTreeMap::new();
    let mut hurt: HashMap<(SubsystemId, String), Vec<&ServiceEntry>> = HashMap::new();
    let mut ending: HashMap<String, Vec<&ServiceEntry>> = HashMap::new();
    let mut failing = Vec::new();
    for service in watched(snapshot) {
        let at = address(&service.base_url);
        if wrong.down.contains_key(&at) {
            hurt.entry((service.provider, at.clone())).or_default().push(service);
        } else if let Some(down) = wrong.failing.get(&service.path) {
            failing.push((service, *down));
        }
        if wrong.ending.contains_key(&at) {
            ending.entry(at).or_default().push(service);
        }
    }
    let wanted = hurt.values().chain(ending.values()).flatten().copied();
    let consumers = consumers(snapshot, wanted.chain(failing.iter().map(|(s, _)| *s)), now);
    for ((_, at), services) in &hurt {
        let (Some(down), Some(first)) = (wrong.down.get(at), services.first()) else { continue };
        let provider = snapshot.provider_of(first);
        let key = down_key(snapshot, first);
        let alert = down_alert(snapshot, key.clone(), provider, services, *down, &consumers);
        found.insert(key, examined(alert, wrong.verdicts.get(at)));
    }
    for (service, down) in failing {
        let key = format!("{FAILING}{}", service.path);
        let alert = failing_alert(snapshot, key.clone(), service, down, &consumers);
        found.insert(key, examined(alert, wrong.verdicts.get(&service.path)));
    }
    for (at, services) in &ending {
        let Some((end, days)) = wrong.ending.get(at) else { continue };
        let key = format!("{ENDING}{at}");
        found.insert(key.clone(), ending_alert(snapshot, key, at, services, (*end, *days), &consumers));
    }
    found
}

/// The alert with what the examination step by step says of it.
fn examined(mut alert: Alert, verdict: Option<&Fault>) -> Alert {
    if let Some(fault) = verdict {
        let before = alert.cause;
        alert.cause = Text::both(|l| format!("{} {}", before.get(l), t::alert_examined(l, fault.verdict(l))));
        alert.todo = Text::both(|l| fault.next_step(l));
    }
    alert
}

fn down_key(snapshot: &Snapshot, service: &ServiceEntry) -> String {
    format!("{DOWN}{}@{}", snapshot.provider_of(service).path, service.base_url.authority())
}

/// What is offered to do, by the alerts' keys: telling the consumers of each service that is away.
pub(super) fn acts(snapshot: &Snapshot, wrong: &Wrong) -> BTreeMap<String, Vec<Act>> {
    let mut found: BTreeMap<String, Vec<Act>> = BTreeMap::new();
    for service in watched(snapshot) {
        let key = if wrong.down.contains_key(&address(&service.base_url)) {
            down_key(snapshot, service)
        } else if wrong.failing.contains_key(&service.path) {
            format!("{FAILING}{}", service.path)
        } else {
            continue;
        };
        let of = found.entry(key).or_default();
        if of.len() < NAMED {
            let label = Text::both(|l| t::outage_action_of(l, &service.name));
            of.push(Act { label, href: crate::outage::path(service.id) });
        }
    }
    found
}

/// Who may call which of these services at `now`.
type Consumers<'s> = HashMap<ServiceId, Vec<&'s SubsystemEntry>>;

fn consumers<'s>(
    snapshot: &'s Snapshot,
    of: impl Iterator<Item = &'s ServiceEntry>,
    now: Timestamp,
) -> Consumers<'s> {
    let mut consumers: Consumers<'s> = of.map(|s| (s.id, Vec::new())).collect();
    if consumers.is_empty() {
        return consumers;
    }
    for a in &snapshot.contents().agreements {
        let holds = a.standing == Standing::InForce && a.valid_from <= now && now < a.valid_until;
        if let (true, Some(list)) = (holds, consumers.get_mut(&a.service)) {
            list.extend(snapshot.subsystem(a.consumer));
        }
    }
    consumers
}

/// The consumers of these services, each once, in the order of their names.
fn hurt_by(snapshot: &Snapshot, services: &[&ServiceEntry], consumers: &Consumers<'_>) -> Vec<Affected> {
    let all = services.iter().filter_map(|s| consumers.get(&s.id)).flatten();
    let each: BTreeMap<_, _> = all.map(|c| ((&c.name, c.id), *c)).collect();
    let affected = |c: &SubsystemEntry| Affected {
        of: c.id.to_ref(),
        name: format!("{} ({})", c.name, snapshot.member_of(c).name),
    };
    each.into_values().map(affected).collect()
}

fn down_alert(
    snapshot: &Snapshot,
    key: String,
    provider: &SubsystemEntry,
    services: &[&ServiceEntry],
    down: Down,
    consumers: &Consumers<'_>,
) -> Alert {
    let affected = hurt_by(snapshot, services, consumers);
    let member = &snapshot.member_of(provider).name;
    let address = services.first().map_or("", |s| s.base_url.authority());
    let names: BTreeSet<&str> = services.iter().map(|s| s.name.as_str()).collect();
    Alert {
        key,
        severity: Severity::Critical,
        title: Text::both(|l| t::alert_down_title(l, &provider.name)),
        cause: Text::both(|l| {
            t::alert_down_cause(
                l,
                t::AlertDownCause {
                    address,
                    affected: list(l, affected.iter().map(|a| a.name.as_str())),
                    cause: down.cause.text(l),
                    member,
                    provider: &provider.name,
                    services: list(l, names.iter().copied()),
                },
            )
        }),
        todo: Text::both(|l| down.cause.todo(l)),
        affected,
        since: Some(down.since),
    }
}

fn failing_alert(
    snapshot: &Snapshot,
    key: String,
    service: &ServiceEntry,
    down: Down,
    consumers: &Consumers<'_>,
) -> Alert {
    let affected = hurt_by(snapshot, &[service], consumers);
    let provider = snapshot.provider_of(service);
    Alert {
        key,
        severity: Severity::Critical,
        title: Text::both(|l| t::alert_failing_title(l, &service.name)),
        cause: Text::both(|l| {
            t::alert_failing_cause(
                l,
                t::AlertFailingCause {
                    affected: list(l, affected.iter().map(|a| a.name.as_str())),
                    cause: down.cause.text(l),
                    member: &snapshot.member_of(provider).name,
                    provider: &provider.name,
                    service: &service.name,
                },
            )
        }),
        todo: Text::both(|l| down.cause.todo(l)),
        affected,
        since: Some(down.since),
    }
}

fn ending_alert(
    snapshot: &Snapshot,
    key: String,
    address: &str,
    services: &[&ServiceEntry],
    (end, days): (Timestamp, i64),
    consumers: &Consumers<'_>,
) -> Alert {
    let providers: BTreeSet<&str> = services.iter().map(|s| snapshot.provider_of(s).name.as_str()).collect();
    Alert {
        key,
        severity: if days < URGENT_DAYS { Severity::Critical } else { Severity::Warning },
        title: Text::both(|l| t::alert_ending_title(l, list(l, providers.iter().copied()))),
        cause: Text::both(|l| t::alert_ending_cause(l, t::AlertEndingCause { address, end: end.vn() })),
        todo: Text::both(t::todo_certificate_ending),
        affected: hurt_by(snapshot, services, consumers),
        since: None,
    }
}

/// `a; b; c`, with the number of those left out.
fn list<'n>(l: Lang, names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>().join("; ");
    match names.len().saturating_sub(NAMED) {
        0 if names.is_empty() => t::alert_nobody(l).to_owned(),
        0 => shown,
        more => format!("{shown}; {}", t::alert_and_more(l, i64::try_from(more).unwrap_or(i64::MAX))),
    }
}
