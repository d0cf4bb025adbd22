//! How much memory the platform needs while bodies far larger than its memory pass through it in each direction.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base::clock::Stopwatch;
use futures_util::StreamExt;
use scenarios::extra_service::Consumer;
use scenarios::{Caller, Options as Start, Platform, process};

use super::mib;
use super::provider::{self, Check};

/// How much.
#[derive(clap::Args)]
pub struct Options {
    /// Mebibytes in each direction
    #[arg(long, default_value_t = 2_048)]
    mebibytes: u64,
    /// Arguments for `lienthong demo`
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Measures and prints.
///
/// # Errors
/// When something cannot be built or started, or a body did not arrive whole and unaltered.
pub async fn run(options: &Options) -> Result<()> {
    let binary = crate::build::release()?;
    let scratch = tempfile::tempdir()?;
    let start = Start {
        binary,
        data: scratch.path().join("data"),
        listen: Some(scenarios::platform::free_port()?),
        arguments: options.arguments.clone(),
        environment: vec![],
        core: None,
        patience: Duration::from_secs(120),
    };
    let upstream = format!("http://{}", provider::start().await?);
    let (platform, caller, path) = with_service(start, &upstream).await?;
    let measure = Measure { platform, caller, path, bytes: options.mebibytes * 1_048_576 };

    measure.caller.call("warm-up").await?;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let idle = process::resident(measure.platform.pid()?)?;
    println!("at rest {:.1} MiB", mib(idle));
    measure.one("answer with a length", idle, measure.download("send")).await?;
    measure.one("answer in chunks", idle, measure.download("chunks")).await?;
    measure.one("request with a length", idle, measure.upload(true)).await?;
    measure.one("request in chunks", idle, measure.upload(false)).await?;
    measure.platform.stop().await
}

/// A demonstration with the extra service at `base_url`, its caller, and the service's path.
pub async fn with_service(start: Start, base_url: &str) -> Result<(Platform, Caller, String)> {
    let platform = Platform::start(start.clone()).await?;
    let consumer = Consumer::of(&Caller::new(platform.contract()).await?).await?;
    platform.stop().await?;
    consumer.register(&start.binary, &start.data, base_url).await?;
    let platform = Platform::start(start).await?;
    let caller = Caller::new(platform.contract()).await?;
    Ok((platform, caller, consumer.service_path()))
}

struct Measure {
    platform: Platform,
    caller: Caller,
    path: String,
    bytes: u64,
}

impl Measure {
    async fn one(&self, what: &str, idle: u64, transfer: impl Future<Output = Result<()>>) -> Result<()> {
        let pid = self.platform.pid()?;
        process::reset_peak(pid)?;
        let (watch, cpu) = (Stopwatch::start(), process::cpu_seconds(pid)?);
        transfer.await.with_context(|| what.to_owned())?;
        let (seconds, cpu) = (watch.elapsed().as_secs_f64(), process::cpu_seconds(pid)? - cpu);
        let peak = process::peak_resident(pid)?;
        println!(
            "{what:22} {:6.0} MiB in {seconds:5.1} s ({:4.0} MiB/s, {cpu:.1} s CPU)  peak {:6.1} MiB = rest {:+.1} MiB",
            mib(self.bytes),
            mib(self.bytes) / seconds,
            mib(peak),
            mib(peak) - mib(idle),
        );
        Ok(())
    }

    fn request(&self, method: reqwest::Method, tail: &str) -> Result<reqwest::RequestBuilder> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let url = self.platform.contract().absolute(&format!("{}{tail}", self.path));
        let request = http.request(method, url).header("X-Road-Id", "large-body");
        Ok(self.caller.headers().into_iter().fold(request, |r, (name, value)| r.header(name, value)))
    }

    async fn download(&self, how: &str) -> Result<()> {
        let request = self.request(reqwest::Method::GET, &format!("/{how}/{}", self.bytes))?;
        let answer = request.send().await?;
        ensure!(answer.status().is_success(), "answered {}", answer.status());
        let (mut check, mut pieces) = (Check::default(), answer.bytes_stream());
        while let Some(piece) = pieces.next().await {
            check.feed(&piece?);
        }
        ensure!(check.bytes == self.bytes, "{} bytes arrived instead of {}", check.bytes, self.bytes);
        ensure!(check.wrong_at.is_none(), "wrong from byte {:?}", check.wrong_at);
        Ok(())
    }

    async fn upload(&self, with_length: bool) -> Result<()> {
        let mut request = self.request(reqwest::Method::POST, "/take")?;
        if with_length {
            request = request.header("Content-Length", self.bytes);
        }
        let answer = request.body(reqwest::Body::wrap_stream(provider::pattern(self.bytes))).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "answered {status}: {text}");
        ensure!(text.starts_with(&format!("{} bytes, all right", self.bytes)), "the provider says: {text}");
        Ok(())
    }
}
