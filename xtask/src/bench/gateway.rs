//! The gateway with everything on (token, agreement, hashes, durable evidence) beside nginx as a plain proxy: same
//! core, same upstream, same generator, alternating runs. Figures are compared within one invocation only.

use anyhow::{Context, Result, ensure};
use scenarios::{Options as Start, process};
use tokio::process::Command;

use super::large_body::with_service;
use super::median;
use super::nginx::Nginx;
use crate::generator::Outcome;

/// A run is void when the generator itself used more of its core than this.
const GENERATOR_LIMIT: f64 = 0.80;

/// A run is void when the host took more of either core than this.
const STOLEN_LIMIT: f64 = 0.05;

/// A run is void when other processes used more of the proxy's core than this.
const FOREIGN_LIMIT: f64 = 0.05;

/// How to measure.
#[derive(clap::Args)]
pub struct Options {
    /// Keep-alive connections of the generator
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Pairs of runs
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Seconds that count in each run
    #[arg(long, default_value_t = 6.0)]
    seconds: f64,
    /// Bytes to POST; 0 measures GET
    #[arg(long, default_value_t = 0)]
    body: usize,
    /// The core of the proxies
    #[arg(long, default_value_t = 0)]
    proxy_core: usize,
    /// The core of the generator and the upstream
    #[arg(long, default_value_t = 1)]
    load_core: usize,
    /// Arguments for `lienthong demo`
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// What is asked of a proxy.
struct Target {
    name: &'static str,
    pid: u32,
    url: String,
    headers: Vec<String>,
}

/// One run with what the kernel saw meanwhile.
struct Run {
    outcome: Outcome,
    /// Processor seconds of the proxy while it was loaded, warm-up included.
    proxy_cpu: f64,
    /// Wall seconds of the same time.
    wall: f64,
    proxy_core_busy: f64,
    load_core_busy: f64,
    stolen: f64,
    /// Share of the proxy's core that other processes used.
    foreign: f64,
}

impl Run {
    fn per_second(&self) -> f64 {
        self.outcome.answers as f64 / self.outcome.seconds
    }

    /// Processor time of the proxy per answer, microseconds. The load is even, so the warm-up counts in proportion.
    fn micros_per_call(&self) -> f64 {
        self.proxy_cpu / (self.per_second() * self.wall) * 1e6
    }

    fn generator_load(&self) -> f64 {
        self.outcome.cpu_seconds / self.outcome.seconds
    }

    fn void(&self) -> Option<&'static str> {
        if self.outcome.others > 0 || self.outcome.broken > 0 {
            Some("void: not all answers were 2xx")
        } else if self.generator_load() > GENERATOR_LIMIT {
            Some("void: generator above 80 %")
        } else if self.stolen > STOLEN_LIMIT {
            Some("void: the host took the cores")
        } else if self.foreign > FOREIGN_LIMIT {
            Some("void: others used the proxy's core")
        } else {
            None
        }
    }
}

/// Measures and prints.
///
/// # Errors
/// When something cannot be built, started or reached, or every run was void.
pub async fn run(options: &Options) -> Result<()> {
    ensure!(options.proxy_core != options.load_core, "proxy and generator need different cores");
    let binary = crate::build::release()?;
    let scratch = tempfile::tempdir()?;
    let upstream = Nginx::upstream(scratch.path(), options.load_core).await?;
    let nginx = Nginx::proxy(scratch.path(), options.proxy_core, upstream.addr).await?;
    let start = Start {
        binary,
        data: scratch.path().join("data"),
        listen: Some(scenarios::platform::free_port()?),
        arguments: options.arguments.clone(),
        environment: vec![],
        core: Some(options.proxy_core),
        patience: std::time::Duration::from_secs(120),
    };
    let provider = format!("http://{}", upstream.addr);
    let (platform, caller, path) = with_service(start, &provider).await?;
    let header = |(name, value): (String, String)| format!("{name}: {value}");
    let gateway = Target {
        name: "gateway",
        pid: platform.pid()?,
        url: platform.contract().absolute(&path),
        headers: caller.headers().into_iter().map(header).collect(),
    };
    let plain = Target {
        name: "nginx",
        pid: nginx.pid()?,
        url: format!("http://{}{path}", nginx.addr),
        headers: gateway.headers.clone(),
    };
    println!(
        "plain HTTP on both sides; {} connections; {}; nginx {}",
        options.connections,
        if options.body == 0 {
            "GET, 1 KiB answer".to_owned()
        } else {
            format!("POST {} bytes", options.body)
        },
        version().await
    );
    let pairs = measure(options, &plain, &gateway).await?;
    drop(upstream);
    platform.stop().await?;
    summary(&pairs)
}

async fn measure(options: &Options, plain: &Target, gateway: &Target) -> Result<Vec<(Run, Run)>> {
    println!(
        "run      calls/s  us CPU/call  p50 ms  p99 ms  proxy core  load core  generator  others  stolen"
    );
    let mut pairs = vec![];
    for round in 0..options.rounds {
        // Who goes first changes, so that drift of the machine favours nobody.
        let (first, second) = if round % 2 == 0 { (plain, gateway) } else { (gateway, plain) };
        let a = one(options, first).await?;
        let b = one(options, second).await?;
        pairs.push(if round % 2 == 0 { (a, b) } else { (b, a) });
    }
    Ok(pairs)
}

async fn one(options: &Options, target: &Target) -> Result<Run> {
    let before = (process::core_ticks(options.proxy_core)?, process::core_ticks(options.load_core)?);
    let cpu_before = process::cpu_seconds(target.pid)?;
    let watch = base::clock::Stopwatch::start();
    let mut command = Command::new("taskset");
    command
        .args(["-c", &options.load_core.to_string()])
        .arg(std::env::current_exe()?)
        .args(["generate", "--url", &target.url])
        .args(["--connections", &options.connections.to_string()])
        .args(["--seconds", &options.seconds.to_string()])
        .args(["--body", &options.body.to_string()]);
    for header in &target.headers {
        command.args(["--header", header]);
    }
    let output = command.output().await.context("the generator cannot be run")?;
    let wall = watch.elapsed().as_secs_f64();
    let proxy_cpu = process::cpu_seconds(target.pid)? - cpu_before;
    ensure!(output.status.success(), "generator: {}", String::from_utf8_lossy(&output.stderr));
    let after = (process::core_ticks(options.proxy_core)?, process::core_ticks(options.load_core)?);
    let share = |part: u64, all: u64| part as f64 / all.max(1) as f64;
    let processes = share(after.0.processes - before.0.processes, after.0.all - before.0.all);
    let run = Run {
        outcome: serde_json::from_slice(&output.stdout)?,
        proxy_cpu,
        wall,
        proxy_core_busy: share(after.0.busy - before.0.busy, after.0.all - before.0.all),
        load_core_busy: share(after.1.busy - before.1.busy, after.1.all - before.1.all),
        foreign: (processes - proxy_cpu / wall).max(0.0),
        stolen: share(after.0.stolen - before.0.stolen, after.0.all - before.0.all)
            .max(share(after.1.stolen - before.1.stolen, after.1.all - before.1.all)),
    };
    println!(
        "{:8} {:7.0}  {:11.1}  {:6.2}  {:6.2}  {:8.0} %  {:7.0} %  {:7.0} %  {:4.0} %  {:4.1} %  {}",
        target.name,
        run.per_second(),
        run.micros_per_call(),
        run.outcome.p50_ms,
        run.outcome.p99_ms,
        run.proxy_core_busy * 100.0,
        run.load_core_busy * 100.0,
        run.generator_load() * 100.0,
        run.foreign * 100.0,
        run.stolen * 100.0,
        run.void().unwrap_or_default()
    );
    Ok(run)
}

fn summary(pairs: &[(Run, Run)]) -> Result<()> {
    let good: Vec<&(Run, Run)> =
        pairs.iter().filter(|(n, g)| n.void().is_none() && g.void().is_none()).collect();
    ensure!(!good.is_empty(), "every pair of runs was void: nothing was measured");
    let of = |f: &dyn Fn(&(Run, Run)) -> f64| median(&good.iter().map(|p| f(p)).collect::<Vec<_>>());
    println!("\nmedians of {} good pairs of {}:", good.len(), pairs.len());
    println!(
        "  nginx   {:7.0} calls/s  {:5.1} us CPU per call",
        of(&|p| p.0.per_second()),
        of(&|p| p.0.micros_per_call())
    );
    println!(
        "  gateway {:7.0} calls/s  {:5.1} us CPU per call  generator {:.0} %",
        of(&|p| p.1.per_second()),
        of(&|p| p.1.micros_per_call()),
        of(&|p| p.1.generator_load()) * 100.0
    );
    println!(
        "  ratio of calls/s {:.2} (median of pairs), of CPU per call {:.2}",
        of(&|p| p.1.per_second() / p.0.per_second()),
        of(&|p| p.1.micros_per_call() / p.0.micros_per_call())
    );
    let bound = good.iter().any(|(_, g)| g.load_core_busy > 0.97 && g.proxy_core_busy < 0.97);
    if bound {
        println!(
            "  the load core was full while the proxy core was not: the gateway's calls/s is a lower bound"
        );
    }
    Ok(())
}

async fn version() -> String {
    let Ok(nginx) = super::nginx::find() else { return "?".to_owned() };
    let output = Command::new(nginx).arg("-v").output().await;
    let text = output.map(|o| String::from_utf8_lossy(&o.stderr).into_owned()).unwrap_or_default();
    text.trim().rsplit('/').next().unwrap_or("?").to_owned()
}
