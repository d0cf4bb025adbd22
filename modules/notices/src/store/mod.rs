//! The tables; SQL only.

pub(crate) mod cases;
pub(crate) mod duty;
pub(crate) mod messages;
pub(crate) mod templates;
pub(crate) mod ways;

use kernel::alerts::Severity;
use kernel::db::Migration;

/// The module's tables.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_notices", sql: include_str!("../../migrations/0001_notices.sql") },
    Migration {
        name: "0002_about",
        sql: "
CREATE INDEX notices_message_about ON notices_message (about_kind, about_id, created_at, id);
CREATE TABLE notices_covers (
    message_id TEXT NOT NULL REFERENCES notices_message (id),
    about_kind TEXT NOT NULL,
    about_id TEXT NOT NULL,
    PRIMARY KEY (about_kind, about_id, message_id)
) STRICT;
",
    },
];

pub(crate) const fn number(severity: Severity) -> i64 {
    match severity {
        Severity::Warning => 1,
        Severity::Critical => 2,
    }
}

pub(crate) const fn severity(number: i64) -> Severity {
    if number >= 2 { Severity::Critical } else { Severity::Warning }
}
