//! The filter for XML: finds the ends of tags and texts byte by byte, so that a document may come in any pieces. No
//! document type, no entities but the five everybody knows, UTF-8 only. Comments and processing instructions go.

use std::sync::Arc;

use crate::fields::{Fields, Mode};
use crate::utf8::{Bom, Utf8};
use crate::xml_names::{Spaces, Tag, is_name};
use crate::{Fault, MAX_DEPTH, MAX_TAG};

/// See the module.
#[derive(Debug)]
pub struct XmlFilter {
    fields: Arc<Fields>,
    bom: Bom,
    utf8: Utf8,
    spaces: Spaces,
    stack: Vec<Element>,
    scan: Scan,
    /// What has been read of a tag, an instruction, or the beginning of one.
    markup: Vec<u8>,
    /// Whether anything was read at all, and whether anything was before the present markup: the XML declaration
    /// stands first or nowhere.
    begun: bool,
    late: bool,
    rooted: bool,
    removed: u64,
    fault: Option<Fault>,
}

/// An element that has begun.
#[derive(Debug)]
struct Element {
    name: String,
    mode: Mode,
    /// Declarations in force outside of it.
    spaces: usize,
}

/// What is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scan {
    /// Text; how many `]` came last.
    Text(u8),
    /// A reference in a text, kept in `markup`.
    Reference,
    /// After `<`, as long as it is open what it begins.
    Begin,
    /// A tag; the quotation mark of the value being read.
    Tag(Option<u8>),
    /// `<?`; whether `?` came last.
    Instruction(bool),
    /// `<!--`; how many `-` came last.
    Comment(u8),
    /// `<![CDATA[`; how many `]` came last.
    Cdata(u8),
}

const CDATA: &[u8] = b"<![CDATA[";
/// Longest reference that can mean something: `&#x10FFFF;` with some leading zeros.
const MAX_REFERENCE: usize = 16;

impl XmlFilter {
    /// A filter that lets `fields` pass.
    pub fn new(fields: Arc<Fields>) -> Self {
        Self {
            fields,
            bom: Bom::default(),
            utf8: Utf8::default(),
            spaces: Spaces::default(),
            stack: Vec::new(),
            scan: Scan::Text(0),
            markup: Vec::new(),
            begun: false,
            late: false,
            rooted: false,
            removed: 0,
            fault: None,
        }
    }

    /// See [`crate::Filter::removed`].
    pub fn removed(&self) -> u64 {
        self.removed
    }

    /// See [`crate::Filter::push`].
    ///
    /// # Errors
    /// Why the document is refused.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        self.take(input, out).inspect_err(|fault| self.fault = Some(*fault))
    }

    /// See [`crate::Filter::finish`].
    ///
    /// # Errors
    /// When the document is not whole.
    pub fn finish(&mut self) -> Result<(), Fault> {
        self.utf8.finish()?;
        match self.fault {
            Some(fault) => Err(fault),
            None if self.rooted && self.stack.is_empty() && matches!(self.scan, Scan::Text(_)) => Ok(()),
            None => Err(Fault::Malformed),
        }
    }

    fn take(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        self.utf8.push(input)?;
        let mut rest = self.bom.skip(input)?;
        if rest.iter().any(|b| *b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r')) {
            return Err(Fault::Malformed);
        }
        while let Some(b) = rest.first().copied() {
            let used = match self.scan {
                Scan::Text(brackets) => self.text(brackets, rest, out)?,
                _ => {
                    self.inside(b, out)?;
                    1
                }
            };
            self.begun = true;
            rest = rest.get(used..).unwrap_or_default();
        }
        Ok(())
    }

    fn inside(&mut self, b: u8, out: &mut Vec<u8>) -> Result<(), Fault> {
        match self.scan {
            Scan::Text(_) => Ok(()),
            Scan::Reference => self.reference(b, out),
            Scan::Begin => self.begin(b, out),
            Scan::Tag(quote) => self.tag(quote, b, out),
            Scan::Instruction(asked) => self.instruction(asked, b, out),
            Scan::Comment(dashes) => self.comment(dashes, b),
            Scan::Cdata(brackets) => self.cdata(brackets, b, out),
        }
    }

    fn keeps(&self) -> bool {
        self.stack.last().is_some_and(|e| e.mode == Mode::Keep)
    }

    /// A run of text, up to what ends it.
    fn text(&mut self, brackets: u8, rest: &[u8], out: &mut Vec<u8>) -> Result<usize, Fault> {
        let run = rest.iter().position(|b| matches!(b, b'<' | b'&' | b']' | b'>')).unwrap_or(rest.len());
        if run > 0 {
            let piece = rest.get(..run).unwrap_or_default();
            if self.stack.is_empty() && !piece.iter().all(u8::is_ascii_whitespace) {
                return Err(Fault::Malformed);
            }
            if self.keeps() {
                out.extend_from_slice(piece);
            }
            self.scan = Scan::Text(0);
            return Ok(run);
        }
        match rest.first() {
            Some(b'<') => {
                self.start_markup(b'<');
                self.scan = Scan::Begin;
            }
            _ if self.stack.is_empty() => return Err(Fault::Malformed),
            Some(b'&') => {
                self.start_markup(b'&');
                self.scan = Scan::Reference;
            }
            Some(b @ (b']' | b'>')) => {
                if *b == b'>' && brackets >= 2 {
                    return Err(Fault::Malformed);
                }
                if self.keeps() {
                    out.push(*b);
                }
                self.scan = Scan::Text(if *b == b']' { brackets.saturating_add(1) } else { 0 });
            }
            _ => {}
        }
        Ok(1)
    }

    fn start_markup(&mut self, b: u8) {
        self.late = self.begun;
        self.markup.clear();
        self.markup.push(b);
    }

    fn reference(&mut self, b: u8, out: &mut Vec<u8>) -> Result<(), Fault> {
        self.markup.push(b);
        if self.markup.len() > MAX_REFERENCE {
            return Err(Fault::Malformed);
        }
        if b == b';' {
            let text = std::str::from_utf8(&self.markup).map_err(|_| Fault::Malformed)?;
            let meant = quick_xml::escape::unescape(text).map_err(|_| Fault::Malformed)?;
            if !meant.chars().all(is_char) {
                return Err(Fault::Malformed);
            }
            if self.keeps() {
                out.extend_from_slice(&self.markup);
            }
            self.scan = Scan::Text(0);
        }
        Ok(())
    }

    fn begin(&mut self, b: u8, out: &mut Vec<u8>) -> Result<(), Fault> {
        self.markup.push(b);
        match self.markup.as_slice() {
            b"<?" => self.scan = Scan::Instruction(false),
            b"<!" | b"<!-" => {}
            b"<!--" => self.scan = Scan::Comment(0),
            b"<!D" => return Err(Fault::Doctype),
            CDATA => {
                if self.stack.is_empty() {
                    return Err(Fault::Malformed);
                }
                if self.keeps() {
                    out.extend_from_slice(CDATA);
                }
                self.scan = Scan::Cdata(0);
            }
            begun if CDATA.starts_with(begun) => {}
            [b'<', first] if !matches!(first, b'!' | b'>') => self.scan = Scan::Tag(None),
            _ => return Err(Fault::Malformed),
        }
        Ok(())
    }

    fn comment(&mut self, dashes: u8, b: u8) -> Result<(), Fault> {
        self.scan = match (dashes, b) {
            (2, b'>') => Scan::Text(0),
            (2, _) => return Err(Fault::Malformed),
            (n, b'-') => Scan::Comment(n + 1),
            _ => Scan::Comment(0),
        };
        Ok(())
    }

    fn cdata(&mut self, brackets: u8, b: u8, out: &mut Vec<u8>) -> Result<(), Fault> {
        if self.keeps() {
            out.push(b);
        }
        self.scan = match (brackets, b) {
            (2.., b'>') => Scan::Text(0),
            (n, b']') => Scan::Cdata((n + 1).min(2)),
            _ => Scan::Cdata(0),
        };
        Ok(())
    }

    fn instruction(&mut self, asked: bool, b: u8, out: &mut Vec<u8>) -> Result<(), Fault> {
        // Only the beginning is looked at: the declaration, or the name of another instruction.
        if self.markup.len() < 256 {
            self.markup.push(b);
        }
        if !(asked && b == b'>') {
            self.scan = Scan::Instruction(b == b'?');
            return Ok(());
        }
        self.scan = Scan::Text(0);
        let text = std::str::from_utf8(&self.markup).map_err(|_| Fault::Malformed)?;
        let content = text.trim_start_matches("<?").trim_end_matches("?>");
        let target = content.split([' ', '\t', '\n', '\r']).next().unwrap_or_default();
        if !is_name(target) {
            return Err(Fault::Malformed);
        }
        if !target.eq_ignore_ascii_case("xml") {
            return Ok(());
        }
        if self.late || !is_declaration(content) {
            return Err(Fault::Malformed);
        }
        out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        Ok(())
    }

    fn tag(&mut self, quote: Option<u8>, b: u8, out: &mut Vec<u8>) -> Result<(), Fault> {
        if self.markup.len() == MAX_TAG {
            return Err(Fault::TooLarge);
        }
        self.markup.push(b);
        match (quote, b) {
            (None, b'"' | b'\'') => self.scan = Scan::Tag(Some(b)),
            (Some(q), b) if q == b => self.scan = Scan::Tag(None),
            (_, b'<') => return Err(Fault::Malformed),
            (None, b'>') => {
                self.scan = Scan::Text(0);
                let markup = std::mem::take(&mut self.markup);
                let result = match markup.get(1) {
                    Some(b'/') => self.end_tag(&markup, out),
                    _ => self.start_tag(&markup, out),
                };
                self.markup = markup;
                return result;
            }
            _ => {}
        }
        Ok(())
    }

    fn end_tag(&mut self, markup: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        let name = markup.get(2..markup.len() - 1).unwrap_or_default().trim_ascii_end();
        let element = self.stack.pop().filter(|e| e.name.as_bytes() == name).ok_or(Fault::Malformed)?;
        self.spaces.truncate(element.spaces);
        if element.mode != Mode::Drop {
            out.extend_from_slice(b"</");
            out.extend_from_slice(name);
            out.push(b'>');
        }
        Ok(())
    }

    fn start_tag(&mut self, markup: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        let text = std::str::from_utf8(markup).map_err(|_| Fault::Malformed)?;
        let content = text.trim_start_matches('<').trim_end_matches('>');
        let (content, closed) = content.strip_suffix('/').map_or((content, false), |c| (c, true));
        if self.stack.is_empty() && std::mem::replace(&mut self.rooted, true) {
            return Err(Fault::Malformed);
        }
        if self.stack.len() == MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        let spaces = self.spaces.len();
        let tag = self.spaces.read(content)?;
        let mode = self.mode_of(&tag)?;
        self.write(&tag, &mode, closed, out);
        if closed {
            self.spaces.truncate(spaces);
        } else {
            self.stack.push(Element { name: tag.name, mode, spaces });
        }
        Ok(())
    }

    fn mode_of(&mut self, tag: &Tag) -> Result<Mode, Fault> {
        let tree = &self.fields.xml;
        let mode = match self.stack.last().map(|e| &e.mode) {
            None => tree.element(&[0], &tag.uri, &tag.local),
            Some(Mode::Sift(places)) => tree.element(places, &tag.uri, &tag.local),
            Some(other) => return Ok(other.clone()),
        };
        if mode == Mode::Drop {
            if self.stack.is_empty() {
                return Err(Fault::Shape);
            }
            self.removed = self.removed.saturating_add(1);
        }
        Ok(mode)
    }

    fn write(&mut self, tag: &Tag, mode: &Mode, closed: bool, out: &mut Vec<u8>) {
        if *mode == Mode::Drop {
            return;
        }
        out.push(b'<');
        out.extend_from_slice(tag.name.as_bytes());
        for attribute in &tag.attributes {
            let passes = match mode {
                Mode::Sift(places) => {
                    attribute.declares || self.fields.xml.attribute(places, &attribute.uri, &attribute.local)
                }
                _ => true,
            };
            if passes {
                out.push(b' ');
                out.extend_from_slice(attribute.raw.as_bytes());
            } else {
                self.removed = self.removed.saturating_add(1);
            }
        }
        out.extend_from_slice(if closed { b"/>" } else { b">" });
    }
}

/// A character XML 1.0 permits.
fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// `xml version="1.0" encoding="UTF-8" standalone="…"`.
fn is_declaration(content: &str) -> bool {
    let Some(rest) = content.strip_prefix("xml") else { return false };
    let start = quick_xml::events::BytesStart::from_content(format!("xml{rest}"), 3);
    let mut version = false;
    for attribute in start.attributes() {
        let Ok(attribute) = attribute else { return false };
        let good = match attribute.key.as_ref() {
            b"version" => {
                version = true;
                &*attribute.value == b"1.0"
            }
            b"encoding" => attribute.value.eq_ignore_ascii_case(b"utf-8"),
            b"standalone" => matches!(&*attribute.value, b"yes" | b"no"),
            _ => false,
        };
        if !good {
            return false;
        }
    }
    version
}
