//! Canonical JSON: the part of RFC 8785 that needs no floating-point numbers. One value has exactly one
//! spelling, so that a byte that differs is a value that differs. What the values mean is left to `leaf`
//! and `bundle`.

use std::collections::BTreeMap;

use crate::json_write::write_value;

/// The largest integer, and with a minus sign the smallest: what every JSON reader keeps exactly.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;
const MAX_DEPTH: usize = 8;
const MAX_KEY_BYTES: usize = 64;

/// The bytes are not canonical JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not canonical JSON near byte {at}: {why}")]
pub struct JsonError {
    /// Offset in bytes.
    pub at: usize,
    /// What is wrong there.
    pub why: &'static str,
}

/// A value: no floats, no booleans, no null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Int(i64),
    Text(String),
    List(Vec<Value>),
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// Reads a value that fills the input and is spelled canonically.
    pub(crate) fn parse(input: &[u8]) -> Result<Value, JsonError> {
        let text = std::str::from_utf8(input)
            .map_err(|e| JsonError { at: e.valid_up_to(), why: "the text is not UTF-8" })?;
        let mut parser = Parser { text, at: 0 };
        let value = parser.value(MAX_DEPTH)?;
        if parser.at < text.len() {
            return Err(parser.error("something follows the value"));
        }
        // The parser is content with any spelling of a string; this is what makes the form the only one.
        let again = value.encode();
        match again.iter().zip(input).position(|(a, b)| a != b) {
            None if again.len() == input.len() => Ok(value),
            differs => Err(JsonError { at: differs.unwrap_or(again.len()), why: "another spelling is due" }),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write_value(&mut out, self);
        out
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn error(&self, why: &'static str) -> JsonError {
        JsonError { at: self.at, why }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        if depth == 0 {
            return Err(self.error("too deeply nested"));
        }
        match self.peek() {
            Some(b'{') => self.map(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.integer(),
            _ => Err(self.error("a value is due")),
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut map = BTreeMap::new();
        self.at += 1;
        if self.take(b'}') {
            return Ok(Value::Map(map));
        }
        loop {
            let key = self.string()?;
            if !is_key(&key) {
                return Err(self.error("a name holds something other than a-z, 0-9 and _"));
            }
            if !self.take(b':') {
                return Err(self.error("a colon is due"));
            }
            let value = self.value(depth - 1)?;
            if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(self.error("names are not in ascending order or occur twice"));
            }
            map.insert(key, value);
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.error("a comma or brace is due")),
            }
        }
        self.at += 1;
        Ok(Value::Map(map))
    }

    fn list(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut list = Vec::new();
        self.at += 1;
        if self.take(b']') {
            return Ok(Value::List(list));
        }
        loop {
            list.push(self.value(depth - 1)?);
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.error("a comma or bracket is due")),
            }
        }
        self.at += 1;
        Ok(Value::List(list))
    }

    fn integer(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        match self.text[start..self.at].parse::<i64>() {
            Ok(number) if number.abs() <= MAX_INTEGER => Ok(Value::Int(number)),
            _ => Err(JsonError { at: start, why: "not an integer that every reader keeps exactly" }),
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        if !self.take(b'"') {
            return Err(self.error("a string is due"));
        }
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(['"', '\\']).ok_or(self.error("a string does not end"))?;
            out.push_str(&rest[..plain]);
            self.at += plain + 1;
            if rest.as_bytes()[plain] == b'"' {
                return Ok(out);
            }
            let escaped = self.escape().ok_or(self.error("not an escape of canonical JSON"))?;
            out.push(escaped);
        }
    }

    fn escape(&mut self) -> Option<char> {
        let kind = self.peek()?;
        self.at += 1;
        Some(match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'b' => '\u{8}',
            b't' => '\t',
            b'n' => '\n',
            b'f' => '\u{c}',
            b'r' => '\r',
            b'u' => {
                let digits = self.text.get(self.at..self.at + 4).filter(|d| d.starts_with("00"))?;
                self.at += 4;
                char::from(u8::from_str_radix(&digits[2..], 16).ok()?)
            }
            _ => return None,
        })
    }
}

fn is_key(key: &str) -> bool {
    (1..=MAX_KEY_BYTES).contains(&key.len())
        && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_spellings_are_refused() {
        for good in [r#"{"a":1,"b":["x",-2,{}]}"#, "0", r#""\u0001\b\t\n\f\r\"\\/é😀""#, "-9007199254740991"]
        {
            assert_eq!(Value::parse(good.as_bytes()).map(|v| v.encode()), Ok(good.as_bytes().to_vec()));
        }
        for bad in [
            "",
            " 1",
            "1 ",
            "1\n",
            "01",
            "-0",
            "+1",
            "1.0",
            "1e3",
            "9007199254740992",
            "-9007199254740992",
            "99999999999999999999",
            "-",
            "true",
            "false",
            "null",
            "NaN",
            r#"{"b":1,"a":2}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,}"#,
            r#"{"a" :1}"#,
            r#"{"A":1}"#,
            r#"{"":1}"#,
            "[1,]",
            "[1 ,2]",
            "[",
            "{",
            r#"{"a""#,
            r#"""#,
            r#""\/""#,
            r#""\u00e9""#,
            r#""\u0041""#,
            r#""\u001F""#,
            r#""\u0008""#,
            r#""\ud83d\ude00""#,
            r#""\x41""#,
            r#""\u00""#,
            r#""\u00+1""#,
            "\"\u{1}\"",
            "\"\n\"",
            "\u{feff}1",
            "'a'",
        ] {
            assert!(Value::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Value::parse(b"\"\xff\"").is_err());
        assert!(Value::parse("\"\\u00é\"".as_bytes()).is_err());
        assert!(Value::parse(&[b'['; 100_000]).is_err());
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            (-MAX_INTEGER..=MAX_INTEGER).prop_map(Value::Int),
            any::<String>().prop_map(Value::Text),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
                proptest::collection::btree_map("[a-z0-9_]{1,8}", inner, 0..6).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in values()) {
            prop_assert_eq!(Value::parse(&value.encode()), Ok(value));
        }

        #[test]
        fn what_is_read_is_written(text in r#"[\[\]{}",:\\a-cu0-9\-]{0,24}"#) {
            if let Ok(value) = Value::parse(text.as_bytes()) {
                prop_assert_eq!(value.encode(), text.as_bytes());
            }
        }
    }
}
