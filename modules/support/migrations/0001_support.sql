-- Reports of errors: cases, what each reporter said, and every step that was taken.

CREATE TABLE support_case (
    id TEXT PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    -- empty when the reporter belongs to no agency
    agency TEXT NOT NULL,
    level TEXT NOT NULL,
    state TEXT NOT NULL,
    verified INTEGER NOT NULL,
    page TEXT NOT NULL,
    screen TEXT NOT NULL,
    fault TEXT NOT NULL,
    reports INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    -- words without tone marks
    search TEXT NOT NULL
) STRICT;
CREATE INDEX support_case_listed ON support_case (state, level, id);
CREATE INDEX support_case_agency ON support_case (agency, id);
-- Reports of the same fault of the same page are put together while they wait.
CREATE UNIQUE INDEX support_case_same ON support_case (agency, page, fault, verified)
    WHERE state = 'waiting' AND fault <> '';

CREATE TABLE support_report (
    id TEXT PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES support_case (id),
    -- NULL for a stranger
    person TEXT,
    request TEXT NOT NULL,
    browser TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    words TEXT NOT NULL,
    file_name TEXT,
    file_type TEXT,
    file_blob TEXT
) STRICT;
CREATE INDEX support_report_case ON support_report (case_id, id);
CREATE INDEX support_report_person ON support_report (person, id);

CREATE TABLE support_step (
    id TEXT PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES support_case (id),
    at INTEGER NOT NULL,
    -- NULL for the platform
    person TEXT,
    kind TEXT NOT NULL,
    words TEXT NOT NULL
) STRICT;
CREATE INDEX support_step_case ON support_step (case_id, id);
