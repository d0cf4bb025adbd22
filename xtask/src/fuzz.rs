//! Feeds hostile bytes to every reader of what comes over a wire: builds `fuzz/` with coverage instrumentation (libFuzzer, on
//! the ordinary compiler) and runs its targets one after the other, each from its corpus.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// How long and what.
#[derive(clap::Args)]
pub struct Options {
    /// Only this target (the name of a folder in fuzz/corpus); may be repeated
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Seconds for each target
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
    /// Where inputs that break something are written
    #[arg(long, value_name = "DIR", default_value = "target/fuzz-found")]
    found: PathBuf,
}

/// Edge counters and comparisons, as libFuzzer reads them. Only flags of the stable compiler.
const INSTRUMENTED: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing";

/// Longest input, in bytes: every bound of the readers can be reached with it.
const MAX_LEN: usize = 128 * 1024;

/// Runs the targets.
///
/// # Errors
/// When the program cannot be built, or an input breaks a target.
pub fn run(options: &Options) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no workspace around xtask")?;
    let corpora = root.join("fuzz/corpus");
    let mut targets = targets(&corpora)?;
    if !options.target.is_empty() {
        ensure!(options.target.iter().all(|t| targets.contains(t)), "there are {}", targets.join(", "));
        targets.clone_from(&options.target);
    }
    let program = build(root)?;
    let scratch = tempfile::tempdir()?;
    let mut broken = Vec::new();
    for target in &targets {
        let found = options.found.join(target);
        fs::create_dir_all(&found)?;
        let grown = scratch.path().join(target);
        fs::create_dir_all(&grown)?;
        let output = Command::new(&program)
            .env("LIENTHONG_FUZZ", target)
            .arg(format!("-max_total_time={}", options.seconds))
            .arg(format!("-max_len={MAX_LEN}"))
            .arg(format!("-artifact_prefix={}/", found.display()))
            .args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"])
            .arg(&grown)
            .arg(corpora.join(target))
            .output()
            .context("the instrumented program did not start")?;
        let said = String::from_utf8_lossy(&output.stderr);
        println!("{target:12} {}", summary(&said, fs::read_dir(&grown)?.count()));
        if !output.status.success() {
            let tail: Vec<&str> = said.lines().rev().take(30).collect();
            tail.iter().rev().for_each(|line| println!("    {line}"));
            broken.push(target.as_str());
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    bail!("broken: {}; the inputs are in {}", broken.join(", "), options.found.display())
}

fn targets(corpora: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(corpora)? {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

fn build(root: &Path) -> Result<PathBuf> {
    let version = Command::new("rustc").arg("-vV").output()?;
    let version = String::from_utf8(version.stdout)?;
    let host = version.lines().find_map(|l| l.strip_prefix("host: ")).context("rustc names no host")?;
    let target_dir = root.join("target/fuzz");
    // With a target named, build scripts and macros are compiled without the instrumentation.
    let built = Command::new("cargo")
        .args(["build", "--release", "--locked", "--target", host, "--manifest-path"])
        .arg(root.join("fuzz/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target_dir)
        .env("RUSTFLAGS", INSTRUMENTED)
        .status()?;
    ensure!(built.success(), "the instrumented program could not be built");
    Ok(target_dir.join(host).join("release/fuzz"))
}

/// The figures libFuzzer prints at the end, in a line.
fn summary(said: &str, grown: usize) -> String {
    let stat = |name: &str| {
        let line = said.lines().find(|l| l.starts_with(&format!("stat::{name}:")));
        line.and_then(|l| l.split_whitespace().nth(1)).unwrap_or("?").to_owned()
    };
    let covered = said.lines().rev().find_map(|l| {
        let at = l.find(" cov: ")?;
        l.get(at + 6..)?.split_whitespace().next().map(str::to_owned)
    });
    format!(
        "{} inputs tried, {} a second, {} edges covered, {grown} new inputs that reach more",
        stat("number_of_executed_units"),
        stat("average_exec_per_sec"),
        covered.unwrap_or_else(|| "?".to_owned()),
    )
}
