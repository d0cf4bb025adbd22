//! Files as one stream: for each a line of JSON (path, size) and its bytes. Files that grow meanwhile are taken with
//! the size they had when opened.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};

use base::error::{Error, Result};
use serde::{Deserialize, Serialize};

use super::Content;

#[derive(Serialize, Deserialize)]
struct Head {
    path: String,
    size: u64,
}

/// Writes an archive.
pub struct Archive<W> {
    out: W,
    content: Content,
}

impl<W: Write> Archive<W> {
    /// Begins an archive.
    pub fn new(out: W) -> Self {
        Self { out, content: Content::default() }
    }

    /// Adds the first `size` bytes of `bytes` as a file.
    pub fn add(&mut self, path: String, size: u64, bytes: impl Read) -> Result<()> {
        serde_json::to_writer(&mut self.out, &Head { path, size })?;
        self.out.write_all(b"\n")?;
        if io::copy(&mut bytes.take(size), &mut self.out)? != size {
            return Err(Error::internal("a file became shorter while it was copied"));
        }
        self.content.files += 1;
        self.content.bytes += size;
        Ok(())
    }

    /// Adds all files below `dir` with their paths from `root`. Checkpoints go first: what they vouch for is copied
    /// after them and is therefore never older.
    pub fn add_dir(&mut self, root: &Path, dir: &Path) -> Result<()> {
        let mut files = Vec::new();
        if dir.exists() {
            collect(root, dir, &mut files)?;
        }
        files.sort_by_key(|path| (!path.ends_with("checkpoint"), path.clone()));
        for path in files {
            match File::open(root.join(&path)) {
                Ok(file) => self.add(path, file.metadata()?.len(), file)?,
                // It may have been compacted away since; its content is then in another one, copied later.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(Error::internal(format!("{path}: {e}"))),
            }
        }
        Ok(())
    }

    /// The output, and what was written to it.
    pub fn finish(self) -> (W, Content) {
        (self.out, self.content)
    }
}

fn collect(root: &Path, dir: &Path, files: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if path.is_file()
            && let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str)
        {
            files.push(name.to_owned());
        }
    }
    Ok(())
}

/// Reads an archive to its end; writes the files below `to` if given, durably with their names.
pub fn read(input: impl Read, to: Option<&Path>) -> Result<Content> {
    let mut input = BufReader::new(input);
    let (mut content, mut dirs) = (Content::default(), BTreeSet::new());
    let mut line = String::new();
    loop {
        line.clear();
        if input.by_ref().take(64 * 1024).read_line(&mut line)? == 0 {
            dirs.iter().try_for_each(|dir| File::open(dir)?.sync_all())?;
            return Ok(content);
        }
        let head: Head = serde_json::from_str(&line)?;
        let bytes = input.by_ref().take(head.size);
        let copied = match to {
            None => io::copy(&mut { bytes }, &mut io::sink())?,
            Some(dir) => extract(dir, &head.path, bytes, &mut dirs)?,
        };
        if copied != head.size {
            return Err(Error::internal(format!("{} is cut off in the backup", head.path)));
        }
        content.files += 1;
        content.bytes += head.size;
    }
}

/// Writes one file; adds the directories that then hold new names.
fn extract(dir: &Path, path: &str, mut bytes: impl Read, dirs: &mut BTreeSet<PathBuf>) -> Result<u64> {
    let relative = Path::new(path);
    if !relative.components().all(|c| matches!(c, Component::Normal(_))) {
        return Err(Error::internal(format!("{path} would leave the directory")));
    }
    let target = dir.join(relative);
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&target)?;
    let copied = io::copy(&mut bytes, &mut file)?;
    file.sync_all()?;
    dirs.extend(relative.ancestors().skip(1).map(|above| dir.join(above)));
    Ok(copied)
}
