//! Content: kept, encrypted, referred to, erased, collected, moved, checked; on a disk that loses power.

#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kernel::blobs::{AccessClass, BlobId, Blobs, Parts, PutOptions, Report, SMALL, rewrap};
use kernel::keys::Keys;
use kernel::{Cx, Error, Ref, Result, params};
use testkit::{DiskOp, TempDisk, TestKernel, on_both};

const DAY: Duration = Duration::from_secs(24 * 3_600);
const MINUTE: Duration = Duration::from_secs(60);

/// A content store over a disk that can lose power, beside a throw-away database.
struct Store {
    t: Arc<TestKernel>,
    disk: TempDisk,
    blobs: Blobs,
}

impl Store {
    fn new(t: &Arc<TestKernel>, seed: u64) -> Self {
        let disk = TempDisk::new(seed);
        let blobs = Self::open(t, &disk).unwrap();
        Self { t: t.clone(), disk, blobs }
    }

    fn open(t: &TestKernel, disk: &TempDisk) -> Result<Blobs> {
        let k = &t.kernel;
        let (db, keys, clock, random) = (k.db.clone(), k.keys.clone(), k.clock.clone(), k.random.clone());
        let parts = Parts { db, keys, clock, random, disk: disk.port(), dir: disk.path("content") };
        Blobs::open_with(parts, |o| {
            o.first_segment_bytes = 512 << 10;
            o.segment_bytes = 512 << 10;
            o.probe_flushes = 0;
        })
    }

    fn reopen(&mut self) {
        self.blobs.close();
        self.blobs = Self::open(&self.t, &self.disk).unwrap();
    }

    fn crash(&mut self) {
        self.disk.crash();
        self.reopen();
    }

    async fn refer(&self, id: &BlobId, by: &Ref) -> Result<()> {
        let mut tx = self.t.kernel.begin(&self.cx()).await?;
        self.blobs.reference(&mut tx, id, by).await?;
        tx.commit().await.map(drop)
    }

    async fn release(&self, id: &BlobId, by: &Ref) -> bool {
        let mut tx = self.t.kernel.begin(&self.cx()).await.unwrap();
        let was = self.blobs.release(&mut tx, id, by).await.unwrap();
        tx.commit().await.unwrap();
        was
    }

    async fn erase(&self, subject: &Ref) -> bool {
        let mut tx = self.t.kernel.begin(&self.cx()).await.unwrap();
        let was = self.blobs.erase(&mut tx, subject).await.unwrap();
        tx.commit().await.unwrap();
        was
    }

    fn cx(&self) -> Cx {
        Cx::kernel("test", self.t.kernel.clock.now())
    }

    async fn collect(&self) -> kernel::blobs::Collected {
        self.blobs.collect(self.t.kernel.clock.now()).await.unwrap()
    }

    async fn sound(&self) -> Report {
        let report = self.blobs.check(true).await.unwrap();
        assert!(report.is_sound(), "{report:?}");
        report
    }

    async fn rows(&self, table: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) AS n FROM {table}");
        self.t.kernel.db.query_one(&sql, vec![]).await.unwrap().int("n").unwrap()
    }

    /// Paths of everything stored or staged, packs left out, as the program sees them.
    fn files(&self) -> Vec<PathBuf> {
        let dirs = (0..=255).map(|n| format!("content/files/{n:02x}")).chain(["content/staging".to_owned()]);
        let dirs = dirs.map(|dir| self.disk.path(dir)).filter(|dir| dir.is_dir());
        dirs.flat_map(|dir| self.disk.port().list(&dir).unwrap().into_iter().map(move |f| dir.join(f)))
            .collect()
    }
}

fn person(n: u32) -> Ref {
    Ref::new("person", n.to_string())
}

fn dossier(n: u32) -> Ref {
    Ref::new("dossier", n.to_string())
}

fn options() -> PutOptions {
    PutOptions { class: AccessClass::Personal, subject: person(1), keep_until: None, max_bytes: 8 << 20 }
}

/// Bytes that differ by `n` and do not compress to a pattern one could miss.
fn content(n: u32, len: usize) -> Vec<u8> {
    let mut state = u64::from(n) << 1 | 1;
    let step = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..len).map(step).collect()
}

async fn read(blobs: &Blobs, id: &BlobId) -> Result<Vec<u8>> {
    blobs.read(id, 16 << 20).await.map(|b| b.to_vec())
}

fn erased(result: Result<Vec<u8>>) -> bool {
    matches!(result, Err(Error::Refused(r)) if r.code == "content-erased")
}

#[tokio::test(flavor = "multi_thread")]
async fn content_of_every_size_comes_back_and_is_kept_once() {
    on_both(&[], |t| async move {
        let mut s = Store::new(&t, 1);
        let mut kept = Vec::new();
        for (n, len) in [0, 1, 70_000, SMALL - 1, SMALL, SMALL + 1, (1 << 20) + 7].into_iter().enumerate() {
            let bytes = content(n as u32, len);
            let id = s.blobs.put(bytes.clone(), &options()).await.unwrap();
            assert_eq!(read(&s.blobs, &id).await.unwrap(), bytes, "{len} bytes");
            let again = s.blobs.put_reader(&bytes[..], &options()).await.unwrap();
            assert_eq!(again, id, "the same content of the same person is kept once");
            let meta = s.blobs.meta(&id).await.unwrap().unwrap();
            assert_eq!((meta.bytes, meta.class, meta.erased), (len as u64, AccessClass::Personal, false));
            assert_eq!(meta.subject, person(1));
            kept.push((id, bytes));
        }
        assert_eq!((s.files().len(), s.rows("blobs_object").await), (2, 7), "two large ones, nothing staged");
        s.crash();
        for (id, bytes) in &kept {
            assert_eq!(read(&s.blobs, id).await.unwrap(), *bytes, "put answered, so it is durable");
        }
        assert_eq!(s.sound().await.objects, 7);
        let unknown: BlobId = "00".repeat(32).parse().unwrap();
        assert!(matches!(read(&s.blobs, &unknown).await, Err(Error::NotFound { .. })));
        assert_eq!(s.blobs.meta(&unknown).await.unwrap(), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_bytes_say_nothing_and_names_differ_by_person_and_class() {
    on_both(&[], |t| async move {
        let s = Store::new(&t, 1);
        let secret = b"So dinh danh ca nhan (sinh ra de thu)".repeat(9_000);
        let small = secret[..1_000].to_vec();
        let mut ids = HashSet::new();
        for bytes in [&secret, &small] {
            for subject in [person(1), person(2)] {
                for class in [AccessClass::Public, AccessClass::Sensitive] {
                    let options = PutOptions { subject: subject.clone(), class, ..options() };
                    ids.insert(s.blobs.put(bytes.clone(), &options).await.unwrap());
                }
            }
        }
        assert_eq!(ids.len(), 8);
        let packs = std::fs::read_dir(s.disk.path("content/packs")).unwrap().map(|e| e.unwrap().path());
        for path in s.files().into_iter().chain(packs) {
            let stored = std::fs::read(&path).unwrap();
            assert!(!stored.windows(16).any(|w| w == &secret[..16]), "{} is readable", path.display());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_breaks_off_is_refused_and_leaves_nothing() {
    on_both(&[], |t| async move {
        let s = Store::new(&t, 1);
        for (len, max_bytes) in [(11, 10), (SMALL + 1, SMALL as u64), (2 << 20, 1 << 20)] {
            let (bytes, options) = (content(1, len), PutOptions { max_bytes, ..options() });
            let refused = s.blobs.put(bytes.clone(), &options).await;
            assert!(matches!(refused, Err(Error::TooLarge { limit }) if limit == max_bytes), "{refused:?}");
            let refused = s.blobs.put_reader(&bytes[..], &options).await;
            assert!(matches!(refused, Err(Error::TooLarge { limit }) if limit == max_bytes), "{refused:?}");
        }
        for len in [1_000, 1 << 20] {
            let (reader, mut writer) = tokio::io::duplex(4_096);
            let bytes = content(2, len);
            let feed = tokio::spawn(async move {
                use tokio::io::AsyncWriteExt;
                writer.write_all(&bytes).await.unwrap();
            });
            let broken = tokio::io::AsyncReadExt::chain(reader, Broken);
            assert!(matches!(s.blobs.put_reader(broken, &options()).await, Err(Error::Unavailable { .. })));
            feed.await.unwrap();
        }
        assert!(matches!(
            s.blobs.read(&s.blobs.put("abc", &options()).await.unwrap(), 2).await,
            Err(Error::TooLarge { .. })
        ));
        assert_eq!((s.files().len(), s.rows("blobs_object").await), (0, 1));
    })
    .await;
}

/// A reader whose peer goes away.
struct Broken;

impl tokio::io::AsyncRead for Broken {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        _: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Err(std::io::ErrorKind::ConnectionReset.into()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn content_lives_as_long_as_something_refers_to_it() {
    on_both(&[], |t| async move {
        let s = Store::new(&t, 1);
        for len in [500, SMALL + 500] {
            let id = s.blobs.put(content(1, len), &options()).await.unwrap();
            let loose = s.blobs.put(content(2, len), &options()).await.unwrap();
            s.refer(&id, &dossier(1)).await.unwrap();
            s.refer(&id, &dossier(1)).await.unwrap();
            s.refer(&id, &dossier(2)).await.unwrap();
            assert_eq!(s.blobs.of(&dossier(1)).await.unwrap().iter().map(|m| m.id).collect::<Vec<_>>(), [id]);
            t.clock.advance(DAY - MINUTE);
            assert_eq!(s.collect().await.unreferenced, 0, "not yet");
            t.clock.advance(2 * MINUTE);
            assert_eq!(s.collect().await.unreferenced, 1);
            assert!(matches!(s.refer(&loose, &dossier(1)).await, Err(Error::NotFound { .. })));
            assert!(read(&s.blobs, &id).await.is_ok());

            assert!(s.release(&id, &dossier(1)).await && !s.release(&id, &dossier(1)).await);
            t.clock.advance(2 * DAY);
            assert_eq!(s.collect().await.unreferenced, 0, "one reference is left");
            let mut tx = t.kernel.begin(&s.cx()).await.unwrap();
            assert_eq!(s.blobs.release_all(&mut tx, &dossier(2)).await.unwrap(), 1);
            tx.commit().await.unwrap();
            assert_eq!(s.collect().await.unreferenced, 0, "released just now");
            t.clock.advance(DAY + MINUTE);
            assert_eq!(s.collect().await.unreferenced, 1);
            assert!(matches!(read(&s.blobs, &id).await, Err(Error::NotFound { .. })));
            s.sound().await;
        }
        assert_eq!(
            (s.files().len(), s.rows("blobs_object").await, s.rows("blobs_reference").await),
            (0, 0, 0)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_was_undone_refers_to_nothing() {
    on_both(&[], |t| async move {
        let s = Store::new(&t, 1);
        let id = s.blobs.put(content(1, 100), &options()).await.unwrap();
        s.refer(&id, &dossier(1)).await.unwrap();
        let mut tx = t.kernel.begin(&s.cx()).await.unwrap();
        s.blobs.release(&mut tx, &id, &dossier(1)).await.unwrap();
        drop(tx);
        let other = s.blobs.put(content(2, 100), &options()).await.unwrap();
        let mut tx = t.kernel.begin(&s.cx()).await.unwrap();
        s.blobs.reference(&mut tx, &other, &dossier(1)).await.unwrap();
        drop(tx);
        t.clock.advance(2 * DAY);
        assert_eq!(s.collect().await.unreferenced, 1);
        assert!(read(&s.blobs, &id).await.is_ok());
        assert!(matches!(read(&s.blobs, &other).await, Err(Error::NotFound { .. })));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_and_putting_again_lengthen_a_life() {
    on_both(&[], |t| async move {
        let s = Store::new(&t, 1);
        let until = t.kernel.clock.now().plus(10 * DAY);
        let kept = s.blobs.put("kept", &PutOptions { keep_until: Some(until), ..options() }).await.unwrap();
        let again = s.blobs.put("again", &options()).await.unwrap();
        t.clock.advance(DAY - MINUTE);
        s.blobs.put("kept", &options()).await.unwrap();
        assert_eq!(s.blobs.put("again", &options()).await.unwrap(), again);
        t.clock.advance(2 * MINUTE);
        assert_eq!(s.collect().await.unreferenced, 0, "put again a moment ago");
        t.clock.advance(DAY);
        assert_eq!(s.collect().await.unreferenced, 1);
        assert_eq!(s.blobs.meta(&kept).await.unwrap().unwrap().keep_until, Some(until), "never shortened");
        t.clock.advance(9 * DAY);
        assert_eq!(s.collect().await.unreferenced, 1);
        assert_eq!(s.blobs.meta(&kept).await.unwrap(), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn erasing_a_person_makes_their_content_unreadable_for_ever() {
    on_both(&[], |t| async move {
        let mut s = Store::new(&t, 1);
        let mut theirs = Vec::new();
        for len in [900, SMALL + 900] {
            let id = s.blobs.put(content(1, len), &options()).await.unwrap();
            s.refer(&id, &dossier(1)).await.unwrap();
            theirs.push((id, content(1, len)));
        }
        let other = PutOptions { subject: person(2), ..options() };
        let others = s.blobs.put(content(1, 900), &other).await.unwrap();
        let open = s.blobs.get(&theirs[1].0).await.unwrap();

        let mut tx = t.kernel.begin(&s.cx()).await.unwrap();
        assert!(s.blobs.erase(&mut tx, &person(1)).await.unwrap());
        drop(tx);
        assert!(read(&s.blobs, &theirs[0].0).await.is_ok(), "undone with the action");

        assert!(s.erase(&person(1)).await && !s.erase(&person(1)).await);
        for (id, _) in &theirs {
            assert!(erased(read(&s.blobs, id).await));
            assert!(s.blobs.meta(id).await.unwrap().unwrap().erased);
        }
        assert!(read(&s.blobs, &others).await.is_ok());
        drop(open);
        s.reopen();
        assert!(erased(read(&s.blobs, &theirs[0].0).await));
        let wrapped = "SELECT COUNT(*) AS n FROM blobs_key WHERE subject_id = '1' AND wrapped IS NOT NULL";
        assert_eq!(t.kernel.db.query_one(wrapped, vec![]).await.unwrap().int("n").unwrap(), 0);

        // The same content put again is other content under another key.
        for (id, bytes) in &theirs {
            let new = s.blobs.put(bytes.clone(), &options()).await.unwrap();
            assert_ne!(new, *id);
            assert_eq!(read(&s.blobs, &new).await.unwrap(), *bytes);
        }
        assert_eq!(s.files().len(), 2);
        assert_eq!(s.collect().await.erased, 2);
        assert_eq!((s.files().len(), s.collect().await.erased), (1, 0), "the erased file is gone");
        assert!(erased(read(&s.blobs, &theirs[1].0).await), "still told apart from what never was");
        assert!(matches!(s.refer(&theirs[0].0, &dossier(9)).await, Err(Error::NotFound { .. })));
        s.sound().await;
        let mut tx = t.kernel.begin(&s.cx()).await.unwrap();
        assert!(s.blobs.erase(&mut tx, &Ref::new("blobs", "address")).await.is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn altered_shortened_and_exchanged_files_are_noticed() {
    on_both(&[], |t| async move {
        let s = Store::new(&t, 1);
        let len = 5 * 64 * 1024;
        let a = s.blobs.put(content(1, len), &options()).await.unwrap();
        let first = s.files().remove(0);
        let b = s.blobs.put(content(2, len), &options()).await.unwrap();
        let second = s.files().into_iter().find(|f| *f != first).unwrap();
        let whole = std::fs::read(&first).unwrap();
        // Under the simulated disk the durable file is the real one: changing it in place changes what is read.
        let write = |bytes: &[u8]| {
            use std::io::Write;
            let mut file = std::fs::OpenOptions::new().write(true).truncate(true).open(&first).unwrap();
            file.write_all(bytes).unwrap();
        };
        for at in (0..whole.len()).step_by(40_001) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            write(&bytes);
            assert!(matches!(read(&s.blobs, &a).await, Err(Error::Internal(_))), "byte {at}");
        }
        assert_eq!(s.blobs.check(true).await.unwrap().damaged, [a]);
        for cut in [0, 10, 40, 40 + 65_552, 40 + 2 * 65_552, whole.len() - 1] {
            write(&whole[..cut]);
            assert!(matches!(read(&s.blobs, &a).await, Err(Error::Internal(_))), "cut at {cut}");
            assert_eq!(s.blobs.check(false).await.unwrap().damaged, [a]);
        }
        write(&std::fs::read(&second).unwrap());
        let exchanged = read(&s.blobs, &a).await;
        assert!(
            matches!(exchanged, Err(Error::Internal(_))),
            "another content's bytes: {:?}",
            exchanged.map(|b| b.len())
        );
        write(&whole);
        assert!(read(&s.blobs, &a).await.is_ok() && read(&s.blobs, &b).await.is_ok());
        s.sound().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_a_pack_is_noticed() {
    on_both(&[], |t| async move {
        let mut s = Store::new(&t, 1);
        let id = s.blobs.put(content(1, 50_000), &options()).await.unwrap();
        s.blobs.put(content(2, 50_000), &options()).await.unwrap();
        let path = s.disk.path("content/packs/0000000000.segment");
        let flip = || {
            use std::os::unix::fs::FileExt;
            let file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
            let mut byte = [0];
            file.read_exact_at(&mut byte, 30_000).unwrap();
            file.write_all_at(&[byte[0] ^ 1], 30_000).unwrap();
        };
        flip();
        assert!(matches!(read(&s.blobs, &id).await, Err(Error::Internal(_))));
        let report = s.blobs.check(false).await.unwrap();
        assert!(report.packs_damaged.is_some() && !report.is_sound());
        s.blobs.close();
        assert!(matches!(Store::open(&t, &s.disk), Err(Error::Internal(_))), "not opened as if nothing were");
        flip();
        s.blobs = Store::open(&t, &s.disk).unwrap();
        s.sound().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_failure_at_any_moment_leaves_nothing_worse_than_orphans() {
    on_both(&[], |t| async move {
        let rounds = if t.backend == "sqlite" { 40 } else { 12 };
        let mut s = Store::new(&t, 7);
        let mut answered = Vec::new();
        for round in 0..rounds {
            s.disk.halt_after(round % 20);
            for n in 0..4 {
                let len = if n % 2 == 0 { 3_000 } else { SMALL + 3_000 };
                let number = round as u32 * 10 + n;
                match s.blobs.put(content(number, len), &options()).await {
                    Ok(id) => answered.push((id, number, len)),
                    Err(_) => break,
                }
            }
            s.crash();
            // Every row's content is whole, whatever was interrupted.
            let report = s.sound().await;
            assert_eq!(report.objects, answered.len() as u64);
        }
        assert!(answered.len() > 10);
        for (id, number, len) in &answered {
            assert_eq!(read(&s.blobs, id).await.unwrap(), content(*number, *len));
            s.refer(id, &dossier(*number)).await.unwrap();
        }
        t.clock.advance(2 * DAY);
        s.collect().await;
        assert_eq!(s.files().len(), answered.iter().filter(|a| a.2 > SMALL).count(), "orphan files are gone");
        assert_eq!(s.sound().await.objects, answered.len() as u64);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_put_and_transaction_leaves_only_what_is_collected() {
    on_both(&[], |t| async move {
        let mut s = Store::new(&t, 3);
        let small = s.blobs.put(content(1, 400), &options()).await.unwrap();
        let large = s.blobs.put(content(2, SMALL + 400), &options()).await.unwrap();
        s.crash();
        assert!(read(&s.blobs, &small).await.is_ok() && read(&s.blobs, &large).await.is_ok());
        assert_eq!(s.sound().await.unreferenced, 2);
        t.clock.advance(DAY + MINUTE);
        assert_eq!(s.collect().await.unreferenced, 2);
        assert_eq!((s.files().len(), s.rows("blobs_object").await), (0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_disk_is_an_error_and_the_next_start_recovers() {
    on_both(&[], |t| async move {
        let mut s = Store::new(&t, 3);
        s.blobs.put("before", &options()).await.unwrap();
        s.disk.fail(DiskOp::Sync, 0, std::io::ErrorKind::Other);
        assert!(matches!(s.blobs.put("lost", &options()).await, Err(Error::Unavailable { .. })));
        assert!(
            matches!(s.blobs.put("after", &options()).await, Err(Error::Unavailable { .. })),
            "fails closed"
        );
        assert!(s.blobs.stats().ended.is_some());
        s.reopen();
        s.blobs.put("after", &options()).await.unwrap();
        for op in [DiskOp::Write, DiskOp::Sync, DiskOp::Rename, DiskOp::SyncDir, DiskOp::Create] {
            s.disk.fail(op, 0, std::io::ErrorKind::Other);
            assert!(s.blobs.put(content(9, SMALL + 1), &options()).await.is_err(), "{op:?}");
        }
        s.disk.set_space(Some(100_000));
        assert!(s.blobs.put(content(9, SMALL + 1), &options()).await.is_err());
        s.disk.set_space(None);
        s.blobs.put(content(9, SMALL + 1), &options()).await.unwrap();
        assert_eq!(s.sound().await.objects, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mostly_empty_packs_are_emptied_and_what_is_needed_moves() {
    on_both(&[], |t| async move {
        let mut s = Store::new(&t, 1);
        let mut kept = Vec::new();
        for n in 0..40_u32 {
            let id = s.blobs.put(content(n, 100_000), &options()).await.unwrap();
            if n % 5 == 0 {
                s.refer(&id, &dossier(n)).await.unwrap();
                kept.push((id, n));
            }
        }
        let before = s.blobs.stats();
        assert_eq!(s.collect().await, kernel::blobs::Collected::default(), "all are young");
        t.clock.advance(DAY + MINUTE);
        let open = s.blobs.get(&kept[0].0).await.unwrap();
        let done = s.collect().await;
        assert_eq!(done.unreferenced, 32);
        assert!(done.segments >= 5 && done.moved >= 3, "{done:?}");
        assert!(s.blobs.stats().segments < before.segments);
        drop(open);
        s.crash();
        for (id, n) in &kept {
            assert_eq!(read(&s.blobs, id).await.unwrap(), content(*n, 100_000));
        }
        assert_eq!(s.sound().await.objects, 8);
        assert_eq!(s.collect().await.segments, 0, "not emptied again and again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn places_are_found_again_after_a_restore_of_older_tables() {
    on_both(&[], |t| async move {
        let s = Store::new(&t, 1);
        let mut kept = Vec::new();
        for n in 0..30_u32 {
            let id = s.blobs.put(content(n, 100_000), &options()).await.unwrap();
            if n % 6 == 0 {
                s.refer(&id, &dossier(n)).await.unwrap();
                kept.push((id, n));
            }
        }
        let sql = "SELECT id, position FROM blobs_object ORDER BY id";
        let older = t.kernel.db.query(sql, vec![]).await.unwrap();
        t.clock.advance(2 * DAY);
        assert!(s.collect().await.moved > 0);
        let mut tx = t.kernel.begin(&s.cx()).await.unwrap();
        for row in &older {
            let (id, position) = (row.text("id").unwrap(), row.int("position").unwrap());
            tx.execute("UPDATE blobs_object SET position = $2 WHERE id = $1", params![id, position])
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
        let report = s.blobs.check(false).await.unwrap();
        assert!(!report.missing.is_empty() && !report.is_sound());
        assert!(s.blobs.relocate().await.unwrap() > 0);
        s.sound().await;
        for (id, n) in &kept {
            assert_eq!(read(&s.blobs, id).await.unwrap(), content(*n, 100_000));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_names_what_does_not_agree() {
    on_both(&[], |t| async move {
        let s = Store::new(&t, 1);
        let small = s.blobs.put(content(1, 400), &options()).await.unwrap();
        let large = s.blobs.put(content(2, SMALL + 400), &options()).await.unwrap();
        let lost = s.blobs.put(content(3, SMALL + 400), &options()).await.unwrap();
        s.refer(&small, &dossier(1)).await.unwrap();
        let report = s.sound().await;
        assert_eq!((report.objects, report.unreferenced, report.orphans), (3, 2, 0));

        let mut tx = t.kernel.begin(&s.cx()).await.unwrap();
        tx.execute("DELETE FROM blobs_object WHERE id = $1 OR id = $2", params![small, large]).await.unwrap();
        tx.commit().await.unwrap();
        let sql = "SELECT object FROM blobs_object WHERE id = $1";
        let name = t.kernel.db.query_one(sql, params![lost]).await.unwrap().text("object").unwrap();
        let path = s.disk.path(format!("content/files/{}/{name}", &name[name.len() - 2..]));
        s.disk.port().remove(&path).unwrap();

        let report = s.blobs.check(false).await.unwrap();
        assert_eq!(report.dangling, [(small, dossier(1))]);
        assert_eq!((report.missing, report.orphans), (vec![lost], 2));
        assert!(matches!(read(&s.blobs, &lost).await, Err(Error::Internal(_))));
        t.clock.advance(2 * DAY);
        assert_eq!(s.collect().await.orphans, 1, "the file without a row");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_content_put_at_once_is_kept_once() {
    on_both(&[], |t| async move {
        let s = Store::new(&t, 1);
        for len in [2_000, SMALL + 2_000] {
            let puts: Vec<_> = (0..8)
                .map(|_| {
                    let (blobs, bytes) = (s.blobs.clone(), content(5, len));
                    tokio::spawn(async move { blobs.put(bytes, &options()).await.unwrap() })
                })
                .collect();
            let mut ids = HashSet::new();
            for put in puts {
                ids.insert(put.await.unwrap());
            }
            assert_eq!(ids.len(), 1);
            for id in ids {
                assert_eq!(read(&s.blobs, &id).await.unwrap(), content(5, len));
            }
        }
        assert_eq!((s.files().len(), s.rows("blobs_object").await, s.rows("blobs_key").await), (1, 2, 2));
        s.sound().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn collecting_and_referring_at_once_never_lose_what_is_referred_to() {
    on_both(&[], |t| async move {
        let s = Arc::new(Store::new(&t, 1));
        let mut ids = Vec::new();
        for n in 0..60 {
            ids.push(s.blobs.put(content(n, 200), &options()).await.unwrap());
        }
        t.clock.advance(DAY + MINUTE);
        let collector = {
            let s = s.clone();
            tokio::spawn(async move { s.collect().await })
        };
        let mut referred = Vec::new();
        for (n, id) in ids.iter().enumerate().rev() {
            match s.refer(id, &dossier(n as u32)).await {
                Ok(()) => referred.push(*id),
                Err(Error::NotFound { .. } | Error::Unavailable { .. }) => {}
                Err(e) => panic!("{}", e.chain()),
            }
        }
        let collected = collector.await.unwrap().unreferenced;
        assert!(collected + referred.len() as u64 <= 60);
        for id in &referred {
            assert!(read(&s.blobs, id).await.is_ok());
        }
        s.sound().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_master_key_opens_everything_and_the_old_one_nothing() {
    on_both(&[], |t| async move {
        let s = Store::new(&t, 1);
        let id = s.blobs.put("content", &options()).await.unwrap();
        s.erase(&person(3)).await;
        let (old, new) = (&*t.kernel.keys, Keys::from_bytes([9; 32]));
        assert!(rewrap(&t.kernel.db, &new, old, &*t.kernel.random).await.is_err(), "not the old key");
        assert_eq!(rewrap(&t.kernel.db, old, &new, &*t.kernel.random).await.unwrap(), 2);
        assert!(read(&s.blobs, &id).await.is_err());
        s.blobs.close();
        let k = &t.kernel;
        let (db, clock, random) = (k.db.clone(), k.clock.clone(), k.random.clone());
        let parts = Parts {
            db,
            keys: Arc::new(new),
            clock,
            random,
            disk: s.disk.port(),
            dir: s.disk.path("content"),
        };
        let blobs = Blobs::open(parts).unwrap();
        assert_eq!(read(&blobs, &id).await.unwrap(), b"content");
        assert_eq!(blobs.put("content", &options()).await.unwrap(), id, "names stay");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn content_is_streamed_and_a_damaged_end_is_an_error_not_an_end() {
    on_both(&[], |t| async move {
        use futures_util::TryStreamExt;
        let s = Store::new(&t, 1);
        let bytes = content(1, 3 << 20);
        let id = s.blobs.put_reader(&bytes[..], &options()).await.unwrap();
        let stream = s.blobs.get(&id).await.unwrap().into_stream();
        let chunks: Vec<_> = stream.try_collect().await.unwrap();
        assert!(chunks.len() >= 12 && chunks.iter().all(|c| c.len() <= 256 << 10));
        assert_eq!(chunks.concat(), bytes);
        let path = s.files().remove(0);
        let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(40 + 48 * 65_552 - 65_552).unwrap();
        let cut: std::io::Result<Vec<_>> = s.blobs.get(&id).await.unwrap().into_stream().try_collect().await;
        assert!(cut.is_err());
    })
    .await;
}
