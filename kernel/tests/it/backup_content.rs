//! The content store in backups: whole while it is written and collected, back in its place after a restore; what was
//! erased after the backup was made stays erased if somebody kept the list.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kernel::backup;
use kernel::blobs::{AccessClass, BlobId, PutOptions, SMALL, erasures};
use kernel::{Cx, Error, Kernel, Ref};
use testkit::{TestKernel, backends, on_both};

const DAY: Duration = Duration::from_secs(24 * 3_600);

fn person(n: u8) -> Ref {
    Ref::new("person", n.to_string())
}

fn about(n: u8) -> PutOptions {
    PutOptions { class: AccessClass::Personal, subject: person(n), keep_until: None, max_bytes: 8 << 20 }
}

fn content(n: u8, len: usize) -> Vec<u8> {
    (0..len).map(|i| (i as u8).wrapping_mul(31).wrapping_add(n)).collect()
}

/// Puts content and refers to it.
async fn keep(k: &Kernel, n: u8, len: usize) -> BlobId {
    let blobs = k.blobs().await.unwrap();
    let id = blobs.put(content(n, len), &about(n)).await.unwrap();
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    blobs.reference(&mut tx, &id, &Ref::new("dossier", n.to_string())).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn erase(k: &Kernel, n: u8) {
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    assert!(k.blobs().await.unwrap().erase(&mut tx, &person(n)).await.unwrap());
    tx.commit().await.unwrap();
}

async fn read(k: &Kernel, id: &BlobId) -> Result<Vec<u8>, Error> {
    k.blobs().await?.read(id, 8 << 20).await.map(|b| b.to_vec())
}

fn is_erased(found: &Result<Vec<u8>, Error>) -> bool {
    matches!(found, Err(Error::Refused(r)) if r.code == "content-erased")
}

#[tokio::test(flavor = "multi_thread")]
async fn content_comes_back_from_a_backup_made_while_it_was_written() {
    for from in backends() {
        let source = TestKernel::new(from, &[]).await;
        let k = &source.kernel;
        let sizes = [0, 700, SMALL, SMALL + 1, (1 << 20) + 5];
        let mut kept = Vec::new();
        for (n, len) in (0..).zip(sizes) {
            kept.push((keep(k, n, len).await, content(n, len)));
        }
        std::fs::write(source.dir.path().join("content/staging/begun"), "half").unwrap();
        let writer = k.clone();
        let meanwhile = tokio::spawn(async move {
            for n in 100..160 {
                keep(&writer, n, 3_000 + usize::from(n % 2) * SMALL).await;
            }
        });
        let place = tempfile::tempdir().unwrap();
        let made = backup::make(k, &[], &place.path().join("b")).await.unwrap();
        meanwhile.await.unwrap();
        assert!(made.content["content"].bytes > (1 << 20), "{made:?}");
        assert_eq!(backup::verify(&k.keys, &place.path().join("b")).unwrap(), made);
        for to in backends() {
            let target = TestKernel::unmigrated(to).await;
            let k = &target.kernel;
            let restored = backup::restore(k, &[], &place.path().join("b"), None).await.unwrap();
            assert_eq!(restored.manifest, made, "counts before and after");
            assert!(restored.content.is_sound() && restored.content.objects >= 5, "{:?}", restored.content);
            assert!(k.blobs().await.unwrap().check(true).await.unwrap().is_sound());
            for (id, bytes) in &kept {
                assert_eq!(read(k, id).await.unwrap(), *bytes);
            }
            assert!(!target.dir.path().join("content/staging/begun").exists());
            let later = keep(k, 200, 900).await;
            assert_eq!(read(k, &later).await.unwrap(), content(200, 900), "work goes on");
            target.close().await;
        }
        source.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn collecting_during_a_backup_takes_nothing_out_of_it() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let blobs = k.blobs().await.unwrap();
        let mut kept = Vec::new();
        for n in 0..60 {
            if n % 6 == 0 {
                kept.push((keep(k, n, 100_000).await, n));
            } else {
                blobs.put(content(n, 100_000), &about(n)).await.unwrap();
            }
        }
        t.clock.advance(2 * DAY);
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("b");
        let (made, collected) =
            tokio::join!(backup::make(k, &[], &dir), async { blobs.collect(k.clock.now()).await.unwrap() });
        made.unwrap();
        assert!(collected.unreferenced == 50 && collected.moved > 0, "{collected:?}");
        let target = TestKernel::unmigrated("sqlite").await;
        let restored = backup::restore(&target.kernel, &[], &dir, None).await.unwrap();
        assert!(restored.content.is_sound(), "{:?}", restored.content);
        for (id, n) in kept {
            assert_eq!(read(&target.kernel, &id).await.unwrap(), content(n, 100_000));
            assert_eq!(read(k, &id).await.unwrap(), content(n, 100_000));
        }
        target.close().await;
    })
    .await;
}

/// A platform with content about two people, backed up, and the first one erased afterwards.
async fn erased_since(k: &Kernel, dir: &Path) -> (BlobId, BlobId) {
    let ids = (keep(k, 1, 5_000).await, keep(k, 2, SMALL + 5_000).await);
    keep(k, 3, 100).await;
    erase(k, 3).await;
    backup::make(k, &[], dir).await.unwrap();
    erase(k, 1).await;
    assert!(is_erased(&read(k, &ids.0).await));
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_after_the_backup_stays_erased() {
    on_both(&[], async |t| {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("b");
        let (first, second) = erased_since(&t.kernel, &dir).await;
        let list = t.dir.path().join(erasures::FILE);
        assert_eq!(std::fs::read_to_string(&list).unwrap().lines().count(), 2, "noted before the answer");

        let careless = TestKernel::unmigrated(t.backend).await;
        let restored = backup::restore(&careless.kernel, &[], &dir, None).await.unwrap();
        assert!(!restored.erasures_known && restored.erased == 0, "and that is said");
        assert_eq!(read(&careless.kernel, &first).await.unwrap(), content(1, 5_000));
        careless.close().await;

        let target = TestKernel::unmigrated(t.backend).await;
        let k = &target.kernel;
        let torn = place.path().join("torn");
        std::fs::write(&torn, "{\"key\":\"x\"}\n").unwrap();
        for bad in [torn.as_path(), Path::new("/no/such/list")] {
            assert!(backup::restore(k, &[], &dir, Some(bad)).await.is_err());
        }
        let restored = backup::restore(k, &[], &dir, Some(&list)).await.unwrap();
        assert!(restored.erasures_known && restored.erased == 1, "the other key was destroyed before");
        assert!(is_erased(&read(k, &first).await));
        assert_eq!(read(k, &second).await.unwrap(), content(2, SMALL + 5_000));
        let blobs = k.blobs().await.unwrap();
        assert_eq!(blobs.collect(k.clock.now()).await.unwrap().erased, 2);
        assert!(blobs.check(true).await.unwrap().is_sound());
        let own = std::fs::read_to_string(target.dir.path().join(erasures::FILE)).unwrap();
        assert_eq!(own.lines().count(), 2, "the restored platform carries the list on");
        target.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn list_and_table_catch_up_with_each_other() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let id = keep(k, 1, 100).await;
        let other = keep(k, 2, 100).await;
        erase(k, 1).await;
        let path = t.dir.path().join(erasures::FILE);
        let list = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(erasures::settle(k).await.unwrap(), 0);
        assert_eq!(std::fs::read(&path).unwrap(), list, "what only the table knew");

        let sql = "SELECT id FROM blobs_key WHERE subject_kind = 'person' AND subject_id = '2'";
        let key = k.db.query_one(sql, vec![]).await.unwrap().text("id").unwrap();
        let line = format!("{{\"key\":\"{key}\",\"at\":\"2026-11-22T08:00:00Z\"}}\n");
        std::fs::write(&path, [&list[..], line.as_bytes()].concat()).unwrap();
        assert_eq!(erasures::settle(k).await.unwrap(), 1, "what only the list knew");
        assert!(is_erased(&read(k, &id).await) && is_erased(&read(k, &other).await));
        assert_eq!(erasures::settle(k).await.unwrap(), 0);
        let sql = "SELECT detail FROM kernel_audit WHERE action = 'blobs.erasures.apply'";
        assert_eq!(k.db.query(sql, vec![]).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_was_not_committed_is_not_noted() {
    on_both(&[], async |t| {
        let k = &t.kernel;
        let id = keep(k, 1, 100).await;
        let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
        assert!(k.blobs().await.unwrap().erase(&mut tx, &person(1)).await.unwrap());
        drop(tx);
        assert!(!t.dir.path().join(erasures::FILE).exists());
        assert_eq!(read(k, &id).await.unwrap(), content(1, 100));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_of_one_process_is_not_another_ones() {
    let t = Arc::new(TestKernel::new("sqlite", &[]).await);
    keep(&t.kernel, 1, 100).await;
    let second = Kernel::new(kernel::Parts {
        db: t.kernel.db.clone(),
        clock: t.kernel.clock.clone(),
        random: t.kernel.random.clone(),
        keys: t.kernel.keys.clone(),
        config: t.kernel.config.clone(),
        data_dir: t.kernel.data_dir.clone(),
    });
    assert!(matches!(second.blobs().await, Err(Error::Unavailable { .. })));
    t.close().await;
    let sql = "SELECT 1 AS one";
    assert!(t.kernel.db.query(sql, vec![]).await.is_err(), "closed in order");
    assert!(second.blobs().await.is_ok(), "asking again tries again");
}
