//! Objects read member by member, with nothing left over: shared by records and bundles.

use std::collections::BTreeMap;

use crate::json::Value;
use crate::leaf::LeafError;

/// Exactly 64 lower-case hexadecimal digits.
pub(crate) fn read_hash(text: &str, member: &'static str) -> Result<[u8; 32], LeafError> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let mut out = [0; 32];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != out.len() || !rest.is_empty() {
        return Err(LeafError::Member(member));
    }
    for (byte, [high, low]) in out.iter_mut().zip(pairs) {
        let nibbles = digit(*high).zip(digit(*low)).ok_or(LeafError::Member(member))?;
        *byte = nibbles.0 << 4 | nibbles.1;
    }
    Ok(out)
}

/// The members of an object, taken out one by one; what is left over is unknown.
pub(crate) struct Members(BTreeMap<String, Value>);

impl Members {
    pub(crate) fn of(value: Value, name: &'static str) -> Result<Members, LeafError> {
        match value {
            Value::Map(map) => Ok(Members(map)),
            _ => Err(LeafError::Member(name)),
        }
    }

    pub(crate) fn opt_int(&mut self, name: &'static str) -> Result<Option<i64>, LeafError> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::Int(number)) => Ok(Some(number)),
            Some(_) => Err(LeafError::Member(name)),
        }
    }

    pub(crate) fn int(&mut self, name: &'static str) -> Result<i64, LeafError> {
        self.opt_int(name)?.ok_or(LeafError::Member(name))
    }

    pub(crate) fn count(&mut self, name: &'static str) -> Result<u64, LeafError> {
        u64::try_from(self.int(name)?).map_err(|_| LeafError::Member(name))
    }

    pub(crate) fn opt_text(&mut self, name: &'static str) -> Result<Option<String>, LeafError> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(LeafError::Member(name)),
        }
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Result<String, LeafError> {
        self.opt_text(name)?.ok_or(LeafError::Member(name))
    }

    pub(crate) fn opt_object(&mut self, name: &'static str) -> Result<Option<Members>, LeafError> {
        self.0.remove(name).map(|value| Members::of(value, name)).transpose()
    }

    pub(crate) fn object(&mut self, name: &'static str) -> Result<Members, LeafError> {
        self.opt_object(name)?.ok_or(LeafError::Member(name))
    }

    pub(crate) fn list(&mut self, name: &'static str) -> Result<Vec<Value>, LeafError> {
        match self.0.remove(name) {
            Some(Value::List(list)) => Ok(list),
            _ => Err(LeafError::Member(name)),
        }
    }

    pub(crate) fn value(&mut self, name: &'static str) -> Result<Value, LeafError> {
        self.0.remove(name).ok_or(LeafError::Member(name))
    }

    pub(crate) fn into_iter(self) -> impl Iterator<Item = (String, Value)> {
        self.0.into_iter()
    }

    pub(crate) fn end(self) -> Result<(), LeafError> {
        if self.0.is_empty() { Ok(()) } else { Err(LeafError::Unknown) }
    }
}
