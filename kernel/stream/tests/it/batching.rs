//! Group commit, the adaptive cut, back-pressure and dropped futures.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use stream::simulation::DiskOp;
use stream::{Options, Stream};

use crate::{Place, id_of, options, payload, records};

const LONG: Duration = Duration::from_millis(900);

fn patient() -> Options {
    let mut options = options();
    options.segment_bytes = 1 << 20;
    options.first_segment_bytes = 1 << 20;
    options.max_delay = LONG;
    options
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_appenders_share_flushes_and_each_gets_its_own_place() {
    let place = Place::new(1);
    place.disk.delay(DiskOp::Sync, Duration::from_millis(1));
    let (stream, _) = place.open_with(patient()).unwrap();
    let tasks: Vec<_> = (0..64u32)
        .map(|task| {
            let stream = stream.clone();
            tokio::spawn(async move {
                let mut last = None;
                for i in 0..20 {
                    let id = task * 20 + i;
                    let position = stream.append(payload(id, 40)).await.unwrap();
                    assert!(position < stream.durable(), "answered before durable");
                    assert!(last < Some(position), "one caller's records keep their order");
                    last = Some(position);
                    assert_eq!(id_of(&stream.get(position).unwrap().unwrap()), id);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let stats = stream.stats();
    assert_eq!((stats.records, stats.durable), (64 * 20, 64 * 20));
    assert!(stats.flushes < 640 && stats.largest_batch >= 8, "{stats:?}");
}

#[test]
fn callers_on_several_runtimes_and_threads_are_all_answered() {
    let place = Place::new(1);
    let (stream, _) = place.open_with(patient()).unwrap();
    let threads: Vec<_> = (0..6u32)
        .map(|n| {
            let stream = stream.clone();
            std::thread::spawn(move || {
                if n < 2 {
                    for i in 0..50 {
                        stream.append_blocking(payload(n * 50 + i, 9)).unwrap();
                    }
                    return;
                }
                // Two runtimes one after the other on this thread: the first one's task ends with it.
                for half in 0..2 {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    runtime.block_on(async {
                        let appends = (0..25).map(|i| stream.append(payload(n * 50 + half * 25 + i, 9)));
                        join_all(appends).await.into_iter().for_each(|r| assert!(r.is_ok()));
                    });
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
    let mut ids: Vec<_> = records(&stream, 0).iter().map(|r| id_of(&r.1)).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..300).collect::<Vec<_>>());
}

pub(crate) async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    poll_fn(|cx| {
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(cx)
            {
                *output = Some(value);
            }
        }
        if outputs.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs.into_iter().map(Option::unwrap).collect()
}

#[tokio::test]
async fn the_writer_waits_for_expected_records_and_for_no_others() {
    let place = Place::new(1);
    let (stream, _) = place.open_with(patient()).unwrap();
    // Nobody is expected: at once, although the delay is long.
    tokio::time::timeout(LONG / 2, stream.append(payload(0, 1))).await.unwrap().unwrap();
    // One is expected: the first waits for it, and both share a flush.
    let second = stream.expect();
    let first = stream.append(payload(1, 1));
    let (mut first, early) = (pin!(first), Duration::from_millis(50));
    assert!(tokio::time::timeout(early, first.as_mut()).await.is_err(), "flushed without its neighbour");
    let (a, b) = tokio::time::timeout(LONG / 2, async { tokio::join!(first, second.append(payload(2, 1))) })
        .await
        .expect("the last expected record cuts the batch");
    assert_eq!((a.unwrap(), b.unwrap()), (1, 2));
    assert_eq!(stream.stats().flushes, 2);
}

#[tokio::test]
async fn a_dropped_promise_is_no_longer_waited_for() {
    let place = Place::new(1);
    let (stream, _) = place.open_with(patient()).unwrap();
    let promise = stream.expect();
    let append = stream.append(payload(0, 1));
    let mut append = pin!(append);
    assert!(tokio::time::timeout(Duration::from_millis(30), append.as_mut()).await.is_err());
    drop(promise);
    tokio::time::timeout(LONG / 2, append).await.expect("released by the drop").unwrap();

    // Also when the future of the promised append is dropped, before or after it was accepted.
    drop(stream.expect().append(payload(1, 1)));
    let accepted = stream.expect();
    let blocker = stream.expect();
    {
        let mut append = pin!(accepted.append(payload(2, 1)));
        assert!(tokio::time::timeout(Duration::from_millis(10), append.as_mut()).await.is_err());
    }
    drop(blocker);
    tokio::time::timeout(LONG / 2, stream.append(payload(3, 1))).await.expect("nothing leaked").unwrap();
    let ids: Vec<_> = records(&stream, 0).iter().map(|r| id_of(&r.1)).collect();
    assert_eq!(ids, [0, 2, 3], "withdrawn before acceptance, kept after");
}

#[tokio::test]
async fn a_promise_that_is_never_kept_costs_the_delay_and_no_more() {
    let place = Place::new(1);
    let mut options = patient();
    options.max_delay = Duration::from_millis(5);
    let (stream, _) = place.open_with(options).unwrap();
    let _never = stream.expect();
    for i in 0..3 {
        tokio::time::timeout(LONG, stream.append(payload(i, 1))).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn much_waiting_is_flushed_even_if_more_is_expected() {
    let place = Place::new(1);
    let mut options = patient();
    options.max_pending_records = 8;
    let (stream, _) = place.open_with(options).unwrap();
    let _never = stream.expect();
    let appends = join_all((0..4).map(|i| stream.append(payload(i, 1))));
    tokio::time::timeout(LONG / 2, appends)
        .await
        .expect("half the queue is full")
        .into_iter()
        .for_each(|r| assert!(r.is_ok()));
}

#[tokio::test]
async fn a_full_queue_makes_callers_wait_and_loses_nothing() {
    for (bytes, records_limit) in [(400, 65_536), (1 << 20, 3)] {
        let place = Place::new(1);
        place.disk.delay(DiskOp::Sync, Duration::from_millis(2));
        let mut options = patient();
        options.max_pending_bytes = bytes;
        options.max_pending_records = records_limit;
        let (stream, _) = place.open_with(options).unwrap();
        let watcher = stream.clone();
        let appends = join_all((0..40).map(|i| stream.append(payload(i, 100))));
        let (results, most) = tokio::join!(appends, async {
            let mut most = (0, 0);
            while watcher.durable() < 40 {
                let stats = watcher.stats();
                most = (most.0.max(stats.pending_records), most.1.max(stats.pending_bytes));
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            most
        });
        let mut places: Vec<_> = results.into_iter().map(Result::unwrap).enumerate().collect();
        for (id, position) in &places {
            assert_eq!(id_of(&stream.get(*position).unwrap().unwrap()), *id as u32);
        }
        places.sort_by_key(|p| p.1);
        assert!(places.iter().map(|p| p.1).eq(0..40), "dense, none twice");
        assert!(most.0 <= records_limit && most.1 <= bytes, "{most:?}");
        assert!(stream.stats().largest_batch <= 3, "136 bytes each, 400 at once");
    }
}

#[tokio::test]
async fn a_record_larger_than_the_whole_queue_passes_alone() {
    let place = Place::new(1);
    let mut options = patient();
    options.max_pending_bytes = 100;
    let (stream, _) = place.open_with(options).unwrap();
    let results = join_all([5_000, 10, 5_000].into_iter().map(|len| stream.append(payload(1, len)))).await;
    assert_eq!(results.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [0, 1, 2]);
}

#[tokio::test]
async fn dropped_appends_keep_order_and_room() {
    let place = Place::new(1);
    place.disk.delay(DiskOp::Sync, Duration::from_millis(1));
    let mut options = patient();
    options.max_pending_records = 4;
    let (stream, _) = place.open_with(options).unwrap();
    for round in 0..30u32 {
        // Some of these are dropped waiting for room, some accepted, some answered.
        let appends = join_all((0..8).map(|i| stream.append(payload(round * 8 + i, 20))));
        let _ = tokio::time::timeout(Duration::from_micros(u64::from(round) * 150), appends).await;
    }
    tokio::time::timeout(LONG, stream.append(payload(9_999, 1))).await.expect("no room leaked").unwrap();
    let ids: Vec<_> = records(&stream, 0).iter().map(|r| id_of(&r.1)).collect();
    assert!(ids.iter().map(|id| id / 8).is_sorted(), "what was given later comes later");
    assert_eq!(ids.last(), Some(&9_999));
}

#[tokio::test]
async fn one_message_per_batch_wakes_the_runtime() {
    // The waiting callers are woken by a task of this runtime, so none is woken while it does not run.
    let place = Place::new(1);
    let (stream, _) = place.open_with(patient()).unwrap();
    let mut watch = stream.watch();
    let mut append = pin!(stream.append(payload(0, 1)));
    assert!(poll_fn(|cx| Poll::Ready(append.as_mut().poll(cx).is_pending())).await);
    watch.changed().await.unwrap();
    assert_eq!(append.await.unwrap(), 0);
}

#[test]
fn handles_are_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Stream>();
    shared::<Arc<Stream>>();
    shared::<stream::Expected>();
    shared::<stream::Follower>();
}
