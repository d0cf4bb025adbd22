//! From a call to its bundle.

use std::path::PathBuf;
use std::time::Duration;

use base::clock::Clock;
use evidence::{Closed, Field, Outcome, verify};
use exchange::evidence::{LOGS, RecordError};
use kernel::{Error, params};
use testkit::{TestKernel, on_both};
use tlog::VerifyingKey;

use super::world::{Node, call, closed, tables, values};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_can_be_proven_as_soon_as_it_is_answered() {
    on_both(&tables(), |t| async move {
        let node = Node::start(&t).await;
        let key = VerifyingKey::parse(&node.evidence.vkey()).unwrap();
        for i in 0..5 {
            let (post, get) = (format!("post-{i}"), format!("get-{i}"));
            node.post(&post).await;
            let verified = verify(&node.bundle(&post).await.to_bytes(), Some(&key)).unwrap();
            assert_eq!(verified.call(), Some(&call(&post, "POST")));
            assert_eq!(verified.value(Field::Path), Some(format!("/v1/people/038099{post}").as_str()));
            assert_eq!(verified.closed().map(|c| c.outcome), Some(Outcome::Answered));
            assert!(verified.opened().is_some() && verified.withheld().is_empty());

            node.get(&get).await;
            let few = node.evidence.bundles().for_request(&get, &[Field::UserId]).await.unwrap();
            let verified = verify(&few.to_bytes(), Some(&key)).unwrap();
            assert_eq!(verified.disclosed.len(), 1);
            assert!(verified.opened().is_none());
        }
        let row = node.row("post-3").await;
        assert_eq!(row.text("provider").unwrap(), "VN/GOV/H56.05/dancu");
        assert_eq!(row.text("outcome").unwrap(), "answered");
        assert_eq!((row.int("opened_index").unwrap(), row.int("closed_index").unwrap()), (10, 11));
        assert_eq!((row.int("status").unwrap(), row.int("response_size").unwrap()), (200, 1031));
        assert!(row.time("closed_at").unwrap() <= t.clock.now());
        let missing = node.evidence.bundles().for_request("nobody", &[]).await;
        assert!(matches!(missing, Err(Error::NotFound { .. })), "{missing:?}");
        node.stop().await;
        t.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_call_has_evidence_without_an_outcome() {
    let t = TestKernel::new("sqlite", &tables()).await;
    let node = Node::start(&t).await;
    let opened = node.open("1").await;
    let verified = verify(&node.bundle("1").await.to_bytes(), None).unwrap();
    assert!(verified.closed().is_none());
    assert_eq!(node.outcome("1").await, None);
    let end = Closed { opened: Some(opened.leaf), outcome: Outcome::UpstreamFailed, ..closed("1", "POST") };
    node.evidence.recorder().closed(end, values("1"), None).await.unwrap();
    let verified = verify(&node.bundle("1").await.to_bytes(), None).unwrap();
    assert_eq!(verified.closed().map(|c| c.outcome), Some(Outcome::UpstreamFailed));
    node.stop().await;
    t.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_personal_is_in_the_public_files() {
    let t = TestKernel::new("sqlite", &tables()).await;
    let node = Node::start(&t).await;
    for i in 0..20 {
        node.post(&format!("{i:03}")).await;
    }
    node.settle().await;
    let mut open: Vec<PathBuf> = vec![t.kernel.data_dir.join(LOGS)];
    let mut files = 0;
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            for value in ["038099", "VN001", &"a1".repeat(64), &"d4".repeat(32)] {
                let found = bytes.windows(value.len()).any(|w| w == value.as_bytes());
                assert!(!found, "{value} is in {}", path.display());
            }
        }
    }
    assert!(files > 5);
    node.stop().await;
    t.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_erased_in_their_time_and_the_proof_stays() {
    on_both(&tables(), |t| async move {
        let node = Node::start(&t).await;
        node.post("1").await;
        assert_eq!(verify(&node.bundle("1").await.to_bytes(), None).unwrap().disclosed.len(), 8);
        node.stop().await;
        for (years, left) in [(3, 4), (8, 0)] {
            t.clock.advance(Duration::from_secs(years * 366 * 86_400));
            let node = Node::start(&t).await;
            let due =
                "SELECT request_id FROM exchange_private WHERE erase_personal <= $1 OR erase_digests <= $1";
            for _ in 0..200 {
                if node.k.db.query(due, params![t.clock.now()]).await.unwrap().is_empty() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let verified = verify(&node.bundle("1").await.to_bytes(), None).unwrap();
            assert_eq!(verified.disclosed.len(), left);
            assert_eq!(verified.value(Field::Path), None);
            assert!(verified.closed().is_some());
            node.stop().await;
        }
        t.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_record_is_refused_before_it_is_written() {
    let t = TestKernel::new("sqlite", &tables()).await;
    let node = Node::start(&t).await;
    let recorder = node.evidence.recorder();
    let mut bad = closed("1", "GET");
    bad.call.method = "GET\r\n".into();
    assert!(matches!(recorder.closed(bad, vec![], None).await, Err(RecordError::Record(_))));
    for values in [
        vec![(Field::RequestHead, "short".into())],
        vec![(Field::Path, "/a".into()), (Field::Path, "/b".into())],
        vec![(Field::Query, "x".repeat(300_000))],
    ] {
        let refused = recorder.closed(closed("1", "GET"), values, None).await;
        assert!(matches!(refused, Err(RecordError::Value(_))), "{refused:?}");
    }
    assert_eq!(node.evidence.progress().durable, 0);
    node.stop().await;
    let late = node_after_close(&t).await;
    assert!(matches!(late, Err(RecordError::Stream(_))), "{late:?}");
    t.close().await;
}

async fn node_after_close(t: &TestKernel) -> Result<exchange::evidence::Recorded, RecordError> {
    let node = Node::start(t).await;
    node.evidence.close().await;
    let refused = node.evidence.recorder().closed(closed("1", "GET"), vec![], None).await;
    node.stop().await;
    refused
}
