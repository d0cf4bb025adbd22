//! The kernel's own tables.

use crate::db::Migration;

/// In order; applied before any module's.
pub const KERNEL: &[Migration] = &[
    Migration {
        name: "0001_kernel",
        sql: "
CREATE TABLE kernel_ordered_head (name TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT;

CREATE TABLE kernel_journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    position INTEGER UNIQUE,
    xid INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    actor TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX kernel_journal_subject ON kernel_journal (subject_kind, subject_id);
CREATE INDEX kernel_journal_unplaced ON kernel_journal (xid, seq) WHERE position IS NULL;

CREATE TABLE kernel_audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    position INTEGER UNIQUE,
    xid INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    detail TEXT NOT NULL,
    request_id TEXT NOT NULL
) STRICT;
CREATE INDEX kernel_audit_subject ON kernel_audit (subject_kind, subject_id);
CREATE INDEX kernel_audit_unplaced ON kernel_audit (xid, seq) WHERE position IS NULL;

CREATE TABLE kernel_listener (name TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT;
CREATE TABLE kernel_parked (
    listener TEXT NOT NULL,
    position INTEGER NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    error TEXT NOT NULL,
    parked_at INTEGER NOT NULL,
    PRIMARY KEY (listener, position)
) STRICT;
CREATE INDEX kernel_parked_subject ON kernel_parked (listener, subject_kind, subject_id);

CREATE TABLE kernel_job (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    run_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    lease_until INTEGER,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;
CREATE INDEX kernel_job_due ON kernel_job (state, run_at);

CREATE TABLE kernel_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
",
    },
    Migration {
        name: "0002_emergency",
        sql: "
ALTER TABLE kernel_audit ADD COLUMN emergency TEXT;
CREATE INDEX kernel_audit_emergency ON kernel_audit (emergency, seq) WHERE emergency IS NOT NULL;
",
    },
];

/// The kernel's parts in the order in which their tables are made.
pub(crate) fn all() -> Vec<(&'static str, &'static [Migration])> {
    vec![
        ("kernel", KERNEL),
        ("once", crate::once::MIGRATIONS),
        ("orgs", crate::orgs::MIGRATIONS),
        ("identity", crate::identity::MIGRATIONS),
        ("tokens", crate::tokens::MIGRATIONS),
        ("blobs", crate::blobs::MIGRATIONS),
        ("calendar", crate::calendar::MIGRATIONS),
        ("alerts", crate::alerts::MIGRATIONS),
        ("notices-asked", crate::notices::MIGRATIONS),
    ]
}
