//! One bucket. Large files go in parts; after each part it is noted how far it came, so that an upload that was broken off
//! goes on with the next part, also by another process.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path as File, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use futures_util::TryStreamExt;
use kernel::offsite::{Kept, Offsite};
use kernel::{Error, Result};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    BackoffConfig, Certificate, ClientOptions, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig,
};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::watch;

use crate::settings::{BadSettings, Settings};

/// Bytes of a part, at least; S3 wants 5 MiB or more.
const PART: u64 = 8 << 20;
/// Parts of a file, at most; S3 takes 10,000.
const PARTS: u64 = 9_000;
/// Objects listed, at most: a bucket that is something else is not read to its end.
const MOST: usize = 100_000;
/// One request, with its body.
const REQUEST: Duration = Duration::from_secs(300);

/// A bucket, and where in it.
pub struct S3 {
    store: AmazonS3,
    prefix: Path,
    place: String,
    at: String,
}

/// How far an upload came.
#[derive(Debug, Serialize, Deserialize)]
struct Progress {
    place: String,
    key: String,
    bytes: u64,
    modified_ns: u64,
    part: u64,
    upload: String,
    parts: Vec<String>,
}

impl S3 {
    /// From the section; nothing is connected yet.
    ///
    /// # Errors
    /// What is wrong with the section.
    pub fn new(s: &Settings) -> std::result::Result<Self, BadSettings> {
        s.check()?;
        let secret = s.secret()?;
        if secret.expose().is_empty() {
            return Err(BadSettings("secret_key_file is missing".into()));
        }
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(5),
            base: 2.0,
        };
        let retry = RetryConfig { backoff, max_retries: 4, retry_timeout: Duration::from_secs(60) };
        let build = |system: bool| {
            let mut builder = AmazonS3Builder::new()
                .with_bucket_name(&s.bucket)
                .with_region(&s.region)
                .with_access_key_id(&s.access_key)
                .with_secret_access_key(secret.expose())
                .with_virtual_hosted_style_request(!s.path_style)
                .with_client_options(client(s, system)?)
                .with_retry(retry.clone())
                // One request each: not every store knows the other way.
                .with_disable_bulk_delete(true);
            if !s.endpoint.is_empty() {
                // What is sent is encrypted and the requests are signed: plain HTTP shows names and sizes only.
                builder = builder
                    .with_endpoint(s.endpoint.trim_end_matches('/'))
                    .with_allow_http(s.endpoint.starts_with("http://"));
            }
            builder.build().map_err(|e| BadSettings(e.to_string()))
        };
        // A bare machine may trust nobody; that does not matter to who names an authority, or needs none.
        let needs_none = s.ca_file.is_some() || s.endpoint.starts_with("http://");
        let store = match build(true) {
            Err(_) if needs_none => build(false)?,
            Err(e) => {
                let hint =
                    "if this machine trusts no authority at all, install ca-certificates or set ca_file";
                return Err(BadSettings(format!("{} ({hint})", e.0)));
            }
            Ok(store) => store,
        };
        let slash = if s.prefix.is_empty() { "" } else { "/" };
        Ok(Self {
            store,
            prefix: Path::from(s.prefix.as_str()),
            place: format!("s3://{}{slash}{}", s.bucket, s.prefix),
            at: if s.endpoint.is_empty() { format!("Amazon {}", s.region) } else { s.endpoint.clone() },
        })
    }

    fn path(&self, key: &str) -> Path {
        key.split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }

    /// A sentence for the operator.
    fn fault(&self, doing: &str, e: &object_store::Error) -> Error {
        let (place, at) = (&self.place, &self.at);
        let said = reason(e);
        let code = said.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(c, _)| c);
        let why = match (e, code) {
            (_, Some("NoSuchBucket")) => "the store has no such bucket".to_owned(),
            (_, Some("SignatureDoesNotMatch" | "InvalidAccessKeyId")) => {
                "the store does not accept the credentials: look at access_key and secret_key_file".to_owned()
            }
            (_, Some("RequestTimeTooSkewed")) => {
                "the clocks of this machine and of the store differ".to_owned()
            }
            (_, Some("AccessDenied")) | (object_store::Error::PermissionDenied { .. }, None) => {
                "the credentials are not allowed to do that".to_owned()
            }
            (object_store::Error::NotFound { .. }, _) => "the store has nothing of that name".to_owned(),
            (_, Some(code)) => format!("the store answers {code}"),
            (_, None) => said,
        };
        Error::internal(format!("{doing} {place} ({at}) failed: {why}"))
    }

    async fn send_parts(
        &self,
        file: &File,
        key: &str,
        begun: Option<Progress>,
        fresh: Progress,
        progress: &File,
        stop: &watch::Receiver<bool>,
    ) -> Result<()> {
        let path = self.path(key);
        let mut now = match begun {
            Some(begun) => begun,
            None => {
                let made = self.store.create_multipart(&path).await;
                let upload = made.map_err(|e| self.fault("sending to", &e))?;
                Progress { upload, ..fresh }
            }
        };
        note(progress, &now)?;
        let mut from = tokio::fs::File::open(file).await?;
        from.seek(io::SeekFrom::Start(now.parts.len() as u64 * now.part)).await?;
        let whole = now.bytes.div_ceil(now.part);
        while (now.parts.len() as u64) < whole {
            if *stop.borrow() {
                return Err(Error::internal("the process stops"));
            }
            let index = now.parts.len();
            let size = now.part.min(now.bytes - index as u64 * now.part);
            let mut bytes = vec![0; usize::try_from(size).map_err(Error::internal)?];
            from.read_exact(&mut bytes).await?;
            let sent = self.store.put_part(&path, &now.upload, index, PutPayload::from(bytes)).await;
            let part = match sent {
                Ok(part) => part,
                Err(e) => {
                    // The store has forgotten the upload: the next attempt begins anew.
                    if matches!(e, object_store::Error::NotFound { .. }) {
                        let _ = fs::remove_file(progress);
                    }
                    return Err(self.fault("sending to", &e));
                }
            };
            now.parts.push(part.content_id);
            note(progress, &now)?;
        }
        let parts = now.parts.into_iter().map(|content_id| PartId { content_id }).collect();
        let done = self.store.complete_multipart(&path, &now.upload, parts).await;
        // Whatever came of it, this upload cannot be gone on with.
        let _ = fs::remove_file(progress);
        done.map(drop).map_err(|e| self.fault("sending to", &e))
    }
}

#[async_trait]
impl Offsite for S3 {
    fn place(&self) -> &str {
        &self.place
    }

    async fn list(&self) -> Result<Vec<Kept>> {
        let prefix = Some(&self.prefix).filter(|p| !p.as_ref().is_empty());
        let mut all = self.store.list(prefix);
        let mut found = Vec::new();
        while let Some(one) = all.try_next().await.map_err(|e| self.fault("listing", &e))? {
            let Some(parts) = one.location.prefix_match(&self.prefix) else { continue };
            let key = parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/");
            found.push(Kept { key, bytes: one.size });
            if found.len() > MOST {
                return Err(Error::internal(format!(
                    "{} holds more than {MOST} objects: it is not a place for backups alone",
                    self.place
                )));
            }
        }
        Ok(found)
    }

    async fn send(
        &self,
        file: &File,
        key: &str,
        progress: &File,
        stop: &watch::Receiver<bool>,
    ) -> Result<()> {
        let fresh = self.fresh(file, key)?;
        if fresh.bytes <= PART {
            let payload = PutPayload::from(tokio::fs::read(file).await?);
            let put = self.store.put(&self.path(key), payload).await;
            return put.map(drop).map_err(|e| self.fault("sending to", &e));
        }
        let begun = noted(progress).filter(|b| b.is_of(&fresh));
        self.send_parts(file, key, begun, fresh, progress, stop).await
    }

    async fn abandon(&self, progress: &File) -> Result<()> {
        if let Some(begun) = noted(progress).filter(|b| b.place == self.place) {
            match self.store.abort_multipart(&self.path(&begun.key), &begun.upload).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(e) => return Err(self.fault("giving up an upload to", &e)),
            }
        }
        match fs::remove_file(progress) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }

    async fn read(&self, key: &str, from: u64, most: u64) -> Result<Vec<u8>> {
        let range: Range<u64> = from..from.saturating_add(most);
        let read = self.store.get_range(&self.path(key), range).await;
        Ok(read.map_err(|e| self.fault("reading", &e))?.to_vec())
    }

    async fn remove(&self, key: &str) -> Result<()> {
        match self.store.delete(&self.path(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(self.fault("removing from", &e)),
        }
    }
}

impl S3 {
    fn fresh(&self, file: &File, key: &str) -> Result<Progress> {
        let about = fs::metadata(file)
            .map_err(|e| Error::internal(format!("{} cannot be read: {e}", file.display())))?;
        let modified = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        Ok(Progress {
            place: self.place.clone(),
            key: key.to_owned(),
            bytes: about.len(),
            modified_ns: u64::try_from(modified).unwrap_or(u64::MAX),
            part: PART.max(about.len().div_ceil(PARTS)),
            upload: String::new(),
            parts: Vec::new(),
        })
    }
}

impl Progress {
    /// Whether this is how far the same file came on its way to the same place.
    fn is_of(&self, fresh: &Self) -> bool {
        let of = |p: &Self| (p.place.clone(), p.key.clone(), p.bytes, p.modified_ns, p.part);
        of(self) == of(fresh) && self.parts.len() as u64 <= self.bytes.div_ceil(self.part.max(1))
    }
}

fn noted(progress: &File) -> Option<Progress> {
    serde_json::from_slice(&fs::read(progress).ok()?).ok()
}

fn note(progress: &File, now: &Progress) -> Result<()> {
    let half: PathBuf = progress.with_extension("half");
    fs::write(&half, serde_json::to_vec(now)?)?;
    Ok(fs::rename(&half, progress)?)
}

/// How requests are made; `system` for trusting whom the machine trusts, beside the authority of the section.
fn client(s: &Settings, system: bool) -> std::result::Result<ClientOptions, BadSettings> {
    let mut client = ClientOptions::new()
        .with_connect_timeout(Duration::from_secs(10))
        .with_timeout(REQUEST)
        .with_no_system_certificates(!system);
    if let Some(file) = &s.ca_file {
        let pem =
            fs::read(file).map_err(|e| BadSettings(format!("{} cannot be read: {e}", file.display())))?;
        let all = Certificate::from_pem_bundle(&pem)
            .map_err(|e| BadSettings(format!("{} is not understood: {e}", file.display())))?;
        for authority in all {
            client = client.with_root_certificate(authority);
        }
    }
    Ok(client)
}

/// The innermost causes of a fault in one line: the outer ones repeat them.
fn reason(e: &object_store::Error) -> String {
    const LONGEST: usize = 400;
    let mut said = Vec::new();
    let mut cause: Option<&dyn std::error::Error> = Some(e);
    while let Some(e) = cause {
        said.push(e.to_string());
        cause = e.source();
    }
    let mut last: Vec<String> = Vec::new();
    for text in said.into_iter().rev() {
        // An outer text that ends with the inner one says nothing more but where.
        if !last.iter().any(|inner| text.contains(inner.as_str())) {
            last.insert(0, text);
        }
    }
    let line: String = last.join(": ").chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.chars().take(LONGEST).collect()
}
