//! Requests that are in order.

use http1::{Framing, Version};

use crate::check;

#[test]
fn a_head_keeps_its_exact_bytes() {
    let input = b"GET /r1/VN?x=1 HTTP/1.1\r\nHOST: a.example:80\r\nx-RoAd-Client:  a/b/c \t\r\nEmpty:\r\nN: h\xe1\xbb\x99\r\n\r\n";
    let seen = check(input);
    let head = &seen.heads[0];
    assert_eq!(head.raw(), input);
    assert_eq!((head.method(), head.target(), head.version()), ("GET", "/r1/VN?x=1", Version::Http11));
    assert_eq!(head.framing(), Framing::Empty);
    let headers: Vec<_> = head.headers().map(|h| (h.name, h.value)).collect();
    assert_eq!(
        headers,
        [("HOST", &b"a.example:80"[..]), ("x-RoAd-Client", b"a/b/c"), ("Empty", b""), ("N", "hộ".as_bytes())]
    );
    assert_eq!((seen.ended, seen.passed, seen.violation), (1, input.len(), None));
}

#[test]
fn requests_follow_each_other() {
    let input = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET /2 HTTP/1.1\r\nHost: h\r\n\r\n\
        PUT /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=\"b c\"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n\
        POST /4 HTTP/1.0\r\nContent-Length: 0\r\n\r\n";
    let seen = check(input);
    let targets: Vec<_> = seen.heads.iter().map(|h| h.target()).collect();
    assert_eq!(targets, ["/", "/2", "/3", "/4"]);
    assert_eq!(seen.bodies, [&b"hello"[..], b"", b"abc0123456789", b""]);
    assert_eq!((seen.ended, seen.passed, seen.violation), (4, input.len(), None));
    assert_eq!(seen.heads[2].framing(), Framing::Chunked);
}

#[test]
fn an_unfinished_body_is_not_ended() {
    let seen = check(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhell");
    assert_eq!((seen.ended, seen.violation), (0, None));
    let seen = check(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n");
    assert_eq!((seen.ended, seen.violation), (0, None));
}

#[test]
fn forms_of_the_target() {
    for (line, path) in [
        ("GET http://h/a?b", "/a?b"),
        ("GET HTTP://h", "/"),
        ("GET /http://x/y", "/http://x/y"),
        ("OPTIONS *", "*"),
    ] {
        let seen = check(format!("{line} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes());
        assert_eq!(seen.violation, None, "{line}");
        assert_eq!(seen.heads[0].path_and_query(), path);
    }
    for host in ["h", "a.b-c.d_e:8080", "127.0.0.1:1", "[::1]:80", "[::1]", "h:"] {
        let seen = check(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
        assert_eq!(seen.violation, None, "{host}");
    }
}

#[test]
fn the_http2_preface_is_let_through() {
    let mut input = http1::PREFACE.to_vec();
    input.extend_from_slice(b"\0\0\0\x04\0\0\0\0\0 anything \n\n");
    let seen = check(&input);
    assert!(seen.http2);
    assert_eq!((seen.passed, seen.violation), (input.len(), None));
    // Methods that begin like the preface are not held back for ever.
    assert_eq!(check(b"PRINT / HTTP/1.1\r\nHost: h\r\n\r\n").ended, 1);
    assert_eq!(check(b"POST / HTTP/1.1\r\nHost: h\r\n\r\n").ended, 1);
}
