//! Requests that are refused, each with its reason; the same reason however the bytes arrive.

use http1::{Limits, Violation, Violation::*};

use crate::{check, feed};

fn violation(input: &[u8]) -> Option<Violation> {
    let seen = check(input);
    assert_eq!(seen.ended, 0, "{}", String::from_utf8_lossy(input));
    seen.violation
}

#[test]
fn request_lines() {
    for (line, why) in [
        ("\r\n", Method),
        (" GET / HTTP/1.1\r\n", Method),
        ("\x16\x03\x01", Method),
        ("G(T / HTTP/1.1\r\n", Method),
        ("GET\t/ HTTP/1.1\r\n", Method),
        ("GET  / HTTP/1.1\r\n", RequestLine),
        ("GET /  HTTP/1.1\r\n", RequestLine),
        ("GET / HTTP/1.1 \r\n", RequestLine),
        ("GET / x HTTP/1.1\r\n", RequestLine),
        ("GET /\r\n", RequestLine),
        ("GET\r\n", RequestLine),
        ("GET /a\tb HTTP/1.1\r\n", Target),
        ("GET /\x7f HTTP/1.1\r\n", Target),
        ("GET /hộ HTTP/1.1\r\n", Target),
        ("GET /a#b HTTP/1.1\r\n", Target),
        ("GET / HTTP/2.0\r\n", Version),
        ("GET / HTTP/1.2\r\n", Version),
        ("GET / http/1.1\r\n", Version),
        ("GET / HTTP/1.11\r\n", Version),
        ("GET / HTTP/1.1\n", BareLf),
        ("GET / HTTP/1.1\rX", BareCr),
        ("GET / HTTP/1.1\r\r\n", BareCr),
        ("PRI * HTTP/2.0\r\nX", Version),
    ] {
        assert_eq!(violation(line.as_bytes()), Some(why), "{line:?}");
    }
    for (line, why) in [
        ("GET a HTTP/1.1", Target),
        ("GET * HTTP/1.1", Target),
        ("OPTIONS ** HTTP/1.1", Target),
        ("CONNECT h:443 HTTP/1.1", Target),
        ("CONNECT / HTTP/1.1", Target),
        ("GET ftp://h/ HTTP/1.1", Target),
        ("GET http:///a HTTP/1.1", Target),
        ("GET http://u@h/ HTTP/1.1", Target),
        ("GET http://other/ HTTP/1.1", Host),
    ] {
        assert_eq!(violation(format!("{line}\r\nHost: h\r\n\r\n").as_bytes()), Some(why), "{line:?}");
    }
}

#[test]
fn header_lines() {
    for (lines, why) in [
        (" X: 1\r\n", ObsFold),
        ("X: 1\r\n 2\r\n", ObsFold),
        ("X: 1\r\n\t2\r\n", ObsFold),
        ("X : 1\r\n", SpaceBeforeColon),
        ("X\t: 1\r\n", SpaceBeforeColon),
        (": 1\r\n", HeaderName),
        ("X\r\n", HeaderName),
        ("X Y: 1\r\n", HeaderName),
        ("X\0: 1\r\n", HeaderName),
        ("Xộ: 1\r\n", HeaderName),
        ("X(: 1\r\n", HeaderName),
        ("X: a\0b\r\n", HeaderValue),
        ("X: a\x0bb\r\n", HeaderValue),
        ("X: a\x7fb\r\n", HeaderValue),
        ("X: 1\nY: 2\r\n", BareLf),
        ("X: 1\rY: 2\r\n", BareCr),
        ("X: 1\r\n\n", BareLf),
    ] {
        let input = format!("GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
        assert_eq!(violation(input.as_bytes()), Some(why), "{lines:?}");
    }
}

#[test]
fn hosts() {
    for (lines, why) in [
        ("", MissingHost),
        ("Host: h\r\nHost: h\r\n", DuplicateHost),
        ("Host: h\r\nhost: g\r\n", DuplicateHost),
        ("Host:\r\n", Host),
        ("Host: a b\r\n", Host),
        ("Host: a,b\r\n", Host),
        ("Host: a/b\r\n", Host),
        ("Host: u@h\r\n", Host),
        ("Host: h:1x\r\n", Host),
        ("Host: h:123456\r\n", Host),
        ("Host: [::1\r\n", Host),
        ("Host: []\r\n", Host),
        ("Host: [::1]x\r\n", Host),
    ] {
        let input = format!("GET / HTTP/1.1\r\n{lines}\r\n");
        assert_eq!(violation(input.as_bytes()), Some(why), "{lines:?}");
    }
}

#[test]
fn ambiguous_bodies() {
    for (lines, why) in [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", TransferEncodingAndContentLength),
        ("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", TransferEncodingAndContentLength),
        ("Content-Length: 5\r\nContent-Length: 6\r\n", DuplicateContentLength),
        ("Content-Length: 5\r\ncontent-length: 5\r\n", DuplicateContentLength),
        ("Content-Length: 5, 5\r\n", ContentLength),
        ("Content-Length: +5\r\n", ContentLength),
        ("Content-Length: -5\r\n", ContentLength),
        ("Content-Length: 0x5\r\n", ContentLength),
        ("Content-Length: 5 5\r\n", ContentLength),
        ("Content-Length:\r\n", ContentLength),
        ("Content-Length: 9223372036854775808\r\n", ContentLength),
        ("Content-Length: 18446744073709551617\r\n", ContentLength),
        ("Transfer-Encoding: gzip, chunked\r\n", TransferEncoding),
        ("Transfer-Encoding: chunked, gzip\r\n", TransferEncoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", TransferEncoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", TransferEncoding),
        ("Transfer-Encoding: identity\r\n", TransferEncoding),
        ("Transfer-Encoding: xchunked\r\n", TransferEncoding),
        ("Transfer-Encoding: chunked;a=b\r\n", TransferEncoding),
        ("Transfer-Encoding: \"chunked\"\r\n", TransferEncoding),
        ("Transfer-Encoding: \x0bchunked\r\n", HeaderValue),
        ("Transfer-Encoding:\r\n", TransferEncoding),
    ] {
        let input = format!("POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
        assert_eq!(violation(input.as_bytes()), Some(why), "{lines:?}");
    }
    let old = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(violation(old), Some(TransferEncoding));
}

#[test]
fn chunks() {
    for (body, why) in [
        ("\r\n", ChunkSize),
        ("x\r\n", ChunkSize),
        ("0x5\r\n", ChunkSize),
        ("-1\r\n", ChunkSize),
        ("+5\r\n", ChunkSize),
        (" 5\r\n", ChunkSize),
        ("5 \r\n", ChunkSize),
        ("5 ;a\r\n", ChunkSize),
        ("5;a\0\r\n", ChunkSize),
        ("8000000000000000\r\n", ChunkSizeOverflow),
        ("fffffffffffffffff\r\n", ChunkSizeOverflow),
        ("10000000000000000\r\n", ChunkSizeOverflow),
        ("5\nhello", BareLf),
        ("5\rhello", BareCr),
        ("5;a\n", BareLf),
        ("5\r\nhello0\r\n\r\n", ChunkEnd),
        ("5\r\nhello\n0", ChunkEnd),
        ("5\r\nhello\rx", ChunkEnd),
        ("0\r\nContent-Length: 5\r\n\r\n", Trailer),
        ("0\r\nTransfer-Encoding: chunked\r\n\r\n", Trailer),
        ("0\r\nX-Road-Client: a/b/c\r\n\r\n", Trailer),
        ("0\r\nX: 1\r\n Y\r\n\r\n", ObsFold),
        ("0\r\nX : 1\r\n\r\n", SpaceBeforeColon),
        ("0\r\n\n", BareLf),
    ] {
        let input = format!("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        assert_eq!(violation(input.as_bytes()), Some(why), "{body:?}");
    }
}

#[test]
fn limits_hold() {
    let limits = Limits::default();
    let get = |rest: &str| format!("GET / HTTP/1.1\r\nHost: h\r\n{rest}\r\n").into_bytes();
    let line = |n: usize| format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(n)).into_bytes();
    let overhead = "GET / HTTP/1.1\r\n".len();
    assert_eq!(check(&line(limits.request_line - overhead)).ended, 1);
    assert_eq!(violation(&line(limits.request_line - overhead + 1)), Some(RequestLineTooLong));
    assert_eq!(violation(&vec![b'A'; limits.request_line]), Some(RequestLineTooLong));
    assert_eq!(violation(&get(&format!("X: {}\r\n", "a".repeat(limits.head)))), Some(HeadTooLarge));
    assert_eq!(check(&get(&"X: 1\r\n".repeat(limits.headers - 1))).ended, 1);
    assert_eq!(violation(&get(&"X: 1\r\n".repeat(limits.headers))), Some(TooManyHeaders));

    let chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let with = |body: String| violation(format!("{chunked}{body}").as_bytes());
    assert_eq!(with("0".repeat(limits.chunk_line)), Some(ChunkLineTooLong));
    assert_eq!(with(format!("1;{}\r\n", "a".repeat(limits.chunk_line))), Some(ChunkLineTooLong));
    assert_eq!(with(format!("1;{}\r\nx\r\n", "a".repeat(200)).repeat(100)), Some(ChunkLineTooLong));
    assert_eq!(with(format!("0\r\n{}\r\n", "X: 1\r\n".repeat(2000))), Some(TrailersTooLarge));
}

#[test]
fn small_limits_and_no_http2() {
    let limits = Limits { head: 20, request_line: 40, allow_http2: false, ..Limits::default() };
    let seen = feed(limits, [&b"GET /aaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\n"[..]]);
    assert_eq!(seen.violation, Some(HeadTooLarge));
    let limits = Limits { allow_http2: false, ..Limits::default() };
    assert_eq!(feed(limits, [&http1::PREFACE[..]]).violation, Some(Version));
}

#[test]
fn a_smuggled_second_request_is_never_passed_on() {
    let input = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: h\r\n\r\n";
    let seen = check(input);
    assert_eq!((seen.heads.len(), seen.passed), (0, 0));
}

#[test]
fn every_violation_has_a_status_and_a_code() {
    assert_eq!((RequestLineTooLong.status(), HeadTooLarge.status(), Version.status()), (414, 431, 505));
    assert_eq!((TransferEncoding.status(), ObsFold.status()), (501, 400));
    assert_eq!(TransferEncodingAndContentLength.code(), "transfer-encoding-and-content-length");
}
