//! Salted commitments: they stand in the log for values that must be erasable. Without its 32 random bytes
//! of salt nobody can try out guesses against a commitment; erasing salt and value leaves nothing personal
//! behind. Keeping and erasing them is left to the callers.

use std::collections::BTreeMap;

use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};

use crate::record::Kind;

/// Length of a salt.
pub const SALT_BYTES: usize = 32;
const DOMAIN: &[u8] = b"lienthong.evidence.commitment.v1";

/// What a record holds only as a commitment. The digests are among them because what they digest is
/// guessable: the head of a request holds the path and the person asking, a body often one identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    // In the order of their names, which is the order in which they are written.
    /// `X-Road-Issue`.
    Issue,
    /// Path of the call below the service.
    Path,
    /// Query string, without the question mark.
    Query,
    /// `X-Road-Represented-Party`.
    RepresentedParty,
    /// SHA-512 of the request body, 128 hexadecimal digits.
    RequestBody,
    /// SHA-512 of the request head as the X-Road request hash takes it, 128 hexadecimal digits.
    RequestHead,
    /// SHA-256 of the answer's body, 64 hexadecimal digits.
    ResponseBody,
    /// SHA-256 of the answer's head, 64 hexadecimal digits.
    ResponseHead,
    /// `X-Road-UserId`.
    UserId,
}

impl Field {
    /// All fields, in the order in which they are written.
    pub const ALL: [Field; 9] = [
        Field::Issue,
        Field::Path,
        Field::Query,
        Field::RepresentedParty,
        Field::RequestBody,
        Field::RequestHead,
        Field::ResponseBody,
        Field::ResponseHead,
        Field::UserId,
    ];

    /// The name in records and bundles.
    pub fn name(self) -> &'static str {
        match self {
            Field::Issue => "issue",
            Field::Path => "path",
            Field::Query => "query",
            Field::RepresentedParty => "represented_party",
            Field::RequestBody => "request_body_sha512",
            Field::RequestHead => "request_head_sha512",
            Field::ResponseBody => "response_body_sha256",
            Field::ResponseHead => "response_head_sha256",
            Field::UserId => "user_id",
        }
    }

    /// The field of this name.
    pub fn from_name(name: &str) -> Option<Field> {
        Field::ALL.into_iter().find(|field| field.name() == name)
    }

    /// How many hexadecimal digits the value has; `None` for a value that is not a digest.
    pub fn digest_digits(self) -> Option<usize> {
        match self {
            Field::RequestHead | Field::RequestBody => Some(128),
            Field::ResponseHead | Field::ResponseBody => Some(64),
            _ => None,
        }
    }

    /// Whether a record of this kind may carry the field: what is known when the request begins, or later.
    pub fn belongs_to(self, kind: Kind) -> bool {
        match kind {
            Kind::Closed => true,
            Kind::Opened => !matches!(self, Field::RequestBody | Field::ResponseHead | Field::ResponseBody),
            Kind::Origin => false,
        }
    }

    /// Whether the value has the form the field asks for.
    pub fn accepts(self, value: &str) -> bool {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        self.digest_digits().is_none_or(|digits| value.len() == digits && value.bytes().all(hex))
    }
}

/// The commitments of one record.
pub type Commitments = BTreeMap<Field, [u8; 32]>;

/// What opens one commitment: personal, kept apart from the log, erasable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Private {
    /// Which field.
    pub field: Field,
    /// Its salt, fresh for every field of every record.
    pub salt: [u8; SALT_BYTES],
    /// Its value.
    pub value: String,
}

/// HMAC-SHA256 under the salt over domain, kind of record, field name and value, with NUL between them.
/// None of the first three holds a NUL, so no two inputs run together.
pub fn commit(kind: Kind, field: Field, salt: &[u8; SALT_BYTES], value: &str) -> [u8; 32] {
    let mut context = Context::with_key(&Key::new(HMAC_SHA256, salt));
    for part in [DOMAIN, kind.name().as_bytes(), field.name().as_bytes()] {
        context.update(part);
        context.update(&[0]);
    }
    context.update(value.as_bytes());
    let mut out = [0; 32];
    out.copy_from_slice(context.sign().as_ref());
    out
}

/// Commits to all values of one record. `fill` gives random bytes; it is asked once.
pub fn commit_all(
    kind: Kind,
    values: Vec<(Field, String)>,
    fill: impl FnOnce(&mut [u8]),
) -> (Commitments, Vec<Private>) {
    let mut salts = vec![0; values.len() * SALT_BYTES];
    fill(&mut salts);
    let private: Vec<Private> = values
        .into_iter()
        .zip(salts.as_chunks::<SALT_BYTES>().0)
        .map(|((field, value), salt)| Private { field, salt: *salt, value })
        .collect();
    let commitments = private.iter().map(|p| (p.field, commit(kind, p.field, &p.salt, &p.value))).collect();
    (commitments, private)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_the_fields() {
        assert!(Field::ALL.is_sorted() && Field::ALL.map(Field::name).is_sorted());
        assert!(Field::ALL.iter().all(|f| Field::from_name(f.name()) == Some(*f)));
    }

    #[test]
    fn known_answer_from_another_implementation() {
        // hmac.new(bytes(range(32)), b"lienthong.evidence.commitment.v1\0closed\0path\0/people/1", "sha256")
        let salt = std::array::from_fn(|i| i as u8);
        let expected = "b87458e1b13f13b8b02f6fd7a3aa2677e7a7eb5c90f03cff943acb2eb4e81b39";
        assert_eq!(hex::encode(commit(Kind::Closed, Field::Path, &salt, "/people/1")), expected);
    }

    #[test]
    fn everything_matters() {
        let salt = [7; 32];
        let base = commit(Kind::Closed, Field::Path, &salt, "a");
        assert_ne!(base, commit(Kind::Opened, Field::Path, &salt, "a"));
        assert_ne!(base, commit(Kind::Closed, Field::Query, &salt, "a"));
        assert_ne!(base, commit(Kind::Closed, Field::Path, &[8; 32], "a"));
        assert_ne!(base, commit(Kind::Closed, Field::Path, &salt, "a\0"));
    }
}
