//! The inside of a JSON string and of a JSON number, byte by byte (RFC 8259, sections 6 and 7).

use crate::Fault;

/// Where a string stands with regard to escapes. A surrogate must be followed by its partner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Text {
    #[default]
    Plain,
    Escape,
    /// Hexadecimal digits read and their value; whether the partner of a surrogate is due.
    Hex(u8, u16, bool),
    /// A high surrogate was read: `\` is due.
    LowEscape,
    /// … then `u`.
    LowU,
}

impl Text {
    /// How many of the next bytes are plain characters of the string.
    pub(crate) fn plain(self, input: &[u8]) -> usize {
        if self != Self::Plain {
            return 0;
        }
        let special = |b: &u8| matches!(b, b'"' | b'\\') || *b < 0x20;
        input.iter().position(special).unwrap_or(input.len())
    }

    /// Takes a byte; true when it is the quotation mark that ends the string.
    pub(crate) fn push(&mut self, b: u8) -> Result<bool, Fault> {
        *self = match (*self, b) {
            (Self::Plain, b'"') => return Ok(true),
            (Self::Plain, b'\\') => Self::Escape,
            (Self::Plain, 0x20..) => Self::Plain,
            (Self::Escape, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Self::Plain,
            (Self::Escape, b'u') => Self::Hex(0, 0, false),
            (Self::LowEscape, b'\\') => Self::LowU,
            (Self::LowU, b'u') => Self::Hex(0, 0, true),
            (Self::Hex(digits, value, low), b) => {
                let digit = (b as char).to_digit(16).ok_or(Fault::Malformed)?;
                let value = value << 4 | u16::try_from(digit).unwrap_or(0);
                match (digits, value, low) {
                    (0..3, ..) => Self::Hex(digits + 1, value, low),
                    (_, 0xd800..0xdc00, false) => Self::LowEscape,
                    (_, 0xdc00..0xe000, true) => Self::Plain,
                    (_, 0xd800..0xe000, _) | (_, _, true) => return Err(Fault::Malformed),
                    _ => Self::Plain,
                }
            }
            _ => return Err(Fault::Malformed),
        };
        Ok(false)
    }
}

/// Where a number stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    Minus,
    Zero,
    Whole,
    Dot,
    Fraction,
    E,
    ESign,
    Exponent,
}

impl Number {
    pub(crate) fn begin(b: u8) -> Option<Self> {
        match b {
            b'-' => Some(Self::Minus),
            b'0' => Some(Self::Zero),
            b'1'..=b'9' => Some(Self::Whole),
            _ => None,
        }
    }

    /// Where it stands after `b`; `None` when `b` no longer belongs to it.
    pub(crate) fn next(self, b: u8) -> Result<Option<Self>, Fault> {
        Ok(Some(match (self, b) {
            (Self::Minus, b'0') => Self::Zero,
            (Self::Minus, b'1'..=b'9') | (Self::Whole, b'0'..=b'9') => Self::Whole,
            (Self::Zero | Self::Whole, b'.') => Self::Dot,
            (Self::Dot | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Whole | Self::Fraction, b'e' | b'E') => Self::E,
            (Self::E, b'+' | b'-') => Self::ESign,
            (Self::E | Self::ESign | Self::Exponent, b'0'..=b'9') => Self::Exponent,
            (Self::Zero, b'0'..=b'9') => return Err(Fault::Malformed),
            (Self::Zero | Self::Whole | Self::Fraction | Self::Exponent, _) => return Ok(None),
            _ => return Err(Fault::Malformed),
        }))
    }
}
