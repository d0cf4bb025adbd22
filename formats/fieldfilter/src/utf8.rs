//! Whether a stream is UTF-8, however it is cut into pieces.

use crate::Fault;

#[derive(Debug, Default)]
pub(crate) struct Utf8 {
    carry: [u8; 4],
    len: usize,
}

impl Utf8 {
    pub(crate) fn push(&mut self, mut input: &[u8]) -> Result<(), Fault> {
        while self.len > 0 {
            let Some((first, rest)) = input.split_first() else { return Ok(()) };
            self.carry[self.len] = *first;
            self.len += 1;
            input = rest;
            match std::str::from_utf8(&self.carry[..self.len]) {
                Ok(_) => self.len = 0,
                Err(e) if e.error_len().is_none() && self.len < 4 => {}
                Err(_) => return Err(Fault::Malformed),
            }
        }
        let Err(e) = std::str::from_utf8(input) else { return Ok(()) };
        let tail = input.get(e.valid_up_to()..).unwrap_or_default();
        if e.error_len().is_some() || tail.len() > 3 {
            return Err(Fault::Malformed);
        }
        self.carry[..tail.len()].copy_from_slice(tail);
        self.len = tail.len();
        Ok(())
    }

    pub(crate) fn finish(&self) -> Result<(), Fault> {
        if self.len == 0 { Ok(()) } else { Err(Fault::Malformed) }
    }
}

/// Skips a byte order mark at the beginning of a stream.
#[derive(Debug, Default)]
pub(crate) struct Bom(u8);

const MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

impl Bom {
    /// What of the piece comes after the mark.
    pub(crate) fn skip<'i>(&mut self, mut input: &'i [u8]) -> Result<&'i [u8], Fault> {
        while let Some(wanted) = MARK.get(usize::from(self.0)) {
            match input.split_first() {
                None => break,
                Some((b, rest)) if b == wanted => {
                    input = rest;
                    self.0 += 1;
                }
                Some(_) if self.0 == 0 => self.0 = 3,
                Some(_) => return Err(Fault::Malformed),
            }
        }
        Ok(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_no_difference() {
        let good = "aễ😀\u{10ffff}".as_bytes();
        for bad in [&b"\xff"[..], b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\x80", b"\xe1\xbb"] {
            for cut in 0..=bad.len() {
                let mut utf8 = Utf8::default();
                let result =
                    utf8.push(&bad[..cut]).and_then(|()| utf8.push(&bad[cut..])).and_then(|()| utf8.finish());
                assert!(result.is_err(), "{bad:?} {cut}");
            }
        }
        let mut utf8 = Utf8::default();
        for b in good {
            utf8.push(&[*b]).unwrap();
        }
        utf8.finish().unwrap();
    }
}
