//! How a year goes: Mondays, weekends, Tết, hours of the day, few busy consumers and many quiet ones. The same every time.

use base::clock::Date;

/// Part of an average day's calls, by day.
pub(super) fn weight(day: Date) -> f64 {
    // 1970-01-01 was a Thursday; 0 is Monday.
    let weekday = (day.days_since_epoch() + 3).rem_euclid(7);
    let week = [1.55, 1.25, 1.2, 1.15, 1.2, 0.4, 0.25];
    let usual = week[usize::try_from(weekday).unwrap_or(0)];
    usual * tet(day)
}

/// Around the Lunar New Year: a rush before, almost nothing within.
fn tet(day: Date) -> f64 {
    let new_year = match day.year() {
        2025 => Date::new(2025, 1, 29),
        2026 => Date::new(2026, 2, 17),
        2027 => Date::new(2027, 2, 6),
        _ => None,
    };
    let Some(new_year) = new_year else { return 1.0 };
    match day.days_since_epoch() - new_year.days_since_epoch() {
        -14..=-3 => 1.4,
        -2..=5 => 0.08,
        6..=10 => 1.3,
        _ => 1.0,
    }
}

/// Part of a day's calls by hour; they sum up to 1.
pub(super) fn hours() -> [f64; 24] {
    let raw = [
        1.0, 0.6, 0.4, 0.4, 0.5, 1.0, 2.5, 6.0, 11.0, 13.0, 12.0, 8.0, 3.0, 7.5, 10.5, 10.0, 7.5, 3.0, 2.0,
        2.2, 2.4, 2.0, 1.5, 1.2,
    ];
    let sum: f64 = raw.iter().sum();
    raw.map(|part| part / sum)
}

/// Part of all calls of the agreement with this rank among so many: few make most of them.
pub(super) fn share(rank: usize, of: usize) -> f64 {
    let weight = |n: usize| (n as f64 + 8.0).powf(-1.1);
    // The sum by an integral, near enough and quick.
    let integral = |x: f64| x.powf(-0.1) / -0.1;
    weight(rank) / (integral(of as f64 + 8.0) - integral(8.0))
}

/// A number from 0 up to 1, always the same for the same two.
pub(super) fn chance(a: u64, b: u64) -> f64 {
    let mut x = a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    x = (x ^ (x >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mondays_are_busy_and_tet_is_quiet() {
        let day = |d, m| Date::new(2026, m, d).unwrap();
        assert!(
            weight(day(16, 11)) > weight(day(17, 11)) && weight(day(22, 11)) < 0.3,
            "Monday, Tuesday, Sunday"
        );
        assert!(weight(day(17, 2)) < 0.2 && weight(day(9, 2)) > 2.0);
        assert!((hours().iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let all: f64 = (0..50_000).map(|n| share(n, 50_000)).sum();
        assert!((0.95..1.05).contains(&all), "{all}");
        let mean: f64 = (0..10_000).map(|n| chance(n, 7)).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
    }
}
