//! Whose clock is wrong: the provider's word against this machine's, with other providers as witnesses. Pure.

use base::clock::Timestamp;

/// Whose clock is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// The provider's.
    Theirs,
    /// This machine's.
    Ours,
    /// Nobody can say.
    Unclear,
}

/// Seconds by which a `Date` header, which has whole seconds, is ahead of the time in which it was made: between
/// `sent` and `received`. Zero when it may lie within.
pub(super) fn ahead(date: Timestamp, sent: Timestamp, received: Timestamp) -> i64 {
    let date = date.seconds();
    if date < sent.seconds() {
        date - sent.seconds()
    } else if date > received.seconds() + 1 {
        date - received.seconds()
    } else {
        0
    }
}

/// Whose clock is wrong when a provider is `ahead` seconds ahead of this machine, and `others` so many each. `None`
/// when nothing is wrong. A majority decides; this machine and the provider have one vote each.
pub fn judge(ahead: i64, others: &[i64], tolerated: i64) -> Option<Judged> {
    if ahead.abs() <= tolerated {
        return None;
    }
    let with_provider = others.iter().filter(|o| (*o - ahead).abs() <= tolerated).count();
    let with_us = others.iter().filter(|o| o.abs() <= tolerated).count();
    Some(match with_provider.cmp(&with_us) {
        std::cmp::Ordering::Greater => Judged::Ours,
        std::cmp::Ordering::Less => Judged::Theirs,
        std::cmp::Ordering::Equal => Judged::Unclear,
    })
}

/// By how many seconds providers that agree say this machine is behind, when most of at least two say so.
pub(super) fn ours_by_others(others: &[i64], tolerated: i64) -> Option<i64> {
    let first = others.iter().copied().find(|o| o.abs() > tolerated)?;
    let agree = others.iter().filter(|o| (*o - first).abs() <= tolerated).count();
    (agree >= 2 && agree * 2 > others.len()).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_may_lie_anywhere_within_the_question() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000 + 500_000);
        assert_eq!(ahead(at(100), at(100), at(102)), 0);
        assert_eq!(ahead(at(103), at(100), at(102)), 0, "rounded up");
        assert_eq!(ahead(at(3_700), at(100), at(102)), 3_598);
        assert_eq!(ahead(at(40), at(100), at(102)), -60);
    }

    #[test]
    fn the_majority_decides() {
        assert_eq!(judge(3, &[], 30), None);
        assert_eq!(judge(3600, &[], 30), Some(Judged::Unclear));
        assert_eq!(judge(3600, &[0], 30), Some(Judged::Theirs));
        assert_eq!(judge(3600, &[3601], 30), Some(Judged::Ours));
        assert_eq!(judge(-3600, &[-3600, 1, -3599], 30), Some(Judged::Ours));
        assert_eq!(judge(3600, &[3600, 0], 30), Some(Judged::Unclear));
        assert_eq!(judge(3600, &[-500], 30), Some(Judged::Unclear));
        assert_eq!(ours_by_others(&[3600], 30), None, "one witness is not enough");
        assert_eq!(ours_by_others(&[3600, 3590, 0], 30), Some(3600));
        assert_eq!(ours_by_others(&[0, 0, 3600], 30), None);
    }
}
