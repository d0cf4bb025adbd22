//! When an office works: busy before and after lunch, quiet at night and at the weekend, never dead, because the
//! online channel is open all day. Pure.

use std::time::Duration;

use base::clock::Timestamp;

use crate::dice::Dice;

/// Share of the busiest hour's calls, by hour in Vietnam on a working day.
const DAY: [f64; 24] = [
    0.12, 0.10, 0.10, 0.10, 0.10, 0.12, 0.25, 0.70, 1.00, 1.00, 0.90, 0.60, 0.30, 0.70, 0.95, 0.90, 0.70,
    0.40, 0.30, 0.30, 0.28, 0.25, 0.20, 0.15,
];

/// How busy the office is at this moment, from 0.1 to 1.
pub fn share_of_peak(at: Timestamp) -> f64 {
    let local = at.seconds() + 7 * 3_600;
    let hour = local.div_euclid(3_600).rem_euclid(24) as usize;
    // 1 January 1970 was a Thursday: day 3 of a week that begins on Monday.
    let weekday = (local.div_euclid(86_400) + 3).rem_euclid(7);
    if weekday >= 5 { (DAY[hour] * 0.3).max(0.1) } else { DAY[hour] }
}

/// The pause before the next call when `per_second` arrive by chance, independently of each other.
pub(crate) fn pause(dice: &Dice, per_second: f64) -> Duration {
    let seconds = -(1.0 - dice.unit()).ln() / per_second;
    Duration::from_secs_f64(seconds.clamp(0.0, 120.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: &str) -> f64 {
        share_of_peak(s.parse().unwrap())
    }

    #[test]
    fn the_office_is_busy_when_it_is_open() {
        assert_eq!(at("2026-11-23T08:30:00+07:00"), 1.0, "Monday morning");
        assert_eq!(at("2026-11-23T02:30:00+07:00"), 0.10, "Monday night");
        assert_eq!(at("2026-11-22T08:30:00+07:00"), 0.3, "Sunday morning");
        assert_eq!(at("2026-11-22T17:30:00Z"), 0.12, "already Monday in Vietnam");
    }

    #[test]
    fn pauses_give_the_asked_rate_on_average() {
        let dice = Dice::new(4);
        let total: Duration = (0..20_000).map(|_| pause(&dice, 10.0)).sum();
        let rate = 20_000.0 / total.as_secs_f64();
        assert!((9.5..10.5).contains(&rate), "{rate}");
    }
}
