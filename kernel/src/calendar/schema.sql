CREATE TABLE calendar_file (
    code TEXT NOT NULL,
    number INTEGER NOT NULL,
    extends TEXT,
    body TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (code, number)
) STRICT;
CREATE INDEX calendar_file_extends ON calendar_file (extends);

CREATE TABLE calendar_use (
    agency TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    code TEXT,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (agency, valid_from)
) STRICT;
