//! The filters against documents made by chance, against independent readers, and against hostile input.

#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

mod hostile;
mod json;
mod xml;

use std::sync::Arc;

use fieldfilter::{Fault, Fields, Filter, Kind};

pub(crate) fn fields(paths: &[&str]) -> Arc<Fields> {
    Arc::new(Fields::new(paths.iter().map(|p| p.parse().unwrap())))
}

/// The document filtered in pieces of the given sizes (over and over).
pub(crate) fn filtered(
    kind: Kind,
    fields: &Arc<Fields>,
    document: &[u8],
    sizes: &[usize],
) -> Result<(Vec<u8>, u64), Fault> {
    let mut filter = Filter::new(kind, Arc::clone(fields));
    let mut out = Vec::new();
    let mut rest = document;
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*size).clamp(1, rest.len()));
        filter.push(piece, &mut out)?;
        rest = after;
    }
    filter.finish().map(|()| (out, filter.removed()))
}
