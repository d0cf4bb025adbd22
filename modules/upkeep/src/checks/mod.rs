//! The platform's own checks: each a real look, with what was found and the next step. Those of modules are their own.

mod backup;
mod certificate;
pub(crate) mod clock;
mod database;
mod disk;
mod work;

use base::i18n::Text;
use kernel::Kernel;

pub(crate) use database::NAME as DATABASE;

use crate::check::{Check, State};
use crate::runner::limited;
use crate::t;

/// All of them, made at the same time.
pub(crate) async fn all(k: &Kernel, clock: &clock::Watch) -> Vec<Check> {
    let (database, disk, backup, jobs, listeners, drift, certificate) = futures_util::join!(
        limited(database::NAME, Text::both(t::title_database), database::check(k)),
        limited(disk::NAME, Text::both(t::title_disk), disk::check(k)),
        limited(backup::NAME, Text::both(t::title_backup), backup::check(k)),
        limited(work::JOBS, Text::both(t::title_jobs), work::jobs(k)),
        limited(work::LISTENERS, Text::both(t::title_listeners), work::listeners(k)),
        limited(clock::NAME, Text::both(t::title_clock), clock::check(k, clock)),
        certificate::check(k),
    );
    let mut all = vec![database, disk, backup, jobs, listeners, drift];
    all.extend(certificate);
    all
}

/// A check that could not be made, because the database or the machine refused.
fn impossible(name: &str, title: Text, e: &kernel::Error) -> Check {
    let why = e.chain();
    Check::wrong(
        name,
        title,
        State::Bad,
        Text::both(|l| t::check_impossible(l, &why)),
        Text::both(t::todo_impossible),
    )
}
