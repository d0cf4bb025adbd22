//! The framing of HTTP/1, request targets and headers.

use http1::{Checker, Event, Limits};
use xroad::header::{RequestHeaders, travelling};
use xroad::path::{glob_match, normalise};
use xroad::request::RestTarget;

/// What a connection's bytes are taken for, neighbouring pieces of the same kind joined.
fn events(data: &[u8], size: usize) -> Vec<String> {
    let mut checker = Checker::new(Limits::default());
    let mut found: Vec<(&'static str, Vec<u8>)> = Vec::new();
    let mut buf: Vec<u8> = Vec::new();
    let mut add = |kind, bytes: &[u8]| match found.last_mut() {
        Some((last, all)) if *last == kind && kind != "head" && kind != "end" => all.extend_from_slice(bytes),
        _ => found.push((kind, bytes.to_vec())),
    };
    'pieces: for piece in data.chunks(size.max(1)) {
        buf.extend_from_slice(piece);
        loop {
            match checker.next(&buf) {
                Ok(Event::NeedMore) => break,
                Ok(event) => {
                    let bytes: Vec<u8> = buf.drain(..event.consumed()).collect();
                    match event {
                        Event::Head(head) => {
                            assert_eq!(head.raw(), bytes);
                            assert!(!head.method().is_empty());
                            let _ = (head.path_and_query(), head.version(), head.headers().count());
                            add("head", &bytes);
                        }
                        Event::Data(_) => add("data", &bytes),
                        Event::Framing(_) => add("framing", &bytes),
                        Event::Http2(_) => add("http2", &bytes),
                        Event::End => add("end", &bytes),
                        Event::NeedMore => {}
                    }
                }
                Err(violation) => {
                    assert_eq!(checker.next(&buf), Err(violation), "a refused connection stays refused");
                    add("refused", format!("{violation:?}").as_bytes());
                    break 'pieces;
                }
            }
        }
    }
    found.into_iter().map(|(kind, bytes)| format!("{kind} {}", bytes.escape_ascii())).collect()
}

/// A connection is read the same in whatever pieces its bytes come.
pub fn http1(data: &[u8]) {
    let (size, data) = super::in_pieces(data);
    assert_eq!(events(data, size), events(data, data.len()));
}

/// A request target: what is accepted prints back, and a path that was brought to its form stays there.
pub fn rest(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (target, pattern) = text.split_once('\n').unwrap_or((text, "/**"));
    let Ok(read) = RestTarget::parse(target) else { return };
    let query = read.query.map(|q| format!("?{q}")).unwrap_or_default();
    assert_eq!(format!("{}{}{query}", read.logged_path(), read.service_path), target);
    assert_eq!(read.service.to_string().parse().as_ref(), Ok(&read.service));
    if let Ok(path) = normalise(read.service_path) {
        assert!(!path.split('/').any(|s| s == ".." || s == "."), "{path}");
        assert!(!path.contains('\\') && !path.contains('\0'));
        let _ = glob_match(pattern, &path);
    }
}

/// Headers of a call: one per line.
pub fn headers(data: &[u8]) {
    let lines: Vec<(&str, &[u8])> = data
        .split(|b| *b == b'\n')
        .filter_map(|line| {
            let at = line.iter().position(|b| *b == b':')?;
            Some((std::str::from_utf8(&line[..at]).ok()?, &line[at + 1..]))
        })
        .collect();
    let kept = travelling(lines.iter().copied(), &["authorization"]);
    assert!(kept.iter().all(|(name, _)| !name.eq_ignore_ascii_case("authorization")));
    assert!(kept.iter().all(|(name, _)| !name.eq_ignore_ascii_case("x-road-request-id")));
    if let Ok(read) = RequestHeaders::read(lines) {
        assert_eq!(read.client.to_string().parse().as_ref(), Ok(&read.client));
    }
}
