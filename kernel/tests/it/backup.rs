//! A backup made while work goes on restores into an empty place, on either database, with equal counts.

use std::path::Path;
use std::sync::Arc;

use kernel::backup;
use kernel::{Cx, Kernel, Module, Ref, params};
use testkit::{TestKernel, backends};

struct Papers;

impl Module for Papers {
    fn name(&self) -> &'static str {
        "papers"
    }
    fn migrations(&self) -> &'static [kernel::db::Migration] {
        &[kernel::db::Migration {
            name: "0001",
            sql: "CREATE TABLE papers_sheet (id TEXT PRIMARY KEY, n INTEGER, body BLOB) STRICT;
                  CREATE TABLE papers_note (id TEXT PRIMARY KEY, sheet TEXT NOT NULL REFERENCES papers_sheet (id)) STRICT;",
        }]
    }
    fn backup_dirs(&self) -> &'static [&'static str] {
        &["papers"]
    }
}

fn modules() -> Vec<Arc<dyn Module>> {
    vec![Arc::new(Papers)]
}

async fn write(k: &Kernel, i: i64) {
    let mut tx = k.begin(&Cx::kernel("test", k.clock.now())).await.unwrap();
    let body = (i % 3 > 0).then(|| vec![u8::try_from(i % 256).unwrap(); 100]);
    let id = format!("tờ {i} \"\n{{");
    tx.execute("INSERT INTO papers_sheet (id, n, body) VALUES ($1, $2, $3)", params![&id, i, body])
        .await
        .unwrap();
    tx.execute("INSERT INTO papers_note (id, sheet) VALUES ($1, $2)", params![format!("n{i}"), &id])
        .await
        .unwrap();
    tx.audit("papers.write", &Ref::new("sheet", "x"), serde_json::json!({"n": i})).await.unwrap();
    tx.commit().await.unwrap();
}

async fn make_one(t: &TestKernel, to: &Path) -> backup::Manifest {
    let content = t.dir.path().join("papers/deep");
    std::fs::create_dir_all(&content).unwrap();
    std::fs::write(content.join("a"), vec![1; 200_000]).unwrap();
    std::fs::write(content.join("empty"), "").unwrap();
    for i in 0..400 {
        write(&t.kernel, i).await;
    }
    let k = t.kernel.clone();
    let meanwhile = tokio::spawn(async move {
        for i in 1000..1200 {
            write(&k, i).await;
        }
    });
    let manifest = backup::make(&t.kernel, &modules(), to).await.unwrap();
    meanwhile.await.unwrap();
    manifest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_each_database_restores_into_each() {
    for from in backends() {
        let source = TestKernel::new(from, &modules()).await;
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("b");
        let made = make_one(&source, &dir).await;
        assert_eq!(made.rows["papers_sheet"], made.rows["papers_note"], "whole actions only");
        assert!(made.rows["papers_sheet"] >= 400);
        assert!(backup::make(&source.kernel, &modules(), &dir).await.is_err(), "never into a used directory");
        for to in backends() {
            let target = TestKernel::unmigrated(to).await;
            let restored = backup::restore(&target.kernel, &modules(), &dir, None).await.unwrap();
            assert_eq!(restored.manifest, made);
            let sql =
                "SELECT COUNT(*) AS n, CAST(SUM(n) AS BIGINT) AS total FROM papers_sheet WHERE body IS NULL";
            let row = target.kernel.db.query_one(sql, vec![]).await.unwrap();
            assert!(row.int("n").unwrap() >= 134);
            let file = std::fs::read(target.dir.path().join("papers/deep/a")).unwrap();
            assert_eq!(file, vec![1; 200_000]);
            write(&target.kernel, 5000).await;
            let rows = kernel::audit::read(&target.kernel.db, 0, 10_000).await.unwrap();
            assert!(rows.windows(2).all(|w| w[0].position < w[1].position));
            let over = backup::restore(&target.kernel, &modules(), &dir, None).await;
            assert!(over.is_err(), "never over data");
            target.close().await;
        }
        source.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_backup_is_refused_and_named() {
    let source = TestKernel::new("sqlite", &modules()).await;
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("b");
    make_one(&source, &dir).await;
    backup::verify(&source.kernel.keys, &dir).unwrap();
    assert!(backup::verify(&kernel::keys::Keys::from_bytes([1; 32]), &dir).is_err(), "another master key");
    for file in ["tables.ltb", "papers.ltb", "content.ltb", "manifest.json"] {
        let path = dir.join(file);
        let whole = std::fs::read(&path).unwrap();
        let mut altered = whole.clone();
        let middle = altered.len() / 2;
        altered[middle] ^= 1;
        std::fs::write(&path, &altered).unwrap();
        assert!(backup::verify(&source.kernel.keys, &dir).is_err(), "{file} altered");
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(backup::verify(&source.kernel.keys, &dir).is_err(), "{file} cut");
        std::fs::write(&path, &whole).unwrap();
    }
    backup::verify(&source.kernel.keys, &dir).unwrap();
    source.close().await;
}
