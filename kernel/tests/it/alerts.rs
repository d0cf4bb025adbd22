//! Alerts are open once under their key, end, come again as new occurrences, and are acknowledged by who may.

use std::sync::Arc;
use std::time::Duration;

use kernel::alerts::{self, ACKNOWLEDGE, Affected, Alert, AlertId, MAX_NOTE, MOST_NAMED, Severity};
use kernel::i18n::{Lang, Text};
use kernel::{Actor, Cx, Error, Grant, Grants, Kernel, PersonId, Reach, Ref, audit, journal};
use testkit::on_both;

fn text(s: &str) -> Text {
    Text { vi: format!("{s} vi"), en: format!("{s} en") }
}

fn alert(key: &str, cause: &str) -> Alert {
    Alert {
        key: key.into(),
        severity: Severity::Critical,
        title: text("down"),
        cause: text(cause),
        todo: text("call them"),
        affected: vec![Affected { of: Ref::new("exchange.subsystem", "1"), name: "Một cửa".into() }],
        since: None,
    }
}

async fn raise(k: &Kernel, a: &Alert) -> AlertId {
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let id = tx.raise(a).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn clear(k: &Kernel, key: &str) -> bool {
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let was_open = tx.clear(key).await.unwrap();
    tx.commit().await.unwrap();
    was_open
}

async fn kinds(k: &Kernel) -> Vec<String> {
    // On PostgreSQL a fact has no position while any transaction of the server is open, also one of another test.
    let open = "SELECT COUNT(*) AS n FROM kernel_journal WHERE position IS NULL";
    loop {
        journal::end(&k.db).await.unwrap();
        if k.db.query_one(open, vec![]).await.unwrap().int("n").unwrap() == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    journal::read(&k.db, 0, 100).await.unwrap().into_iter().map(|e| e.kind).collect()
}

fn official(k: &Kernel, reach: Option<Reach>) -> Cx {
    let mut cx = Cx::stranger("r-1", Lang::Vi, k.clock.now());
    cx.actor = Actor::Official { person: PersonId::new(&*k.clock, &*k.random), appointment: None };
    cx.name = Some("Nguyễn Trực Ban".into());
    let grant = |reach| Grant {
        permission: ACKNOWLEDGE.name.into(),
        reach,
        field: None,
        valid_from: kernel::clock::Timestamp::from_micros(0),
        valid_to: None,
        emergency: None,
    };
    cx.grants = Arc::new(Grants(reach.map(grant).into_iter().collect()));
    cx
}

#[tokio::test(flavor = "multi_thread")]
async fn one_alert_is_open_under_a_key_and_what_comes_again_is_a_new_occurrence() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let began = k.clock.now().minus(Duration::from_secs(30));
        let first = raise(k, &Alert { since: Some(began), ..alert("a:1", "refused") }).await;
        t.clock.advance(Duration::from_secs(60));
        assert_eq!(raise(k, &alert("a:1", "timed out")).await, first, "refreshed");
        let other = raise(k, &Alert { severity: Severity::Warning, ..alert("b:1", "old") }).await;
        let open = alerts::open(&k.db, 10).await.unwrap();
        assert_eq!(open.iter().map(|a| a.id).collect::<Vec<_>>(), [first, other], "the urgent one first");
        assert_eq!((open[0].cause.vi.as_str(), open[0].since), ("timed out vi", began));
        assert!(open[0].seen_at.since(began) >= Duration::from_secs(90));
        assert_eq!(open[0].affected[0].name, "Một cửa");
        raise(k, &Alert { severity: Severity::Warning, ..alert("a:đường", "old") }).await;
        raise(k, &Alert { severity: Severity::Warning, ..alert("a", "old") }).await;
        assert_eq!(alerts::open_keys(&k.db, "a:").await.unwrap(), ["a:1", "a:đường"]);
        assert!(clear(k, "a:đường").await && clear(k, "a").await);

        assert!(clear(k, "a:1").await);
        assert!(!clear(k, "a:1").await, "nothing is open under it");
        let again = raise(k, &alert("a:1", "refused")).await;
        assert_ne!(again, first);
        let over = alerts::cleared(&k.db, None, 10).await.unwrap();
        assert_eq!((over.len(), over[0].id), (3, first), "the last one first");
        let next = Some((over[0].cleared_at.unwrap(), over[0].id));
        assert_eq!(alerts::cleared(&k.db, next, 10).await.unwrap(), over[1..]);
        let facts = ["raised", "raised", "raised", "raised", "cleared", "cleared", "cleared", "raised"]
            .map(|f| format!("kernel.alert.{f}"));
        assert_eq!(kinds(k).await, facts, "refreshing is no fact");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_part_of_its_transaction() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
        tx.raise(&alert("a:1", "refused")).await.unwrap();
        drop(tx);
        assert_eq!(alerts::open(&k.db, 10).await.unwrap(), []);
        assert!(kinds(k).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_open_it_once() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let once = || {
            k.retrying(async || {
                let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await?;
                let id = tx.raise(&alert("a:1", "refused")).await?;
                tx.commit().await?;
                Ok(id)
            })
        };
        let ids = futures_util::future::join_all((0..8).map(|_| once())).await;
        let mut ids: Vec<_> = ids.into_iter().map(Result::unwrap).collect();
        ids.dedup();
        assert_eq!(ids.len(), 1);
        assert_eq!(kinds(k).await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_acknowledges_once_and_it_is_audited() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let id = raise(k, &alert("a:1", "refused")).await;
        let nobody = official(k, None);
        let denied = alerts::acknowledge(k, &nobody, id, "").await;
        assert!(matches!(denied, Err(Error::Denied { .. })));
        let on_duty = official(k, Some(Reach::Province));
        let long = "đ".repeat(MAX_NOTE + 1);
        assert!(matches!(alerts::acknowledge(k, &on_duty, id, &long).await, Err(Error::Invalid(_))));
        alerts::acknowledge(k, &on_duty, id, " Đã gọi đơn vị cung cấp ").await.unwrap();
        let kept = alerts::one(&k.db, id).await.unwrap().unwrap().acknowledged.unwrap();
        assert_eq!(
            (kept.name.as_deref(), kept.note.as_str()),
            (Some("Nguyễn Trực Ban"), "Đã gọi đơn vị cung cấp")
        );
        let twice = alerts::acknowledge(k, &on_duty, id, "").await;
        assert!(matches!(twice, Err(Error::Refused(r)) if r.code == "alert-acknowledged"));
        let rows = audit::about(&k.db, &id.to_ref(), 10).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(
            (rows[0].action.as_str(), &rows[0].actor),
            ("kernel.alert.acknowledge", &on_duty.actor.to_string())
        );
        // A fresh look at the same fault does not forget who looks after it; the next occurrence is a new task.
        raise(k, &alert("a:1", "refused")).await;
        assert!(alerts::one(&k.db, id).await.unwrap().unwrap().acknowledged.is_some());
        clear(k, "a:1").await;
        let over = alerts::acknowledge(k, &on_duty, id, "").await;
        assert!(matches!(over, Err(Error::Refused(r)) if r.code == "alert-cleared"));
        let next = raise(k, &alert("a:1", "refused")).await;
        assert_eq!(alerts::one(&k.db, next).await.unwrap().unwrap().acknowledged, None);
        let facts = journal::about(&k.db, &id.to_ref(), 10).await.unwrap();
        assert!(facts.iter().all(|f| !f.body.to_string().contains("Nguyễn")), "facts name nobody");
        let unknown = AlertId::new(&*k.clock, &*k.random);
        assert!(matches!(alerts::acknowledge(k, &on_duty, unknown, "").await, Err(Error::NotFound { .. })));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_affected_are_all_counted_and_some_named() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let one = |n: usize| Affected {
            of: Ref::new("exchange.subsystem", n.to_string()),
            name: format!("Hệ thống {n}"),
        };
        let many = (0..MOST_NAMED + 5).map(one).collect();
        let id = raise(k, &Alert { affected: many, ..alert("a:1", "refused") }).await;
        let kept = alerts::one(&k.db, id).await.unwrap().unwrap();
        assert_eq!((kept.affected.len(), kept.affected_count), (MOST_NAMED, MOST_NAMED as i64 + 5));
        let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
        assert!(tx.raise(&alert("", "nameless")).await.is_err());
    })
    .await;
}
