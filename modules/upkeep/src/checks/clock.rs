//! Is this machine's clock right? Against the clock of a database on another machine, and against the time that has
//! really passed: a clock that is set while people work breaks the order of what they do.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base::clock::{Clock, Stopwatch, SystemClock, Timestamp};
use base::i18n::Text;
use kernel::Kernel;
use kernel::db::Backend;

use super::impossible;
use crate::check::{Check, State};
use crate::t;

pub(super) const NAME: &str = "kernel.clock";
/// More than this is not right any more, in seconds.
const TOLERATED: f64 = 2.0;
/// How long a leap of the clock is told of.
const TOLD: Duration = Duration::from_secs(3_600);

/// The clock as it was when it was last looked at, and its last leap.
#[derive(Default)]
pub(crate) struct Watch(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    last: Option<(Stopwatch, Timestamp)>,
    leap: Option<(Stopwatch, Timestamp, f64)>,
}

impl Watch {
    /// The last leap that is still told of: when, and by how many seconds.
    fn look(&self, now: Timestamp) -> Option<(Timestamp, f64)> {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((watch, then)) = memory.last.replace((Stopwatch::start(), now)) {
            let by = seconds_between(then, now) - watch.elapsed().as_secs_f64();
            if by.abs() > TOLERATED {
                memory.leap = Some((Stopwatch::start(), now, by));
            }
        }
        memory.leap.as_ref().filter(|(since, _, _)| since.elapsed() < TOLD).map(|(_, at, by)| (*at, *by))
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds with a few decimals are shown")]
fn seconds_between(a: Timestamp, b: Timestamp) -> f64 {
    (b.micros() - a.micros()) as f64 / 1e6
}

pub(super) async fn check(k: &Kernel, watch: &Watch) -> Check {
    let title = Text::both(t::title_clock);
    // The machine's own clock: the platform's may be moved on purpose in a demonstration.
    let machine = SystemClock;
    if let Some((at, by)) = watch.look(machine.now()) {
        let text =
            Text::both(|l| t::clock_leapt(l, t::ClockLeapt { at: at.vn(), by: web::fmt::decimal(l, by, 1) }));
        return Check::wrong(NAME, title, State::Warning, text, Text::both(t::todo_clock));
    }
    if k.db.backend() == Backend::Sqlite {
        return Check::good(NAME, title, Text::both(t::clock_steady));
    }
    let before = machine.now();
    let sql = "SELECT CAST(EXTRACT(EPOCH FROM CLOCK_TIMESTAMP()) * 1000000 AS BIGINT) AS at";
    let theirs = match k.db.query_one(sql, vec![]).await.and_then(|row| row.time("at")) {
        Ok(at) => at,
        Err(e) => return impossible(NAME, title, &e),
    };
    let after = machine.now();
    // Right if their moment lies between the two, however long the question took.
    let off = match theirs {
        t if t < before => seconds_between(before, t),
        t if t > after => seconds_between(after, t),
        _ => 0.0,
    };
    let text = Text::both(|l| t::clock_database(l, web::fmt::decimal(l, off.abs(), 1)));
    if off.abs() > TOLERATED {
        return Check::wrong(NAME, title, State::Bad, text, Text::both(t::todo_clock));
    }
    Check::good(NAME, title, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_is_noticed_and_one_that_runs_is_not() {
        let (watch, now) = (Watch::default(), SystemClock.now());
        assert_eq!(watch.look(now), None);
        assert_eq!(watch.look(now.plus(Duration::from_millis(100))), None);
        let (_, by) = watch.look(now.plus(Duration::from_secs(60))).unwrap();
        assert!((59.0..61.0).contains(&by), "{by}");
        assert!(watch.look(now.plus(Duration::from_secs(60))).is_some(), "told for an hour");
        assert!(watch.look(now).is_some_and(|(_, by)| by < -59.0), "set back");
    }
}
