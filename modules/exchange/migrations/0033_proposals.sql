-- New services their providers have handed in, until the operator has decided.
CREATE TABLE exchange_proposal (
    id TEXT PRIMARY KEY,
    subsystem_id TEXT NOT NULL REFERENCES exchange_subsystem (id),
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    base_url TEXT NOT NULL,
    -- The description in the content store, and where it was fetched, if it was.
    blob TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    source TEXT,
    -- Paths of fields the provider marked as personal (JSON).
    personal TEXT NOT NULL,
    -- 'waiting', 'approved', 'refused' or 'withdrawn'
    state TEXT NOT NULL,
    proposed_at INTEGER NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_name TEXT,
    decided_at INTEGER,
    decided_name TEXT,
    reason TEXT,
    -- The service it became.
    service_id TEXT REFERENCES exchange_service (id)
) STRICT;
-- A service is proposed once at a time.
CREATE UNIQUE INDEX exchange_proposal_waiting ON exchange_proposal (subsystem_id, code) WHERE state = 'waiting';
CREATE INDEX exchange_proposal_at ON exchange_proposal (proposed_at);

-- Fields of a service that its provider marked as personal, beside those its description marks.
CREATE TABLE exchange_personal_field (
    service_id TEXT NOT NULL REFERENCES exchange_service (id),
    path TEXT NOT NULL,
    PRIMARY KEY (service_id, path)
) STRICT;
-- Where a service's description was fetched, for the next look.
ALTER TABLE exchange_service ADD COLUMN source TEXT;
