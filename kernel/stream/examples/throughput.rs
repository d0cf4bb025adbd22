//! How many records per second become durable on this disk, by number of callers:
//! `cargo run -p stream --example throughput --release -- [directory] [seconds]`.
//! Each caller appends 300 bytes, waits for the answer, and begins again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base::clock::Stopwatch;
use base::random::SystemRandom;
use bytes::Bytes;
use stream::{Options, RealDisk, Stream};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let dir = args.next().unwrap_or_else(|| "target/throughput".into());
    let seconds: u64 = args.next().map_or(Ok(3), |s| s.parse())?;
    println!("callers   records/s   records/flush   p50 answer   p99 answer   flush p50   flush p99");
    for callers in [1, 4, 16, 64, 256] {
        let path = format!("{dir}/{callers}-{}", std::process::id());
        measure(&path, callers, Duration::from_secs(seconds))?;
        std::fs::remove_dir_all(&path)?;
    }
    Ok(())
}

fn measure(path: &str, callers: usize, time: Duration) -> Result<(), Box<dyn std::error::Error>> {
    let mut options = Options::new("throughput", &SystemRandom);
    options.first_segment_bytes = options.segment_bytes;
    let (stream, _) = Stream::open(Arc::new(RealDisk), path, options)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut waits = runtime.block_on(async {
        let tasks: Vec<_> =
            (0..callers).map(|_| tokio::spawn(caller(stream.clone(), Arc::clone(&stop)))).collect();
        tokio::time::sleep(time).await;
        stop.store(true, Ordering::Relaxed);
        let mut waits = Vec::new();
        for task in tasks {
            waits.extend(task.await??);
        }
        Ok::<_, Box<dyn std::error::Error>>(waits)
    })?;
    waits.sort_unstable();
    let at = |share: f64| waits.get((waits.len() as f64 * share) as usize).copied().unwrap_or_default();
    let stats = stream.stats();
    println!(
        "{callers:>7}   {:>9.0}   {:>13.1}   {:>10.0?}   {:>10.0?}   {:>9.0?}   {:>9.0?}",
        waits.len() as f64 / time.as_secs_f64(),
        stats.records as f64 / stats.flushes.max(1) as f64,
        at(0.5),
        at(0.99),
        stats.flush_quantile(0.5),
        stats.flush_quantile(0.99),
    );
    Ok(())
}

async fn caller(stream: Stream, stop: Arc<AtomicBool>) -> stream::Result<Vec<Duration>> {
    let payload = Bytes::from(vec![7; 300]);
    let mut waits = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let watch = Stopwatch::start();
        // As a gateway does: announced when the request is accepted, appended after the others had a turn.
        let expected = stream.expect();
        tokio::task::yield_now().await;
        expected.append(payload.clone()).await?;
        waits.push(watch.elapsed());
    }
    Ok(waits)
}
