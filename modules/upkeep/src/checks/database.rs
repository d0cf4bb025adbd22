//! Does the database answer, and how quickly?

use std::time::Duration;

use base::clock::Stopwatch;
use base::i18n::Text;
use kernel::Kernel;
use kernel::db::Backend;

use super::impossible;
use crate::check::{Check, State};
use crate::t;

pub(super) const NAME: &str = "kernel.database";
/// A question that needs longer is a sign.
const SLOW: Duration = Duration::from_secs(1);

pub(super) async fn check(k: &Kernel) -> Check {
    let title = Text::both(t::title_database);
    let watch = Stopwatch::start();
    if let Err(e) = k.db.query("SELECT 1 AS one", vec![]).await {
        return impossible(NAME, title, &e);
    }
    let took = watch.elapsed();
    let engine = match k.db.backend() {
        Backend::Sqlite => "SQLite",
        Backend::Postgres => "PostgreSQL",
    };
    let text = Text::both(|l| {
        let time = web::fmt::millis(l, took.as_secs_f64() * 1_000.0);
        t::database_answers(l, t::DatabaseAnswers { engine, time })
    });
    if took > SLOW {
        return Check::wrong(NAME, title, State::Warning, text, Text::both(t::todo_database_slow));
    }
    Check::good(NAME, title, text)
}
