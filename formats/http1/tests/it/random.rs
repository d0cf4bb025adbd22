//! Properties: any split of the input gives the same events, and no input makes the checker panic or lose its place.

use http1::Limits;
use proptest::prelude::*;

use crate::feed;

/// Pieces of requests, sound and unsound, from which streams are put together.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "GET / HTTP/1.1\r\n",
        "POST /a HTTP/1.1\r\n",
        "POST /a HTTP/1.0\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "Host: h\r\n",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "X: y\r\n",
        " folded\r\n",
        "\r\n",
        "\n",
        "\r",
        "hello",
        "5\r\nhello\r\n",
        "5;a=b\r\nhello\r\n",
        "0\r\n\r\n",
        "0\r\nX: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
    ]);
    prop_oneof![
        12 => known.prop_map(|s| s.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ]
}

fn small() -> Limits {
    Limits {
        request_line: 40,
        head: 90,
        headers: 4,
        chunk_line: 12,
        chunk_extensions: 8,
        trailers: 20,
        allow_http2: true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_split_gives_the_same_events(
        fragments in prop::collection::vec(fragment(), 0..12),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        tight in any::<bool>(),
    ) {
        let input = fragments.concat();
        let limits = if tight { small() } else { Limits::default() };
        let mut at: Vec<usize> = cuts.iter().map(|c| c.index(input.len() + 1)).collect();
        at.extend([0, input.len()]);
        at.sort_unstable();
        let whole = feed(limits, [&input[..]]);
        let split = feed(limits, at.windows(2).map(|w| &input[w[0]..w[1]]));
        let bytes = feed(limits, input.chunks(1));
        prop_assert_eq!(&whole, &split);
        prop_assert_eq!(&whole, &bytes);
    }

    #[test]
    fn random_bytes_never_panic(input in prop::collection::vec(any::<u8>(), 0..300)) {
        let whole = feed(small(), [&input[..]]);
        prop_assert!(whole.passed <= input.len());
    }

    #[test]
    fn what_is_accepted_is_passed_on_whole(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..5)) {
        let mut input = Vec::new();
        for (at, body) in bodies.iter().enumerate() {
            if at % 2 == 0 {
                input.extend(format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.len()).bytes());
                input.extend(body);
            } else {
                input.extend(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
                for piece in body.chunks(7) {
                    input.extend(format!("{:x}\r\n", piece.len()).bytes());
                    input.extend(piece);
                    input.extend(b"\r\n");
                }
                input.extend(b"0\r\n\r\n");
            }
        }
        let seen = feed(Limits::default(), input.chunks(11));
        prop_assert_eq!(seen.violation, None);
        prop_assert_eq!(seen.passed, input.len());
        prop_assert_eq!(seen.ended, bodies.len());
        prop_assert_eq!(seen.bodies, bodies);
    }
}
