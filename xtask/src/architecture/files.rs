//! The text files of the tree: how each source file opens, how long it is, where the machine's clock is read.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;

/// Longer files are named in the report: usually two ideas that have not been told apart yet.
const LONG: usize = 300;

/// Longer files are refused.
const TOO_LONG: usize = 900;

/// Where the lint against reading clock and randomness may be lifted, and nowhere else.
const MAY_READ_THE_MACHINE: [&str; 2] = ["kernel/base/src/clock.rs", "kernel/base/src/random.rs"];

/// A text file of the tree.
#[derive(Debug, Clone)]
pub struct File {
    /// Relative to the root, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// All text files of the tree: those git knows or would add; without git, all but built and hidden ones.
///
/// # Errors
/// When the tree cannot be read.
pub fn read(root: &Path) -> Result<Vec<File>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
    let paths: Vec<String> = match super::output(root, "git", &arguments) {
        Ok(listed) => listed.split('\0').filter(|p| !p.is_empty()).map(str::to_owned).collect(),
        Err(_) => walk(root)?,
    };
    let mut files = vec![];
    for path in paths {
        // Deleted but not yet committed files are listed too; binary files are not text.
        let Ok(bytes) = fs::read(root.join(&path)) else { continue };
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(File { path, text });
        }
    }
    Ok(files)
}

fn walk(root: &Path) -> Result<Vec<String>> {
    let (mut folders, mut out) = (vec![root.to_owned()], vec![]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if name == "target" || name == "node_modules" || name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if let Ok(path) = entry.path().strip_prefix(root) {
                out.push(path.to_string_lossy().into_owned());
            }
        }
    }
    Ok(out)
}

fn is_source(file: &File) -> bool {
    file.path.ends_with(".rs")
}

fn is_test(file: &File) -> bool {
    file.path.contains("/tests/") || file.path.starts_with("scenarios/") || file.path.starts_with("testkit/")
}

/// Files that break a rule.
pub fn violations(files: &[File]) -> Vec<String> {
    let mut out = vec![];
    for file in files.iter().filter(|f| is_source(f)) {
        if !file.text.starts_with("//!") {
            out.push(format!("opening: {} does not open with what it is for (//! …)", file.path));
        }
        let lines = file.text.lines().count();
        if lines > TOO_LONG {
            out.push(format!("size: {} has {lines} lines, more than {TOO_LONG}", file.path));
        }
        let lifted = concat!("clippy::disallowed", "_methods");
        if file.text.contains(lifted) && !MAY_READ_THE_MACHINE.contains(&file.path.as_str()) {
            out.push(format!(
                "outer world: {} lifts the lint against reading clock or randomness",
                file.path
            ));
        }
    }
    out
}

/// Sizes in a few lines.
pub fn report(files: &[File]) -> String {
    let mut sizes: Vec<(usize, &str)> =
        files.iter().filter(|f| is_source(f)).map(|f| (f.text.lines().count(), f.path.as_str())).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let total: usize = sizes.iter().map(|(n, _)| n).sum();
    let tests: usize =
        files.iter().filter(|f| is_source(f) && is_test(f)).map(|f| f.text.lines().count()).sum();
    let median = sizes.get(sizes.len() / 2).map_or(0, |(n, _)| *n);
    let mut out = format!(
        "{} source files, {total} lines ({tests} in test programs), median {median} lines",
        sizes.len()
    );
    let long: Vec<_> = sizes.iter().take_while(|(n, _)| *n > LONG).collect();
    if !long.is_empty() {
        let _ = write!(out, "\n{} files above {LONG} lines:", long.len());
        for (lines, path) in long {
            let _ = write!(out, "\n  {lines:5}  {path}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn rules_for_files_bite() {
        assert!(violations(&[file("a/src/lib.rs", "//! What.\n")]).is_empty());
        assert_eq!(violations(&[file("a/src/lib.rs", "use x;\n")]).len(), 1);
        let long = format!("//! What.\n{}", "\n".repeat(TOO_LONG));
        assert_eq!(violations(&[file("a/src/lib.rs", &long)]).len(), 1);
        let lifted = concat!("//! What.\n#[allow(clippy::disallowed", "_methods)]\n");
        assert_eq!(violations(&[file("a/src/lib.rs", lifted)]).len(), 1);
        assert!(violations(&[file("kernel/base/src/clock.rs", lifted)]).is_empty());
    }
}
