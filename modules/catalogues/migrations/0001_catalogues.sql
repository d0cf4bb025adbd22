-- Shared catalogues and mappings of codes: what each is, its dated versions, and the rows of each version.

-- A mapping is a catalogue whose rows are pairs of codes; then source and target are set.
CREATE TABLE catalogues_catalogue (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    code TEXT NOT NULL UNIQUE,
    name_vi TEXT NOT NULL,
    name_en TEXT NOT NULL,
    about TEXT NOT NULL,
    act TEXT NOT NULL,
    system TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    is_public INTEGER NOT NULL,
    is_published INTEGER NOT NULL,
    source_id TEXT REFERENCES catalogues_catalogue (id),
    target_id TEXT REFERENCES catalogues_catalogue (id),
    source_on TEXT,
    target_on TEXT,
    revision INTEGER NOT NULL,
    sort_key TEXT NOT NULL,
    search_key TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX catalogues_catalogue_sorted ON catalogues_catalogue (sort_key, id);
CREATE INDEX catalogues_catalogue_owner ON catalogues_catalogue (owner_id);

-- Days are included; 9999-12-31 means without end. last_day is what later versions left of valid_to: a version
-- answers on the days from valid_from to last_day, none when last_day comes before valid_from.
CREATE TABLE catalogues_version (
    id TEXT PRIMARY KEY,
    catalogue_id TEXT NOT NULL REFERENCES catalogues_catalogue (id),
    number INTEGER NOT NULL,
    state TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_to TEXT NOT NULL,
    last_day TEXT NOT NULL,
    act TEXT NOT NULL,
    note TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    published_at INTEGER,
    superseded_by INTEGER,
    UNIQUE (catalogue_id, number)
) STRICT;

CREATE TABLE catalogues_entry (
    version_id TEXT NOT NULL REFERENCES catalogues_version (id),
    code TEXT NOT NULL,
    name_vi TEXT NOT NULL,
    name_en TEXT NOT NULL,
    parent TEXT NOT NULL,
    position INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_to TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    search_key TEXT NOT NULL,
    PRIMARY KEY (version_id, code)
) STRICT;
CREATE INDEX catalogues_entry_ordered ON catalogues_entry (version_id, position, sort_key, code);
CREATE INDEX catalogues_entry_parent ON catalogues_entry (version_id, parent);

CREATE TABLE catalogues_pair (
    version_id TEXT NOT NULL REFERENCES catalogues_version (id),
    source_code TEXT NOT NULL,
    target_code TEXT NOT NULL,
    relation TEXT NOT NULL,
    reason TEXT NOT NULL,
    search_key TEXT NOT NULL,
    PRIMARY KEY (version_id, source_code, target_code)
) STRICT;
CREATE INDEX catalogues_pair_target ON catalogues_pair (version_id, target_code);
