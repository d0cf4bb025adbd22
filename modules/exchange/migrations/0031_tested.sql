-- The conformance run on which a step of an agreement rests.
ALTER TABLE exchange_history ADD COLUMN conformance_id TEXT REFERENCES exchange_conformance (id);
