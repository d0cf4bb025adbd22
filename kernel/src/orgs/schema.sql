CREATE TABLE orgs_unit (
    id TEXT PRIMARY KEY,
    tree TEXT NOT NULL,
    natural_key TEXT UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE orgs_version (
    unit TEXT NOT NULL,
    tree TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_to TEXT NOT NULL,
    from_known INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    superseded_at INTEGER,
    kind TEXT NOT NULL,
    rank INTEGER NOT NULL,
    name TEXT NOT NULL,
    full_name TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    name_fold TEXT NOT NULL,
    fold TEXT NOT NULL,
    code TEXT,
    parent TEXT,
    act TEXT,
    ended_by TEXT,
    certainty TEXT NOT NULL,
    source TEXT NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (unit, valid_from, recorded_at)
) STRICT;
CREATE UNIQUE INDEX orgs_version_code ON orgs_version (tree, code, valid_from) WHERE superseded_at IS NULL;
CREATE INDEX orgs_version_parent ON orgs_version (parent, valid_from) WHERE superseded_at IS NULL;
CREATE INDEX orgs_version_tree ON orgs_version (tree, rank, sort_key) WHERE superseded_at IS NULL;

CREATE TABLE orgs_code (
    unit TEXT NOT NULL,
    system TEXT NOT NULL,
    code TEXT NOT NULL,
    canonical TEXT NOT NULL,
    main INTEGER NOT NULL,
    valid_from TEXT NOT NULL,
    valid_to TEXT NOT NULL,
    PRIMARY KEY (canonical, unit, code, valid_from)
) STRICT;
CREATE INDEX orgs_code_unit ON orgs_code (unit);

CREATE TABLE orgs_succession (
    predecessor TEXT NOT NULL,
    successor TEXT NOT NULL,
    on_date TEXT NOT NULL,
    kind TEXT NOT NULL,
    share INTEGER,
    transfers INTEGER,
    act TEXT,
    certainty TEXT NOT NULL,
    source TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (predecessor, successor, on_date)
) STRICT;
CREATE INDEX orgs_succession_successor ON orgs_succession (successor);

CREATE TABLE orgs_competence (
    agency TEXT NOT NULL,
    territory TEXT NOT NULL,
    role TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_to TEXT NOT NULL,
    act TEXT,
    PRIMARY KEY (territory, role, agency, valid_from)
) STRICT;
CREATE INDEX orgs_competence_agency ON orgs_competence (agency);

CREATE TABLE orgs_act (
    number TEXT PRIMARY KEY,
    issuer TEXT NOT NULL,
    issued_on TEXT,
    applies_from TEXT NOT NULL,
    title TEXT NOT NULL
) STRICT;

CREATE TABLE orgs_import (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    outcome TEXT NOT NULL,
    report TEXT NOT NULL
) STRICT;
