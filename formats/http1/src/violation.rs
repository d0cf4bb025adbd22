//! The reasons for which bytes are refused.

/// Why bytes are not an acceptable HTTP/1 request. After one the connection can only be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Violation {
    /// The request line is longer than permitted.
    #[error("the request line is too long")]
    RequestLineTooLong,
    /// The head is longer than permitted.
    #[error("the request head is too large")]
    HeadTooLarge,
    /// There are more header lines than permitted.
    #[error("there are too many header lines")]
    TooManyHeaders,
    /// A line feed without a carriage return before it.
    #[error("a line ends in a bare line feed")]
    BareLf,
    /// A carriage return without a line feed after it.
    #[error("a carriage return stands alone")]
    BareCr,
    /// The request line is not `method target version` with single spaces.
    #[error("the request line is malformed")]
    RequestLine,
    /// The method is not a token.
    #[error("the method is malformed")]
    Method,
    /// The request target is not in a form that fits its method.
    #[error("the request target is malformed")]
    Target,
    /// The version is neither HTTP/1.0 nor HTTP/1.1.
    #[error("the HTTP version is not supported")]
    Version,
    /// A header line begins with a space or tab (RFC 9112 5.2).
    #[error("a header line is folded")]
    ObsFold,
    /// A space or tab between header name and colon (RFC 9112 5.1).
    #[error("there is a space before the colon of a header")]
    SpaceBeforeColon,
    /// A header name is empty, not a token, or not followed by a colon.
    #[error("a header name is malformed")]
    HeaderName,
    /// A header value holds a control character.
    #[error("a header value holds a character that is not permitted")]
    HeaderValue,
    /// HTTP/1.1 without `Host`.
    #[error("the header Host is missing")]
    MissingHost,
    /// More than one `Host`.
    #[error("the header Host is repeated")]
    DuplicateHost,
    /// `Host` is no host, or another one than the target names.
    #[error("the header Host is malformed")]
    Host,
    /// More than one `Content-Length`, even when they agree.
    #[error("the header Content-Length is repeated")]
    DuplicateContentLength,
    /// `Content-Length` is not a decimal number, or too large a one.
    #[error("the header Content-Length is malformed")]
    ContentLength,
    /// Both `Transfer-Encoding` and `Content-Length` (RFC 9112 6.3).
    #[error("both Transfer-Encoding and Content-Length are given")]
    TransferEncodingAndContentLength,
    /// A transfer coding other than a single `chunked`.
    #[error("the transfer coding is not supported")]
    TransferEncoding,
    /// A chunk-size line that is no hexadecimal number with well-formed extensions.
    #[error("a chunk size is malformed")]
    ChunkSize,
    /// A chunk size that does not fit in 63 bits.
    #[error("a chunk size is too large")]
    ChunkSizeOverflow,
    /// A chunk-size line, or all extensions together, longer than permitted.
    #[error("a chunk-size line is too long")]
    ChunkLineTooLong,
    /// Chunk data is not followed by CRLF.
    #[error("a chunk does not end where it should")]
    ChunkEnd,
    /// The trailer section is larger than permitted.
    #[error("the trailer section is too large")]
    TrailersTooLarge,
    /// A trailer that would change framing, routing or identity.
    #[error("a trailer names a header that may not stand there")]
    Trailer,
}

impl Violation {
    /// The status to answer with (RFC 9110, RFC 6585).
    pub const fn status(self) -> u16 {
        match self {
            Self::RequestLineTooLong => 414,
            Self::HeadTooLarge | Self::TooManyHeaders | Self::TrailersTooLarge => 431,
            Self::Version => 505,
            Self::TransferEncoding => 501,
            _ => 400,
        }
    }

    /// A stable short name, for problem types, counters and logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::RequestLineTooLong => "request-line-too-long",
            Self::HeadTooLarge => "head-too-large",
            Self::TooManyHeaders => "too-many-headers",
            Self::BareLf => "bare-lf",
            Self::BareCr => "bare-cr",
            Self::RequestLine => "request-line",
            Self::Method => "method",
            Self::Target => "target",
            Self::Version => "version",
            Self::ObsFold => "obs-fold",
            Self::SpaceBeforeColon => "space-before-colon",
            Self::HeaderName => "header-name",
            Self::HeaderValue => "header-value",
            Self::MissingHost => "missing-host",
            Self::DuplicateHost => "duplicate-host",
            Self::Host => "host",
            Self::DuplicateContentLength => "duplicate-content-length",
            Self::ContentLength => "content-length",
            Self::TransferEncodingAndContentLength => "transfer-encoding-and-content-length",
            Self::TransferEncoding => "transfer-encoding",
            Self::ChunkSize => "chunk-size",
            Self::ChunkSizeOverflow => "chunk-size-overflow",
            Self::ChunkLineTooLong => "chunk-line-too-long",
            Self::ChunkEnd => "chunk-end",
            Self::TrailersTooLarge => "trailers-too-large",
            Self::Trailer => "trailer",
        }
    }
}
