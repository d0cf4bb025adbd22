//! What tests find on this machine: the built program, and tools named by `./test` through the environment.

use std::path::{Path, PathBuf};

/// The built `lienthong`: `LIENTHONG_BIN`, or the one beside the running test program.
///
/// # Errors
/// Says how to build it when it is not there.
pub fn lienthong() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("LIENTHONG_BIN") {
        let path = PathBuf::from(path);
        anyhow::ensure!(path.is_file(), "LIENTHONG_BIN names {}, which is not a file", path.display());
        return Ok(path);
    }
    let me = std::env::current_exe()?;
    let beside = me.ancestors().skip(1).take(2).map(|dir| dir.join("lienthong")).find(|p| p.is_file());
    beside.ok_or_else(|| anyhow::anyhow!("lienthong is not built: run `cargo build -p lienthong` first"))
}

/// A tool named by `variable`; without it says so in a line that `./test` counts, and gives `None`.
pub fn tool(variable: &str, test: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from).filter(|p| p.is_file());
    if found.is_none() {
        println!("SKIP {test}: {variable} names no program");
    }
    found
}

/// Chromium: the one named by `LIENTHONG_TEST_CHROMIUM`, or the distribution's.
pub fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("LIENTHONG_TEST_CHROMIUM").map(PathBuf::from);
    let usual =
        ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].map(PathBuf::from);
    named.into_iter().chain(usual).find(|p| p.is_file())
}

/// The root of the source tree.
pub fn repository() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}
