//! How people are reached, and how what others say is cleared of an address. Pure; what an address is, the kernel says.

use base::clock::Timestamp;
use kernel::notices::Channel;
pub(crate) use kernel::notices::{address, masked};

base::id_type!(
    /// A way by which somebody is reached.
    WayId,
    "notices.way"
);
kernel::id_value!(WayId);

/// Ways one person may have.
pub(crate) const MOST: usize = 6;
/// Minutes in which a code must be given back.
pub(crate) const CODE_MINUTES: u64 = 15;
/// Wrong codes before a new one is needed.
pub(crate) const MAX_TRIES: i64 = 5;

/// A way as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    pub id: WayId,
    pub channel: Channel,
    pub masked: String,
    pub verified_at: Option<Timestamp>,
    pub code_until: Option<Timestamp>,
}

/// What somebody else said, without the address that it may repeat.
pub(crate) fn without(reason: &str, address: &str) -> String {
    let mut out = reason.to_owned();
    let digits = address.trim_start_matches('+');
    let local = address.split('@').next().unwrap_or_default();
    for part in [address, digits, digits.get(2..).unwrap_or_default(), local] {
        // Shorter parts are in every other word.
        if part.len() >= 4 {
            out = replaced(&out, part);
        }
    }
    out
}

/// Without regard to case, which mail servers change.
fn replaced(text: &str, part: &str) -> String {
    let (lower, part) = (text.to_ascii_lowercase(), part.to_ascii_lowercase());
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    while let Some(at) = lower[from..].find(&part) {
        out.push_str(&text[from..from + at]);
        out.push_str("•••");
        from += at + part.len();
    }
    out.push_str(&text[from..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_does_not_repeat_the_address() {
        let said = "550 5.1.1 <Binh.TT@tinh.gov.vn>: no user binh.tt here";
        assert_eq!(without(said, "binh.tt@tinh.gov.vn"), "550 5.1.1 <•••>: no user ••• here");
        assert_eq!(without("bad 0912345678", "+84912345678"), "bad 0•••");
        assert_eq!(without("an apple", "an@b.vn"), "an apple");
    }
}
