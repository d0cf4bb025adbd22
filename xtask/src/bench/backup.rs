//! A backup of a platform of a given size while calls go on: how long it takes, what it does to the calls, how much memory
//! it needs, how long the restore takes, and whether evidence from before still verifies.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base::clock::Stopwatch;
use scenarios::extra_service::Consumer;
use scenarios::{Caller, Options as Start, Platform, process};
use tokio::process::Command;

use super::{median, mib, provider};

/// How much.
#[derive(clap::Args)]
pub struct Options {
    /// Size of the data: 200M, 10G
    #[arg(long, default_value = "200M", value_parser = mebibytes)]
    size: u64,
    /// The program; without it the release build
    #[arg(long, value_name = "FILE")]
    bin: Option<PathBuf>,
    /// Callers at the same time
    #[arg(long, default_value_t = 4)]
    callers: usize,
    /// Where to work; a new directory below it goes away afterwards
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

fn mebibytes(text: &str) -> Result<u64, String> {
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let factor = match unit {
        "M" => 1,
        "G" => 1024,
        _ => return Err("write a size such as 200M or 10G".into()),
    };
    number.parse::<u64>().map(|n| n * factor).map_err(|e| e.to_string())
}

/// Measures and prints.
///
/// # Errors
/// When a call fails, counts differ, or evidence does not verify.
pub async fn run(options: &Options) -> Result<()> {
    let binary = crate::build::named_or_release(options.bin.as_deref())?;
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("lienthong-backup");
    let scratch = match &options.scratch {
        Some(dir) => builder.tempdir_in(dir)?,
        None => builder.tempdir()?,
    };
    let at = |name: &str| scratch.path().join(name);
    let config = at("lienthong.toml");
    let text = format!(
        "[platform]\ndata = {:?}\n[backup]\ndirectory = {:?}\nleave_free_mb = 0\ndrill_days = 0\n",
        at("data"),
        at("shelf")
    );
    std::fs::write(&config, text)?;
    let set = |key: &str, value: String| (format!("LIENTHONG_BACKUP__{key}"), value);
    let start = Start {
        binary: binary.clone(),
        data: at("data"),
        listen: None,
        arguments: vec![],
        environment: vec![
            set("DIRECTORY", at("shelf").display().to_string()),
            set("LEAVE_FREE_MB", "0".into()),
            set("DRILL_DAYS", "0".into()),
        ],
        core: None,
        patience: Duration::from_secs(120),
    };
    let platform = Platform::start(start.clone()).await?;
    let caller = Caller::new(platform.contract()).await?;
    let old = caller.call("before").await?.request_id.context("a call without a number")?;
    let bundle = caller.bundle(&old).await?.context("no evidence of a call")?;
    std::fs::write(at("old-bundle.json"), bundle)?;
    // The demonstration's agreements have quotas; a load without a pause needs one that has none.
    let consumer = Consumer::of(&caller).await?;
    let path = format!("{}/send/2000", consumer.service_path());
    // The first backup is due at once; made here it does not run into the measurement.
    let tool = Tool { binary, config };
    tool.run(&["backup", "now"]).await?;
    platform.stop().await?;
    let base = format!("http://{}", provider::start().await?);
    consumer.register(&tool.binary, &start.data, &base).await?;
    tool.run(&["bench", "fill", "--mebibytes", &options.size.to_string()]).await?;

    let platform = Platform::start(start).await?;
    let caller = Caller::new(platform.contract()).await?;
    let quiet = load(&caller, &path, options.callers, async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok(String::new())
    });
    let (quiet, _) = quiet.await?;
    let pid = platform.pid()?;
    process::reset_peak(pid)?;
    let (rest, watch) = (process::resident(pid)?, Stopwatch::start());
    let (busy, said) = load(&caller, &path, options.callers, tool.run(&["backup", "now"])).await?;
    let (took, peak) = (watch.elapsed(), process::peak_resident(pid)?);
    print!("{said}");
    println!("{} MiB written and read back while calls go on: {:.1} s", options.size, took.as_secs_f64());
    println!("memory: at rest {:.1} MiB, at most {:.1} MiB", mib(rest), mib(peak));
    for (name, calls) in [("without", &quiet), ("with", &busy)] {
        let slowest = calls.iter().copied().fold(0.0, f64::max);
        let middle = median(calls);
        println!(
            "{name:>8} a backup: {} calls, median {middle:.2} ms, slowest {slowest:.1} ms, none failed",
            calls.len()
        );
    }
    platform.stop().await?;

    let list = tool.run(&["backup", "list", "--json"]).await?;
    let list: serde_json::Value = serde_json::from_str(&list)?;
    let newest =
        at("shelf").join(list[0]["name"].as_str().context("a backup has a name")?).display().to_string();
    let (key, restored) = (at("data").join("keys/master.key"), at("restored"));
    let watch = Stopwatch::start();
    let (key, restored) = (key.display().to_string(), restored.display().to_string());
    let said = tool.run(&["restore", &newest, "--key", &key, "--data", &restored]).await?;
    println!("restored on an empty place in {:.1} s", watch.elapsed().as_secs_f64());
    let (before, after) = said.split_once("Restored:").context("a restore tells counts")?;
    ensure!(counts(before) == counts(after) && !counts(after).is_empty(), "counts differ:\n{said}");
    println!("{} counts are equal", counts(after).len());
    let said = Command::new(&tool.binary).arg("verify").arg(at("old-bundle.json")).output().await?;
    let text = String::from_utf8_lossy(&said.stdout);
    ensure!(said.status.success(), "the bundle of a call from before no longer verifies:\n{text}");
    println!("the bundle of a call from before the backup verifies");
    print!("{}", tool.run(&["drill"]).await?);
    Ok(())
}

/// Calls without a pause until `work` ends; milliseconds of each call.
async fn load<F>(caller: &Caller, path: &str, callers: usize, work: F) -> Result<(Vec<f64>, String)>
where
    F: Future<Output = Result<String>>,
{
    let stop = Arc::new(AtomicBool::new(false));
    let mut all = tokio::task::JoinSet::new();
    for n in 0..callers {
        let (caller, path, stop) = (caller.clone(), path.to_owned(), stop.clone());
        all.spawn(async move {
            let mut took = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let watch = Stopwatch::start();
                let answer = caller.call_at(&path, None, &format!("load-{n}-{}", took.len())).await?;
                ensure!(answer.status.is_success(), "a call was answered with {}: {answer:?}", answer.status);
                took.push(watch.elapsed().as_secs_f64() * 1_000.0);
            }
            Ok(took)
        });
    }
    let done = work.await;
    stop.store(true, Ordering::Relaxed);
    let mut calls = Vec::new();
    while let Some(one) = all.join_next().await {
        calls.extend(one??);
    }
    Ok((calls, done?))
}

/// The program under its configuration.
struct Tool {
    binary: PathBuf,
    config: PathBuf,
}

impl Tool {
    async fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.binary);
        let output = command.args(arguments).arg("--config").arg(&self.config).output().await?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        Ok(said)
    }
}

/// Lines with numbers of rows, files and bytes.
fn counts(said: &str) -> Vec<&str> {
    said.lines().filter(|l| l.ends_with(" rows") || l.ends_with(" bytes")).collect()
}
