//! What a certificate says of itself: until when it holds (RFC 5280 4.1.2.5), for whom and by whom. Only for people to
//! read; whether a certificate may be trusted is decided by the TLS library, never here.

use std::net::IpAddr;

use base::clock::{Date, Timestamp};
use serde::{Deserialize, Serialize};

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// Whom it is for, as `CN=…, O=…`.
    pub subject: String,
    /// Who issued it, in the same form.
    pub issuer: String,
    /// Host names and addresses it holds for (RFC 5280 4.2.1.6), at most [`MOST_NAMES`].
    pub names: Vec<String>,
    /// The first moment at which it holds.
    pub not_before: Timestamp,
    /// The last moment at which it holds.
    pub not_after: Timestamp,
}

/// Names told of one certificate.
pub const MOST_NAMES: usize = 20;
/// Characters told of one name.
const MOST_CHARS: usize = 200;

/// The last moment at which a DER-encoded certificate holds; `None` when it is not one.
pub fn not_after(der: &[u8]) -> Option<Timestamp> {
    describe(der).map(|d| d.not_after)
}

/// What a DER-encoded certificate says of itself; `None` when it is not one.
pub fn describe(der: &[u8]) -> Option<Described> {
    let mut certificate = Der(Der(der).of(0x30)?);
    let mut fields = Der(certificate.of(0x30)?);
    if fields.tag() == Some(0xa0) {
        fields.next()?; // version
    }
    fields.next()?; // serial number
    fields.next()?; // signature algorithm
    let issuer = name(fields.next()?.1);
    let mut validity = Der(fields.of(0x30)?);
    let mut moment = || validity.next().and_then(|(tag, value)| time(tag, std::str::from_utf8(value).ok()?));
    let (not_before, not_after) = (moment()?, moment()?);
    let subject = fields.next().map(|(_, n)| name(n)).unwrap_or_default();
    let names = alternative_names(fields).unwrap_or_default();
    Some(Described { subject, issuer, names, not_before, not_after })
}

/// The usual parts of a distinguished name (RFC 4519), in the order of the certificate.
fn name(der: &[u8]) -> String {
    let mut parts = Vec::new();
    let mut sets = Der(der);
    while let Some((0x31, set)) = sets.next() {
        let mut pairs = Der(set);
        while let Some((0x30, pair)) = pairs.next() {
            let mut pair = Der(pair);
            let (Some(oid), Some((tag, value))) = (pair.of(0x06), pair.next()) else { break };
            let label = match oid {
                [0x55, 0x04, 0x03] => "CN",
                [0x55, 0x04, 0x06] => "C",
                [0x55, 0x04, 0x07] => "L",
                [0x55, 0x04, 0x08] => "ST",
                [0x55, 0x04, 0x0a] => "O",
                [0x55, 0x04, 0x0b] => "OU",
                _ => continue,
            };
            parts.push(format!("{label}={}", text(tag, value)));
        }
    }
    clean(&parts.join(", "))
}

/// A directory string: BMPString is UTF-16, the others are read as UTF-8.
fn text(tag: u8, value: &[u8]) -> String {
    if tag == 0x1e {
        let units: Vec<u16> = value.chunks_exact(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect();
        return String::from_utf16_lossy(&units);
    }
    String::from_utf8_lossy(value).into_owned()
}

/// What a stranger wrote into a certificate, fit for a line of a page or a log.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MOST_CHARS).collect()
}

/// The extension `subjectAltName`, if it is among what follows the subject.
fn alternative_names(mut fields: Der<'_>) -> Option<Vec<String>> {
    let extensions = loop {
        if let (0xa3, value) = fields.next()? {
            break Der(value).of(0x30)?;
        }
    };
    let mut extensions = Der(extensions);
    loop {
        let mut extension = Der(extensions.of(0x30)?);
        if extension.of(0x06)? != [0x55, 0x1d, 0x11] {
            continue;
        }
        if extension.tag() == Some(0x01) {
            extension.next()?; // critical
        }
        let mut given = Der(Der(extension.of(0x04)?).of(0x30)?);
        let mut names = Vec::new();
        while let Some((tag, value)) = given.next() {
            match (tag, value.len()) {
                (0x82, _) => names.push(clean(&String::from_utf8_lossy(value))),
                (0x87, 4) => names.extend(<[u8; 4]>::try_from(value).map(|a| IpAddr::from(a).to_string())),
                (0x87, 16) => names.extend(<[u8; 16]>::try_from(value).map(|a| IpAddr::from(a).to_string())),
                _ => {}
            }
            if names.len() == MOST_NAMES {
                break;
            }
        }
        return Some(names);
    }
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
    fn whom_it_is_for_and_by_whom_is_told_cleanly() {
        let attribute = |last: u8, tag: u8, value: &[u8]| {
            element(0x31, &element(0x30, &[element(6, &[0x55, 4, last]), element(tag, value)].concat()))
        };
        let issuer =
            [attribute(10, 0x0c, "Tổ chức\n mẫu".as_bytes()), attribute(3, 0x1e, &[0, b'C', 0x1e, 0xa5])];
        let names =
            [element(0x82, b"a.example"), element(0x87, &[10, 0, 0, 9]), element(0x81, b"x@y")].concat();
        let extension = |oid: &[u8], inner: &[u8]| {
            element(0x30, &[element(6, oid), element(1, &[0xff]), element(4, inner)].concat())
        };
        let all =
            [extension(&[0x55, 0x1d, 0x0f], &[]), extension(&[0x55, 0x1d, 0x11], &element(0x30, &names))];
        let mut fields = [element(2, &[1]), element(0x30, &[])].concat();
        fields.extend(element(0x30, &issuer.concat()));
        let validity = [element(0x17, b"260101000000Z"), element(0x17, b"261231165959Z")].concat();
        fields.extend(element(0x30, &validity));
        fields.extend(element(0x30, &attribute(3, 0x13, b"a.example")));
        fields.extend(element(0x30, &[]));
        fields.extend(element(0xa3, &element(0x30, &all.concat())));
        let whole = element(0x30, &element(0x30, &fields));
        let d = describe(&whole).unwrap();
        assert_eq!((d.subject.as_str(), d.issuer.as_str()), ("CN=a.example", "O=Tổ chức mẫu, CN=Cấ"));
        assert_eq!(d.names, ["a.example", "10.0.0.9"]);
        assert_eq!(d.not_before.rfc3339_vn(), "2026-01-01T07:00:00+07:00");
        for cut in 0..whole.len() {
            let _ = describe(&whole[..cut]);
        }
        for at in 0..whole.len() {
            let mut bent = whole.clone();
            bent[at] ^= 0xff;
            let _ = describe(&bent);
        }
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
