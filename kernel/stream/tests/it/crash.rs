//! Random histories of appending, power failures, kills and restarts: what was acknowledged is there, in order;
//! what was not is whole or absent.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use crate::batching::join_all;
use crate::{Place, id_of, payload, records};

#[derive(Debug, Clone)]
enum End {
    Crash,
    Kill,
    Close,
}

#[derive(Debug, Clone)]
struct Round {
    sizes: Vec<usize>,
    /// Records given at once; the rest follow when they are answered.
    together: usize,
    /// The power fails after so many operations.
    halt: Option<u64>,
    truncate: bool,
    end: End,
}

fn round() -> impl Strategy<Value = Round> {
    let end = prop_oneof![4 => Just(End::Crash), 1 => Just(End::Kill), 1 => Just(End::Close)];
    let halt = prop_oneof![1 => Just(None), 3 => (0..40u64).prop_map(Some)];
    let sizes = prop::collection::vec(prop_oneof![8 => 0..300usize, 1 => 300..3_900usize], 0..30);
    (sizes, 1..10usize, halt, prop::bool::weighted(0.2), end)
        .prop_map(|(sizes, together, halt, truncate, end)| Round { sizes, together, halt, truncate, end })
}

/// What the test knows: which ids were given, and which place was acknowledged for which.
#[derive(Default)]
struct Known {
    given: u32,
    acknowledged: BTreeMap<u64, u32>,
}

impl Known {
    /// Everything that can be read is thereby shown as durable, and must stay.
    fn check(&mut self, stream: &stream::Stream, first: u64, halting: bool) {
        let mut found = Vec::new();
        for record in stream.read(first) {
            match record {
                Ok(record) => found.push(record),
                Err(stream::Error::Io { .. }) if halting => return,
                Err(e) => panic!("{e}"),
            }
        }
        let mut seen = HashSet::new();
        for (i, (position, bytes)) in found.iter().enumerate() {
            assert_eq!(*position, first + i as u64, "dense");
            let id = id_of(bytes);
            assert!(id < self.given && seen.insert(id), "invented or doubled");
            if let Some(acknowledged) = self.acknowledged.get(position) {
                assert_eq!(*acknowledged, id, "another record at an acknowledged place");
            }
        }
        let next = first + found.len() as u64;
        let missing = self.acknowledged.range(next..).next();
        assert_eq!(missing, None, "an acknowledged record is gone");
        self.acknowledged.extend(found.iter().map(|(position, bytes)| (*position, id_of(bytes))));
    }
}

fn run(seed: u64, rounds: Vec<Round>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut place = Place::new(seed);
    let mut known = Known::default();
    for round in rounds {
        if let Some(after) = round.halt {
            place.disk.halt_after(after);
        }
        // Opening may itself be hit by the power failure.
        if let Ok((stream, recovered)) = place.open() {
            known.check(&stream, recovered.first, round.halt.is_some());
            if round.truncate {
                let _ = stream.truncate_front(recovered.next / 2);
            }
            for group in round.sizes.chunks(round.together) {
                let ids = known.given..known.given + group.len() as u32;
                known.given = ids.end;
                let appends = ids.clone().zip(group).map(|(id, len)| stream.append(payload(id, *len)));
                let answers = runtime.block_on(join_all(appends));
                for (id, answer) in ids.zip(answers) {
                    if let Ok(position) = answer {
                        assert_eq!(known.acknowledged.insert(position, id), None);
                    }
                }
            }
            match round.end {
                End::Close => drop(stream),
                // The machine or process stops while the writer is still there.
                End::Crash => place.crash(),
                End::Kill => place.disk = place.disk.kill(),
            }
        }
        if round.halt.is_some() {
            place.crash();
        }
    }
    let (stream, recovered) = place.open().expect("a stream that only lost power opens");
    known.check(&stream, recovered.first, false);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn acknowledged_records_survive_every_history(seed: u64, rounds in prop::collection::vec(round(), 1..8)) {
        run(seed, rounds);
    }
}

#[test]
fn a_flush_torn_at_every_byte_is_cut_and_nothing_before_it() {
    let place = Place::new(1);
    let (stream, _) = place.open().unwrap();
    for i in 0..3 {
        stream.append_blocking(payload(i, 50)).unwrap();
    }
    // Killed here, the file ends with the third record and no mark.
    let disk = place.disk.kill();
    drop(stream);
    drop(disk);
    let whole = std::fs::read(place.segment(0)).unwrap();
    let end = whole.iter().rposition(|b| *b != 0).unwrap() + 1;
    let start = 64 + 2 * 88;
    assert!((start + 24..start + 82).contains(&end));
    for cut in start..end {
        let dir = tempfile::tempdir().unwrap();
        let mut torn = whole.clone();
        torn[cut..].fill(0);
        std::fs::write(dir.path().join("0000000000.segment"), &torn).unwrap();
        let disk = std::sync::Arc::new(stream::RealDisk);
        let (stream, recovered) = stream::Stream::open(disk, dir.path(), crate::options()).unwrap();
        assert_eq!(recovered.next, 2, "torn at byte {cut}");
        assert_eq!(recovered.cut.is_some(), torn[start..].iter().any(|b| *b != 0));
        assert_eq!(stream.append_blocking(payload(9, 10)).unwrap(), 2);
        let ids: Vec<_> = records(&stream, 0).iter().map(|r| id_of(&r.1)).collect();
        assert_eq!(ids, [0, 1, 9], "what was cut does not come back");
    }
}

#[test]
fn a_flush_of_several_records_with_a_hole_is_cut_whole() {
    let mut place = Place::new(1);
    let (stream, _) = place.open().unwrap();
    stream.append_blocking(payload(0, 50)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let promise = stream.expect();
    runtime.block_on(async {
        let group = join_all((1..6).map(|i| stream.append(payload(i, 50))));
        tokio::join!(group, promise.append(payload(6, 50))).1.unwrap();
    });
    assert_eq!(stream.stats().flushes, 2);
    place.disk = place.disk.kill();
    drop(stream);
    // The second record's sector never arrived; the later ones did.
    let mut bytes = std::fs::read(place.segment(0)).unwrap();
    bytes[64 + 88 + 30..64 + 88 + 60].fill(0);
    std::fs::write(place.segment(0), &bytes).unwrap();
    let (stream, recovered) = place.open().unwrap();
    assert_eq!(recovered.next, 1);
    assert!(recovered.cut.unwrap().bytes > 400);
    stream.append_blocking(payload(7, 50)).unwrap();
    place.disk = place.disk.kill(); // a clean end would write a mark over the remains
    drop(stream);
    let (stream, _) = place.open().unwrap();
    let ids: Vec<_> = records(&stream, 0).iter().map(|r| id_of(&r.1)).collect();
    assert_eq!(ids, [0, 7], "remains of the torn flush do not come back behind a new record");
}

#[test]
fn removing_old_segments_never_leaves_a_gap() {
    for seed in 0..40 {
        let mut place = Place::new(seed);
        let (stream, _) = place.open().unwrap();
        for i in 0..100 {
            stream.append_blocking(payload(i, 200)).unwrap();
        }
        if seed % 2 == 0 {
            place.disk.halt_after(seed / 2);
        }
        let _ = stream.truncate_front(90);
        place.crash();
        let (stream, recovered) = place.open().unwrap();
        assert_eq!(recovered.next, 100);
        assert_eq!(records(&stream, recovered.first).len() as u64, 100 - recovered.first);
        assert!(seed % 2 == 0 || recovered.first > 70, "removed for good once answered");
    }
}
