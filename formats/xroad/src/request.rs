//! The request line of a REST call: `/r1/{instance}/{class}/{member}/{subsystem}/{serviceCode}[/{path}][?{query}]`
//! (PR-REST 4.1). Splits and decodes; headers are read in `header`, the service path is judged in `path`.

use crate::id::{IdError, ServiceId};

/// The one protocol version spoken.
pub const PROTOCOL_VERSION: u8 = 1;

/// Methods of the protocol.
pub const METHODS: [&str; 8] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];

/// Whether `method` is one of [`METHODS`] (case-sensitive, RFC 9110 9.1).
pub fn is_method(method: &str) -> bool {
    METHODS.contains(&method)
}

/// Whether a body travels with this method (other bodies are not forwarded).
pub fn forwards_body(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH")
}

/// Whether a call with this method may change something at the provider (RFC 9110 9.2.1: not a safe method).
pub fn may_change(method: &str) -> bool {
    !matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

/// Why a request target is not a REST call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not enough parts, or not a path.
    #[error("the address is not of the form /r1/instance/class/member/subsystem/service")]
    Form,
    /// The first part is not `r` and one digit.
    #[error("the protocol version of the address is not readable")]
    Version,
    /// Another version than [`PROTOCOL_VERSION`].
    #[error("protocol version {0} is not supported")]
    UnsupportedVersion(u8),
    /// One of the five identifying parts is malformed.
    #[error("the service named in the address is malformed: {0}")]
    Service(#[from] IdError),
}

/// The parts of a request target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestTarget<'a> {
    /// The called service.
    pub service: ServiceId,
    /// The whole path as sent, without the query.
    pub path: &'a str,
    /// What follows the service code, as sent: empty, or beginning with `/`.
    pub service_path: &'a str,
    /// What follows the first `?`, as sent.
    pub query: Option<&'a str>,
}

impl<'a> RestTarget<'a> {
    /// Whether a target is meant as a REST call of any version (`/r` and one more character).
    pub fn looks_like_one(target: &str) -> bool {
        let mut bytes = target.bytes();
        bytes.next() == Some(b'/')
            && bytes.next() == Some(b'r')
            && bytes.next().is_some_and(|b| b.is_ascii_digit())
            && matches!(bytes.next(), Some(b'/') | None)
    }

    /// Splits a request target in origin form.
    ///
    /// # Errors
    /// [`TargetError`] saying which part is wrong.
    pub fn parse(target: &'a str) -> Result<Self, TargetError> {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        // At most eight pieces: "", "r1", the five parts of the service, and the rest with all its slashes.
        let pieces: Vec<&str> = path.splitn(8, '/').collect();
        if pieces.len() < 2 || !pieces[0].is_empty() {
            return Err(TargetError::Form);
        }
        version(pieces[1])?;
        let [_, _, instance, class, member, subsystem, code, ref rest @ ..] = pieces[..] else {
            return Err(TargetError::Form);
        };
        let before_rest: usize = [instance, class, member, subsystem, code].iter().map(|p| p.len() + 1).sum();
        let start = pieces[1].len() + 2;
        let service = path[start..start + before_rest - 1].parse()?;
        let service_path = if rest.is_empty() { "" } else { &path[start + before_rest - 1..] };
        Ok(Self { service, path, service_path, query })
    }

    /// The path without its service part: all that is kept when contents are not logged.
    pub fn logged_path(&self) -> &'a str {
        &self.path[..self.path.len() - self.service_path.len()]
    }
}

fn version(piece: &str) -> Result<(), TargetError> {
    match piece.as_bytes() {
        [b'r', digit] if digit.is_ascii_digit() => match digit - b'0' {
            PROTOCOL_VERSION => Ok(()),
            other => Err(TargetError::UnsupportedVersion(other)),
        },
        _ => Err(TargetError::Version),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_target_is_split_into_at_most_eight_pieces() {
        for (target, service_path, query) in [
            ("/r1/a/b/c/d/svc", "", None),
            ("/r1/a/b/c/d/svc/", "/", None),
            ("/r1/a/b/c/d/svc/x/y//z?q=1?2/3", "/x/y//z", Some("q=1?2/3")),
            ("/r1/a/b/c/d/svc?", "", Some("")),
        ] {
            let parsed = RestTarget::parse(target).unwrap();
            assert_eq!((parsed.service_path, parsed.query), (service_path, query), "{target}");
            assert_eq!(parsed.service.path(), "a/b/c/d/svc");
            assert_eq!(parsed.logged_path(), "/r1/a/b/c/d/svc");
        }
        let encoded = RestTarget::parse("/r1/VN/GOV/H38/h%E1%BB%99/tra_cuu/%41").unwrap();
        assert_eq!((encoded.service.subsystem(), encoded.service_path), ("hộ", "/%41"));
    }

    #[test]
    fn wrong_targets_say_what_is_wrong() {
        for (target, error) in [
            ("", TargetError::Form),
            ("*", TargetError::Form),
            ("http://h/r1/a/b/c/d/e", TargetError::Form),
            ("/", TargetError::Version),
            ("/r/a/b/c/d/e", TargetError::Version),
            ("/r10/a/b/c/d/e", TargetError::Version),
            ("/R1/a/b/c/d/e", TargetError::Version),
            ("/r2/a/b/c/d/e", TargetError::UnsupportedVersion(2)),
            ("/r0/a", TargetError::UnsupportedVersion(0)),
            ("/r1", TargetError::Form),
            ("/r1/a/b/c/d", TargetError::Form),
            ("/r1/a//c/d/e", TargetError::Service(IdError::Empty(2))),
            ("/r1/a/b/c/d/", TargetError::Service(IdError::Empty(5))),
            ("/r1/a/b/../d/e", TargetError::Service(IdError::Character(3))),
            ("/r1/a/b/%2e%2e/d/e", TargetError::Service(IdError::Character(3))),
            ("/r1/a/b/c%2fd/d/e", TargetError::Service(IdError::Character(3))),
        ] {
            assert_eq!(RestTarget::parse(target), Err(error), "{target}");
        }
        assert!(RestTarget::looks_like_one("/r1/a") && RestTarget::looks_like_one("/r9"));
        assert!(!RestTarget::looks_like_one("/registry") && !RestTarget::looks_like_one("/r10/"));
    }

    #[test]
    fn methods_that_change_something() {
        assert!(METHODS.iter().all(|m| is_method(m)) && !is_method("get") && !is_method("CONNECT"));
        let changing: Vec<_> = METHODS.iter().filter(|m| may_change(m)).collect();
        assert_eq!(changing, [&"DELETE", &"PATCH", &"POST", &"PUT"]);
        assert!(!forwards_body("DELETE") && forwards_body("PATCH"));
    }

    proptest! {
        #[test]
        fn the_pieces_make_up_the_whole(target in "/r1/[a-z%41/?é]{0,40}") {
            if let Ok(t) = RestTarget::parse(&target) {
                let query = t.query.map(|q| format!("?{q}")).unwrap_or_default();
                prop_assert_eq!(format!("{}{}{}", t.logged_path(), t.service_path, query), target);
            }
        }

        #[test]
        fn no_text_makes_it_panic(target in "\\PC*") {
            let _ = RestTarget::parse(&target);
            let _ = RestTarget::looks_like_one(&target);
        }
    }
}
