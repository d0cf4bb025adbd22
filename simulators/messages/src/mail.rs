//! Reads a message (RFC 5322) as far as a person wants to see it: subject (RFC 2047), text (quoted-printable, base64 or
//! plain, RFC 2045).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What a person sees of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// What stands in `Message-ID`.
    pub message_id: String,
    /// Every header as it came, unfolded: name and value.
    pub headers: Vec<(String, String)>,
}

/// Reads a message.
pub fn read(message: &[u8]) -> Mail {
    let text = String::from_utf8_lossy(message).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let headers = headers(head);
    let get = |name: &str| {
        headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone()).unwrap_or_default()
    };
    let text = match get("content-transfer-encoding").to_ascii_lowercase().as_str() {
        "quoted-printable" => String::from_utf8_lossy(&quoted_printable(body, false)).into_owned(),
        "base64" => {
            let plain: String = body.chars().filter(|c| !c.is_whitespace()).collect();
            STANDARD.decode(plain).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default()
        }
        _ => body.to_owned(),
    };
    let text = text.replace("\r\n", "\n").trim_end().to_owned();
    Mail { subject: words(&get("subject")), text, message_id: get("message-id"), headers }
}

fn headers(head: &str) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = out.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            out.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    out
}

/// Decodes `=?utf-8?B?…?=` and `=?utf-8?Q?…?=`; blanks between two encoded words are not part of the text.
fn words(value: &str) -> String {
    let (mut out, mut rest, mut after_word) = (String::new(), value, false);
    while let Some(at) = rest.find("=?") {
        let (before, word) = rest.split_at(at);
        let Some((decoded, left)) = word_at(word) else {
            out.push_str(before);
            out.push_str("=?");
            rest = &word[2..];
            after_word = false;
            continue;
        };
        if !(after_word && before.trim().is_empty()) {
            out.push_str(before);
        }
        out.push_str(&decoded);
        rest = left;
        after_word = true;
    }
    out.push_str(rest);
    out
}

fn word_at(word: &str) -> Option<(String, &str)> {
    let mut parts = word.strip_prefix("=?")?.splitn(3, '?');
    let (charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let (text, left) = rest.split_once("?=")?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    let bytes = match encoding {
        "B" | "b" => STANDARD.decode(text).ok()?,
        "Q" | "q" => quoted_printable(text, true),
        _ => return None,
    };
    Some((String::from_utf8_lossy(&bytes).into_owned(), left))
}

fn quoted_printable(text: &str, is_header: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        match b {
            b'_' if is_header => out.push(b' '),
            b'=' => match (bytes.next(), bytes.next()) {
                (Some(b'\r'), Some(b'\n')) => {}
                (Some(a), Some(b)) => {
                    let digit = |d: u8| char::from(d).to_digit(16).and_then(|d| u8::try_from(d).ok());
                    if let (Some(a), Some(b)) = (digit(a), digit(b)) {
                        out.push(a * 16 + b);
                    }
                }
                _ => {}
            },
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_and_texts_are_read_as_people_see_them() {
        let raw = "Subject: =?utf-8?B?xJDDow==?=\r\n =?utf-8?Q?_h=E1=BA=BFt?= [1]\r\nMessage-ID: <k@d>\r\n\
                   Content-Transfer-Encoding: quoted-printable\r\n\r\nS=E1=BB=B1 c=\r\n=E1=BB=91\r\n.\r\n";
        let mail = read(raw.as_bytes());
        assert_eq!((mail.subject.as_str(), mail.text.as_str()), ("Đã hết [1]", "Sự cố\n."));
        assert_eq!(mail.message_id, "<k@d>");
        let raw = "Subject: plain =? text\r\nContent-Transfer-Encoding: base64\r\n\r\nxJDD\r\now==\r\n";
        let mail = read(raw.as_bytes());
        assert_eq!((mail.subject.as_str(), mail.text.as_str()), ("plain =? text", "Đã"));
        assert_eq!(read(b"").text, "");
    }
}
