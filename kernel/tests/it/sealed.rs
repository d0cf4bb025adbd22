//! Sealed logs continue only what agrees with their last checkpoint; audit rows cannot be altered unnoticed.

use kernel::sealed::{AuditFinding, AuditSeal, LogReader, Opened, RESTORED_MARK, SealedLog};
use kernel::{Cx, Ref, params};
use testkit::{TestKernel, on_both};

fn begin(t: &TestKernel, root: &std::path::Path) -> SealedLog {
    let k = &t.kernel;
    SealedLog::begin(root, "test/log", 0, |_| None, &k.keys, &*k.clock, &*k.random).unwrap()
}

fn reopened(t: &TestKernel, root: &std::path::Path, known: Option<&str>) -> Result<SealedLog, String> {
    match SealedLog::open(root, &t.kernel.keys, known).unwrap() {
        Opened::Continued(log) => Ok(*log),
        Opened::Fresh(why) => Err(why.reason),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_goes_on_where_its_checkpoint_ends_and_proves_every_entry() {
    let t = TestKernel::new("sqlite", &[]).await;
    let root = t.dir.path().join("log");
    let mut log = begin(&t, &root);
    let mut last = String::new();
    for i in 0..600_u32 {
        log.append(format!("entry {i}").as_bytes()).unwrap();
        if i % 97 == 0 {
            last = log.publish().unwrap();
        }
    }
    // What was appended after the last checkpoint was never vouched for: the follower brings it again.
    let published = log.published();
    drop(log);
    let mut log = reopened(&t, &root, Some(&last)).unwrap();
    assert_eq!((log.size(), log.next_position()), (published, published));
    for i in published..700 {
        log.append(format!("entry {i}").as_bytes()).unwrap();
    }
    log.publish().unwrap();
    let reader = LogReader::new(&root);
    let origin = log.origin().dir.clone();
    for i in [0, 1, 255, 256, 257, 511, 512, 699] {
        let proven = reader.prove(&origin, i, None).unwrap();
        assert_eq!(proven.entry, format!("entry {i}").as_bytes());
        assert_eq!(proven.size, 700);
    }
    assert!(reader.prove(&origin, 700, None).is_err());
    assert!(reader.file(&origin, "key").unwrap().is_none(), "the key is never handed out");
    assert!(reader.file(&origin, "../current").unwrap().is_none());
    assert!(reader.file(&origin, "checkpoint").unwrap().is_some());
    t.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_shorter_damaged_or_restored_is_not_continued() {
    let t = TestKernel::new("sqlite", &[]).await;
    let root = t.dir.path().join("log");
    let mut log = begin(&t, &root);
    for i in 0..10_u32 {
        log.append(&i.to_be_bytes()).unwrap();
    }
    let early = log.publish().unwrap();
    for i in 10..300_u32 {
        log.append(&i.to_be_bytes()).unwrap();
    }
    let late = log.publish().unwrap();
    let dir = root.join(&log.origin().dir);
    drop(log);
    assert!(reopened(&t, &root, Some(&late)).is_ok());
    // Rolled back to an earlier checkpoint while the database knows a later one.
    std::fs::write(dir.join("checkpoint"), &early).unwrap();
    assert!(reopened(&t, &root, Some(&late)).unwrap_err().contains("older"));
    std::fs::write(dir.join("checkpoint"), late.replace('3', "4")).unwrap();
    assert!(reopened(&t, &root, None).unwrap_err().contains("damaged"));
    std::fs::write(dir.join("checkpoint"), &late).unwrap();
    let tile = dir.join("tile/0/001.p/44");
    let whole = std::fs::read(&tile).unwrap();
    let mut altered = whole.clone();
    altered[5] ^= 1;
    std::fs::write(&tile, &altered).unwrap();
    assert!(reopened(&t, &root, None).is_err());
    std::fs::remove_file(&tile).unwrap();
    assert!(reopened(&t, &root, None).is_err());
    std::fs::write(&tile, &whole).unwrap();
    std::fs::write(root.join(RESTORED_MARK), "").unwrap();
    assert!(reopened(&t, &root, None).unwrap_err().contains("restored"));
    let next = begin(&t, &root);
    assert_ne!(root.join(&next.origin().dir), dir);
    assert!(!root.join(RESTORED_MARK).exists());
    assert_eq!(LogReader::new(&root).origins().unwrap().len(), 2);
    t.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_or_removed_audit_row_is_found() {
    on_both(&[], |t| async move {
        let k = &t.kernel;
        let seal = AuditSeal::open(k, "test").await.unwrap();
        for i in 0..30 {
            let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
            tx.audit("test.act", &Ref::new("thing", "1"), serde_json::json!({"b": i, "a": "á"}))
                .await
                .unwrap();
            tx.commit().await.unwrap();
        }
        // Other transactions on the server hold back the order of commits for a moment.
        let mut sealed = 0;
        for _ in 0..500 {
            sealed += seal.advance(k).await.unwrap();
            if sealed == 30 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(sealed, 30);
        assert_eq!(seal.advance(k).await.unwrap(), 0);
        assert_eq!(seal.check(k).await.unwrap(), AuditFinding::Agrees(30));
        drop(seal);
        let seal = AuditSeal::open(k, "test").await.unwrap();
        assert_eq!(seal.check(k).await.unwrap(), AuditFinding::Agrees(30), "the log goes on after a restart");
        let mut tx = k.begin(&Cx::kernel("intruder", k.clock.now())).await.unwrap();
        tx.execute("UPDATE kernel_audit SET detail = '{\"b\":99}' WHERE position = 17", params![])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(seal.check(k).await.unwrap(), AuditFinding::Altered(17));
        let mut tx = k.begin(&Cx::kernel("intruder", k.clock.now())).await.unwrap();
        tx.execute("DELETE FROM kernel_audit WHERE position = 5", params![]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(seal.check(k).await.unwrap(), AuditFinding::Altered(5));
    })
    .await;
}
