CREATE TABLE backups_run (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    by_name TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    ok INTEGER,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX backups_run_kind ON backups_run (kind, started_at);
