-- The authority that signs client certificates. 'current', or its own id once another took over.
CREATE TABLE identity_authority (
    id TEXT PRIMARY KEY,
    slot TEXT NOT NULL UNIQUE,
    der BLOB NOT NULL,
    sealed BLOB NOT NULL,
    not_after INTEGER NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;
CREATE TABLE identity_certificate (
    id TEXT PRIMARY KEY,
    client TEXT NOT NULL REFERENCES identity_client (id),
    thumbprint TEXT NOT NULL UNIQUE,
    serial TEXT NOT NULL,
    key_kind TEXT NOT NULL,
    der BLOB NOT NULL,
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
CREATE INDEX identity_certificate_client ON identity_certificate (client, not_before);
CREATE INDEX identity_certificate_end ON identity_certificate (not_after);
-- Whether the client proves itself by certificate only; its secret alone then gets no token.
ALTER TABLE identity_client ADD COLUMN certificate_only INTEGER NOT NULL DEFAULT 0;
