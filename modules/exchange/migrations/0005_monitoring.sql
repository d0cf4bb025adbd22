-- When the record of a call entered operational monitoring: collectors fetch records in this order. NULL while the
-- call runs, and where nobody knows how it ended.
ALTER TABLE exchange_call ADD COLUMN monitored_at INTEGER;
UPDATE exchange_call SET monitored_at = closed_at WHERE closed_at IS NOT NULL;
CREATE INDEX exchange_call_monitored ON exchange_call (monitored_at, request_id) WHERE monitored_at IS NOT NULL;
CREATE INDEX exchange_call_monitored_client ON exchange_call (client, monitored_at, request_id)
    WHERE monitored_at IS NOT NULL;
CREATE INDEX exchange_call_monitored_provider ON exchange_call (provider, monitored_at, request_id)
    WHERE monitored_at IS NOT NULL;
