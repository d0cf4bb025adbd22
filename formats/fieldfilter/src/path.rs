//! The name of a field within a document: member names joined by dots. Reading and printing only.
//!
//! `ho_ten` · `dia_chi.tinh` · `danh_sach[].ho_ten` (every element of an array) · `[].ho_ten` (the document is an array) ·
//! `dia_chi.*` (every member) · for XML also `{urn:dan-cu}congDan.hoTen` (namespace by its URI, `{*}` any) and
//! `congDan.@ma` (attribute). A name means everything below it. `\` before `. [ ] { } @ * \` takes it as it is.

use std::fmt;
use std::str::FromStr;

/// Longest path, in characters.
pub const MAX_PATH_CHARS: usize = 512;
/// Most steps of a path.
pub const MAX_STEPS: usize = 32;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Step {
    /// A member or element, and the namespace of the latter.
    Name(Space, String),
    /// Every member or element.
    Any,
    /// Every element of a JSON array; XML has none, there it means nothing.
    Items,
    /// An attribute of an XML element.
    Attribute(Space, String),
    /// Every attribute.
    AnyAttribute,
}

/// A namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Space {
    /// None.
    None,
    /// This one.
    Uri(String),
    /// Any, also none.
    Any,
}

/// The name of a field. Two that mean the same print the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(pub(crate) Vec<Step>);

/// The text names no field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no name of a field: {0}")]
pub struct PathError(&'static str);

const SPECIAL: [char; 8] = ['.', '[', ']', '{', '}', '@', '*', '\\'];

impl FromStr for FieldPath {
    type Err = PathError;

    fn from_str(s: &str) -> Result<Self, PathError> {
        if s.chars().count() > MAX_PATH_CHARS {
            return Err(PathError("too long"));
        }
        let mut reader = Reader { rest: s };
        let mut steps = Vec::new();
        reader.items(&mut steps);
        if steps.is_empty() || !reader.rest.is_empty() {
            if !steps.is_empty() && !reader.eat('.') {
                return Err(PathError("a dot is missing after []"));
            }
            loop {
                steps.push(reader.step()?);
                reader.items(&mut steps);
                if reader.rest.is_empty() {
                    break;
                }
                if !reader.eat('.') {
                    return Err(PathError("a dot is missing"));
                }
            }
        }
        if steps.len() > MAX_STEPS {
            return Err(PathError("too many steps"));
        }
        let attribute = |s: &Step| matches!(s, Step::Attribute(..) | Step::AnyAttribute);
        if steps.iter().rev().skip(1).any(attribute) || steps.first().is_some_and(attribute) {
            return Err(PathError("an attribute stands last, after its element"));
        }
        Ok(Self(steps))
    }
}

struct Reader<'s> {
    rest: &'s str,
}

impl Reader<'_> {
    fn eat(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn items(&mut self, steps: &mut Vec<Step>) {
        while let Some(rest) = self.rest.strip_prefix("[]") {
            self.rest = rest;
            steps.push(Step::Items);
        }
    }

    fn step(&mut self) -> Result<Step, PathError> {
        let attribute = self.eat('@');
        if self.eat('*') {
            return Ok(if attribute { Step::AnyAttribute } else { Step::Any });
        }
        let space = self.space()?;
        let name = self.name()?;
        Ok(if attribute { Step::Attribute(space, name) } else { Step::Name(space, name) })
    }

    fn space(&mut self) -> Result<Space, PathError> {
        if !self.eat('{') {
            return Ok(Space::None);
        }
        let (uri, rest) = self.rest.split_once('}').ok_or(PathError("a } is missing"))?;
        self.rest = rest;
        Ok(match uri {
            "" => Space::None,
            "*" => Space::Any,
            uri if uri.chars().any(|c| c.is_whitespace() || c.is_control() || c == '{') => {
                return Err(PathError("the namespace is no URI"));
            }
            uri => Space::Uri(uri.to_owned()),
        })
    }

    fn name(&mut self) -> Result<String, PathError> {
        let mut name = String::new();
        let mut chars = self.rest.char_indices();
        let mut end = self.rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, c)) if SPECIAL.contains(&c) => name.push(c),
                    _ => return Err(PathError("\\ stands before a character that needs none")),
                },
                c if c.is_control() => return Err(PathError("a control character")),
                c if SPECIAL.contains(&c) => {
                    end = at;
                    break;
                }
                c => name.push(c),
            }
        }
        self.rest = self.rest.get(end..).unwrap_or_default();
        if name.is_empty() { Err(PathError("a name is missing")) } else { Ok(name) }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            if at > 0 && *step != Step::Items {
                f.write_str(".")?;
            }
            match step {
                Step::Items => f.write_str("[]")?,
                Step::Any => f.write_str("*")?,
                Step::AnyAttribute => f.write_str("@*")?,
                Step::Name(space, name) => write_name(f, space, name)?,
                Step::Attribute(space, name) => {
                    f.write_str("@")?;
                    write_name(f, space, name)?;
                }
            }
        }
        Ok(())
    }
}

fn write_name(f: &mut fmt::Formatter<'_>, space: &Space, name: &str) -> fmt::Result {
    match space {
        Space::None => {}
        Space::Any => f.write_str("{*}")?,
        Space::Uri(uri) => write!(f, "{{{uri}}}")?,
    }
    for c in name.chars() {
        if SPECIAL.contains(&c) {
            f.write_str("\\")?;
        }
        write!(f, "{c}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_read_and_print() {
        for path in [
            "ho_ten",
            "họ và tên",
            "dia_chi.tinh",
            "[].a",
            "[][]",
            "a[].b[][].c",
            "*",
            "*.a.*",
            r"a\.b.c\[\]",
            r"\@id",
            "{urn:x/1.0}congDan.hoTen",
            "{*}a.@{urn:y}ma",
            "a.@*",
            "a[].@ma",
        ] {
            assert_eq!(path.parse::<FieldPath>().unwrap().to_string(), path);
        }
        assert_eq!("{}a".parse::<FieldPath>().unwrap().to_string(), "a");
        for bad in [
            "", ".", "a.", ".a", "a..b", "a[", "a[0]", "a]", "[]a", "a[]b", "{a", "{a b}c", "@id", "@id.a",
            "a*", "**", r"a\b", "a\u{0}", "a\\", "[].@a.b",
        ] {
            assert!(bad.parse::<FieldPath>().is_err(), "{bad:?}");
        }
        assert!("a".repeat(MAX_PATH_CHARS + 1).parse::<FieldPath>().is_err());
        assert!("a.".repeat(MAX_STEPS).parse::<FieldPath>().is_err());
        assert!(format!("{}a", "a.".repeat(MAX_STEPS)).parse::<FieldPath>().is_err());
    }

    proptest! {
        #[test]
        fn what_prints_reads_back(text in "[a-c.\\[\\]{}@*\\\\]{0,12}") {
            if let Ok(path) = text.parse::<FieldPath>() {
                prop_assert_eq!(path.to_string().parse::<FieldPath>().unwrap(), path);
            }
        }
    }
}
