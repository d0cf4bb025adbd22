-- What providers have announced of their services: changes, deprecations, ends; who was told, reminded, and has
-- acknowledged it.
CREATE TABLE exchange_announcement (
    id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL REFERENCES exchange_service (id),
    -- 'change', 'deprecation' or 'end'
    kind TEXT NOT NULL,
    -- The day on which the change takes effect, or from which on the service is deprecated.
    effective TEXT NOT NULL,
    -- The first day without the service, where that is known.
    ends TEXT,
    what TEXT NOT NULL,
    successor_id TEXT REFERENCES exchange_service (id),
    told_at INTEGER NOT NULL,
    told_by TEXT NOT NULL,
    told_name TEXT,
    -- When the provider confirmed that calls are refused after the end, and who did.
    refuses_at INTEGER,
    refuses_name TEXT,
    withdrawn_at INTEGER,
    withdrawn_name TEXT
) STRICT;
-- A service ends once.
CREATE UNIQUE INDEX exchange_announcement_end ON exchange_announcement (service_id)
    WHERE kind <> 'change' AND withdrawn_at IS NULL;
CREATE INDEX exchange_announcement_service ON exchange_announcement (service_id, told_at);

CREATE TABLE exchange_announcement_consumer (
    announcement_id TEXT NOT NULL REFERENCES exchange_announcement (id),
    subsystem_id TEXT NOT NULL REFERENCES exchange_subsystem (id),
    told_at INTEGER NOT NULL,
    -- The last reminder: how many days before it was due.
    reminded INTEGER,
    acknowledged_at INTEGER,
    acknowledged_by TEXT,
    acknowledged_name TEXT,
    PRIMARY KEY (announcement_id, subsystem_id)
) STRICT;
CREATE INDEX exchange_announcement_consumer_of ON exchange_announcement_consumer (subsystem_id);
