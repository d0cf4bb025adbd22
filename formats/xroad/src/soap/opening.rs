//! The opening of a message: from its first byte to the first tag within the body. That is all that must be known before
//! a message is forwarded; the rest streams through [`super::check`].

use quick_xml::NsReader;
use quick_xml::events::Event;

use super::node::{self, Name, Node, ill_formed, is_space};
use super::{ENVELOPE, MAX_OPENING, Problem};
use crate::error::Code;

/// What stands at the beginning of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The elements of the header; `None` when there is no header.
    pub header: Option<Vec<Node>>,
    /// Where `</Header>` begins, in bytes: more header elements go there.
    pub header_end: usize,
    /// The element in the body.
    pub content: Name,
}

impl Opening {
    /// Whether the message is a fault.
    pub fn is_fault(&self) -> bool {
        self.content.is(ENVELOPE, "Fault")
    }
}

/// Reads the opening of a message that comes in pieces. Keeps the pieces until the opening is whole.
#[derive(Debug, Default)]
pub struct OpeningReader {
    kept: Vec<u8>,
    /// How much must be there before reading is worth another try: half of it was tried in vain.
    due: usize,
}

impl OpeningReader {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a piece. `None` as long as the opening is not whole.
    ///
    /// # Errors
    /// [`Problem`] when this cannot become a message of the protocol.
    pub fn push(&mut self, piece: &[u8]) -> Result<Option<Opening>, Problem> {
        self.kept.extend_from_slice(piece);
        // Every try reads from the beginning: doubling keeps the whole linear however small the pieces are.
        if self.kept.len() < self.due {
            return Ok(None);
        }
        let found = read(&self.kept)?;
        if found.is_none() {
            if self.kept.len() > MAX_OPENING {
                return Err(Problem::new(
                    Code::InvalidSoap,
                    "the header of the message is longer than 64 KiB",
                ));
            }
            self.due = (self.kept.len() * 2).min(MAX_OPENING + 1);
        }
        Ok(found)
    }

    /// The message ended.
    ///
    /// # Errors
    /// [`Problem`] saying what is missing.
    pub fn finish(&self) -> Result<Opening, Problem> {
        if self.kept.is_empty() {
            return Err(Problem::new(Code::MissingSoap, "there is no SOAP message"));
        }
        read(&self.kept)?.ok_or_else(ill_formed)
    }

    /// What was taken so far: the first bytes of the message.
    pub fn into_kept(self) -> Vec<u8> {
        self.kept
    }
}

/// The opening at the beginning of `bytes`; `None` when more must come.
fn read(bytes: &[u8]) -> Result<Option<Opening>, Problem> {
    let skipped = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut walk = Walk::new(bytes.get(skipped..).unwrap_or_default());
    match walk.opening() {
        Ok(mut opening) => {
            opening.header_end += skipped;
            Ok(Some(opening))
        }
        Err(Stop::More) => Ok(None),
        Err(Stop::Problem(problem)) => Err(problem),
    }
}

enum Stop {
    More,
    Problem(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<quick_xml::Error> for Stop {
    fn from(error: quick_xml::Error) -> Self {
        match error {
            // Something has begun that has not ended: more may come.
            quick_xml::Error::Syntax(_) => Self::More,
            _ => Self::Problem(ill_formed()),
        }
    }
}

struct Walk<'a> {
    reader: NsReader<&'a [u8]>,
    nodes: usize,
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut reader = NsReader::from_reader(bytes);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        Self { reader, nodes: 0 }
    }

    fn opening(&mut self) -> Result<Opening, Stop> {
        self.envelope()?;
        let mut header = None;
        let mut header_end = 0;
        loop {
            let Some(name) = self.next_element("Envelope")? else {
                return Err(Problem::new(Code::MissingBody, "the message has no body").into());
            };
            if name.is(ENVELOPE, "Header") && header.is_none() {
                let (nodes, end) = self.header()?;
                header = Some(nodes);
                header_end = end;
            } else if name.is(ENVELOPE, "Body") {
                let Some(content) = self.next_element("Body")? else {
                    return Err(Problem::new(Code::InvalidBody, "the body of the message is empty").into());
                };
                return Ok(Opening { header, header_end, content });
            } else {
                return Err(Problem::new(
                    Code::InvalidSoap,
                    "the envelope may hold one header and one body, in this order",
                )
                .into());
            }
        }
    }

    fn envelope(&mut self) -> Result<(), Stop> {
        let Some(name) = self.next_element("")? else { return Err(ill_formed().into()) };
        if name.local == "Envelope" && name.space == ENVELOPE {
            return Ok(());
        }
        Err(Problem::new(Code::InvalidSoap, "the message is not a SOAP 1.1 envelope").into())
    }

    /// The next element that begins; `None` when the one around it ends.
    fn next_element(&mut self, around: &'static str) -> Result<Option<Name>, Stop> {
        loop {
            match self.reader.read_event()? {
                Event::Start(tag) => return Ok(Some(node::element(self.reader.resolver(), &tag)?)),
                Event::End(_) => return Ok(None),
                Event::Eof => return Err(Stop::More),
                other => between(&other, around.is_empty())?,
            }
        }
    }

    /// The elements of the header, and where its end tag begins.
    fn header(&mut self) -> Result<(Vec<Node>, usize), Stop> {
        let mut nodes = Vec::new();
        loop {
            let at = usize::try_from(self.reader.buffer_position()).map_err(|_| ill_formed())?;
            match self.reader.read_event()? {
                Event::Start(tag) => {
                    let node = node::node(self.reader.resolver(), &tag)?;
                    nodes.push(self.children(node, 1)?);
                }
                Event::End(_) => return Ok((nodes, at)),
                Event::Eof => return Err(Stop::More),
                other => between(&other, false)?,
            }
        }
    }

    /// What is in an element that has begun.
    fn children(&mut self, mut node: Node, depth: usize) -> Result<Node, Stop> {
        self.nodes += 1;
        if self.nodes > node::MAX_NODES || depth > MAX_HEADER_DEPTH {
            return Err(Problem::new(Code::InvalidSoap, "the header of the message holds too much").into());
        }
        loop {
            match self.reader.read_event()? {
                Event::Start(tag) => {
                    let child = node::node(self.reader.resolver(), &tag)?;
                    node.children.push(self.children(child, depth + 1)?);
                }
                Event::End(_) => return Ok(node),
                Event::Eof => return Err(Stop::More),
                Event::DocType(_) | Event::PI(_) | Event::Decl(_) => return Err(foreign().into()),
                text => node::add_text(&mut node.text, &text)?,
            }
        }
    }
}

/// Deepest nesting within the header: the protocol needs two, a signed security token some more.
const MAX_HEADER_DEPTH: usize = 32;

fn foreign() -> Problem {
    Problem::new(
        Code::InvalidSoap,
        "a message may hold neither a document type nor a processing instruction (SOAP 1.1, section 3)",
    )
}

/// What may stand between elements: white space and comments, before the envelope also a declaration.
fn between(event: &Event<'_>, before_all: bool) -> Result<(), Problem> {
    match event {
        Event::Comment(_) => Ok(()),
        Event::Decl(declaration) if before_all => utf8(declaration),
        Event::Text(text) if text.iter().all(|b| is_space(char::from(*b))) => Ok(()),
        Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
            Err(Problem::new(Code::InvalidSoap, "the envelope holds text beside its elements"))
        }
        _ => Err(foreign()),
    }
}

fn utf8(declaration: &quick_xml::events::BytesDecl<'_>) -> Result<(), Problem> {
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(name)) if name.eq_ignore_ascii_case(b"utf-8") => Ok(()),
        Some(_) => Err(Problem::new(Code::InvalidXml, "messages are written in UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;

    fn whole(text: &str) -> Result<Opening, Problem> {
        let mut reader = OpeningReader::new();
        match reader.push(text.as_bytes())? {
            Some(opening) => Ok(opening),
            None => reader.finish(),
        }
    }

    #[test]
    fn the_opening_is_the_same_in_whatever_pieces_it_comes() {
        let text = request();
        let expected = whole(&text).unwrap();
        assert!(text[expected.header_end..].starts_with("</soap:Header>"));
        assert_eq!(
            expected.content,
            Name { space: "http://example.org/p".into(), local: "getRandom".into() }
        );
        for size in [1, 2, 7, 100, 1000] {
            let mut reader = OpeningReader::new();
            let mut found = None;
            for piece in text.as_bytes().chunks(size) {
                found = reader.push(piece).unwrap();
                if found.is_some() {
                    break;
                }
            }
            let found = found.unwrap_or_else(|| reader.finish().unwrap());
            assert_eq!(found, expected, "pieces of {size}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_a_declaration_may_come_first() {
        let text = format!("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><!-- x -->{}", request());
        let opening = whole(&text).unwrap();
        assert!(text[opening.header_end..].starts_with("</soap:Header>"));
    }

    #[test]
    fn what_is_no_message_is_named() {
        let soap = |inner: &str| format!("<s:Envelope xmlns:s=\"{ENVELOPE}\">{inner}</s:Envelope>");
        for (text, code) in [
            (String::new(), Code::MissingSoap),
            ("<a/>".into(), Code::InvalidSoap),
            ("{}".into(), Code::InvalidSoap),
            ("<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"/>".into(), Code::InvalidSoap),
            (soap(""), Code::MissingBody),
            (soap("<s:Body/>"), Code::InvalidBody),
            (soap("<s:Body>text<a/></s:Body>"), Code::InvalidSoap),
            (soap("<s:Body><![CDATA[x]]><a/></s:Body>"), Code::InvalidSoap),
            (soap("<s:Header/><s:Header/><s:Body><a/></s:Body>"), Code::InvalidSoap),
            (soap("<x/><s:Body><a/></s:Body>"), Code::InvalidSoap),
            (soap("<s:Header><a>&b;</a></s:Header><s:Body><a/></s:Body>"), Code::InvalidXml),
            (soap("<s:Header><a></b></s:Header>"), Code::InvalidXml),
            (soap("<s:Header><b:a/></s:Header>"), Code::InvalidXml),
            (soap("<s:Header><a b='1' b='2'/></s:Header>"), Code::InvalidXml),
            (soap("<s:Header><?php ?></s:Header>"), Code::InvalidSoap),
            (format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{}", soap("<s:Body><a/></s:Body>")), Code::InvalidSoap),
            (format!("<?xml version=\"1.0\" encoding=\"utf-16\"?>{}", request()), Code::InvalidXml),
            (soap("<s:Header><a>").replace("</s:Envelope>", ""), Code::InvalidXml),
        ] {
            assert_eq!(whole(&text).unwrap_err().code, code, "{text}");
        }
    }

    #[test]
    fn an_opening_has_an_end() {
        let deep = format!("<s:Envelope xmlns:s=\"{ENVELOPE}\"><s:Header>{}", "<a>".repeat(40));
        assert_eq!(whole(&deep).unwrap_err().code, Code::InvalidSoap);
        let many = format!("<s:Envelope xmlns:s=\"{ENVELOPE}\"><s:Header>{}", "<a/>".repeat(600));
        assert_eq!(whole(&many).unwrap_err().code, Code::InvalidSoap);
        let mut reader = OpeningReader::new();
        assert_eq!(reader.push(format!("<s:Envelope xmlns:s=\"{ENVELOPE}\">").as_bytes()), Ok(None));
        let mut fed = 0;
        let refused = loop {
            match reader.push(&[b' '; 1000]) {
                Ok(_) => fed += 1000,
                Err(problem) => break problem,
            }
            assert!(fed < 2 * MAX_OPENING, "no end");
        };
        assert_eq!(refused.code, Code::InvalidSoap);
    }
}
