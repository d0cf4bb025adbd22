//! Does the database answer, and how quickly?

use std::time::Duration;

use base::clock::Stopwatch;
use base::i18n::Text;
use kernel::Kernel;
use kernel::db::Backend;

use crate::check::{Check, State};
use crate::t;

pub(crate) const NAME: &str = "kernel.database";
/// A question that needs longer is a sign.
const SLOW: Duration = Duration::from_secs(1);
/// Without an answer for this long it is away.
const AWAY: Duration = Duration::from_secs(3);

pub(super) async fn check(k: &Kernel) -> Check {
    let title = Text::both(t::title_database);
    let engine = match k.db.backend() {
        Backend::Sqlite => "SQLite",
        Backend::Postgres => "PostgreSQL",
    };
    let watch = Stopwatch::start();
    // The pool would go on trying for longer than anybody wants to wait for this answer.
    let why = match tokio::time::timeout(AWAY, k.db.query("SELECT 1 AS one", vec![])).await {
        Ok(Ok(_)) => None,
        Ok(Err(e)) => Some(Text::both(|_| e.chain())),
        Err(_) => Some(Text::both(|l| t::database_silent(l, AWAY.as_secs()))),
    };
    if let Some(why) = why {
        let text = Text::both(|l| t::database_away(l, t::DatabaseAway { engine, why: why.get(l) }));
        return Check::wrong(NAME, title, State::Bad, text, Text::both(t::todo_database_away));
    }
    let took = watch.elapsed();
    let text = Text::both(|l| {
        let time = web::fmt::millis(l, took.as_secs_f64() * 1_000.0);
        t::database_answers(l, t::DatabaseAnswers { engine, time })
    });
    if took > SLOW {
        return Check::wrong(NAME, title, State::Warning, text, Text::both(t::todo_database_slow));
    }
    Check::good(NAME, title, text)
}
