//! Who is on duty when: rules over periods, pure. From a period's first moment until before its last.

use base::clock::{Date, Timestamp};
use kernel::PersonId;

base::id_type!(
    /// A period on the rota.
    ShiftId,
    "notices.shift"
);
kernel::id_value!(ShiftId);

/// Longest period, in hours: nobody is on duty longer in one go.
pub(crate) const MAX_HOURS: i64 = 31 * 24;
const WEEK: i64 = 7 * 86_400_000_000;

/// A period on the rota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shift {
    pub id: ShiftId,
    pub begins: Timestamp,
    pub ends: Timestamp,
    pub first: PersonId,
    pub second: Option<PersonId>,
}

impl Shift {
    pub fn holds(&self, at: Timestamp) -> bool {
        self.begins <= at && at < self.ends
    }

    pub fn meets(&self, begins: Timestamp, ends: Timestamp) -> bool {
        self.begins < ends && begins < self.ends
    }

    /// The same period a week later.
    pub fn next_week(&self) -> (Timestamp, Timestamp) {
        (later(self.begins, WEEK), later(self.ends, WEEK))
    }
}

fn later(at: Timestamp, by: i64) -> Timestamp {
    Timestamp::from_micros(at.micros().saturating_add(by))
}

/// Monday 00:00 (UTC+7) of the week of a day.
pub(crate) fn week_of(day: Date) -> Timestamp {
    // 1 January 1970 was a Thursday.
    let since_monday = (day.days_since_epoch() + 3).rem_euclid(7);
    Timestamp::start_of(day.plus_days(-since_monday).unwrap_or(day))
}

/// The week after the one that begins at `monday`.
pub(crate) fn week_after(monday: Timestamp) -> Timestamp {
    later(monday, WEEK)
}

/// When nobody is on duty between two moments. `shifts` in the order of their beginnings.
pub(crate) fn gaps(shifts: &[Shift], from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let (mut out, mut covered) = (Vec::new(), from);
    for shift in shifts {
        if shift.begins > covered && covered < until {
            out.push((covered, shift.begins.min(until)));
        }
        covered = covered.max(shift.ends);
    }
    if covered < until {
        out.push((covered, until));
    }
    out
}

#[cfg(test)]
mod tests {
    use base::ids::Uuid;

    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_micros(hour * 3_600_000_000)
    }

    fn shift(begins: i64, ends: i64) -> Shift {
        let first = PersonId(Uuid::from_u128(1));
        Shift { id: ShiftId(Uuid::from_u128(1)), begins: at(begins), ends: at(ends), first, second: None }
    }

    #[test]
    fn a_period_ends_before_its_last_moment() {
        let s = shift(8, 16);
        assert!(s.holds(at(8)) && s.holds(at(15)) && !s.holds(at(16)) && !s.holds(at(7)));
        assert!(s.meets(at(15), at(20)) && !s.meets(at(16), at(20)) && !s.meets(at(0), at(8)));
        assert_eq!(s.next_week(), (at(8 + 168), at(16 + 168)));
    }

    #[test]
    fn gaps_are_what_no_period_covers() {
        let all = [shift(0, 8), shift(8, 10), shift(9, 12), shift(14, 20)];
        assert_eq!(gaps(&all, at(2), at(24)), [(at(12), at(14)), (at(20), at(24))]);
        assert_eq!(gaps(&all, at(2), at(13)), [(at(12), at(13))]);
        assert_eq!(gaps(&[], at(1), at(2)), [(at(1), at(2))]);
        assert_eq!(gaps(&all, at(0), at(10)), []);
    }

    #[test]
    fn a_week_begins_on_monday() {
        let day = |d| Date::new(2026, 11, d).unwrap();
        for d in 16..=22 {
            assert_eq!(week_of(day(d)), Timestamp::start_of(day(16)), "{d}");
        }
        assert_eq!(week_after(week_of(day(22))), Timestamp::start_of(day(23)));
    }
}
