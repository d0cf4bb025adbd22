//! A small piece of XML as a tree: what the header of a message or a metadata request holds. Bounded by the opening it
//! is read from and by [`MAX_NODES`].

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{NamespaceResolver, ResolveResult};

use super::Problem;
use crate::error::Code;

/// Most elements in a header.
pub const MAX_NODES: usize = 512;
/// Most attributes of an element.
pub const MAX_ATTRIBUTES: usize = 64;

/// A name with its namespace, empty for none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// The namespace's address.
    pub space: String,
    /// The local name.
    pub local: String,
}

impl Name {
    /// Whether it is this one.
    pub fn is(&self, space: &str, local: &str) -> bool {
        self.space == space && self.local == local
    }
}

/// An element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: Name,
    /// Its attributes, declarations of namespaces left out.
    pub attributes: Vec<(Name, String)>,
    /// The elements in it.
    pub children: Vec<Node>,
    /// The text in it, without that of its children.
    pub text: String,
}

impl Node {
    /// The first child of this name.
    pub fn child(&self, space: &str, local: &str) -> Option<&Self> {
        self.children.iter().find(|c| c.name.is(space, local))
    }

    /// The value of an attribute.
    pub fn attribute(&self, space: &str, local: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n.is(space, local)).map(|(_, v)| v.as_str())
    }

    /// The text without the white space around it.
    pub fn value(&self) -> &str {
        self.text.trim_matches(is_space)
    }
}

/// White space of XML 1.0 (production 3).
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

pub(super) fn ill_formed() -> Problem {
    Problem::new(Code::InvalidXml, "the message is not well-formed XML")
}

pub(super) fn undeclared() -> Problem {
    Problem::new(Code::InvalidXml, "the message uses a namespace prefix that is not declared")
}

/// The namespace and name of an element that has begun.
pub(super) fn element(spaces: &NamespaceResolver, tag: &BytesStart<'_>) -> Result<Name, Problem> {
    let (space, local) = spaces.resolve_element(tag.name());
    name(space, local.as_ref())
}

fn name(space: ResolveResult<'_>, local: &[u8]) -> Result<Name, Problem> {
    let space = match space {
        ResolveResult::Bound(space) => text(space.as_ref())?,
        ResolveResult::Unbound => String::new(),
        ResolveResult::Unknown(_) => return Err(undeclared()),
    };
    Ok(Name { space, local: text(local)? })
}

fn text(bytes: &[u8]) -> Result<String, Problem> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| ill_formed())
}

/// The element a tag begins, still without children.
pub(super) fn node(spaces: &NamespaceResolver, tag: &BytesStart<'_>) -> Result<Node, Problem> {
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|_| ill_formed())?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        if attributes.len() == MAX_ATTRIBUTES {
            return Err(Problem::new(Code::InvalidSoap, "an element of the header has too many attributes"));
        }
        let (space, local) = spaces.resolve_attribute(attribute.key);
        let value = attribute.unescape_value().map_err(|_| ill_formed())?;
        attributes.push((name(space, local.as_ref())?, value.into_owned()));
    }
    Ok(Node { name: element(spaces, tag)?, attributes, children: Vec::new(), text: String::new() })
}

/// Adds what a text, a section of characters or a reference says. Entities but the five of XML are refused.
pub(super) fn add_text(out: &mut String, event: &Event<'_>) -> Result<(), Problem> {
    match event {
        Event::Text(piece) => out.push_str(std::str::from_utf8(piece).map_err(|_| ill_formed())?),
        Event::CData(piece) => out.push_str(std::str::from_utf8(piece).map_err(|_| ill_formed())?),
        Event::GeneralRef(reference) => out.push(character(reference)?),
        _ => {}
    }
    Ok(())
}

fn character(reference: &BytesRef<'_>) -> Result<char, Problem> {
    if let Some(c) = reference.resolve_char_ref().map_err(|_| ill_formed())? {
        return Ok(c);
    }
    match &**reference {
        b"amp" => Ok('&'),
        b"lt" => Ok('<'),
        b"gt" => Ok('>'),
        b"quot" => Ok('"'),
        b"apos" => Ok('\''),
        _ => Err(Problem::new(Code::InvalidXml, "the message refers to an entity that is not declared")),
    }
}
