//! Does work that follows actions get done: jobs, and listeners to facts?

use std::time::Duration;

use base::i18n::Text;
use kernel::{Kernel, jobs, listeners};

use super::impossible;
use crate::check::{Check, State};
use crate::t;

pub(super) const JOBS: &str = "kernel.jobs";
pub(super) const LISTENERS: &str = "kernel.listeners";
/// Work that waits longer is late.
const LATE: Duration = Duration::from_secs(300);
/// Reasons named; the others are counted.
const NAMED: u32 = 3;

pub(super) async fn jobs(k: &Kernel) -> Check {
    let title = Text::both(t::title_jobs);
    let found = async {
        let (counts, dead) = (jobs::counts(k).await?, jobs::dead(k, NAMED).await?);
        Ok::<_, kernel::Error>((counts, dead, jobs::waiting_since(k).await?))
    };
    let (counts, dead, waiting) = match found.await {
        Ok(found) => found,
        Err(e) => return impossible(JOBS, title, &e),
    };
    let number = |l, n| web::fmt::number(l, n);
    if counts.dead > 0 {
        let reasons: Vec<_> =
            dead.iter().map(|d| format!("{} ({}): {}", d.kind, d.at.vn(), clip(&d.error))).collect();
        let text = Text::both(|l| {
            t::jobs_dead(l, t::JobsDead { dead: number(l, counts.dead), reasons: reasons.join("; ") })
        });
        return Check::wrong(JOBS, title, State::Bad, text, Text::both(t::todo_jobs_dead));
    }
    let text = Text::both(|l| {
        let (running, waiting) = (number(l, counts.running), number(l, counts.waiting));
        t::jobs_counts(l, t::JobsCounts { running, waiting })
    });
    match waiting.filter(|since| k.clock.now().since(*since) > LATE) {
        Some(since) => {
            let text = Text::both(|l| format!("{} {}", text.get(l), t::jobs_late(l, since.vn())));
            Check::wrong(JOBS, title, State::Warning, text, Text::both(t::todo_jobs_late))
        }
        None => Check::good(JOBS, title, text),
    }
}

pub(super) async fn listeners(k: &Kernel) -> Check {
    let title = Text::both(t::title_listeners);
    let found = async { Ok::<_, kernel::Error>((listeners::parked(k).await?, listeners::behind(k).await?)) };
    let (parked, behind) = match found.await {
        Ok(found) => found,
        Err(e) => return impossible(LISTENERS, title, &e),
    };
    if let Some(first) = parked.first() {
        let text = Text::both(|l| {
            t::listeners_parked(
                l,
                t::ListenersParked {
                    count: i64::try_from(parked.len()).unwrap_or(i64::MAX),
                    error: clip(&first.error),
                    listener: &first.listener,
                },
            )
        });
        return Check::wrong(LISTENERS, title, State::Bad, text, Text::both(t::todo_listeners_parked));
    }
    let now = k.clock.now();
    if let Some(late) = behind.iter().find(|b| now.since(b.since) > LATE) {
        let text = Text::both(|l| {
            t::listeners_behind(l, t::ListenersBehind { listener: late.listener, since: late.since.vn() })
        });
        return Check::wrong(LISTENERS, title, State::Warning, text, Text::both(t::todo_listeners_behind));
    }
    Check::good(LISTENERS, title, Text::both(t::listeners_good))
}

/// Enough of a reason to recognise it.
fn clip(reason: &str) -> String {
    reason.chars().take(200).collect()
}
