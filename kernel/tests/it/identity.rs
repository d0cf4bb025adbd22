//! People, sessions and one-time links in the database, on every backend.

use std::time::Duration;

use base::clock::{Date, Timestamp};
use kernel::identity::links::{self, Purpose};
use kernel::identity::people::{self, NewPerson, PeopleQuery};
use kernel::identity::sessions::{self, MAX_EACH, Origin};
use kernel::identity::{Appointment, Holding, Identity, Period, Secret, posts};
use kernel::orgs::{AgencyKind, Merger, NewAgency, UnitId};
use kernel::{Actor, AgencyFilter, AppointmentId, Cx, Kernel, Permission, PersonId, Scope, Tx};
use testkit::on_both;

async fn begin(k: &Kernel) -> Tx {
    k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap()
}

async fn person(k: &Kernel, username: &str, full_name: &str) -> PersonId {
    let id = PersonId::new(&*k.clock, &*k.random);
    let mut tx = begin(k).await;
    let at = k.clock.now();
    let new = NewPerson { id, username, full_name, password_hash: None, at };
    assert!(people::add(&mut tx, &new).await.unwrap());
    tx.commit().await.unwrap();
    id
}

async fn appoint(k: &Kernel, person: PersonId, agency: Option<UnitId>, role: &str) -> AppointmentId {
    let a = Appointment {
        id: AppointmentId::new(&*k.clock, &*k.random),
        person,
        post: "Chuyên viên".into(),
        agency,
        field: None,
        holding: Holding::Substantive,
        period: Period::new(k.clock.now().date(), None).unwrap(),
        roles: vec![role.into()],
        ended_at: None,
    };
    let mut tx = begin(k).await;
    posts::add(&mut tx, &a, k.clock.now()).await.unwrap();
    people::touch_version(&mut tx, person).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(posts::get(&k.db, a.id).await.unwrap(), a);
    a.id
}

fn origin() -> Origin {
    Origin { user_agent: "Firefox\u{0}".into(), address: "10.0.0.1".into() }
}

async fn open(k: &Kernel, i: &Identity, person: PersonId, through: Option<AppointmentId>) -> Secret {
    let mut tx = begin(k).await;
    let limits = i.settings().limits();
    let (_, token) = sessions::open(&mut tx, k, person, through, &origin(), limits).await.unwrap();
    tx.commit().await.unwrap();
    token
}

async fn known(k: &Kernel, i: &Identity, token: &Secret) -> bool {
    i.recognise(k, token.expose()).await.unwrap().is_some()
}

#[tokio::test]
async fn a_session_is_recognised_by_its_secret_and_only_a_digest_is_kept() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let i = Identity::new(k).unwrap();
        let id = person(k, "binh", "Trần Thị Bình").await;
        let post = appoint(k, id, None, "operator").await;
        let token = open(k, &i, id, Some(post)).await;
        let visitor = i.recognise(k, token.expose()).await.unwrap().unwrap();
        assert_eq!(visitor.person.full_name, "Trần Thị Bình");
        assert_eq!(visitor.appointment.unwrap().id, post);
        assert!(visitor.grants.0.iter().any(|g| g.permission == "accounts.official.manage"));
        assert_eq!(visitor.session.user_agent, "Firefox");
        assert!(!known(k, &i, &Secret::new("guess")).await);
        assert!(!known(k, &i, &Secret::new("x".repeat(1_000_000))).await);
        let row = k.db.query_one("SELECT token_hash FROM identity_session", vec![]).await.unwrap();
        let stored = row.blob("token_hash").unwrap();
        assert!(stored.len() == 32 && !token.expose().as_bytes().windows(8).any(|w| stored.starts_with(w)));
    })
    .await;
}

#[tokio::test]
async fn sessions_end_when_idle_when_old_when_renewed_and_when_told() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let i = Identity::new(k).unwrap();
        let id = person(k, "binh", "Trần Thị Bình").await;
        let token = open(k, &i, id, None).await;
        t.clock.advance(Duration::from_secs(59 * 60));
        assert!(known(k, &i, &token).await, "and this use is noted");
        t.clock.advance(Duration::from_secs(59 * 60));
        assert!(known(k, &i, &token).await);
        t.clock.advance(Duration::from_secs(61 * 60));
        assert!(!known(k, &i, &token).await, "idle");

        let token = open(k, &i, id, None).await;
        for _ in 0..23 {
            t.clock.advance(Duration::from_secs(30 * 60));
            assert!(known(k, &i, &token).await);
        }
        t.clock.advance(Duration::from_secs(31 * 60));
        assert!(!known(k, &i, &token).await, "twelve hours are the end in any case");

        let token = open(k, &i, id, None).await;
        let session = sessions::by_token(&k.db, token.expose()).await.unwrap().unwrap();
        let mut tx = begin(k).await;
        let renewed = sessions::renew(&mut tx, k, session.id, None).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!known(k, &i, &token).await && known(k, &i, &renewed).await);
        let mut tx = begin(k).await;
        let stranger = PersonId::new(&*k.clock, &*k.random);
        assert!(!sessions::end(&mut tx, stranger, session.id, k.clock.now()).await.unwrap());
        assert!(sessions::end(&mut tx, id, session.id, k.clock.now()).await.unwrap());
        tx.commit().await.unwrap();
        assert!(!known(k, &i, &renewed).await);
    })
    .await;
}

#[tokio::test]
async fn sessions_end_at_once_with_the_account_and_the_appointment() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let i = Identity::new(k).unwrap();
        let id = person(k, "binh", "Trần Thị Bình").await;
        let (first, second) = (appoint(k, id, None, "operator").await, appoint(k, id, None, "auditor").await);
        let (a, b) = (open(k, &i, id, Some(first)).await, open(k, &i, id, Some(second)).await);
        let visitor = i.recognise(k, a.expose()).await.unwrap().unwrap();
        assert_eq!(visitor.others.iter().map(|o| o.id).collect::<Vec<_>>(), [second]);

        // Ended in the table only, as by another process: no cache may keep the session alive.
        let mut tx = begin(k).await;
        posts::end(&mut tx, first, k.clock.now()).await.unwrap();
        people::touch_version(&mut tx, id).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!known(k, &i, &a).await && known(k, &i, &b).await);

        let mut tx = begin(k).await;
        people::set_locked(&mut tx, id, Some(k.clock.now())).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!known(k, &i, &b).await);
    })
    .await;
}

#[tokio::test]
async fn an_appointment_that_runs_out_takes_its_session_along() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        t.clock.set("2026-04-28T03:00:00Z".parse::<Timestamp>().unwrap());
        let i = Identity::new(k).unwrap();
        let id = person(k, "binh", "Trần Thị Bình").await;
        let post = appoint(k, id, None, "operator").await;
        let mut tx = begin(k).await;
        posts::set_until(&mut tx, post, Date::new(2026, 4, 29).unwrap()).await.unwrap();
        people::touch_version(&mut tx, id).await.unwrap();
        tx.commit().await.unwrap();
        t.clock.set("2026-04-29T16:30:00Z".parse().unwrap());
        let token = open(k, &i, id, Some(post)).await;
        assert!(known(k, &i, &token).await);
        t.clock.set("2026-04-29T17:00:00Z".parse().unwrap());
        assert!(!known(k, &i, &token).await, "30 April begins at 17:00 UTC the day before");
    })
    .await;
}

#[tokio::test]
async fn nobody_collects_sessions_without_end() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let i = Identity::new(k).unwrap();
        let id = person(k, "binh", "Trần Thị Bình").await;
        let mut tokens = Vec::new();
        for _ in 0..MAX_EACH + 3 {
            tokens.push(open(k, &i, id, None).await);
            t.clock.advance(Duration::from_secs(1));
        }
        let live = sessions::of_person(&k.db, id, i.settings().limits(), k.clock.now()).await.unwrap();
        assert_eq!(live.len(), MAX_EACH as usize);
        assert!(!known(k, &i, &tokens[0]).await && known(k, &i, tokens.last().unwrap()).await);
        t.clock.advance(Duration::from_secs(100 * 86_400));
        assert_eq!(sessions::prune(k).await.unwrap(), u64::from(MAX_EACH) + 3);
    })
    .await;
}

#[tokio::test]
async fn a_link_serves_once_even_when_two_are_as_fast() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let mut tx = begin(k).await;
        let (_, secret) = links::make(&mut tx, k, Purpose::FirstOperator).await.unwrap();
        tx.commit().await.unwrap();
        assert!(links::look(&k.db, secret.expose(), k.clock.now()).await.unwrap().is_some());
        let redeem = async || {
            let mut tx = begin(k).await;
            let won = links::redeem(&mut tx, secret.expose(), k.clock.now()).await.unwrap();
            tx.commit().await.unwrap();
            won
        };
        let won = futures_util::future::join_all((0..8).map(|_| redeem())).await;
        assert_eq!(won.iter().filter(|w| **w).count(), 1);
        assert!(links::look(&k.db, secret.expose(), k.clock.now()).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn links_run_out_and_a_newer_one_withdraws_the_older() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let (a, b) = (person(k, "binh", "Trần Thị Bình").await, person(k, "dung", "Lê Dũng").await);
        let make = async |purpose| {
            let mut tx = begin(k).await;
            let (_, secret) = links::make(&mut tx, k, purpose).await.unwrap();
            tx.commit().await.unwrap();
            secret
        };
        let usable =
            async |s: &Secret| links::look(&k.db, s.expose(), k.clock.now()).await.unwrap().is_some();
        let old = make(Purpose::SetPassword(a)).await;
        let other = make(Purpose::SetPassword(b)).await;
        let new = make(Purpose::SetPassword(a)).await;
        assert!(!usable(&old).await && usable(&new).await && usable(&other).await);
        assert!(links::waiting_for(&k.db, a, k.clock.now()).await.unwrap().is_some());
        t.clock.advance(links::LIFE);
        assert!(!usable(&new).await);
        let mut tx = begin(k).await;
        assert!(!links::redeem(&mut tx, new.expose(), k.clock.now()).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn people_are_listed_by_given_name_within_reach_and_found_without_marks() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let (here, there) = (UnitId::new(&*k.clock, &*k.random), UnitId::new(&*k.clock, &*k.random));
        for (i, name) in ["Trần Thị Bình", "Lê Ánh", "Nguyễn Văn An", "Đỗ Đức Dũng"].iter().enumerate()
        {
            let id = person(k, &format!("user{i}"), name).await;
            appoint(k, id, Some(if i < 2 { here } else { there }), "auditor").await;
        }
        let names = async |filter: &AgencyFilter, q: PeopleQuery| -> Vec<String> {
            let all = people::list(&k.db, filter, &q).await.unwrap();
            let n =
                people::count(&k.db, filter, &PeopleQuery { after: None, ..q.clone() }, 1_000).await.unwrap();
            assert!(q.after.is_some() || n == all.len() as i64);
            all.into_iter().map(|p| p.full_name).collect()
        };
        let q = |search: &str| PeopleQuery { search: search.into(), limit: 100, ..PeopleQuery::default() };
        let all = AgencyFilter::All;
        assert_eq!(names(&all, q("")).await, ["Nguyễn Văn An", "Lê Ánh", "Trần Thị Bình", "Đỗ Đức Dũng"]);
        assert_eq!(names(&all, q("duc do")).await, ["Đỗ Đức Dũng"]);
        assert_eq!(names(&all, q("100%")).await, [""; 0]);
        assert_eq!(names(&AgencyFilter::Only(vec![here]), q("")).await, ["Lê Ánh", "Trần Thị Bình"]);
        assert_eq!(names(&AgencyFilter::Only(vec![]), q("")).await, [""; 0]);
        let first =
            people::list(&k.db, &all, &PeopleQuery { limit: 2, ..PeopleQuery::default() }).await.unwrap();
        let next = PeopleQuery { after: Some(first[1].id), limit: 100, ..PeopleQuery::default() };
        assert_eq!(names(&all, next).await, ["Trần Thị Bình", "Đỗ Đức Dũng"]);
    })
    .await;
}

#[tokio::test]
async fn rights_follow_the_person_s_changes_at_once() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let i = Identity::new(k).unwrap();
        let id = person(k, "binh", "Trần Thị Bình").await;
        let post = appoint(k, id, None, "auditor").await;
        let token = open(k, &i, id, Some(post)).await;
        let may_manage = async || {
            let visitor = i.recognise(k, token.expose()).await.unwrap().unwrap();
            visitor.grants.0.iter().any(|g| g.permission == "accounts.official.manage")
        };
        assert!(!may_manage().await);
        let mut tx = begin(k).await;
        let sql = "UPDATE identity_role_grant SET role = 'operator' WHERE appointment = $1";
        tx.execute(sql, kernel::params![post]).await.unwrap();
        people::touch_version(&mut tx, id).await.unwrap();
        tx.commit().await.unwrap();
        assert!(may_manage().await);
    })
    .await;
}

/// The province, a department, its neighbour, and two communes merged on 1 July 2025: one whose function passed
/// to the successor, one of another merger whose function did not.
struct Agencies {
    province: UnitId,
    department: UnitId,
    neighbour: UnitId,
    old: UnitId,
    new: UnitId,
    old_apart: UnitId,
    new_apart: UnitId,
}

async fn agencies(k: &Kernel) -> Agencies {
    let day = |s: &str| s.parse::<Date>().unwrap();
    let agency =
        |name: &str, kind, parent| NewAgency { kind, full_name: name.into(), code: None, parent, act: None };
    let (sub, commune) = (AgencyKind::Department, AgencyKind::PeoplesCommittee);
    let mut tx = begin(k).await;
    let first = day("2020-01-01");
    let province = tx.create_agency(&agency("Ủy ban nhân dân tỉnh Mẫu", commune, None), first).await.unwrap();
    let top = Some(province);
    let department = tx.create_agency(&agency("Sở Tư pháp", sub, top), first).await.unwrap();
    let neighbour = tx.create_agency(&agency("Sở Tài chính", sub, top), first).await.unwrap();
    let old = tx.create_agency(&agency("Ủy ban nhân dân xã Cũ", commune, top), first).await.unwrap();
    let old_apart = tx.create_agency(&agency("Ủy ban nhân dân xã Xưa", commune, top), first).await.unwrap();
    let merger = day("2025-07-01");
    let mut into = async |from: UnitId, name: &str, transfers: bool| {
        let into = agency(name, commune, top);
        tx.merge_agencies(&Merger { predecessors: vec![from], into, transfers }, merger).await.unwrap()
    };
    let new = into(old, "Ủy ban nhân dân xã Mới", true).await;
    let new_apart = into(old_apart, "Ủy ban nhân dân xã Riêng", false).await;
    tx.commit().await.unwrap();
    Agencies { province, department, neighbour, old, new, old_apart, new_apart }
}

const READ: Permission = Permission { name: "exchange.read", vi: "", en: "" };
const DECIDE: Permission = Permission { name: "exchange.agreement.decide", vi: "", en: "" };

/// What an official with `role` at `agency`, appointed in 2020 without end, may do at `moment`.
async fn view(t: &testkit::TestKernel, i: &Identity, agency: UnitId, role: &str, moment: &str) -> Cx {
    t.clock.set(moment.parse().unwrap());
    let k = &t.kernel;
    let a = Appointment {
        id: AppointmentId::new(&*k.clock, &*k.random),
        person: PersonId::new(&*k.clock, &*k.random),
        post: "Chuyên viên".into(),
        agency: Some(agency),
        field: None,
        holding: Holding::Substantive,
        period: Period::new(Date::new(2020, 1, 1).unwrap(), None).unwrap(),
        roles: vec![role.into()],
        ended_at: None,
    };
    let mut cx = Cx::kernel("test", k.clock.now());
    cx.actor = Actor::Official { person: a.person, appointment: Some(a.id) };
    cx.grants = i.grants(k, &a).await.unwrap().into();
    cx
}

/// The rights of stranger, holder, neighbour, former holder and successor, before and after the merger.
#[tokio::test]
async fn rights_follow_the_reorganisation() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let i = Identity::new(k).unwrap();
        let a = agencies(k).await;
        let (before, after) = ("2025-06-30T16:59:59Z", "2025-06-30T17:00:00Z");
        let may = |cx: &Cx, unit: UnitId| {
            (cx.holds(READ, &Scope::agency(unit)), cx.holds(DECIDE, &Scope::agency(unit)))
        };
        let (none, read, all) = ((false, false), (true, false), (true, true));

        let stranger = Cx::stranger("r", base::i18n::Lang::Vi, k.clock.now());
        assert_eq!(may(&stranger, a.department), none);

        let holder = view(&t, &i, a.department, "provider-officer", after).await;
        assert_eq!(may(&holder, a.department), all);
        assert_eq!(may(&holder, a.neighbour), none, "a neighbour's things");
        assert_eq!(may(&holder, a.province), none, "nor upwards");
        let consumer = view(&t, &i, a.department, "consumer-officer", after).await;
        assert_eq!(may(&consumer, a.department), read, "another role at the same place");

        let former = view(&t, &i, a.old, "provider-officer", before).await;
        assert_eq!(may(&former, a.old), all, "in office until midnight");
        assert_eq!(may(&former, a.new), none);
        let former = view(&t, &i, a.old, "provider-officer", after).await;
        assert_eq!((may(&former, a.old), may(&former, a.new)), (none, none), "and not a second longer");

        let early = view(&t, &i, a.new, "provider-officer", before).await;
        assert_eq!((may(&early, a.old), may(&early, a.new)), (none, none), "the successor has not begun");
        let successor = view(&t, &i, a.new, "provider-officer", after).await;
        assert_eq!((may(&successor, a.old), may(&successor, a.new)), (all, all));
        assert_eq!(may(&successor, a.old_apart), none);
        let apart = view(&t, &i, a.new_apart, "provider-officer", after).await;
        assert_eq!(
            (may(&apart, a.new_apart), may(&apart, a.old_apart)),
            (all, none),
            "nothing was transferred"
        );

        let above = view(&t, &i, a.province, "provider-officer", after).await;
        assert_eq!((may(&above, a.department), may(&above, a.old)), (all, all), "the level above follows");
        let AgencyFilter::Only(list) = successor.agencies(READ) else { panic!("not the whole province") };
        assert!(
            list.contains(&a.old) && list.contains(&a.new) && list.len() == 2,
            "lists use the same rights"
        );
    })
    .await;
}
