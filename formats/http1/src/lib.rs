//! Strict framing of HTTP/1 requests (RFC 9112): says where each request head and body begins and ends, and refuses
//! whatever two servers could frame differently. Fed bytes as they arrive, opens no connection; answering, routing and
//! the meaning of headers are left to others. Stands in front of a tolerant parser, so that smuggling has no room.

mod checker;
mod field;
mod head;
mod violation;

pub use checker::{Checker, Event, PREFACE};
pub use head::{Framing, Header, RequestHead, Version};
pub use violation::Violation;

/// What is still accepted. All sizes in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest request line, CRLF included.
    pub request_line: usize,
    /// Longest request head: request line, header lines and the empty line.
    pub head: usize,
    /// Most header lines of a head.
    pub headers: usize,
    /// Longest chunk-size line with its extensions, CRLF included.
    pub chunk_line: usize,
    /// Most bytes of chunk extensions in one body.
    pub chunk_extensions: usize,
    /// Longest trailer section, the empty line included.
    pub trailers: usize,
    /// Whether the HTTP/2 preface is let through at the beginning of a connection.
    pub allow_http2: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_line: 8 * 1024,
            head: 32 * 1024,
            headers: 100,
            chunk_line: 256,
            chunk_extensions: 16 * 1024,
            trailers: 8 * 1024,
            allow_http2: true,
        }
    }
}
