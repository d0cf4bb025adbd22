//! Putting content: hashed and encrypted as it comes, durable before the answer.

use std::io::Write;

use base::error::{Error, Result};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::cipher::{Address, Key, Name, object_key};
use super::files::Staged;
use super::id::{BlobId, ObjectId};
use super::store::{self, Stored};
use super::{Blobs, PutOptions, SMALL, blocking, pack, pack_fault};
use crate::crypt::SealWriter;

/// Bytes taken from a reader at once.
const CHUNK: usize = 256 << 10;

impl Blobs {
    /// Keeps content in memory. Durable when this answers; refer to it within 24 hours.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; [`Error::Unavailable`] when the packs have failed; database and disk faults.
    pub async fn put(&self, content: impl Into<Bytes>, options: &PutOptions) -> Result<BlobId> {
        let content = content.into();
        if content.len() as u64 > options.max_bytes {
            return Err(Error::TooLarge { limit: options.max_bytes });
        }
        if content.len() <= SMALL {
            self.put_small(content, options).await
        } else {
            self.put_large(&content[..], options).await
        }
    }

    /// Keeps what `reader` gives, whatever its length, holding little of it in memory.
    ///
    /// # Errors
    /// As [`Blobs::put`]; an error of the reader is [`Error::Unavailable`] and nothing is kept.
    pub async fn put_reader(
        &self,
        reader: impl AsyncRead + Send + Unpin,
        options: &PutOptions,
    ) -> Result<BlobId> {
        let mut reader = reader;
        let mut head = Vec::new();
        let limit = options.max_bytes.min(SMALL as u64) + 1;
        (&mut reader).take(limit).read_to_end(&mut head).await.map_err(source_fault)?;
        if head.len() as u64 > options.max_bytes {
            return Err(Error::TooLarge { limit: options.max_bytes });
        }
        if head.len() <= SMALL {
            return self.put_small(head.into(), options).await;
        }
        self.put_large(AsyncReadExt::chain(&head[..], reader), options).await
    }

    async fn put_small(&self, content: Bytes, options: &PutOptions) -> Result<BlobId> {
        let (key_id, data_key) = self.data_key(&options.subject).await?;
        let mut address = Address::new(self.address_key().await?);
        address.update(&content);
        let name = address.name(key_id, options.class);
        if self.touch(&name.id, options).await? {
            return Ok(name.id);
        }
        let object = self.new_object();
        let record = pack::seal(object, &object_key(&data_key, object), &content, &*self.0.random)?;
        let (bytes, length) = (content.len() as u64, record.len() as u64);
        let position = self.0.packs.append(record).await.map_err(pack_fault)?;
        self.record(&name, Stored { bytes, object, length, position: Some(position) }, options).await?;
        Ok(name.id)
    }

    async fn put_large(&self, reader: impl AsyncRead + Send + Unpin, options: &PutOptions) -> Result<BlobId> {
        let (key_id, data_key) = self.data_key(&options.subject).await?;
        let address = Address::new(self.address_key().await?);
        let object = self.new_object();
        let staging = self.stage(object, data_key, address).await?;
        let (staging, bytes) = self.fill(staging, reader, options.max_bytes).await?;
        let (staged, address) = blocking(move || staging.end()).await?;
        let name = address.name(key_id, options.class);
        if self.touch(&name.id, options).await? {
            return Ok(name.id); // dropping the staged file removes it
        }
        let length = blocking(move || staged.publish()).await?;
        let stored = Stored { bytes, object, length, position: None };
        if self.record(&name, stored, options).await? != object {
            let files = self.0.files.clone();
            blocking(move || files.remove(object)).await?; // somebody put the same meanwhile
        }
        Ok(name.id)
    }

    async fn stage(&self, object: ObjectId, data_key: Key, address: Address) -> Result<Staging> {
        let (files, random) = (self.0.files.clone(), self.0.random.clone());
        let work = move || {
            let key = object_key(&data_key, object);
            Ok(Staging { out: SealWriter::new(files.stage(object)?, &key, &*random)?, address })
        };
        blocking(work).await
    }

    async fn fill(
        &self,
        mut staging: Staging,
        mut reader: impl AsyncRead + Send + Unpin,
        most: u64,
    ) -> Result<(Staging, u64)> {
        let mut bytes = 0;
        loop {
            let mut chunk = Vec::with_capacity(CHUNK);
            (&mut reader).take(CHUNK as u64).read_to_end(&mut chunk).await.map_err(source_fault)?;
            if chunk.is_empty() {
                return Ok((staging, bytes));
            }
            bytes += chunk.len() as u64;
            if bytes > most {
                return Err(Error::TooLarge { limit: most });
            }
            staging = blocking(move || staging.write(&chunk)).await?;
        }
    }

    /// Refreshes content that is already here.
    async fn touch(&self, id: &BlobId, options: &PutOptions) -> Result<bool> {
        // Most content is new: looking needs no writer.
        if store::find(&self.0.db, id).await?.is_none() {
            return Ok(false);
        }
        let mut tx = self.0.db.begin().await?;
        let there = store::touch(&mut tx, id, self.0.clock.now(), options.keep_until).await?;
        tx.commit().await?;
        Ok(there)
    }

    async fn record(&self, name: &Name, stored: Stored, options: &PutOptions) -> Result<ObjectId> {
        let mut tx = self.0.db.begin().await?;
        let object = store::insert(&mut tx, name, stored, self.0.clock.now(), options.keep_until).await?;
        tx.commit().await?;
        Ok(object)
    }

    fn new_object(&self) -> ObjectId {
        ObjectId::new(&*self.0.clock, &*self.0.random)
    }
}

/// A file being filled: hashed and encrypted on the way.
struct Staging {
    out: SealWriter<Staged>,
    address: Address,
}

impl Staging {
    fn write(mut self, chunk: &[u8]) -> Result<Self> {
        self.address.update(chunk);
        self.out.write_all(chunk)?;
        Ok(self)
    }

    fn end(self) -> Result<(Staged, Address)> {
        Ok((self.out.finish()?, self.address))
    }
}

fn source_fault(e: std::io::Error) -> Error {
    Error::unavailable("source of the content", e)
}
