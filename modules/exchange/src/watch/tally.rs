//! When an address is called down: one look may fail for many reasons, two in a row do not. Pure.

use std::time::Duration;

use base::clock::Timestamp;

use super::Cause;

/// Looks that must fail in a row.
const IN_A_ROW: u32 = 2;
/// After a call has succeeded, failing looks say nothing for so long.
pub(super) const CALLS_PROVE: Duration = Duration::from_secs(10);

/// What the looks at an address have given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    looks: u32,
    failures: u32,
    first: Timestamp,
    cause: Option<Cause>,
}

/// Since when it is down, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Down {
    pub since: Timestamp,
    pub cause: Cause,
}

impl Tally {
    /// A look at `at` gave this.
    pub(super) fn take(&mut self, found: Result<(), Cause>, at: Timestamp) {
        self.looks = self.looks.saturating_add(1);
        match found {
            Ok(()) => {
                self.failures = 0;
                self.cause = None;
            }
            Err(cause) => {
                if self.failures == 0 {
                    self.first = at;
                }
                self.failures = self.failures.saturating_add(1);
                self.cause = Some(cause);
            }
        }
    }

    /// Whether it was looked at often enough to say something.
    pub(super) fn is_settled(&self) -> bool {
        self.looks > 0 && !self.is_doubtful()
    }

    /// Whether the last look was good.
    pub(super) fn is_well(&self) -> bool {
        self.looks > 0 && self.failures == 0
    }

    /// Whether the last look failed, and another one is needed to be sure.
    pub(super) fn is_doubtful(&self) -> bool {
        (1..IN_A_ROW).contains(&self.failures)
    }

    /// Whether it is down by its looks.
    pub(super) fn down(&self) -> Option<Down> {
        let cause = self.cause.filter(|_| self.failures >= IN_A_ROW)?;
        Some(Down { since: self.first, cause })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn down_is_what_fails_twice_since_the_first_time() {
        let mut tally = Tally::default();
        assert!(!tally.is_settled());
        tally.take(Ok(()), at(1));
        assert!(tally.is_settled());
        tally.take(Err(Cause::Refused), at(4));
        assert_eq!((tally.down(), tally.is_doubtful()), (None, true));
        tally.take(Err(Cause::TimedOut), at(5));
        assert_eq!(tally.down(), Some(Down { since: at(4), cause: Cause::TimedOut }));
        tally.take(Ok(()), at(8));
        assert_eq!(tally.down(), None);
        tally.take(Err(Cause::Refused), at(11));
        tally.take(Ok(()), at(12));
        tally.take(Err(Cause::Refused), at(15));
        assert_eq!(tally.down(), None, "not in a row");
    }
}
