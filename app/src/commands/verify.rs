//! `verify`: an evidence bundle or a backup, checked without network or installation, told in plain words.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use evidence::{Lang, MAX_BUNDLE_BYTES};
use kernel::backup;
use kernel::keys::Keys;
use serde_json::json;
use tlog::VerifyingKey;

/// What to check and how to tell it.
pub struct Options {
    /// Bundle or backup.
    pub path: PathBuf,
    /// The log's public key as published.
    pub key: Option<String>,
    /// For a backup.
    pub master_key: Option<PathBuf>,
    /// As JSON.
    pub json: bool,
    /// `vi` or `en`.
    pub lang: String,
}

/// Checks; the exit code is 0 when it holds and 1 when it does not.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    if options.path.is_dir() { backup(options) } else { bundle(options) }
}

fn bundle(options: &Options) -> anyhow::Result<ExitCode> {
    let bytes = read(&options.path)?;
    let trusted = options.key.as_deref().map(|k| VerifyingKey::parse(k.trim())).transpose();
    let trusted = trusted.context("--key is not a log key of the form name+hash+key")?;
    let lang = if options.lang == "en" { Lang::En } else { Lang::Vi };
    match evidence::verify(&bytes, trusted.as_ref()) {
        Ok(verified) => {
            let report = verified.report(lang);
            if options.json {
                let facts: Vec<_> =
                    report.facts.iter().map(|f| json!({"label": f.label, "value": f.value})).collect();
                println!(
                    "{}",
                    serde_json::to_string_pretty(&json!({
                        "valid": true, "key_trusted": verified.trusted, "verdict": report.verdict,
                        "facts": facts, "proven": report.proven, "not_proven": report.not_proven,
                    }))?
                );
            } else {
                println!("{report}");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(refusal) => {
            let text = refusal.text(lang);
            if options.json {
                let refused = json!({"valid": false, "code": refusal.code(), "verdict": text});
                println!("{}", serde_json::to_string_pretty(&refused)?);
            } else {
                let word = if lang == Lang::En { "NOT VALID" } else { "KHÔNG HỢP LỆ" };
                println!("{word}: {text}");
            }
            Ok(ExitCode::FAILURE)
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let size = std::fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?.len();
    if size > MAX_BUNDLE_BYTES as u64 {
        bail!("{} has {size} bytes; a bundle has at most {MAX_BUNDLE_BYTES}", path.display());
    }
    Ok(std::fs::read(path)?)
}

fn backup(options: &Options) -> anyhow::Result<ExitCode> {
    let Some(key) = &options.master_key else {
        bail!("checking a backup needs the master key: --master-key FILE");
    };
    let keys = Keys::load(key, None)?;
    match backup::verify(&keys, &options.path) {
        Ok(manifest) if options.json => println!("{}", serde_json::to_string_pretty(&manifest)?),
        Ok(manifest) => {
            println!("The backup is whole:");
            super::backup::print(&manifest);
        }
        Err(e) => {
            println!("The backup is NOT whole: {}", e.chain());
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}
