//! Serves what pages are made of, under names that change with the content, so that browsers may keep it for ever.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};

use crate::site::{Served, Site};

/// A file bundled at build time.
#[derive(Debug)]
pub struct Asset {
    /// The name in `assets/`, or of the bundle.
    pub name: &'static str,
    /// Where it is served.
    pub address: &'static str,
    /// Its media type.
    pub mime: &'static str,
    /// The bytes.
    pub body: &'static [u8],
    /// The same bytes compressed, where that helps.
    pub gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

impl Asset {
    /// The asset of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ASSETS.iter().find(|a| a.name == name)
    }

    /// Bytes on the wire for a browser that understands gzip.
    pub fn transferred(&self) -> usize {
        self.gzip.unwrap_or(self.body).len()
    }
}

/// The answer for a path below `/assets/`.
pub(crate) fn answer(site: &Site, path: &str, headers: &HeaderMap) -> Option<Response> {
    if let Some(asset) = ASSETS.iter().find(|a| a.address == path) {
        return match asset.gzip.filter(|_| takes_gzip(headers)) {
            Some(packed) => found(asset.mime, true, Body::from(packed)),
            None => found(asset.mime, false, Body::from(asset.body)),
        };
    }
    let made = [Some(&site.theme), site.emblem.as_ref()];
    let file: &Served = made.into_iter().flatten().find(|f| f.address == path)?;
    found(file.mime, false, Body::from(file.body.clone()))
}

fn found(mime: &str, packed: bool, body: Body) -> Option<Response> {
    let mut answer = Response::builder()
        .status(StatusCode::OK)
        .header(header::CONTENT_TYPE, mime)
        .header(header::CACHE_CONTROL, "public, max-age=31536000, immutable")
        .header(header::VARY, "accept-encoding");
    if packed {
        answer = answer.header(header::CONTENT_ENCODING, "gzip");
    }
    answer.body(body).ok()
}

/// Whether the client lists gzip without refusing it (RFC 9110, 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let listed = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok());
    listed.flat_map(|v| v.split(',')).any(|part| {
        let (name, weight) = part.split_once(';').unwrap_or((part, ""));
        let refused =
            weight.trim().strip_prefix("q=").is_some_and(|q| q.parse().is_ok_and(|q: f32| q <= 0.0));
        matches!(name.trim(), "gzip" | "*") && !refused
    })
}
