//! A list of fields made ready for looking up: one tree of steps for JSON, one for XML.

use std::collections::{BTreeSet, HashMap};

use aws_lc_rs::digest::{Context, SHA256};

use crate::path::{FieldPath, Space, Step};

/// Node of a tree.
pub(crate) type At = u32;
/// The nodes a value may be at: with `*` there can be several.
pub(crate) type Places = Vec<At>;

#[derive(Debug, Default)]
struct Node {
    /// Everything from here on passes.
    whole: bool,
    names: HashMap<String, At>,
    any: Option<At>,
    items: Option<At>,
    any_attribute: bool,
}

/// Steps from the outermost value on.
#[derive(Debug)]
pub(crate) struct Tree(Vec<Node>);

/// What becomes of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It passes whole.
    Keep,
    /// It does not pass.
    Drop,
    /// Parts of it may pass.
    Sift(Places),
}

/// The fields that may pass.
#[derive(Debug)]
pub struct Fields {
    pub(crate) json: Tree,
    pub(crate) xml: Tree,
    fingerprint: [u8; 32],
    count: usize,
}

impl Fields {
    /// Of these paths; their order does not matter.
    pub fn new(paths: impl IntoIterator<Item = FieldPath>) -> Self {
        let paths: BTreeSet<FieldPath> = paths.into_iter().collect();
        let (mut json, mut xml) = (Tree(vec![Node::default()]), Tree(vec![Node::default()]));
        for path in &paths {
            json.enter_json(path);
            xml.enter_xml(path);
        }
        let lines: BTreeSet<String> = paths.iter().map(ToString::to_string).collect();
        let mut digest = Context::new(&SHA256);
        for line in &lines {
            digest.update(line.as_bytes());
            digest.update(b"\n");
        }
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest.finish().as_ref());
        Self { json, xml, fingerprint, count: paths.len() }
    }

    /// SHA-256 of the paths, printed, in ascending byte order, each followed by a line feed.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// How many different fields.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nothing may pass.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl Tree {
    fn enter_json(&mut self, path: &FieldPath) {
        let plain = |s: &Step| matches!(s, Step::Name(Space::None, _) | Step::Any | Step::Items);
        if !path.0.iter().all(plain) {
            return;
        }
        let mut at = 0;
        for step in &path.0 {
            at = self.child(at, step, |_, name| name.to_owned());
        }
        self.0[at as usize].whole = true;
    }

    fn enter_xml(&mut self, path: &FieldPath) {
        let mut at = 0;
        for step in path.0.iter().filter(|s| **s != Step::Items) {
            if *step == Step::AnyAttribute {
                self.0[at as usize].any_attribute = true;
                return;
            }
            at = self.child(at, step, xml_key);
        }
        // `[]` alone opens every JSON array; it does not open every XML document.
        if at != 0 {
            self.0[at as usize].whole = true;
        }
    }

    fn child(&mut self, at: At, step: &Step, key: impl Fn(&Space, &str) -> String) -> At {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        let node = &mut self.0[at as usize];
        let found = match step {
            Step::Name(space, name) => *node.names.entry(key(space, name)).or_insert(next),
            Step::Attribute(space, name) => {
                *node.names.entry(format!("@{}", key(space, name))).or_insert(next)
            }
            Step::Any | Step::AnyAttribute => *node.any.get_or_insert(next),
            Step::Items => *node.items.get_or_insert(next),
        };
        if found == next {
            self.0.push(Node::default());
        }
        found
    }

    fn node(&self, at: At) -> &Node {
        &self.0[at as usize]
    }

    fn mode(&self, places: Places) -> Mode {
        if places.iter().any(|at| self.node(*at).whole) {
            Mode::Keep
        } else if places.is_empty() {
            Mode::Drop
        } else {
            Mode::Sift(places)
        }
    }

    /// What becomes of the member of an object at `places`.
    pub(crate) fn member(&self, places: &[At], name: &str) -> Mode {
        let nodes = places.iter().map(|at| self.node(*at));
        self.mode(nodes.flat_map(|n| n.names.get(name).copied().into_iter().chain(n.any)).collect())
    }

    /// What becomes of an element of an array at `places`.
    pub(crate) fn item(&self, places: &[At]) -> Mode {
        self.mode(places.iter().filter_map(|at| self.node(*at).items).collect())
    }

    /// Whether fields of an object at `places` may pass.
    pub(crate) fn takes_object(&self, places: &[At]) -> bool {
        places.iter().any(|at| !self.node(*at).names.is_empty() || self.node(*at).any.is_some())
    }

    /// Whether elements of an array at `places` may pass.
    pub(crate) fn takes_array(&self, places: &[At]) -> bool {
        places.iter().any(|at| self.node(*at).items.is_some())
    }

    /// What becomes of an XML element below `places`.
    pub(crate) fn element(&self, places: &[At], uri: &str, local: &str) -> Mode {
        let exact = format!("{{{uri}}}{local}");
        let anywhere = format!("{{*}}{local}");
        let mut found = Places::new();
        for node in places.iter().map(|at| self.node(*at)) {
            found.extend(node.names.get(&exact));
            found.extend(node.names.get(&anywhere));
            found.extend(node.any);
        }
        self.mode(found)
    }

    /// Whether an attribute of an element at `places` may pass.
    pub(crate) fn attribute(&self, places: &[At], uri: &str, local: &str) -> bool {
        let exact = format!("@{{{uri}}}{local}");
        let anywhere = format!("@{{*}}{local}");
        places.iter().map(|at| self.node(*at)).any(|node| {
            node.any_attribute || node.names.contains_key(&exact) || node.names.contains_key(&anywhere)
        })
    }
}

fn xml_key(space: &Space, name: &str) -> String {
    match space {
        Space::None => format!("{{}}{name}"),
        Space::Any => format!("{{*}}{name}"),
        Space::Uri(uri) => format!("{{{uri}}}{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(paths: &[&str]) -> Fields {
        Fields::new(paths.iter().map(|p| p.parse().unwrap()))
    }

    #[test]
    fn the_fingerprint_is_that_of_the_sorted_list() {
        let of = |paths: &[&str]| fields(paths).fingerprint();
        let hex = |bytes: [u8; 32]| bytes.map(|b| format!("{b:02x}")).concat();
        // printf 'a.b\nc\n' | sha256sum
        assert_eq!(
            hex(of(&["c", "a.b"])),
            "dcfcbb5cb0ad6423eed04d3aa49013adc8dee2ab026fc6d6b6dfe5859afec5b7"
        );
        assert_eq!(of(&["c", "a.b"]), of(&["a.b", "c", "c"]));
    }

    #[test]
    fn a_star_and_a_name_are_looked_at_together() {
        let f = fields(&["*.a", "x.b"]);
        let Mode::Sift(places) = f.json.member(&[0], "x") else { panic!() };
        assert_eq!(f.json.member(&places, "a"), Mode::Keep);
        assert_eq!(f.json.member(&places, "b"), Mode::Keep);
        assert_eq!(f.json.member(&places, "c"), Mode::Drop);
    }
}
