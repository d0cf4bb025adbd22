//! Hostile input, noise, and streams far larger than memory should ever hold.

use std::sync::Arc;

use fieldfilter::{Fault, Filter, Kind, MAX_DEPTH, MAX_MEMBERS, MAX_NAME, MAX_TAG};
use proptest::prelude::*;

use crate::{fields, filtered};

fn refused(kind: Kind, document: &str, fault: Fault) {
    let got = filtered(kind, &fields(&["a", "[]", "*"]), document.as_bytes(), &[4096]);
    assert_eq!(got.map(|_| ()), Err(fault), "{:.60}", document);
}

#[test]
fn bounds_hold() {
    let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
    assert!(filtered(Kind::Json, &fields(&["[]"]), deep(MAX_DEPTH).as_bytes(), &[9]).is_ok());
    refused(Kind::Json, &deep(MAX_DEPTH + 1), Fault::TooDeep);
    refused(Kind::Json, &"[".repeat(1_000_000), Fault::TooDeep);
    refused(Kind::Json, &format!("{{\"{}\":1}}", "k".repeat(MAX_NAME)), Fault::TooLarge);
    refused(Kind::Json, &format!("{{\"{}\":1}}", "\\n".repeat(MAX_NAME)), Fault::TooLarge);
    let many: Vec<_> = (0..=MAX_MEMBERS).map(|n| format!("\"{n}\":0")).collect();
    refused(Kind::Json, &format!("{{{}}}", many.join(",")), Fault::TooLarge);
    refused(Kind::Xml, &"<a>".repeat(MAX_DEPTH + 1), Fault::TooDeep);
    refused(Kind::Xml, &format!("<a b='{}'/>", "x".repeat(MAX_TAG)), Fault::TooLarge);
    refused(Kind::Xml, &format!("<{}/>", "a".repeat(MAX_NAME + 1)), Fault::TooLarge);
    refused(Kind::Xml, &format!("<a>&{};</a>", "a".repeat(100)), Fault::Malformed);
}

#[test]
fn what_is_not_strict_json_is_refused() {
    for bad in [
        "",
        " ",
        "{",
        "{]",
        "[}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "[1,]",
        "[,1]",
        "{,}",
        "{a:1}",
        "{'a':1}",
        "[1 2]",
        "{\"a\":1}{}",
        "{\"a\":1} x",
        "[01]",
        "[1.]",
        "[.5]",
        "[+1]",
        "[1e]",
        "[-]",
        "[0x1]",
        "[NaN]",
        "[tru]",
        "[truee]",
        "[nul l]",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"\\udc00\":1}",
        "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\" 1}",
        "{\"a\"::1}",
        "/**/{}",
        "{}\u{0}",
        "[\u{a0}1]",
        "{\"a\":1\u{feff}}",
    ] {
        refused(Kind::Json, bad, Fault::Malformed);
    }
    for bad in [
        &b"{\"a\":\"\xff\"}"[..],
        b"{\"\xc3\":1}",
        b"\xef\xbb{}",
        b"\xff\xfe{\0}\0",
        b"{\"b\":\"\xed\xa0\x80\"}",
    ] {
        let got = filtered(Kind::Json, &fields(&["a"]), bad, &[2]);
        assert_eq!(got.map(|_| ()), Err(Fault::Malformed), "{bad:?}");
    }
}

#[test]
fn nothing_goes_on_after_a_fault() {
    let mut filter = Filter::new(Kind::Json, fields(&["a"]));
    let mut out = Vec::new();
    assert_eq!(filter.push(b"{\"a\":x", &mut out), Err(Fault::Malformed));
    let before = out.clone();
    assert_eq!(filter.push(b"1}", &mut out), Err(Fault::Malformed));
    assert_eq!((filter.finish(), out), (Err(Fault::Malformed), before));
}

/// Very much in 64 KiB pieces; the filter holds a name and a stack, and each piece gives no more than it had.
fn endless(kind: Kind, total: u64, first: &[u8], again: &[u8], last: &[u8]) -> (u64, u64) {
    let mut filter = Filter::new(kind, fields(&["ds[].ten"]));
    let piece = again.repeat(65_536 / again.len());
    let mut out = Vec::with_capacity(piece.len() + 64);
    let room = out.capacity();
    let mut passed = 0;
    filter.push(first, &mut out).unwrap();
    let mut sent = first.len() as u64;
    while sent < total {
        passed += out.len() as u64;
        out.clear();
        filter.push(&piece, &mut out).unwrap();
        assert_eq!(out.capacity(), room, "a piece gives no more than it had");
        sent += piece.len() as u64;
    }
    filter.push(last, &mut out).unwrap();
    filter.finish().unwrap();
    (passed + out.len() as u64, filter.removed())
}

#[test]
fn a_gibibyte_streams_through() {
    let (passed, removed) = endless(
        Kind::Json,
        1 << 30,
        b"{\"ds\":[{}",
        b",{\"so\":\"079000000001\",\"ten\":\"Nguyen Van A\",\"anh\":\"0123456789\"}",
        b"]}",
    );
    assert!(passed > 300 << 20 && removed > 30_000_000, "{passed} {removed}");
    let (passed, removed) = endless(
        Kind::Xml,
        1 << 28,
        b"<ds>",
        b"<ten>Nguyen Van A Nguyen Van B</ten><so>079000000001079000000001</so>",
        b"</ds>",
    );
    assert!(passed > 80 << 20 && removed > 3_000_000, "{passed} {removed}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn noise_neither_panics_nor_depends_on_its_pieces(
        noise in "[\\[\\]{}\",:\\\\a0-9etfn<>/!?&;='\\-x \u{e9}]{0,80}",
        sizes in proptest::collection::vec(1usize..9, 1..5),
    ) {
        let all = fields(&["a", "*.e", "[].a", "[][]"]);
        for kind in [Kind::Json, Kind::Xml] {
            let whole = filtered(kind, &all, noise.as_bytes(), &[usize::MAX]);
            prop_assert_eq!(&filtered(kind, &all, noise.as_bytes(), &sizes), &whole);
            if let (Ok((out, _)), Kind::Json) = (&whole, kind) {
                let numbers = noise.contains('e');
                prop_assert!(numbers || serde_json::from_slice::<serde_json::Value>(out).is_ok(), "{}", noise);
            }
        }
    }

    #[test]
    fn bytes_of_any_kind_neither_panic_nor_depend_on_their_pieces(
        noise in proptest::collection::vec(any::<u8>(), 0..60),
        size in 1usize..9,
    ) {
        let all: Arc<_> = fields(&["a"]);
        for kind in [Kind::Json, Kind::Xml] {
            let whole = filtered(kind, &all, &noise, &[usize::MAX]).is_ok();
            prop_assert_eq!(filtered(kind, &all, &noise, &[size]).is_ok(), whole);
        }
    }
}
