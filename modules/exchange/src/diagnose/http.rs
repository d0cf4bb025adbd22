//! One request and what its answer looks like: status, time to the first byte, framing (RFC 9112). The content is
//! counted and thrown away: it may be about people.

use std::io::ErrorKind;
use std::time::Duration;

use base::clock::{Clock, Stopwatch, Timestamp};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::clock::ahead;
use super::{Fault, secure};

/// Longest head of an answer.
const MOST_HEAD: usize = 64 * 1024;
/// Content read to see whether its end is where it was announced.
const MOST_CONTENT: u64 = 256 * 1024;
/// Time for that.
const CONTENT_PATIENCE: Duration = Duration::from_secs(5);
const MOST_HEADERS: usize = 128;

/// A connection, secured or not.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// What was seen of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub status: Option<u16>,
    pub first_byte: Option<Duration>,
    pub framing: Option<&'static str>,
    /// Seconds by which its `Date` is ahead of ours.
    pub ahead: Option<i64>,
    pub fault: Option<Fault>,
}

impl Seen {
    fn with(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }
}

/// What is told of a head.
struct Head {
    status: u16,
    length: Option<u64>,
    is_chunked: bool,
    date: Option<Timestamp>,
    content_at: usize,
}

/// Asks for `path` at `authority` and looks at the answer.
pub(super) async fn ask(
    wire: &mut dyn Wire,
    authority: &str,
    path: &str,
    patience: Duration,
    clock: &dyn Clock,
) -> Seen {
    let mut seen = Seen::default();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: LienThong-Diagnostics\r\nAccept: */*\r\n\
         Connection: close\r\n\r\n"
    );
    let (sent, watch) = (clock.now(), Stopwatch::start());
    let reading = async {
        wire.write_all(request.as_bytes()).await?;
        wire.flush().await?;
        head(wire, &watch, &mut seen.first_byte).await
    };
    let (bytes, head) = match tokio::time::timeout(patience, reading).await {
        Err(_) if seen.first_byte.is_none() => {
            return seen.with(Fault::Silent { seconds: patience.as_secs() });
        }
        Err(_) => return seen.with(Fault::Broken),
        Ok(Err(e)) if e.kind() == ErrorKind::InvalidData => return seen.with(invalid(&e)),
        Ok(Err(_)) => return seen.with(Fault::Broken),
        Ok(Ok(Err(fault))) => return seen.with(fault),
        Ok(Ok(Ok(found))) => found,
    };
    let received = clock.now();
    seen.status = Some(head.status);
    seen.ahead = head.date.map(|date| ahead(date, sent, received));
    let (framing, expected) = match (head.length, head.is_chunked) {
        (Some(_), true) => {
            seen.framing = Some("content-length, chunked");
            return seen.with(Fault::Garbage);
        }
        (None, true) => ("chunked", None),
        _ if matches!(head.status, 204 | 304) => ("none", Some(0)),
        (Some(length), false) => ("content-length", Some(length)),
        (None, false) => ("close", None),
    };
    seen.framing = Some(framing);
    let had = (bytes - head.content_at) as u64;
    if let Some(expected) = expected.filter(|e| *e > had && *e <= MOST_CONTENT)
        && !arrives(wire, expected - had).await
    {
        return seen.with(Fault::Broken);
    }
    seen
}

/// What the TLS library says of bytes that came after the handshake: often that the provider wants our certificate.
fn invalid(e: &std::io::Error) -> Fault {
    match secure::of_error(e) {
        refused @ Fault::TlsRefused { .. } => refused,
        _ => Fault::Broken,
    }
}

/// Reads the head; also how many bytes came with it in all.
async fn head(
    wire: &mut dyn Wire,
    watch: &Stopwatch,
    first_byte: &mut Option<Duration>,
) -> std::io::Result<Result<(usize, Head), Fault>> {
    let mut bytes = Vec::with_capacity(4 * 1024);
    loop {
        let more = wire.read_buf(&mut bytes).await?;
        if first_byte.is_none() && more > 0 {
            *first_byte = Some(watch.elapsed());
        }
        // A TLS record that says "alert" (RFC 8446 5.1): they expected a handshake.
        if bytes.len() >= 3 && bytes.starts_with(&[0x15, 0x03]) {
            return Ok(Err(Fault::SpeaksTls));
        }
        match parse(&bytes) {
            Ok(Some(head)) if (100..200).contains(&head.status) => drop(bytes.drain(..head.content_at)),
            Ok(Some(head)) => return Ok(Ok((bytes.len(), head))),
            Ok(None) if more == 0 && bytes.is_empty() => return Ok(Err(Fault::Broken)),
            Ok(None) if more == 0 => return Ok(Err(Fault::Garbage)),
            Ok(None) if bytes.len() >= MOST_HEAD => return Ok(Err(Fault::Garbage)),
            Ok(None) => {}
            Err(fault) => return Ok(Err(fault)),
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Option<Head>, Fault> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let content_at = match response.parse(bytes) {
        Ok(httparse::Status::Complete(at)) => at,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(Fault::Garbage),
    };
    let mut head =
        Head { status: response.code.unwrap_or(0), length: None, is_chunked: false, date: None, content_at };
    for header in response.headers.iter() {
        let value = std::str::from_utf8(header.value).unwrap_or("").trim();
        if header.name.eq_ignore_ascii_case("content-length") {
            let length = value.parse().map_err(|_| Fault::Garbage)?;
            if head.length.is_some_and(|known| known != length) {
                return Err(Fault::Garbage);
            }
            head.length = Some(length);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            head.is_chunked = value.to_ascii_lowercase().ends_with("chunked");
        } else if header.name.eq_ignore_ascii_case("date") {
            head.date = date(value);
        }
    }
    Ok(Some(head))
}

/// An HTTP date (RFC 9110 5.6.7).
fn date(value: &str) -> Option<Timestamp> {
    let at = httpdate::parse_http_date(value).ok()?;
    let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_micros(i64::try_from(since.as_micros()).ok()?))
}

/// Whether so many bytes of content still come, in time.
async fn arrives(wire: &mut dyn Wire, mut bytes: u64) -> bool {
    let mut piece = [0; 8 * 1024];
    let reading = async {
        while bytes > 0 {
            match wire.read(&mut piece).await {
                Ok(more) if more > 0 => bytes = bytes.saturating_sub(more as u64),
                _ => return false,
            }
        }
        true
    };
    tokio::time::timeout(CONTENT_PATIENCE, reading).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use base::clock::SystemClock;

    use super::*;

    async fn answered(with: &'static [u8]) -> Seen {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        let provider = async {
            let mut asked = [0; 1024];
            let n = theirs.read(&mut asked).await.unwrap();
            assert!(asked[..n].starts_with(b"GET /x HTTP/1.1\r\nHost: a.example\r\n"));
            theirs.write_all(with).await.unwrap();
            drop(theirs);
        };
        let asking = ask(&mut ours, "a.example", "/x", Duration::from_secs(5), &SystemClock);
        futures_util::join!(asking, provider).0
    }

    #[tokio::test]
    async fn every_framing_is_told_and_what_contradicts_itself_is_a_fault() {
        for (with, framing, status, fault) in [
            (&b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"[..], Some("content-length"), Some(200), None),
            (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", Some("none"), Some(204), None),
            (b"HTTP/1.1 404 x\r\nTransfer-Encoding: chunked\r\n\r\n", Some("chunked"), Some(404), None),
            (b"HTTP/1.1 200 OK\r\n\r\nabc", Some("close"), Some(200), None),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
                Some("content-length"),
                Some(200),
                Some(Fault::Broken),
            ),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
                Some("content-length, chunked"),
                Some(200),
                Some(Fault::Garbage),
            ),
            (b"SSH-2.0-OpenSSH_9.2\r\n", None, None, Some(Fault::Garbage)),
            (b"\x15\x03\x01\x00\x02\x02\x46", None, None, Some(Fault::SpeaksTls)),
            (b"HTTP/1.1 200", None, None, Some(Fault::Garbage)),
            (b"", None, None, Some(Fault::Broken)),
        ] {
            let seen = answered(with).await;
            let text = String::from_utf8_lossy(with);
            assert_eq!((seen.framing, seen.status, seen.fault), (framing, status, fault), "{text}");
        }
    }

    #[test]
    fn dates_are_read() {
        assert_eq!(date("Sun, 22 Nov 2026 08:14:28 GMT").unwrap().rfc3339(), "2026-11-22T08:14:28.000000Z");
        assert_eq!(date("hôm nay"), None);
    }
}
