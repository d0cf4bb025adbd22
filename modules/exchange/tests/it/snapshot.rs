//! The compiled snapshot: decisions, metadata, its file on disk, and its size in practice.

use std::collections::HashSet;

use base::clock::Timestamp;
use base::ids::Uuid;
use exchange::deny::DenyReason;
use exchange::endpoint::Route;
use exchange::ids::{AgreementId, EndpointId, MemberId, ServiceId, SubsystemId};
use exchange::quota::Quota;
use exchange::service::ServiceKind;
use exchange::snapshot::{
    AgreementEntry, Contents, EndpointEntry, MemberEntry, ScopeEntry, ServiceEntry, Snapshot, Standing,
    SubsystemEntry,
};
use exchange::snapshot_file::{self, LoadError};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-11-22T08:00:00Z")
}

fn route(text: &str) -> Route {
    text.parse().unwrap()
}

fn subsystem(n: u128, member: u128, code: &str) -> SubsystemEntry {
    let (id, member) = (SubsystemId(Uuid::from_u128(n)), MemberId(Uuid::from_u128(member)));
    SubsystemEntry { id, member, code: code.into(), name: code.into(), path: String::new(), member_at: 0 }
}

fn service(n: u128, provider: u128, code: &str) -> ServiceEntry {
    ServiceEntry {
        id: ServiceId(Uuid::from_u128(n)),
        provider: SubsystemId(Uuid::from_u128(provider)),
        code: code.into(),
        name: code.into(),
        kind: ServiceKind::Rest,
        base_url: "http://127.0.0.1:1".parse().unwrap(),
        sandbox_url: None,
        announced: None,
        timeout_ms: 1_000,
        disabled: None,
        dedicated_only: false,
        openapi: None,
        endpoints: vec![EndpointEntry {
            id: EndpointId(Uuid::from_u128(1)),
            route: route("GET /cong-dan/*"),
        }],
        path: String::new(),
        provider_at: 0,
    }
}

fn agreement(n: u128, consumer: u128, service: u128) -> AgreementEntry {
    AgreementEntry {
        id: AgreementId(Uuid::from_u128(n)),
        number: format!("CT-{n}"),
        version: 2,
        consumer: SubsystemId(Uuid::from_u128(consumer)),
        service: ServiceId(Uuid::from_u128(service)),
        scope: ScopeEntry::Whole,
        fields: vec!["ho_ten".into()],
        filter: Default::default(),
        environment: exchange::environment::Environment::Production,
        dedicated_only: false,
        quota: Quota::default(),
        valid_from: at("2026-01-01T00:00:00Z"),
        valid_until: at("2027-01-01T00:00:00Z"),
        standing: Standing::InForce,
    }
}

fn member(n: u128, code: &str) -> MemberEntry {
    MemberEntry {
        id: MemberId(Uuid::from_u128(n)),
        class: "GOV".into(),
        code: code.into(),
        name: code.into(),
    }
}

fn contents() -> Contents {
    Contents {
        serial: 7,
        compiled_at: now(),
        not_after: at("2026-11-23T08:00:00Z"),
        instance: "VN".into(),
        members: vec![member(1, "H38"), member(2, "C06")],
        subsystems: vec![subsystem(10, 1, "motcua"), subsystem(20, 2, "dancu"), subsystem(11, 1, "khac")],
        services: vec![service(31, 20, "tra-cuu"), service(30, 20, "bien-dong")],
        agreements: vec![agreement(40, 10, 31)],
    }
}

/// Decides a call of `motcua` to `tra-cuu`.
fn decide(snapshot: &Snapshot, method: &str, path: &str, when: Timestamp) -> Result<String, DenyReason> {
    let consumer = snapshot.consumer("VN/GOV/H38/motcua").unwrap();
    let service = snapshot.service("VN/GOV/C06/dancu/tra-cuu").unwrap();
    snapshot.decide(consumer, service, method, path, None, when).map(|a| a.number.clone())
}

fn with(change: impl FnOnce(&mut Contents)) -> Snapshot {
    let mut contents = contents();
    change(&mut contents);
    Snapshot::compile(contents).unwrap()
}

#[test]
fn a_call_passes_only_under_an_agreement_in_force() {
    let s = with(|_| ());
    assert_eq!(decide(&s, "POST", "/x", now()), Ok("CT-40".into()));
    let stranger = s.consumer("VN/GOV/H38/khac").unwrap();
    let target = s.service("VN/GOV/C06/dancu/tra-cuu").unwrap();
    assert_eq!(s.decide(stranger, target, "GET", "/", None, now()).unwrap_err(), DenyReason::NoAgreement);
    assert!(s.consumer("VN/GOV/H38").is_none() && s.service("EE/GOV/C06/dancu/tra-cuu").is_none());

    let limits = |from: &str, until: &str| {
        let (from, until) = (at(from), at(until));
        with(|c| (c.agreements[0].valid_from, c.agreements[0].valid_until) = (from, until))
    };
    let later = limits("2026-11-22T08:00:01Z", "2027-01-01T00:00:00Z");
    assert!(matches!(decide(&later, "GET", "/", now()), Err(DenyReason::NotYetValid { .. })));
    let over = limits("2026-01-01T00:00:00Z", "2026-11-22T08:00:00Z");
    assert!(
        matches!(decide(&over, "GET", "/", now()), Err(DenyReason::Expired { .. })),
        "the end is exclusive"
    );

    for (standing, expected) in
        [(Standing::Suspended, DenyReason::Suspended), (Standing::Revoked, DenyReason::Revoked)]
    {
        let s = with(|c| c.agreements[0].standing = standing);
        assert_eq!(decide(&s, "GET", "/", now()), Err(expected));
    }
}

#[test]
fn scope_is_endpoints_and_agreements_add_up() {
    let narrow =
        |c: &mut Contents| c.agreements[0].scope = ScopeEntry::Endpoints(vec![route("GET /cong-dan/*")]);
    let s = with(narrow);
    assert!(decide(&s, "GET", "/cong-dan/1", now()).is_ok());
    assert_eq!(decide(&s, "POST", "/cong-dan/1", now()), Err(DenyReason::OutOfScope));
    assert_eq!(decide(&s, "GET", "/cong-dan/1/x", now()), Err(DenyReason::OutOfScope));

    let s = with(|c| {
        narrow(c);
        let mut second = agreement(41, 10, 31);
        second.scope = ScopeEntry::Endpoints(vec![route("POST /cong-dan/*")]);
        c.agreements.push(second);
        let mut old = agreement(39, 10, 31);
        old.standing = Standing::Revoked;
        c.agreements.push(old);
    });
    assert_eq!(decide(&s, "POST", "/cong-dan/1", now()), Ok("CT-41".into()));
    assert_eq!(decide(&s, "PUT", "/cong-dan/1", now()), Err(DenyReason::OutOfScope), "nearer than revoked");
}

#[test]
fn an_agreement_in_production_decides_for_who_names_no_environment() {
    use exchange::environment::Environment::{Production, Sandbox, Test};
    let two = |standing| {
        with(|c| {
            c.agreements[0].standing = standing;
            let mut older = agreement(39, 10, 31);
            older.environment = Sandbox;
            c.agreements.push(older);
        })
    };
    let s = two(Standing::InForce);
    let (consumer, target) =
        (s.consumer("VN/GOV/H38/motcua").unwrap(), s.service("VN/GOV/C06/dancu/tra-cuu").unwrap());
    let number = |wanted| s.decide(consumer, target, "GET", "/", wanted, now()).map(|a| a.number.clone());
    assert_eq!((number(None), number(Some(Sandbox))), (Ok("CT-40".into()), Ok("CT-39".into())));
    assert_eq!(s.environments(consumer, target, now()), [Sandbox, Production]);
    let wrong = number(Some(Test)).unwrap_err();
    let nowhere = DenyReason::NotThere { environment: Test };
    assert_eq!(wrong, DenyReason::Elsewhere { reason: Box::new(nowhere), open: Production });
    assert_eq!(wrong.code(), "no-agreement-environment");

    // A production that no longer holds is told, with where the call could go; it does not go there by itself.
    for standing in [Standing::Suspended, Standing::Revoked] {
        let s = two(standing);
        let denied = decide(&s, "GET", "/", now()).unwrap_err();
        assert!(matches!(&denied, DenyReason::Elsewhere { open: Sandbox, .. }), "{denied:?}");
        assert!(denied.text().vi.contains("Lienthong-Environment: sandbox"), "{}", denied.text().vi);
    }
    let alone = with(|c| c.agreements[0].environment = Sandbox);
    assert_eq!(decide(&alone, "GET", "/", now()), Ok("CT-40".into()), "without any in production");
}

#[test]
fn a_disabled_service_is_told_to_those_who_might_call_it() {
    let s = with(|c| c.services[0].disabled = Some("Bảo trì".into()));
    assert_eq!(decide(&s, "GET", "/", now()), Err(DenyReason::ServiceDisabled { notice: "Bảo trì".into() }));
    let stranger = s.consumer("VN/GOV/H38/khac").unwrap();
    let target = s.service("VN/GOV/C06/dancu/tra-cuu").unwrap();
    assert_eq!(s.decide(stranger, target, "GET", "/", None, now()).unwrap_err(), DenyReason::NoAgreement);
}

#[test]
fn nothing_is_decided_on_a_stale_snapshot() {
    let s = with(|_| ());
    let end = s.not_after();
    assert!(decide(&s, "GET", "/", Timestamp::from_micros(end.micros() - 1)).is_ok());
    assert_eq!(decide(&s, "GET", "/", end), Err(DenyReason::Stale { since: end }));
    assert!(Snapshot::empty("VN", now()).is_stale(now()), "before the first configuration nothing passes");
    let (consumer, service) =
        (s.consumer("VN/GOV/H38/motcua").unwrap(), s.service("VN/GOV/C06/dancu/tra-cuu").unwrap());
    assert!(s.allowed(consumer, service, end).is_none());
}

#[test]
fn metadata_lists_are_ordered_and_respect_agreements() {
    let s = with(|_| ());
    let provider = s.consumer("VN/GOV/C06/dancu").unwrap();
    let codes: Vec<_> = s.services_of(provider).map(|x| x.code.as_str()).collect();
    assert_eq!(codes, ["bien-dong", "tra-cuu"]);
    let consumer = s.consumer("VN/GOV/H38/motcua").unwrap();
    assert_eq!(s.services_of(consumer).count(), 0);
    let target = s.service("VN/GOV/C06/dancu/tra-cuu").unwrap();
    assert_eq!(s.allowed(consumer, target, now()).unwrap(), [&route("GET /cong-dan/*")]);
    let other = s.service("VN/GOV/C06/dancu/bien-dong").unwrap();
    assert!(s.allowed(consumer, other, now()).is_none());
    assert_eq!(s.member_of(consumer).code, "H38");
    assert_eq!(s.provider_of(target).path, "VN/GOV/C06/dancu");
    assert_eq!(s.member("VN/GOV/C06").unwrap().name, "C06");
}

#[test]
fn contents_that_do_not_fit_together_are_refused() {
    let mut dangling = contents();
    dangling.agreements[0].service = ServiceId(Uuid::from_u128(99));
    assert!(Snapshot::compile(dangling).is_err());
    let mut orphan = contents();
    orphan.members.pop();
    assert!(Snapshot::compile(orphan).is_err());
    let mut twice = contents();
    twice.services[1].code = "tra-cuu".into();
    assert!(Snapshot::compile(twice).is_err());
}

#[test]
fn the_file_gives_back_what_was_saved_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let s = with(|_| ());
    assert!(matches!(snapshot_file::load(folder.path()), Err(LoadError::Io(_))));
    snapshot_file::save(folder.path(), s.contents()).unwrap();
    let loaded = snapshot_file::load(folder.path()).unwrap();
    assert_eq!(loaded.contents(), s.contents());
    assert_eq!(decide(&loaded, "GET", "/", now()), Ok("CT-40".into()));
    assert!(decide(&loaded, "GET", "/", at("2026-11-23T08:00:00Z")).is_err(), "not for ever");

    let path = folder.path().join(snapshot_file::SNAPSHOT);
    let whole = std::fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        assert!(snapshot_file::load(folder.path()).is_err(), "a flipped bit at {at} is noticed");
    }
    for length in [0, 1, 20, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(snapshot_file::load(folder.path()).is_err(), "cut to {length}");
    }
}

#[test]
fn the_local_revocation_list_outranks_the_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let id = AgreementId(Uuid::from_u128(40));
    assert!(snapshot_file::revoked(folder.path()).unwrap().is_empty());
    snapshot_file::revoke_locally(folder.path(), id).unwrap();
    let listed = snapshot_file::revoked(folder.path()).unwrap();
    assert_eq!(decide(&with(|_| ()).revoking(&listed), "GET", "/", now()), Err(DenyReason::Revoked));
    snapshot_file::settle_locally(folder.path(), &HashSet::from([id])).unwrap();
    assert!(snapshot_file::revoked(folder.path()).unwrap().is_empty());
    std::fs::write(folder.path().join(snapshot_file::REVOKED), b"{").unwrap();
    assert!(snapshot_file::revoked(folder.path()).is_err(), "an unreadable list is not an empty one");
}

#[test]
fn ten_thousand_services_and_fifty_thousand_agreements_fit() {
    let mut c = contents();
    c.members = (0..200).map(|n| member(n, &format!("M{n}"))).collect();
    c.subsystems = (0..1_000).map(|n| subsystem(n, n % 200, &format!("s{n}"))).collect();
    c.services = (0..10_000).map(|n| service(n, n % 1_000, &format!("d{n}"))).collect();
    c.agreements = (0..50_000).map(|n| agreement(n, (n * 7) % 1_000, (n * 13) % 10_000)).collect();
    let s = Snapshot::compile(c).unwrap();
    let mut passed = 0;
    for a in &s.contents().agreements {
        let consumer = s.subsystem(a.consumer).unwrap();
        let n = a.service.0.as_u128();
        let target = s.service(&format!("VN/GOV/M{}/s{}/d{n}", (n % 1_000) % 200, n % 1_000)).unwrap();
        passed += usize::from(s.decide(consumer, target, "GET", "/cong-dan/1", None, now()).is_ok());
    }
    assert_eq!(passed, 50_000);
    let folder = tempfile::tempdir().unwrap();
    snapshot_file::save(folder.path(), s.contents()).unwrap();
    assert_eq!(snapshot_file::load(folder.path()).unwrap().contents(), s.contents());
}
