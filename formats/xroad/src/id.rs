//! Identifiers of members, subsystems, services and servers: reading and printing their form on the wire
//! (PR-MESS 1.3, PR-REST 4.1). Whether the named thing exists is not known here.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Characters printed as they are: letters, digits, `'()+,-.=` of PR-REST and the other unreserved ones of
/// RFC 3986. `?` is permitted by PR-REST but printed encoded, since in a path it would begin the query.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'+')
    .remove(b',')
    .remove(b'=');

/// Longest part accepted, in characters; the monitoring record and the message log hold no more.
pub const MAX_PART: usize = 255;

/// Longest identifier accepted, in bytes of its decoded parts with the slashes between them.
pub const MAX_PATH: usize = 1024;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The number of parts is wrong.
    #[error("an identifier of this kind has {expected} parts, found {found}")]
    Parts {
        /// How many it should have.
        expected: &'static str,
        /// How many there are (counting stops at six).
        found: usize,
    },
    /// A part is empty.
    #[error("part {0} of the identifier is empty")]
    Empty(usize),
    /// A part is longer than [`MAX_PART`] characters, or the identifier up to it longer than [`MAX_PATH`] bytes.
    #[error("part {0} of the identifier is too long")]
    TooLong(usize),
    /// A part is not valid percent-encoded UTF-8.
    #[error("part {0} of the identifier is not valid percent-encoded UTF-8")]
    Encoding(usize),
    /// A part holds a character that no identifier may hold (PR-MESS 1.3), or is `.` or `..`.
    #[error("part {0} of the identifier holds a character that identifiers may not hold")]
    Character(usize),
}

/// Prints one part for the wire.
pub fn encode_part(part: &str) -> impl fmt::Display + '_ {
    utf8_percent_encode(part, ENCODED)
}

/// Reads one part from the wire; `at` (from 1) is only for the error.
fn decode_part(raw: &str, at: usize) -> Result<std::borrow::Cow<'_, str>, IdError> {
    if !percent_is_sound(raw.as_bytes()) {
        return Err(IdError::Encoding(at));
    }
    let part = percent_decode_str(raw).decode_utf8().map_err(|_| IdError::Encoding(at))?;
    check_part(&part, at)?;
    Ok(part)
}

/// Whether every `%` is followed by two hexadecimal digits.
pub(crate) fn percent_is_sound(raw: &[u8]) -> bool {
    raw.iter()
        .enumerate()
        .filter(|(_, b)| **b == b'%')
        .all(|(at, _)| raw.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

fn check_part(part: &str, at: usize) -> Result<(), IdError> {
    // Colon, semicolon, percent, slash, backslash, control and invisible characters are not used in identifiers
    // (PR-MESS 1.3); without them the joined form below is unambiguous.
    let forbidden = |c: char| {
        c.is_control()
            || matches!(c, '/' | '\\' | ':' | ';' | '%' | '\u{200b}' | '\u{feff}' | '\u{2028}' | '\u{2029}')
    };
    if part.is_empty() {
        return Err(IdError::Empty(at));
    }
    if part.len() > MAX_PART && part.chars().count() > MAX_PART {
        return Err(IdError::TooLong(at));
    }
    if part == "." || part == ".." || part.chars().any(forbidden) {
        return Err(IdError::Character(at));
    }
    Ok(())
}

/// Reads exactly `N` parts separated by `/` and joins the decoded parts by `/`.
fn read<const N: usize>(raw: &str, expected: &'static str) -> Result<String, IdError> {
    let found = raw.splitn(7, '/').count();
    if found != N {
        return Err(IdError::Parts { expected, found: found.min(6) });
    }
    let mut path = String::with_capacity(raw.len());
    for (at, part) in raw.split('/').enumerate() {
        if at > 0 {
            path.push('/');
        }
        path.push_str(&decode_part(part, at + 1)?);
        if path.len() > MAX_PATH {
            return Err(IdError::TooLong(at + 1));
        }
    }
    Ok(path)
}

fn join<const N: usize>(parts: [&str; N]) -> Result<String, IdError> {
    for (at, part) in parts.iter().enumerate() {
        check_part(part, at + 1)?;
    }
    let path = parts.join("/");
    if path.len() > MAX_PATH { Err(IdError::TooLong(N)) } else { Ok(path) }
}

fn print(path: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, part) in path.split('/').enumerate() {
        if at > 0 {
            f.write_str("/")?;
        }
        write!(f, "{}", encode_part(part))?;
    }
    Ok(())
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $n:literal, $expected:literal, $object_type:literal, [$($at:literal $part:ident $part_doc:literal),+]) => {
        $(#[$doc])*
        ///
        /// `Display` and `FromStr` speak the form on the wire (each part percent-encoded).
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The object type of the protocol.
            pub const OBJECT_TYPE: &'static str = $object_type;

            /// From decoded parts.
            ///
            /// # Errors
            /// [`IdError`] when a part is empty, too long or holds a forbidden character.
            pub fn new(parts: [&str; $n]) -> Result<Self, IdError> {
                join(parts).map(Self)
            }

            /// The decoded parts joined by `/`; unambiguous because no part may hold a slash.
            pub fn path(&self) -> &str {
                &self.0
            }

            /// The decoded parts in order.
            pub fn parts(&self) -> impl Iterator<Item = &str> {
                self.0.split('/')
            }

            $(
                #[doc = $part_doc]
                pub fn $part(&self) -> &str {
                    self.parts().nth($at).unwrap_or_default()
                }
            )+

            /// The form with the object type before it, for example `MEMBER:EE/GOV/123`; parts not encoded.
            pub fn typed(&self) -> String {
                format!(concat!($object_type, ":{}"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                print(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.typed())
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(s: &str) -> Result<Self, IdError> {
                read::<$n>(s, $expected).map(Self)
            }
        }
    };
}

identifier!(
    /// A member of the exchange.
    MemberId, 3, "three", "MEMBER",
    [0 instance "The X-Road instance.", 1 class "The member class.", 2 member "The member code."]
);
identifier!(
    /// A subsystem of a member.
    SubsystemId, 4, "four", "SUBSYSTEM",
    [0 instance "The X-Road instance.", 1 class "The member class.", 2 member "The member code.",
     3 subsystem "The subsystem code."]
);
identifier!(
    /// A REST service of a subsystem; REST services have no version part.
    ServiceId, 5, "five", "SERVICE",
    [0 instance "The X-Road instance.", 1 class "The member class.", 2 member "The member code.",
     3 subsystem "The subsystem code.", 4 code "The service code."]
);
identifier!(
    /// A security server of a member.
    ServerId, 4, "four", "SERVER",
    [0 instance "The X-Road instance.", 1 class "The member class.", 2 member "The member code.",
     3 server "The server code."]
);

impl ServiceId {
    /// The subsystem that provides the service.
    pub fn provider(&self) -> SubsystemId {
        let cut = self.0.rfind('/').unwrap_or(self.0.len());
        SubsystemId(self.0[..cut].to_owned())
    }
}

/// Who calls: a member or one of its subsystems (header `X-Road-Client`, three or four parts).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientId {
    /// Three parts.
    Member(MemberId),
    /// Four parts.
    Subsystem(SubsystemId),
}

impl ClientId {
    /// The decoded parts joined by `/`.
    pub fn path(&self) -> &str {
        match self {
            Self::Member(id) => id.path(),
            Self::Subsystem(id) => id.path(),
        }
    }

    /// The subsystem code, when a subsystem calls.
    pub fn subsystem(&self) -> Option<&str> {
        match self {
            Self::Member(_) => None,
            Self::Subsystem(id) => Some(id.subsystem()),
        }
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(self.path(), f)
    }
}

impl FromStr for ClientId {
    type Err = IdError;

    fn from_str(s: &str) -> Result<Self, IdError> {
        match s.splitn(7, '/').count() {
            3 => s.parse().map(Self::Member),
            4 => s.parse().map(Self::Subsystem),
            found => Err(IdError::Parts { expected: "three or four", found: found.min(6) }),
        }
    }
}

/// The party on whose behalf a call is made (header `X-Road-Represented-Party`): `[class/]code`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepresentedParty {
    /// The class, when given.
    pub class: Option<String>,
    /// The code.
    pub code: String,
}

impl FromStr for RepresentedParty {
    type Err = IdError;

    fn from_str(s: &str) -> Result<Self, IdError> {
        let parts: Vec<&str> = s.splitn(7, '/').collect();
        match parts[..] {
            [code] => Ok(Self { class: None, code: decode_part(code, 1)?.into_owned() }),
            [class, code] => Ok(Self {
                class: Some(decode_part(class, 1)?.into_owned()),
                code: decode_part(code, 2)?.into_owned(),
            }),
            _ => Err(IdError::Parts { expected: "one or two", found: parts.len().min(6) }),
        }
    }
}

impl fmt::Display for RepresentedParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(class) = &self.class {
            write!(f, "{}/", encode_part(class))?;
        }
        write!(f, "{}", encode_part(&self.code))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_number_of_parts_tells_the_kind() {
        assert_eq!("VN/GOV/H38".parse::<MemberId>().unwrap().typed(), "MEMBER:VN/GOV/H38");
        let client: ClientId = "VN/GOV/H38/mot-cua".parse().unwrap();
        assert_eq!(client.subsystem(), Some("mot-cua"));
        assert!(matches!("VN/GOV/H38".parse(), Ok(ClientId::Member(_))));
        let service: ServiceId = "VN/GOV/H38/dan-cu/tra_cuu".parse().unwrap();
        assert_eq!((service.code(), service.provider().path()), ("tra_cuu", "VN/GOV/H38/dan-cu"));
        assert_eq!(service.to_string(), "VN/GOV/H38/dan-cu/tra_cuu");
        for bad in ["", "VN", "VN/GOV", "VN/GOV/a/b/c", "VN/GOV/a/b/c/d/e/f/g/h"] {
            assert!(matches!(bad.parse::<ClientId>(), Err(IdError::Parts { .. })), "{bad}");
        }
        assert!("VN/GOV/H38/ss1".parse::<ServerId>().is_ok());
        assert!("VN/GOV/H38/ss1/x".parse::<ServerId>().is_err());
    }

    #[test]
    fn parts_are_percent_encoded_utf8() {
        let id: SubsystemId = "VN/GOV/H38/h%E1%BB%99%20t%E1%BB%8Bch".parse().unwrap();
        assert_eq!(id.subsystem(), "hộ tịch");
        assert_eq!(id.to_string(), "VN/GOV/H38/h%E1%BB%99%20t%E1%BB%8Bch");
        assert_eq!("a/b/c(+,-.=?')".parse::<MemberId>().unwrap().to_string(), "a/b/c(+,-.=%3F')");
        for (bad, error) in [
            ("VN/GOV/%", IdError::Encoding(3)),
            ("VN/GOV/%4", IdError::Encoding(3)),
            ("VN/%zz/x", IdError::Encoding(2)),
            ("VN/GOV/%c0%ae", IdError::Encoding(3)),
            ("VN//x", IdError::Empty(2)),
            ("VN/GOV/..", IdError::Character(3)),
            ("VN/GOV/%2e%2E", IdError::Character(3)),
            ("VN/GOV/a%2Fb", IdError::Character(3)),
            ("VN/GOV/a%5Cb", IdError::Character(3)),
            ("VN/GOV/a%00", IdError::Character(3)),
            ("VN/GOV/a%250", IdError::Character(3)),
            ("VN/GOV/a:b", IdError::Character(3)),
        ] {
            assert_eq!(bad.parse::<MemberId>(), Err(error), "{bad}");
        }
        let long = format!("VN/GOV/{}", "x".repeat(256));
        assert_eq!(long.parse::<MemberId>(), Err(IdError::TooLong(3)));
        let long = format!("VN/{}/{}", "%E1%BB%99".repeat(200), "%E1%BB%99".repeat(200));
        assert_eq!(long.parse::<MemberId>(), Err(IdError::TooLong(3)));
    }

    #[test]
    fn a_represented_party_has_at_most_two_parts() {
        let party: RepresentedParty = "COM/0101".parse().unwrap();
        assert_eq!((party.class.as_deref(), party.code.as_str()), (Some("COM"), "0101"));
        assert!("0101".parse::<RepresentedParty>().is_ok());
        for bad in ["", "/", "a/", "/b", "a/b/c"] {
            assert!(bad.parse::<RepresentedParty>().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(parts in prop::array::uniform5("\\PC{1,20}")) {
            if let Ok(id) = ServiceId::new([&parts[0], &parts[1], &parts[2], &parts[3], &parts[4]]) {
                prop_assert_eq!(id.to_string().parse::<ServiceId>().unwrap(), id.clone());
                prop_assert!(id.parts().eq(parts.iter().map(String::as_str)));
            }
        }

        #[test]
        fn what_is_read_is_printed_and_read_the_same(raw in "[A-Za-z0-9%/.é_-]{0,40}") {
            if let Ok(id) = raw.parse::<ClientId>() {
                prop_assert_eq!(id.to_string().parse::<ClientId>().unwrap(), id);
            }
        }

        #[test]
        fn no_text_makes_it_panic(raw in "\\PC*") {
            let _ = (raw.parse::<ClientId>(), raw.parse::<ServiceId>(), raw.parse::<RepresentedParty>());
        }
    }
}
