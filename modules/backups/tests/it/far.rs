//! Backups copied to a store on another machine: whole or not there, gone on with, kept by the same rule, told when they
//! could not be copied, and brought back.

use std::sync::Arc;
use std::time::Duration;

use backups::{Backups, Far, Kind, Modules, Settings};
use buckets::{Bucket, Fault, Op, Owner};
use kernel::clock::SystemClock;
use kernel::{Cx, Kernel, Module};
use objects::Secret;
use testkit::{TestKernel, backends};
use tokio::sync::watch;

use crate::story::settings;

async fn bucket() -> Bucket {
    let owner = Owner { access: "lienthong".into(), secret: "bi-mat".into(), region: "us-east-1".into() };
    Bucket::serve("kho", owner, Arc::new(SystemClock)).await.unwrap()
}

fn store(endpoint: &str) -> Option<Arc<dyn kernel::offsite::Offsite>> {
    let settings = objects::Settings {
        bucket: "kho".into(),
        prefix: "so-1".into(),
        endpoint: endpoint.into(),
        access_key: "lienthong".into(),
        secret_key: Secret::new("bi-mat"),
        ..objects::Settings::default()
    };
    objects::store(&settings).unwrap()
}

fn module(settings: Settings, endpoint: &str) -> Backups {
    let named: Modules = Arc::default();
    let backups = Backups::with_copies(settings, named.clone(), store(endpoint));
    assert!(named.set(vec![Arc::new(backups.clone()) as Arc<dyn Module>]).is_ok());
    backups
}

fn cx(k: &Kernel) -> Cx {
    Cx::kernel("test", k.clock.now())
}

async fn names(far: &Far, k: &Kernel) -> Vec<String> {
    let all = far.list(&k.keys).await.unwrap();
    all.into_iter().filter(|s| s.manifest.is_ok()).map(|s| s.name).collect()
}

fn running() -> watch::Receiver<bool> {
    watch::channel(false).1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_copied_read_back_and_comes_home() {
    for backend in backends() {
        let (place, bucket) = (tempfile::tempdir().unwrap(), bucket().await);
        let backups = module(settings(&place.path().join("shelf")), &bucket.endpoint());
        let t = TestKernel::new(backend, &[Arc::new(backups.clone()) as Arc<dyn Module>]).await;
        let k = &t.kernel;
        assert!(!backups.status(k).await.unwrap().offsite_due, "there is nothing to copy");
        let kept = backups.back_up(k, &cx(k), "").await.unwrap();
        assert!(backups.status(k).await.unwrap().offsite_due);
        let sent = backups.send(k, &cx(k), "Trần").await.unwrap();
        assert_eq!((&sent.sent, sent.bytes), (&vec![kept.name.clone()], kept.bytes));
        assert!(!backups.status(k).await.unwrap().offsite_due, "not twice");
        let found = backups.diagnose(k).await;
        let told = found.iter().find(|f| f.check == "backups.offsite").unwrap();
        assert!(told.ok && told.text.vi.contains("s3://kho/so-1"), "{told:?}");

        let far = backups.far().unwrap();
        assert_eq!(names(far, k).await, [kept.name.as_str()]);
        let home = place.path().join("home");
        far.fetch(&k.keys, &kept.name, &home, &running()).await.unwrap();
        let manifest = kernel::backup::verify(&k.keys, &home).unwrap();
        assert_eq!(manifest.rows.values().sum::<u64>(), kept.rows);
        // Broken off in the middle, it goes on; what is too long begins anew.
        let tables = std::fs::read(home.join("tables.ltb")).unwrap();
        std::fs::write(home.join("tables.ltb"), &tables[..tables.len() / 2]).unwrap();
        std::fs::write(home.join("manifest.json"), "x".repeat(1 << 20)).unwrap();
        far.fetch(&k.keys, &kept.name, &home, &running()).await.unwrap();
        assert!(kernel::backup::verify(&k.keys, &home).is_ok());
        assert!(bucket.objects().keys().all(|key| key.starts_with("so-1/")));
        assert!(!bucket.objects().keys().any(|key| key.ends_with("begun.json")));
        t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_is_told_and_made_good_when_it_is_back() {
    for backend in backends() {
        let (place, bucket) = (tempfile::tempdir().unwrap(), bucket().await);
        let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let backups = module(settings(place.path()), &format!("http://{away}"));
        let t = TestKernel::new(backend, &[Arc::new(backups.clone()) as Arc<dyn Module>]).await;
        let k = &t.kernel;
        let first = backups.back_up(k, &cx(k), "").await.unwrap().name;
        assert!(backups.send(k, &cx(k), "").await.is_err());
        let found = backups.diagnose(k).await;
        let told = found.iter().find(|f| f.check == "backups.offsite").unwrap();
        assert!(!told.ok && told.text.vi.contains("Connection refused"), "{told:?}");
        assert!(!told.text.en.contains("bi-mat"));
        let schedule = found.iter().find(|f| f.check == "backups.schedule").unwrap();
        assert!(schedule.ok, "the backup itself is good");
        t.clock.advance(Duration::from_secs(60));
        let second = backups.back_up(k, &cx(k), "").await.unwrap().name;

        let back = module(settings(place.path()), &bucket.endpoint());
        assert!(back.status(k).await.unwrap().offsite_due);
        let sent = back.send(k, &cx(k), "").await.unwrap();
        assert_eq!(sent.sent, [second, first], "all that was missed, the newest first");
        assert!(back.diagnose(k).await.iter().all(|f| f.ok));
        let runs = backups::runs(k, Some(Kind::Offsite), 10).await.unwrap();
        assert_eq!(runs.iter().map(|r| r.ok).collect::<Vec<_>>(), [Some(true), Some(false)]);
        t.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_arrive_whole_is_no_backup_there_and_is_sent_again() {
    let (place, bucket) = (tempfile::tempdir().unwrap(), bucket().await);
    let backups = module(settings(place.path()), &bucket.endpoint());
    let t = TestKernel::new(backends()[0], &[Arc::new(backups.clone()) as Arc<dyn Module>]).await;
    let k = &t.kernel;
    let name = backups.back_up(k, &cx(k), "").await.unwrap().name;
    let far = backups.far().unwrap();
    // The first put is what says whose it is; the second is kept with another byte.
    bucket.fails(Op::Put, Fault::Slow(Duration::ZERO));
    bucket.fails(Op::Put, Fault::Rot);
    let e = backups.send(k, &cx(k), "").await.unwrap_err().chain();
    assert!(e.contains("gave back something else"), "{e}");
    assert!(names(far, k).await.is_empty());
    let before = bucket.asked(Op::Put);
    // Broken off after one more file.
    bucket.fails(Op::Put, Fault::Slow(Duration::ZERO));
    bucket.fails(Op::Put, Fault::Slow(Duration::ZERO));
    bucket.fails(Op::Put, Fault::Deny);
    let e = backups.send(k, &cx(k), "").await.unwrap_err().chain();
    assert!(e.contains("not allowed"), "{e}");
    assert!(names(far, k).await.is_empty() && bucket.asked(Op::Put) == before + 3);
    assert_eq!(backups.send(k, &cx(k), "").await.unwrap().sent, [name.as_str()]);
    assert_eq!(names(far, k).await, [name.as_str()]);
    // A byte that changes there later is found by whoever brings it back.
    let key = format!("so-1/{name}/tables.ltb");
    let mut bytes = bucket.objects()[&key].to_vec();
    bytes[100] ^= 1;
    bucket.put(&key, bytes);
    let home = place.path().join("home");
    far.fetch(&k.keys, &name, &home, &running()).await.unwrap();
    assert!(kernel::backup::verify(&k.keys, &home).is_err());
    t.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_rule_keeps_and_nothing_of_others_is_touched() {
    let (place, bucket) = (tempfile::tempdir().unwrap(), bucket().await);
    let mut set = settings(place.path());
    (set.keep_last, set.keep_daily, set.keep_weekly, set.keep_monthly) = (2, 0, 0, 0);
    let backups = module(set, &bucket.endpoint());
    let t = TestKernel::new(backends()[0], &[Arc::new(backups.clone()) as Arc<dyn Module>]).await;
    let k = &t.kernel;
    for other in [
        "so-1/2020-01-01T000000Z/manifest.json",
        "so-1/2020-01-02T000000Z/begun.json",
        "so-1/2020-01-03T000000Z/tables.ltb",
        "so-1/notes.txt",
        "so-2/2020-01-01T000000Z/manifest.json",
    ] {
        bucket.put(other, "of another master key");
    }
    let mut made = Vec::new();
    for _ in 0..4 {
        made.push(backups.back_up(k, &cx(k), "").await.unwrap().name);
        backups.send(k, &cx(k), "").await.unwrap();
        t.clock.advance(Duration::from_secs(60));
    }
    let far = backups.far().unwrap();
    assert_eq!(names(far, k).await, [made[3].as_str(), made[2].as_str()]);
    let others = bucket.objects().into_values().filter(|bytes| bytes == "of another master key").count();
    assert_eq!(others, 5);
    // A removal that was broken off is ended by the next one.
    let left = |name: &str| bucket.objects().keys().any(|key| key.contains(name));
    assert!(!left(&made[0]) && !left(&made[1]));
    made.push(backups.back_up(k, &cx(k), "").await.unwrap().name);
    // Removing what says whose the new one is goes well; removing the old one is refused.
    bucket.fails(Op::Delete, Fault::Slow(Duration::ZERO));
    bucket.fails(Op::Delete, Fault::Slow(Duration::ZERO));
    bucket.fails(Op::Delete, Fault::Deny);
    assert!(backups.send(k, &cx(k), "").await.is_err());
    assert!(left(&made[2]));
    backups.send(k, &cx(k), "").await.unwrap();
    assert_eq!(names(far, k).await, [made[4].as_str(), made[3].as_str()]);
    assert!(!left(&made[2]));
    t.close().await;
}

/// What a process that was killed while it sent leaves behind.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_and_cannot_be_ended_goes() {
    let (place, bucket) = (tempfile::tempdir().unwrap(), bucket().await);
    let backups = module(settings(place.path()), &bucket.endpoint());
    let t = TestKernel::new(backends()[0], &[Arc::new(backups.clone()) as Arc<dyn Module>]).await;
    let k = &t.kernel;
    let first = backups.back_up(k, &cx(k), "").await.unwrap().name;
    bucket.fails(Op::Put, Fault::Slow(Duration::ZERO));
    bucket.fails(Op::Put, Fault::Slow(Duration::ZERO));
    bucket.fails(Op::Put, Fault::Deny);
    assert!(backups.send(k, &cx(k), "").await.is_err());
    assert!(bucket.objects().keys().any(|key| key.contains(&first)));
    std::fs::remove_dir_all(place.path().join(&first)).unwrap();
    t.clock.advance(Duration::from_secs(60));
    let second = backups.back_up(k, &cx(k), "").await.unwrap().name;
    let sent = backups.send(k, &cx(k), "").await.unwrap();
    assert_eq!((sent.sent, sent.removed), (vec![second], vec![first.clone()]));
    assert!(!bucket.objects().keys().any(|key| key.contains(&first)));
    t.close().await;
}
