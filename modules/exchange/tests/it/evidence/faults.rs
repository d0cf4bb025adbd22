//! Power failures and kills: what was acknowledged is there, once, and proven.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use evidence::{Closed, Field, Opened, verify};
use kernel::db::Row;
use kernel::params;
use testkit::{LossyDisk, TestKernel};

use super::world::{Node, call, closed, personal, tables, values};

/// Calls until the disk dies; the request numbers of those that were answered.
async fn calls_until_the_end(node: &Arc<Node>, round: usize) -> BTreeSet<String> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let workers = (0..6).map(|worker| {
        let node = node.clone();
        tokio::spawn(async move {
            let mut answered = Vec::new();
            loop {
                let id = format!("{round}-{worker}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
                let recorder = node.evidence.recorder();
                let opened = Opened { call: call(&id, "POST"), recorded: 0, commitments: [].into() };
                let Ok(opened) = recorder.opened(opened, personal(&id)).await else { return answered };
                let end = Closed { opened: Some(opened.leaf), ..closed(&id, "POST") };
                if recorder.closed(end, values(&id), None).await.is_err() {
                    return answered;
                }
                answered.push(id);
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    let mut all = BTreeSet::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    all
}

async fn rounds(power: bool) {
    let t = TestKernel::new("sqlite", &tables()).await;
    let mut disk = LossyDisk::new(&t.kernel.data_dir, 11).unwrap();
    let mut answered = BTreeSet::new();
    for round in 0..3 {
        let node = Arc::new(Node::start_on(&t, Arc::new(disk.clone())).await);
        let calls = tokio::spawn({
            let node = node.clone();
            async move { calls_until_the_end(&node, round).await }
        });
        tokio::time::sleep(Duration::from_millis(100 + 90 * round as u64)).await;
        disk = if power { disk.crash().unwrap() } else { disk.kill() };
        answered.extend(calls.await.unwrap());
        Arc::into_inner(node).unwrap().stop().await;
    }
    let node = Node::start_on(&t, Arc::new(disk)).await;
    node.settle().await;
    assert!(answered.len() > 50, "too few calls to tell: {}", answered.len());
    let known = node.k.db.query("SELECT request_id, outcome, closed_index FROM exchange_call", params![]);
    let known: BTreeMap<String, Row> =
        known.await.unwrap().into_iter().map(|row| (row.text("request_id").unwrap(), row)).collect();
    for id in &answered {
        assert_eq!(known[id].text("outcome").unwrap(), "answered", "{id}");
    }
    for id in answered.iter().step_by(answered.len() / 20) {
        let verified = verify(&node.bundle(id).await.to_bytes(), None).unwrap();
        assert_eq!(verified.value(Field::Path), Some(format!("/v1/people/038099{id}").as_str()));
    }
    // Nothing is doubled: no two records of the tables share a place in the log, and the log holds no more.
    let sql =
        "SELECT COUNT(*) AS n FROM (SELECT opened_index FROM exchange_call WHERE opened_index IS NOT NULL
               UNION SELECT closed_index FROM exchange_call WHERE closed_index IS NOT NULL) AS places";
    let places = node.k.db.query_one(sql, params![]).await.unwrap().int("n").unwrap();
    assert_eq!(places as u64, node.evidence.progress().size - 1);
    // What was not answered is told apart.
    for (id, row) in known.iter().filter(|(id, _)| !answered.contains(*id)) {
        let outcome = row.opt_text("outcome").unwrap();
        let closed = row.opt_int("closed_index").unwrap();
        assert_eq!(outcome.as_deref() == Some("unknown"), closed.is_none(), "{id}: {outcome:?}");
    }
    node.stop().await;
    t.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answered_call_is_lost_or_doubled_by_power_failures() {
    rounds(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answered_call_is_lost_or_doubled_by_kills() {
    rounds(false).await;
}
