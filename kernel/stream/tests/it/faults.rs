//! Disks that fail and fill up: the stream stops, says so, and loses nothing it acknowledged.

use std::io::ErrorKind;
use std::time::Duration;

use stream::simulation::DiskOp;
use stream::{Error, Stream};

use crate::batching::join_all;
use crate::{Place, id_of, options, payload, records};

fn assert_failed(stream: &Stream) {
    let error = stream.append_blocking(payload(99, 1)).unwrap_err();
    assert!(matches!(error, Error::Failed { .. }), "{error}");
    assert!(stream.stats().ended.is_some());
}

#[tokio::test]
async fn an_error_answers_everybody_and_ends_the_stream() {
    for op in [DiskOp::Write, DiskOp::Sync] {
        let place = Place::new(3);
        let (stream, _) = place.open().unwrap();
        for i in 0..5 {
            stream.append(payload(i, 30)).await.unwrap();
        }
        place.disk.fail(op, 0, ErrorKind::Other);
        let answers = join_all((5..9).map(|i| stream.append(payload(i, 30)))).await;
        assert!(answers.iter().all(|a| matches!(a, Err(Error::Failed { .. }))), "{answers:?}");
        assert_failed(&stream);
        assert_eq!(stream.durable(), 5);
        assert_eq!(records(&stream, 0).len(), 5, "what was durable can be read");
        let mut watch = stream.watch();
        watch.borrow_and_update();
        assert!(watch.changed().await.is_err(), "followers learn of the end");
        let mut follower = stream.follow(0);
        assert_eq!(follower.next(100).await.unwrap().unwrap().len(), 5);
        assert!(matches!(follower.next(100).await, Err(Error::Failed { .. })));
        // Opening anew is possible at once, without dropping the failed handle.
        let (again, recovered) = place.open().unwrap();
        assert!(recovered.next >= 5);
        again.append(payload(10, 3)).await.unwrap();
    }
}

#[test]
fn bytes_of_a_failed_flush_are_durable_before_they_are_shown_again() {
    for seed in 0..20 {
        let mut place = Place::new(seed);
        let (stream, _) = place.open().unwrap();
        stream.append_blocking(payload(0, 30)).unwrap();
        place.disk.fail(DiskOp::Sync, 0, ErrorKind::Other);
        stream.append_blocking(payload(1, 30)).unwrap_err();
        drop(stream);
        // The page cache still shows the second record, but the disk never got it.
        let (stream, recovered) = place.open().unwrap();
        assert_eq!(recovered.next, 2);
        assert_eq!(id_of(&stream.get(1).unwrap().unwrap()), 1);
        place.crash();
        drop(stream);
        let (stream, recovered) = place.open().unwrap();
        assert_eq!(recovered.next, 2, "shown as durable, so it must be");
        assert_eq!(id_of(&stream.get(1).unwrap().unwrap()), 1);
    }
}

#[test]
fn opening_fails_on_a_failing_disk_and_succeeds_later() {
    for op in [DiskOp::Create, DiskOp::Rename, DiskOp::SyncDir, DiskOp::Write, DiskOp::Sync, DiskOp::Read] {
        let place = Place::new(1);
        place.disk.fail(op, 0, ErrorKind::Other);
        let result = place.open();
        assert!(matches!(result, Err(Error::Io { .. })), "{op:?}: {result:?}");
        let (stream, recovered) = place.open().unwrap();
        assert_eq!(recovered.next, 0);
        stream.append_blocking(payload(0, 1)).unwrap();
    }
}

#[test]
fn a_full_disk_is_noticed_early_and_ends_the_stream_only_when_the_segment_is_full() {
    let place = Place::new(1);
    let (stream, _) = place.open().unwrap();
    place.disk.set_space(Some(100));
    let mut accepted = 0;
    let error = loop {
        match stream.append_blocking(payload(accepted, 50)) {
            Ok(_) => accepted += 1,
            Err(e) => break e,
        }
    };
    let Error::Failed { source, .. } = &error else { panic!("{error}") };
    assert_eq!(source.kind(), ErrorKind::StorageFull);
    assert_eq!(accepted, 10, "the segment at hand was used to the end");
    assert!(stream.stats().failed_preparations > 0);
    drop(stream);
    place.disk.set_space(None);
    let (stream, recovered) = place.open().unwrap();
    assert_eq!(recovered.next, 10);
    for i in 10..40 {
        stream.append_blocking(payload(i, 50)).unwrap();
    }
}

#[test]
fn space_freed_in_time_goes_unnoticed() {
    let place = Place::new(1);
    let (stream, _) = place.open().unwrap();
    place.disk.set_space(Some(100));
    let mut i = 0;
    while stream.stats().failed_preparations == 0 {
        stream.append_blocking(payload(i, 50)).unwrap();
        i += 1;
        std::thread::sleep(Duration::from_millis(2));
    }
    place.disk.set_space(None);
    for i in i..40 {
        stream.append_blocking(payload(i, 50)).unwrap();
    }
}

#[test]
fn a_segment_that_cannot_be_prepared_for_another_reason_ends_the_stream() {
    let place = Place::new(1);
    let (stream, _) = place.open().unwrap();
    place.disk.fail(DiskOp::SyncDir, 0, ErrorKind::Other);
    let failed = (0..40).find_map(|i| stream.append_blocking(payload(i, 50)).err());
    assert!(
        matches!(failed, Some(Error::Failed { .. })),
        "a directory that did not synchronise is not trusted"
    );
    drop(stream);
    let (stream, recovered) = place.open().unwrap();
    assert!(recovered.next >= 10);
    stream.append_blocking(payload(0, 1)).unwrap();
}

#[test]
fn waiting_callers_are_answered_when_the_disk_fails() {
    let place = Place::new(1);
    place.disk.delay(DiskOp::Sync, Duration::from_millis(5));
    let mut options = options();
    options.max_pending_records = 2;
    let (stream, _) = place.open_with(options).unwrap();
    place.disk.fail(DiskOp::Sync, 2, ErrorKind::Other);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let answers = runtime.block_on(async {
        let appends = join_all((0..20).map(|i| stream.append(payload(i, 5))));
        tokio::time::timeout(Duration::from_secs(5), appends).await.expect("nobody waits for ever")
    });
    let accepted = answers.iter().take_while(|a| a.is_ok()).count();
    assert!((1..20).contains(&accepted));
    assert!(answers[accepted..].iter().all(|a| matches!(a, Err(Error::Failed { .. }))));
}

#[test]
fn a_failed_removal_is_told_and_leaves_the_stream_whole() {
    let place = Place::new(1);
    let (stream, _) = place.open().unwrap();
    for i in 0..100 {
        stream.append_blocking(payload(i, 200)).unwrap();
    }
    place.disk.fail(DiskOp::Remove, 1, ErrorKind::Other);
    assert!(matches!(stream.truncate_front(80), Err(Error::Io { .. })));
    stream.append_blocking(payload(100, 5)).unwrap();
    drop(stream);
    let (stream, recovered) = place.open().unwrap();
    assert_eq!(recovered.next, 101);
    assert_eq!(records(&stream, recovered.first).len() as u64, 101 - recovered.first);
}
