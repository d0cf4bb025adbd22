//! Hostile bytes for every reader of what comes over a wire. Which one, the environment says (`LIENTHONG_FUZZ`), so that one
//! program is built for all. Each target asserts more than that nothing panics: what is read in pieces is read the same
//! whole, what is accepted has the properties others rely on. Run by `cargo xtask fuzz`, which knows the corpora.

#![no_main]

mod evidence_wire;
mod framing;
mod messages;
mod soap;
mod words;

use std::sync::LazyLock;

type Target = fn(&[u8]);

/// Every target, by the name of its corpus.
const TARGETS: &[(&str, Target)] = &[
    ("http1", framing::http1),
    ("rest", framing::rest),
    ("headers", framing::headers),
    ("soap", soap::message),
    ("multipart", soap::multipart),
    ("wsdl", soap::wsdl),
    ("filter-json", messages::json),
    ("filter-xml", messages::xml),
    ("bundle", evidence_wire::bundle),
    ("record", evidence_wire::record),
    ("note", evidence_wire::note),
    ("calendar", words::calendar),
];

static CHOSEN: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("LIENTHONG_FUZZ").unwrap_or_default();
    match TARGETS.iter().find(|(n, _)| *n == name) {
        Some((_, target)) => *target,
        None => {
            let names: Vec<&str> = TARGETS.iter().map(|(n, _)| *n).collect();
            panic!("LIENTHONG_FUZZ names no target; there are {}", names.join(", "));
        }
    }
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| CHOSEN(data));

/// The input cut into pieces whose lengths its first byte chooses, and the rest.
fn in_pieces(data: &[u8]) -> (usize, &[u8]) {
    match data.split_first() {
        Some((first, rest)) => (1 + usize::from(*first) % 64, rest),
        None => (1, data),
    }
}
