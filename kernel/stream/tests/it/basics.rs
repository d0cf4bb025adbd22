//! Appending, reading, opening again, rotating, removing, following, closing.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use stream::{Error, RealDisk, Stream};

use crate::{Place, id_of, options, payload, records};

#[tokio::test]
async fn records_come_back_in_order_across_segments_and_restarts() {
    let place = Place::new(1);
    let mut id = 0;
    for round in 0..4 {
        let (stream, recovered) = place.open().unwrap();
        assert_eq!((recovered.first, recovered.next, recovered.cut), (0, round * 40, None));
        for len in 0..40 {
            assert_eq!(stream.append(payload(id, len * 9)).await.unwrap(), u64::from(id));
            id += 1;
        }
        assert_eq!(stream.durable(), u64::from(id));
        for from in [0, 1, 17, stream.durable() - 1] {
            let ids: Vec<_> = records(&stream, from).iter().map(|r| id_of(&r.1)).collect();
            assert_eq!(ids, (from as u32..id).collect::<Vec<_>>());
        }
        assert_eq!(stream.read(u64::from(id)).next().map(|r| r.is_ok()), None);
        assert!(stream.stats().segments > round as usize, "40 records fill several segments");
    }
}

#[test]
fn the_real_disk_keeps_what_was_appended() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b/stream");
    for round in 0..3 {
        let (stream, recovered) = Stream::open(Arc::new(RealDisk), &path, options()).unwrap();
        assert_eq!(recovered.next, round * 100);
        for i in 0..100 {
            stream.append_blocking(payload(i, 50)).unwrap();
        }
        assert_eq!(records(&stream, 0).len() as u64, (round + 1) * 100);
    }
    assert!(std::fs::metadata(path.join("0000000003.segment")).unwrap().len() == 4_096, "full-sized by now");
}

#[test]
fn segments_grow_from_the_small_first_one() {
    let place = Place::new(1);
    let (stream, _) = place.open().unwrap();
    for i in 0..60 {
        stream.append_blocking(payload(i, 100)).unwrap();
    }
    let size = |n| std::fs::metadata(place.segment(n)).unwrap().len();
    assert_eq!((size(0), size(1), size(2)), (1_024, 4_096, 4_096));
}

#[tokio::test]
async fn records_that_can_never_fit_are_refused_and_nothing_else_is() {
    let place = Place::new(1);
    let (stream, _) = place.open().unwrap();
    let limit = 4_096 - 64 - 24;
    let error = stream.append(Bytes::from(vec![0; limit + 1])).await.unwrap_err();
    assert!(
        matches!(error, Error::TooLarge { bytes, limit: l } if bytes == limit + 1 && l == limit),
        "{error}"
    );
    assert_eq!(stream.append(Bytes::from(vec![1; limit])).await.unwrap(), 0, "larger than the first segment");
    assert_eq!(stream.append(Bytes::new()).await.unwrap(), 1);
    assert_eq!(stream.append(Bytes::from(vec![2; limit])).await.unwrap(), 2);
    drop(stream);
    let (stream, _) = place.open().unwrap();
    let lens: Vec<_> = records(&stream, 0).iter().map(|r| r.1.len()).collect();
    assert_eq!(lens, [limit, 0, limit]);
}

#[tokio::test]
async fn old_segments_go_whole_and_positions_stay() {
    let place = Place::new(1);
    let (stream, _) = place.open().unwrap();
    for i in 0..100 {
        stream.append(payload(i, 200)).await.unwrap();
    }
    let mut early = stream.read(0);
    assert_eq!(id_of(&early.next().unwrap().unwrap().1), 0);
    let first = stream.truncate_front(60).unwrap();
    assert!((40..=60).contains(&first), "{first}");
    assert_eq!(stream.first(), first);
    assert!(matches!(stream.get(first - 1), Err(Error::Removed { .. })));
    assert_eq!(id_of(&stream.get(first).unwrap().unwrap()), first as u32);
    assert_eq!(stream.get(100).unwrap(), None);
    let rest: Vec<_> = early.collect();
    assert!(rest.last().unwrap().is_err(), "a reader in a removed segment ends with an error, not silently");
    drop(stream);
    let (stream, recovered) = place.open().unwrap();
    assert_eq!((recovered.first, recovered.next), (first, 100));
    let last = stream.truncate_front(u64::MAX).unwrap();
    assert!(last < 100 && stream.stats().segments == 1, "the last segment stays");
    assert_eq!(stream.append(payload(100, 5)).await.unwrap(), 100);
}

#[tokio::test]
async fn followers_get_everything_and_learn_of_the_end() {
    let place = Place::new(1);
    let (stream, _) = place.open().unwrap();
    for i in 0..30 {
        stream.append(payload(i, 60)).await.unwrap();
    }
    let mut follower = stream.follow(10);
    let first = follower.next(7).await.unwrap().unwrap();
    assert_eq!(first.iter().map(|r| r.0).collect::<Vec<_>>(), (10..17).collect::<Vec<_>>());
    let task = tokio::spawn(async move {
        let mut seen = 17;
        while let Some(batch) = follower.next(1_000).await.unwrap() {
            for (position, bytes) in batch {
                assert_eq!((position, id_of(&bytes)), (seen, seen as u32));
                seen += 1;
            }
        }
        seen
    });
    for i in 30..90 {
        stream.append(payload(i, 60)).await.unwrap();
        if i % 10 == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    drop(stream);
    assert_eq!(task.await.unwrap(), 90);
}

#[tokio::test]
async fn a_follower_that_was_interrupted_misses_nothing() {
    let place = Place::new(1);
    let (stream, _) = place.open().unwrap();
    let mut follower = stream.follow(0);
    let waited = tokio::time::timeout(Duration::from_millis(5), follower.next(10)).await;
    assert!(waited.is_err(), "nothing to read yet");
    stream.append(payload(7, 7)).await.unwrap();
    assert_eq!(follower.next(10).await.unwrap().unwrap().len(), 1);
}

#[tokio::test]
async fn closing_keeps_what_was_accepted_and_refuses_the_rest() {
    let place = Place::new(1);
    let (stream, _) = place.open().unwrap();
    let expected = stream.expect();
    let other = stream.clone();
    stream.append(payload(0, 10)).await.unwrap();
    stream.close();
    assert!(matches!(other.append(payload(1, 10)).await, Err(Error::Closed(_))));
    assert!(matches!(expected.append(payload(1, 10)).await, Err(Error::Closed(_))));
    assert_eq!(records(&other, 0).len(), 1, "reading goes on");
    let (_again, recovered) = place.open().unwrap();
    assert_eq!(recovered.next, 1);
}

#[test]
fn a_directory_has_one_owner_and_one_stream() {
    let place = Place::new(1);
    let (stream, _) = place.open().unwrap();
    assert!(matches!(place.open(), Err(Error::Busy(_))));
    drop(stream);
    let mut other = options();
    other.name = "other".into();
    assert!(matches!(place.open_with(other), Err(Error::Corrupt { .. })), "another stream's files");

    let dir = tempfile::tempdir().unwrap();
    let _held = Stream::open(Arc::new(RealDisk), dir.path(), options()).unwrap();
    assert!(matches!(Stream::open(Arc::new(RealDisk), dir.path(), options()), Err(Error::Busy(_))));
}

#[test]
fn contradictory_options_are_refused() {
    let place = Place::new(1);
    let refused: [fn(&mut stream::Options); 6] = [
        |o| o.name.clear(),
        |o| o.segment_bytes = 100,
        |o| o.first_segment_bytes = 2 << 30,
        |o| o.max_delay = Duration::from_secs(2),
        |o| o.max_pending_bytes = 0,
        |o| o.probe_flushes = 1_000,
    ];
    for change in refused {
        let mut options = options();
        change(&mut options);
        assert!(matches!(place.open_with(options), Err(Error::Options(_))));
    }
}

#[test]
fn flushes_are_measured_at_the_start_and_later() {
    let place = Place::new(1);
    place.disk.delay(stream::simulation::DiskOp::Sync, Duration::from_millis(3));
    let mut options = options();
    options.probe_flushes = 3;
    let (stream, recovered) = place.open_with(options).unwrap();
    assert!(recovered.flush >= Duration::from_millis(3));
    stream.append_blocking(payload(0, 10)).unwrap();
    let stats = stream.stats();
    assert!(stats.start_flush >= Duration::from_millis(3) && stats.last_flush >= Duration::from_millis(3));
    assert!(stats.flush_quantile(0.5) >= Duration::from_millis(3));
    assert_eq!((stats.flushes, stats.records, stats.durable, stats.ended), (1, 1, 1, None));
}
