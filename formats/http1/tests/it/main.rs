//! The framing checker seen from outside: accepted requests, refused ones, and the same answer for any split.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod accepted;
mod random;
mod refused;

use http1::{Checker, Event, Limits, RequestHead, Violation};

/// What came out, with the content joined and the passed-on bytes counted.
#[derive(Debug, PartialEq, Eq, Default)]
pub(crate) struct Seen {
    pub(crate) heads: Vec<RequestHead>,
    /// Per request its content; the last one may be unfinished.
    pub(crate) bodies: Vec<Vec<u8>>,
    pub(crate) ended: usize,
    pub(crate) passed: usize,
    pub(crate) http2: bool,
    pub(crate) violation: Option<Violation>,
}

/// Feeds the pieces one after the other.
pub(crate) fn feed<'a>(limits: Limits, pieces: impl IntoIterator<Item = &'a [u8]>) -> Seen {
    let mut checker = Checker::new(limits);
    let mut seen = Seen::default();
    let mut buf: Vec<u8> = Vec::new();
    for piece in pieces {
        buf.extend_from_slice(piece);
        loop {
            let event = match checker.next(&buf) {
                Ok(event) => event,
                Err(violation) => {
                    assert_eq!(checker.next(&buf), Err(violation), "a refusal lasts");
                    seen.violation = Some(violation);
                    return seen;
                }
            };
            let used: Vec<u8> = buf.drain(..event.consumed()).collect();
            seen.passed += used.len();
            match event {
                Event::NeedMore => break,
                Event::End => seen.ended += 1,
                Event::Data(n) => {
                    assert!(n > 0);
                    seen.bodies.last_mut().expect("a head came before").extend_from_slice(&used);
                }
                Event::Framing(n) => assert!(n > 0),
                Event::Http2(n) => {
                    assert!(n > 0);
                    seen.http2 = true;
                }
                Event::Head(head) => {
                    assert_eq!(head.raw(), used);
                    seen.heads.push(*head);
                    seen.bodies.push(Vec::new());
                }
            }
        }
    }
    seen
}

/// Feeds everything at once under the default limits, and byte by byte, and compares.
pub(crate) fn check(input: &[u8]) -> Seen {
    let whole = feed(Limits::default(), [input]);
    assert_eq!(whole, feed(Limits::default(), input.chunks(1)), "{}", String::from_utf8_lossy(input));
    whole
}
