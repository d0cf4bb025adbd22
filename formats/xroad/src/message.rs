//! The head of a REST message as the protocol stores, hashes and signs it: start lines, then `name:value` lines,
//! each ended by CRLF, no blank line. Which headers belong in it is decided by the caller with `header`.

/// The bytes of a message head under construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageHead(Vec<u8>);

impl MessageHead {
    /// A request: the verb, then the raw path with the raw query.
    pub fn request(verb: &str, target: &str) -> Self {
        let mut head = Self(Vec::with_capacity(512));
        head.line(verb.as_bytes());
        head.line(target.as_bytes());
        head
    }

    /// An answer: the status, then the reason phrase (empty when the provider gave none).
    pub fn response(status: u16, reason: &str) -> Self {
        let mut head = Self(Vec::with_capacity(512));
        head.line(status.to_string().as_bytes());
        head.line(reason.as_bytes());
        head
    }

    /// Appends a header: name in its original case, value without surrounding space.
    pub fn header(&mut self, name: &str, value: &[u8]) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b':');
        self.line(value);
    }

    /// The exact bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The exact bytes, given away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn line(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        self.0.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_crlf_and_no_blank_line_follows() {
        let mut head = MessageHead::response(200, "OK");
        head.header("Content-Type", b"text/plain");
        head.header("x-road-id", b"1");
        assert_eq!(head.as_bytes(), b"200\r\nOK\r\nContent-Type:text/plain\r\nx-road-id:1\r\n");
        assert_eq!(MessageHead::request("GET", "/r1/a?b").into_bytes(), b"GET\r\n/r1/a?b\r\n");
    }
}
