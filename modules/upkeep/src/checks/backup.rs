//! How old is the last good backup?

use std::time::Duration;

use base::clock::Timestamp;
use base::i18n::Text;
use kernel::{Kernel, backup};

use super::impossible;
use crate::check::{Check, State};
use crate::t;

pub(super) const NAME: &str = "kernel.backup";
/// A daily backup with two hours of patience.
const DAY: Duration = Duration::from_secs(26 * 3_600);
const THREE_DAYS: Duration = Duration::from_secs(74 * 3_600);

fn state(now: Timestamp, last: Option<Timestamp>) -> State {
    match last.map(|at| now.since(at)) {
        Some(age) if age <= DAY => State::Good,
        Some(age) if age > THREE_DAYS => State::Bad,
        Some(_) | None => State::Warning,
    }
}

pub(super) async fn check(k: &Kernel) -> Check {
    let title = Text::both(t::title_backup);
    let last = match backup::last(k).await {
        Ok(last) => last,
        Err(e) => return impossible(NAME, title, &e),
    };
    let text = match last {
        Some(at) => Text::both(|l| t::backup_last(l, at.vn())),
        None => Text::both(t::backup_none),
    };
    match state(k.clock.now(), last) {
        State::Good => Check::good(NAME, title, text),
        state => Check::wrong(NAME, title, state, text, Text::both(t::todo_backup)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_good_three_are_not() {
        let now = Timestamp::from_micros(1_790_000_000_000_000);
        let hours = |h: u64| state(now, Some(now.minus(Duration::from_secs(h * 3_600))));
        assert_eq!(
            [hours(0), hours(26), hours(27), hours(75)],
            [State::Good, State::Good, State::Warning, State::Bad]
        );
        assert_eq!(state(now, None), State::Warning);
    }
}
