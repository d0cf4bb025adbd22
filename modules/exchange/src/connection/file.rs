//! Files people attach to a request: which are taken, and under which name they are shown. Keeping them is the content
//! store's part.

use base::i18n::Text;

use crate::t;

/// Largest file, in bytes.
pub const MAX_BYTES: u64 = 10 * 1024 * 1024;
/// Most files of one request.
pub const MAX_FILES: i64 = 30;

/// What a file is, judged by its first bytes and not by its name.
///
/// # Errors
/// The sentence that names the kinds that are taken.
pub fn media_type(name: &str, bytes: &[u8]) -> Result<&'static str, Text> {
    let ends = |suffix: &str| name.to_lowercase().ends_with(suffix);
    match bytes {
        [b'%', b'P', b'D', b'F', b'-', ..] => Ok("application/pdf"),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Ok("image/png"),
        [0xff, 0xd8, 0xff, ..] => Ok("image/jpeg"),
        [b'P', b'K', 3, 4, ..] if ends(".docx") => {
            Ok("application/vnd.openxmlformats-officedocument.wordprocessingml.document")
        }
        _ => Err(Text::both(t::file_kinds)),
    }
}

/// A name without folders, control characters and marks that turn the writing direction, of bounded length.
pub fn shown_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let name: String = base::text::nfc(last).chars().filter(|c| !odd(*c)).take(150).collect();
    let name = name.trim().trim_matches('.').to_owned();
    if name.is_empty() { "tep-dinh-kem".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_judged_by_their_bytes() {
        assert_eq!(media_type("x.exe", b"%PDF-1.7"), Ok("application/pdf"));
        assert!(media_type("x.pdf", b"MZ\x90").is_err());
        assert!(media_type("x.zip", b"PK\x03\x04").is_err() && media_type("x.DOCX", b"PK\x03\x04").is_ok());
        assert!(media_type("x.pdf", b"").is_err());
    }

    #[test]
    fn names_are_harmless() {
        assert_eq!(shown_name("C:\\a\\..\\Công văn 12.pdf"), "Công văn 12.pdf");
        assert_eq!(shown_name("../../etc/passwd"), "passwd");
        assert_eq!(shown_name("a\u{202e}fdp.exe\r\n"), "afdp.exe");
        assert_eq!(shown_name(".."), "tep-dinh-kem");
        assert_eq!(shown_name(&"x".repeat(999)).chars().count(), 150);
    }
}
