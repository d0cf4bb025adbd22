-- Requests for connections: what the consumer wrote, beside the agreement of the same identifier once it was sent.
CREATE TABLE exchange_request (
    id TEXT PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    consumer_id TEXT NOT NULL REFERENCES exchange_subsystem (id),
    service_id TEXT NOT NULL REFERENCES exchange_service (id),
    draft TEXT NOT NULL,
    version INTEGER NOT NULL,
    submitted_at INTEGER,
    discarded_at INTEGER,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX exchange_request_consumer ON exchange_request (consumer_id);
CREATE INDEX exchange_request_service ON exchange_request (service_id);
CREATE INDEX exchange_request_changed ON exchange_request (changed_at, id);

-- Their files; the content is in the content store.
CREATE TABLE exchange_attachment (
    id TEXT PRIMARY KEY,
    request_id TEXT NOT NULL REFERENCES exchange_request (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    blob TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    added_by TEXT NOT NULL
) STRICT;
CREATE INDEX exchange_attachment_request ON exchange_attachment (request_id, added_at);
