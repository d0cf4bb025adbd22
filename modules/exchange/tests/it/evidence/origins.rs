//! Which log goes on after a restart, a loss, a restore; and that nothing recorded is lost on the way.

use std::path::PathBuf;

use evidence::{Reason, Verified, verify};
use exchange::evidence::{LOGS, STREAM, restored};
use kernel::Cx;
use testkit::{TestKernel, on_both};

use super::world::{Node, tables};

/// Ten calls, everything sealed and in the tables, then the process ends.
async fn ten_calls(t: &TestKernel) -> String {
    let node = Node::start(t).await;
    for i in 0..10 {
        node.post(&i.to_string()).await;
    }
    node.settle().await;
    node.checkpoint_noted().await;
    let origin = node.evidence.progress().origin;
    node.stop().await;
    origin
}

fn dir(t: &TestKernel, origin: &str) -> PathBuf {
    t.kernel.data_dir.join(LOGS).join(origin)
}

async fn beginning(node: &Node) -> Verified {
    let origin = node.evidence.progress().origin;
    verify(&node.evidence.bundles().for_origin(&origin).await.unwrap().to_bytes(), None).unwrap()
}

/// Every one of the ten calls is still proven, and a new one is too.
async fn all_proven(node: &Node) {
    node.settle().await;
    for i in 0..10 {
        let verified = verify(&node.bundle(&i.to_string()).await.to_bytes(), None).unwrap();
        assert!(verified.opened().is_some() && verified.closed().is_some());
    }
    node.post("new").await;
    verify(&node.bundle("new").await.to_bytes(), None).unwrap();
    assert_eq!(node.count("exchange_call").await, 11);
}

async fn begins_anew(t: &TestKernel, old: &str, reason: Reason) {
    let node = Node::start(t).await;
    assert_ne!(node.evidence.progress().origin, old);
    let first = beginning(&node).await;
    let record = first.origin().unwrap();
    assert_eq!(record.reason, reason);
    let previous = record.previous.as_ref().unwrap();
    assert!(previous.checkpoint.contains(old) && previous.checkpoint.contains("\n21\n"), "{previous:?}");
    all_proven(&node).await;
    let sql = "SELECT reason, previous FROM exchange_origin ORDER BY dir DESC LIMIT 1";
    let row = node.k.db.query_one(sql, vec![]).await.unwrap();
    assert_eq!(row.text("reason").unwrap(), reason.name());
    assert_eq!(row.text("previous").unwrap(), previous.checkpoint);
    node.stop().await;
    // And the new one goes on like any other.
    let node = Node::start(t).await;
    assert_eq!(node.evidence.progress().origin, first.checkpoint.origin.rsplit('/').next().unwrap());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_goes_on_and_lost_calls_are_named() {
    on_both(&tables(), |t| async move {
        let node = Node::start(&t).await;
        let first = beginning(&node).await;
        assert_eq!(first.origin().map(|o| (o.reason, o.previous.is_none())), Some((Reason::First, true)));
        for i in 0..10 {
            node.post(&i.to_string()).await;
        }
        node.open("lost").await;
        let origin = node.evidence.progress().origin;
        node.stop().await;

        let node = Node::start(&t).await;
        assert_eq!(node.evidence.progress().origin, origin);
        node.open("running").await;
        node.settle().await;
        assert_eq!(node.outcome("lost").await.as_deref(), Some("unknown"));
        assert_eq!(node.outcome("running").await, None);
        let lost = verify(&node.bundle("lost").await.to_bytes(), None).unwrap();
        assert!(lost.closed().is_none());
        assert_eq!(node.count("exchange_call").await, 12);
        assert_eq!(node.evidence.progress().size, 1 + 20 + 2);
        node.stop().await;
        t.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_a_new_log_commits_to_the_old_one() {
    on_both(&tables(), |t| async move {
        let old = ten_calls(&t).await;
        // A backup without the stream: tables and logs are there, the stream begins anew.
        std::fs::remove_dir_all(t.kernel.data_dir.join(STREAM)).unwrap();
        restored(&t.kernel.data_dir).unwrap();
        begins_anew(&t, &old, Reason::Restored).await;
        t.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_with_its_stream_nothing_is_sealed_twice() {
    let t = TestKernel::new("sqlite", &tables()).await;
    let old = ten_calls(&t).await;
    restored(&t.kernel.data_dir).unwrap();
    let node = Node::start(&t).await;
    assert_ne!(node.evidence.progress().origin, old);
    all_proven(&node).await;
    assert_eq!(node.evidence.progress().size, 1 + 2);
    node.stop().await;
    t.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_rolled_back_is_not_continued() {
    let t = TestKernel::new("sqlite", &tables()).await;
    let node = Node::start(&t).await;
    node.post("early").await;
    node.bundle("early").await;
    let at = dir(&t, &node.evidence.progress().origin);
    let early = std::fs::read(at.join("checkpoint")).unwrap();
    node.stop().await;
    let mut tx = t.kernel.begin(&Cx::kernel("test", t.kernel.clock.now())).await.unwrap();
    tx.execute("DELETE FROM exchange_call WHERE request_id = 'early'", vec![]).await.unwrap();
    tx.commit().await.unwrap();
    let node = Node::start(&t).await;
    for i in 0..9 {
        node.post(&i.to_string()).await;
    }
    node.settle().await;
    node.checkpoint_noted().await;
    let old = node.evidence.progress();
    assert_eq!(old.size, 21);
    node.stop().await;
    std::fs::write(at.join("checkpoint"), early).unwrap();

    let node = Node::start(&t).await;
    assert_ne!(node.evidence.progress().origin, old.origin);
    let first = beginning(&node).await;
    let record = first.origin().unwrap();
    assert_eq!(record.reason, Reason::Shorter);
    assert!(record.previous.as_ref().unwrap().checkpoint.contains("\n21\n"));
    node.settle().await;
    // What the old log can no longer prove is sealed again from the stream.
    for i in 0..9 {
        verify(&node.bundle(&i.to_string()).await.to_bytes(), None).unwrap();
    }
    assert_eq!(node.evidence.progress().size, 1 + 18);
    node.stop().await;
    t.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_log_is_not_continued() {
    let t = TestKernel::new("sqlite", &tables()).await;
    let old = ten_calls(&t).await;
    let tile = dir(&t, &old).join("tile/0/000.p/21");
    let mut bytes = std::fs::read(&tile).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&tile, bytes).unwrap();
    begins_anew(&t, &old, Reason::Inconsistent).await;
    t.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_its_files_is_not_continued() {
    let t = TestKernel::new("sqlite", &tables()).await;
    let old = ten_calls(&t).await;
    std::fs::remove_dir_all(t.kernel.data_dir.join(LOGS)).unwrap();
    begins_anew(&t, &old, Reason::Unreadable).await;
    t.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_stream_is_gone_is_not_continued() {
    let t = TestKernel::new("sqlite", &tables()).await;
    let old = ten_calls(&t).await;
    std::fs::remove_dir_all(t.kernel.data_dir.join(STREAM)).unwrap();
    begins_anew(&t, &old, Reason::Inconsistent).await;
    t.close().await;
}
