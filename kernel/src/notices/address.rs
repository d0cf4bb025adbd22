//! What an address looks like on each channel, and how it is shown without giving it away. Pure.

use super::Channel;

/// The one spelling of an address; `None` if it is none on that channel.
pub fn address(channel: Channel, typed: &str) -> Option<String> {
    let typed = typed.trim();
    match channel {
        Channel::Email => email(typed),
        Channel::Sms => phone(typed),
        Channel::Chat => {
            let lawful = |c: char| c.is_ascii_alphanumeric() || "-_@.:".contains(c);
            ((3..=128).contains(&typed.len()) && typed.chars().all(lawful)).then(|| typed.to_owned())
        }
    }
}

/// An address such as mail servers of today take (RFC 5321 without quoted names, letters of ASCII).
fn email(typed: &str) -> Option<String> {
    let (name, domain) = typed.rsplit_once('@')?;
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let dots = |s: &str| !s.starts_with('.') && !s.ends_with('.') && !s.contains("..");
    let name_ok = (1..=64).contains(&name.len()) && name.chars().all(atom) && dots(name);
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    let domain_ok = domain.len() <= 190 && domain.contains('.') && domain.split('.').all(label);
    (name_ok && domain_ok).then(|| format!("{name}@{}", domain.to_ascii_lowercase()))
}

/// `0912 345 678` and `+84 912 345 678` as `+84912345678`; other countries with their `+`.
fn phone(typed: &str) -> Option<String> {
    let plain: String = typed.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')')).collect();
    let number = match plain.strip_prefix('0') {
        Some(rest) if !plain.starts_with("00") => format!("+84{rest}"),
        _ => plain,
    };
    let digits = number.strip_prefix('+')?;
    let lawful = (9..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    (lawful && !digits.starts_with('0')).then_some(number)
}

/// Enough to be recognised by whose it is, too little to be used by others.
pub fn masked(channel: Channel, address: &str) -> String {
    match (channel, address.rsplit_once('@')) {
        (Channel::Email, Some((name, domain))) => {
            let first: String = name.chars().take(1).collect();
            format!("{first}•••@{domain}")
        }
        _ => {
            let count = address.chars().count();
            let shown = if count > 6 { 3 } else { 1 };
            let end: String = address.chars().skip(count.saturating_sub(shown)).collect();
            format!("•••{end}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_spelling_and_no_second_recipient() {
        let mail = |s| address(Channel::Email, s);
        assert_eq!(mail(" Binh.TT@Tinh.GOV.vn "), Some("Binh.TT@tinh.gov.vn".into()));
        for bad in [
            "",
            "a",
            "a@b",
            "a@b..vn",
            "@b.vn",
            "a@.vn",
            ".a@b.vn",
            "a b@c.vn",
            "a@b.vn, c@d.vn",
            "a@b.vn\r\nBcc: c@d.vn",
            "<a@b.vn>",
            "bình@b.vn",
            "a@-b.vn",
            "\"a b\"@c.vn",
            "a@[127.0.0.1]",
        ] {
            assert_eq!(mail(bad), None, "{bad}");
        }
        assert_eq!(mail(&format!("{}@b.vn", "a".repeat(65))), None);
        let phone = |s| address(Channel::Sms, s);
        assert_eq!(phone("0912.345.678"), Some("+84912345678".into()));
        assert_eq!(phone("+84 912 345 678"), Some("+84912345678".into()));
        for bad in ["", "113", "0084912345678", "+0912345678", "09123x5678", "+849123456789012345"] {
            assert_eq!(phone(bad), None, "{bad}");
        }
        assert_eq!(address(Channel::Chat, "-100123456"), Some("-100123456".into()));
        assert_eq!(address(Channel::Chat, "https://example.vn/x"), None, "a chat is no address to call");
    }

    #[test]
    fn masks_keep_the_address_to_its_owner() {
        assert_eq!(masked(Channel::Email, "binh@tinh.gov.vn"), "b•••@tinh.gov.vn");
        assert_eq!(masked(Channel::Sms, "+84912345678"), "•••678");
        assert_eq!(masked(Channel::Chat, "abc"), "•••c");
    }
}
