//! Which backups stay: the newest ones, and the newest of each of the last days, weeks and months that have one. Pure.

use std::collections::BTreeSet;

use base::clock::Timestamp;

use crate::settings::Settings;

/// The number of the period in which a moment lies.
type Period = fn(Timestamp) -> i64;

/// The moments of those backups of `made` that stay.
pub fn kept(made: &[Timestamp], settings: &Settings) -> BTreeSet<Timestamp> {
    let mut newest_first = made.to_vec();
    newest_first.sort_unstable_by(|a, b| b.cmp(a));
    let mut kept: BTreeSet<_> =
        newest_first.iter().take(settings.keep_last.max(1) as usize).copied().collect();
    let rules: [(u32, Period); 3] = [
        (settings.keep_daily, |t| t.date().days_since_epoch()),
        // The epoch was a Thursday; weeks begin on Monday.
        (settings.keep_weekly, |t| (t.date().days_since_epoch() + 3).div_euclid(7)),
        (settings.keep_monthly, |t| i64::from(t.date().year()) * 12 + i64::from(t.date().month())),
    ];
    for (most, period) in rules {
        let mut last = None;
        let firsts = newest_first.iter().filter(|t| last.replace(period(**t)) != Some(period(**t)));
        kept.extend(firsts.take(most as usize).copied());
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn settings(last: u32, daily: u32, weekly: u32, monthly: u32) -> Settings {
        let mut settings = Settings::default();
        (settings.keep_last, settings.keep_daily) = (last, daily);
        (settings.keep_weekly, settings.keep_monthly) = (weekly, monthly);
        settings
    }

    /// Two backups a day for 400 days, the last one on Sunday 22/11/2026 at 13:30 in Vietnam.
    fn two_a_day() -> Vec<Timestamp> {
        let last: Timestamp = "2026-11-22T06:30:00Z".parse().unwrap();
        (0..800).map(|n| last.minus(Duration::from_secs(n * 12 * 3_600))).collect()
    }

    fn days(kept: &BTreeSet<Timestamp>) -> Vec<String> {
        kept.iter().rev().map(|t| t.vn()).collect()
    }

    #[test]
    fn each_rule_keeps_the_newest_of_its_periods() {
        let made = two_a_day();
        let kept = |s: &Settings| days(&kept(&made, s));
        assert_eq!(kept(&settings(2, 0, 0, 0)), ["22/11/2026 13:30", "22/11/2026 01:30"]);
        let daily = ["22/11/2026 13:30", "21/11/2026 13:30", "20/11/2026 13:30"];
        assert_eq!(kept(&settings(1, 3, 0, 0)), daily);
        let weekly = ["22/11/2026 13:30", "15/11/2026 13:30", "08/11/2026 13:30"];
        assert_eq!(kept(&settings(1, 0, 3, 0)), weekly, "weeks end on Sunday");
        let monthly = ["22/11/2026 13:30", "31/10/2026 13:30", "30/09/2026 13:30"];
        assert_eq!(kept(&settings(1, 0, 0, 3)), monthly);
        assert_eq!(kept(&Settings::default()).len(), 23, "rules overlap");
    }

    #[test]
    fn the_newest_stays_whatever_is_configured() {
        let made = two_a_day();
        assert_eq!(days(&kept(&made, &settings(0, 0, 0, 0))), ["22/11/2026 13:30"]);
        assert!(kept(&[], &Settings::default()).is_empty());
    }
}
