//! Decisions about agreements on both databases: what they record, who may take them, and what is refused.

use base::clock::Date;
use base::error::Error;
use exchange::actions::{self, Decision, Request};
use exchange::agreement::{Approval, Reason, Scope, State, Step};
use exchange::ids::AgreementId;
use exchange::store::agreements;
use kernel::once::Once;
use kernel::{Cx, Kernel, audit, journal, params};
use testkit::on_both;

use crate::world::{NUMBER, World, agreement, auditor, modules, officer, operator, reader, sample};

fn reason() -> Reason {
    Reason::new("Kiểm tra an toàn thông tin").unwrap()
}

async fn state(k: &Kernel, id: AgreementId) -> State {
    agreements::get(&k.db, id).await.unwrap().unwrap().state
}

/// The last `count` facts about an agreement, oldest first. On PostgreSQL a fact is readable once no older
/// transaction of the server is running, so this waits for them.
async fn facts(k: &Kernel, id: AgreementId, count: usize) -> Vec<String> {
    for _ in 0..500 {
        let all = journal::about(&k.db, &id.to_ref(), 100).await.unwrap();
        if all.len() >= count {
            return all.into_iter().map(|e| e.kind).collect();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("fewer than {count} facts");
}

#[tokio::test]
async fn every_step_leaves_history_fact_and_audit() {
    on_both(&modules(), async |t| {
        let (k, w) = (&t.kernel, World::new(&t).await);
        let (id, cx) = (agreement(k, NUMBER).await, officer(k, &[w.provider]));
        let before = exchange::store::registry::serial(&k.db).await.unwrap().0;
        actions::approve_agreement(k, &cx, id, Approval::default()).await.unwrap();
        actions::suspend_agreement(k, &cx, id, reason()).await.unwrap();
        actions::resume_agreement(k, &cx, id).await.unwrap();
        let last = actions::revoke_agreement(k, &cx, id, reason()).await.unwrap();
        assert_eq!((last.state, last.version), (State::Revoked, 5));
        assert_eq!(exchange::store::registry::serial(&k.db).await.unwrap().0, before + 4);

        let history = agreements::history(&k.db, id).await.unwrap();
        let steps: Vec<_> = history.iter().map(|h| h.step).collect();
        assert_eq!(steps, [Step::Ask, Step::Approve, Step::Suspend, Step::Resume, Step::Revoke]);
        assert_eq!(history[2].reason.as_deref(), Some("Kiểm tra an toàn thông tin"));
        assert_eq!(history[4].actor_name.as_deref(), Some("Nguyễn Thử Nghiệm"));
        assert_eq!((history[4].from, history[4].to), (Some(State::Approved), State::Revoked));
        assert_eq!(history[0].terms.fields, ["hoTen", "noiThuongTru"]);

        let expected = ["asked", "approved", "suspended", "resumed", "revoked"]
            .map(|s| format!("exchange.agreement.{s}"));
        assert_eq!(facts(k, id, expected.len()).await, expected);
        let audited = audit::about(&k.db, &id.to_ref(), 100).await.unwrap();
        assert_eq!(audited.len(), 4, "the import has its own row");
        assert!(audited.iter().all(|a| a.actor.starts_with("official:")));
    })
    .await;
}

#[tokio::test]
async fn an_approval_may_be_narrower() {
    on_both(&modules(), async |t| {
        let (k, w) = (&t.kernel, World::new(&t).await);
        let (id, cx) = (agreement(k, NUMBER).await, officer(k, &[w.provider]));
        let last = Date::new(2027, 6, 30).unwrap();
        let narrower =
            Approval { fields: Some(vec!["hoTen".into()]), valid_to: Some(last), ..Approval::default() };
        actions::approve_agreement(k, &cx, id, narrower).await.unwrap();
        let stored = agreements::get(&k.db, id).await.unwrap().unwrap();
        assert_eq!((stored.terms.valid_to, stored.terms.fields), (last, vec!["hoTen".to_owned()]));
        assert!(matches!(stored.terms.scope, Scope::Endpoints(e) if e.len() == 1));
    })
    .await;
}

#[tokio::test]
async fn only_the_provider_decides() {
    on_both(&modules(), async |t| {
        let (k, w) = (&t.kernel, World::new(&t).await);
        let id = agreement(k, NUMBER).await;
        let attempt =
            async |cx: Cx| actions::approve_agreement(k, &cx, id, Approval::default()).await.unwrap_err();
        let stranger = Cx::stranger("test", Default::default(), k.clock.now());
        assert!(matches!(attempt(stranger).await, Error::SignIn));
        assert!(
            matches!(attempt(officer(k, &[w.neighbour])).await, Error::NotFound { .. }),
            "not even that it exists"
        );
        assert!(
            matches!(attempt(officer(k, &[w.consumer])).await, Error::Denied { .. }),
            "the consumer asks, no more"
        );
        assert!(matches!(attempt(reader(k, &[w.provider])).await, Error::Denied { .. }));
        assert!(
            matches!(attempt(operator(k)).await, Error::Denied { .. }),
            "who runs the machine does not decide"
        );
        assert!(matches!(attempt(auditor(k)).await, Error::Denied { .. }));
        assert!(matches!(
            attempt(crate::world::system(k, "VN/GOV/H38/motcua")).await,
            Error::NotFound { .. }
        ));
        // A former holder's grants have ended; a successor's reach includes what was transferred.
        let mut former = officer(k, &[w.provider]);
        let mut ended = (*former.grants).clone();
        ended.0.iter_mut().for_each(|g| g.valid_to = Some(former.at));
        former.grants = std::sync::Arc::new(ended);
        assert!(matches!(attempt(former).await, Error::NotFound { .. }));
        assert_eq!(state(k, id).await, State::Waiting, "nothing of this had an effect");
        actions::approve_agreement(k, &officer(k, &[w.neighbour, w.provider]), id, Approval::default())
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn stale_and_repeated_requests_do_no_harm() {
    on_both(&modules(), async |t| {
        let (k, w) = (&t.kernel, World::new(&t).await);
        let (id, cx) = (agreement(k, NUMBER).await, officer(k, &[w.provider]));
        let send = async |decision: Decision, expected: Option<u32>, key: Option<(&str, u8)>| {
            let once = key.map(|(key, digest)| Once { key: key.into(), request: [digest; 32] });
            actions::decide(k, &cx, id, &decision, &Request { expected, once }).await.map(|(a, _)| a)
        };
        let approve = || Decision::Approve(Approval::default());
        assert!(matches!(send(approve(), Some(7), None).await, Err(Error::Conflict)));
        let first = send(approve(), Some(1), Some(("k1", 1))).await.unwrap();
        let again = send(approve(), Some(1), Some(("k1", 1))).await.unwrap();
        assert_eq!(
            (first.version, again.version, again.state),
            (2, 2, State::Approved),
            "the answer is the same"
        );
        let reused = send(Decision::Suspend(reason()), Some(2), Some(("k1", 2))).await;
        assert!(matches!(reused, Err(Error::Refused(r)) if r.code == "idempotency-key-reused"));
        let refused = send(approve(), None, None).await;
        assert!(matches!(refused, Err(Error::Refused(r)) if r.code == "agreement-not-waiting"));
        // A refused attempt leaves its key free.
        assert!(send(approve(), None, Some(("k2", 3))).await.is_err());
        send(Decision::Suspend(reason()), None, Some(("k2", 4))).await.unwrap();
        assert_eq!(agreements::history(&k.db, id).await.unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn two_decisions_at_once_follow_each_other() {
    on_both(&modules(), async |t| {
        let (k, w) = (&t.kernel, World::new(&t).await);
        let (id, cx) = (agreement(k, NUMBER).await, officer(k, &[w.provider]));
        let (a, b) = tokio::join!(
            actions::approve_agreement(k, &cx, id, Approval::default()),
            actions::refuse_agreement(k, &cx, id, reason())
        );
        assert!(a.is_ok() != b.is_ok(), "one wins, the other is refused by the rule: {a:?} {b:?}");
        assert_eq!(agreements::history(&k.db, id).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn ended_agreements_are_recorded_once() {
    on_both(&modules(), async |t| {
        let (k, w) = (&t.kernel, World::new(&t).await);
        let (id, cx) = (agreement(k, NUMBER).await, officer(k, &[w.provider]));
        actions::approve_agreement(k, &cx, id, Approval::default()).await.unwrap();
        assert_eq!(actions::expire_due(k).await.unwrap(), 0);
        t.clock.set("2027-12-31T17:00:00Z".parse().unwrap());
        let (one, two) = tokio::join!(actions::expire_due(k), actions::expire_due(k));
        assert_eq!(one.unwrap() + two.unwrap(), 1);
        assert_eq!(state(k, id).await, State::Expired);
        assert_eq!(facts(k, id, 3).await.last().map(String::as_str), Some("exchange.agreement.expired"));
    })
    .await;
}

#[tokio::test]
async fn importing_is_whole_or_nothing_and_repeatable() {
    on_both(&modules(), async |t| {
        let (k, w) = (&t.kernel, World::new(&t).await);
        let cx = operator(k);
        let again = actions::import_registry(k, &cx, &sample()).await.unwrap();
        assert!(again.diff.is_empty() && again.clients.is_empty(), "{:#?}", again.diff);
        let rows = async |table: &str| {
            k.db.query_one(&format!("SELECT COUNT(*) AS n FROM {table}"), params![])
                .await
                .unwrap()
                .int("n")
                .unwrap()
        };
        assert_eq!((rows("exchange_member").await, rows("exchange_service").await), (2, 2));

        // An unknown agency, found only when the tables are asked, stops everything else in the file.
        let mut file = sample();
        for member in file.members.values_mut() {
            member.name.push_str(" (mới)");
            member.agency = Some("H99.99".into());
        }
        let Err(Error::Invalid(faults)) = actions::import_registry(k, &cx, &file).await else { panic!() };
        assert_eq!(faults.len(), 2);
        assert!(faults[0].field.starts_with("line "), "{faults:?}");
        let names =
            k.db.query("SELECT name FROM exchange_member WHERE name LIKE '%(mới)'", params![]).await.unwrap();
        assert!(names.is_empty());

        for cx in
            [auditor(k), officer(k, &[w.provider]), Cx::stranger("t", Default::default(), k.clock.now())]
        {
            assert!(matches!(
                actions::import_registry(k, &cx, &sample()).await,
                Err(Error::Denied { .. } | Error::SignIn)
            ));
            assert!(actions::plan(k, &cx, &sample()).await.is_err(), "not even the difference");
        }
    })
    .await;
}

#[tokio::test]
async fn a_file_amends_retires_and_brings_back() {
    on_both(&modules(), async |t| {
        let (k, _) = (&t.kernel, World::new(&t).await);
        let cx = operator(k);
        let service = "GOV/C06/dancu/bien-dong".parse().unwrap();
        let id = async || {
            let sql = "SELECT id, retired_at FROM exchange_service WHERE code = 'bien-dong'";
            let row = k.db.query_one(sql, params![]).await.unwrap();
            (row.text("id").unwrap(), row.opt_int("retired_at").unwrap().is_some())
        };
        let (before, _) = id().await;
        let mut file = sample();
        file.complete = true;
        file.services.remove(&service);
        file.agreements.get_mut(NUMBER).unwrap().quota.per_minute = Some(5);
        actions::import_registry(k, &cx, &file).await.unwrap();
        assert_eq!(id().await, (before.clone(), true));
        let a = agreements::get(&k.db, agreement(k, NUMBER).await).await.unwrap().unwrap();
        assert_eq!((a.terms.quota.per_minute, a.version, a.state), (Some(5), 2, State::Waiting));
        actions::import_registry(k, &cx, &sample()).await.unwrap();
        assert_eq!(id().await, (before, false), "what comes back keeps its identity");
    })
    .await;
}

#[tokio::test]
async fn a_new_client_proves_itself_with_the_secret_shown_once() {
    on_both(&modules(), async |t| {
        let k = &t.kernel;
        crate::world::agency(k, "Sở Nội vụ (thử nghiệm)", "H38.01").await;
        crate::world::agency(k, "Sở Khoa học và Công nghệ (thử nghiệm)", "H38.02").await;
        let done = actions::import_registry(k, &operator(k), &sample()).await.unwrap();
        let [client] = done.clients.as_slice() else { panic!("{done:?}") };
        assert_eq!(
            (client.client_id.as_str(), client.subsystem.as_str()),
            ("motcua-demo", "VN/GOV/H38/motcua")
        );
        let proof = kernel::identity::clients::prove(k, "motcua-demo", &client.secret).await.unwrap();
        assert!(matches!(proof, kernel::identity::clients::Proof::Proven(..)));
        assert!(!format!("{done:?}").contains(client.secret.expose()), "secrets do not appear in logs");
    })
    .await;
}
