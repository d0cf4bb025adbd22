//! The snapshot in force: follows the registry within a second, survives without the database, obeys the
//! node's own revocation list.

use std::sync::Arc;
use std::time::Duration;

use base::clock::Stopwatch;
use exchange::Exchange;
use exchange::actions;
use exchange::agreement::{Approval, Reason};
use exchange::deny::DenyReason;
use exchange::snapshot::Snapshot;
use exchange::snapshot_file;
use kernel::{Kernel, Module};
use testkit::on_both;

use crate::world::{NUMBER, World, agreement, modules, officer};

fn call(k: &Kernel, s: &Snapshot) -> Result<(), DenyReason> {
    let (Some(consumer), Some(service)) =
        (s.consumer("VN/GOV/H38/motcua"), s.service("VN/GOV/C06/dancu/tra-cuu"))
    else {
        return Err(DenyReason::NoAgreement);
    };
    s.decide(consumer, service, "GET", "/cong-dan/038", None, k.clock.now()).map(|_| ())
}

/// Waits until the call is decided as expected; returns how long that took.
async fn until(k: &Kernel, exchange: &Exchange, expected: Result<(), DenyReason>) -> Duration {
    let watch = Stopwatch::start();
    loop {
        let got = call(k, &exchange.keeper().current().load());
        if got == expected {
            return watch.elapsed();
        }
        assert!(watch.elapsed() < Duration::from_secs(20), "still {got:?}, not {expected:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn running(k: &Kernel) -> Exchange {
    let exchange = Exchange::new(Default::default());
    exchange.start(k).await.unwrap();
    let all: Vec<Arc<dyn Module>> = vec![Arc::new(exchange.clone())];
    k.run(&all);
    exchange
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_in_force_within_a_second_of_its_commit() {
    on_both(&modules(), async |t| {
        let (k, w) = (&t.kernel, World::new(&t).await);
        let exchange = running(k).await;
        let (id, cx) = (agreement(k, NUMBER).await, officer(k, &[w.provider]));
        until(k, &exchange, Err(DenyReason::NoAgreement)).await;
        actions::approve_agreement(k, &cx, id, Approval::default()).await.unwrap();
        until(k, &exchange, Ok(())).await;
        // The best of several, so that a busy machine does not decide the test.
        let mut fastest = Duration::MAX;
        for _ in 0..5 {
            actions::suspend_agreement(k, &cx, id, Reason::new("thử").unwrap()).await.unwrap();
            fastest = fastest.min(until(k, &exchange, Err(DenyReason::Suspended)).await);
            actions::resume_agreement(k, &cx, id).await.unwrap();
            until(k, &exchange, Ok(())).await;
        }
        actions::revoke_agreement(k, &cx, id, Reason::new("thử").unwrap()).await.unwrap();
        fastest = fastest.min(until(k, &exchange, Err(DenyReason::Revoked)).await);
        eprintln!("{}: in force after {fastest:?}", t.backend);
        assert!(fastest < Duration::from_secs(1), "took {fastest:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_serves_from_disk_while_the_database_is_away_but_not_for_ever() {
    on_both(&modules(), async |t| {
        let (k, w) = (&t.kernel, World::new(&t).await);
        let id = agreement(k, NUMBER).await;
        actions::approve_agreement(k, &officer(k, &[w.provider]), id, Approval::default()).await.unwrap();
        let first = Exchange::new(Default::default());
        first.keeper().refresh(k).await.unwrap();
        assert_eq!(call(k, &first.keeper().current().load()), Ok(()));

        k.db.close().await;
        let second = Exchange::new(Default::default());
        second.keeper().load(k).await.unwrap();
        assert!(second.keeper().refresh(k).await.is_err(), "the database is away");
        assert_eq!(call(k, &second.keeper().current().load()), Ok(()));
        t.clock.advance(Duration::from_secs(24 * 3600));
        let late = call(k, &second.keeper().current().load());
        assert!(matches!(late, Err(DenyReason::Stale { .. })), "{late:?}");
        let findings = second.diagnose(k).await;
        assert!(findings.iter().any(|f| f.check == "exchange.snapshot" && !f.ok), "{findings:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_list_revokes_without_the_database_and_settles_with_it() {
    on_both(&modules(), async |t| {
        let (k, w) = (&t.kernel, World::new(&t).await);
        let (id, cx) = (agreement(k, NUMBER).await, officer(k, &[w.provider]));
        actions::approve_agreement(k, &cx, id, Approval::default()).await.unwrap();
        let exchange = running(k).await;
        until(k, &exchange, Ok(())).await;
        let folder = k.data_dir.join("exchange");
        snapshot_file::revoke_locally(&folder, id).unwrap();
        until(k, &exchange, Err(DenyReason::Revoked)).await;
        exchange.keeper().refresh(k).await.unwrap();
        assert_eq!(
            call(k, &exchange.keeper().current().load()),
            Err(DenyReason::Revoked),
            "a renewal keeps it"
        );
        let restarted = Exchange::new(Default::default());
        restarted.keeper().load(k).await.unwrap();
        assert_eq!(call(k, &restarted.keeper().current().load()), Err(DenyReason::Revoked), "a restart too");

        actions::revoke_agreement(k, &cx, id, Reason::new("thử").unwrap()).await.unwrap();
        exchange.keeper().refresh(k).await.unwrap();
        assert!(snapshot_file::revoked(&folder).unwrap().is_empty(), "the registry says it now");
        assert_eq!(call(k, &exchange.keeper().current().load()), Err(DenyReason::Revoked));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_local_list_keeps_everything_closed() {
    on_both(&modules(), async |t| {
        let (k, w) = (&t.kernel, World::new(&t).await);
        let id = agreement(k, NUMBER).await;
        actions::approve_agreement(k, &officer(k, &[w.provider]), id, Approval::default()).await.unwrap();
        let folder = k.data_dir.join("exchange");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(snapshot_file::REVOKED), b"not json").unwrap();
        let exchange = Exchange::new(Default::default());
        assert!(exchange.start(k).await.is_err(), "nobody knows what it revokes");
        assert!(call(k, &exchange.keeper().current().load()).is_err());
    })
    .await;
}
