//! Holds a provider's answer against the fields of the agreement: only those leave, whatever the provider sends. What
//! cannot be filtered does not leave at all. Reading documents is `fieldfilter`'s part, carrying the answer `forward`'s.

use std::sync::Arc;

use bytes::Bytes;
use evidence::Filter as Recorded;
use fieldfilter::{Fields, Filter, Kind, NotFilterable};
use http::header::{
    self, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use hyper::ext::ReasonPhrase;
use tlog::Hash;

/// The headers of an answer that say nothing of its fields and still hold when some are taken out.
const LEAVE: [HeaderName; 12] = [
    header::ALLOW,
    header::CACHE_CONTROL,
    header::CONTENT_LANGUAGE,
    header::CONTENT_TYPE,
    header::DATE,
    header::EXPIRES,
    header::LAST_MODIFIED,
    header::PRAGMA,
    header::RETRY_AFTER,
    header::VARY,
    header::WARNING,
    header::WWW_AUTHENTICATE,
];

/// Headers of a request for an answer that could not be filtered.
const NOT_ASKED: [HeaderName; 4] = [header::RANGE, header::IF_RANGE, header::IF_MATCH, header::IF_NONE_MATCH];

/// Why an answer was not let through: stable, for the record and its sentence.
pub(super) type Rule = &'static str;

/// Asks the provider for an answer as it is: whole, and not compressed.
pub(super) fn ask_plainly(headers: &mut HeaderMap) {
    for name in NOT_ASKED {
        headers.remove(name);
    }
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
}

/// Takes out of the head what could carry fields of its own, or no longer holds.
pub(super) fn narrow(parts: &mut http::response::Parts) {
    parts.extensions.remove::<ReasonPhrase>();
    let all = std::mem::take(&mut parts.headers);
    for (name, value) in &all {
        if LEAVE.contains(name) {
            parts.headers.append(name.clone(), value.clone());
        }
    }
}

/// The filter of one answer.
pub(super) struct Sieve {
    /// Why the head already says that nothing can pass.
    filter: Result<Filter, Rule>,
    fields: Arc<Fields>,
    empty: bool,
}

impl Sieve {
    /// For an answer with this head, as the provider sent it.
    pub(super) fn new(headers: &HeaderMap, fields: &Arc<Fields>) -> Self {
        let filter = kind(headers).map(|kind| Filter::new(kind, Arc::clone(fields)));
        Self { filter, fields: Arc::clone(fields), empty: true }
    }

    /// What of a piece may leave.
    pub(super) fn pass(&mut self, piece: &[u8]) -> Result<Bytes, Rule> {
        if piece.is_empty() {
            return Ok(Bytes::new());
        }
        self.empty = false;
        let filter = self.filter.as_mut().map_err(|rule| *rule)?;
        let mut out = Vec::with_capacity(piece.len());
        filter.push(piece, &mut out).map_err(fieldfilter::Fault::code)?;
        out.shrink_to_fit();
        Ok(out.into())
    }

    /// The answer has ended. One without content is always whole.
    pub(super) fn finish(&mut self) -> Result<(), Rule> {
        match &mut self.filter {
            _ if self.empty => Ok(()),
            Ok(filter) => filter.finish().map_err(fieldfilter::Fault::code),
            Err(rule) => Err(rule),
        }
    }

    /// What the record says of it.
    pub(super) fn recorded(&self) -> Recorded {
        let removed = self.filter.as_ref().map_or(0, Filter::removed);
        Recorded { fields: Hash(self.fields.fingerprint()), removed }
    }
}

fn kind(headers: &HeaderMap) -> Result<Kind, Rule> {
    let plain = |v: &HeaderValue| v.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(CONTENT_ENCODING).iter().all(plain) {
        return Err("answer-encoding");
    }
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    match (types.next().map(HeaderValue::to_str), types.next()) {
        (Some(Ok(one)), None) => Kind::of(one).map_err(NotFilterable::code),
        _ => Err(NotFilterable::Type.code()),
    }
}
