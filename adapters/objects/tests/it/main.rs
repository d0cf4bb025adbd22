//! The store against a bucket that checks every signature; the first story also against a real one, if
//! `LIENTHONG_TEST_S3=http://ACCESS:SECRET@HOST:PORT/BUCKET` names it.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use std::path::Path;
use std::sync::Arc;

use buckets::{Bucket, Fault, Op, Owner};
use kernel::clock::SystemClock;
use kernel::offsite::Offsite;
use objects::{Secret, Settings};
use tokio::sync::watch;

const SECRET: &str = "bi/mat+cua=kho";

async fn bucket() -> Bucket {
    let owner = Owner { access: "lienthong".into(), secret: SECRET.into(), region: "us-east-1".into() };
    Bucket::serve("sao-luu", owner, Arc::new(SystemClock)).await.unwrap()
}

fn settings(endpoint: &str) -> Settings {
    Settings {
        bucket: "sao-luu".into(),
        prefix: "tinh-mau/so-1".into(),
        endpoint: endpoint.into(),
        access_key: "lienthong".into(),
        secret_key: Secret::new(SECRET),
        ..Settings::default()
    }
}

fn store(settings: &Settings) -> Arc<dyn Offsite> {
    objects::store(settings).unwrap().unwrap()
}

/// The store of the variable, if it is set.
fn real() -> Option<Settings> {
    let url = std::env::var("LIENTHONG_TEST_S3").ok()?;
    let (scheme, rest) = url.split_once("://").unwrap();
    let (credentials, rest) = rest.split_once('@').unwrap();
    let ((access, secret), (host, bucket)) =
        (credentials.split_once(':').unwrap(), rest.split_once('/').unwrap());
    Some(Settings {
        bucket: bucket.into(),
        prefix: "thu-nghiem".into(),
        endpoint: format!("{scheme}://{host}"),
        access_key: access.into(),
        secret_key: Secret::new(secret),
        ..Settings::default()
    })
}

fn running() -> watch::Receiver<bool> {
    watch::channel(false).1
}

/// Bytes that differ everywhere, so that exchanged parts are noticed.
fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i ^ (i >> 8) ^ (i >> 16)) as u8).collect()
}

async fn read_all(store: &dyn Offsite, key: &str, len: u64) -> Vec<u8> {
    let mut all = Vec::new();
    while (all.len() as u64) < len {
        let more = store.read(key, all.len() as u64, 5 << 20).await.unwrap();
        assert!(!more.is_empty());
        all.extend(more);
    }
    all
}

async fn story(settings: &Settings, place: &Path) {
    let store = store(settings);
    let progress = place.join("progress.json");
    assert!(store.list().await.unwrap().is_empty());
    for (key, len) in [("mot/nho.json", 12), ("mot/lon.ltb", (20 << 20) + 7), ("hai/b", 0)] {
        let file = place.join("file");
        std::fs::write(&file, bytes(len)).unwrap();
        store.send(&file, key, &progress, &running()).await.unwrap();
        assert!(!progress.exists());
        if len > 0 {
            assert_eq!(read_all(&*store, key, len as u64).await, bytes(len), "{key}");
        }
    }
    for n in 0..7 {
        let file = place.join("file");
        std::fs::write(&file, b"x").unwrap();
        store.send(&file, &format!("ba/{n}"), &progress, &running()).await.unwrap();
    }
    let listed = store.list().await.unwrap();
    assert_eq!(listed.len(), 10, "over several pages: {listed:?}");
    assert!(listed.iter().any(|k| k.key == "mot/lon.ltb" && k.bytes == (20 << 20) + 7), "{listed:?}");
    for one in listed {
        store.remove(&one.key).await.unwrap();
    }
    store.remove("mot/nho.json").await.unwrap();
    assert!(store.list().await.unwrap().is_empty());
    assert!(store.read("mot/nho.json", 0, 10).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_come_back_as_they_went_small_and_in_parts() {
    let place = tempfile::tempdir().unwrap();
    let bucket = bucket().await;
    bucket.put("tinh-mau/so-10/of-another-platform", "stays");
    story(&settings(&bucket.endpoint()), place.path()).await;
    assert_eq!(bucket.asked(Op::Part), 3);
    assert_eq!(bucket.objects().len(), 1, "nothing of another's was touched");
    if let Some(real) = real() {
        story(&real, place.path()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_broken_off_goes_on_with_the_next_part() {
    let place = tempfile::tempdir().unwrap();
    let bucket = bucket().await;
    let store = store(&settings(&bucket.endpoint()));
    let (file, progress) = (place.path().join("file"), place.path().join("progress.json"));
    std::fs::write(&file, bytes(20 << 20)).unwrap();
    bucket.fails(Op::Part, Fault::Broken);
    store.send(&file, "a", &progress, &running()).await.unwrap();
    assert_eq!(bucket.asked(Op::Part), 4, "one fault is gone over at once");

    // Two parts arrive, the third is refused.
    bucket.fails(Op::Part, Fault::Slow(std::time::Duration::ZERO));
    bucket.fails(Op::Part, Fault::Slow(std::time::Duration::ZERO));
    bucket.fails(Op::Part, Fault::Deny);
    let e = store.send(&file, "b", &progress, &running()).await.unwrap_err().chain();
    assert!(e.contains("s3://sao-luu/tinh-mau/so-1") && e.contains("not allowed"), "{e}");
    assert!(progress.exists() && !bucket.objects().contains_key("tinh-mau/so-1/b"));
    let before = bucket.asked(Op::Part);
    store.send(&file, "b", &progress, &running()).await.unwrap();
    assert_eq!(bucket.asked(Op::Part) - before, 1, "only what was missing was sent");
    assert_eq!(bucket.objects()["tinh-mau/so-1/b"], bytes(20 << 20));
    assert!(!progress.exists() && bucket.open_uploads() == 0);

    // A file that changed meanwhile begins anew; so does an upload that the store forgot.
    bucket.fails(Op::Part, Fault::Slow(std::time::Duration::ZERO));
    bucket.fails(Op::Part, Fault::Forget);
    assert!(store.send(&file, "c", &progress, &running()).await.is_err());
    assert!(!progress.exists());
    bucket.fails(Op::Part, Fault::Slow(std::time::Duration::ZERO));
    bucket.fails(Op::Part, Fault::Deny);
    assert!(store.send(&file, "c", &progress, &running()).await.is_err());
    std::fs::write(&file, bytes((20 << 20) + 1)).unwrap();
    store.send(&file, "c", &progress, &running()).await.unwrap();
    assert_eq!(bucket.objects()["tinh-mau/so-1/c"], bytes((20 << 20) + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_given_up_and_stops_with_the_process() {
    let place = tempfile::tempdir().unwrap();
    let bucket = bucket().await;
    let store = store(&settings(&bucket.endpoint()));
    let (file, progress) = (place.path().join("file"), place.path().join("progress.json"));
    std::fs::write(&file, bytes(20 << 20)).unwrap();
    let stopped = watch::channel(true).1;
    let e = store.send(&file, "a", &progress, &stopped).await.unwrap_err().chain();
    assert!(e.contains("stops") && progress.exists() && bucket.open_uploads() == 1, "{e}");
    store.abandon(&progress).await.unwrap();
    assert!(!progress.exists() && bucket.open_uploads() == 0);
    store.abandon(&progress).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_tag_is_noticed_and_a_cut_answer_is_never_taken_for_whole() {
    let place = tempfile::tempdir().unwrap();
    let bucket = bucket().await;
    let store = store(&settings(&bucket.endpoint()));
    let (file, progress) = (place.path().join("file"), place.path().join("progress.json"));
    std::fs::write(&file, bytes(20 << 20)).unwrap();
    bucket.fails(Op::Part, Fault::WrongTag);
    assert!(store.send(&file, "a", &progress, &running()).await.is_err());
    assert!(bucket.objects().is_empty() && !progress.exists(), "the next attempt begins anew");
    store.send(&file, "a", &progress, &running()).await.unwrap();
    bucket.fails(Op::Get, Fault::Cut);
    match store.read("a", 0, 1 << 20).await {
        Ok(read) => assert_eq!(read, bytes(1 << 20), "asked again for the rest"),
        Err(e) => assert!(e.chain().contains("reading s3://"), "{}", e.chain()),
    }
    let end = store.read("a", (20 << 20) - 5, 100).await.unwrap();
    assert_eq!(end, bytes(20 << 20)[(20 << 20) - 5..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_without_the_secret() {
    let here = bucket().await;
    let good = settings(&here.endpoint());
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (wrong, says) in [
        (Settings { secret_key: Secret::new("sai-mat-khau"), ..good.clone() }, "does not accept"),
        (Settings { access_key: "nguoi-la".into(), ..good.clone() }, "does not accept"),
        (Settings { bucket: "khac".into(), ..good.clone() }, "no such bucket"),
        (Settings { endpoint: format!("http://{closed}"), ..good.clone() }, "Connection refused"),
    ] {
        let e = store(&wrong).list().await.unwrap_err().chain();
        assert!(e.contains(says) && e.contains("s3://") && e.contains("listing"), "{says}: {e}");
        assert!(!e.contains(SECRET) && !e.contains("sai-mat-khau"), "{e}");
    }
    assert!(objects::store(&Settings::default()).unwrap().is_none());
    let none = Settings { secret_key: Secret::default(), ..good };
    assert!(objects::store(&none).err().unwrap().to_string().contains("secret_key_file"));
}
