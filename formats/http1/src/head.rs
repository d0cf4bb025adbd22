//! A request head: its exact bytes, its parts, and what its headers say about the body (RFC 9112 3, 6).

use crate::field::{is_token_byte, split};
use crate::{Limits, Violation};

/// The HTTP version of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

/// How the end of the body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    Empty,
    /// So many bytes, at least one.
    Length(u64),
    /// Chunks.
    Chunked,
}

/// A header line of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// The name as sent.
    pub name: &'a str,
    /// The value without surrounding spaces and tabs; may hold bytes above ASCII.
    pub value: &'a [u8],
}

/// A checked request head with its exact bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    raw: Vec<u8>,
    method: usize,
    target: (usize, usize),
    version: Version,
    framing: Framing,
    fields: Vec<Field>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    pub start: usize,
    pub name_end: usize,
    pub value: (usize, usize),
}

impl RequestHead {
    /// The bytes from the request line to the empty line, both included.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The method.
    pub fn method(&self) -> &str {
        ascii(&self.raw[..self.method])
    }

    /// The request target as sent.
    pub fn target(&self) -> &str {
        ascii(&self.raw[self.target.0..self.target.1])
    }

    /// Path and query of the target: the target itself, or what follows the authority in absolute form.
    pub fn path_and_query(&self) -> &str {
        let target = self.target();
        match target.split_once("://") {
            Some((_, rest)) if !target.starts_with('/') => match rest.find(['/', '?']) {
                Some(at) if rest[at..].starts_with('/') => &rest[at..],
                _ => "/",
            },
            _ => target,
        }
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// How the end of the body is told.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// The header lines in order, names as sent.
    pub fn headers(&self) -> impl Iterator<Item = Header<'_>> {
        self.fields.iter().map(|f| self.header(f))
    }

    fn header(&self, f: &Field) -> Header<'_> {
        Header { name: ascii(&self.raw[f.start..f.name_end]), value: &self.raw[f.value.0..f.value.1] }
    }

    /// Builds a head from its lines, which are complete and within the limits.
    pub(crate) fn assemble(
        raw: Vec<u8>,
        request_line_end: usize,
        fields: Vec<Field>,
    ) -> Result<Self, Violation> {
        let (method, target, version) = request_line(&raw[..request_line_end])?;
        let mut head = Self { raw, method, target, version, framing: Framing::Empty, fields };
        head.check_target()?;
        head.check_host()?;
        head.framing = head.find_framing()?;
        Ok(head)
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers().filter(move |h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value)
    }

    fn check_target(&self) -> Result<(), Violation> {
        let (method, target) = (self.method(), self.target());
        let sound = match target.as_bytes().first() {
            Some(b'/') => true,
            Some(b'*') => target == "*" && method == "OPTIONS",
            _ => self.authority().is_some_and(|authority| is_host(authority.as_bytes())),
        };
        // CONNECT would open a tunnel; its authority form fits nothing served here.
        if sound && method != "CONNECT" { Ok(()) } else { Err(Violation::Target) }
    }

    /// The authority of a target in absolute form.
    fn authority(&self) -> Option<&str> {
        let (scheme, rest) = self.target().split_once("://")?;
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return None;
        }
        rest.split(['/', '?']).next()
    }

    fn check_host(&self) -> Result<(), Violation> {
        let mut hosts = self.all("host");
        let (first, second) = (hosts.next(), hosts.next());
        match (first, second) {
            (_, Some(_)) => Err(Violation::DuplicateHost),
            (None, None) if self.version == Version::Http11 => Err(Violation::MissingHost),
            (None, None) => Ok(()),
            (Some(host), None) => {
                let agrees = self.authority().is_none_or(|a| a.as_bytes().eq_ignore_ascii_case(host));
                if is_host(host) && agrees { Ok(()) } else { Err(Violation::Host) }
            }
        }
    }

    fn find_framing(&self) -> Result<Framing, Violation> {
        let mut lengths = self.all("content-length");
        let (length, repeated) = (lengths.next(), lengths.next().is_some());
        let mut codings = self.all("transfer-encoding");
        let (coding, further) = (codings.next(), codings.next().is_some());
        if coding.is_some() && length.is_some() {
            return Err(Violation::TransferEncodingAndContentLength);
        }
        if repeated {
            return Err(Violation::DuplicateContentLength);
        }
        match (coding, length) {
            (Some(coding), _) => {
                let chunked = coding.eq_ignore_ascii_case(b"chunked") && !further;
                // A 1.0 sender does not know transfer codings (RFC 9112 6.1).
                if chunked && self.version == Version::Http11 {
                    Ok(Framing::Chunked)
                } else {
                    Err(Violation::TransferEncoding)
                }
            }
            (None, Some(length)) => Ok(match decimal(length).ok_or(Violation::ContentLength)? {
                0 => Framing::Empty,
                n => Framing::Length(n),
            }),
            (None, None) => Ok(Framing::Empty),
        }
    }
}

/// Positions of method end and target, and the version.
type RequestLine = (usize, (usize, usize), Version);

fn request_line(line: &[u8]) -> Result<RequestLine, Violation> {
    let method = line.iter().take_while(|b| is_token_byte(**b)).count();
    if method == 0 {
        return Err(Violation::Method);
    }
    if line.get(method) != Some(&b' ') {
        return Err(if line[method..].contains(&b' ') { Violation::Method } else { Violation::RequestLine });
    }
    let target = method + 1;
    let length = line[target..].iter().take_while(|b| **b != b' ').count();
    let end = target + length;
    if length == 0 || line.get(end) != Some(&b' ') {
        return Err(Violation::RequestLine);
    }
    // A fragment is never sent (RFC 9112 3.2); bytes above ASCII and controls are no URI characters.
    if !line[target..end].iter().all(|b| b.is_ascii_graphic() && *b != b'#') {
        return Err(Violation::Target);
    }
    let version = match &line[end + 1..] {
        b"HTTP/1.1" => Version::Http11,
        b"HTTP/1.0" => Version::Http10,
        other if other.contains(&b' ') => return Err(Violation::RequestLine),
        _ => return Err(Violation::Version),
    };
    Ok((method, (target, end), version))
}

/// A host with an optional port: a name, an IPv4 address, or an IP literal in brackets. Not empty: an `http` address
/// without a host is invalid (RFC 9110 4.2.1).
fn is_host(host: &[u8]) -> bool {
    let (name, rest) = if host.first() == Some(&b'[') {
        let Some(close) = host.iter().position(|b| *b == b']') else { return false };
        let inner = &host[1..close];
        if inner.is_empty() || !inner.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')) {
            return false;
        }
        (inner, &host[close + 1..])
    } else {
        host.split_at(host.iter().position(|b| *b == b':').unwrap_or(host.len()))
    };
    let port = match rest {
        [] => true,
        [b':', digits @ ..] => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    // Letters, digits and the marks that host names really have; no user part, no list, no percent-encoding.
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b':');
    !name.is_empty() && name.iter().all(plain) && port
}

/// Digits only, at most 63 bits.
fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 19 || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let n: u64 = ascii(value).parse().ok()?;
    (n <= i64::MAX as u64).then_some(n)
}

/// The text of bytes that were checked to be ASCII.
fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Reads the lines of a head as they become complete.
#[derive(Debug, Default)]
pub(crate) struct HeadScanner {
    scanned: usize,
    line_start: usize,
    request_line_end: usize,
    fields: Vec<Field>,
}

impl HeadScanner {
    /// Looks at `buf`, which begins with the head. Gives the head when it is complete.
    pub(crate) fn advance(&mut self, buf: &[u8], limits: &Limits) -> Result<Option<RequestHead>, Violation> {
        if buf.first().is_some_and(|b| !is_token_byte(*b)) {
            // Known with the first byte, for example when TLS is spoken to a plain port.
            return Err(Violation::Method);
        }
        loop {
            let first = self.request_line_end == 0;
            let left = limits.head.saturating_sub(self.line_start);
            let (limit, too_long) = if first && limits.request_line <= left {
                (limits.request_line, Violation::RequestLineTooLong)
            } else {
                (left, Violation::HeadTooLarge)
            };
            let Some(end) = crate::field::line_end(buf, self.line_start, &mut self.scanned, limit, too_long)?
            else {
                return Ok(None);
            };
            if first {
                request_line(&buf[..end])?;
                self.request_line_end = end;
            } else if end == self.line_start {
                let raw = buf[..end + 2].to_vec();
                let fields = std::mem::take(&mut self.fields);
                return RequestHead::assemble(raw, self.request_line_end, fields).map(Some);
            } else {
                self.field(&buf[self.line_start..end], limits)?;
            }
            self.line_start = end + 2;
        }
    }

    fn field(&mut self, line: &[u8], limits: &Limits) -> Result<(), Violation> {
        if self.fields.len() >= limits.headers {
            return Err(Violation::TooManyHeaders);
        }
        let (name, value) = split(line)?;
        let start = self.line_start;
        self.fields.push(Field {
            start,
            name_end: start + name,
            value: (start + value.start, start + value.end),
        });
        Ok(())
    }
}
