//! Lets only named fields of a JSON (RFC 8259) or XML 1.0 document pass, while it streams by in pieces of any size:
//! memory is bounded by the depth of the document, never by its length. Which fields, and what is done with a document
//! that is refused, is decided by the caller.

mod fields;
mod json;
mod kind;
mod path;
mod text;
mod utf8;
mod xml;
mod xml_names;

use std::sync::Arc;

pub use fields::Fields;
pub use json::JsonFilter;
pub use kind::{Kind, NotFilterable};
pub use path::{FieldPath, MAX_PATH_CHARS, MAX_STEPS, PathError};
pub use xml::XmlFilter;

/// Deepest nesting of a document.
pub const MAX_DEPTH: usize = 64;
/// Longest name of a member or an element, in bytes as written.
pub const MAX_NAME: usize = 1024;
/// Most members of one JSON object.
pub const MAX_MEMBERS: u32 = 100_000;
/// Longest XML tag, in bytes.
pub const MAX_TAG: usize = 64 * 1024;

/// Why a document is not let through. Once one is found the rest of the document is refused too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not well-formed, not UTF-8, or not whole.
    #[error("the document is not well-formed")]
    Malformed,
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("the document is nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// A name longer than [`MAX_NAME`], a tag longer than [`MAX_TAG`], or an object of more than [`MAX_MEMBERS`].
    #[error("a name, a tag or an object of the document is too large")]
    TooLarge,
    /// An XML document with a document type declaration.
    #[error("the document has a document type declaration")]
    Doctype,
    /// The outermost value is none that the named fields could be in.
    #[error("the document has another shape than the named fields")]
    Shape,
}

impl Fault {
    /// Stable, for records and counters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "answer-malformed",
            Self::TooDeep => "answer-too-deep",
            Self::TooLarge => "answer-too-large",
            Self::Doctype => "answer-doctype",
            Self::Shape => "answer-shape",
        }
    }
}

/// A filter for a document of one of the two kinds.
#[derive(Debug)]
pub enum Filter {
    /// JSON.
    Json(JsonFilter),
    /// XML.
    Xml(XmlFilter),
}

impl Filter {
    /// A filter that lets `fields` pass.
    pub fn new(kind: Kind, fields: Arc<Fields>) -> Self {
        match kind {
            Kind::Json => Self::Json(JsonFilter::new(fields)),
            Kind::Xml => Self::Xml(XmlFilter::new(fields)),
        }
    }

    /// Takes the next piece of the document and appends to `out` what of it may pass.
    ///
    /// # Errors
    /// Why the document is refused; `out` may hold a beginning, in which nothing stands that may not pass.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        match self {
            Self::Json(filter) => filter.push(input, out),
            Self::Xml(filter) => filter.push(input, out),
        }
    }

    /// The document has ended.
    ///
    /// # Errors
    /// When it is not whole.
    pub fn finish(&mut self) -> Result<(), Fault> {
        match self {
            Self::Json(filter) => filter.finish(),
            Self::Xml(filter) => filter.finish(),
        }
    }

    /// How many members, elements and attributes were taken out so far; what stands inside one is not counted again.
    pub fn removed(&self) -> u64 {
        match self {
            Self::Json(filter) => filter.removed(),
            Self::Xml(filter) => filter.removed(),
        }
    }
}
