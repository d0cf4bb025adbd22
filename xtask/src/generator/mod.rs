//! A load generator: N keep-alive connections on one thread, each sending the next request when the last answer has
//! arrived whole. Prints one line of JSON, its own processor time included, so that an overloaded generator shows.

mod answer;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base::clock::Stopwatch;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use answer::Reader;

/// What to send, how often, how long.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// http://address:port/path
    #[arg(long)]
    url: String,
    /// A header line, `Name: value`; may be repeated
    #[arg(long)]
    header: Vec<String>,
    /// Bytes to POST; 0 sends GET
    #[arg(long, default_value_t = 0)]
    body: usize,
    /// Connections
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds before counting begins
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Seconds that count
    #[arg(long, default_value_t = 6.0)]
    seconds: f64,
}

/// What one run found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outcome {
    /// Whole answers with a 2xx status.
    pub answers: u64,
    /// Whole answers with another status.
    pub others: u64,
    /// Connections that broke (each is opened again).
    pub broken: u64,
    /// Seconds counted.
    pub seconds: f64,
    /// The generator's own processor seconds in that time.
    pub cpu_seconds: f64,
    /// Latency, milliseconds.
    pub p50_ms: f64,
    /// Latency, milliseconds.
    pub p99_ms: f64,
}

/// Runs the load and prints the [`Outcome`].
///
/// # Errors
/// When the address is not usable or nothing is answered at all.
pub fn run(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(load(options))?;
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}

fn request(options: &Options) -> Result<(SocketAddr, Vec<u8>)> {
    let rest = options.url.strip_prefix("http://").context("the generator speaks plain http:// only")?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let address = host.parse().with_context(|| format!("{host} is not address:port"))?;
    let path = if path.is_empty() { "/" } else { path };
    let method = if options.body == 0 { "GET" } else { "POST" };
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
    for header in &options.header {
        anyhow::ensure!(header.contains(':') && !header.contains(['\r', '\n']), "{header:?} is no header");
        text.push_str(header);
        text.push_str("\r\n");
    }
    if options.body > 0 {
        text.push_str(&format!(
            "Content-Type: application/octet-stream\r\nContent-Length: {}\r\n",
            options.body
        ));
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.resize(bytes.len() + options.body, b'x');
    Ok((address, bytes))
}

#[derive(Default)]
struct Seen {
    answers: u64,
    others: u64,
    broken: u64,
    micros: Vec<u32>,
}

async fn load(options: &Options) -> Result<Outcome> {
    let (address, bytes) = request(options)?;
    let bytes: &'static [u8] = bytes.leak();
    let warm_up = Duration::from_secs_f64(options.warm_up);
    let end = warm_up + Duration::from_secs_f64(options.seconds);
    let watch = Stopwatch::start();
    let tasks: Vec<_> = (0..options.connections)
        .map(|_| tokio::spawn(connection(address, bytes, watch, warm_up, end)))
        .collect();
    tokio::time::sleep(warm_up).await;
    let cpu_before = scenarios::process::cpu_seconds(std::process::id())?;
    let mut all = Seen::default();
    for task in tasks {
        let seen = task.await?;
        all.answers += seen.answers;
        all.others += seen.others;
        all.broken += seen.broken;
        all.micros.extend(seen.micros);
    }
    let cpu_seconds = scenarios::process::cpu_seconds(std::process::id())? - cpu_before;
    if all.answers + all.others == 0 {
        bail!("{} answered nothing ({} connections broke)", options.url, all.broken);
    }
    all.micros.sort_unstable();
    let percentile = |p: f64| {
        let at = ((all.micros.len() as f64 - 1.0) * p).max(0.0) as usize;
        all.micros.get(at).map_or(0.0, |us| f64::from(*us) / 1_000.0)
    };
    Ok(Outcome {
        answers: all.answers,
        others: all.others,
        broken: all.broken,
        seconds: (watch.elapsed() - warm_up).as_secs_f64(),
        cpu_seconds,
        p50_ms: percentile(0.50),
        p99_ms: percentile(0.99),
    })
}

/// Keeps one connection busy until the end, opening it again when it breaks.
async fn connection(
    address: SocketAddr,
    request: &'static [u8],
    watch: Stopwatch,
    from: Duration,
    until: Duration,
) -> Seen {
    let mut seen = Seen::default();
    while watch.elapsed() < until {
        if drive(address, request, watch, from, until, &mut seen).await.is_err() && watch.elapsed() >= from {
            seen.broken += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    seen
}

async fn drive(
    address: SocketAddr,
    request: &[u8],
    watch: Stopwatch,
    from: Duration,
    until: Duration,
    seen: &mut Seen,
) -> Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut reader = Reader::default();
    let mut buffer = vec![0u8; 64 * 1024];
    loop {
        let begun = watch.elapsed();
        if begun >= until {
            return Ok(());
        }
        stream.write_all(request).await?;
        let status = loop {
            let left = until.saturating_sub(watch.elapsed()) + Duration::from_secs(5);
            let n = tokio::time::timeout(left, stream.read(&mut buffer)).await??;
            if n == 0 {
                bail!("closed before the answer was whole");
            }
            if let Some(status) = reader.feed(&buffer[..n])? {
                break status;
            }
        };
        let ended = watch.elapsed();
        if begun >= from && ended <= until {
            match status {
                200..=299 => seen.answers += 1,
                _ => seen.others += 1,
            }
            seen.micros.push(u32::try_from((ended - begun).as_micros()).unwrap_or(u32::MAX));
        }
    }
}
