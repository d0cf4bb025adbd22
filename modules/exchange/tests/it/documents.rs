//! Documents of services in the content store: they survive backup and restore, what is replaced is collected, what
//! older tables hold is moved.

use std::time::Duration;

use exchange::actions;
use exchange::registry::{DocumentSpec, Registry};
use exchange::store::{document, documents};
use kernel::{Cx, Kernel, backup, params};
use testkit::{TestKernel, backends, on_both};

use crate::registry_file::attachments;
use crate::world::{World, modules, operator, sample};

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// SHA-256 of each service's document, in the order of their codes.
async fn digests(k: &Kernel) -> Vec<Option<String>> {
    let rows = k.db.query("SELECT document FROM exchange_service ORDER BY code", vec![]).await.unwrap();
    rows.iter().map(|r| r.opt_text("document").unwrap()).collect()
}

async fn the_one(k: &Kernel) -> String {
    let mut all: Vec<_> = digests(k).await.into_iter().flatten().collect();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// A document that differs by its title, as a file would give it.
fn titled(title: &str) -> DocumentSpec {
    let text = String::from_utf8(attachments("dancu.json").unwrap()).unwrap().replace("Dân cư", title);
    let mut file = sample();
    let text = text.into_bytes();
    let described = file.services.values_mut().find_map(|s| s.document.as_mut()).unwrap();
    described.sha256 = format!("{:0>64}", title.len());
    described.bytes = text;
    described.clone()
}

/// The sample with these documents for its services.
fn with(documents: [Option<DocumentSpec>; 2]) -> Registry {
    let mut file = sample();
    file.services.values_mut().zip(documents).for_each(|(s, d)| s.document = d);
    file
}

async fn import(k: &Kernel, file: &Registry) {
    actions::import_registry(k, &operator(k), file).await.unwrap();
}

async fn collected(t: &TestKernel) -> u64 {
    t.clock.advance(2 * DAY);
    let blobs = t.kernel.blobs().await.unwrap();
    let n = blobs.collect(t.kernel.clock.now()).await.unwrap().unreferenced;
    let report = blobs.check(true).await.unwrap();
    assert!(report.is_sound() && report.unreferenced == 0, "{report:?}");
    n
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_survives_backup_and_restore() {
    for from in backends() {
        let source = TestKernel::new(from, &modules()).await;
        World::new(&source).await;
        let sha256 = the_one(&source.kernel).await;
        let kept = source.kernel.db.query_one("SELECT bytes FROM exchange_document", vec![]).await.unwrap();
        assert!(kept.blob("bytes").unwrap().is_empty(), "the table holds no text");
        let place = tempfile::tempdir().unwrap();
        let made = backup::make(&source.kernel, &modules(), &place.path().join("b")).await.unwrap();
        for to in backends() {
            let target = TestKernel::unmigrated(to).await;
            let k = &target.kernel;
            let restored = backup::restore(k, &modules(), &place.path().join("b"), None).await.unwrap();
            assert_eq!(restored.manifest, made);
            assert!(restored.content.is_sound() && restored.content.objects == 1);
            assert_eq!(document(k, &sha256).await.unwrap(), Some(attachments("dancu.json").unwrap()));
            assert_eq!(collected(&target).await, 0, "a service refers to it");
            target.close().await;
        }
        source.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_document_is_collected_and_a_shared_one_stays() {
    on_both(&modules(), async |t| {
        let k = &t.kernel;
        World::new(&t).await;
        let first = the_one(k).await;
        let (a, b) = (titled("Bản thứ hai"), titled("Bản thứ ba"));
        import(k, &with([Some(a.clone()), Some(a.clone())])).await;
        assert_eq!(document(k, &first).await.unwrap(), None, "nobody has it any more");
        assert_eq!(collected(&t).await, 1);
        assert_eq!(document(k, &a.sha256).await.unwrap(), Some(a.bytes.clone()));

        import(k, &with([Some(b.clone()), Some(a.clone())])).await;
        assert_eq!(collected(&t).await, 0, "the other service still has it");
        assert_eq!(document(k, &a.sha256).await.unwrap(), Some(a.bytes.clone()));
        import(k, &with([Some(b.clone()), None])).await;
        assert_eq!(collected(&t).await, 1);
        assert_eq!(document(k, &b.sha256).await.unwrap(), Some(b.bytes.clone()));
        import(k, &with([Some(a.clone()), None])).await;
        assert_eq!(document(k, &a.sha256).await.unwrap(), Some(a.bytes), "what was collected may come back");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_older_tables_are_read_where_they_are_and_moved() {
    on_both(&modules(), async |t| {
        let k = &t.kernel;
        World::new(&t).await;
        let (sha256, text) = (the_one(k).await, attachments("dancu.json").unwrap());
        let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
        let older = "UPDATE exchange_document SET bytes = $1, blob = NULL";
        tx.execute(older, params![text.clone()]).await.unwrap();
        tx.execute("DELETE FROM blobs_reference", vec![]).await.unwrap();
        let unused = "INSERT INTO exchange_document (sha256, bytes, added_at) VALUES ('unused', $1, 0)";
        tx.execute(unused, params![text.clone()]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(document(k, &sha256).await.unwrap(), Some(text.clone()));

        assert_eq!(documents::adopt(k).await.unwrap(), 1, "the unused one is forgotten with it");
        let rows = k.db.query("SELECT sha256, bytes FROM exchange_document", vec![]).await.unwrap();
        assert!(rows.len() == 1 && rows[0].blob("bytes").unwrap().is_empty());
        assert_eq!(collected(&t).await, 0);
        assert_eq!(document(k, &sha256).await.unwrap(), Some(text));
        assert_eq!(documents::adopt(k).await.unwrap(), 0);
    })
    .await;
}
