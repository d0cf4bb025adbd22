//! A sealer that cannot write says so, with the reason, and goes on by itself when it can again.

use std::time::Duration;

use exchange::evidence::LOGS;
use testkit::TestKernel;

use super::world::{Node, tables};

#[tokio::test(flavor = "multi_thread")]
async fn a_sealer_that_cannot_write_says_so_until_it_can_again() {
    let t = TestKernel::new("sqlite", &tables()).await;
    let node = Node::start(&t).await;
    node.post("1").await;
    node.settle().await;
    assert_eq!(node.evidence.progress().sealer, None);
    // The directory of the logs is taken away under it.
    let (here, away) = (t.kernel.data_dir.join(LOGS), t.kernel.data_dir.join("evidence-away"));
    std::fs::rename(&here, &away).unwrap();
    std::fs::write(&here, b"not a directory").unwrap();
    let mut trouble = None;
    for n in 0..1_000 {
        node.post(&format!("while-away-{n}")).await;
        trouble = node.evidence.progress().sealer;
        if trouble.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(trouble.is_some(), "a stopped sealer is never told of");
    assert!(node.evidence.progress().unsealed > 0, "calls go on meanwhile");
    std::fs::remove_file(&here).unwrap();
    std::fs::rename(&away, &here).unwrap();
    node.settle().await;
    assert_eq!(node.evidence.progress().sealer, None);
    node.stop().await;
    t.close().await;
}
