-- What is known of calls, rebuilt at any time from the evidence log. Nothing personal is in these tables but in
-- exchange_private.

-- Logs of this and other nodes: their keys, and how far each has been taken into the tables.
CREATE TABLE exchange_origin (
    dir TEXT PRIMARY KEY,
    log TEXT NOT NULL,
    name TEXT NOT NULL,
    vkey TEXT NOT NULL,
    reason TEXT,
    previous TEXT,
    begun_at INTEGER,
    checkpoint TEXT,
    indexed INTEGER NOT NULL
) STRICT;
CREATE INDEX exchange_origin_log ON exchange_origin (log, dir);

-- One row a call. Outcome is NULL while the call runs, and "unknown" when the process ended before it did.
CREATE TABLE exchange_call (
    request_id TEXT PRIMARY KEY,
    message_id TEXT NOT NULL,
    client TEXT NOT NULL,
    provider TEXT NOT NULL,
    service TEXT NOT NULL,
    agreement TEXT,
    agreement_version INTEGER,
    snapshot INTEGER NOT NULL,
    consumer_auth TEXT NOT NULL,
    method TEXT NOT NULL,
    endpoint TEXT,
    request_in INTEGER NOT NULL,
    request_out INTEGER,
    response_in INTEGER,
    closed_at INTEGER,
    request_size INTEGER,
    response_size INTEGER,
    status INTEGER,
    outcome TEXT,
    fault TEXT,
    opened_origin TEXT,
    opened_index INTEGER,
    closed_origin TEXT,
    closed_index INTEGER
) STRICT;
CREATE INDEX exchange_call_listed ON exchange_call (request_in, request_id);
CREATE INDEX exchange_call_client ON exchange_call (client, request_in, request_id);
CREATE INDEX exchange_call_provider ON exchange_call (provider, request_in, request_id);
CREATE INDEX exchange_call_message ON exchange_call (message_id);
CREATE INDEX exchange_call_running ON exchange_call (opened_origin) WHERE outcome IS NULL;

-- What opens the commitments of one record, erased when its time has come: personal values earlier than the
-- digests, which are all that evidence needs in the end.
CREATE TABLE exchange_private (
    request_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    personal TEXT,
    digests TEXT,
    erase_personal INTEGER,
    erase_digests INTEGER,
    PRIMARY KEY (request_id, kind)
) STRICT;
CREATE INDEX exchange_private_personal ON exchange_private (erase_personal) WHERE erase_personal IS NOT NULL;
CREATE INDEX exchange_private_digests ON exchange_private (erase_digests) WHERE erase_digests IS NOT NULL;
