//! Files of a directory as one stream: for each a line of JSON (path, size) and its bytes. Files that grow
//! meanwhile are taken with the size they had when opened.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Component, Path};

use base::error::{Error, Result};
use serde::{Deserialize, Serialize};

use super::Content;

#[derive(Serialize, Deserialize)]
struct Head {
    path: String,
    size: u64,
}

/// Writes all files below `dir`. Checkpoints go first: what they vouch for is copied after them and is therefore
/// never older.
pub fn write(dir: &Path, out: &mut impl Write) -> Result<Content> {
    let mut files = Vec::new();
    if dir.exists() {
        collect(dir, dir, &mut files)?;
    }
    files.sort_by_key(|path| (!path.ends_with("checkpoint"), path.clone()));
    let mut content = Content::default();
    for path in files {
        // A file may have been compacted away since; its content is then in another one, copied later.
        let Ok(file) = File::open(dir.join(&path)) else { continue };
        let size = file.metadata()?.len();
        serde_json::to_writer(&mut *out, &Head { path, size })?;
        out.write_all(b"\n")?;
        if io::copy(&mut file.take(size), out)? != size {
            return Err(Error::internal("a file became shorter while it was copied"));
        }
        content.files += 1;
        content.bytes += size;
    }
    Ok(content)
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

/// Reads an archive to its end; writes the files below `to` if given.
pub fn read(input: impl Read, to: Option<&Path>) -> Result<Content> {
    let mut input = BufReader::new(input);
    let mut content = Content::default();
    let mut line = String::new();
    loop {
        line.clear();
        if input.by_ref().take(64 * 1024).read_line(&mut line)? == 0 {
            return Ok(content);
        }
        let head: Head = serde_json::from_str(&line)?;
        let bytes = input.by_ref().take(head.size);
        let copied = match to {
            None => io::copy(&mut { bytes }, &mut io::sink())?,
            Some(dir) => extract(dir, &head.path, bytes)?,
        };
        if copied != head.size {
            return Err(Error::internal(format!("{} is cut off in the backup", head.path)));
        }
        content.files += 1;
        content.bytes += head.size;
    }
}

fn extract(dir: &Path, path: &str, mut bytes: impl Read) -> Result<u64> {
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
    Ok(copied)
}
