//! JSON: exact results, and equality with a filter over a whole tree.

use std::sync::Arc;

use fieldfilter::{Fault, Fields, Kind};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::{fields, filtered};

fn json(paths: &[&str], document: &str) -> Result<(String, u64), Fault> {
    filtered(Kind::Json, &fields(paths), document.as_bytes(), &[usize::MAX])
        .map(|(out, removed)| (String::from_utf8(out).unwrap(), removed))
}

#[track_caller]
fn gives(paths: &[&str], document: &str, expected: &str, removed: u64) {
    assert_eq!(json(paths, document), Ok((expected.to_owned(), removed)), "{paths:?}");
    for size in 1..5 {
        let piecewise = filtered(Kind::Json, &fields(paths), document.as_bytes(), &[size]).unwrap();
        assert_eq!(String::from_utf8(piecewise.0).unwrap(), expected, "in pieces of {size}");
    }
}

#[test]
fn named_members_pass_and_others_do_not() {
    let person = r#" { "so":"079", "ten" : "Nguyễn \"A\"", "sinh": -1.50e+3, "noi":{"tinh":"x","xa":"y"} } "#;
    gives(&["ten"], person, r#"{"ten":"Nguyễn \"A\""}"#, 3);
    gives(&["sinh", "so"], person, r#"{"so":"079","sinh":-1.50e+3}"#, 2);
    gives(&["noi"], person, r#"{"noi":{"tinh":"x","xa":"y"}}"#, 3);
    gives(&["noi.xa"], person, r#"{"noi":{"xa":"y"}}"#, 4);
    gives(&["*.xa"], person, r#"{"noi":{"xa":"y"}}"#, 4);
    gives(&["khac"], person, "{}", 4);
    gives(
        &["*"],
        person,
        r#"{"so":"079","ten":"Nguyễn \"A\"","sinh":-1.50e+3,"noi":{"tinh":"x","xa":"y"}}"#,
        0,
    );
}

#[test]
fn arrays_are_named_with_brackets() {
    let list = r#"{"tong":2,"ds":[{"a":1,"b":[2]},{"b":3},4,[],{"a":{"b":5}}]}"#;
    gives(&["ds[].a"], list, r#"{"ds":[{"a":1},{},{"a":{"b":5}}]}"#, 5);
    gives(&["ds[]"], list, r#"{"ds":[{"a":1,"b":[2]},{"b":3},4,[],{"a":{"b":5}}]}"#, 1);
    gives(&["ds.a"], list, "{}", 2);
    gives(&["[].a"], r#"[{"a":1},{"b":2}]"#, r#"[{"a":1},{}]"#, 1);
    gives(&["[][]"], "[[1,2],3]", "[[1,2]]", 1);
}

#[test]
fn the_same_name_twice_or_in_disguise_is_judged_alike() {
    gives(&["a"], r#"{"b":1,"a":2,"b":3,"a":4}"#, r#"{"a":2,"a":4}"#, 2);
    gives(
        &["ten"],
        r#"{"t\u0065n":1,"\u0074en":2,"ten\u0000":3,"TEN":4}"#,
        r#"{"t\u0065n":1,"\u0074en":2}"#,
        2,
    );
    gives(&["a"], "{\"b\":\"\u{1d11e}\",\"a\":\"\\ud834\\udd1e\"}", "{\"a\":\"\\ud834\\udd1e\"}", 1);
}

#[test]
fn a_value_of_another_kind_than_the_path_goes_through_does_not_pass() {
    for value in ["\"079\"", "1", "true", "null", "[{\"a\":1}]"] {
        gives(&["x.a"], &format!(r#"{{"x":{value}}}"#), "{}", 1);
    }
    for whole in ["1", "\"a\"", "null", "[]", "[{\"x\":1}]"] {
        assert_eq!(json(&["x"], whole), Err(Fault::Shape), "{whole}");
    }
    assert_eq!(json(&["[].x"], "{}"), Err(Fault::Shape));
    assert_eq!(json(&[], "{}"), Err(Fault::Shape));
    assert_eq!(
        json(&["{urn:x}a", "a.@b"], r#"{"a":1}"#),
        Err(Fault::Shape),
        "names of XML mean nothing here"
    );
}

#[test]
fn a_byte_order_mark_goes() {
    gives(&["a"], "\u{feff}{\"a\":1}", r#"{"a":1}"#, 0);
}

/// A filter over a whole tree, written apart from the other: paths are compared step by step, nothing is prepared.
fn reference(value: &Value, paths: &[Vec<String>]) -> Option<Value> {
    if paths.iter().any(Vec::is_empty) {
        return Some(value.clone());
    }
    let below = |wanted: &dyn Fn(&str) -> bool| -> Vec<Vec<String>> {
        paths.iter().filter(|p| wanted(&p[0])).map(|p| p[1..].to_vec()).collect()
    };
    match value {
        Value::Object(map) if paths.iter().any(|p| p[0] != "[]") => {
            let kept = map.iter().filter_map(|(name, value)| {
                let rest = below(&|step| step == name || step == "*");
                let kept = (!rest.is_empty()).then(|| reference(value, &rest)).flatten();
                kept.map(|value| (name.clone(), value))
            });
            Some(Value::Object(kept.collect::<Map<_, _>>()))
        }
        Value::Array(items) if paths.iter().any(|p| p[0] == "[]") => {
            let rest = below(&|step| step == "[]");
            Some(Value::Array(items.iter().filter_map(|item| reference(item, &rest)).collect()))
        }
        _ => None,
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        "[a-z\"\\\\\u{0}-\u{20}À-ỹ😀]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec(("[a-cễ]{1,2}", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn documents() -> impl Strategy<Value = Value> {
    values().prop_filter("objects and arrays", |v| v.is_object() || v.is_array())
}

fn paths() -> impl Strategy<Value = Vec<Vec<String>>> {
    let step = prop_oneof![3 => "[a-cễ]{1,2}", 1 => Just("*".to_owned()), 2 => Just("[]".to_owned())];
    proptest::collection::vec(proptest::collection::vec(step, 1..5), 1..6)
}

fn prepared(paths: &[Vec<String>]) -> Arc<Fields> {
    let print = |steps: &Vec<String>| {
        let mut text = String::new();
        for step in steps {
            if step != "[]" && !text.is_empty() {
                text.push('.');
            }
            text.push_str(step);
        }
        text
    };
    Arc::new(Fields::new(paths.iter().map(|p| print(p).parse().unwrap())))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_the_document_and_its_pieces_a_tree_gives_the_same(
        document in documents(),
        paths in paths(),
        sizes in proptest::collection::vec(1usize..40, 1..6),
        pretty in any::<bool>(),
    ) {
        let text = if pretty { serde_json::to_vec_pretty(&document) } else { serde_json::to_vec(&document) }.unwrap();
        let got = filtered(Kind::Json, &prepared(&paths), &text, &sizes);
        match reference(&document, &paths) {
            // Written by the same hand: order, numbers and strings are the same to the byte.
            Some(expected) => prop_assert_eq!(
                String::from_utf8(got.unwrap().0).unwrap(),
                serde_json::to_string(&expected).unwrap()
            ),
            None => prop_assert_eq!(got.map(|_| ()), Err(Fault::Shape)),
        }
    }

    #[test]
    fn a_document_cut_short_is_refused(document in documents(), paths in paths(), cut in any::<prop::sample::Index>()) {
        let text = serde_json::to_vec(&document).unwrap();
        let short = &text[..cut.index(text.len())];
        prop_assert!(filtered(Kind::Json, &prepared(&paths), short, &[7]).is_err());
    }
}
