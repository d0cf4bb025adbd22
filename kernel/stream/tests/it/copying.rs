//! Copies made for a backup while the stream is written, and streams opened from them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use stream::{Error, RealDisk, Stream, copies};

use crate::{Place, id_of, options, payload, records};

#[test]
fn a_copy_made_under_load_opens_and_holds_everything_durable_before_it() {
    let from = tempfile::tempdir().unwrap();
    let (stream, _) = Stream::open(Arc::new(RealDisk), from.path(), options()).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..3u32)
        .map(|n| {
            let (stream, stop) = (stream.clone(), stop.clone());
            std::thread::spawn(move || {
                for i in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    stream.append_blocking(payload(n * 1_000_000 + i, (i % 90) as usize)).unwrap();
                }
            })
        })
        .collect();
    for round in 0..30 {
        std::thread::sleep(std::time::Duration::from_millis(3));
        if round % 7 == 6 {
            stream.truncate_front(stream.durable() / 2).unwrap();
        }
        let durable = stream.durable();
        let to = tempfile::tempdir().unwrap();
        for copy in copies(Arc::new(RealDisk), from.path()).unwrap() {
            let copy = copy.unwrap();
            std::fs::write(to.path().join(&copy.name), &copy.bytes).unwrap();
        }
        let (copied, recovered) = Stream::open(Arc::new(RealDisk), to.path(), options()).unwrap();
        assert!(recovered.next >= durable && recovered.cut.is_none());
        // The copy may be ahead by a flush that is under way.
        while stream.durable() < recovered.next {
            std::thread::yield_now();
        }
        let (ours, theirs) = (records(&copied, recovered.first), records(&stream, recovered.first));
        assert_eq!(ours[..], theirs[..ours.len()]);
    }
    stop.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|t| t.join().unwrap());
}

#[test]
fn damage_is_not_copied_silently_and_blank_segments_are_left_out() {
    let place = Place::new(1);
    let (stream, _) = place.open().unwrap();
    for i in 0..8 {
        stream.append_blocking(payload(i, 64)).unwrap();
    }
    drop(stream);
    let disk: Arc<dyn stream::Disk> = Arc::new(RealDisk);
    let all: Vec<_> = copies(disk.clone(), place.dir()).unwrap().map(Result::unwrap).collect();
    assert_eq!(all.len(), 1, "the second segment is prepared and not in use");
    let mut bytes = all[0].bytes.clone();
    bytes[200] ^= 1;
    std::fs::write(place.segment(0), &bytes).unwrap();
    let mut damaged = copies(disk, place.dir()).unwrap();
    assert!(matches!(damaged.next(), Some(Err(Error::Corrupt { .. }))));
    assert!(damaged.next().is_none());
}

#[test]
fn segments_can_be_listed() {
    let place = Place::new(1);
    let (stream, _) = place.open().unwrap();
    for i in 0..60 {
        stream.append_blocking(payload(i, 100)).unwrap();
    }
    let segments = stream.segments();
    assert!(segments.len() >= 2);
    assert_eq!((segments[0].first, segments[0].bytes), (0, 1_024));
    assert!(segments.windows(2).all(|w| w[0].next == w[1].first));
    assert_eq!(segments.last().unwrap().next, 60);
    assert_eq!(id_of(&stream.get(segments[1].first).unwrap().unwrap()), segments[1].first as u32);
}
