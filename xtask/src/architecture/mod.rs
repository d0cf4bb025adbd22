//! The architecture check: what ARCHITECTURE.md says about the crates and files must be so.

mod arrows;
mod files;
mod words;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Checks the tree and prints what it found; fails when something is not allowed.
pub fn run() -> Result<()> {
    let found = check(scenarios::tools::repository())?;
    println!("{}", found.report);
    ensure!(
        found.violations.is_empty(),
        "{} violations:\n{}",
        found.violations.len(),
        found.violations.join("\n")
    );
    println!("The architecture holds.");
    Ok(())
}

struct Found {
    report: String,
    violations: Vec<String>,
}

fn check(root: &Path) -> Result<Found> {
    let crates = arrows::crates(root)?;
    let files = files::read(root)?;
    let mut violations = arrows::violations(&crates);
    violations.extend(arrows::manifest_violations(root, &crates)?);
    violations.extend(files::violations(&files));
    violations.extend(words::violations(&files));
    let report = format!("{} crates, {}", crates.len(), files::report(&files));
    Ok(Found { report, violations })
}

/// Runs a program in the tree and returns what it printed.
fn output(root: &Path, program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).current_dir(root).output();
    let output = output.with_context(|| format!("{program} cannot be run"))?;
    ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_is_as_the_map_says() {
        let found = super::check(scenarios::tools::repository()).unwrap();
        println!("{}", found.report);
        assert!(found.violations.is_empty(), "\n{}", found.violations.join("\n"));
    }
}
