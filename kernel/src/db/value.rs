//! Values and rows: the few column types both databases share. Domain types are made in each `store.rs`.

use std::sync::Arc;

use base::clock::{Date, Timestamp};
use base::error::{Error, Result};

/// What a column or parameter may hold. Truth values are 0 and 1, moments microseconds, money whole đồng,
/// dates ISO text, JSON text, identifiers hyphenated text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A 64-bit integer.
    Int(i64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// Parameters of a statement: `params![id, name, None::<i64>]`.
#[macro_export]
macro_rules! params {
    ($($v:expr),* $(,)?) => { vec![$($crate::db::Value::from($v)),*] };
}

macro_rules! from {
    ($($t:ty => |$v:ident| $e:expr;)*) => { $(impl From<$t> for Value { fn from($v: $t) -> Self { $e } })* };
}

from! {
    i64 => |v| Self::Int(v);
    i32 => |v| Self::Int(i64::from(v));
    u32 => |v| Self::Int(i64::from(v));
    u16 => |v| Self::Int(i64::from(v));
    bool => |v| Self::Int(i64::from(v));
    String => |v| Self::Text(v);
    &str => |v| Self::Text(v.to_owned());
    &String => |v| Self::Text(v.clone());
    Vec<u8> => |v| Self::Blob(v);
    &[u8] => |v| Self::Blob(v.to_vec());
    Timestamp => |v| Self::Int(v.micros());
    Date => |v| Self::Text(v.to_string());
    base::ids::Uuid => |v| Self::Text(v.hyphenated().to_string());
    &serde_json::Value => |v| Self::Text(v.to_string());
    serde_json::Value => |v| Self::Text(v.to_string());
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(v: [u8; N]) -> Self {
        Self::Blob(v.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

/// Lets an identifier type be used as a parameter. Called by modules beside `id_type!`.
#[macro_export]
macro_rules! id_value {
    ($($name:ty),* $(,)?) => { $(impl From<$name> for $crate::db::Value {
        fn from(v: $name) -> Self { Self::Text(v.to_string()) }
    }
    impl From<&$name> for $crate::db::Value {
        fn from(v: &$name) -> Self { Self::Text(v.to_string()) }
    })* };
}

/// One row, read completely.
#[derive(Debug, Clone)]
pub struct Row {
    pub(crate) columns: Arc<[String]>,
    pub(crate) values: Vec<Value>,
}

/// A column that is absent or holds something else: a fault of the program, not of the data.
#[derive(Debug, thiserror::Error)]
#[error("column `{column}`: {what}")]
pub struct ColumnError {
    column: String,
    what: String,
}

impl Row {
    /// The raw value of a column.
    pub fn value(&self, column: &str) -> Result<&Value> {
        let at = self.columns.iter().position(|c| c == column);
        at.and_then(|i| self.values.get(i)).ok_or_else(|| self.wrong(column, "is not in the row"))
    }

    /// An integer.
    pub fn int(&self, column: &str) -> Result<i64> {
        self.opt_int(column)?.ok_or_else(|| self.wrong(column, "is NULL"))
    }

    /// An integer or NULL.
    pub fn opt_int(&self, column: &str) -> Result<Option<i64>> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Int(v) => Ok(Some(*v)),
            _ => Err(self.wrong(column, "is not an integer")),
        }
    }

    /// 0 or 1.
    pub fn bool(&self, column: &str) -> Result<bool> {
        Ok(self.int(column)? != 0)
    }

    /// Text.
    pub fn text(&self, column: &str) -> Result<String> {
        self.opt_text(column)?.ok_or_else(|| self.wrong(column, "is NULL"))
    }

    /// Text or NULL.
    pub fn opt_text(&self, column: &str) -> Result<Option<String>> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Text(v) => Ok(Some(v.clone())),
            _ => Err(self.wrong(column, "is not text")),
        }
    }

    /// Bytes.
    pub fn blob(&self, column: &str) -> Result<Vec<u8>> {
        self.opt_blob(column)?.ok_or_else(|| self.wrong(column, "is NULL"))
    }

    /// Bytes or NULL.
    pub fn opt_blob(&self, column: &str) -> Result<Option<Vec<u8>>> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Blob(v) => Ok(Some(v.clone())),
            _ => Err(self.wrong(column, "is not a blob")),
        }
    }

    /// An identifier or anything else written as text.
    pub fn id<T>(&self, column: &str) -> Result<T>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        self.text(column)?.parse().map_err(|e: T::Err| self.wrong(column, &e.to_string()))
    }

    /// An identifier or NULL.
    pub fn opt_id<T>(&self, column: &str) -> Result<Option<T>>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        let text = self.opt_text(column)?;
        text.map(|s| s.parse().map_err(|e: T::Err| self.wrong(column, &e.to_string()))).transpose()
    }

    /// A moment stored as microseconds.
    pub fn time(&self, column: &str) -> Result<Timestamp> {
        self.int(column).map(Timestamp::from_micros)
    }

    /// A moment or NULL.
    pub fn opt_time(&self, column: &str) -> Result<Option<Timestamp>> {
        Ok(self.opt_int(column)?.map(Timestamp::from_micros))
    }

    /// A date stored as ISO text.
    pub fn date(&self, column: &str) -> Result<Date> {
        self.id(column)
    }

    /// A date or NULL.
    pub fn opt_date(&self, column: &str) -> Result<Option<Date>> {
        self.opt_id(column)
    }

    /// JSON stored as text.
    pub fn json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(|e| self.wrong(column, &e.to_string()))
    }

    /// Column names in order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Values in column order.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    fn wrong(&self, column: &str, what: &str) -> Error {
        Error::internal(ColumnError { column: column.to_owned(), what: what.to_owned() })
    }
}
