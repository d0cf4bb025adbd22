//! Encryption of files of any size in constant memory: 64 KiB chunks under AES-256-GCM in the STREAM
//! construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015), so that a chunk that is altered, moved, missing or
//! cut off at the end is noticed. Header: magic, 32-byte salt from which the file's key is derived.

use std::io::{self, Read, Write};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base::random::Random;

const MAGIC: &[u8; 8] = b"LTCRYPT1";
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;

fn altered() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "encrypted data was altered, cut off, or is under another key")
}

struct Chunks {
    key: LessSafeKey,
    counter: u64,
}

impl Chunks {
    fn new(key: &[u8; 32], salt: &[u8; 32]) -> io::Result<Self> {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), salt);
        let key = UnboundKey::new(&AES_256_GCM, tag.as_ref()).map_err(|_| altered())?;
        Ok(Self { key: LessSafeKey::new(key), counter: 0 })
    }

    fn nonce(&mut self, last: bool) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[..8].copy_from_slice(&self.counter.to_be_bytes());
        nonce[NONCE_LEN - 1] = u8::from(last);
        self.counter += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

/// Encrypts what is written to it. Call [`SealWriter::finish`]: without it the file counts as cut off.
pub struct SealWriter<W> {
    out: W,
    chunks: Chunks,
    buffer: Vec<u8>,
}

impl<W: Write> SealWriter<W> {
    /// Begins a file under `key`.
    pub fn new(mut out: W, key: &[u8; 32], random: &dyn Random) -> io::Result<Self> {
        let salt = base::random::bytes::<32>(random);
        out.write_all(MAGIC)?;
        out.write_all(&salt)?;
        Ok(Self { out, chunks: Chunks::new(key, &salt)?, buffer: Vec::with_capacity(CHUNK + TAG) })
    }

    /// Writes the last chunk and gives the inner writer back.
    pub fn finish(mut self) -> io::Result<W> {
        self.flush_chunk(true)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn flush_chunk(&mut self, last: bool) -> io::Result<()> {
        let nonce = self.chunks.nonce(last);
        let sealed = self.chunks.key.seal_in_place_append_tag(nonce, Aad::from(MAGIC), &mut self.buffer);
        sealed.map_err(|_| altered())?;
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl<W: Write> Write for SealWriter<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        // A full buffer is written only when more follows: the last chunk is marked as such.
        if self.buffer.len() == CHUNK {
            self.flush_chunk(false)?;
        }
        let n = data.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(&data[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Decrypts what [`SealWriter`] wrote; an error means that nothing read so far is to be trusted as complete.
pub struct OpenReader<R> {
    input: R,
    chunks: Chunks,
    plain: Vec<u8>,
    at: usize,
    ahead: Vec<u8>,
    ended: bool,
}

impl<R: Read> OpenReader<R> {
    /// Reads the header of a file under `key`.
    pub fn new(mut input: R, key: &[u8; 32]) -> io::Result<Self> {
        let mut header = [0; 40];
        input.read_exact(&mut header).map_err(|_| altered())?;
        let (magic, salt) = header.split_at(8);
        if magic != MAGIC {
            return Err(altered());
        }
        let mut fixed = [0; 32];
        fixed.copy_from_slice(salt);
        let chunks = Chunks::new(key, &fixed)?;
        let mut reader = Self { input, chunks, plain: Vec::new(), at: 0, ahead: Vec::new(), ended: false };
        reader.ahead = reader.read_chunk()?;
        Ok(reader)
    }

    fn read_chunk(&mut self) -> io::Result<Vec<u8>> {
        let mut chunk = Vec::with_capacity(CHUNK + TAG);
        self.input.by_ref().take((CHUNK + TAG) as u64).read_to_end(&mut chunk)?;
        Ok(chunk)
    }

    /// The chunk after which nothing follows must be the one marked as last.
    fn next_chunk(&mut self) -> io::Result<()> {
        let mut chunk = std::mem::take(&mut self.ahead);
        self.ahead = self.read_chunk()?;
        let last = self.ahead.is_empty();
        let nonce = self.chunks.nonce(last);
        let n =
            self.chunks.key.open_in_place(nonce, Aad::from(MAGIC), &mut chunk).map_err(|_| altered())?.len();
        chunk.truncate(n);
        (self.plain, self.at, self.ended) = (chunk, 0, last);
        Ok(())
    }
}

impl<R: Read> Read for OpenReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.plain.len() {
            if self.ended {
                return Ok(0);
            }
            self.next_chunk()?;
        }
        let n = out.len().min(self.plain.len() - self.at);
        out[..n].copy_from_slice(&self.plain[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::random::SeededRandom;

    fn seal(plain: &[u8]) -> Vec<u8> {
        let mut w = SealWriter::new(Vec::new(), &[7; 32], &SeededRandom::new(1)).unwrap();
        w.write_all(plain).unwrap();
        w.finish().unwrap()
    }

    fn open(sealed: &[u8], key: &[u8; 32]) -> io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        OpenReader::new(sealed, key)?.read_to_end(&mut plain)?;
        Ok(plain)
    }

    #[test]
    fn files_of_every_size_around_the_chunk_come_back() {
        for n in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let plain: Vec<u8> = (0..n).map(|i| u8::try_from(i % 251).unwrap()).collect();
            assert_eq!(open(&seal(&plain), &[7; 32]).unwrap(), plain, "{n} bytes");
        }
    }

    #[test]
    fn alterations_and_cuts_are_noticed() {
        let sealed = seal(&vec![5; 2 * CHUNK + 9]);
        assert!(open(&sealed, &[8; 32]).is_err());
        for cut in [0, 7, 40, 41, 40 + CHUNK + TAG, 40 + 2 * (CHUNK + TAG), sealed.len() - 1] {
            assert!(open(&sealed[..cut], &[7; 32]).is_err(), "cut at {cut}");
        }
        for at in (0..sealed.len()).step_by(997) {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert!(open(&bad, &[7; 32]).is_err(), "altered at {at}");
        }
        let mut swapped = sealed.clone();
        let (a, b) = (40, 40 + CHUNK + TAG);
        swapped[a..a + CHUNK + TAG].copy_from_slice(&sealed[b..b + CHUNK + TAG]);
        assert!(open(&swapped, &[7; 32]).is_err(), "moved chunk");
        let mut longer = sealed.clone();
        longer.push(0);
        assert!(open(&longer, &[7; 32]).is_err(), "bytes after the end");
    }
}
