-- Figures of calls by hour, day and month, so that pages never count rows and history outlives them. Filled with the
-- rows themselves, in one transaction; rebuilt at any time by reading the logs again.

-- Whose side a call that has ended speaks of: 0 it went well, 1 consumer, 2 provider, 3 this platform. NULL until the
-- call is in the figures.
ALTER TABLE exchange_call ADD COLUMN side INTEGER;
-- Most calls go well, and a list of those needs no index of its own; the others are few, and looked for often. The index
-- exchange_call_ended serves the release before, and goes one release later.
CREATE INDEX exchange_call_bad ON exchange_call (request_in, request_id) WHERE side > 0;
CREATE INDEX exchange_call_bad_service ON exchange_call (service, request_in, request_id) WHERE side > 0;
CREATE INDEX exchange_call_bad_client ON exchange_call (client, request_in, request_id) WHERE side > 0;
CREATE INDEX exchange_call_bad_provider ON exchange_call (provider, request_in, request_id) WHERE side > 0;
CREATE INDEX exchange_call_bad_agreement ON exchange_call (agreement, request_in, request_id) WHERE side > 0;
CREATE INDEX exchange_call_unknown ON exchange_call (request_in, request_id) WHERE outcome = 'unknown';
CREATE INDEX exchange_call_fault ON exchange_call (fault, request_in, request_id) WHERE fault IS NOT NULL;
-- What runs is asked for by time too.
CREATE INDEX exchange_call_open ON exchange_call (request_in, request_id) WHERE outcome IS NULL;

-- Entries of a log that are in the figures. Never less than those in the tables.
ALTER TABLE exchange_origin ADD COLUMN rolled INTEGER NOT NULL DEFAULT 0;

-- What is counted: 0 everything, 1 a service, 2 a consumer, 3 consumer by service, agreement and endpoint, 4 a fault.
-- The number is made of the names, so that every node and every rebuild gives the same one.
CREATE TABLE exchange_series (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    client TEXT NOT NULL,
    provider TEXT NOT NULL,
    service TEXT NOT NULL,
    agreement TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    fault TEXT NOT NULL
) STRICT;
CREATE INDEX exchange_series_client ON exchange_series (kind, client);
CREATE INDEX exchange_series_provider ON exchange_series (kind, provider);
CREATE INDEX exchange_series_service ON exchange_series (kind, service);
CREATE INDEX exchange_series_agreement ON exchange_series (agreement) WHERE agreement <> '';
INSERT INTO exchange_series (id, kind, client, provider, service, agreement, endpoint, fault)
    VALUES (0, 0, '', '', '', '', '', '');

-- Span: 1 an hour, 2 a day, 3 a month, all in UTC+7. Latency: how many calls took how long, see traffic/histogram.rs.
CREATE TABLE exchange_traffic (
    series INTEGER NOT NULL,
    span INTEGER NOT NULL,
    start INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    consumer INTEGER NOT NULL,
    provider INTEGER NOT NULL,
    ours INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    request_bytes INTEGER NOT NULL,
    response_bytes INTEGER NOT NULL,
    latency BLOB NOT NULL,
    PRIMARY KEY (series, span, start)
) STRICT;
-- The most called of a kind in a month, and the hours that are old enough to go.
CREATE INDEX exchange_traffic_most ON exchange_traffic (span, kind, start, calls, series);

-- Months whose figures are fixed.
CREATE TABLE exchange_month (
    month TEXT PRIMARY KEY,
    figures TEXT NOT NULL,
    closed_at INTEGER NOT NULL,
    closed_by TEXT NOT NULL,
    closed_name TEXT
) STRICT;

-- What was there before this step is counted by reading the logs once more.
UPDATE exchange_call SET outcome = NULL WHERE outcome = 'unknown';
UPDATE exchange_origin SET indexed = 0;
