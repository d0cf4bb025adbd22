//! The filter for JSON: a strict reader that knows at every byte whether it may pass. Strings and numbers keep their
//! bytes and members their order; white space between tokens goes. Of a name that stands twice both are treated alike.

use std::sync::Arc;

use crate::fields::{Fields, Mode};
use crate::text::{Number, Text};
use crate::utf8::{Bom, Utf8};
use crate::{Fault, MAX_DEPTH, MAX_MEMBERS, MAX_NAME};

/// See the module.
#[derive(Debug)]
pub struct JsonFilter {
    fields: Arc<Fields>,
    bom: Bom,
    utf8: Utf8,
    stack: Vec<Frame>,
    due: Due,
    token: Token,
    /// What becomes of the value that comes next.
    next: Mode,
    /// The name of that value as written, with its quotation marks; it leaves when the value's first byte is known.
    name: Vec<u8>,
    removed: u64,
    fault: Option<Fault>,
}

/// An object or array that has begun.
#[derive(Debug)]
struct Frame {
    array: bool,
    mode: Mode,
    /// Whether something of it has left, so that a comma is due.
    wrote: bool,
    members: u32,
}

/// What may come next, between tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Value,
    ValueOrEnd,
    Name,
    NameOrEnd,
    Colon,
    CommaOrEnd,
    Nothing,
}

/// What is being read; whether its bytes leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    None,
    Name(Text),
    Text(Text, bool),
    Number(Number, bool),
    Word(&'static [u8], bool),
}

impl JsonFilter {
    /// A filter that lets `fields` pass.
    pub fn new(fields: Arc<Fields>) -> Self {
        Self {
            fields,
            bom: Bom::default(),
            utf8: Utf8::default(),
            stack: Vec::new(),
            due: Due::Value,
            token: Token::None,
            next: Mode::Sift(vec![0]),
            name: Vec::new(),
            removed: 0,
            fault: None,
        }
    }

    /// See [`crate::Filter::removed`].
    pub fn removed(&self) -> u64 {
        self.removed
    }

    /// See [`crate::Filter::push`].
    ///
    /// # Errors
    /// Why the document is refused.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        self.take(input, out).inspect_err(|fault| self.fault = Some(*fault))
    }

    /// See [`crate::Filter::finish`].
    ///
    /// # Errors
    /// When the document is not whole.
    pub fn finish(&mut self) -> Result<(), Fault> {
        self.utf8.finish()?;
        match self.fault {
            Some(fault) => Err(fault),
            None if self.due == Due::Nothing && self.token == Token::None => Ok(()),
            None => Err(Fault::Malformed),
        }
    }

    fn take(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        self.utf8.push(input)?;
        let mut rest = self.bom.skip(input)?;
        while let Some(b) = rest.first() {
            let used = match self.token {
                Token::None => self.between(*b, out).map(|()| 1)?,
                Token::Name(text) => self.in_name(text, rest)?,
                Token::Text(text, passes) => self.in_text(text, passes, rest, out)?,
                Token::Number(number, passes) => self.in_number(number, passes, *b, out)?,
                Token::Word(left, passes) => self.in_word(left, passes, *b, out)?,
            };
            rest = rest.get(used..).unwrap_or_default();
        }
        Ok(())
    }

    fn between(&mut self, b: u8, out: &mut Vec<u8>) -> Result<(), Fault> {
        match (b, self.due) {
            (b' ' | b'\t' | b'\n' | b'\r', _) => Ok(()),
            (b'"', Due::Name | Due::NameOrEnd) => {
                self.name.clear();
                self.name.push(b);
                self.token = Token::Name(Text::Plain);
                Ok(())
            }
            (b':', Due::Colon) => {
                self.due = Due::Value;
                Ok(())
            }
            (b',', Due::CommaOrEnd) => self.comma(),
            (b'}', Due::NameOrEnd | Due::CommaOrEnd) => self.close(false, b, out),
            (b']', Due::ValueOrEnd | Due::CommaOrEnd) => self.close(true, b, out),
            (_, Due::Value | Due::ValueOrEnd) => self.value(b, out),
            _ => Err(Fault::Malformed),
        }
    }

    fn comma(&mut self) -> Result<(), Fault> {
        let frame = self.stack.last().ok_or(Fault::Malformed)?;
        self.due = if frame.array { Due::Value } else { Due::Name };
        if frame.array {
            self.next = self.item_mode();
        }
        Ok(())
    }

    /// What becomes of the next element of the innermost array.
    fn item_mode(&self) -> Mode {
        match self.stack.last().map(|f| &f.mode) {
            Some(Mode::Sift(places)) => self.fields.json.item(places),
            Some(other) => other.clone(),
            None => Mode::Drop,
        }
    }

    fn in_name(&mut self, mut text: Text, rest: &[u8]) -> Result<usize, Fault> {
        let plain = text.plain(rest);
        if plain > 0 {
            self.name.extend_from_slice(rest.get(..plain.min(MAX_NAME + 1)).unwrap_or_default());
            return if self.name.len() > MAX_NAME { Err(Fault::TooLarge) } else { Ok(plain) };
        }
        let Some(b) = rest.first() else { return Ok(0) };
        self.name.push(*b);
        if self.name.len() > MAX_NAME {
            return Err(Fault::TooLarge);
        }
        if text.push(*b)? {
            self.token = Token::None;
            self.due = Due::Colon;
            self.named()?;
        } else {
            self.token = Token::Name(text);
        }
        Ok(1)
    }

    /// The name is whole: what becomes of its value.
    fn named(&mut self) -> Result<(), Fault> {
        let frame = self.stack.last_mut().ok_or(Fault::Malformed)?;
        frame.members += 1;
        if frame.members > MAX_MEMBERS {
            return Err(Fault::TooLarge);
        }
        self.next = match &frame.mode {
            Mode::Sift(places) => {
                let name: String = serde_json::from_slice(&self.name).map_err(|_| Fault::Malformed)?;
                self.fields.json.member(places, &name)
            }
            other => other.clone(),
        };
        Ok(())
    }

    /// A value begins.
    fn value(&mut self, b: u8, out: &mut Vec<u8>) -> Result<(), Fault> {
        if !matches!(b, b'{' | b'[' | b'"' | b't' | b'f' | b'n' | b'-' | b'0'..=b'9') {
            return Err(Fault::Malformed);
        }
        let mode = std::mem::replace(&mut self.next, Mode::Drop);
        let mode = match mode {
            Mode::Sift(places) => {
                let fits = match b {
                    b'{' => self.fields.json.takes_object(&places),
                    b'[' => self.fields.json.takes_array(&places),
                    _ => false,
                };
                if fits { Mode::Sift(places) } else { Mode::Drop }
            }
            other => other,
        };
        let passes = mode != Mode::Drop;
        if passes {
            self.lead(out);
        } else if self.stack.is_empty() {
            return Err(Fault::Shape);
        } else if self.stack.last().is_some_and(|f| f.mode != Mode::Drop) {
            self.removed = self.removed.saturating_add(1);
        }
        if passes {
            out.push(b);
        }
        match b {
            b'{' | b'[' => self.open(b == b'[', mode)?,
            b'"' => self.token = Token::Text(Text::Plain, passes),
            b't' => self.token = Token::Word(b"rue", passes),
            b'f' => self.token = Token::Word(b"alse", passes),
            b'n' => self.token = Token::Word(b"ull", passes),
            _ => self.token = Token::Number(Number::begin(b).ok_or(Fault::Malformed)?, passes),
        }
        Ok(())
    }

    /// The comma and the name before a value that passes.
    fn lead(&mut self, out: &mut Vec<u8>) {
        let Some(parent) = self.stack.last_mut() else { return };
        if std::mem::replace(&mut parent.wrote, true) {
            out.push(b',');
        }
        if !parent.array {
            out.extend_from_slice(&self.name);
            out.push(b':');
        }
    }

    fn open(&mut self, array: bool, mode: Mode) -> Result<(), Fault> {
        if self.stack.len() == MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        self.stack.push(Frame { array, mode, wrote: false, members: 0 });
        self.due = if array { Due::ValueOrEnd } else { Due::NameOrEnd };
        if array {
            self.next = self.item_mode();
        }
        Ok(())
    }

    fn close(&mut self, array: bool, b: u8, out: &mut Vec<u8>) -> Result<(), Fault> {
        let frame = self.stack.pop().filter(|f| f.array == array).ok_or(Fault::Malformed)?;
        if frame.mode != Mode::Drop {
            out.push(b);
        }
        self.valued();
        Ok(())
    }

    /// A value is whole.
    fn valued(&mut self) {
        self.token = Token::None;
        self.due = if self.stack.is_empty() { Due::Nothing } else { Due::CommaOrEnd };
    }

    fn in_text(
        &mut self,
        mut text: Text,
        passes: bool,
        rest: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<usize, Fault> {
        let plain = text.plain(rest);
        let used = plain.max(1);
        if passes {
            out.extend_from_slice(rest.get(..used).unwrap_or_default());
        }
        if plain == 0
            && let Some(b) = rest.first()
        {
            if text.push(*b)? {
                self.valued();
            } else {
                self.token = Token::Text(text, passes);
            }
        }
        Ok(used)
    }

    fn in_number(&mut self, number: Number, passes: bool, b: u8, out: &mut Vec<u8>) -> Result<usize, Fault> {
        match number.next(b)? {
            Some(number) => {
                if passes {
                    out.push(b);
                }
                self.token = Token::Number(number, passes);
                Ok(1)
            }
            None => {
                self.valued();
                Ok(0)
            }
        }
    }

    fn in_word(
        &mut self,
        left: &'static [u8],
        passes: bool,
        b: u8,
        out: &mut Vec<u8>,
    ) -> Result<usize, Fault> {
        let (wanted, left) = left.split_first().ok_or(Fault::Malformed)?;
        if b != *wanted {
            return Err(Fault::Malformed);
        }
        if passes {
            out.push(b);
        }
        self.token = Token::Word(left, passes);
        if left.is_empty() {
            self.valued();
        }
        Ok(1)
    }
}
