//! Headers of REST messages: which travel and which do not (PR-REST 4.3, 4.6), and the `X-Road-…` ones of a request
//! read into types. Knows nothing of how a connection carries them.

use crate::id::{ClientId, IdError, RepresentedParty, ServerId};

/// Who calls.
pub const CLIENT: &str = "x-road-client";
/// The consumer's message identifier.
pub const ID: &str = "x-road-id";
/// The user on whose behalf the consumer calls.
pub const USER_ID: &str = "x-road-userid";
/// The file or matter in which it calls.
pub const ISSUE: &str = "x-road-issue";
/// The provider's server to route to.
pub const SECURITY_SERVER: &str = "x-road-security-server";
/// On whose behalf the consumer itself acts.
pub const REPRESENTED_PARTY: &str = "x-road-represented-party";
/// The called service (answers only).
pub const SERVICE: &str = "x-road-service";
/// Identifier of the pair of request and answer.
pub const REQUEST_ID: &str = "x-road-request-id";
/// The request hash (answers only).
pub const REQUEST_HASH: &str = "x-road-request-hash";
/// The type of an X-Road error (error answers only).
pub const ERROR: &str = "x-road-error";

/// Headers that never travel, in either direction.
const FILTERED: [&str; 13] = [
    "transfer-encoding",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "upgrade",
    "connection",
    "user-agent",
    "host",
    "content-length",
    "server",
    "expect",
];

/// Headers of which only the last occurrence counts, and therefore only the last travels: a provider that took
/// the first would otherwise see another caller than the one that was admitted.
const SINGLE: [&str; 6] = [CLIENT, ID, USER_ID, ISSUE, SECURITY_SERVER, REPRESENTED_PARTY];

fn is_one_of(name: &str, list: &[&str]) -> bool {
    list.iter().any(|other| other.eq_ignore_ascii_case(name))
}

/// Whether a request header travels to the provider, by its name alone.
pub fn request_travels(name: &str) -> bool {
    !is_one_of(name, &FILTERED) && !is_one_of(name, &[REQUEST_ID, REQUEST_HASH])
}

/// Whether a header of the provider's answer travels to the consumer; those the exchange sets itself do not.
pub fn response_travels(name: &str) -> bool {
    !is_one_of(name, &FILTERED)
        && !is_one_of(name, &[ID, CLIENT, SERVICE, REQUEST_ID, REQUEST_HASH, ERROR, "proxy-connection"])
}

/// Whether a name belongs to the protocol.
pub fn is_x_road(name: &str) -> bool {
    name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("x-road-"))
}

/// Whether a name would be taken for an `x-road-` or framing header by servers that turn `_` into `-` (CGI, WSGI).
pub fn is_disguised(name: &str) -> bool {
    name.contains('_') && {
        let plain = name.replace('_', "-");
        is_x_road(&plain) || is_one_of(&plain, &FILTERED) || plain.eq_ignore_ascii_case("authorization")
    }
}

/// Why the headers of a request cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// `X-Road-Client` is missing.
    #[error("the header X-Road-Client is missing")]
    MissingClient,
    /// `X-Road-Client` is not an identifier of three or four parts.
    #[error("the header X-Road-Client is malformed: {0}")]
    Client(IdError),
    /// `X-Road-Security-Server` is not an identifier of four parts.
    #[error("the header X-Road-Security-Server is malformed: {0}")]
    SecurityServer(IdError),
    /// `X-Road-Represented-Party` has not one or two parts.
    #[error("the header X-Road-Represented-Party is malformed: {0}")]
    RepresentedParty(IdError),
    /// An `X-Road-…` header is empty, too long, not UTF-8 or holds a control character.
    #[error("the header {0} is empty, too long, not UTF-8 or holds a control character")]
    Value(String),
    /// A name with `_` that some servers take for a protected header.
    #[error("the header {0} imitates a protected header")]
    Disguised(String),
}

/// Longest value of an `X-Road-…` header, in bytes.
pub const MAX_VALUE: usize = 1024;

/// The `X-Road-…` headers of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHeaders {
    /// Who calls.
    pub client: ClientId,
    /// `X-Road-Client` as sent, for echoing.
    pub client_as_sent: String,
    /// The consumer's message identifier, when it sent one.
    pub id: Option<String>,
    /// The user. Personal.
    pub user_id: Option<String>,
    /// The file or matter.
    pub issue: Option<String>,
    /// The provider's server to route to.
    pub security_server: Option<ServerId>,
    /// On whose behalf the consumer itself acts.
    pub represented_party: Option<RepresentedParty>,
}

impl RequestHeaders {
    /// Reads the headers of a request; of repeated ones the last counts.
    ///
    /// # Errors
    /// [`HeaderError`] naming the header that is wrong.
    pub fn read<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self, HeaderError> {
        let mut last: [Option<&[u8]>; 6] = [None; 6];
        for (name, value) in headers {
            if is_disguised(name) {
                return Err(HeaderError::Disguised(name.to_owned()));
            }
            if let Some(at) = SINGLE.iter().position(|single| single.eq_ignore_ascii_case(name)) {
                last[at] = Some(value);
            }
        }
        let text = |at: usize| last[at].map(|value| checked(SINGLE[at], value)).transpose();
        let client = text(0)?.ok_or(HeaderError::MissingClient)?;
        Ok(Self {
            client: client.parse().map_err(HeaderError::Client)?,
            client_as_sent: client.to_owned(),
            id: text(1)?.map(str::to_owned),
            user_id: text(2)?.map(str::to_owned),
            issue: text(3)?.map(str::to_owned),
            security_server: text(4)?.map(|v| v.parse().map_err(HeaderError::SecurityServer)).transpose()?,
            represented_party: text(5)?
                .map(|v| v.parse().map_err(HeaderError::RepresentedParty))
                .transpose()?,
        })
    }
}

fn checked<'a>(name: &str, value: &'a [u8]) -> Result<&'a str, HeaderError> {
    std::str::from_utf8(value)
        .ok()
        .filter(|v| !v.is_empty() && v.len() <= MAX_VALUE && !v.chars().any(char::is_control))
        .ok_or_else(|| HeaderError::Value(name.to_owned()))
}

/// The headers of a request that travel to the provider, in order. `also_dropped` names further headers that end
/// here (credentials of this hop, those named by `Connection`), in lower case.
pub fn travelling<'a, I>(headers: I, also_dropped: &[&str]) -> Vec<(&'a str, &'a [u8])>
where
    I: IntoIterator<Item = (&'a str, &'a [u8])>,
{
    let mut kept: Vec<(&str, &[u8])> = headers
        .into_iter()
        .filter(|(name, _)| request_travels(name) && !is_one_of(name, also_dropped))
        .collect();
    for single in SINGLE {
        let matching = |(name, _): &(&str, &[u8])| name.eq_ignore_ascii_case(single);
        if let Some(last) = kept.iter().rposition(matching) {
            let mut at = 0;
            kept.retain(|header| {
                at += 1;
                !matching(header) || at - 1 == last
            });
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &str)]) -> Result<RequestHeaders, HeaderError> {
        RequestHeaders::read(headers.iter().map(|(n, v)| (*n, v.as_bytes())))
    }

    #[test]
    fn filtered_both_ways() {
        for name in
            ["Transfer-Encoding", "te", "HOST", "User-Agent", "Server", "Expect", "Upgrade", "Content-Length"]
        {
            assert!(!request_travels(name) && !response_travels(name), "{name}");
        }
        assert!(!request_travels("X-Road-Request-Id") && !request_travels("x-road-request-hash"));
        assert!(request_travels("X-Road-Client") && !response_travels("X-Road-Client"));
        assert!(
            request_travels("Content-Type") && response_travels("Set-Cookie") && response_travels("Date")
        );
    }

    #[test]
    fn the_last_client_counts_and_only_it_travels() {
        let sent = [
            ("X-Road-Client", "a/b/c/one"),
            ("Accept", "*/*"),
            ("x-road-client", "a/b/c/two"),
            ("Accept", "q"),
        ];
        assert_eq!(read(&sent).unwrap().client.subsystem(), Some("two"));
        let kept = travelling(sent.iter().map(|(n, v)| (*n, v.as_bytes())), &[]);
        let names: Vec<_> = kept.iter().map(|(n, v)| (*n, std::str::from_utf8(v).unwrap())).collect();
        assert_eq!(names, [("Accept", "*/*"), ("x-road-client", "a/b/c/two"), ("Accept", "q")]);
    }

    #[test]
    fn credentials_of_this_hop_do_not_travel() {
        let sent: [(&str, &[u8]); 3] = [("Authorization", b"Bearer x"), ("Host", b"h"), ("Accept", b"*/*")];
        assert_eq!(travelling(sent, &["authorization"]), [("Accept", &b"*/*"[..])]);
    }

    #[test]
    fn the_parts_of_the_other_headers_are_counted() {
        let with = |name, value| read(&[("X-Road-Client", "a/b/c"), (name, value)]);
        assert!(with("X-Road-Security-Server", "a/b/c/d").unwrap().security_server.is_some());
        assert!(matches!(with("X-Road-Security-Server", "a/b/c"), Err(HeaderError::SecurityServer(_))));
        assert!(matches!(with("X-Road-Security-Server", "a/b/c/d/e"), Err(HeaderError::SecurityServer(_))));
        assert!(with("X-Road-Represented-Party", "COM/1").unwrap().represented_party.is_some());
        assert!(matches!(with("X-Road-Represented-Party", "a/b/c"), Err(HeaderError::RepresentedParty(_))));
        assert!(matches!(with("X-Road-Id", "a\tb"), Err(HeaderError::Value(_))));
        assert!(matches!(with("X-Road-Id", ""), Err(HeaderError::Value(_))));
        assert!(matches!(with("X-Road-UserId", &"x".repeat(1025)), Err(HeaderError::Value(_))));
        assert_eq!(read(&[]), Err(HeaderError::MissingClient));
        assert!(matches!(read(&[("X-Road-Client", "a/b")]), Err(HeaderError::Client(_))));
    }

    #[test]
    fn imitations_are_refused() {
        for name in
            ["X_Road_Client", "x-road_client", "Content_Length", "Transfer_Encoding", "AUTHORIZATION_"]
        {
            let refused =
                matches!(read(&[("X-Road-Client", "a/b/c"), (name, "x")]), Err(HeaderError::Disguised(_)));
            assert_eq!(refused, name != "AUTHORIZATION_", "{name}");
        }
        assert!(!is_disguised("X_Custom") && !is_disguised("X-Road-Client"));
    }
}
