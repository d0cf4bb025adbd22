-- Who is told what, over which way, and whether it arrived.

-- One message to one address. Addresses are sealed; what pages show is masked.
CREATE TABLE notices_message (
    id TEXT PRIMARY KEY,
    template TEXT NOT NULL,
    case_id TEXT,
    notice_id TEXT,
    about_kind TEXT,
    about_id TEXT,
    severity INTEGER NOT NULL,
    person TEXT,
    recipient TEXT NOT NULL,
    channel TEXT,
    address BLOB,
    masked TEXT NOT NULL,
    lang TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    secret BLOB,
    state TEXT NOT NULL,
    reason TEXT,
    attempts INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    reference TEXT,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX notices_message_listed ON notices_message (created_at, id);
CREATE INDEX notices_message_state ON notices_message (state, created_at, id);
CREATE INDEX notices_message_case ON notices_message (case_id);
CREATE INDEX notices_message_reference ON notices_message (channel, reference);

-- Every attempt at a message. Never changed.
CREATE TABLE notices_attempt (
    message_id TEXT NOT NULL REFERENCES notices_message (id),
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    PRIMARY KEY (message_id, number)
) STRICT;

-- What is told about one fault, from its first alert until it is calm again.
CREATE TABLE notices_case (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    alert TEXT NOT NULL,
    severity INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    is_open INTEGER NOT NULL,
    unstable INTEGER NOT NULL,
    times INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    acknowledged_at INTEGER,
    told_at INTEGER
) STRICT;
CREATE INDEX notices_case_key ON notices_case (key, changed_at);
CREATE INDEX notices_case_alert ON notices_case (alert);
CREATE INDEX notices_case_told ON notices_case (told_at);

-- Who was told of a case.
CREATE TABLE notices_told (
    case_id TEXT NOT NULL REFERENCES notices_case (id),
    person TEXT NOT NULL,
    PRIMARY KEY (case_id, person)
) STRICT;

-- What waits to be told in one message, because too much happens at once.
CREATE TABLE notices_pending (
    case_id TEXT NOT NULL REFERENCES notices_case (id),
    template TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (case_id, template)
) STRICT;

-- Who is on duty when; from the first moment until before the last.
CREATE TABLE notices_shift (
    id TEXT PRIMARY KEY,
    begins INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    first TEXT NOT NULL,
    second TEXT
) STRICT;
CREATE INDEX notices_shift_ends ON notices_shift (ends, begins);

-- How people are reached. A way counts once its code was given back.
CREATE TABLE notices_way (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    channel TEXT NOT NULL,
    address BLOB NOT NULL,
    digest BLOB NOT NULL,
    masked TEXT NOT NULL,
    code BLOB,
    code_until INTEGER,
    tries INTEGER NOT NULL,
    verified_at INTEGER,
    created_at INTEGER NOT NULL,
    UNIQUE (person, channel, digest)
) STRICT;
CREATE INDEX notices_way_person ON notices_way (person, created_at);

-- When people are not to be told what can wait; minutes of the day, UTC+7.
CREATE TABLE notices_quiet (
    person TEXT PRIMARY KEY,
    from_minute INTEGER NOT NULL,
    until_minute INTEGER NOT NULL
) STRICT;

-- The province's own words in place of the shipped ones.
CREATE TABLE notices_template (
    name TEXT NOT NULL,
    lang TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    short TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (name, lang)
) STRICT;
