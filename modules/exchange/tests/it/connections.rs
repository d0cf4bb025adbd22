//! The way of a connection on both databases: who writes, who decides, what is missing, what stays when agencies merge.

#![allow(clippy::unwrap_used, reason = "a step of a test that fails fails the test")]

use base::clock::Date;
use base::error::Error;
use bytes::Bytes;
use exchange::actions::{self, Decision, Request};
use exchange::agreement::{Approval, Reason, State, Step};
use exchange::connection::{Draft, Kind, Turn, actions as verbs, store};
use exchange::environment::Environment;
use exchange::ids::{AgreementId, ServiceId, SubsystemId};
use exchange::store::agreements;
use exchange::viewer::Viewer;
use kernel::once::Once;
use kernel::orgs::{AgencyKind, Merger, NewAgency, UnitId};
use kernel::{Cx, Kernel, params};
use testkit::on_both;

use crate::world::{World, asker, modules, officer, operator, today};

async fn id_of<T: std::str::FromStr>(k: &Kernel, table: &str, code: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    let sql = format!("SELECT id FROM {table} WHERE code = $1");
    k.db.query_one(&sql, params![code]).await.unwrap().text("id").unwrap().parse().unwrap()
}

fn draft(k: &Kernel) -> Draft {
    Draft {
        fields: ["so", "ho_ten", "que_quan"].map(Into::into).into(),
        purpose: "Xác minh nơi cư trú khi tiếp nhận hồ sơ".into(),
        legal_basis: vec!["Nghị định 278/2025/NĐ-CP".into()],
        valid_from: Some(today(k)),
        valid_to: today(k).plus_days(300),
        letter_number: "15/UBND".into(),
        letter_date: Some(today(k)),
        security_level: Some(2),
        security_decision: "8/QĐ-UBND".into(),
        contact_name: "Nguyễn Thử".into(),
        contact_phone: "0000".into(),
        ..Draft::default()
    }
}

async fn begin(k: &Kernel, cx: &Cx, draft: Draft) -> Result<AgreementId, Error> {
    let consumer: SubsystemId = id_of(k, "exchange_subsystem", "motcua").await;
    let service: ServiceId = id_of(k, "exchange_service", "tra-cuu").await;
    verbs::begin(k, cx, consumer, service, draft, None).await
}

async fn attach(k: &Kernel, cx: &Cx, id: AgreementId) {
    for kind in [Kind::Letter, Kind::Security] {
        verbs::attach(k, cx, id, kind, "../công văn.pdf", Bytes::from_static(b"%PDF-1.7 x")).await.unwrap();
    }
}

async fn request(k: &Kernel, cx: &Cx, id: AgreementId) -> Result<store::Request, Error> {
    let viewer = Viewer::of(k, cx).await?;
    store::find(&k.db, &viewer, k.clock.now(), id).await
}

async fn decide(k: &Kernel, cx: &Cx, id: AgreementId, decision: Decision) -> Result<(), Error> {
    actions::decide(k, cx, id, &decision, &Request::default()).await.map(|_| ())
}

fn reason(text: &str) -> Reason {
    Reason::new(text).unwrap()
}

fn code(e: Error) -> &'static str {
    match e {
        Error::Refused(refusal) => refusal.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_request_goes_the_whole_way() {
    on_both(&modules(), async |t| {
        let (k, w) = (&t.kernel, World::new(&t).await);
        let (consumer, provider) = (asker(k, &[w.consumer]), officer(k, &[w.provider]));
        let id = begin(k, &consumer, Draft::default()).await.unwrap();
        assert!(
            matches!(request(k, &provider, id).await, Err(Error::NotFound { .. })),
            "a draft is its writer's"
        );
        assert_eq!(
            code(verbs::submit(k, &consumer, id, None, None).await.unwrap_err()),
            "request-incomplete"
        );
        verbs::write(k, &consumer, id, draft(k), Some(1)).await.unwrap();
        assert!(matches!(verbs::write(k, &consumer, id, draft(k), Some(1)).await, Err(Error::Conflict)));
        let wrong = Draft { fields: vec!["a..b".into()], ..draft(k) };
        assert!(matches!(verbs::write(k, &consumer, id, wrong, None).await, Err(Error::Invalid(_))));
        assert_eq!(
            code(verbs::submit(k, &consumer, id, None, None).await.unwrap_err()),
            "request-incomplete"
        );
        attach(k, &consumer, id).await;
        let once = Once { key: "k-1".into(), request: [1; 32] };
        verbs::submit(k, &consumer, id, None, Some(&once)).await.unwrap();
        verbs::submit(k, &consumer, id, None, Some(&once)).await.unwrap();
        assert_eq!(request(k, &provider, id).await.unwrap().turn(), Turn::Provider);
        assert_eq!(code(verbs::write(k, &consumer, id, draft(k), None).await.unwrap_err()), "request-sent");

        decide(k, &provider, id, Decision::Return(reason("Thiếu số điện thoại"))).await.unwrap();
        let returned = request(k, &consumer, id).await.unwrap();
        assert_eq!((returned.turn(), returned.is_open()), (Turn::Consumer, true));
        assert!(decide(k, &provider, id, Decision::Approve(Approval::default())).await.is_err());
        let fuller = Draft { contact_phone: "0900000000".into(), ..draft(k) };
        verbs::write(k, &consumer, id, fuller, None).await.unwrap();
        verbs::submit(k, &consumer, id, None, None).await.unwrap();

        let narrower =
            Approval { fields: Some(["so", "ho_ten"].map(Into::into).into()), ..Approval::default() };
        decide(k, &provider, id, Decision::Approve(narrower)).await.unwrap();
        let stored = agreements::get(&k.db, id).await.unwrap().unwrap();
        assert_eq!((stored.state, stored.environment), (State::Approved, Environment::Sandbox));
        assert!(
            decide(k, &provider, id, Decision::Produce { record: reason("Biên bản 1"), without_run: true })
                .await
                .is_err(),
            "the test comes first"
        );
        decide(k, &consumer, id, Decision::Test).await.unwrap();
        assert!(matches!(
            decide(k, &consumer, id, Decision::Produce { record: reason("Biên bản 1"), without_run: true })
                .await,
            Err(Error::Denied { .. })
        ));
        decide(k, &provider, id, Decision::Produce { record: reason("Biên bản 1"), without_run: true })
            .await
            .unwrap();
        decide(k, &provider, id, Decision::Publish).await.unwrap();
        assert_eq!(request(k, &consumer, id).await.unwrap().turn(), Turn::Nobody);

        let history = agreements::history(&k.db, id).await.unwrap();
        let steps: Vec<_> = history.iter().map(|h| h.step).collect();
        let expected = [
            Step::Ask,
            Step::Return,
            Step::Resubmit,
            Step::Approve,
            Step::Test,
            Step::Produce,
            Step::Publish,
        ];
        assert_eq!(steps, expected);
        assert_eq!((history[2].terms.fields.len(), history[3].terms.fields.len()), (3, 2));
        assert_eq!(history[5].reason.as_deref(), Some("Biên bản 1"));
        let names: Vec<_> =
            store::attachments(&k.db, id).await.unwrap().into_iter().map(|f| f.name).collect();
        assert_eq!(names, ["công văn.pdf", "công văn.pdf"]);
    })
    .await;
}

#[tokio::test]
async fn requests_are_asked_for_by_who_may_and_files_are_what_they_say() {
    on_both(&modules(), async |t| {
        let (k, w) = (&t.kernel, World::new(&t).await);
        assert!(matches!(begin(k, &asker(k, &[w.neighbour]), draft(k)).await, Err(Error::Denied { .. })));
        assert!(matches!(begin(k, &officer(k, &[w.consumer]), draft(k)).await, Err(Error::Denied { .. })));
        let consumer = asker(k, &[w.consumer]);
        let id = begin(k, &consumer, draft(k)).await.unwrap();
        let neighbour = asker(k, &[w.neighbour]);
        for attempt in [
            verbs::write(k, &neighbour, id, draft(k), None).await.unwrap_err(),
            verbs::submit(k, &neighbour, id, None, None).await.unwrap_err(),
            verbs::withdraw(k, &neighbour, id).await.unwrap_err(),
            verbs::attach(k, &neighbour, id, Kind::Letter, "x.pdf", Bytes::from_static(b"%PDF-1"))
                .await
                .unwrap_err(),
            verbs::withdraw(k, &officer(k, &[w.provider]), id).await.unwrap_err(),
        ] {
            assert!(matches!(attempt, Error::NotFound { .. }), "{attempt:?}");
        }
        let exe = verbs::attach(k, &consumer, id, Kind::Letter, "x.pdf", Bytes::from_static(b"MZ")).await;
        assert!(matches!(exe, Err(Error::Invalid(_))));
        let file = verbs::attach(k, &consumer, id, Kind::Other, "x.pdf", Bytes::from_static(b"%PDF-1"))
            .await
            .unwrap();
        verbs::detach(k, &consumer, id, file).await.unwrap();
        attach(k, &consumer, id).await;
        verbs::submit(k, &consumer, id, None, None).await.unwrap();
        let kept = store::attachments(&k.db, id).await.unwrap()[0].id;
        assert_eq!(code(verbs::detach(k, &consumer, id, kept).await.unwrap_err()), "request-sent");
        verbs::withdraw(k, &consumer, id).await.unwrap();
        assert_eq!(agreements::get(&k.db, id).await.unwrap().unwrap().state, State::Withdrawn);
        assert!(verbs::withdraw(k, &consumer, id).await.is_err());
        let draft_only = begin(k, &consumer, draft(k)).await.unwrap();
        verbs::withdraw(k, &consumer, draft_only).await.unwrap();
        assert!(agreements::get(&k.db, draft_only).await.unwrap().is_none());
        assert!(verbs::write(k, &consumer, draft_only, draft(k), None).await.is_err());
        // Who runs the platform may ask for anybody.
        begin(k, &operator(k), draft(k)).await.unwrap();
    })
    .await;
}

async fn merge(k: &Kernel, old: UnitId, on: Date) -> UnitId {
    let into = NewAgency {
        kind: AgencyKind::Department,
        full_name: "Sở sau sắp xếp (thử nghiệm)".into(),
        code: Some(format!("H38.{}", 50 + on.month())),
        parent: None,
        act: None,
    };
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let unit =
        tx.merge_agencies(&Merger { predecessors: vec![old], into, transfers: true }, on).await.unwrap();
    tx.commit().await.unwrap();
    unit
}

/// Who is appointed at an agency reaches what its predecessors had.
async fn reach(k: &Kernel, unit: UnitId) -> Vec<UnitId> {
    let mut all = vec![unit];
    let mut at = 0;
    while let Some(next) = all.get(at).copied() {
        let before = k.orgs().predecessors(next).await.unwrap();
        all.extend(before.into_iter().map(|p| p.predecessor));
        at += 1;
    }
    all
}

#[tokio::test]
async fn a_request_outlives_both_reorganisations() {
    on_both(&modules(), async |t| {
        let (k, w) = (&t.kernel, World::new(&t).await);
        let go = |date: &str| t.clock.set(format!("{date}T02:00:00Z").parse().unwrap());
        go("2025-06-20");
        let first = asker(k, &[w.consumer]);
        let id = begin(k, &first, Draft { valid_to: today(k).plus_days(700), ..draft(k) }).await.unwrap();
        attach(k, &first, id).await;
        let middle = merge(k, w.consumer, "2025-07-01".parse().unwrap()).await;
        go("2025-07-02");
        // The new agency goes on where the old one stopped.
        let second = asker(k, &reach(k, middle).await);
        verbs::submit(k, &second, id, None, None).await.unwrap();
        assert!(
            matches!(
                verbs::withdraw(k, &asker(k, &[middle, w.neighbour]), id).await,
                Err(Error::NotFound { .. })
            ),
            "without what was transferred there is nothing to see"
        );
        decide(k, &officer(k, &[w.provider]), id, Decision::Approve(Approval::default())).await.unwrap();
        let last = merge(k, middle, "2026-04-30".parse().unwrap()).await;
        go("2026-05-04");
        let third = asker(k, &reach(k, last).await);
        assert_eq!(request(k, &third, id).await.unwrap().stands.unwrap().0, State::Approved);
        decide(k, &third, id, Decision::Test).await.unwrap();
        assert_eq!(agreements::history(&k.db, id).await.unwrap().len(), 3);
    })
    .await;
}
