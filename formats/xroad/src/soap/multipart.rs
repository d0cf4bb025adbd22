//! Messages with attachments: `multipart/related` (RFC 2387) with the message as its first part, as SOAP with attachments or
//! MTOM send it. Tells the parts apart while the bytes stream by and keeps none of them; nested multiparts are one part.

use super::Problem;
use crate::error::Code;

/// Longest boundary (RFC 2046 5.1.1).
const MAX_BOUNDARY: usize = 70;
/// Longest head of a part, in bytes.
const MAX_PART_HEAD: usize = 8 * 1024;
/// Most parts of a message.
const MAX_PARTS: u32 = 1000;

/// What a `Content-Type` says of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// The body is the message.
    Plain,
    /// The message is the first part.
    Related {
        /// What stands between the parts.
        boundary: String,
        /// The `Content-ID` of the part that is the message, when named.
        start: Option<String>,
    },
}

impl Shape {
    /// Reads a `Content-Type`.
    ///
    /// # Errors
    /// [`Problem`] when messages are not sent so.
    pub fn of(content_type: &str) -> Result<Self, Problem> {
        let (kind, rest) = content_type.split_once(';').unwrap_or((content_type, ""));
        let kind = kind.trim();
        if is_message(kind) {
            return match parameter(rest, "charset")? {
                Some(charset) if !charset.eq_ignore_ascii_case("utf-8") => {
                    Err(Problem::new(Code::InvalidContentType, "messages are written in UTF-8"))
                }
                _ => Ok(Self::Plain),
            };
        }
        if !kind.eq_ignore_ascii_case("multipart/related") {
            return Err(Problem::new(
                Code::InvalidContentType,
                "a message is sent as text/xml or multipart/related",
            ));
        }
        let boundary = parameter(rest, "boundary")?.unwrap_or_default();
        if boundary.is_empty() || boundary.len() > MAX_BOUNDARY || !boundary.bytes().all(in_boundary) {
            return Err(Problem::new(
                Code::InvalidContentType,
                "the boundary of the parts is missing or malformed",
            ));
        }
        if parameter(rest, "type")?.is_some_and(|t| !is_message(&t)) {
            return Err(Problem::new(
                Code::InvalidContentType,
                "the first part is not said to be a SOAP message",
            ));
        }
        Ok(Self::Related { boundary, start: parameter(rest, "start")? })
    }
}

/// Whether a content type without parameters is that of a SOAP 1.1 message, MTOM included.
fn is_message(kind: &str) -> bool {
    kind.eq_ignore_ascii_case("text/xml") || kind.eq_ignore_ascii_case("application/xop+xml")
}

/// Characters of boundaries (RFC 2046 5.1.1, `bchars`).
fn in_boundary(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b)
}

/// The value of a parameter (RFC 9110 5.6.6), unquoted. Given twice it is refused: readers differ in which one counts.
fn parameter(mut rest: &str, name: &str) -> Result<Option<String>, Problem> {
    let malformed = || Problem::new(Code::InvalidContentType, "the content type is malformed");
    let mut found = None;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        if rest.is_empty() {
            return Ok(found);
        }
        let (key, after) = rest.split_once('=').ok_or_else(malformed)?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted_string(quoted).ok_or_else(malformed)?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                (after[..end].trim_end().to_owned(), &after[end..])
            }
        };
        if key.trim().eq_ignore_ascii_case(name) && found.replace(value).is_some() {
            return Err(malformed());
        }
        rest = after;
    }
}

/// The text up to the closing quotation mark, and what follows it.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => out.push(chars.next()?.1),
            c => out.push(c),
        }
    }
    None
}

/// What a piece of a body belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes of the message.
    Message(&'a [u8]),
    /// The message is whole: attachments may follow.
    MessageEnd,
    /// Another part begins.
    Attachment,
    /// Bytes of attachments, their heads and what stands between them.
    Other(&'a [u8]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before the first boundary.
    Preamble,
    /// After a boundary, before the end of its line.
    Line,
    /// In the head of a part.
    Head,
    /// In the contents of a part.
    Part,
    /// After the last boundary.
    Epilogue,
}

/// Tells the parts of a body apart.
#[derive(Debug)]
pub struct Parts {
    /// `CRLF--boundary`.
    mark: Vec<u8>,
    start: Option<String>,
    at: At,
    /// Bytes that may be the beginning of a mark, or the line or head being read.
    held: Vec<u8>,
    parts: u32,
}

impl Parts {
    /// Nothing read yet.
    pub fn new(boundary: &str, start: Option<String>) -> Self {
        let mark = [b"\r\n--", boundary.as_bytes()].concat();
        // The first boundary may stand at the very beginning, without a line before it.
        Self { mark, start, at: At::Preamble, held: b"\r\n".to_vec(), parts: 0 }
    }

    /// How many parts follow the message.
    pub fn attachments(&self) -> u32 {
        self.parts.saturating_sub(1)
    }

    /// Takes bytes and tells what they are, in order.
    ///
    /// # Errors
    /// [`Problem`] when this is not a message with attachments.
    pub fn push(&mut self, bytes: &[u8], tell: &mut impl FnMut(Piece<'_>)) -> Result<(), Problem> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let used = match self.at {
                At::Preamble | At::Part => self.contents(rest, tell),
                At::Line => self.line(rest)?,
                At::Head => self.head(rest, tell)?,
                At::Epilogue => rest.len(),
            };
            rest = rest.get(used..).unwrap_or_default();
        }
        Ok(())
    }

    /// The body ended.
    ///
    /// # Errors
    /// When the last boundary is missing: the body was cut short.
    pub fn finish(&self) -> Result<(), Problem> {
        if self.at == At::Epilogue { Ok(()) } else { Err(failed("the parts of the message are not closed")) }
    }

    fn first(&self) -> bool {
        self.parts == 1
    }

    fn give(&self, bytes: &[u8], tell: &mut impl FnMut(Piece<'_>)) {
        match (self.at, self.first()) {
            _ if bytes.is_empty() => {}
            (At::Part, true) => tell(Piece::Message(bytes)),
            (At::Part, false) => tell(Piece::Other(bytes)),
            _ => {}
        }
    }

    /// Contents up to the next mark. Whatever may begin a mark is held back.
    fn contents(&mut self, rest: &[u8], tell: &mut impl FnMut(Piece<'_>)) -> usize {
        if !self.held.is_empty() {
            return self.held_on(rest, tell);
        }
        let found = rest.iter().position(|b| *b == b'\r').unwrap_or(rest.len());
        self.give(&rest[..found], tell);
        if found < rest.len() {
            self.held.push(b'\r');
            return found + 1;
        }
        found
    }

    /// One byte after those that began a mark. A mark begins with CR and holds no other, so that a byte which does not
    /// continue it can only begin a new one itself.
    fn held_on(&mut self, rest: &[u8], tell: &mut impl FnMut(Piece<'_>)) -> usize {
        let Some(b) = rest.first() else { return 0 };
        if self.mark.get(self.held.len()) != Some(b) {
            let held = std::mem::take(&mut self.held);
            self.give(&held, tell);
            return 0;
        }
        self.held.push(*b);
        if self.held.len() == self.mark.len() {
            self.held.clear();
            if self.at == At::Part && self.first() {
                tell(Piece::MessageEnd);
            }
            self.at = At::Line;
        }
        1
    }

    /// The rest of a boundary's line: `--` closes, white space is allowed, anything else is not.
    fn line(&mut self, rest: &[u8]) -> Result<usize, Problem> {
        let Some(b) = rest.first() else { return Ok(0) };
        match (self.held.as_slice(), *b) {
            (b"-", b'-') if self.parts > 0 => (self.at, self.held) = (At::Epilogue, Vec::new()),
            (b"", b'-') => self.held.push(b'-'),
            (b"", b' ' | b'\t') => {}
            (b"", b'\r') => self.held.push(b'\r'),
            (b"\r", b'\n') => {
                self.parts += 1;
                if self.parts > MAX_PARTS {
                    return Err(failed("the message has too many parts"));
                }
                // The empty line that ends the head may be its first.
                (self.at, self.held) = (At::Head, b"\r\n".to_vec());
            }
            _ => return Err(failed("a boundary of the message is malformed")),
        }
        Ok(1)
    }

    fn head(&mut self, rest: &[u8], tell: &mut impl FnMut(Piece<'_>)) -> Result<usize, Problem> {
        let Some(b) = rest.first() else { return Ok(0) };
        self.held.push(*b);
        if self.held.ends_with(b"\r\n\r\n") {
            let head = std::mem::take(&mut self.held);
            if self.first() {
                self.message_head(&head)?
            } else {
                tell(Piece::Attachment)
            }
            self.at = At::Part;
            // A part may be empty: then its boundary follows at once, and the line before it ended the head.
            self.held = Vec::new();
        } else if self.held.len() > MAX_PART_HEAD {
            return Err(failed("the head of a part is longer than 8 KiB"));
        }
        Ok(1)
    }

    /// The first part must be the message, in bytes as they are.
    fn message_head(&self, head: &[u8]) -> Result<(), Problem> {
        let text =
            std::str::from_utf8(head).map_err(|_| failed("the head of the first part is malformed"))?;
        let mut id = None;
        for line in text.split("\r\n").filter(|l| !l.is_empty()) {
            let (name, value) =
                line.split_once(':').ok_or_else(|| failed("the head of the first part is malformed"))?;
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-type" if !matches!(Shape::of(value), Ok(Shape::Plain)) => {
                    return Err(failed("the first part is not a SOAP message"));
                }
                "content-transfer-encoding"
                    if !["8bit", "7bit", "binary"].iter().any(|e| e.eq_ignore_ascii_case(value)) =>
                {
                    return Err(failed("the first part is encoded; messages are sent as they are"));
                }
                "content-id" => id = Some(value.to_owned()),
                _ => {}
            }
        }
        if self.start.is_some() && self.start != id {
            return Err(failed("the message is not the first part"));
        }
        Ok(())
    }
}

fn failed(what: &'static str) -> Problem {
    Problem::new(Code::MimeParsingFailed, what)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &str = "preamble\r\n--b1\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"text/xml\"\r\n\
        Content-Transfer-Encoding: 8bit\r\nContent-ID: <a>\r\n\r\n<x>\r\n--b</x>\r\n--b1  \r\nContent-ID: <f>\r\n\r\n\
        \0\r\r\n-\r\n--\r\n--b1\r\n\r\n\r\n--b1--\r\nepilogue";

    type Read = (Vec<u8>, Vec<u8>, u32, bool);

    fn read(body: &[u8], size: usize) -> Result<Read, Problem> {
        let mut parts = Parts::new("b1", Some("<a>".into()));
        let (mut message, mut other, mut begun, mut ended) = (Vec::new(), Vec::new(), 0, false);
        for piece in body.chunks(size) {
            parts.push(piece, &mut |p| match p {
                Piece::Message(b) => {
                    assert!(!ended);
                    message.extend_from_slice(b);
                }
                Piece::MessageEnd => ended = true,
                Piece::Attachment => begun += 1,
                Piece::Other(b) => other.extend_from_slice(b),
            })?;
        }
        parts.finish()?;
        assert_eq!(parts.attachments(), begun);
        Ok((message, other, begun, ended))
    }

    #[test]
    fn the_parts_are_told_apart_in_whatever_pieces() {
        let expected = (b"<x>\r\n--b</x>".to_vec(), b"\0\r\r\n-\r\n--".to_vec(), 2, true);
        for size in [1, 2, 3, 10, 1000] {
            assert_eq!(read(BODY.as_bytes(), size).unwrap(), expected, "pieces of {size}");
        }
    }

    #[test]
    fn what_is_not_closed_or_not_the_message_is_refused() {
        let code = |body: String| read(body.as_bytes(), 3).unwrap_err();
        for cut in [10, 60, 200, BODY.len() - 12] {
            code(BODY[..cut].to_owned());
        }
        for (from, to) in [
            ("application/xop+xml", "text/plain"),
            ("8bit", "base64"),
            ("<a>", "<b>"),
            ("--b1\r\nContent-Type", "--b1x\r\nContent-Type"),
            ("--b1--", "--b1-"),
            ("Content-ID: <a>", "Content-ID"),
            ("preamble\r\n--b1", "preamble\r\n--b1--\r\n\r\n--b1"),
        ] {
            assert!(BODY.contains(from), "{from}");
            assert_eq!(code(BODY.replacen(from, to, 1)).code, Code::MimeParsingFailed, "{from}");
        }
        assert_eq!(
            code(BODY.replace("Content-ID: <a>", &"x: y\r\n".repeat(3000))).code,
            Code::MimeParsingFailed
        );
    }

    #[test]
    fn the_content_type_tells_the_shape() {
        let related =
            |b: &str, s: Option<&str>| Shape::Related { boundary: b.into(), start: s.map(str::to_owned) };
        for (text, shape) in [
            ("text/xml", Shape::Plain),
            ("Text/XML; charset=\"utf-8\"", Shape::Plain),
            ("application/xop+xml;type=text/xml", Shape::Plain),
            ("multipart/related; boundary=b1", related("b1", None)),
            (
                "Multipart/Related; start-info=\"text/xml\"; type=\"application/xop+xml\"; start=\"<a@\\\"b>\"; boundary=\"a b=;c\"",
                Shape::Plain,
            ),
            ("multipart/related;boundary=\"a=(b)\";start=<a>;", related("a=(b)", Some("<a>"))),
        ] {
            match Shape::of(text) {
                Ok(found) => assert_eq!(found, shape, "{text}"),
                // A semicolon is not a character of boundaries.
                Err(problem) => assert!(text.contains("b=;c"), "{text}: {problem}"),
            }
        }
        for bad in [
            "",
            "application/json",
            "text/xml; charset=utf-16",
            "multipart/related",
            "multipart/related; boundary=",
            "multipart/related; boundary=a; boundary=b",
            "multipart/related; boundary=\"a",
            "multipart/related; x",
            "multipart/mixed; boundary=a",
            "multipart/related; boundary=a; type=text/plain",
            "multipart/related; boundary=é",
        ] {
            assert_eq!(Shape::of(bad).unwrap_err().code, Code::InvalidContentType, "{bad}");
        }
        let long = format!("multipart/related; boundary={}", "a".repeat(71));
        assert!(Shape::of(&long).is_err());
    }

    proptest! {
        #[test]
        fn contents_come_through_unchanged(contents in prop::collection::vec(prop::sample::select(b"\r\n-b1xy".to_vec()), 0..60), size in 1usize..9) {
            let text = String::from_utf8(contents.clone()).unwrap();
            prop_assume!(!format!("\r\n{text}").contains("\r\n--b1") && !text.ends_with("\r\n--b"));
            let body = format!("--b1\r\nContent-ID: <a>\r\n\r\n{text}\r\n--b1--");
            let (message, other, attachments, ended) = read(body.as_bytes(), size).unwrap();
            prop_assert_eq!((message, other.len(), attachments, ended), (contents, 0, 0, true));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), content_type in "\\PC{0,60}") {
            let _ = Shape::of(&content_type);
            let _ = Parts::new("b1", None).push(&bytes, &mut |_| {});
        }
    }
}
