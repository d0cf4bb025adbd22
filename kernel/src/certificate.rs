//! Until when a certificate holds: the one field of X.509 (RFC 5280 4.1.2.5) that people must know before it is too
//! late. Whether a certificate may be trusted is decided by the TLS library, never here.

use base::clock::{Date, Timestamp};

/// The last moment at which a DER-encoded certificate holds; `None` when it is not one.
pub fn not_after(der: &[u8]) -> Option<Timestamp> {
    let mut certificate = Der(Der(der).of(0x30)?);
    let mut fields = Der(certificate.of(0x30)?);
    if fields.tag() == Some(0xa0) {
        fields.next()?; // version
    }
    for _ in 0..3 {
        fields.next()?; // serial number, signature algorithm, issuer
    }
    let mut validity = Der(fields.of(0x30)?);
    validity.next()?;
    let (tag, value) = validity.next()?;
    time(tag, std::str::from_utf8(value).ok()?)
}

/// SHA-256 of a DER-encoded certificate, as people compare it: `AB:CD:…`.
pub fn fingerprint(der: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der);
    digest.as_ref().iter().map(|b| format!("{b:02X}")).collect::<Vec<_>>().join(":")
}

/// `YYMMDDHHMMSSZ` (UTCTime, 1950 to 2049) or `YYYYMMDDHHMMSSZ` (GeneralizedTime).
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z').filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?;
    let (year, rest) = match (tag, digits.len()) {
        (0x17, 12) => {
            let short: i16 = digits[..2].parse().ok()?;
            (if short < 50 { 2000 + short } else { 1900 + short }, &digits[2..])
        }
        (0x18, 14) => (digits[..4].parse().ok()?, &digits[4..]),
        _ => return None,
    };
    let part = |at: usize| rest[at..at + 2].parse::<i8>().ok();
    let date = Date::new(year, part(0)?, part(2)?)?;
    let seconds = i64::from(part(4)?) * 3_600 + i64::from(part(6)?) * 60 + i64::from(part(8)?);
    Some(Timestamp::from_micros((date.days_since_epoch() * 86_400 + seconds) * 1_000_000))
}

/// Reads one element after another (ITU-T X.690, definite lengths).
struct Der<'d>(&'d [u8]);

impl<'d> Der<'d> {
    fn tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn next(&mut self) -> Option<(u8, &'d [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (bytes.iter().fold(0, |n, b| n << 8 | usize::from(*b)), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, value))
    }

    fn of(&mut self, tag: u8) -> Option<&'d [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![tag];
        match u8::try_from(content.len()).ok().filter(|n| *n < 0x80) {
            Some(short) => out.push(short),
            None => out.extend([0x82, (content.len() >> 8) as u8, content.len() as u8]),
        }
        out.extend(content);
        out
    }

    fn certificate(version: bool, tag: u8, until: &str) -> Vec<u8> {
        let validity = [element(0x17, b"260101000000Z"), element(tag, until.as_bytes())].concat();
        let mut fields = if version { element(0xa0, &element(2, &[2])) } else { vec![] };
        fields.extend(element(2, &[1]));
        fields.extend(element(0x30, &[]));
        fields.extend(element(0x30, &[7; 200]));
        fields.extend(element(0x30, &validity));
        element(0x30, &element(0x30, &fields))
    }

    #[test]
    fn the_end_is_read_in_both_forms() {
        let end = |der: Vec<u8>| not_after(&der).map(Timestamp::rfc3339_vn);
        assert_eq!(
            end(certificate(true, 0x17, "261231165959Z")).as_deref(),
            Some("2026-12-31T23:59:59+07:00")
        );
        assert_eq!(
            end(certificate(false, 0x18, "20500101000000Z")).as_deref(),
            Some("2050-01-01T07:00:00+07:00")
        );
    }

    #[test]
    fn anything_else_is_not_a_certificate_and_never_a_panic() {
        let whole = certificate(true, 0x17, "261231165959Z");
        for cut in 0..whole.len() {
            let _ = not_after(&whole[..cut]);
        }
        for at in 0..whole.len() {
            let mut bent = whole.clone();
            bent[at] ^= 0xff;
            let _ = not_after(&bent);
        }
        for until in ["261331000000Z", "2612310000Z", "26123100000đZ", ""] {
            assert_eq!(not_after(&certificate(true, 0x17, until)), None, "{until}");
        }
    }
}
