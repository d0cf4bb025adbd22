//! XML: exact results, and equality with a filter over the tree another reader makes.

use fieldfilter::{Fault, Kind};
use proptest::prelude::*;
use roxmltree::{Document, Node, NodeType};

use crate::{fields, filtered};

fn xml(paths: &[&str], document: &str) -> Result<(String, u64), Fault> {
    filtered(Kind::Xml, &fields(paths), document.as_bytes(), &[usize::MAX])
        .map(|(out, removed)| (String::from_utf8(out).unwrap(), removed))
}

#[track_caller]
fn gives(paths: &[&str], document: &str, expected: &str, removed: u64) {
    assert_eq!(xml(paths, document), Ok((expected.to_owned(), removed)), "{paths:?}");
    for size in 1..5 {
        let piecewise = filtered(Kind::Xml, &fields(paths), document.as_bytes(), &[size]).unwrap();
        assert_eq!(String::from_utf8(piecewise.0).unwrap(), expected, "in pieces of {size}");
    }
}

#[test]
fn named_elements_pass_and_others_do_not() {
    let person = "<?xml version='1.0'?>\n<nguoi ma=\"1\"> <ten>A &amp; B</ten>lạc<so x=\"y\">079</so><!-- 1 --></nguoi>\n";
    let declared = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    gives(&["nguoi.ten"], person, &format!("{declared}<nguoi><ten>A &amp; B</ten></nguoi>"), 2);
    gives(
        &["nguoi.so", "nguoi.@ma"],
        person,
        &format!("{declared}<nguoi ma=\"1\"><so x=\"y\">079</so></nguoi>"),
        1,
    );
    gives(&["nguoi.so.@z"], person, &format!("{declared}<nguoi><so></so></nguoi>"), 3);
    gives(&["*.ten"], person, &format!("{declared}<nguoi><ten>A &amp; B</ten></nguoi>"), 2);
    gives(
        &["nguoi"],
        person,
        &format!("{declared}<nguoi ma=\"1\"> <ten>A &amp; B</ten>lạc<so x=\"y\">079</so></nguoi>"),
        0,
    );
    assert_eq!(xml(&["khac.ten"], person), Err(Fault::Shape));
}

#[test]
fn namespaces_count_and_prefixes_do_not() {
    let a = "<p:nguoi xmlns:p='urn:a'><p:ten>1</p:ten><ten xmlns='urn:b'>2</ten><ten>3</ten></p:nguoi>";
    let b = "<nguoi xmlns='urn:a'><ten>1</ten><q:ten xmlns:q='urn:b'>2</q:ten><ten xmlns=''>3</ten></nguoi>";
    let path = ["{urn:a}nguoi.{urn:a}ten"];
    gives(&path, a, "<p:nguoi xmlns:p=\"urn:a\"><p:ten>1</p:ten></p:nguoi>", 2);
    gives(&path, b, "<nguoi xmlns=\"urn:a\"><ten>1</ten></nguoi>", 2);
    gives(&["{*}nguoi.ten"], b, "<nguoi xmlns=\"urn:a\"><ten xmlns=\"\">3</ten></nguoi>", 2);
    assert_eq!(xml(&["nguoi.ten"], b), Err(Fault::Shape));
    assert_eq!(xml(&["*"], "<a><b:c/></a>"), Err(Fault::Malformed), "a prefix nobody declared");
    assert_eq!(xml(&["*"], "<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>"), Err(Fault::Malformed));
}

#[test]
fn character_data_keeps_its_bytes() {
    let text = "<a><b><![CDATA[<x>]]]]>&lt;&#x41;]]</b><c><![CDATA[<b>lộ</b>]]></c></a>";
    gives(&["a.b"], text, "<a><b><![CDATA[<x>]]]]>&lt;&#x41;]]</b></a>", 1);
    gives(&["a[].b[]"], "<a><b/><b>1</b><c/></a>", "<a><b/><b>1</b></a>", 1);
    gives(&["a.b"], "\u{feff}<a><b c='\"'/></a>", "<a><b c='\"'/></a>", 0);
}

#[test]
fn what_is_no_plain_document_is_refused() {
    assert_eq!(xml(&["a"], "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"), Err(Fault::Doctype));
    for bad in [
        "",
        " ",
        "a",
        "<a>",
        "<a></b>",
        "<a/><a/>",
        "<a/>x",
        "<a>&x;</a>",
        "<a>&#0;</a>",
        "<a>&#xFFFE;</a>",
        "<a>&</a>",
        "<a b=\"<\"/>",
        "<a b=1/>",
        "<a b='1' b='2'/>",
        "<a>]]></a>",
        "<a><!-- -- --></a>",
        "<!-- --->",
        "<![CDATA[]]><a/>",
        "<a><![CDATA[ </a>",
        "<?xml version='1.1'?><a/>",
        "<?xml version='1.0' encoding='UTF-16'?><a/>",
        " <?xml version='1.0'?><a/>",
        "<a><?xml version='1.0'?></a>",
        "< a/>",
        "<1a/>",
        "<a:b:c/>",
        "<:a/>",
        "<a\u{1}/>",
        "<a b='&x;'/>",
        "<a xmlns:p=''/>",
        "<a xmlns:xml='urn:x'/>",
        "</a>",
        "<a></a></a>",
        "<!x><a/>",
        "<>",
    ] {
        assert_eq!(xml(&["a"], bad), Err(Fault::Malformed), "{bad:?}");
    }
}

#[derive(Debug, Clone)]
enum Part {
    Element(String, Vec<(String, String)>, Vec<Part>),
    Text(String),
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn print(part: &Part, root: bool, out: &mut String) {
    match part {
        Part::Text(text) => out.push_str(&escaped(text)),
        Part::Element(name, attributes, parts) => {
            let space = if root { " xmlns:p=\"urn:p\"" } else { "" };
            out.push_str(&format!("<{name}{space}"));
            let mut seen = std::collections::HashSet::new();
            for (name, value) in attributes.iter().filter(|(name, _)| seen.insert(name.clone())) {
                out.push_str(&format!(" {name}=\"{}\"", escaped(value)));
            }
            out.push('>');
            parts.iter().for_each(|p| print(p, false, out));
            out.push_str(&format!("</{name}>"));
        }
    }
}

/// What the tree of another reader holds of the paths, in a form of its own.
fn reference(node: Node<'_, '_>, paths: &[Vec<String>]) -> Option<String> {
    let name = expanded(node.tag_name().namespace(), node.tag_name().name());
    let rest: Vec<Vec<String>> =
        paths.iter().filter(|p| p[0] == name || p[0] == "*").map(|p| p[1..].to_vec()).collect();
    if rest.iter().any(Vec::is_empty) {
        return Some(shown(node));
    }
    if rest.is_empty() {
        return None;
    }
    let mut out = format!("({name}");
    for a in node.attributes() {
        let name = format!("@{}", expanded(a.namespace(), a.name()));
        if rest.iter().any(|p| p[0] == name) {
            out.push_str(&format!(" {name}={:?}", a.value()));
        }
    }
    for child in node.children().filter(Node::is_element) {
        out.extend(reference(child, &rest));
    }
    Some(out + ")")
}

fn expanded(namespace: Option<&str>, name: &str) -> String {
    namespace.map_or_else(|| name.to_owned(), |n| format!("{{{n}}}{name}"))
}

/// All of a tree, in the same form.
fn shown(node: Node<'_, '_>) -> String {
    if node.node_type() == NodeType::Text {
        return format!("{:?}", node.text().unwrap_or_default());
    }
    let mut out = format!("({}", expanded(node.tag_name().namespace(), node.tag_name().name()));
    for a in node.attributes() {
        out.push_str(&format!(" @{}={:?}", expanded(a.namespace(), a.name()), a.value()));
    }
    node.children().for_each(|child| out.push_str(&shown(child)));
    out + ")"
}

fn parts() -> impl Strategy<Value = Part> {
    let name = prop_oneof![4 => "[a-c]", 1 => "p:[a-c]"];
    let leaf = "[a-z<>&\"\\] ễ]{1,5}".prop_map(Part::Text);
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let attributes = proptest::collection::vec(("[a-c]", "[a-z<>&\"' ]{0,4}"), 0..3);
        (name.clone(), attributes, proptest::collection::vec(inner, 0..5))
            .prop_map(|(name, attributes, parts)| Part::Element(name, attributes, parts))
    })
}

fn paths() -> impl Strategy<Value = Vec<Vec<String>>> {
    let step = prop_oneof![4 => "[a-c]", 1 => "[a-c]".prop_map(|n| format!("{{urn:p}}{n}")), 2 => Just("*".to_owned())];
    let path = (proptest::collection::vec(step, 1..4), proptest::option::of("@[a-c]"));
    proptest::collection::vec(
        path.prop_map(|(mut steps, last)| {
            steps.extend(last);
            steps
        }),
        1..6,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_the_document_and_its_pieces_a_tree_gives_the_same(
        root in parts().prop_filter("an element", |p| matches!(p, Part::Element(..))),
        paths in paths(),
        sizes in proptest::collection::vec(1usize..40, 1..6),
    ) {
        let mut text = String::new();
        print(&root, true, &mut text);
        let written: Vec<String> = paths.iter().map(|p| p.join(".")).collect();
        let prepared = fields(&written.iter().map(String::as_str).collect::<Vec<_>>());
        let got = filtered(Kind::Xml, &prepared, text.as_bytes(), &sizes);
        let document = Document::parse(&text).unwrap();
        match reference(document.root_element(), &paths) {
            Some(expected) => {
                let out = String::from_utf8(got.unwrap().0).unwrap();
                prop_assert_eq!(shown(Document::parse(&out).unwrap().root_element()), expected);
            }
            None => prop_assert_eq!(got.map(|_| ()), Err(Fault::Shape)),
        }
    }

    #[test]
    fn a_document_cut_short_is_refused(
        root in parts().prop_filter("an element", |p| matches!(p, Part::Element(..))),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut text = String::new();
        print(&root, true, &mut text);
        let short = &text.as_bytes()[..cut.index(text.len())];
        prop_assert!(filtered(Kind::Xml, &fields(&["*"]), short, &[5]).is_err());
    }
}
