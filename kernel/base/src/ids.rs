//! Identifiers: each kind of thing has its own type over a UUIDv7 (RFC 9562), so that ids sort by age and
//! cannot be mistaken for one another.

use serde::{Deserialize, Serialize};
pub use uuid::Uuid;

use crate::clock::Clock;
use crate::random::{self, Random};

/// A new UUIDv7 from the given clock (milliseconds) and random source.
pub fn uuid_v7(clock: &dyn Clock, random: &dyn Random) -> Uuid {
    let millis = u64::try_from(clock.now().millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random::bytes::<10>(random)).into_uuid()
}

/// A new random UUIDv4, for the places where a protocol asks for one.
pub fn uuid_v4(random: &dyn Random) -> Uuid {
    uuid::Builder::from_random_bytes(random::bytes::<16>(random)).into_uuid()
}

/// Declares an identifier type: `id_type!(MemberId, "member")`. The text is the kind used in [`Ref`]s.
#[macro_export]
macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $crate::ids::Uuid);

        impl $name {
            /// The kind of thing, as written in a `Ref`.
            pub const KIND: &'static str = $kind;

            /// A new identifier.
            pub fn new(clock: &dyn $crate::clock::Clock, random: &dyn $crate::random::Random) -> Self {
                Self($crate::ids::uuid_v7(clock, random))
            }

            /// A pointer to this thing that any page or module can hold.
            pub fn to_ref(self) -> $crate::ids::Ref {
                $crate::ids::Ref { kind: $kind.to_owned(), id: self.to_string() }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0.hyphenated(), f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($kind, ":{}"), self.0.hyphenated())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::ids::BadId;

            fn from_str(s: &str) -> Result<Self, Self::Err> {
                $crate::ids::parse_hyphenated(s).map(Self).ok_or($crate::ids::BadId($kind))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// Reads the hyphenated lower-case form only: one thing has one spelling in addresses and logs.
pub fn parse_hyphenated(s: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(s).ok()?;
    (s.len() == 36 && !s.bytes().any(|b| b.is_ascii_uppercase())).then_some(id)
}

/// The text is not an identifier of the named kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an identifier of kind {0}")]
pub struct BadId(pub &'static str);

/// Points to a thing of any module without knowing the module. Holds no title, because titles leak.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ref {
    /// The kind, for example `exchange.agreement`.
    pub kind: String,
    /// The identifier within the kind.
    pub id: String,
}

impl Ref {
    /// A pointer to `id` of `kind`.
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: id.into() }
    }
}

#[cfg(test)]
mod tests {
    use crate::clock::{MovableClock, Timestamp};
    use crate::random::SeededRandom;

    id_type!(/// A test id.
        ThingId, "thing");

    #[test]
    fn ids_sort_by_age_and_have_one_spelling() {
        let random = SeededRandom::new(1);
        let early = MovableClock::starting_at(Timestamp::from_micros(1_700_000_000_000_000));
        let late = MovableClock::starting_at(Timestamp::from_micros(1_800_000_000_000_000));
        let (a, b) = (ThingId::new(&early, &random), ThingId::new(&late, &random));
        assert!(a < b && a.to_string() < b.to_string());
        assert_eq!(a.to_string().parse::<ThingId>(), Ok(a));
        assert!(a.to_string().to_uppercase().parse::<ThingId>().is_err());
        assert!(a.0.simple().to_string().parse::<ThingId>().is_err());
        assert_eq!(a.0.get_version_num(), 7);
        assert_eq!(a.to_ref().kind, ThingId::KIND);
    }
}
