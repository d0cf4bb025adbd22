-- The conformance run on which a step of an agreement rests. No reference: a backup is read back table by table, older
-- ones first, and this table is older than the runs.
ALTER TABLE exchange_history ADD COLUMN conformance_id TEXT;
