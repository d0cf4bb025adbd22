//! Quota of an agreement: how many calls it allows, and the counters that hold a node to it.
//! What was really used is settled from the evidence; these counters only keep a caller within bounds.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base::clock::{Date, Timestamp};
use base::i18n::Text;
use serde::{Deserialize, Serialize};

use crate::deny::DenyReason;
use crate::ids::AgreementId;
use crate::t;

/// How many calls an agreement allows; absent means unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Quota {
    /// Calls in any clock minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_minute: Option<u32>,
    /// Calls in a day of Vietnamese time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u32>,
}

/// Largest number of calls that may be agreed for one period.
pub const MAX_CALLS: u32 = 100_000_000;

impl Quota {
    /// Checks the figures.
    ///
    /// # Errors
    /// The sentence with the permitted range.
    pub fn check(&self) -> Result<(), Text> {
        let sound = |n: Option<u32>| n.is_none_or(|n| (1..=MAX_CALLS).contains(&n));
        if sound(self.per_minute) && sound(self.per_day) {
            return Ok(());
        }
        Err(Text::both(|l| t::quota_range(l, MAX_CALLS)))
    }

    /// Whether this allows nothing that `other` does not, and is a sound quota.
    pub fn within(&self, other: &Self) -> bool {
        let fits = |mine: Option<u32>, theirs: Option<u32>| match (mine, theirs) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(mine), Some(theirs)) => mine <= theirs,
        };
        self.check().is_ok() && fits(self.per_minute, other.per_minute) && fits(self.per_day, other.per_day)
    }

    fn is_unlimited(&self) -> bool {
        self.per_minute.is_none() && self.per_day.is_none()
    }
}

/// What one agreement has used in the present minute and day.
#[derive(Debug)]
struct Used {
    minute: i64,
    in_minute: u32,
    day: Date,
    in_day: u32,
}

/// Number of independent locks, so that callers of different agreements do not wait for each other.
const SHARDS: usize = 64;

/// The counters of this node. A restart begins a new minute and day (stated error: at most one period's
/// allowance for each restart); the daily figure is settled from evidence afterwards.
#[derive(Debug)]
pub struct Meters {
    shards: Vec<Mutex<HashMap<AgreementId, Used>>>,
}

impl Default for Meters {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::new(HashMap::new())).collect() }
    }
}

impl Meters {
    /// Counts one call under an agreement, or says when the next may pass. Refused calls are not counted.
    ///
    /// # Errors
    /// [`DenyReason::QuotaUsed`].
    pub fn take(&self, agreement: AgreementId, quota: Quota, now: Timestamp) -> Result<(), DenyReason> {
        if quota.is_unlimited() {
            return Ok(());
        }
        let shard = &self.shards[agreement.0.as_bytes()[15] as usize % SHARDS];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let (minute, day) = (now.seconds().div_euclid(60), now.date());
        let used = shard.entry(agreement).or_insert(Used { minute, in_minute: 0, day, in_day: 0 });
        if used.minute != minute {
            (used.minute, used.in_minute) = (minute, 0);
        }
        if used.day != day {
            (used.day, used.in_day) = (day, 0);
        }
        if quota.per_day.is_some_and(|limit| used.in_day >= limit) {
            return Err(DenyReason::QuotaUsed { retry_after: seconds_to_tomorrow(now) });
        }
        if quota.per_minute.is_some_and(|limit| used.in_minute >= limit) {
            let left = 60 - now.seconds().rem_euclid(60);
            return Err(DenyReason::QuotaUsed { retry_after: u64::try_from(left).unwrap_or(60) });
        }
        used.in_minute += 1;
        used.in_day += 1;
        Ok(())
    }

    /// How many calls an agreement has had in the present minute and day, on this node.
    pub fn used(&self, agreement: AgreementId, now: Timestamp) -> (u32, u32) {
        let shard = &self.shards[agreement.0.as_bytes()[15] as usize % SHARDS];
        let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let (minute, day) = (now.seconds().div_euclid(60), now.date());
        shard.get(&agreement).map_or((0, 0), |used| {
            let in_minute = if used.minute == minute { used.in_minute } else { 0 };
            (in_minute, if used.day == day { used.in_day } else { 0 })
        })
    }

    /// Forgets agreements that are no longer in `known`; called when the snapshot is swapped, so that the
    /// counters stay within the size of the configuration.
    pub fn retain(&self, known: impl Fn(AgreementId) -> bool) {
        for shard in &self.shards {
            shard.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| known(*id));
        }
    }
}

fn seconds_to_tomorrow(now: Timestamp) -> u64 {
    let tomorrow = now.date().plus_days(1).map_or(now, Timestamp::start_of);
    tomorrow.since(now).as_secs() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::ids::Uuid;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_minute_holds_so_many_calls_and_the_next_begins_anew() {
        let (meters, id) = (Meters::default(), AgreementId(Uuid::from_u128(1)));
        let quota = Quota { per_minute: Some(2), per_day: None };
        let now = at("2026-11-22T08:00:10Z");
        assert!(meters.take(id, quota, now).is_ok() && meters.take(id, quota, now).is_ok());
        assert_eq!(meters.take(id, quota, now), Err(DenyReason::QuotaUsed { retry_after: 50 }));
        assert!(meters.take(AgreementId(Uuid::from_u128(2)), quota, now).is_ok(), "others are not touched");
        assert_eq!(meters.used(id, now), (2, 2));
        assert!(meters.take(id, quota, at("2026-11-22T08:01:00Z")).is_ok());
        assert_eq!(meters.used(id, at("2026-11-22T08:01:30Z")), (1, 3));
        assert_eq!(meters.used(id, at("2026-11-23T08:01:30Z")), (0, 0));
    }

    #[test]
    fn the_day_turns_at_midnight_in_vietnam() {
        let (meters, id) = (Meters::default(), AgreementId(Uuid::from_u128(1)));
        let quota = Quota { per_minute: None, per_day: Some(1) };
        assert!(meters.take(id, quota, at("2026-11-22T16:59:59Z")).is_ok());
        assert_eq!(
            meters.take(id, quota, at("2026-11-22T16:59:59Z")),
            Err(DenyReason::QuotaUsed { retry_after: 2 })
        );
        assert!(meters.take(id, quota, at("2026-11-22T17:00:00Z")).is_ok());
    }

    #[test]
    fn figures_outside_the_range_are_refused_and_unlimited_is_not_counted() {
        assert!(Quota { per_minute: Some(0), per_day: None }.check().is_err());
        assert!(Quota { per_minute: None, per_day: Some(MAX_CALLS + 1) }.check().is_err());
        let meters = Meters::default();
        assert!(
            meters
                .take(AgreementId(Uuid::from_u128(1)), Quota::default(), at("2026-11-22T00:00:00Z"))
                .is_ok()
        );
        assert!(meters.shards.iter().all(|s| s.lock().unwrap().is_empty()));
    }
}
