//! The request hash (header `x-road-request-hash`): SHA-512 over the digests of the message head and of the body,
//! computed while the body passes. The head's bytes are made in `message`.

use aws_lc_rs::digest::{Context, SHA512, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Length of the hash, in bytes.
pub const LEN: usize = 64;

/// The hash of a request whose body is still arriving.
#[derive(Clone)]
pub struct RequestHash {
    head: [u8; LEN],
    body: Option<Context>,
}

impl RequestHash {
    /// Begins with the exact bytes of the message head.
    pub fn new(head: &[u8]) -> Self {
        Self { head: sha512(head), body: None }
    }

    /// Takes up a piece of the body. A body without a single byte counts as no body.
    pub fn update(&mut self, piece: &[u8]) {
        if !piece.is_empty() {
            self.body.get_or_insert_with(|| Context::new(&SHA512)).update(piece);
        }
    }

    /// The digests of what has passed.
    pub fn finish(self) -> Digests {
        Digests { head: self.head, body: self.body.map(|body| to_array(body.finish().as_ref())) }
    }
}

/// The two digests from which the hash is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digests {
    /// SHA-512 of the message head.
    pub head: [u8; LEN],
    /// SHA-512 of the body; `None` when there was none.
    pub body: Option<[u8; LEN]>,
}

impl Digests {
    /// The hash: of both digests, or the head's alone when there was no body.
    pub fn hash(&self) -> [u8; LEN] {
        match &self.body {
            None => self.head,
            Some(body) => {
                let mut both = Context::new(&SHA512);
                both.update(&self.head);
                both.update(body);
                to_array(both.finish().as_ref())
            }
        }
    }

    /// The value of the header.
    pub fn base64(&self) -> String {
        STANDARD.encode(self.hash())
    }
}

impl std::fmt::Debug for RequestHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestHash").field("has_body", &self.body.is_some()).finish_non_exhaustive()
    }
}

fn sha512(bytes: &[u8]) -> [u8; LEN] {
    to_array(digest(&SHA512, bytes).as_ref())
}

fn to_array(bytes: &[u8]) -> [u8; LEN] {
    let mut out = [0; LEN];
    out.copy_from_slice(bytes);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::MessageHead;

    const REQUEST_ID: &[u8] = b"11111111-2222-4333-8444-555555555555";

    fn head(verb: &str, target: &str, third: (&str, &str)) -> MessageHead {
        let mut head = MessageHead::request(verb, target);
        head.header("X-Road-Client", b"DEV/COM/4321/TestClient");
        head.header("X-Road-Id", b"7f5e0c1a-0000-4000-8000-000000000001");
        head.header(third.0, third.1.as_bytes());
        head.header("x-road-request-id", REQUEST_ID);
        head
    }

    #[test]
    fn the_vector_without_a_body() {
        let head = head("GET", "/r1/DEV/COM/1234/TestService/mock1?x=1", ("Accept", "application/json"));
        let mut hash = RequestHash::new(head.as_bytes());
        hash.update(b"");
        assert_eq!(
            hash.finish().base64(),
            "61AEKN5iplVJ1+ZgbPkJqhb+rHA4WzJ/9oSEkashvMzgIKODq2z2MZN3ND4pNbirpRyKUAXA/ZO/KYfNMVkVfw=="
        );
    }

    #[test]
    fn the_vector_with_a_body() {
        let head = head("POST", "/r1/DEV/COM/1234/TestService/mock1", ("Content-Type", "application/json"));
        for pieces in [vec![&b"{\"a\":1}"[..]], vec![b"{", b"", b"\"a\":", b"1}"]] {
            let mut hash = RequestHash::new(head.as_bytes());
            pieces.iter().for_each(|piece| hash.update(piece));
            assert_eq!(
                hash.finish().base64(),
                "gLPbxqai8xLzWU/r97tg6XuWw16vkpmjFtZCU6V9ZQcXIHd9XXaCj+9l3kubj6mdGV28pEY3pRbtzQmz++sosQ=="
            );
        }
    }
}
