CREATE TABLE blobs_key (
    id TEXT PRIMARY KEY,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    wrapped BLOB,
    created_at INTEGER NOT NULL,
    destroyed_at INTEGER
) STRICT;
CREATE UNIQUE INDEX blobs_key_subject ON blobs_key (subject_kind, subject_id) WHERE destroyed_at IS NULL;

CREATE TABLE blobs_object (
    id TEXT PRIMARY KEY,
    key_id TEXT NOT NULL,
    address BLOB NOT NULL,
    class TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    object TEXT NOT NULL UNIQUE,
    stored INTEGER NOT NULL,
    position INTEGER,
    put_at INTEGER NOT NULL,
    unreferenced_since INTEGER,
    keep_until INTEGER,
    erased_at INTEGER
) STRICT;
CREATE INDEX blobs_object_key ON blobs_object (key_id);
CREATE INDEX blobs_object_position ON blobs_object (position) WHERE position IS NOT NULL;
CREATE INDEX blobs_object_unreferenced ON blobs_object (unreferenced_since) WHERE unreferenced_since IS NOT NULL;

CREATE TABLE blobs_reference (
    blob TEXT NOT NULL,
    ref_kind TEXT NOT NULL,
    ref_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (blob, ref_kind, ref_id)
) STRICT;
CREATE INDEX blobs_reference_by ON blobs_reference (ref_kind, ref_id);
