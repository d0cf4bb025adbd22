//! Reading content back: decrypted and verified chunk by chunk, never whole in memory unless asked for.

use std::io::{Cursor, Read};

use base::error::{Error, Refusal, Result};
use base::i18n::Text;
use bytes::Bytes;
use futures_util::Stream;

use super::cipher::object_key;
use super::files::{FileReader, missing};
use super::id::BlobId;
use super::store::{self, Object};
use super::{Blobs, Meta, blocking, keys, pack, pack_fault};
use crate::crypt::OpenReader;

/// Bytes given at once.
const CHUNK: usize = 256 << 10;

/// Gives content in order. What was given is to be trusted as complete only after the end was reached.
pub struct BlobReader {
    meta: Meta,
    reader: Option<OpenReader<Source>>,
    given: u64,
}

impl std::fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobReader").field("meta", &self.meta).field("given", &self.given).finish()
    }
}

enum Source {
    Pack(Cursor<Bytes>),
    File(FileReader),
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Pack(bytes) => bytes.read(out),
            Self::File(file) => file.read(out),
        }
    }
}

impl Blobs {
    /// Opens content for reading.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] with `content-erased` when its key was destroyed;
    /// [`Error::Internal`] when the stored bytes are missing or altered.
    pub async fn get(&self, id: &BlobId) -> Result<BlobReader> {
        let mut object = self.find(id).await?;
        // Content may move to another place between the look-up and the reading.
        loop {
            let place = object.place();
            match self.open_object(object).await {
                Err(e @ Error::Internal(_)) => {
                    object = self.find(id).await?;
                    if object.place() == place {
                        return Err(e);
                    }
                }
                other => return other,
            }
        }
    }

    async fn find(&self, id: &BlobId) -> Result<Object> {
        store::find(&self.0.db, id).await?.ok_or(Error::NotFound { kind: "content" })
    }

    /// Reads content of at most `limit` bytes whole.
    ///
    /// # Errors
    /// As [`Blobs::get`] and [`BlobReader::next`]; [`Error::TooLarge`].
    pub async fn read(&self, id: &BlobId, limit: u64) -> Result<Bytes> {
        let mut reader = self.get(id).await?;
        if reader.meta.bytes > limit {
            return Err(Error::TooLarge { limit });
        }
        let mut out = Vec::with_capacity(usize::try_from(reader.meta.bytes).unwrap_or(0));
        while let Some(chunk) = reader.next().await? {
            out.extend_from_slice(&chunk);
        }
        Ok(out.into())
    }

    pub(super) async fn open_object(&self, object: Object) -> Result<BlobReader> {
        let Some(wrapped) = &object.wrapped else { return Err(erased()) };
        let key = object_key(&keys::unwrap(&self.0.keys, object.key_id, wrapped)?, object.object);
        let (files, packs) = (self.0.files.clone(), self.0.packs.clone());
        let (number, position) = (object.object, object.position);
        let open = move || {
            let source = match position {
                None => Source::File(files.read(number).map_err(missing)?),
                Some(position) => {
                    let record = packs.get(position).map_err(pack_fault)?;
                    let record =
                        record.ok_or_else(|| Error::internal("a pack is shorter than its contents"))?;
                    let (found, sealed) = pack::split(&record)?;
                    if found != number {
                        return Err(Error::internal("a pack holds other content at this place"));
                    }
                    Source::Pack(Cursor::new(sealed))
                }
            };
            Ok(OpenReader::new(source, &key)?)
        };
        Ok(BlobReader { meta: object.meta, reader: Some(blocking(open).await?), given: 0 })
    }
}

fn erased() -> Error {
    let text = Text {
        vi: "Nội dung này đã được xoá theo yêu cầu và không thể khôi phục.".into(),
        en: "This content was erased on request and cannot be restored.".into(),
    };
    Refusal::new("content-erased", text).into()
}

impl BlobReader {
    /// What is known of the content.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The next bytes; `None` at the end. A dropped future ends the reading: open it anew.
    ///
    /// # Errors
    /// When the stored bytes were altered or cut off: nothing given so far is to be used.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(mut reader) = self.reader.take() else { return Ok(None) };
        let work = move || {
            let mut chunk = Vec::with_capacity(CHUNK);
            reader.by_ref().take(CHUNK as u64).read_to_end(&mut chunk)?;
            Ok((reader, chunk))
        };
        let (reader, chunk) = blocking(work).await?;
        self.given += chunk.len() as u64;
        if chunk.is_empty() {
            if self.given != self.meta.bytes {
                return Err(Error::internal("stored content has another length than recorded"));
            }
            return Ok(None);
        }
        self.reader = Some(reader);
        Ok(Some(chunk.into()))
    }

    /// The content as a stream of chunks, for answers.
    pub fn into_stream(self) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
        futures_util::stream::try_unfold(self, |mut reader| async move {
            let chunk = reader.next().await.map_err(std::io::Error::other)?;
            Ok(chunk.map(|chunk| (chunk, reader)))
        })
    }
}
