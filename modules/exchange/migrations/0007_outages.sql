-- Interruptions of services of which their consumers were told, and whom to tell at a system.

CREATE TABLE exchange_contact (
    id TEXT PRIMARY KEY,
    subsystem_id TEXT NOT NULL REFERENCES exchange_subsystem (id),
    channel TEXT NOT NULL,
    address BLOB NOT NULL,
    digest BLOB NOT NULL,
    masked TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (subsystem_id, channel, digest)
) STRICT;

CREATE TABLE exchange_outage (
    id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL REFERENCES exchange_service (id),
    since INTEGER NOT NULL,
    known TEXT NOT NULL,
    expected TEXT NOT NULL,
    told_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;
CREATE UNIQUE INDEX exchange_outage_open ON exchange_outage (service_id) WHERE ended_at IS NULL;

CREATE TABLE exchange_outage_consumer (
    outage_id TEXT NOT NULL REFERENCES exchange_outage (id),
    subsystem_id TEXT NOT NULL REFERENCES exchange_subsystem (id),
    PRIMARY KEY (outage_id, subsystem_id)
) STRICT;
CREATE INDEX exchange_outage_consumer_of ON exchange_outage_consumer (subsystem_id);
