CREATE TABLE kernel_alert (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    severity INTEGER NOT NULL,
    title_vi TEXT NOT NULL,
    title_en TEXT NOT NULL,
    cause_vi TEXT NOT NULL,
    cause_en TEXT NOT NULL,
    todo_vi TEXT NOT NULL,
    todo_en TEXT NOT NULL,
    affected TEXT NOT NULL,
    affected_count INTEGER NOT NULL,
    since INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    cleared_at INTEGER,
    acknowledged_by TEXT,
    acknowledged_name TEXT,
    acknowledged_at INTEGER,
    note TEXT
) STRICT;
CREATE UNIQUE INDEX kernel_alert_open ON kernel_alert (key) WHERE cleared_at IS NULL;
CREATE INDEX kernel_alert_cleared ON kernel_alert (cleared_at, id);
