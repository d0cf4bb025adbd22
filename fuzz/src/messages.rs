//! The filter that lets only agreed fields pass.

use std::sync::{Arc, LazyLock};

use fieldfilter::{FieldPath, Fields, Filter, Kind};

static FIELDS: LazyLock<Arc<Fields>> = LazyLock::new(|| {
    let paths = ["ho_ten", "dia_chi.tinh", "danh_sach[].ho_ten", "[].ma", "a.@b", "{u}c.d", "x.*"];
    Arc::new(Fields::new(paths.iter().filter_map(|p| p.parse::<FieldPath>().ok())))
});

/// What passes of a document, or nothing when it is refused.
fn filtered(kind: Kind, data: &[u8], size: usize) -> Option<(Vec<u8>, u64)> {
    let mut filter = Filter::new(kind, Arc::clone(&FIELDS));
    let mut out = Vec::new();
    for piece in data.chunks(size.max(1)) {
        filter.push(piece, &mut out).ok()?;
    }
    filter.finish().ok()?;
    Some((out, filter.removed()))
}

/// The members that paths of [`FIELDS`] begin with.
const BEGINNINGS: &[&str] = &["ho_ten", "dia_chi", "danh_sach", "a", "c", "x"];

/// What passes is a document, the same in whatever pieces, and passes unchanged a second time.
pub fn json(data: &[u8]) {
    let (size, data) = super::in_pieces(data);
    let whole = filtered(Kind::Json, data, data.len());
    assert_eq!(filtered(Kind::Json, data, size), whole);
    let Some((out, _)) = whole else { return };
    assert_eq!(filtered(Kind::Json, &out, size).map(|(again, _)| again).as_ref(), Some(&out));
    // Deeper than that reader goes, or a number it cannot hold: another reader's matter.
    if let Ok(serde_json::Value::Object(members)) = serde_json::from_slice(&out) {
        assert!(members.keys().all(|name| BEGINNINGS.contains(&name.as_str())), "{members:?}");
    }
}

/// As for JSON, with another parser as judge.
pub fn xml(data: &[u8]) {
    let (size, data) = super::in_pieces(data);
    let whole = filtered(Kind::Xml, data, data.len());
    assert_eq!(filtered(Kind::Xml, data, size), whole);
    let Some((out, _)) = whole else { return };
    assert_eq!(filtered(Kind::Xml, &out, size).map(|(again, removed)| (again, removed)), Some((out.clone(), 0)));
    let (Ok(before), Ok(after)) = (std::str::from_utf8(data), std::str::from_utf8(&out)) else {
        panic!("not UTF-8");
    };
    if roxmltree::Document::parse(before).is_ok() {
        assert!(roxmltree::Document::parse(after).is_ok(), "a sound document is no longer one: {after}");
    }
}
