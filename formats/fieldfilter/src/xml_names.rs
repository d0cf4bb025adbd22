//! Names of XML elements and attributes: their form, and the namespaces (Namespaces in XML 1.0) in force.

use std::collections::HashSet;

use quick_xml::escape::unescape;
use quick_xml::events::BytesStart;

use crate::{Fault, MAX_NAME};

const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Declarations in force, outermost first.
#[derive(Debug, Default)]
pub(crate) struct Spaces(Vec<(String, String)>);

/// An attribute of a tag.
#[derive(Debug)]
pub(crate) struct Attribute {
    /// Name and value as written, with quotation marks.
    pub(crate) raw: String,
    /// Whether it declares a namespace.
    pub(crate) declares: bool,
    /// Its namespace.
    pub(crate) uri: String,
    /// Its name without prefix.
    pub(crate) local: String,
}

/// A tag that has been read.
#[derive(Debug)]
pub(crate) struct Tag {
    /// The name as written.
    pub(crate) name: String,
    /// Its namespace.
    pub(crate) uri: String,
    /// Its name without prefix.
    pub(crate) local: String,
    /// Its attributes in their order.
    pub(crate) attributes: Vec<Attribute>,
}

impl Spaces {
    /// How many declarations are in force.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets the declarations after the first `len`.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// Reads what stands between `<` and `>` (or `/>`), and takes over its declarations.
    pub(crate) fn read(&mut self, content: &str) -> Result<Tag, Fault> {
        let end = content.find([' ', '\t', '\n', '\r']).unwrap_or(content.len());
        let name = content.get(..end).unwrap_or_default();
        if content.contains('<') {
            return Err(Fault::Malformed);
        }
        let start = BytesStart::from_content(content, end);
        let mut written = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| Fault::Malformed)?;
            let key = std::str::from_utf8(attribute.key.as_ref()).map_err(|_| Fault::Malformed)?;
            let value = std::str::from_utf8(&attribute.value).map_err(|_| Fault::Malformed)?;
            let meant = unescape(value).map_err(|_| Fault::Malformed)?;
            self.declare(key, &meant)?;
            written.push((key.to_owned(), value.to_owned()));
        }
        let (uri, local) = self.resolve(name, true)?;
        let mut seen = HashSet::new();
        let mut attributes = Vec::with_capacity(written.len());
        for (key, value) in written {
            let declares = key == "xmlns" || key.starts_with("xmlns:");
            let (uri, local) =
                if declares { (String::new(), key.clone()) } else { self.resolve(&key, false)? };
            if !seen.insert((uri.clone(), local.clone())) {
                return Err(Fault::Malformed);
            }
            let quote = if value.contains('"') { '\'' } else { '"' };
            attributes.push(Attribute { raw: format!("{key}={quote}{value}{quote}"), declares, uri, local });
        }
        Ok(Tag { name: name.to_owned(), uri, local, attributes })
    }

    fn declare(&mut self, key: &str, uri: &str) -> Result<(), Fault> {
        let prefix = match key.strip_prefix("xmlns") {
            Some("") => "",
            Some(rest) => match rest.strip_prefix(':') {
                Some(prefix) => prefix,
                None => return Ok(()),
            },
            None => return Ok(()),
        };
        let reserved = prefix == "xmlns" || (prefix == "xml") != (uri == XML);
        if reserved || (uri.is_empty() && !prefix.is_empty()) {
            return Err(Fault::Malformed);
        }
        self.0.push((prefix.to_owned(), uri.to_owned()));
        Ok(())
    }

    fn resolve(&self, name: &str, element: bool) -> Result<(String, String), Fault> {
        if name.len() > MAX_NAME {
            return Err(Fault::TooLarge);
        }
        let (prefix, local) = match name.split_once(':') {
            Some((prefix, local)) if is_name(prefix) && is_name(local) => (prefix, local),
            None if is_name(name) => ("", name),
            _ => return Err(Fault::Malformed),
        };
        if prefix.is_empty() && !element {
            return Ok((String::new(), local.to_owned()));
        }
        let found = self.0.iter().rev().find(|(p, _)| p == prefix).map(|(_, uri)| uri.as_str());
        let uri = match (found, prefix) {
            (Some(uri), _) => uri,
            (None, "xml") => XML,
            (None, "") => "",
            (None, _) => return Err(Fault::Malformed),
        };
        Ok((uri.to_owned(), local.to_owned()))
    }
}

/// A name without colon.
pub(crate) fn is_name(name: &str) -> bool {
    let first = |c: char| c.is_alphabetic() || c == '_';
    let later =
        |c: char| first(c) || c.is_numeric() || matches!(c, '-' | '.' | '\u{b7}') || (c as u32) >= 0x300;
    name.chars().next().is_some_and(first) && name.chars().all(later)
}
