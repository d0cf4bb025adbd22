//! The state of one connection: which bytes belong to which part of which request.

use crate::field::{line_end, split};
use crate::head::HeadScanner;
use crate::{Framing, Limits, RequestHead, Violation};

/// What a client that already knows the server speaks HTTP/2 sends first (RFC 9113 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What the bytes at the beginning of the buffer are. Every event but the last two consumes bytes: the caller passes
/// them on and removes them from the front of the buffer before it asks again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A complete, sound request head; as many bytes as [`RequestHead::raw`] has.
    Head(Box<RequestHead>),
    /// So many bytes of the body's content.
    Data(usize),
    /// So many bytes that only delimit chunks, or are trailers.
    Framing(usize),
    /// The connection speaks HTTP/2: these bytes and all that follow are not looked at.
    Http2(usize),
    /// The request is complete. Consumes nothing.
    End,
    /// Nothing more can be said before more bytes arrive. Consumes nothing.
    NeedMore,
}

impl Event {
    /// How many bytes the event stands for.
    pub fn consumed(&self) -> usize {
        match self {
            Self::Head(head) => head.raw().len(),
            Self::Data(n) | Self::Framing(n) | Self::Http2(n) => *n,
            Self::End | Self::NeedMore => 0,
        }
    }
}

#[derive(Debug)]
enum State {
    /// At the very beginning, where the HTTP/2 preface may stand.
    Start,
    Head(HeadScanner),
    Length(u64),
    ChunkSize {
        scanned: usize,
    },
    ChunkData(u64),
    ChunkEnd,
    Trailers {
        scanned: usize,
        line_start: usize,
    },
    Complete,
    Http2,
    Refused(Violation),
}

/// The framing checker of one connection.
#[derive(Debug)]
pub struct Checker {
    limits: Limits,
    state: State,
    extensions: usize,
}

impl Checker {
    /// A checker at the beginning of a connection.
    pub fn new(limits: Limits) -> Self {
        let state = if limits.allow_http2 { State::Start } else { State::Head(HeadScanner::default()) };
        Self { limits, state, extensions: 0 }
    }

    /// Whether nothing of a next request has been consumed: a connection may end here without loss.
    pub fn is_between_requests(&self) -> bool {
        matches!(self.state, State::Start | State::Head(_))
    }

    /// Says what stands at the front of `buf`. Between two calls the caller may append bytes, and must remove
    /// exactly the bytes that the last event consumed.
    ///
    /// # Errors
    /// The [`Violation`] found at the earliest byte that shows it; the same one on every later call.
    pub fn next(&mut self, buf: &[u8]) -> Result<Event, Violation> {
        let result = self.step(buf);
        if let Err(violation) = result {
            self.state = State::Refused(violation);
        }
        result
    }

    fn step(&mut self, buf: &[u8]) -> Result<Event, Violation> {
        match &mut self.state {
            State::Refused(violation) => Err(*violation),
            State::Http2 if buf.is_empty() => Ok(Event::NeedMore),
            State::Http2 => Ok(Event::Http2(buf.len())),
            State::Complete => {
                self.state = State::Head(HeadScanner::default());
                Ok(Event::End)
            }
            State::Start if buf.starts_with(PREFACE) => {
                self.state = State::Http2;
                Ok(Event::Http2(PREFACE.len()))
            }
            State::Start if PREFACE.starts_with(buf) => Ok(Event::NeedMore),
            State::Start => {
                self.state = State::Head(HeadScanner::default());
                self.step(buf)
            }
            State::Head(scanner) => match scanner.advance(buf, &self.limits)? {
                Some(head) => {
                    self.extensions = 0;
                    self.state = match head.framing() {
                        Framing::Empty => State::Complete,
                        Framing::Length(n) => State::Length(n),
                        Framing::Chunked => State::ChunkSize { scanned: 0 },
                    };
                    Ok(Event::Head(Box::new(head)))
                }
                None => Ok(Event::NeedMore),
            },
            State::Length(_) | State::ChunkData(_) if buf.is_empty() => Ok(Event::NeedMore),
            State::Length(left) => {
                let (n, rest) = take(*left, buf.len());
                self.state = if rest == 0 { State::Complete } else { State::Length(rest) };
                Ok(Event::Data(n))
            }
            State::ChunkData(left) => {
                let (n, rest) = take(*left, buf.len());
                self.state = if rest == 0 { State::ChunkEnd } else { State::ChunkData(rest) };
                Ok(Event::Data(n))
            }
            State::ChunkEnd => match buf {
                [] | [b'\r'] => Ok(Event::NeedMore),
                [b'\r', b'\n', ..] => {
                    self.state = State::ChunkSize { scanned: 0 };
                    Ok(Event::Framing(2))
                }
                _ => Err(Violation::ChunkEnd),
            },
            State::ChunkSize { .. } => self.chunk_size(buf),
            State::Trailers { .. } => self.trailers(buf),
        }
    }

    fn chunk_size(&mut self, buf: &[u8]) -> Result<Event, Violation> {
        let State::ChunkSize { scanned } = &mut self.state else { return Ok(Event::NeedMore) };
        let Some(end) = line_end(buf, 0, scanned, self.limits.chunk_line, Violation::ChunkLineTooLong)?
        else {
            return Ok(Event::NeedMore);
        };
        let (size, extensions) = parse_chunk_line(&buf[..end])?;
        self.extensions = self.extensions.saturating_add(extensions);
        if self.extensions > self.limits.chunk_extensions {
            return Err(Violation::ChunkLineTooLong);
        }
        self.state =
            if size == 0 { State::Trailers { scanned: 0, line_start: 0 } } else { State::ChunkData(size) };
        Ok(Event::Framing(end + 2))
    }

    fn trailers(&mut self, buf: &[u8]) -> Result<Event, Violation> {
        let State::Trailers { scanned, line_start } = &mut self.state else { return Ok(Event::NeedMore) };
        loop {
            let left = self.limits.trailers.saturating_sub(*line_start);
            let Some(end) = line_end(buf, *line_start, scanned, left, Violation::TrailersTooLarge)? else {
                return Ok(Event::NeedMore);
            };
            if end == *line_start {
                self.state = State::Complete;
                return Ok(Event::Framing(end + 2));
            }
            let line = &buf[*line_start..end];
            let (name, _) = split(line)?;
            if is_forbidden_trailer(&line[..name]) {
                return Err(Violation::Trailer);
            }
            *line_start = end + 2;
        }
    }
}

/// How many of `available` bytes belong to the part, and how many of the part are still to come.
fn take(left: u64, available: usize) -> (usize, u64) {
    match usize::try_from(left) {
        Ok(left) if left <= available => (left, 0),
        _ => (available, left - available as u64),
    }
}

/// Size, and length of the extensions (RFC 9112 7.1). No space between size and extensions.
fn parse_chunk_line(line: &[u8]) -> Result<(u64, usize), Violation> {
    let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let extensions = &line[digits..];
    if digits == 0 || !matches!(extensions.first(), None | Some(b';')) {
        return Err(Violation::ChunkSize);
    }
    if extensions.iter().any(|b| *b != b'\t' && (*b < b' ' || *b == 0x7f)) {
        return Err(Violation::ChunkSize);
    }
    let mut size: u64 = 0;
    for b in &line[..digits] {
        let digit = (*b as char).to_digit(16).ok_or(Violation::ChunkSize)?;
        if size >= 1 << 59 {
            return Err(Violation::ChunkSizeOverflow);
        }
        size = size << 4 | u64::from(digit);
    }
    Ok((size, extensions.len()))
}

/// Fields that matter before the body is read and so have no business after it (RFC 9110 6.5.1).
fn is_forbidden_trailer(name: &[u8]) -> bool {
    const FORBIDDEN: [&str; 14] = [
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "cookie",
        "expect",
        "host",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    FORBIDDEN.iter().any(|f| f.as_bytes().eq_ignore_ascii_case(name))
        || name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"x-road-"))
}
