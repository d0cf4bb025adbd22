//! The database is away, or knows less than the log.

use std::time::Duration;

use evidence::verify;
use kernel::{Cx, Error};
use testkit::{TestKernel, on_both};

use super::world::{Node, tables};

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_recorded_and_sealed_while_the_database_is_away() {
    let t = TestKernel::unmigrated("sqlite").await;
    let node = Node::start(&t).await;
    for i in 0..10 {
        node.post(&i.to_string()).await;
    }
    for _ in 0..200 {
        if node.evidence.progress().unsealed == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((node.evidence.progress().unsealed, node.evidence.progress().unindexed), (0, 20));
    assert!(node.evidence.bundles().for_request("1", &[]).await.is_err());
    node.k.migrate(&tables()).await.unwrap();
    node.settle().await;
    assert_eq!(node.count("exchange_call").await, 10);
    verify(&node.bundle("7").await.to_bytes(), None).unwrap();
    node.stop().await;
    t.close().await;
}

/// Rows come back from the log itself where the stream no longer reaches; only what opens commitments is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_lost_its_rows_gets_them_back() {
    on_both(&tables(), |t| async move {
        let node = Node::start(&t).await;
        let mut last = String::new();
        // Enough for several segments, so that the first of them are dropped.
        for round in 0..3 {
            let ids: Vec<String> = (0..200).map(|i| format!("{round}-{i}")).collect();
            let calls = ids.iter().map(|id| node.post(id));
            futures_util::future::join_all(calls).await;
            last.clone_from(&ids[199]);
            node.settle().await;
        }
        for _ in 0..300 {
            if node.evidence.stream_stats().first > 0 {
                break;
            }
            node.get(&format!("tick-{}", node.evidence.progress().durable)).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(node.evidence.stream_stats().first > 0, "the stream keeps everything for ever");
        node.settle().await;
        let before = (node.count("exchange_call").await, node.count("exchange_private").await);
        node.stop().await;

        let mut tx = t.kernel.begin(&Cx::kernel("test", t.kernel.clock.now())).await.unwrap();
        for table in ["exchange_call", "exchange_private", "exchange_origin"] {
            tx.execute(&format!("DELETE FROM {table}"), vec![]).await.unwrap();
        }
        tx.commit().await.unwrap();

        let node = Node::start(&t).await;
        node.settle().await;
        let after = (node.count("exchange_call").await, node.count("exchange_private").await);
        assert_eq!(after.0, before.0);
        assert!(0 < after.1 && after.1 < before.1, "{before:?} {after:?}");
        let oldest = verify(&node.bundle("0-0").await.to_bytes(), None).unwrap();
        assert!(oldest.closed().is_some() && oldest.disclosed.is_empty());
        assert_eq!(verify(&node.bundle(&last).await.to_bytes(), None).unwrap().disclosed.len(), 8);
        node.stop().await;
        t.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_is_not_ready_in_time_is_unavailable_not_missing() {
    let t = TestKernel::new("sqlite", &tables()).await;
    let node = Node::open_on(&t, std::sync::Arc::new(stream::RealDisk)).await;
    node.post("1").await;
    let early = node.evidence.bundles().for_request("1", &[]).await;
    assert!(matches!(early, Err(Error::Unavailable { what: "evidence", .. })), "{early:?}");
    node.evidence.run(&node.k);
    verify(&node.bundle("1").await.to_bytes(), None).unwrap();
    node.stop().await;
    t.close().await;
}
