//! Canonical JSON, the writing half of `json`.

use crate::json::Value;

pub(crate) fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Int(number) => write_integer(out, *number),
        Value::Text(text) => write_text(out, text),
        Value::List(list) => write_list(out, list, write_value),
        Value::Map(map) => {
            let mut object = ObjectWriter::begin(out);
            map.iter().for_each(|(key, value)| write_value(object.name(key), value));
            object.end();
        }
    }
}

fn write_integer(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(number.to_string().as_bytes());
}

fn write_list<T>(out: &mut Vec<u8>, list: &[T], each: impl Fn(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (i, value) in list.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        each(out, value);
    }
    out.push(b']');
}

/// Writes a string in its one canonical spelling.
pub(crate) fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut plain = 0;
    for (i, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0c => b'f',
            b'\r' => b'r',
            0x00..0x20 => b'u',
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[plain..i]);
        out.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            out.extend_from_slice(format!("{byte:04x}").as_bytes());
        }
        plain = i + 1;
    }
    out.extend_from_slice(&text.as_bytes()[plain..]);
    out.push(b'"');
}

/// Writes an object member by member; the caller gives the names in ascending order.
pub(crate) struct ObjectWriter<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> ObjectWriter<'a> {
    pub(crate) fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        ObjectWriter { out, empty: true }
    }

    /// Begins a member; its value is to be written to what comes back.
    pub(crate) fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        write_text(self.out, name);
        self.out.push(b':');
        self.out
    }

    pub(crate) fn text(&mut self, name: &str, text: &str) {
        write_text(self.name(name), text);
    }

    pub(crate) fn opt_text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    pub(crate) fn int(&mut self, name: &str, number: i64) {
        write_integer(self.name(name), number);
    }

    pub(crate) fn opt_int(&mut self, name: &str, number: Option<i64>) {
        if let Some(number) = number {
            self.int(name, number);
        }
    }

    pub(crate) fn list<T>(&mut self, name: &str, list: &[T], each: impl Fn(&mut Vec<u8>, &T)) {
        write_list(self.name(name), list, each);
    }

    pub(crate) fn object(&mut self, name: &str, members: impl FnOnce(&mut ObjectWriter<'_>)) {
        let mut object = ObjectWriter::begin(self.name(name));
        members(&mut object);
        object.end();
    }

    pub(crate) fn end(self) {
        self.out.push(b'}');
    }
}
