//! What content is called, and the label that says who may see it.

use std::fmt;
use std::str::FromStr;

use base::ids::BadId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

base::id_type!(
    /// One stored copy of content: names its file or its place in a pack. Its time part tells its age.
    ObjectId, "blobs.object");
base::id_type!(
    /// A data key.
    KeyId, "blobs.key");
crate::id_value!(ObjectId, KeyId, BlobId, AccessClass);

impl ObjectId {
    /// When the copy was made, in microseconds since the epoch.
    pub fn micros(self) -> i64 {
        let millis = self.0.as_u128() >> 80;
        i64::try_from(millis).unwrap_or(i64::MAX).saturating_mul(1_000)
    }
}

/// Names content: HMAC-SHA-256 over the content's keyed hash, the subject's key and the access class. Written as
/// 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub(super) [u8; 32]);

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blob:{self}")
    }
}

impl FromStr for BlobId {
    type Err = BadId;

    fn from_str(s: &str) -> Result<Self, BadId> {
        let mut raw = [0; 32];
        if s.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(BadId("blob"));
        }
        hex::decode_to_slice(s, &mut raw).map_err(|_| BadId("blob"))?;
        Ok(Self(raw))
    }
}

impl Serialize for BlobId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Who may see content. A label: the module that refers to it decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessClass {
    /// Anybody (công khai).
    Public,
    /// Officials in the course of their work (nội bộ).
    Internal,
    /// Basic personal data (dữ liệu cá nhân cơ bản).
    Personal,
    /// Sensitive personal data (dữ liệu cá nhân nhạy cảm).
    Sensitive,
}

impl AccessClass {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Public, "public"),
        (Self::Internal, "internal"),
        (Self::Personal, "personal"),
        (Self::Sensitive, "sensitive"),
    ];
}

impl fmt::Display for AccessClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|c| c.0 == *self).map_or("", |c| c.1))
    }
}

impl FromStr for AccessClass {
    type Err = BadId;

    fn from_str(s: &str) -> Result<Self, BadId> {
        Self::ALL.iter().find(|c| c.1 == s).map(|c| c.0).ok_or(BadId("access class"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::clock::{MovableClock, Timestamp};
    use base::random::SeededRandom;

    #[test]
    fn names_have_one_spelling() {
        let id = BlobId([0xab; 32]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().to_uppercase().parse::<BlobId>().is_err());
        assert!("ab".parse::<BlobId>().is_err());
        for (class, name) in AccessClass::ALL {
            assert_eq!((class.to_string().as_str(), name.parse()), (name, Ok(class)));
            assert_eq!(serde_json::to_string(&class).unwrap(), format!("\"{name}\""));
        }
    }

    #[test]
    fn copies_know_their_age() {
        let at: Timestamp = "2026-11-22T08:14:28.123Z".parse().unwrap();
        let id = ObjectId::new(&MovableClock::starting_at(at), &SeededRandom::new(1));
        assert!((id.micros() - at.micros()).abs() < 1_000_000);
    }
}
