-- Examinations of the way to a service: how each ended, and all it saw (JSON). The last of each service are kept.
CREATE TABLE exchange_diagnosis (
    id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL,
    address TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    took INTEGER NOT NULL,
    -- NULL when nothing was wrong
    fault TEXT,
    side TEXT,
    report TEXT NOT NULL
) STRICT;
CREATE INDEX exchange_diagnosis_service ON exchange_diagnosis (service_id, began_at);
CREATE INDEX exchange_diagnosis_address ON exchange_diagnosis (address, began_at);
