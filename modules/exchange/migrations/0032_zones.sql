-- What may be called from the dedicated network only. No row: wherever a listener takes calls.
CREATE TABLE exchange_dedicated (
    -- 'service' or 'agreement'.
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT;
