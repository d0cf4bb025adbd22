-- The registry of the exchange: who is connected, what they offer, who may call it.

-- One row: the instance, and the number of the present state of the registry.
CREATE TABLE exchange_registry (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    instance TEXT NOT NULL,
    serial INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE exchange_member (
    id TEXT PRIMARY KEY,
    class TEXT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    search_key TEXT NOT NULL,
    agency_id TEXT,
    agency_code TEXT,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    retired_at INTEGER,
    UNIQUE (class, code)
) STRICT;
CREATE INDEX exchange_member_sorted ON exchange_member (sort_key, id);
CREATE INDEX exchange_member_agency ON exchange_member (agency_id);

CREATE TABLE exchange_subsystem (
    id TEXT PRIMARY KEY,
    member_id TEXT NOT NULL REFERENCES exchange_member (id),
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    search_key TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    retired_at INTEGER,
    UNIQUE (member_id, code)
) STRICT;
CREATE INDEX exchange_subsystem_sorted ON exchange_subsystem (sort_key, id);

-- OpenAPI documents by the SHA-256 of their bytes; never changed.
CREATE TABLE exchange_document (
    sha256 TEXT PRIMARY KEY,
    bytes BLOB NOT NULL,
    added_at INTEGER NOT NULL
) STRICT;

CREATE TABLE exchange_service (
    id TEXT PRIMARY KEY,
    subsystem_id TEXT NOT NULL REFERENCES exchange_subsystem (id),
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    search_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    base_url TEXT NOT NULL,
    timeout_ms INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    notice TEXT NOT NULL,
    document TEXT REFERENCES exchange_document (sha256),
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    retired_at INTEGER,
    UNIQUE (subsystem_id, code)
) STRICT;
CREATE INDEX exchange_service_sorted ON exchange_service (sort_key, id);

CREATE TABLE exchange_endpoint (
    id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL REFERENCES exchange_service (id),
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    name TEXT NOT NULL,
    retired_at INTEGER,
    UNIQUE (service_id, method, path)
) STRICT;

CREATE TABLE exchange_agreement (
    id TEXT PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    search_key TEXT NOT NULL,
    consumer_id TEXT NOT NULL REFERENCES exchange_subsystem (id),
    service_id TEXT NOT NULL REFERENCES exchange_service (id),
    whole INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    legal_basis TEXT NOT NULL,
    fields TEXT NOT NULL,
    per_minute INTEGER,
    per_day INTEGER,
    valid_from TEXT NOT NULL,
    valid_to TEXT NOT NULL,
    letter_number TEXT,
    letter_date TEXT,
    security_level INTEGER,
    security_decision TEXT,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    asked_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX exchange_agreement_listed ON exchange_agreement (changed_at, id);
CREATE INDEX exchange_agreement_state ON exchange_agreement (state, valid_to);
CREATE INDEX exchange_agreement_consumer ON exchange_agreement (consumer_id);
CREATE INDEX exchange_agreement_service ON exchange_agreement (service_id);

-- The endpoints of an agreement that does not open the whole service.
CREATE TABLE exchange_scope (
    agreement_id TEXT NOT NULL REFERENCES exchange_agreement (id),
    endpoint_id TEXT NOT NULL REFERENCES exchange_endpoint (id),
    PRIMARY KEY (agreement_id, endpoint_id)
) STRICT;

-- Every step an agreement took, with its terms after the step. Never changed.
CREATE TABLE exchange_history (
    agreement_id TEXT NOT NULL REFERENCES exchange_agreement (id),
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    step TEXT NOT NULL,
    from_state TEXT,
    to_state TEXT NOT NULL,
    actor TEXT NOT NULL,
    actor_name TEXT,
    reason TEXT,
    terms TEXT NOT NULL,
    PRIMARY KEY (agreement_id, version)
) STRICT;

-- Requests whose effect must happen once however often they are sent.
CREATE TABLE exchange_once (
    actor TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_sha256 BLOB NOT NULL,
    subject TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (actor, idempotency_key)
) STRICT;
CREATE INDEX exchange_once_at ON exchange_once (at);
