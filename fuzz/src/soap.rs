//! SOAP messages, their attachments and descriptions.

use xroad::soap::check::Check;
use xroad::soap::header::Header;
use xroad::soap::multipart::{Parts, Piece, Shape};
use xroad::soap::opening::{Opening, OpeningReader};
use xroad::soap::{ENVELOPE, Problem, wsdl as description, write};

fn opening(data: &[u8], size: usize) -> Result<Opening, Problem> {
    let mut reader = OpeningReader::new();
    for piece in data.chunks(size.max(1)) {
        if let Some(opening) = reader.push(piece)? {
            return Ok(opening);
        }
    }
    reader.finish()
}

fn check(data: &[u8], size: usize) -> Result<(), Problem> {
    let mut check = Check::new();
    for piece in data.chunks(size.max(1)) {
        check.push(piece)?;
    }
    check.finish()
}

/// The judged header is the one another parser sees, in whatever pieces the message came.
pub fn message(data: &[u8]) {
    let (size, data) = super::in_pieces(data);
    let whole = opening(data, data.len());
    let pieces = opening(data, size);
    assert_eq!(whole.is_ok(), pieces.is_ok(), "{whole:?} {pieces:?}");
    let checked = check(data, data.len());
    assert_eq!(check(data, size), checked);
    let (Ok(opening), Ok(())) = (whole, checked) else { return };
    assert_eq!(pieces.as_ref(), Ok(&opening));
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(tree) = roxmltree::Document::parse(text) else { return };
    let root = tree.root_element();
    assert!(root.has_tag_name((ENVELOPE, "Envelope")));
    let parts: Vec<_> = root.children().filter(|n| n.is_element()).collect();
    let bodies = parts.iter().filter(|n| n.tag_name().name() == "Body").count();
    assert_eq!(bodies, 1);
    assert_eq!(parts.len(), 1 + usize::from(opening.header.is_some()));
    let Some(body) = parts.last() else { return };
    let content: Vec<_> = body.children().filter(|n| n.is_element()).collect();
    assert_eq!(content.len(), 1);
    assert_eq!(content.first().map(|n| n.tag_name().name()), Some(opening.content.local.as_str()));
    if let Ok(header) = Header::of_request(&opening) {
        let id = tree.descendants().find(|n| n.has_tag_name((xroad::soap::XROAD, "id")));
        assert_eq!(id.and_then(|n| n.text()).map(str::trim), Some(header.id.as_str()));
        let written = write::message(&header, None, &format!("<x:{} xmlns:x=\"u\"/>", header.service.code()));
        // A service code need not be a name in XML; then nothing can call it so.
        if let Ok(again) = self::opening(&written, 7) {
            assert_eq!(Header::of_request(&again).as_ref(), Ok(&header));
        }
    }
}

fn parts(boundary: &str, data: &[u8], size: usize) -> (bool, Vec<u8>, Vec<u8>, u32) {
    let mut reader = Parts::new(boundary, None);
    let (mut message, mut other) = (Vec::new(), Vec::new());
    let mut sound = true;
    for piece in data.chunks(size.max(1)) {
        let read = reader.push(piece, &mut |p| match p {
            Piece::Message(bytes) => message.extend_from_slice(bytes),
            Piece::Other(bytes) => other.extend_from_slice(bytes),
            Piece::MessageEnd | Piece::Attachment => {}
        });
        if read.is_err() {
            sound = false;
            break;
        }
    }
    (sound && reader.finish().is_ok(), message, other, reader.attachments())
}

/// A content type on the first line, the body after it.
pub fn multipart(data: &[u8]) {
    let (size, data) = super::in_pieces(data);
    let at = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
    let Ok(kind) = std::str::from_utf8(&data[..at]) else { return };
    let boundary = match Shape::of(kind) {
        Ok(Shape::Related { boundary, .. }) => boundary,
        Ok(Shape::Plain) => return,
        Err(_) => "b1".to_owned(),
    };
    let body = data.get(at + 1..).unwrap_or_default();
    let whole = parts(&boundary, body, body.len());
    assert_eq!(parts(&boundary, body, size), whole);
    let mark = format!("\r\n--{boundary}");
    let inside = |bytes: &[u8]| bytes.windows(mark.len()).any(|w| w == mark.as_bytes());
    assert!(!inside(&whole.1), "a part holds its own boundary");
}

/// A description that is read is read again when its addresses are taken out, and says the same otherwise.
pub fn wsdl(data: &[u8]) {
    let Ok(read) = description::read(data) else { return };
    let Ok(anonymous) = description::anonymous(data) else { panic!("read, and not to be made anonymous") };
    let Ok(again) = description::read(&anonymous) else { panic!("not to be read any more") };
    assert_eq!(again.operations.len(), read.operations.len());
    for (now, then) in again.operations.iter().zip(&read.operations) {
        assert_eq!((&now.name, &now.version, &now.input), (&then.name, &then.version, &then.input));
        assert!(now.address.as_deref().is_none_or(|a| a == xroad::metadata::ANONYMOUS_URL));
    }
}
