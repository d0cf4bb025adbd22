//! Finds the end of one HTTP/1.1 answer in a stream of bytes: by length or by chunks. Just enough for a load
//! generator that sends one request at a time.

use anyhow::{Context, Result, bail};

/// Reads answers one after the other.
#[derive(Debug, Default)]
pub struct Reader {
    state: State,
    status: u16,
    /// Bytes of an incomplete head or chunk line.
    pending: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Head,
    Body(u64),
    ChunkLine,
    Chunk(u64),
    /// The line end after a chunk.
    ChunkEnd,
    Trailers,
}

/// A head or chunk line longer than this is refused.
const MAX_PENDING: usize = 64 * 1024;

impl Reader {
    /// Takes the next bytes; gives the status once the answer is whole. Bytes after it are an error, because
    /// nothing more was asked for.
    ///
    /// # Errors
    /// When the bytes are not such an answer.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<Option<u16>> {
        loop {
            let done = match self.state {
                State::Head => match self.upto(&mut bytes, b"\r\n\r\n")? {
                    Some(head) => self.head(&head)?,
                    None => return Ok(None),
                },
                State::Body(left) => {
                    let left = skip(&mut bytes, left);
                    self.state = State::Body(left);
                    left == 0
                }
                State::ChunkLine => match self.upto(&mut bytes, b"\r\n")? {
                    Some(line) => {
                        self.state = match chunk_size(&line)? {
                            0 => State::Trailers,
                            size => State::Chunk(size),
                        };
                        false
                    }
                    None => return Ok(None),
                },
                State::Chunk(left) => {
                    let left = skip(&mut bytes, left);
                    self.state = if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
                    false
                }
                State::ChunkEnd => match self.upto(&mut bytes, b"\r\n")? {
                    Some(line) if line == b"\r\n" => {
                        self.state = State::ChunkLine;
                        false
                    }
                    Some(_) => bail!("a chunk is longer than it said"),
                    None => return Ok(None),
                },
                State::Trailers => match self.upto(&mut bytes, b"\r\n")? {
                    Some(line) => line == b"\r\n",
                    None => return Ok(None),
                },
            };
            if done {
                if !bytes.is_empty() {
                    bail!("{} bytes after the end of the answer", bytes.len());
                }
                self.state = State::Head;
                return Ok(Some(self.status));
            }
            if bytes.is_empty() {
                return Ok(None);
            }
        }
    }

    /// Everything up to and including `mark`, once it is there.
    fn upto(&mut self, bytes: &mut &[u8], mark: &[u8]) -> Result<Option<Vec<u8>>> {
        let from = self.pending.len().saturating_sub(mark.len() - 1);
        let before = self.pending.len();
        self.pending.extend_from_slice(bytes);
        match self.pending[from..].windows(mark.len()).position(|w| w == mark) {
            Some(at) => {
                let end = from + at + mark.len();
                let found = self.pending[..end].to_vec();
                *bytes = &bytes[end - before..];
                self.pending.clear();
                Ok(Some(found))
            }
            None if self.pending.len() > MAX_PENDING => bail!("a line without an end"),
            None => {
                *bytes = &[];
                Ok(None)
            }
        }
    }

    /// Reads the head; true when no body follows.
    fn head(&mut self, head: &[u8]) -> Result<bool> {
        let text = std::str::from_utf8(head).context("the head is not text")?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|l| l.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok());
        self.status = status.context("no status line")?;
        let mut length = None;
        for line in lines {
            let Some((name, value)) = line.split_once(':') else { continue };
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(value.trim().parse().context("Content-Length")?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                self.state = State::ChunkLine;
                return Ok(false);
            }
        }
        match length {
            Some(length) => self.state = State::Body(length),
            None if matches!(self.status, 204 | 304) => self.state = State::Body(0),
            None => bail!("neither length nor chunks"),
        }
        Ok(matches!(self.state, State::Body(0)))
    }
}

fn skip(bytes: &mut &[u8], left: u64) -> u64 {
    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    *bytes = &bytes[here..];
    left - here as u64
}

fn chunk_size(line: &[u8]) -> Result<u64> {
    let text = std::str::from_utf8(line)?.trim_end();
    let digits = text.split(';').next().unwrap_or_default().trim();
    u64::from_str_radix(digits, 16).with_context(|| format!("{digits:?} is no chunk size"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds the bytes in pieces of every size: the end must be found at the same place.
    #[track_caller]
    fn check(bytes: &[u8], status: u16) {
        for size in 1..=bytes.len() {
            let mut reader = Reader::default();
            for _ in 0..2 {
                let mut found = None;
                for piece in bytes.chunks(size) {
                    assert_eq!(found, None, "pieces of {size}");
                    found = reader.feed(piece).unwrap();
                }
                assert_eq!(found, Some(status), "pieces of {size}");
            }
        }
    }

    #[test]
    fn answers_end_where_they_say() {
        check(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200);
        check(b"HTTP/1.1 404 \r\ncontent-length:0\r\n\r\n", 404);
        check(b"HTTP/1.1 304 Not Modified\r\n\r\n", 304);
        check(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n",
            200,
        );
        check(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nT: v\r\n\r\n", 200);
    }

    #[test]
    fn what_is_not_an_answer_is_refused() {
        for bad in [
            &b"hello\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        ] {
            assert!(Reader::default().feed(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }
}
