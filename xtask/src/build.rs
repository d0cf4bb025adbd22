//! Builds the program in release and says where it is.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The release build of `lienthong`, built now unless `LIENTHONG_BIN` names one.
///
/// # Errors
/// When it cannot be built.
pub fn release() -> Result<PathBuf> {
    if std::env::var_os("LIENTHONG_BIN").is_some() {
        return scenarios::tools::lienthong();
    }
    let root = scenarios::tools::repository();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    println!("building lienthong in release …");
    let status = Command::new(cargo)
        .args(["build", "--release", "--locked", "--package", "lienthong"])
        .current_dir(root)
        .status()
        .context("cargo cannot be run")?;
    ensure!(status.success(), "lienthong could not be built");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/lienthong"))
}

/// The program given on the command line, or [`release`].
///
/// # Errors
/// When it is no file, or cannot be built.
pub fn named_or_release(given: Option<&Path>) -> Result<PathBuf> {
    let Some(given) = given else { return release() };
    ensure!(given.is_file(), "--bin names {}, which is not a file", given.display());
    Ok(given.to_owned())
}

/// What is measured: version of the source, compiler, machine.
pub fn circumstances() -> String {
    let first_line = |program: &str, arguments: &[&str]| {
        let output =
            Command::new(program).args(arguments).current_dir(scenarios::tools::repository()).output();
        output
            .ok()
            .and_then(|o| String::from_utf8(o.stdout).ok())
            .and_then(|t| t.lines().next().map(str::to_owned))
            .unwrap_or_else(|| "?".to_owned())
    };
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpu.lines().find_map(|l| l.strip_prefix("model name")?.split_once(": ")).map_or("?", |(_, m)| m);
    format!(
        "source {} · {} · Linux {} · {} × {model}",
        first_line("git", &["describe", "--always", "--dirty"]),
        first_line("rustc", &["--version"]),
        first_line("uname", &["-r"]),
        std::thread::available_parallelism().map_or(1, usize::from),
    )
}
