-- How a catalogue's attributes are called and which catalogue names their values, as JSON:
-- [{"key", "name_vi", "name_en", "values"}].
ALTER TABLE catalogues_catalogue ADD COLUMN labels TEXT NOT NULL DEFAULT '[]';
