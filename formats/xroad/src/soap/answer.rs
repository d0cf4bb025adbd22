//! An answer on its way back: the request hash is set into its header (PR-MESS 2.2), everything else passes as it is.

use std::fmt::Write;

use aws_lc_rs::digest::{Context, SHA512 as DIGEST};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::header::{Header, RequestHash};
use super::opening::Opening;
use super::{Problem, SHA512, XROAD};
use crate::error::Code;

/// The hash of a request: SHA-512 over the bytes of the message, the first part alone when there are attachments.
#[derive(Clone)]
pub struct MessageHash(Context);

impl Default for MessageHash {
    fn default() -> Self {
        Self(Context::new(&DIGEST))
    }
}

impl std::fmt::Debug for MessageHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MessageHash")
    }
}

impl MessageHash {
    /// Takes up a piece of the message.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash in Base64.
    pub fn base64(self) -> String {
        STANDARD.encode(self.0.finish().as_ref())
    }
}

/// What is to be inserted into an answer at [`Opening::header_end`]: the hash of its request, or nothing when the answer
/// already says the same.
///
/// # Errors
/// [`Problem`] when the answer does not repeat its request, or names another hash.
pub fn insertion(opening: &Opening, request: &Header, hash: &str) -> Result<String, Problem> {
    let header = Header::of_answer(opening, request)?;
    match header.request_hash {
        Some(RequestHash { algorithm, value }) if algorithm == SHA512 && value == hash => Ok(String::new()),
        Some(_) => {
            Err(Problem::new(Code::InconsistentResponse, "the answer names the hash of another request"))
        }
        None => {
            let mut out = String::new();
            // The declaration is repeated: the prefix the provider uses may mean something else here.
            let _ = write!(out, "<xrd:requestHash xmlns:xrd=\"{XROAD}\" algorithmId=\"{SHA512}\">");
            out.push_str(hash);
            out.push_str("</xrd:requestHash>");
            Ok(out)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::opening::OpeningReader;
    use super::super::tests::{answer, request};
    use super::*;

    fn opening(text: &str) -> Opening {
        OpeningReader::new().push(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn the_hash_is_set_once() {
        let asked = Header::of_request(&opening(&request())).unwrap();
        let mut hash = MessageHash::default();
        let text = request();
        let (a, b) = text.as_bytes().split_at(100);
        hash.update(a);
        hash.update(b);
        let hash = hash.base64();
        let found = opening(&answer());
        let set = insertion(&found, &asked, &hash).unwrap();
        let text = answer();
        let (before, after) = text.split_at(found.header_end);
        let whole = format!("{before}{set}{after}");
        let again = opening(&whole);
        let read = Header::of_answer(&again, &asked).unwrap().request_hash.unwrap();
        assert_eq!((read.algorithm.as_str(), read.value.as_str()), (SHA512, hash.as_str()));
        assert_eq!(insertion(&again, &asked, &hash).unwrap(), "");
        assert_eq!(insertion(&again, &asked, "other").unwrap_err().code, Code::InconsistentResponse);
    }

    #[test]
    fn the_hash_is_sha_512_of_the_bytes() {
        // FIPS 180-4, the example "abc".
        let mut hash = MessageHash::default();
        hash.update(b"abc");
        assert_eq!(
            hash.base64(),
            "3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw=="
        );
    }
}
