CREATE TABLE identity_person (
    id TEXT PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    full_name TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    search_key TEXT NOT NULL,
    lang TEXT,
    password_hash TEXT,
    password_set_at INTEGER,
    locked_at INTEGER,
    last_appointment TEXT,
    last_sign_in_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX identity_person_sort ON identity_person (sort_key, id);

CREATE TABLE identity_appointment (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    post TEXT NOT NULL,
    agency TEXT,
    field TEXT,
    holding TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_until TEXT,
    ended_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX identity_appointment_person ON identity_appointment (person, valid_from);
CREATE INDEX identity_appointment_agency ON identity_appointment (agency);

CREATE TABLE identity_role_grant (
    appointment TEXT NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (appointment, role)
) STRICT;
CREATE INDEX identity_role_grant_role ON identity_role_grant (role);

CREATE TABLE identity_session (
    id TEXT PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE,
    person TEXT NOT NULL,
    appointment TEXT,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    user_agent TEXT NOT NULL,
    address TEXT NOT NULL
) STRICT;
CREATE INDEX identity_session_person ON identity_session (person, created_at);
CREATE INDEX identity_session_expires ON identity_session (expires_at);

CREATE TABLE identity_link (
    id TEXT PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE,
    purpose TEXT NOT NULL,
    person TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    withdrawn_at INTEGER
) STRICT;
CREATE INDEX identity_link_person ON identity_link (person);

CREATE TABLE identity_client (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    search_key TEXT NOT NULL,
    subsystem TEXT NOT NULL,
    scopes TEXT NOT NULL,
    secret_mac BLOB NOT NULL,
    secret_set_at INTEGER NOT NULL,
    previous_mac BLOB,
    previous_until INTEGER,
    expires_at INTEGER,
    revoked_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX identity_client_subsystem ON identity_client (subsystem);
CREATE INDEX identity_client_sort ON identity_client (sort_key, id);
